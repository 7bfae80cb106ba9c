import { ArgumentError } from '../../../native/errors'
import { interpolate } from '../../../nn/functional/vision'
import { oneOf, wholeNumber } from '../../../nn/options'
import { cpuCapability, type Tensor, tensor } from '../../../tensor'
import { describe } from '../../../tensor/call'
import type { BoundingBoxes, CanvasSize, KeyPoints, Like } from '../kinds'
import { dispatch, type Moved } from './dispatch'
import { asBatch, isFloating, pictureSize } from './pixels'

/** How values between pixels are read. */
export type ResizeInterpolation = 'nearest' | 'nearest-exact' | 'bilinear' | 'bicubic'

export const RESIZE_INTERPOLATIONS: readonly ResizeInterpolation[] = ['nearest', 'nearest-exact', 'bilinear', 'bicubic']

/** Height and width; or one number, to which the shorter side is brought while the longer keeps its proportion. */
export type ResizeSize = number | readonly [size: number] | readonly [height: number, width: number] | null

export interface ResizeOptions {
  /** Default `'bilinear'`. Masks are always read by `'nearest'`. */
  readonly interpolation?: ResizeInterpolation
  /** Most that the longer side may become, where `size` is one number; the longer side itself where `size` is null. */
  readonly maxSize?: number | null
  /** Averages when shrinking; for bilinear and bicubic; default true. */
  readonly antialias?: boolean
}

/**
 * Resizes images, clips and masks; boxes and points are scaled with them. Whole-numbered boxes and points are cut off
 * to whole numbers.
 *
 * @throws ArgumentError for a size below 1, or a `maxSize` that contradicts it
 */
export function resize<T extends Tensor>(input: T, size: ResizeSize, options: ResizeOptions = {}): Like<T> {
  const { interpolation = 'bilinear', maxSize = null, antialias = true } = options
  oneOf('resize: interpolation', interpolation, RESIZE_INTERPOLATIONS)
  checkResizeSize('resize', size, maxSize)
  const target = (canvas: CanvasSize) => resizedSize(canvas, size, maxSize)
  return dispatch('resize', input, {
    image: (image) => resizePixels(image, target(canvasOf(image)), interpolation, antialias),
    mask: (mask) => resizePixels(mask, target(canvasOf(mask)), 'nearest', false),
    boxes: (boxes) => scale(boxes, target(boxes.canvasSize), 2),
    points: (points) => scale(points, target(points.canvasSize), 1),
  })
}

export function canvasOf(image: Tensor): CanvasSize {
  const { height, width } = pictureSize(image)
  return [height, width]
}

/** @throws ArgumentError for what `resize` cannot bring an image to */
export function checkResizeSize(name: string, size: ResizeSize, maxSize: number | null): void {
  if (maxSize !== null) wholeNumber(`${name}: maxSize`, maxSize)
  if (size === null) {
    if (maxSize === null)
      throw new ArgumentError(`${name}: size is null; then maxSize says how long the longer side is`)
    return
  }
  const list = typeof size === 'number' ? [size] : size
  if (
    !Array.isArray(list) ||
    list.length < 1 ||
    list.length > 2 ||
    !list.every((s) => Number.isSafeInteger(s) && s > 0)
  ) {
    const given = Array.isArray(list) ? `[${list.join(', ')}]` : describe(size)
    throw new ArgumentError(
      `${name}: size is ${given}; it must be a whole number of 1 or more for the shorter side, or [height, width]`,
    )
  }
  if (maxSize === null) return
  if (list.length === 2) {
    throw new ArgumentError(
      `${name}: maxSize ${maxSize} with size [${list.join(', ')}]; it is for a size of one number`,
    )
  }
  const shorter = list[0] ?? 0
  if (maxSize <= shorter) {
    throw new ArgumentError(`${name}: maxSize ${maxSize} must be above ${shorter}, the size of the shorter side`)
  }
}

function resizedSize([height, width]: CanvasSize, size: ResizeSize, maxSize: number | null): CanvasSize {
  if (Array.isArray(size) && size.length === 2) return [size[0], size[1]]
  const [shorter, longer] = width <= height ? [width, height] : [height, width]
  const oriented = (short: number, long: number): CanvasSize => (width <= height ? [long, short] : [short, long])
  if (size === null) {
    const long = maxSize ?? longer
    return oriented(Math.trunc((long * shorter) / longer), long)
  }
  const wanted = typeof size === 'number' ? size : size[0]
  const long = Math.trunc((wanted * longer) / shorter)
  if (maxSize !== null && long > maxSize) return oriented(Math.trunc((maxSize * wanted) / long), maxSize)
  return oriented(wanted, long)
}

/** Pixels `[..., C, H, W]` at another size; the image itself where the size is its own. */
export function resizePixels(
  image: Tensor,
  [height, width]: CanvasSize,
  mode: ResizeInterpolation,
  antialias: boolean,
): Tensor {
  const old = pictureSize(image)
  if (old.height === height && old.width === width) return image
  if (height < 1 || width < 1) {
    throw new ArgumentError(
      `resize: ${old.height} × ${old.width} would become ${height} × ${width}; a side is at least one pixel, choose a larger size`,
    )
  }
  const smooth = mode === 'bilinear' || mode === 'bicubic'
  const options = smooth ? { mode, antialias, alignCorners: false } : { mode }
  return asBatch(image, (batch) => {
    const { dtype } = batch
    if (readable(batch, mode)) return interpolate(batch, { size: [height, width], ...options })
    const resized = interpolate(batch.to('float32'), { size: [height, width], ...options })
    if (isFloating(dtype) || dtype === 'bool') return resized.to(dtype)
    if (mode === 'bicubic' && dtype === 'uint8') resized.clamp_({ min: 0, max: 255 })
    return resized.round_().to(dtype)
  })
}

/** Whether LibTorch reads the dtype as it is. Its uint8 bilinear kernel is the faster one only with vector instructions. */
function readable(image: Tensor, mode: ResizeInterpolation): boolean {
  const { dtype } = image
  if (dtype === 'float32' || dtype === 'float64') return true
  if (dtype !== 'uint8') return false
  if (mode === 'nearest' || mode === 'nearest-exact') return true
  if (image.device !== 'cpu') return false
  return mode === 'bicubic' || cpuCapability().startsWith('AVX')
}

/** Scales coordinates; a row holds `pairs` pairs of (x, y). */
function scale(part: BoundingBoxes | KeyPoints, [height, width]: CanvasSize, pairs: 1 | 2): Moved {
  const [oldHeight, oldWidth] = part.canvasSize
  if (height === oldHeight && width === oldWidth) return { tensor: part }
  const ratio = [width / oldWidth, height / oldHeight]
  const ratios = tensor(pairs === 2 ? [...ratio, ...ratio] : ratio, { dtype: 'float32', device: part.device })
  return { tensor: part.mul(ratios).to(part.dtype), canvasSize: [height, width] }
}
