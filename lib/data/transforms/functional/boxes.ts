import { oneOf } from '../../../nn/options'
import { stack, type Tensor, tidy } from '../../../tensor'
import { BOX_FORMATS, type BoundingBoxes, type BoxFormat, boundingBoxes, type CanvasSize } from '../kinds'
import { isFloating } from './pixels'

/** Corners of boxes, each `[N]`. */
export type Corners = readonly [x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor]

/** The columns of `[N, 4]`. */
export function columns(boxes: Tensor): Corners {
  return [boxes.select(1, 0), boxes.select(1, 1), boxes.select(1, 2), boxes.select(1, 3)]
}

export function fromColumns(parts: readonly Tensor[]): Tensor {
  return stack(parts, { dim: 1 })
}

/** Coordinates `[N, 4]` of one format in another. */
export function convertFormat(boxes: Tensor, from: BoxFormat, to: BoxFormat): Tensor {
  return from === to ? boxes : fromCorners(toCorners(boxes, from), to)
}

function toCorners(boxes: Tensor, from: BoxFormat): Corners {
  if (from === 'xyxy') return columns(boxes)
  if (from === 'xywh') {
    const [x, y, w, h] = columns(boxes)
    return [x, y, w.add(x), h.add(y)]
  }
  // Whole-numbered boxes are halved in floating point and then cut off, as torchvision does.
  const { dtype } = boxes
  const [cx, cy, w, h] = columns(isFloating(dtype) ? boxes : boxes.to('float32'))
  const [x, y] = [cx.sub(w.div(2)), cy.sub(h.div(2))]
  return [x.to(dtype), y.to(dtype), w.add(x).to(dtype), h.add(y).to(dtype)]
}

function fromCorners([x1, y1, x2, y2]: Corners, to: BoxFormat): Tensor {
  if (to === 'xyxy') return fromColumns([x1, y1, x2, y2])
  const [w, h] = [x2.sub(x1), y2.sub(y1)]
  if (to === 'xywh') return fromColumns([x1, y1, w, h])
  const roundingMode = isFloating(x1.dtype) ? null : 'floor'
  const centre = (start: Tensor, length: Tensor) => start.mul(2).add(length).div(2, { roundingMode })
  return fromColumns([centre(x1, w), centre(y1, h), w, h])
}

/** Coordinates `[N, 4]` of a format, brought back to the canvas. */
export function clampCoordinates(boxes: Tensor, format: BoxFormat, [height, width]: CanvasSize): Tensor {
  const { dtype } = boxes
  const [x1, y1, x2, y2] = toCorners(isFloating(dtype) ? boxes : boxes.to('float32'), format)
  const across = (x: Tensor) => x.clamp({ min: 0, max: width })
  const down = (y: Tensor) => y.clamp({ min: 0, max: height })
  return fromCorners([across(x1), down(y1), across(x2), down(y2)], format).to(dtype)
}

/** Boxes in another format. Whole-numbered centres are rounded down. */
export function convertBoundingBoxFormat(boxes: BoundingBoxes, format: BoxFormat): BoundingBoxes {
  oneOf('convertBoundingBoxFormat: format', format, BOX_FORMATS)
  if (boxes.format === format) return boxes
  return tidy(() => {
    const { canvasSize } = boxes
    return boundingBoxes(convertFormat(boxes, boxes.format, format), { format, canvasSize })
  })
}

/** Boxes cut off at the edges of their canvas. */
export function clampBoundingBoxes(boxes: BoundingBoxes): BoundingBoxes {
  return tidy(() => boundingBoxes(clampCoordinates(boxes, boxes.format, boxes.canvasSize), boxes))
}

export interface SanitizeOptions {
  /** Least width and height in pixels; default 1. */
  readonly minSize?: number
  /** Least area in pixels; default 1. */
  readonly minArea?: number
}

/**
 * Which boxes are of use: large enough and inside the canvas.
 *
 * @returns bool `[N]`
 */
export function validBoundingBoxes(
  boxes: BoundingBoxes,
  { minSize = 1, minArea = 1 }: SanitizeOptions = {},
): Tensor<'bool'> {
  return tidy(() => {
    const [height, width] = boxes.canvasSize
    const [x1, y1, x2, y2] = toCorners(boxes, boxes.format)
    const [w, h] = [x2.sub(x1), y2.sub(y1)]
    const tests = [
      ...[w, h].map((side) => side.ge(minSize)),
      w.mul(h).ge(minArea),
      ...[x1, y1, x2, y2].map((side) => side.ge(0)),
      ...[x1, x2].map((x) => x.le(width)),
      ...[y1, y2].map((y) => y.le(height)),
    ]
    return stack(tests).all(0).to('bool')
  })
}

/** Leaves out boxes that are too small or reach beyond the canvas. `valid` (bool `[N]`) picks what belongs to the rest. */
export function sanitizeBoundingBoxes(
  boxes: BoundingBoxes,
  options: SanitizeOptions = {},
): { readonly boxes: BoundingBoxes; readonly valid: Tensor<'bool'> } {
  return tidy(() => {
    const valid = validBoundingBoxes(boxes, options)
    return { boxes: boundingBoxes(boxes.at(valid), boxes), valid }
  })
}
