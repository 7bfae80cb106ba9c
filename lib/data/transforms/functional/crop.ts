import { ArgumentError, ShapeError } from '../../../native/errors'
import { type Tensor, tensor, tidy } from '../../../tensor'
import { describe } from '../../../tensor/call'
import type { BoundingBoxes, CanvasSize, KeyPoints, Like } from '../kinds'
import { clampCoordinates } from './boxes'
import { dispatch, type Moved } from './dispatch'
import { horizontalFlip, verticalFlip } from './flip'
import { padPixels } from './pad'
import { pictureSize, roundHalfEven } from './pixels'
import { canvasOf, checkResizeSize, type ResizeOptions, type ResizeSize, resize } from './resize'

/** A window of an image, in pixels. It may reach beyond the image. */
export interface CropWindow {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** Height and width, or one number for both. */
export type CropSize = number | readonly [size: number] | readonly [height: number, width: number]

/**
 * Cuts a window out of images, clips and masks: a view, or a copy filled with zeros where the window reaches beyond the
 * image. Boxes and points are moved; boxes are clamped to the window.
 *
 * @throws ArgumentError for a window without pixels or with fractions
 */
export function crop<T extends Tensor>(input: T, window: CropWindow): Like<T> {
  checkWindow('crop', window)
  return dispatch('crop', input, {
    image: (image) => cropPixels(image, window),
    mask: (mask) => cropPixels(mask, window),
    boxes: (boxes) => cropBoxes(boxes, window),
    points: (points) => cropPoints(points, window),
  })
}

/** Cuts the middle out; where the image is smaller than the window, zeros are added around it. */
export function centerCrop<T extends Tensor>(input: T, size: CropSize): Like<T> {
  const [height, width] = cropSize('centerCrop', size)
  const at = (canvas: CanvasSize) => centredWindow(canvas, height, width)
  const pixels = (image: Tensor) => cropPixels(image, at(canvasOf(image)))
  return dispatch('centerCrop', input, {
    image: pixels,
    mask: pixels,
    boxes: (boxes) => cropBoxes(boxes, at(boxes.canvasSize)),
    points: (points) => cropPoints(points, at(points.canvasSize)),
  })
}

/** Cuts a window out and resizes it. */
export function resizedCrop<T extends Tensor>(
  input: T,
  window: CropWindow,
  size: ResizeSize,
  options: ResizeOptions = {},
): Like<T> {
  checkResizeSize('resizedCrop', size, options.maxSize ?? null)
  // A crop of a T is like a T, and so is what resize makes of it.
  return tidy(() => resize<Tensor>(crop(input, window), size, options) as Like<T>)
}

/** Four corners and the centre. */
export type FiveCrops<T> = readonly [topLeft: T, topRight: T, bottomLeft: T, bottomRight: T, center: T]

/** Five crops, and those of the mirrored image. */
export type TenCrops<T> = readonly [...FiveCrops<T>, ...FiveCrops<T>]

/**
 * The four corners and the centre of an image or a clip.
 *
 * @throws ShapeError when the image is smaller than the crops
 */
export function fiveCrop<T extends Tensor>(input: T, size: CropSize): FiveCrops<Like<T>> {
  const [height, width] = cropSize('fiveCrop', size)
  const image = pictureSize(input)
  if (height > image.height || width > image.width) {
    throw new ShapeError(
      `fiveCrop: the crop ${height} × ${width} is bigger than the image ${image.height} × ${image.width}; take a smaller crop or pad the image`,
    )
  }
  const at = (top: number, left: number) => crop(input, { top, left, height, width })
  const [bottom, right] = [image.height - height, image.width - width]
  return [at(0, 0), at(0, right), at(bottom, 0), at(bottom, right), centerCrop(input, [height, width])]
}

/** Five crops of an image or a clip, then five of its mirror image: left to right, or top to bottom where asked. */
export function tenCrop<T extends Tensor>(
  input: T,
  size: CropSize,
  { verticalFlip: vertical = false }: { readonly verticalFlip?: boolean } = {},
): TenCrops<Like<T>> {
  const crops = fiveCrop(input, size)
  const mirrored = vertical ? verticalFlip<Tensor>(input) : horizontalFlip<Tensor>(input)
  const others = fiveCrop(mirrored, size)
  mirrored.dispose()
  // Crops of the mirror image are of the image's own kind.
  return [...crops, ...others] as unknown as TenCrops<Like<T>>
}

/** @throws ArgumentError unless the size is one or two whole numbers of 1 or more */
export function cropSize(name: string, size: CropSize): readonly [height: number, width: number] {
  const list: readonly number[] = typeof size === 'number' ? [size] : size
  if (Array.isArray(list) && (list.length === 1 || list.length === 2)) {
    const [height = 0, width = height] = list
    if ([height, width].every((side) => Number.isSafeInteger(side) && side > 0)) return [height, width]
  }
  const given = Array.isArray(list) ? `[${list.join(', ')}]` : describe(size)
  throw new ArgumentError(`${name}: size is ${given}; it must be a whole number of 1 or more, or [height, width]`)
}

function checkWindow(name: string, { top, left, height, width }: CropWindow): void {
  const whole = [top, left, height, width].every(Number.isSafeInteger)
  if (whole && height > 0 && width > 0) return
  throw new ArgumentError(
    `${name}: the window is ${height} × ${width} at top ${top}, left ${left}; it must be in whole pixels, with a height and width of 1 or more`,
  )
}

function centredWindow([imageHeight, imageWidth]: CanvasSize, height: number, width: number): CropWindow {
  return { top: centredStart(imageHeight, height), left: centredStart(imageWidth, width), height, width }
}

/** Of an odd rest, the larger half is added after a small image, and half-way crops start at the even pixel. */
function centredStart(length: number, window: number): number {
  return window > length ? -Math.floor((window - length) / 2) : roundHalfEven((length - window) / 2)
}

export function cropPixels(image: Tensor, { top, left, height, width }: CropWindow): Tensor {
  const canvas = pictureSize(image)
  const [bottom, right] = [top + height, left + width]
  const rows = overlap(top, bottom, canvas.height)
  const cols = overlap(left, right, canvas.width)
  const inside = image.narrow(-2, rows.start, rows.length).narrow(-1, cols.start, cols.length)
  if (rows.length === height && cols.length === width) return inside
  const before = (start: number, length: number) => Math.min(Math.max(-start, 0), length)
  const sides = { left: before(left, width), top: before(top, height) }
  const rest = { right: width - cols.length - sides.left, bottom: height - rows.length - sides.top }
  return padPixels(inside, { ...sides, ...rest }, 0, 'constant')
}

function overlap(start: number, end: number, length: number): { start: number; length: number } {
  const first = Math.min(Math.max(start, 0), length)
  return { start: first, length: Math.max(Math.min(end, length) - first, 0) }
}

function cropBoxes(boxes: BoundingBoxes, { top, left, height, width }: CropWindow): Moved {
  const shift = tensor(boxes.format === 'xyxy' ? [left, top, left, top] : [left, top, 0, 0], {
    dtype: boxes.dtype,
    device: boxes.device,
  })
  const canvasSize = [height, width] as const
  return { tensor: clampCoordinates(boxes.sub(shift), boxes.format, canvasSize), canvasSize }
}

function cropPoints(points: KeyPoints, { top, left, height, width }: CropWindow): Moved {
  const shift = tensor([left, top], { dtype: points.dtype, device: points.device })
  return { tensor: points.sub(shift), canvasSize: [height, width] }
}
