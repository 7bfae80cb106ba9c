import { oneOf } from '../../../nn/options'
import { type Tensor, tensor } from '../../../tensor'
import type { BoundingBoxes, CanvasSize, KeyPoints, Like } from '../kinds'
import { type AffineMap, checkAffine, forwardMatrix, inverseMatrix, mapPoints, type Pair } from './affine-matrix'
import { dispatch, type Moved } from './dispatch'
import type { Fill } from './fill'
import { coefficients, gridDType, pixelPoints, readAtGrid, WARP_INTERPOLATIONS, type WarpInterpolation } from './grid'
import { boxesAround, cornerPoints } from './outline'
import { isFloating, pictureSize } from './pixels'

export interface WarpOptions {
  /** Masks are always read by `'nearest'`. */
  readonly interpolation?: WarpInterpolation
  /** What stands where the image has no pixels; by default zeros, which fade in at the border. */
  readonly fill?: Fill
}

export interface AffineOptions extends WarpOptions {
  /** Degrees, clockwise; default 0. */
  readonly angle?: number
  /** Pixels right and down; default none. */
  readonly translate?: Pair
  /** Default 1. */
  readonly scale?: number
  /** Degrees along x and y; default none. */
  readonly shear?: Pair
  /** What stays in place, (x, y) in pixels from the top left corner; default the middle of the image. */
  readonly center?: Pair | null
}

/**
 * Rotates, scales, shears and moves images, clips, masks, boxes and points. Boxes become the least upright boxes around
 * their mapped corners.
 *
 * @param options interpolation is `'nearest'` unless stated
 * @throws ArgumentError for a scale that is not positive
 */
export function affine<T extends Tensor>(input: T, options: AffineOptions = {}): Like<T> {
  const { angle = 0, translate = [0, 0], scale = 1, shear = [0, 0], center = null } = options
  checkAffine('affine', { angle, translate, scale, shear })
  return warp('affine', input, { angle, translate, scale, shear, center, expand: false }, options)
}

export interface RotateOptions extends WarpOptions {
  /** Enlarges the result so that all of the input is in it; default false. */
  readonly expand?: boolean
  /** What stays in place, (x, y) in pixels from the top left corner; default the middle of the image. */
  readonly center?: Pair | null
}

/**
 * Rotates images, clips, masks, boxes and points counter-clockwise.
 *
 * @param angle degrees
 * @param options interpolation is `'nearest'` unless stated
 */
export function rotate<T extends Tensor>(input: T, angle: number, options: RotateOptions = {}): Like<T> {
  const { expand = false, center = null } = options
  const map = { angle: -angle, translate: [0, 0], scale: 1, shear: [0, 0], center, expand } as const
  checkAffine('rotate', map)
  return warp('rotate', input, map, options)
}

interface Warp extends Omit<AffineMap, 'center'> {
  readonly center: Pair | null
  readonly expand: boolean
}

function warp<T extends Tensor>(name: 'affine' | 'rotate', input: T, map: Warp, options: WarpOptions): Like<T> {
  const { interpolation = 'nearest', fill = null } = options
  oneOf(`${name}: interpolation`, interpolation, WARP_INTERPOLATIONS)
  const pixels = (mode: WarpInterpolation) => (image: Tensor) =>
    (name === 'rotate' ? quarterTurn(image, map) : undefined) ?? warpPixels(image, map, mode, fill)
  return dispatch(name, input, {
    image: pixels(interpolation),
    mask: pixels('nearest'),
    boxes: (boxes) => warpBoxes(boxes, map),
    points: (points) => warpPoints(points, map),
  })
}

/** Rotations that only move pixels: by half a turn, and by a quarter where the sides allow it. */
function quarterTurn(image: Tensor, { angle, center, expand }: Warp): Tensor | undefined {
  if (center !== null) return undefined
  const turn = ((-angle % 360) + 360) % 360
  const { height, width } = pictureSize(image)
  if (turn === 0) return image.clone()
  const exact = turn === 180 || ((turn === 90 || turn === 270) && (expand || height === width))
  return exact ? image.rot90({ k: turn / 90, dims: [-2, -1] }) : undefined
}

