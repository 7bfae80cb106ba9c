// Transfer functions of the complex steerable pyramid, in the Fourier domain.
import { arange, cat, fftFftfreq, hypot, stack, type Tensor, tidy } from '../../tensor'

/** One scale: its filters, and which frequencies of the picture they cover. */
export interface ScaleMasks {
  /** Size on which its coefficients stand. */
  readonly height: number
  readonly width: number
  /** `[orientations, height, width]`: one-sided, so coefficients are complex. */
  readonly bands: Tensor
  /** Rows and columns of the picture's spectrum that the filters cover; undefined where they cover all of it. */
  readonly crop: { readonly rows: Tensor; readonly columns: Tensor } | undefined
}

export interface PyramidMasks {
  /** `[H, W]` */
  readonly high: Tensor
  readonly scales: readonly ScaleMasks[]
  /** `[H, W]` */
  readonly low: Tensor
}

export interface MaskOptions {
  readonly height: number
  readonly width: number
  readonly levels: number
  readonly orientations: number
  readonly subsample: boolean
}

/**
 * Real transfer functions in float64: with the gains of analysis and synthesis they add up to 1 at every frequency, so
 * the pyramid is a tight frame.
 */
export function pyramidMasks({ height, width, levels, orientations, subsample }: MaskOptions): PyramidMasks {
  return tidy(() => {
    const dtype = 'float64'
    // Nyquist is 1.
    const y = fftFftfreq(height, { dtype }).mul(2).unsqueeze(1)
    const x = fftFftfreq(width, { dtype }).mul(2).unsqueeze(0)
    const radius = hypot(x, y)
    // The mean has no direction; its radius only has to lie below every transition.
    const safe = radius.clamp({ min: 2 ** -40 })
    const octave = safe.log2()
    const raised = (centre: number) =>
      octave
        .sub(centre - 1)
        .clamp({ min: 0, max: 1 })
        .mul(Math.PI / 2)
    const highPass = (centre: number) => raised(centre).sin()
    const lowPass = (centre: number) => raised(centre).cos()

    const order = orientations - 1
    const gain = 2 * Math.sqrt(angularNormalisation(orientations))
    const fans = Array.from({ length: orientations }, (_, b) => {
      const angle = (Math.PI * b) / orientations
      const cosine = x
        .mul(Math.cos(angle))
        .add(y.mul(Math.sin(angle)))
        .div(safe)
      return cosine.clamp({ min: 0 }).pow(order).mul(gain)
    })

    let low = lowPass(0)
    const scales: ScaleMasks[] = []
    for (let k = 0; k < levels; k++) {
      const radial = low.mul(highPass(-1 - k))
      const full = fans.map((fan) => fan.mul(radial))
      const size = { height: scaleSize(height, k, subsample), width: scaleSize(width, k, subsample) }
      const crop =
        size.height === height && size.width === width
          ? undefined
          : { rows: keptFrequencies(height, size.height), columns: keptFrequencies(width, size.width) }
      const bands = full.map((mask) => (crop ? mask.indexSelect(0, crop.rows).indexSelect(1, crop.columns) : mask))
      scales.push({ ...size, crop, bands: stack(bands) })
      low = low.mul(lowPass(-1 - k))
    }
    return { high: highPass(0), scales, low }
  })
}

/** The sum over orientations of the squared angular filters is constant for this factor (Portilla and Simoncelli 2000). */
function angularNormalisation(orientations: number): number {
  const n = orientations - 1
  return (2 ** (2 * n) * factorial(n) ** 2) / (orientations * factorial(2 * n))
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}

/** The filters of scale k end at the radius 2^-k, so this many samples hold them whole. */
function scaleSize(size: number, scale: number, subsample: boolean): number {
  return subsample && scale > 0 ? 2 * Math.ceil(size / 2 ** (scale + 1)) : size
}

/** Places of the `count` lowest frequencies, in the order of a transform of that length. */
function keptFrequencies(size: number, count: number): Tensor {
  if (count === size) return arange(0, size, { dtype: 'int64' })
  const half = count / 2
  return cat([arange(0, half, { dtype: 'int64' }), arange(size - half, size, { dtype: 'int64' })])
}
