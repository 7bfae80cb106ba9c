import { ArgumentError } from '../../native/errors'
import { oneOf, wholeNumber, withDefaults } from '../../nn/options'
import type { Generator, Tensor } from '../../tensor'
import { fraction, pick, wholeNumberBetween } from './draw'
import { cropSize } from './functional/crop'
import {
  checkResizeSize,
  RESIZE_INTERPOLATIONS,
  type ResizeInterpolation,
  type ResizeOptions,
  type ResizeSize,
  resize,
} from './functional/resize'
import { checkRange, type Range } from './ranges'
import { commonSize } from './sample'
import { FixedTransform, Transform } from './transform'

export interface InterpolationOptions {
  /** Default `'bilinear'`. Masks are always read by `'nearest'`. */
  readonly interpolation?: ResizeInterpolation
  /** Averages when shrinking; for bilinear and bicubic; default true. */
  readonly antialias?: boolean
}

const INTERPOLATION = { interpolation: 'bilinear', antialias: true } as const satisfies InterpolationOptions

/** Resizes to a size, as `torchvision.transforms.v2.Resize`. */
export class Resize extends FixedTransform {
  protected override readonly geometric = true
  readonly #options: Required<ResizeOptions>

  /** @param size height and width, one number for the shorter side, or null where `maxSize` gives the longer */
  constructor(
    readonly size: ResizeSize,
    options: ResizeOptions = {},
  ) {
    super()
    this.#options = withDefaults<Required<ResizeOptions>>('Resize', { ...INTERPOLATION, maxSize: null }, options)
    oneOf('Resize: interpolation', this.#options.interpolation, RESIZE_INTERPOLATIONS)
    checkResizeSize('Resize', size, this.#options.maxSize)
  }

  transform(part: Tensor): Tensor {
    return resize(part, this.size, this.#options)
  }
}

/** A size that is drawn for each sample. */
abstract class RandomSize extends Transform<ResizeSize> {
  protected override readonly geometric = true
  readonly #options: Required<InterpolationOptions>

  protected constructor({ interpolation, antialias }: Required<InterpolationOptions>) {
    super()
    oneOf(`${new.target.name}: interpolation`, interpolation, RESIZE_INTERPOLATIONS)
    this.#options = { interpolation, antialias }
  }

  transform(part: Tensor, size: ResizeSize): Tensor {
    return resize(part, size, this.#options)
  }
}

export interface ScaleJitterOptions extends InterpolationOptions {
  /** Factors; default 0.1 to 2. */
  readonly scaleRange?: Range
}

/** Resizes to a random multiple of the largest size that fits into `targetSize` (Ghiasi et al., CVPR 2021). */
export class ScaleJitter extends RandomSize {
  readonly targetSize: readonly [height: number, width: number]
  readonly scaleRange: Range

  constructor(targetSize: readonly [height: number, width: number], options: ScaleJitterOptions = {}) {
    const { scaleRange, ...rest } = withDefaults<Required<ScaleJitterOptions>>(
      'ScaleJitter',
      { scaleRange: [0.1, 2], ...INTERPOLATION },
      options,
    )
    super(rest)
    this.targetSize = cropSize('ScaleJitter: targetSize', targetSize)
    this.scaleRange = checkRange('ScaleJitter: scaleRange', scaleRange, 0)
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): ResizeSize {
    const [height, width] = commonSize('ScaleJitter', parts)
    const [least, most] = this.scaleRange
    const scale = least + fraction(generator) * (most - least)
    // torchvision 0.26 compares the height with the target's width and the width with its height; for the square
    // targets that are in use it is the same, for others this is what is meant.
    const factor = Math.min(this.targetSize[0] / height, this.targetSize[1] / width) * scale
    return [Math.max(1, Math.trunc(height * factor)), Math.max(1, Math.trunc(width * factor))]
  }
}

export interface RandomShortestSizeOptions extends InterpolationOptions {
  /** Most that the longer side may become; default any. */
  readonly maxSize?: number | null
}

/** Brings the shorter side to one of several sizes, as detectors are trained. */
export class RandomShortestSize extends RandomSize {
  readonly minSize: readonly number[]
  readonly maxSize: number | null

  constructor(minSize: number | readonly number[], options: RandomShortestSizeOptions = {}) {
    const { maxSize, ...rest } = withDefaults<Required<RandomShortestSizeOptions>>(
      'RandomShortestSize',
      { maxSize: null, ...INTERPOLATION },
      options,
    )
    super(rest)
    this.minSize = typeof minSize === 'number' ? [minSize] : [...minSize]
    if (this.minSize.length === 0) throw new ArgumentError('RandomShortestSize: minSize is an empty list; name a size')
    for (const size of this.minSize) wholeNumber('RandomShortestSize: minSize', size)
    this.maxSize = maxSize === null ? null : wholeNumber('RandomShortestSize: maxSize', maxSize)
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): ResizeSize {
    const [height, width] = commonSize('RandomShortestSize', parts)
    const wanted = pick(this.minSize, generator) / Math.min(height, width)
    const factor = this.maxSize === null ? wanted : Math.min(wanted, this.maxSize / Math.max(height, width))
    return [Math.max(1, Math.trunc(height * factor)), Math.max(1, Math.trunc(width * factor))]
  }
}

/** Brings the shorter side to a size from `minSize` (included) to `maxSize` (excluded). */
export class RandomResize extends RandomSize {
  constructor(
    readonly minSize: number,
    readonly maxSize: number,
    options: InterpolationOptions = {},
  ) {
    super(withDefaults<Required<InterpolationOptions>>('RandomResize', INTERPOLATION, options))
    wholeNumber('RandomResize: minSize', minSize)
    wholeNumber('RandomResize: maxSize', maxSize, minSize + 1)
  }

  makeParams(_parts: readonly Tensor[], generator: Generator | undefined): ResizeSize {
    return wholeNumberBetween(this.minSize, this.maxSize, generator)
  }
}
