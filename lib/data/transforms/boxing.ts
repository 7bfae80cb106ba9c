import { ArgumentError, ShapeError } from '../../native/errors'
import { oneOf, show, withDefaults } from '../../nn/options'
import { type Tensor, tidy } from '../../tensor'
import { clampBoundingBoxes, convertBoundingBoxFormat, validBoundingBoxes } from './functional/boxes'
import { clampKeyPoints } from './functional/key-points'
import { BOX_FORMATS, type BoxFormat, isBoundingBoxes, isKeyPoints, isMask, wrapLike } from './kinds'
import { findLabels, type LabelsGetter } from './labels'
import { mapTensors, partsOf, type Transformed } from './sample'
import { FixedTransform, type SampleTransform } from './transform'

/** Boxes in another format. */
export class ConvertBoundingBoxFormat extends FixedTransform {
  constructor(readonly format: BoxFormat) {
    super()
    oneOf('ConvertBoundingBoxFormat: format', format, BOX_FORMATS)
  }

  transform(part: Tensor): Tensor {
    return isBoundingBoxes(part) ? convertBoundingBoxFormat(part, this.format) : part
  }
}

/** Boxes cut off at the edges of their canvas. */
export class ClampBoundingBoxes extends FixedTransform {
  transform(part: Tensor): Tensor {
    return isBoundingBoxes(part) ? clampBoundingBoxes(part) : part
  }
}

/** Points brought back to the pixels of their canvas. */
export class ClampKeyPoints extends FixedTransform {
  transform(part: Tensor): Tensor {
    return isKeyPoints(part) ? clampKeyPoints(part) : part
  }
}

export interface SanitizeBoundingBoxesOptions {
  /** Least width and height in pixels, 1 or more; default 1. */
  readonly minSize?: number
  /** Least area in pixels, 1 or more; default 1. */
  readonly minArea?: number
  /** Finds the labels, which are taken out with their boxes; null where there are none. */
  readonly labelsGetter?: LabelsGetter | null
}

/**
 * Takes out boxes that are too small or reach beyond the canvas, with their labels `[N]` and their masks `[N, H, W]`.
 * It comes last in a pipeline.
 */
export class SanitizeBoundingBoxes implements SampleTransform {
  readonly minSize: number
  readonly minArea: number
  readonly #labelsGetter: LabelsGetter | null

  constructor(options: SanitizeBoundingBoxesOptions = {}) {
    const defaults: Required<SanitizeBoundingBoxesOptions> = { minSize: 1, minArea: 1, labelsGetter: findLabels }
    const all = withDefaults<Required<SanitizeBoundingBoxesOptions>>('SanitizeBoundingBoxes', defaults, options)
    for (const name of ['minSize', 'minArea'] as const) {
      if (!(all[name] >= 1))
        throw new ArgumentError(`SanitizeBoundingBoxes: ${name} is ${all[name]}; it must be 1 or more`)
    }
    this.minSize = all.minSize
    this.minArea = all.minArea
    this.#labelsGetter = all.labelsGetter
  }

  /**
   * @throws ArgumentError for samples without boxes or with more than one set of them
   * @throws ShapeError when there is not a label for each box
   */
  forward<T>(sample: T): Transformed<T> {
    // What `Transformed` says of T, `sanitized` does to the value.
    return tidy(() => this.#sanitized(sample)) as Transformed<T>
  }

  #sanitized(sample: unknown): unknown {
    const [boxes, another] = partsOf(sample).tensors.filter(isBoundingBoxes)
    if (boxes === undefined || another !== undefined) {
      throw new ArgumentError('SanitizeBoundingBoxes: the sample must hold boundingBoxes(), and one of them')
    }
    const labels = this.#labelsGetter?.(sample)
    const count = boxes.size(0)
    if (labels !== undefined && labels.shape[0] !== count) {
      throw new ShapeError(
        `SanitizeBoundingBoxes: ${count} boxes with labels of shape ${show(labels.shape)}; there must be one for each, or labelsGetter: null`,
      )
    }
    const valid = validBoundingBoxes(boxes, this)
    // A mask for each box goes with it; one mask of the whole image stays.
    const belongs = (part: Tensor) => isMask(part) && part.ndim > 2 && part.size(0) === count
    return mapTensors(sample, (part) =>
      part === boxes || part === labels || belongs(part) ? wrapLike<Tensor>(part.at(valid), part) : part,
    )
  }
}
