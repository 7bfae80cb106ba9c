import { DTypeError } from '../../../native/errors'
import type { DType, Tensor } from '../../../tensor'
import type { Like } from '../kinds'
import { dispatch } from './dispatch'
import { isFloating, maxValue, valueBits } from './pixels'

export interface ToDtypeOptions {
  /** Also brings values from the range of one dtype to that of the other: 0 to 255 to 0 to 1; default false. */
  readonly scale?: boolean
}

/**
 * Images and clips in another dtype. Masks, boxes and points are converted too, but never scaled.
 *
 * @throws DTypeError for scaling floating point to an integer type that it cannot tell all values of
 */
export function toDtype<T extends Tensor>(input: T, dtype: DType, { scale = false }: ToDtypeOptions = {}): Like<T> {
  const plain = (part: Tensor) => part.to(dtype)
  const moved = (part: Tensor) => ({ tensor: part.to(dtype) })
  const image = scale ? (part: Tensor) => convertPixels(part, dtype) : plain
  return dispatch('toDtype', input, { image, mask: plain, boxes: moved, points: moved })
}

/** Pixels in another dtype, scaled from the range of one to that of the other. */
export function convertPixels(image: Tensor, dtype: DType): Tensor {
  const from = image.dtype
  if (from === dtype) return image
  if (isFloating(from)) return isFloating(dtype) ? image.to(dtype) : floatToInteger(image, dtype)
  const largest = 1 / maxValue(from)
  return isFloating(dtype) ? image.to(dtype).mul_(largest) : integerToInteger(image, dtype)
}

function floatToInteger(image: Tensor, dtype: DType): Tensor {
  const from = image.dtype
  valueBits('toDtype', dtype)
  if ((from === 'float32' && (dtype === 'int32' || dtype === 'int64')) || (from === 'float64' && dtype === 'int64')) {
    throw new DTypeError(`toDtype: ${from} cannot tell all values of ${dtype} apart; scale to uint8 or int16`)
  }
  // Almost the whole next number: the last value then has as wide a range as the others, and 1 still fits.
  return image.mul(maxValue(dtype) + 1 - 1e-3).to(dtype)
}

function integerToInteger(image: Tensor, dtype: DType): Tensor {
  const shift = valueBits('toDtype', image.dtype) - valueBits('toDtype', dtype)
  return shift > 0 ? image.bitwiseRightShift(shift).to(dtype) : image.to(dtype).bitwiseLeftShift(-shift)
}
