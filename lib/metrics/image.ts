import { ArgumentError, ShapeError } from '../native/errors'
import { zeros } from '../tensor/creation'
import { avgPool2d } from '../tensor/ops.generated'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { BaseMetric, type StateValues } from './base'
import { type SSIMOptions, structuralSimilarityOf } from './ssim'
import { rangeOf, valuePair } from './values'

export interface PSNROptions {
  /** Largest minus smallest value an image can have; 255 for uint8, and 1 for floating point unless stated. */
  readonly dataRange?: number | undefined
}

export interface ImageReduction {
  /** `'mean'` (default): one number over the images; `'none'`: a value for each image, `[N]`. */
  readonly reduction?: 'mean' | 'none' | undefined
}

/**
 * Peak signal-to-noise ratio in decibels: 10·log₁₀(range² / MSE) for each image; ∞ for equal images.
 *
 * Differentiable.
 *
 * @param predictions images `[N, C, H, W]` or `[C, H, W]`, uint8 or floating point
 * @param targets of the same shape
 * @returns a 0-d tensor, the mean of the images' values; or `[N]`
 * @throws ShapeError, DTypeError, DeviceError, ArgumentError when the images do not go together
 */
export function psnr(predictions: Tensor, targets: Tensor, options: PSNROptions & ImageReduction = {}): Tensor {
  return tidy(() => {
    const range = rangeOf('psnr', predictions, targets, options.dataRange)
    const [x, y] = imagePair('psnr', predictions, targets)
    return reduced(ratioOf(x, y, range), options)
  })
}

/**
 * Structural similarity (Wang et al., IEEE TIP 2004) of each image, −1 to 1: the mean of the index over all windows that
 * lie within the image, and over the channels. The window is Gaussian, 11 × 11 with σ = 1.5.
 *
 * Differentiable. Parameters, result and errors as of `psnr`; images are at least as large as the window.
 */
export function ssim(predictions: Tensor, targets: Tensor, options: SSIMOptions & ImageReduction = {}): Tensor {
  return tidy(() => {
    const range = rangeOf('ssim', predictions, targets, options.dataRange)
    const [x, y] = imagePair('ssim', predictions, targets)
    return reduced(structuralSimilarityOf('ssim', x, y, range, options).full.mean({ dim: [1] }), options)
  })
}

export interface MSSSIMOptions extends SSIMOptions {
  /** Exponents of the scales from fine to coarse; the paper's five unless stated. */
  readonly weights?: readonly number[] | undefined
}

/** Wang, Simoncelli and Bovik (Asilomar 2003), table of section 3.2. */
const WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]

/**
 * Multi-scale structural similarity (Wang et al., Asilomar 2003) of each image, 0–1: contrast and structure at scales
 * that halve the size by 2 × 2 means, luminance at the last. Scales with negative structure count as 0. Channels are
 * measured apart and averaged.
 *
 * Differentiable. Parameters, result and errors as of `ssim`; for five scales both sides are at least 161 pixels.
 */
export function msSsim(predictions: Tensor, targets: Tensor, options: MSSSIMOptions & ImageReduction = {}): Tensor {
  const weights = options.weights ?? WEIGHTS
  if (weights.length === 0 || weights.some((weight) => !Number.isFinite(weight))) {
    throw new ArgumentError(`msSsim: weights are [${weights}]; give a finite number for each scale`)
  }
  return tidy(() => {
    const range = rangeOf('msSsim', predictions, targets, options.dataRange)
    let [x, y] = imagePair('msSsim', predictions, targets)
    let result: Tensor | undefined
    for (const [scale, weight] of weights.entries()) {
      if (scale > 0) [x, y] = [avgPool2d(x, [2, 2]), avgPool2d(y, [2, 2])]
      const { full, contrast } = structuralSimilarityOf(`msSsim, scale ${scale + 1}`, x, y, range, options)
      const part = (scale === weights.length - 1 ? full : contrast).clamp({ min: 0 }).pow(weight)
      result = result === undefined ? part : result.mul(part)
    }
    return reduced((result as Tensor).mean({ dim: [1] }), options)
  })
}

