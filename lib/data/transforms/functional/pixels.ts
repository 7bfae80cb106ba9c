import { DTypeError, ShapeError } from '../../../native/errors'
import type { DType, Tensor } from '../../../tensor'

/** Bits of an integer dtype that hold its value, without the sign. */
const VALUE_BITS: Partial<Record<DType, number>> = { uint8: 8, int8: 7, int16: 15, int32: 31, int64: 63 }

const FLOATING: readonly DType[] = ['float16', 'bfloat16', 'float32', 'float64']

export function isFloating(dtype: DType): boolean {
  return FLOATING.includes(dtype)
}

export function valueBits(name: string, dtype: DType): number {
  const bits = VALUE_BITS[dtype]
  if (bits !== undefined) return bits
  throw new DTypeError(`${name}: ${dtype} is no integer type; convert by toDtype first`)
}

/** What white is in an image of a dtype: 1 for floating point and bool, else the largest value. */
export function maxValue(dtype: DType): number {
  const bits = VALUE_BITS[dtype]
  return bits === undefined ? 1 : 2 ** bits - 1
}

/** The image in floating point, of unchanged scale: itself, or float32. */
export function toFloat(image: Tensor): Tensor {
  return isFloating(image.dtype) ? image : image.to('float32')
}

/** The image times a factor, in floating point, of unchanged scale. Always a new tensor. */
export function scaled(image: Tensor, factor: number): Tensor {
  // A fraction converts on the way; a whole number is an integer to LibTorch, and would leave bytes bytes.
  if (isFloating(image.dtype) || !Number.isInteger(factor)) return image.mul(factor)
  return image.to('float32').mul_(factor)
}

export interface PictureSize {
  readonly channels: number
  readonly height: number
  readonly width: number
}

export function pictureSize(image: Tensor): PictureSize {
  const [channels = 0, height = 0, width = 0] = image.shape.slice(-3)
  return { channels, height, width }
}

/** Runs a kernel for `[N, C, H, W]` on `[..., C, H, W]`. */
export function asBatch(image: Tensor, kernel: (batch: Tensor) => Tensor): Tensor {
  const { shape } = image
  const { channels, height, width } = pictureSize(image)
  // −1 would be ambiguous for an empty image.
  const count = shape.slice(0, -3).reduce((product, size) => product * size, 1)
  const output = kernel(image.reshape([count, channels, height, width]))
  return output.reshape([...shape.slice(0, -3), ...output.shape.slice(1)])
}

/** @throws ShapeError unless the image is grey or RGB */
export function greyOrRgb(name: string, image: Tensor): 1 | 3 {
  const { channels } = pictureSize(image)
  if (channels === 1 || channels === 3) return channels
  throw new ShapeError(
    `${name}: the image has shape [${image.shape.join(', ')}]; it must be [..., C, H, W] with 1 or 3 channels`,
  )
}

/** Rounds halves to the even neighbour, as Python. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}
