import { stack, type Tensor, tidy } from '../../../tensor'
import { type CanvasSize, type KeyPoints, keyPoints } from '../kinds'

/** x and y of points, each `[...]`. */
export function coordinates(points: Tensor): readonly [x: Tensor, y: Tensor] {
  return [points.select(-1, 0), points.select(-1, 1)]
}

export function fromCoordinates(x: Tensor, y: Tensor): Tensor {
  return stack([x, y], { dim: -1 })
}

/** Points brought back to the pixels of their canvas. */
export function clampKeyPoints(points: KeyPoints): KeyPoints {
  return tidy(() => keyPoints(clampPoints(points, points.canvasSize), points))
}

function clampPoints(points: Tensor, [height, width]: CanvasSize): Tensor {
  const [x, y] = coordinates(points)
  return fromCoordinates(x.clamp({ min: 0, max: width - 1 }), y.clamp({ min: 0, max: height - 1 }))
}