function imagePair(caller: string, predictions: Tensor, targets: Tensor): readonly [Tensor, Tensor] {
  const [x, y] = valuePair(caller, predictions, targets)
  if ((x.ndim !== 3 && x.ndim !== 4) || x.numel === 0) {
    throw new ShapeError(`${caller}: images are [N, C, H, W] or [C, H, W], got [${x.shape.join(', ')}]`)
  }
  return x.ndim === 4 ? [x, y] : [x.unsqueeze(0), y.unsqueeze(0)]
}

function ratioOf(x: Tensor, y: Tensor, range: number): Tensor {
  const error = x
    .sub(y)
    .square()
    .mean({ dim: [1, 2, 3] })
  return error
    .reciprocal()
    .mul(range * range)
    .log10()
    .mul(10)
}

function reduced(values: Tensor, { reduction = 'mean' }: ImageReduction): Tensor {
  if (reduction === 'none') return values
  if (reduction === 'mean') return values.mean()
  throw new ArgumentError(`reduction is '${String(reduction)}'; use 'mean' or 'none'`)
}

type Sums = Readonly<Record<'sum' | 'count', StateValues>>
type Pair = [predictions: Tensor, targets: Tensor]

function sumOf(values: Tensor): Record<'sum' | 'count', Tensor> {
  const count = zeros([], { dtype: 'int64', device: values.device }).add(values.numel)
  return { sum: values.to('float64').sum(), count }
}

const ratio = ({ sum, count }: Sums): number => (sum.data[0] as number) / (count.data[0] as number)

export interface PSNRMetricOptions extends PSNROptions {
  /**
   * `'image'` (default): the mean of the images' values, as papers on restoration report it; `'dataset'`: the value of
   * the mean squared error over all pixels.
   */
  readonly per?: 'image' | 'dataset' | undefined
}

/** Peak signal-to-noise ratio in decibels over all images; see `psnr`. */
export class PSNR extends BaseMetric<Pair, number, 'sum' | 'count', PSNRMetricOptions> {
  constructor({ dataRange, per = 'image' }: PSNRMetricOptions = {}) {
    super('PSNR', 'sum', ['sum', 'count'], { dataRange, per })
    if (per !== 'image' && per !== 'dataset') {
      throw new ArgumentError(`PSNR: per is '${String(per)}'; use 'image' or 'dataset'`)
    }
  }

  protected override observe(predictions: Tensor, targets: Tensor) {
    const range = rangeOf('PSNR', predictions, targets, this.options.dataRange)
    const [x, y] = imagePair('PSNR', predictions, targets)
    if (this.options.per === 'image') return sumOf(ratioOf(x, y, range))
    // In units of the range, so that the sum does not depend on it.
    return sumOf(x.sub(y).div(range).square())
  }

  protected override conclude(sums: Sums): number {
    return this.options.per === 'image' ? ratio(sums) : -10 * Math.log10(ratio(sums))
  }
}

/** Mean structural similarity of all images; see `ssim`. */
export class SSIM extends BaseMetric<Pair, number, 'sum' | 'count', SSIMOptions> {
  constructor(options: SSIMOptions = {}) {
    super('SSIM', 'sum', ['sum', 'count'], { ...options })
  }

  protected override observe(predictions: Tensor, targets: Tensor) {
    return sumOf(ssim(predictions, targets, { ...this.options, reduction: 'none' }))
  }

  protected override conclude(sums: Sums): number {
    return ratio(sums)
  }
}

/** Mean multi-scale structural similarity (MS-SSIM) of all images; see `msSsim`. */
export class MSSSIM extends BaseMetric<Pair, number, 'sum' | 'count', MSSSIMOptions> {
  constructor(options: MSSSIMOptions = {}) {
    super('MSSSIM', 'sum', ['sum', 'count'], { ...options })
  }

  protected override observe(predictions: Tensor, targets: Tensor) {
    return sumOf(msSsim(predictions, targets, { ...this.options, reduction: 'none' }))
  }

  protected override conclude(sums: Sums): number {
    return ratio(sums)
  }
}
