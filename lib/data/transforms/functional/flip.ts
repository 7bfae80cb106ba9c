import type { Tensor } from '../../../tensor'
import type { BoundingBoxes, KeyPoints, Like } from '../kinds'
import { columns, fromColumns } from './boxes'
import { dispatch, type Moved } from './dispatch'
import { coordinates, fromCoordinates } from './key-points'

/** Mirrors left and right. Points mirror at pixel centres, boxes at pixel edges. */
export function horizontalFlip<T extends Tensor>(input: T): Like<T> {
  return dispatch('horizontalFlip', input, {
    image: (image) => image.flip([-1]),
    mask: (mask) => mask.flip([-1]),
    boxes: (boxes) => flipBoxes(boxes, 0),
    points: (points) => flipPoints(points, 0),
  })
}

/** Mirrors top and bottom. */
export function verticalFlip<T extends Tensor>(input: T): Like<T> {
  return dispatch('verticalFlip', input, {
    image: (image) => image.flip([-2]),
    mask: (mask) => mask.flip([-2]),
    boxes: (boxes) => flipBoxes(boxes, 1),
    points: (points) => flipPoints(points, 1),
  })
}

/** Mirrors x (axis 0) or y (axis 1). */
function flipBoxes(boxes: BoundingBoxes, axis: 0 | 1): Moved {
  const length = boxes.canvasSize[axis === 0 ? 1 : 0]
  const mirror = (place: Tensor) => place.sub(length).neg()
  const parts = [...columns(boxes)]
  const [start, end] = [boxes.select(1, axis), boxes.select(1, axis + 2)]
  if (boxes.format === 'xyxy') {
    parts[axis] = mirror(end)
    parts[axis + 2] = mirror(start)
  } else {
    parts[axis] = mirror(boxes.format === 'xywh' ? start.add(end) : start)
  }
  return { tensor: fromColumns(parts) }
}

function flipPoints(points: KeyPoints, axis: 0 | 1): Moved {
  const last = points.canvasSize[axis === 0 ? 1 : 0] - 1
  const [x, y] = coordinates(points)
  const mirror = (place: Tensor) => place.sub(last).neg()
  return { tensor: axis === 0 ? fromCoordinates(mirror(x), y) : fromCoordinates(x, mirror(y)) }
}
