import { ArgumentError, ShapeError } from '../../native/errors'
import { show, wholeNumber, withDefaults } from '../../nn/options'
import { type Generator, oneHot, type Tensor, tidy } from '../../tensor'
import { sampleGenerator } from '../sample-context'
import { beta, wholeNumberBetween } from './draw'
import { isFloating, toFloat } from './functional/pixels'
import { kindOf, wrapLike } from './kinds'
import { findLabels, type LabelsGetter, requireLabels } from './labels'
import { commonSize, isPicture, mapTensors, partsOf, type Transformed } from './sample'
import type { SampleTransform, TransformOptions } from './transform'

export interface MixOptions {
  /** Of the distribution Beta(alpha, alpha) of the share; default 1. */
  readonly alpha?: number
  /** Needed where labels are class numbers. */
  readonly numClasses?: number | null
  /** Finds the labels; by default the second item of a list, or `labels` of an object. */
  readonly labelsGetter?: LabelsGetter
}

/** A mixture of each sample of a batch with its neighbour, and of their labels. */
abstract class BatchMix<Params> implements SampleTransform {
  readonly alpha: number
  readonly numClasses: number | null
  readonly #labelsGetter: LabelsGetter

  constructor(options: MixOptions = {}) {
    const { name } = new.target
    const defaults: Required<MixOptions> = { alpha: 1, numClasses: null, labelsGetter: findLabels }
    const { alpha, numClasses, labelsGetter } = withDefaults<Required<MixOptions>>(name, defaults, options)
    if (!(alpha > 0 && Number.isFinite(alpha)))
      throw new ArgumentError(`${name}: alpha is ${alpha}; it must be above 0`)
    this.alpha = alpha
    this.numClasses = numClasses === null ? null : wholeNumber(`${name}: numClasses`, numClasses)
    this.#labelsGetter = labelsGetter
  }

  /**
   * The batch mixed. Images are `[N, C, H, W]`, clips `[N, T, C, H, W]`; labels `[N]` become `[N, numClasses]`.
   *
   * @throws ArgumentError for samples without labels, or with masks, boxes or points
   * @throws ShapeError for labels that do not fit the images
   */
  forward<T>(sample: T, options: TransformOptions = {}): Transformed<T> {
    // What `Transformed` says of T, `mixed` does to the value.
    return tidy(() => this.#mixed(sample, options.generator ?? sampleGenerator())) as Transformed<T>
  }

  /** Draws what a batch is mixed by. */
  abstract makeParams(parts: readonly Tensor[], generator: Generator | undefined): Params

  /** Images or clips, mixed. */
  abstract transform(part: Tensor, params: Params): Tensor

  /** The share of each sample's own label. */
  protected abstract share(params: Params): number

  #mixed(sample: unknown, generator: Generator | undefined): unknown {
    const labels = this.#checkedLabels(requireLabels(this.constructor.name, sample, this.#labelsGetter))
    // Labels may come before the images and would then be the first plain tensor.
    const images = partsOf(mapTensors(sample, (tensor) => (tensor === labels ? undefined : tensor))).tensors
    for (const image of images) this.#checkImage(image, labels.size(0))
    if (images.length === 0)
      throw new ArgumentError(`${this.constructor.name}: the sample holds no images beside its labels`)
    const params = this.makeParams(images, generator)
    return mapTensors(sample, (tensor) => {
      if (tensor === labels) return this.#mixLabels(labels, this.share(params))
      return images.includes(tensor) ? wrapLike<Tensor>(this.transform(tensor, params), tensor) : tensor
    })
  }

