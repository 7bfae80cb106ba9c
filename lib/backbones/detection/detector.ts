import { ArgumentError } from '../../native/errors'
import { Module } from '../../nn'
import type { Tensor } from '../../tensor'
import type { DetectionTransform } from './transform'
import {
  checkImages,
  checkTargets,
  type Detection,
  type DetectionLosses,
  type DetectionTarget,
  type ImageBatch,
  sizeOf,
} from './types'

/** What all detectors do around their own part: images of any size in, detections in their pixels out. */
export abstract class Detector extends Module {
  /** Names, in order, of what a detection's numbers mean are the data set's; 91 is COCO's with its gaps. */
  constructor(
    readonly transform: DetectionTransform,
    readonly numClasses: number,
  ) {
    super()
    if (!Number.isInteger(numClasses) || numClasses < 2) {
      throw new ArgumentError(
        `${new.target.name}: numClasses is ${numClasses}; it is 2 or more, the background included`,
      )
    }
  }

  /** In evaluation: what is in each image. */
  forward(images: readonly Tensor[]): Detection[]
  /** In training: the losses. */
  forward(images: readonly Tensor[], targets: readonly DetectionTarget[]): DetectionLosses
  /**
   * @param images `[3, H, W]` each, of any sizes, floating point in 0–1
   * @throws ArgumentError in training without targets and in evaluation with them; ShapeError, DTypeError for images and
   *   targets that do not fit
   */
  forward(images: readonly Tensor[], targets?: readonly DetectionTarget[]): Detection[] | DetectionLosses {
    const { name } = this.constructor
    checkImages(name, images)
    if (this.training !== (targets !== undefined)) {
      throw new ArgumentError(
        this.training
          ? `${name}: in training it needs targets; pass them, or call eval() first`
          : `${name}: in evaluation it takes no targets; leave them out, or call train() first`,
      )
    }
    if (targets) checkTargets(name, images, targets)
    const { batch, targets: resized } = this.transform.apply(images, targets, this.training)
    if (resized) return this.lossesOf(batch, resized)
    return this.transform.restore(this.detectionsOf(batch), batch.sizes, images.map(sizeOf))
  }

  protected abstract lossesOf(batch: ImageBatch, targets: readonly DetectionTarget[]): DetectionLosses
  /** In pixels of the batch. */
  protected abstract detectionsOf(batch: ImageBatch): Detection[]
}
