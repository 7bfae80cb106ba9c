import { ArgumentError, ShapeError } from '../native/errors'
import { functional as F } from '../nn'
import { pad, stack } from '../tensor'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { ImageSize } from './boxes'

export interface LetterboxOptions {
  /** Height and width to fit into, or one number for both; default 640. */
  readonly size?: number | ImageSize
  /** Pads no further than to the next multiple of this instead of to the whole size; default null, the whole size. */
  readonly stride?: number | null
  /** Value of the added pixels; default 114 / 255. */
  readonly fill?: number
  /** Enlarges smaller images too; default true. */
  readonly scaleUp?: boolean
}

/** What was done to an image, for bringing boxes back. */
export interface Letterboxed {
  readonly image: Tensor
  /** Length in the result of a pixel of the original. */
  readonly scale: number
  /** Width of what was added at the left and height of what was added above, in pixels; halves where the other side has more. */
  readonly padding: readonly [left: number, top: number]
  /** Of the original. */
  readonly size: ImageSize
}

/**
 * Fits images into a rectangle without distortion: bilinear, centred, the rest filled; as YOLOv5 does.
 *
 * @param image `[C, H, W]` or `[N, C, H, W]`, floating
 * @throws ShapeError for other ranks; ArgumentError for a size or stride below 1
 */
export function letterbox(image: Tensor, options: LetterboxOptions = {}): Letterboxed {
  const { size = 640, stride = null, fill = 114 / 255, scaleUp = true } = options
  const [toHeight, toWidth] = typeof size === 'number' ? [size, size] : size
  for (const [name, value] of [
    ['size', toHeight],
    ['size', toWidth],
    ['stride', stride ?? 1],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ArgumentError(`letterbox: ${name} is ${value}; it must be a whole number of 1 or more`)
    }
  }
  const { shape } = image
  const [height = 0, width = 0] = shape.slice(-2)
  if ((shape.length !== 3 && shape.length !== 4) || height < 1 || width < 1) {
    throw new ShapeError(`letterbox: the image has shape [${shape.join(', ')}]; it must be [C, H, W] or [N, C, H, W]`)
  }
  const fit = Math.min(toHeight / height, toWidth / width)
  const scale = scaleUp ? fit : Math.min(fit, 1)
  const [newHeight, newWidth] = [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))]
  const rest = (to: number, length: number): number => (stride === null ? to - length : (to - length) % stride) / 2
  const [left, top] = [rest(toWidth, newWidth), rest(toHeight, newHeight)]
  const result = tidy(() => {
    const batch = shape.length === 3 ? image.unsqueeze(0) : image
    const fitted =
      newHeight === height && newWidth === width
        ? batch
        : F.interpolate(batch, { size: [newHeight, newWidth], mode: 'bilinear', alignCorners: false })
    const ends = [Math.floor(left), Math.ceil(left), Math.floor(top), Math.ceil(top)]
    const padded = pad(fitted, ends, { mode: 'constant', value: fill })
    return shape.length === 3 ? padded.squeeze(0) : padded
  })
  return { image: result, scale, padding: [left, top], size: [height, width] }
}

/**
 * Boxes found in a letterboxed image, in pixels of the original and inside it.
 *
 * @param boxes `[..., 4]` as (x1, y1, x2, y2)
 */
export function unletterboxBoxes(boxes: Tensor, done: Omit<Letterboxed, 'image'>): Tensor {
  const { scale, padding, size } = done
  if (boxes.size(-1) !== 4) {
    throw new ShapeError(
      `unletterboxBoxes: the boxes have shape [${boxes.shape.join(', ')}]; the last dimension must be 4`,
    )
  }
  return tidy(() => {
    const [left, top] = padding
    const [height, width] = size
    const [x1, y1, x2, y2] = boxes.unbind({ dim: -1 }) as [Tensor, Tensor, Tensor, Tensor]
    const across = (x: Tensor) => x.sub(left).div(scale).clamp({ min: 0, max: width })
    const down = (y: Tensor) => y.sub(top).div(scale).clamp({ min: 0, max: height })
    return stack([across(x1), down(y1), across(x2), down(y2)], { dim: -1 })
  })
}
