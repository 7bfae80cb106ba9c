import { ArgumentError } from '../../native/errors'
import { withDefaults } from '../../nn/options'
import type { Generator, Tensor } from '../../tensor'
import { uniform } from './draw'
import { checkFactor } from './functional/colour'
import { type Along, adjustSharpness, checkKernelSize, gaussianBlur, gaussianNoise } from './functional/filter'
import { autocontrast, checkBits, equalize, invert, posterize, solarize } from './functional/tone'
import { checkRange, type Range } from './ranges'
import { RandomFixedTransform, type RandomOptions, Transform } from './transform'

export interface GaussianBlurTransformOptions {
  /** Range of the standard deviation in pixels, or one number; default 0.1 to 2. */
  readonly sigma?: number | Range
}

/** Blurs by a Gaussian of random width. */
export class GaussianBlur extends Transform<number> {
  readonly kernelSize: readonly [x: number, y: number]
  readonly sigma: Range

  /** @param kernelSize odd, in pixels: one number, or (x, y) */
  constructor(kernelSize: Along, options: GaussianBlurTransformOptions = {}) {
    super()
    const defaults: Required<GaussianBlurTransformOptions> = { sigma: [0.1, 2] }
    const { sigma } = withDefaults<Required<GaussianBlurTransformOptions>>('GaussianBlur', defaults, options)
    this.kernelSize = checkKernelSize('GaussianBlur', kernelSize)
    const range: Range = typeof sigma === 'number' ? [sigma, sigma] : sigma
    this.sigma = checkRange('GaussianBlur: sigma', range, Number.MIN_VALUE)
  }

  makeParams(_parts: readonly Tensor[], generator: Generator | undefined): number {
    return uniform(...this.sigma, generator)
  }

  transform(part: Tensor, sigma: number): Tensor {
    return gaussianBlur(part, this.kernelSize, { sigma })
  }
}

export interface GaussianNoiseTransformOptions {
  /** Default 0. */
  readonly mean?: number
  /** Standard deviation, of values from 0 to 1; default 0.1. */
  readonly sigma?: number
  /** Brings the result back to the range of values; default true. */
  readonly clip?: boolean
}

/** Adds noise of the normal distribution. Each pixel of each frame has its own. */
export class GaussianNoise extends Transform<Generator | undefined> {
  readonly #options: Required<GaussianNoiseTransformOptions>

  constructor(options: GaussianNoiseTransformOptions = {}) {
    super()
    const defaults: Required<GaussianNoiseTransformOptions> = { mean: 0, sigma: 0.1, clip: true }
    this.#options = withDefaults<Required<GaussianNoiseTransformOptions>>('GaussianNoise', defaults, options)
    const { sigma } = this.#options
    if (!(sigma >= 0)) throw new ArgumentError(`GaussianNoise: sigma is ${sigma}; it must be a number of 0 or more`)
  }

  /** The noise itself is drawn for each part, from the same generator. */
  makeParams(_parts: readonly Tensor[], generator: Generator | undefined): Generator | undefined {
    return generator
  }

  transform(part: Tensor, generator: Generator | undefined): Tensor {
    return gaussianNoise(part, { ...this.#options, generator })
  }
}

/** Black for white, with probability `p`, default 0.5. */
export class RandomInvert extends RandomFixedTransform {
  constructor(options: RandomOptions = {}) {
    super(withDefaults('RandomInvert', { p: 0.5 }, options).p)
  }

  transform(part: Tensor): Tensor {
    return invert(part)
  }
}

/** Keeps the most significant bits, with probability `p`, default 0.5. */
export class RandomPosterize extends RandomFixedTransform {
  constructor(
    readonly bits: number,
    options: RandomOptions = {},
  ) {
    super(withDefaults('RandomPosterize', { p: 0.5 }, options).p)
    checkBits('RandomPosterize', bits)
  }

  transform(part: Tensor): Tensor {
    return posterize(part, this.bits)
  }
}

/** Inverts bright values, with probability `p`, default 0.5. */
export class RandomSolarize extends RandomFixedTransform {
  /** @param threshold in values of the image: up to 255 for uint8, up to 1 for floating point */
  constructor(
    readonly threshold: number,
    options: RandomOptions = {},
  ) {
    super(withDefaults('RandomSolarize', { p: 0.5 }, options).p)
  }

  transform(part: Tensor): Tensor {
    return solarize(part, this.threshold)
  }
}

/** Sharpens, or smooths for factors below 1, with probability `p`, default 0.5. */
export class RandomAdjustSharpness extends RandomFixedTransform {
  constructor(
    readonly sharpnessFactor: number,
    options: RandomOptions = {},
  ) {
    super(withDefaults('RandomAdjustSharpness', { p: 0.5 }, options).p)
    checkFactor('RandomAdjustSharpness: sharpnessFactor', sharpnessFactor)
  }

  transform(part: Tensor): Tensor {
    return adjustSharpness(part, this.sharpnessFactor)
  }
}

/** Stretches each channel to the whole range, with probability `p`, default 0.5. */
export class RandomAutocontrast extends RandomFixedTransform {
  constructor(options: RandomOptions = {}) {
    super(withDefaults('RandomAutocontrast', { p: 0.5 }, options).p)
  }

  transform(part: Tensor): Tensor {
    return autocontrast(part)
  }
}

/** Spreads the values of each channel evenly, with probability `p`, default 0.5. */
export class RandomEqualize extends RandomFixedTransform {
  constructor(options: RandomOptions = {}) {
    super(withDefaults('RandomEqualize', { p: 0.5 }, options).p)
  }

  transform(part: Tensor): Tensor {
    return equalize(part)
  }
}
