import { ShapeError } from '../../../native/errors'
import { oneOf } from '../../../nn/options'
import { type DType, linspace, stack, type Tensor, tensor } from '../../../tensor'
import type { BoundingBoxes, CanvasSize, KeyPoints, Like } from '../kinds'
import type { WarpOptions } from './affine'
import { dispatch, type Moved } from './dispatch'
import type { Fill } from './fill'
import { gridDType, readAtGrid, WARP_INTERPOLATIONS, type WarpInterpolation } from './grid'
import { boxesAround, cornerPoints } from './outline'
import { isFloating } from './pixels'
import { canvasOf } from './resize'

/**
 * Displaces every pixel by its own vector (Simard et al., ICDAR 2003). Boxes and points move against the displacement
 * where they lie, which is near to the exact inverse while displacements are smooth.
 *
 * @param displacement `[1, H, W, 2]` of (x, y): where a pixel is read beside its own place, 2 being the whole width or
 *   height
 * @param options interpolation is `'bilinear'` unless stated
 * @throws ShapeError when the displacement is not of the image's size
 */
export function elastic<T extends Tensor>(input: T, displacement: Tensor, options: WarpOptions = {}): Like<T> {
  const { interpolation = 'bilinear', fill = null } = options
  oneOf('elastic: interpolation', interpolation, WARP_INTERPOLATIONS)
  return dispatch('elastic', input, {
    image: (image) => warpPixels(image, displacement, interpolation, fill),
    mask: (mask) => warpPixels(mask, displacement, 'nearest', fill),
    boxes: (boxes) => warpBoxes(boxes, displacement),
    points: (points) => warpPoints(points, displacement),
  })
}

function warpPixels(image: Tensor, displacement: Tensor, mode: WarpInterpolation, fill: Fill): Tensor {
  const dtype = gridDType(image)
  const canvas = canvasOf(image)
  checkDisplacement(displacement, canvas)
  const moved = displacement.to({ dtype, device: image.device })
  return readAtGrid(image, identityGrid(canvas, dtype, image).add_(moved), mode, fill)
}

function checkDisplacement(displacement: Tensor, [height, width]: CanvasSize): void {
  const { shape } = displacement
  if (String(shape) === String([1, height, width, 2])) return
  throw new ShapeError(
    `elastic: the displacement has shape [${shape.join(', ')}]; for an image of ${height} × ${width} it must be [1, ${height}, ${width}, 2]`,
  )
}

/** The grid that reads each pixel at its own place, `[1, H, W, 2]`. */
function identityGrid([height, width]: CanvasSize, dtype: DType, like: Tensor): Tensor {
  const options = { dtype, device: like.device } as const
  const places = (count: number) => linspace((1 - count) / count, (count - 1) / count, count, options)
  const x = places(width).expand([height, width])
  const y = places(height).unsqueeze(-1).expand([height, width])
  return stack([x, y], { dim: -1 }).unsqueeze(0)
}

/** Points `[N, 2]` moved by the vectors of the pixels `[N, 2]` (int64). */
function moveAgainst(displacement: Tensor, pixels: Tensor, canvas: CanvasSize, dtype: DType): Tensor {
  checkDisplacement(displacement, canvas)
  const [height, width] = canvas
  const vectors = displacement.to({ dtype, device: pixels.device })
  const places = identityGrid(canvas, dtype, vectors).sub_(vectors)
  const x = pixels.select(1, 0).clamp({ min: 0, max: width - 1 })
  const y = pixels.select(1, 1).clamp({ min: 0, max: height - 1 })
  const scale = tensor([width, height], { dtype, device: pixels.device }).mul(0.5)
  return places.at(0, y, x).add_(1).mul_(scale).sub_(0.5)
}

function warpBoxes(boxes: BoundingBoxes, displacement: Tensor): Moved {
  if (boxes.numel === 0) return { tensor: boxes }
  const corners = cornerPoints(boxes)
  const moved = moveAgainst(displacement, corners.ceil().to('int64'), boxes.canvasSize, corners.dtype)
  return { tensor: boxesAround(moved, boxes, boxes.canvasSize) }
}

function warpPoints(points: KeyPoints, displacement: Tensor): Moved {
  if (points.numel === 0) return { tensor: points }
  const dtype = isFloating(points.dtype) ? points.dtype : 'float32'
  const moved = moveAgainst(displacement, points.reshape([-1, 2]).to('int64'), points.canvasSize, dtype)
  return { tensor: moved.reshape(points.shape).to(points.dtype) }
}
