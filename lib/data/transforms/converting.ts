import { ArgumentError, ShapeError } from '../../native/errors'
import { show, wholeNumber, withDefaults } from '../../nn/options'
import { type DType, type Tensor, tidy } from '../../tensor'
import { toDtype } from './functional/dtype'
import { pictureSize, toFloat } from './functional/pixels'
import { checkStatistics, normalize, uniformTemporalSubsample } from './functional/values'
import { KINDS, type Kind, kindOf, wrapLike } from './kinds'
import { isPicture } from './sample'
import { FixedTransform } from './transform'

/** Subtracts a mean and divides by a deviation, by channel. Images must be floating point. */
export class Normalize extends FixedTransform {
  constructor(
    readonly mean: readonly number[],
    readonly std: readonly number[],
  ) {
    super()
    checkStatistics('Normalize', mean, std)
  }

  transform(part: Tensor): Tensor {
    return normalize(part, this.mean, this.std)
  }
}

/** A dtype for each kind of tensor; null leaves it as it is, `others` stands for the kinds that are not named. */
export type DTypeByKind = { readonly [K in Kind | 'others']?: DType | null }

/**
 * Images and clips in another dtype. Masks, boxes and points are converted where a dtype is given for each kind.
 */
export class ToDtype extends FixedTransform {
  readonly scale: boolean
  readonly #dtypes: DTypeByKind

  /** @param options `scale` also brings 0 to 255 to 0 to 1, and so on; default false */
  constructor(dtype: DType | DTypeByKind, options: { readonly scale?: boolean } = {}) {
    super()
    this.scale = withDefaults('ToDtype', { scale: false }, options).scale
    this.#dtypes = typeof dtype === 'string' ? { image: dtype, video: dtype, others: null } : dtype
    const unknown = Object.keys(this.#dtypes).find((key) => key !== 'others' && !KINDS.some((kind) => kind === key))
    if (unknown)
      throw new ArgumentError(`ToDtype: there is no kind '${unknown}'; they are ${KINDS.join(', ')} and others`)
  }

  transform(part: Tensor): Tensor {
    const kind = kindOf(part) ?? 'image'
    const own = this.#dtypes[kind]
    const dtype = own === undefined ? this.#dtypes.others : own
    if (dtype === undefined) {
      throw new ArgumentError(
        `ToDtype: the sample holds a ${kind}, for which no dtype is given; add it, or others: null`,
      )
    }
    return dtype === null ? part : toDtype(part, dtype, this)
  }
}

/** Images in another dtype, scaled to its range: `ToDtype` with `scale: true`, under its older name. */
export class ConvertImageDtype extends FixedTransform {
  constructor(readonly dtype: DType = 'float32') {
    super()
  }

  transform(part: Tensor): Tensor {
    return isPicture(part) ? toDtype(part, this.dtype, { scale: true }) : part
  }
}

/**
 * Subtracts a vector from each image, flattened, and multiplies it by a matrix: whitening, for example. Clips are
 * transformed frame by frame.
 */
export class LinearTransformation extends FixedTransform {
  /**
   * @param transformationMatrix `[D, D]`, D = C · H · W; the caller keeps it alive
   * @param meanVector `[D]`
   * @throws ShapeError when the two do not fit
   */
  constructor(
    readonly transformationMatrix: Tensor,
    readonly meanVector: Tensor,
  ) {
    super()
    const [rows, columns] = transformationMatrix.shape
    if (transformationMatrix.ndim !== 2 || rows !== columns || String(meanVector.shape) !== String([rows])) {
      throw new ShapeError(
        `LinearTransformation: the matrix is ${show(transformationMatrix.shape)}, the mean ${show(meanVector.shape)}; they must be [D, D] and [D]`,
      )
    }
  }

  transform(part: Tensor): Tensor {
    if (!isPicture(part)) return part
    const { channels, height, width } = pictureSize(part)
    const length = channels * height * width
    if (length !== this.meanVector.size(0)) {
      throw new ShapeError(
        `LinearTransformation: an image of ${channels} × ${height} × ${width} has ${length} values, the matrix ${show(this.transformationMatrix.shape)}`,
      )
    }
    return tidy(() => {
      const centred = toFloat(part).reshape([-1, length]).sub(this.meanVector)
      return wrapLike<Tensor>(centred.mm(this.transformationMatrix.to(centred.dtype)).reshape(part.shape), part)
    })
  }
}

/** Applies a function to images and clips, or to the kinds that are named. */
export class Lambda extends FixedTransform {
  readonly #kinds: readonly Kind[]

  /** @param fn may return a plain tensor; it is then marked as the one that it was given */
  constructor(
    readonly fn: (part: Tensor) => Tensor,
    kinds: readonly Kind[] = ['image', 'video'],
  ) {
    super()
    if (typeof fn !== 'function') throw new ArgumentError(`Lambda: expected a function, got ${show(fn)}`)
    this.#kinds = kinds
  }

  transform(part: Tensor): Tensor {
    if (!this.#kinds.includes(kindOf(part) ?? 'image')) return part
    const output = this.fn(part)
    return output === part || kindOf(output) !== undefined ? output : wrapLike<Tensor>(output, part)
  }
}

/** Takes `numSamples` frames of each clip `[..., T, C, H, W]`, evenly spaced. */
export class UniformTemporalSubsample extends FixedTransform {
  readonly numSamples: number

  constructor(numSamples: number) {
    super()
    this.numSamples = wholeNumber('UniformTemporalSubsample: numSamples', numSamples)
  }

  /** Only clips have frames to choose from; a plain tensor is taken for one. */
  transform(part: Tensor): Tensor {
    const kind = kindOf(part)
    return kind === undefined || kind === 'video' ? uniformTemporalSubsample(part, this.numSamples) : part
  }
}
