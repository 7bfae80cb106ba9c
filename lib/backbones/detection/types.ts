// What all detectors take and give.
import { ArgumentError, DTypeError, ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import type { ImageSize } from '../../vision'

/** What is in an image, for training. */
export interface DetectionTarget {
  /** `[M, 4]` floating point as (x1, y1, x2, y2) in pixels, x1 < x2 and y1 < y2. */
  readonly boxes: Tensor
  /** `[M]` int64; 0 is the background in torchvision's detectors. */
  readonly labels: Tensor
  /** `[M, H, W]` uint8 or bool, for networks with masks. */
  readonly masks?: Tensor
  /** `[M, K, 3]` float32 as (x, y, visible), for networks with keypoints. */
  readonly keypoints?: Tensor
}

/** What a detector found in an image, by descending score. */
export interface Detection {
  /** `[D, 4]` as (x1, y1, x2, y2) in pixels of the image given. */
  readonly boxes: Tensor
  /** `[D]` int64. */
  readonly labels: Tensor
  /** `[D]`. */
  readonly scores: Tensor
  /** `[D, 1, H, W]` probabilities. */
  readonly masks?: Tensor
  /** `[D, K, 3]` as (x, y, 1). */
  readonly keypoints?: Tensor
  /** `[D, K]` logits. */
  readonly keypointsScores?: Tensor
}

/** Losses by torchvision's names in camelCase; a training step goes by their sum. */
export type DetectionLosses = Readonly<Record<string, Tensor>>

/** Images of one size, padded, with the sizes that they have. */
export interface ImageBatch {
  /** `[N, 3, H, W]`. */
  readonly tensors: Tensor
  readonly sizes: readonly ImageSize[]
}

/** The height and width of a tensor `[..., H, W]`. */
export function sizeOf(tensor: Tensor): ImageSize {
  return [tensor.size(-2), tensor.size(-1)]
}

/** @throws ShapeError, DTypeError unless images are `[C, H, W]` of floating point */
export function checkImages(name: string, images: readonly Tensor[]): void {
  if (images.length === 0) throw new ArgumentError(`${name}: there are no images; pass a list of one or more`)
  for (const [i, { shape, dtype }] of images.entries()) {
    if (shape.length !== 3) {
      throw new ShapeError(`${name}: images are a list of [3, H, W], image ${i} is [${shape.join(', ')}]`)
    }
    if (!/^(float|bfloat)/.test(dtype)) {
      throw new DTypeError(`${name}: images are floating point in 0–1, image ${i} is ${dtype}; divide it by 255`)
    }
  }
}

/** @throws ArgumentError, ShapeError, DTypeError naming the first target that cannot be */
export function checkTargets(name: string, images: readonly Tensor[], targets: readonly DetectionTarget[]): void {
  if (targets.length !== images.length) {
    throw new ArgumentError(`${name}: there are targets for ${targets.length} images, but ${images.length} images`)
  }
  for (const [i, { boxes, labels }] of targets.entries()) {
    const { shape, dtype } = boxes
    if (shape.length !== 2 || shape[1] !== 4) {
      throw new ShapeError(`${name}: boxes of a target are [M, 4], those of target ${i} are [${shape.join(', ')}]`)
    }
    if (!/^(float|bfloat)/.test(dtype)) {
      throw new DTypeError(`${name}: boxes of a target are floating point, those of target ${i} are ${dtype}`)
    }
    if (labels.dtype !== 'int64' || labels.ndim !== 1 || labels.size(0) !== shape[0]) {
      throw new ShapeError(
        `${name}: labels of target ${i} are ${labels.dtype} [${labels.shape.join(', ')}]; for its boxes they are int64 [${shape[0]}]`,
      )
    }
    checkExtent(name, i, boxes)
  }
}

function checkExtent(name: string, place: number, boxes: Tensor): void {
  for (const box of boxes.toArray() as number[][]) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box
    if (x2 > x1 && y2 > y1) continue
    throw new ArgumentError(
      `${name}: target ${place} has a box (${box.join(', ')}) without area; leave it out: x1 < x2 and y1 < y2`,
    )
  }
}