  #checkedLabels(labels: Tensor): Tensor {
    const { name } = this.constructor
    const { shape, dtype } = labels
    if (shape.length !== 1 && shape.length !== 2) {
      throw new ShapeError(
        `${name}: labels have shape ${show(shape)}; they must be class numbers [N] or shares [N, classes]`,
      )
    }
    if (shape.length === 1 && this.numClasses === null) {
      throw new ArgumentError(
        `${name}: labels are class numbers; the option numClasses says how many classes there are`,
      )
    }
    if (shape.length === 1 && (isFloating(dtype) || dtype === 'bool')) {
      throw new ArgumentError(`${name}: labels are ${dtype}; class numbers must be integers, shares [N, classes]`)
    }
    if (shape.length === 2 && this.numClasses !== null && shape[1] !== this.numClasses) {
      throw new ShapeError(`${name}: labels have shape ${show(shape)}, numClasses is ${this.numClasses}; leave it out`)
    }
    return labels
  }

  #checkImage(image: Tensor, count: number): void {
    const { name } = this.constructor
    if (!isPicture(image)) {
      throw new ArgumentError(`${name}: the sample holds a ${kindOf(image)}, which cannot be mixed; take it out before`)
    }
    const [layout, rank] = kindOf(image) === 'video' ? ['[N, T, C, H, W]', 5] : ['[N, C, H, W]', 4]
    if (image.ndim !== rank) {
      throw new ShapeError(
        `${name}: images have shape ${show(image.shape)}; a batch is ${layout}, mixed after collating`,
      )
    }
    if (image.size(0) !== count) {
      throw new ShapeError(`${name}: ${image.size(0)} images with ${count} labels; give a label to each`)
    }
  }

  #mixLabels(labels: Tensor, share: number): Tensor {
    const shares =
      labels.ndim === 1
        ? oneHot(labels.to('int64'), { numClasses: this.numClasses ?? -1 }).to('float32')
        : toFloat(labels)
    return mixNeighbours(shares, share)
  }
}

/** A share of each item of a batch, and the rest of the item before it. */
function mixNeighbours(batch: Tensor, share: number): Tensor {
  return batch
    .roll(1, { dims: 0 })
    .mul_(1 - share)
    .add_(batch.mul(share))
}

/** Blends images and labels of neighbours in a batch (mixup, Zhang et al., ICLR 2018). Shuffle the batch before. */
export class MixUp extends BatchMix<number> {
  /** The share of each sample itself. */
  makeParams(_parts: readonly Tensor[], generator: Generator | undefined): number {
    return beta(this.alpha, generator)
  }

  /** Integer images become float32. */
  transform(part: Tensor, share: number): Tensor {
    return mixNeighbours(toFloat(part), share)
  }

  protected share(share: number): number {
    return share
  }
}

export interface CutMixParams {
  /** Where the neighbour's pixels are put. */
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  /** Part of the image's area that stays its own. */
  readonly share: number
}

/** Puts a rectangle of its neighbour into each image of a batch (CutMix, Yun et al., ICCV 2019). Shuffle the batch before. */
export class CutMix extends BatchMix<CutMixParams> {
  makeParams(parts: readonly Tensor[], generator: Generator | undefined): CutMixParams {
    const drawn = beta(this.alpha, generator)
    const [height, width] = commonSize('CutMix', parts)
    const x = wholeNumberBetween(0, width, generator)
    const y = wholeNumberBetween(0, height, generator)
    const part = 0.5 * Math.sqrt(1 - drawn)
    const [across, down] = [Math.trunc(part * width), Math.trunc(part * height)]
    const [left, right] = [Math.max(x - across, 0), Math.min(x + across, width)]
    const [top, bottom] = [Math.max(y - down, 0), Math.min(y + down, height)]
    // What was cut off at the border is not the neighbour's.
    return { left, top, right, bottom, share: 1 - ((right - left) * (bottom - top)) / (width * height) }
  }

  transform(part: Tensor, { left, top, right, bottom }: CutMixParams): Tensor {
    const output = part.clone()
    const window = (image: Tensor) => image.narrow(-2, top, bottom - top).narrow(-1, left, right - left)
    window(output).copy_(window(part.roll(1, { dims: 0 })))
    return output
  }

  protected share({ share }: CutMixParams): number {
    return share
  }
}
