import { cat, stack, type Tensor } from '../../../tensor'
import type { BoundingBoxes, CanvasSize } from '../kinds'
import { clampCoordinates, columns, convertFormat } from './boxes'
import { isFloating } from './pixels'

/** The four corners of boxes `[N, 4]` of any format, as points `[4 N, 2]` in floating point. */
export function cornerPoints(boxes: BoundingBoxes): Tensor {
  const coordinates = isFloating(boxes.dtype) ? boxes : boxes.to('float32')
  const [x1, y1, x2, y2] = columns(convertFormat(coordinates, boxes.format, 'xyxy'))
  return stack([x1, y1, x2, y1, x2, y2, x1, y2], { dim: 1 }).reshape([-1, 2])
}

/** The least boxes around four points each, clamped to the canvas, in format and dtype of the boxes they were. */
export function boxesAround(points: Tensor, boxes: BoundingBoxes, canvas: CanvasSize): Tensor {
  const [least, most] = points.reshape([-1, 4, 2]).aminmax({ dim: 1 })
  const clamped = clampCoordinates(cat([least, most], { dim: 1 }), 'xyxy', canvas)
  return convertFormat(clamped, 'xyxy', boxes.format).to(boxes.dtype)
}
