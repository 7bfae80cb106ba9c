import { ArgumentError } from '../../../native/errors'
import { ones, type Tensor, zeros } from '../../../tensor'
import type { Like } from '../kinds'
import { dispatch } from './dispatch'
import { convertPixels } from './dtype'
import { greyOrRgb, isFloating, maxValue, toFloat, valueBits } from './pixels'

/**
 * Raises values, from 0 to 1, to a power: below 1 dark parts become brighter.
 *
 * @throws ArgumentError for a negative gamma
 */
export function adjustGamma<T extends Tensor>(
  input: T,
  gamma: number,
  { gain = 1 }: { readonly gain?: number } = {},
): Like<T> {
  if (!(gamma >= 0)) throw new ArgumentError(`adjustGamma: gamma is ${gamma}; it must be a number of 0 or more`)
  return dispatch('adjustGamma', input, {
    image(image) {
      const unit = isFloating(image.dtype) ? image : convertPixels(image, 'float32')
      const powered = unit.pow(gamma)
      const output = gain === 1 ? powered : powered.mul_(gain).clamp_({ min: 0, max: 1 })
      return convertPixels(output, image.dtype)
    },
  })
}

/**
 * Keeps the most significant bits of each value. Of floating point, 2^bits levels.
 *
 * @param bits from 0 to 8
 */
export function posterize<T extends Tensor>(input: T, bits: number): Like<T> {
  checkBits('posterize', bits)
  return dispatch('posterize', input, {
    image(image) {
      const levels = 2 ** bits
      if (isFloating(image.dtype)) {
        return image
          .mul(levels)
          .floor_()
          .clamp_({ min: 0, max: levels - 1 })
          .mul_(1 / levels)
      }
      const total = valueBits('posterize', image.dtype)
      // A bigint, because the masks of 64-bit values are beyond the whole numbers that a number holds.
      return bits >= total ? image : image.bitwiseAnd(((1n << BigInt(bits)) - 1n) << BigInt(total - bits))
    },
  })
}

/** @throws ArgumentError unless posterize can keep as many bits */
export function checkBits(name: string, bits: number): void {
  if (Number.isInteger(bits) && bits >= 0 && bits <= 8) return
  throw new ArgumentError(`${name}: bits is ${bits}; it must be a whole number from 0 to 8`)
}

/**
 * Inverts values of `threshold` and above.
 *
 * @throws ArgumentError for a threshold above the largest value: 255 for uint8, 1 for floating point
 */
export function solarize<T extends Tensor>(input: T, threshold: number): Like<T> {
  return dispatch('solarize', input, {
    image(image) {
      const most = maxValue(image.dtype)
      if (!(threshold <= most)) {
        throw new ArgumentError(`solarize: threshold is ${threshold}; for ${image.dtype} it must be at most ${most}`)
      }
      return invertPixels(image).where(image.ge(threshold), image)
    },
  })
}

/** Black for white: 1 − x, or 255 − x for uint8. */
export function invert<T extends Tensor>(input: T): Like<T> {
  return dispatch('invert', input, { image: invertPixels })
}

function invertPixels(image: Tensor): Tensor {
  const { dtype } = image
  if (isFloating(dtype)) return image.neg().add_(1)
  if (dtype === 'uint8') return image.bitwiseNot()
  return image.bitwiseXor((1n << BigInt(valueBits('invert', dtype))) - 1n)
}

/** Stretches each channel to the whole range of values; an even channel stays as it is. */
export function autocontrast<T extends Tensor>(input: T): Like<T> {
  return dispatch('autocontrast', input, {
    image(image) {
      greyOrRgb('autocontrast', image)
      if (image.numel === 0) return image
      const bound = maxValue(image.dtype)
      const pixels = toFloat(image)
      const least = pixels.amin({ dim: [-2, -1], keepdim: true })
      const most = pixels.amax({ dim: [-2, -1], keepdim: true })
      const even = most.eq(least)
      const step = most
        .sub(least)
        .mul_(1 / bound)
        .maskedFill(even, 1)
      const stretched = pixels.sub(least.maskedFill(even, 0)).div_(step)
      return stretched.clamp_({ min: 0, max: bound }).to(image.dtype)
    },
  })
}

/** Spreads the values of each channel evenly over the range, in 256 levels, as Pillow's `ImageOps.equalize`. */
export function equalize<T extends Tensor>(input: T): Like<T> {
  return dispatch('equalize', input, {
    image(image) {
      if (image.numel === 0) return image
      const levels = convertPixels(image, 'uint8')
      return convertPixels(equalizeLevels(levels), image.dtype)
    },
  })
}

function equalizeLevels(levels: Tensor): Tensor {
  const { shape, device } = levels
  const values = levels.flatten({ startDim: -2 }).to('int64')
  const count = values.size(-1)
  const histogram = zeros([...shape.slice(0, -2), 256], { dtype: 'int64', device })
  histogram.scatterAdd_(-1, values, ones([1], { dtype: 'int64', device }).expand(values.shape))
  const cumulated = histogram.cumsum(-1)
  // The first place where the sum is whole is the brightest level there is.
  const brightest = histogram.gather(-1, cumulated.argmax({ dim: -1, keepdim: true }))
  const step = brightest.neg().add_(count).div_(255, { roundingMode: 'floor' })
  const divisor = step.clamp({ min: 1 })
  const half = step.div(2, { roundingMode: 'floor' })
  const below = cumulated.sub(histogram)
  const table = below.add_(half).div_(divisor, { roundingMode: 'floor' }).clamp_({ min: 0, max: 255 }).to('uint8')
  const equalized = table.gather(-1, values).reshape(shape)
  return equalized.where(step.ne(0).unsqueeze(-1), levels)
}
