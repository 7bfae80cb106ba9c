// Gaussian smoothing and its derivatives, separably.
import { ArgumentError } from '../native/errors'
import { conv2d, pad, type Tensor, tensor, tidy } from '../tensor'

export interface GaussianFilterOptions {
  /** Standard deviation in pixels. */
  readonly sigma: number
  /** Taps on each side of the middle; ⌊4σ + ½⌋ unless stated, as SciPy has it. */
  readonly radius?: number | undefined
  /** Beyond the edge: `'zero'` (default), the nearest pixel, or the opposite side. */
  readonly edge?: 'zero' | 'replicate' | 'circular' | undefined
  /** Order of the derivative along y and x: 0 (default) or 1 each. */
  readonly order?: readonly [y: 0 | 1, x: 0 | 1] | undefined
}

/**
 * Smooths maps by a Gaussian whose taps add up to 1, or takes the first derivative of the smoothed maps.
 *
 * @param maps `[N, H, W]` floating point
 * @returns the same shape
 * @throws ArgumentError for a sigma or radius that is none
 */
export function gaussianFilter(maps: Tensor, options: GaussianFilterOptions): Tensor {
  const { sigma, radius = Math.floor(4 * sigma + 0.5), edge = 'zero', order = [0, 0] } = options
  if (!(sigma > 0 && Number.isFinite(sigma) && Number.isSafeInteger(radius) && radius >= 0)) {
    throw new ArgumentError(
      `gaussianFilter: sigma is ${sigma} and radius ${radius}; sigma is above 0, the radius a whole number`,
    )
  }
  return tidy(() => {
    const taps = 2 * radius + 1
    const kernel = (derivative: 0 | 1) =>
      tensor(gaussianTaps(sigma, radius, derivative), { dtype: maps.dtype, device: maps.device })
    const down = kernel(order[0]).reshape([1, 1, taps, 1])
    const across = kernel(order[1]).reshape([1, 1, 1, taps])
    const planes = maps.unsqueeze(1)
    if (edge === 'zero')
      return conv2d(conv2d(planes, down, { padding: [radius, 0] }), across, { padding: [0, radius] }).squeeze(1)
    const padded = pad(planes, [radius, radius, radius, radius], { mode: edge })
    return conv2d(conv2d(padded, down), across).squeeze(1)
  })
}

/** Taps of correlation: those of the derivative rise to the right where the picture does. */
function gaussianTaps(sigma: number, radius: number, derivative: 0 | 1): number[] {
  const offsets = Array.from({ length: 2 * radius + 1 }, (_, i) => i - radius)
  const weights = offsets.map((offset) => Math.exp(-0.5 * (offset / sigma) ** 2))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight, i) => (weight / sum) * (derivative === 0 ? 1 : (offsets[i] as number) / sigma ** 2))
}