function warpPixels(image: Tensor, map: Warp, mode: WarpInterpolation, fill: Fill): Tensor {
  const { height, width } = pictureSize(image)
  // Places count from the middle of the image.
  const center: Pair = map.center === null ? [0, 0] : [map.center[0] - width * 0.5, map.center[1] - height * 0.5]
  const matrix = inverseMatrix({ ...map, center })
  const [outHeight, outWidth] = map.expand ? expandedSize(matrix, [height, width]) : [height, width]
  const dtype = gridDType(image)
  const points = pixelPoints(outHeight, outWidth, (1 - outWidth) / 2, (1 - outHeight) / 2, dtype, image)
  const rows = [matrix.slice(0, 3), matrix.slice(3)]
  const grid = points.bmm(coefficients(rows, [0.5 * width, 0.5 * height], dtype, image))
  return readAtGrid(image, grid.reshape([1, outHeight, outWidth, 2]), mode, fill)
}

/** Height and width of the least upright rectangle around the rotated image. */
function expandedSize(matrix: readonly number[], [height, width]: CanvasSize): CanvasSize {
  const [x, y] = [0.5 * width, 0.5 * height]
  const corners = tensor([
    [-x, -y, 1],
    [-x, y, 1],
    [x, y, 1],
    [x, -y, 1],
  ])
  const turned = corners.matmul(tensor(matrix, { dtype: 'float32' }).reshape([2, 3]).t())
  const half = tensor([x, y])
  const [least, most] = turned.aminmax({ dim: 0 })
  // Cut to 1e-4, so that a rounding error does not add a row.
  const cut = (corner: Tensor) =>
    corner
      .add_(half)
      .mul_(1 / 1e-4)
      .trunc_()
      .mul_(1e-4)
  const size = cut(most).ceil_().sub_(cut(least).floor_()).dataSync()
  return [Number(size[1]), Number(size[0])]
}

function forward(map: Warp, [height, width]: CanvasSize): ReturnType<typeof forwardMatrix> {
  return forwardMatrix({ ...map, center: map.center ?? [width * 0.5, height * 0.5] })
}

/** The canvas that a warp gives, and what brings mapped points to its top left corner. */
function frame(map: Warp, canvas: CanvasSize, like: Tensor): { canvasSize: CanvasSize; origin: Tensor | undefined } {
  if (!map.expand) return { canvasSize: canvas, origin: undefined }
  const [height, width] = canvas
  const corners = [0, 0, 0, height, width, height, width, 0]
  const points = tensor(corners, { dtype: like.dtype, device: like.device }).reshape([4, 2])
  const origin = mapPoints(points, forward(map, canvas)).amin({ dim: 0, keepdim: true })
  const matrix = inverseMatrix({ ...map, center: map.center ?? [width * 0.5, height * 0.5] })
  return { canvasSize: expandedSize(matrix, canvas), origin }
}

function warpCoordinates(points: Tensor, map: Warp, canvas: CanvasSize): { moved: Tensor; canvasSize: CanvasSize } {
  const mapped = mapPoints(points, forward(map, canvas))
  const { canvasSize, origin } = frame(map, canvas, points)
  return { moved: origin === undefined ? mapped : mapped.sub_(origin), canvasSize }
}

function warpBoxes(boxes: BoundingBoxes, map: Warp): Moved {
  const { moved, canvasSize } = warpCoordinates(cornerPoints(boxes), map, boxes.canvasSize)
  return { tensor: boxes.numel === 0 ? boxes.clone() : boxesAround(moved, boxes, canvasSize), canvasSize }
}

function warpPoints(points: KeyPoints, map: Warp): Moved {
  const places = (isFloating(points.dtype) ? points : points.to('float32')).reshape([-1, 2])
  const { moved, canvasSize } = warpCoordinates(places, map, points.canvasSize)
  return { tensor: moved.reshape(points.shape).to(points.dtype), canvasSize }
}
