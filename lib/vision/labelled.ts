import { ShapeError } from '../native/errors'
import { type Tensor, tensor, tidy } from '../tensor'
import { clipBoxesToImage } from './boxes'

/** A picture with boxes, as detectors are trained on it. */
export interface LabelledImage {
  /** `[C, H, W]`, floating point from 0 to 1. */
  readonly image: Tensor
  /** Corners (x1, y1, x2, y2) in pixels of the image, `[N, 4]`. */
  readonly boxes: Tensor
  /** `[N]`. */
  readonly labels: Tensor
}

/** @throws ShapeError unless image, boxes and labels go together */
export function checkLabelled(caller: string, { image, boxes, labels }: LabelledImage): void {
  if (image.ndim === 3 && boxes.ndim === 2 && boxes.size(1) === 4 && String(labels.shape) === String([boxes.size(0)])) {
    return
  }
  throw new ShapeError(
    `${caller}: image [${image.shape}], boxes [${boxes.shape}], labels [${labels.shape}]; they are [C, H, W], [N, 4] and [N]`,
  )
}

/** Height and width. */
export function sizeOfImage({ image }: LabelledImage): readonly [height: number, width: number] {
  return [image.size(1), image.size(2)]
}

/** Boxes moved by pixels. */
export function movedBoxes(boxes: Tensor, x: number, y: number): Tensor {
  return boxes.add(tensor([x, y, x, y], { dtype: boxes.dtype, device: boxes.device }))
}

/** A rectangle of a picture, in pixels. */
export interface CropWindow {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/**
 * Boxes as they are seen in a window, and which of them are still of use.
 *
 * @param boxes `[N, 4]`
 * @returns `boxes` `[N, 4]` from the window's corner, cut off at its edges; `kept` `[N]`
 */
export function cropBoxes(
  boxes: Tensor,
  { top, left, height, width }: CropWindow,
  rules: BoxCandidateOptions = {},
): { boxes: Tensor; kept: Tensor<'bool'> } {
  return tidy(() => {
    const seen = clipBoxesToImage(movedBoxes(boxes, -left, -top), [height, width])
    return { boxes: seen, kept: boxCandidates(boxes, seen, rules) }
  })
}

/** A window of a picture, with the boxes that are still of use. */
export function cropLabelled(
  picture: LabelledImage,
  window: CropWindow,
  rules: BoxCandidateOptions = {},
): LabelledImage {
  checkLabelled('cropLabelled', picture)
  return tidy(() => {
    const { boxes, kept } = cropBoxes(picture.boxes, window, rules)
    const image = picture.image.narrow(1, window.top, window.height).narrow(2, window.left, window.width)
    return { image, boxes: boxes.at(kept), labels: picture.labels.at(kept) }
  })
}

export interface BoxCandidateOptions {
  /** Least width and height in pixels, which must be exceeded; default 2. */
  readonly minSize?: number
  /** Least part of the area that is left, which must be exceeded; default 0.1. */
  readonly minArea?: number
  /** Sides that differ by this factor or more are too long; default 100. */
  readonly maxAspect?: number
}

/**
 * Which boxes are still of use after a change, by the rules of YOLOv5.
 *
 * @param before `[N, 4]`, scaled as the picture was
 * @param after `[N, 4]`, cut off at the picture
 * @returns bool `[N]`
 */
export function boxCandidates(before: Tensor, after: Tensor, options: BoxCandidateOptions = {}): Tensor<'bool'> {
  const { minSize = 2, minArea = 0.1, maxAspect = 100 } = options
  return tidy(() => {
    const sides = (boxes: Tensor, axis: number) => boxes.select(1, axis + 2).sub(boxes.select(1, axis))
    const [w1, h1, w2, h2] = [sides(before, 0), sides(before, 1), sides(after, 0), sides(after, 1)]
    const tiny = 1e-16
    const aspect = w2.div(h2.add(tiny)).maximum(h2.div(w2.add(tiny)))
    const left = w2.mul(h2).div(w1.mul(h1).add(tiny))
    return w2
      .gt(minSize)
      .logicalAnd(h2.gt(minSize))
      .logicalAnd(left.gt(minArea))
      .logicalAnd(aspect.lt(maxAspect)) as Tensor<'bool'>
  })
}
