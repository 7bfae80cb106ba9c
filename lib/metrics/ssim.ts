import { ArgumentError, ShapeError } from '../native/errors'
import { full, tensor } from '../tensor/creation'
import { cat, conv2d } from '../tensor/ops.generated'
import type { Tensor } from '../tensor/tensor'

export interface SSIMOptions {
  /** Largest minus smallest value an image can have; 255 for uint8, and 1 for floating point unless stated. */
  readonly dataRange?: number | undefined
  /** `'gaussian'` (default, the paper's) or `'uniform'`. */
  readonly window?: 'gaussian' | 'uniform' | undefined
  /** Side of the window in pixels, odd; 11 unless stated. */
  readonly windowSize?: number | undefined
  /** Standard deviation of the Gaussian window in pixels; 1.5 unless stated. */
  readonly sigma?: number | undefined
  readonly k1?: number | undefined
  readonly k2?: number | undefined
  /** Variances with n − 1, as scikit-image's default; only for the uniform window. */
  readonly sampleCovariance?: boolean | undefined
}

export interface StructuralSimilarity {
  /** Luminance, contrast and structure: the index, `[N, C]`. */
  readonly full: Tensor
  /** Contrast and structure alone, `[N, C]`. */
  readonly contrast: Tensor
}

/** The index of `[N, C, H, W]`, averaged over the windows that lie within the image. */
export function structuralSimilarityOf(
  caller: string,
  x: Tensor,
  y: Tensor,
  dataRange: number,
  options: SSIMOptions,
): StructuralSimilarity {
  const { windowSize = 11, k1 = 0.01, k2 = 0.03 } = options
  checkOptions(caller, options)
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape
  if (height < windowSize || width < windowSize) {
    throw new ShapeError(
      `${caller}: images of ${height} × ${width} are smaller than the window of ${windowSize} × ${windowSize}; ` +
        'set a smaller windowSize, or fewer scales',
    )
  }
  const rows = batch * channels
  const [a, b] = [x.reshape([rows, 1, height, width]), y.reshape([rows, 1, height, width])]
  const window = windowOf(x, options)
  const maps = cat([a, b, a.square(), b.square(), a.mul(b)])
  // A window that is a product of two lines is applied as two lines.
  const means = conv2d(conv2d(maps, window.reshape([1, 1, -1, 1])), window.reshape([1, 1, 1, -1]))
  const [meanA, meanB, squareA, squareB, product] = means.split(rows) as [Tensor, Tensor, Tensor, Tensor, Tensor]
  const samples = windowSize * windowSize
  const unbias = options.sampleCovariance === true ? samples / (samples - 1) : 1
  const both = meanA.mul(meanB)
  const squares = meanA.square().add(meanB.square())
  const covariance = product.sub(both).mul(unbias)
  const variances = squareA.add(squareB).sub(squares).mul(unbias)
  const [c1, c2] = [(k1 * dataRange) ** 2, (k2 * dataRange) ** 2]
  const contrast = covariance.mul(2).add(c2).div(variances.add(c2))
  const luminance = both.mul(2).add(c1).div(squares.add(c1))
  const average = (map: Tensor) => map.mean({ dim: [1, 2, 3] }).reshape([batch, channels])
  return { full: average(luminance.mul(contrast)), contrast: average(contrast) }
}

/** One line of the window; its weights sum up to 1. */
function windowOf(like: Tensor, { window = 'gaussian', windowSize = 11, sigma = 1.5 }: SSIMOptions): Tensor {
  const { dtype, device } = like
  if (window === 'uniform') return full([windowSize], 1 / windowSize, { dtype, device })
  const radius = (windowSize - 1) / 2
  const weights = Float64Array.from({ length: windowSize }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return tensor(weights.map((weight) => weight / sum)).to({ dtype, device })
}

function checkOptions(
  caller: string,
  { window = 'gaussian', windowSize = 11, sigma = 1.5, ...rest }: SSIMOptions,
): void {
  if (window !== 'gaussian' && window !== 'uniform') {
    throw new ArgumentError(`${caller}: window is '${String(window)}'; use 'gaussian' or 'uniform'`)
  }
  if (!(Number.isInteger(windowSize) && windowSize >= 3 && windowSize % 2 === 1)) {
    throw new ArgumentError(`${caller}: windowSize is ${windowSize}; it is an odd number of pixels from 3`)
  }
  for (const [name, value] of Object.entries({ sigma, k1: rest.k1 ?? 0.01, k2: rest.k2 ?? 0.03 })) {
    if (!(value > 0 && Number.isFinite(value))) throw new ArgumentError(`${caller}: ${name} is ${value}; it is above 0`)
  }
  if (rest.sampleCovariance === true && window !== 'uniform') {
    throw new ArgumentError(`${caller}: sampleCovariance needs equal weights; set window: 'uniform'`)
  }
}
