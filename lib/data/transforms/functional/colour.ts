import { ArgumentError, ShapeError } from '../../../native/errors'
import type { Tensor } from '../../../tensor'
import type { Like } from '../kinds'
import { dispatch } from './dispatch'
import { greyOrRgb, isFloating, maxValue, pictureSize, scaled, toFloat } from './pixels'

/**
 * The luma of an RGB image (ITU-R BT.601 weights), in one channel or in three equal ones. Masks, boxes and points pass
 * through this and all other colour functions.
 *
 * @throws ArgumentError unless `numOutputChannels` is 1 or 3
 */
export function rgbToGrayscale<T extends Tensor>(
  input: T,
  { numOutputChannels = 1 }: { readonly numOutputChannels?: 1 | 3 } = {},
): Like<T> {
  checkChannels('rgbToGrayscale', numOutputChannels)
  return dispatch('rgbToGrayscale', input, { image: (image) => toGrey(image, numOutputChannels) })
}

/** @throws ArgumentError unless a grey image of that many channels can be made */
export function checkChannels(name: string, count: number): void {
  if (count === 1 || count === 3) return
  throw new ArgumentError(`${name}: numOutputChannels is ${count}; it must be 1 or 3`)
}

/** A grey image in three equal channels; an RGB image as it is. */
export function grayscaleToRgb<T extends Tensor>(input: T): Like<T> {
  return dispatch('grayscaleToRgb', input, {
    image: (image) => (pictureSize(image).channels >= 3 ? image : toGrey(image, 3)),
  })
}

function toGrey(image: Tensor, channels: number): Tensor {
  const { shape, dtype } = image
  if (greyOrRgb('rgbToGrayscale', image) === 1) {
    return channels === 1 ? image.clone() : image.repeat(shape.map((_, d) => (d === shape.length - 3 ? channels : 1)))
  }
  const grey = luma(image).to(dtype)
  return channels === 1 ? grey : grey.expand(shape)
}

/** Luma `[..., 1, H, W]` in floating point. */
function luma(image: Tensor): Tensor {
  const channel = (index: number) => image.select(-3, index)
  const sum = scaled(channel(0), 0.2989).add_(channel(1), { alpha: 0.587 }).add_(channel(2), { alpha: 0.114 })
  return sum.unsqueeze(-3)
}

/** Luma with the precision of the image: whole numbers for an integer image. */
function wholeLuma(image: Tensor): Tensor {
  return isFloating(image.dtype) ? luma(image) : luma(image).floor_()
}

/** `ratio` of the image and the rest of the other; beyond 1 it leads away from the other. */
function blend(image: Tensor, other: Tensor, ratio: number): Tensor {
  const mixed = toFloat(image)
    .mul(ratio)
    .add_(other, { alpha: 1 - ratio })
  return mixed.clamp_({ min: 0, max: maxValue(image.dtype) }).to(image.dtype)
}

/** The factor, if it is a number of 0 or more. */
export function checkFactor(name: string, factor: number): number {
  if (typeof factor === 'number' && factor >= 0 && Number.isFinite(factor)) return factor
  throw new ArgumentError(`${name} is ${factor}; it must be a number of 0 or more, 1 leaves the image as it is`)
}

/** Multiplies by a factor: 0 gives black, 1 the image, 2 twice its brightness. @throws ArgumentError for a negative factor */
export function adjustBrightness<T extends Tensor>(input: T, brightnessFactor: number): Like<T> {
  checkFactor('adjustBrightness: brightnessFactor', brightnessFactor)
  return dispatch('adjustBrightness', input, {
    image(image) {
      greyOrRgb('adjustBrightness', image)
      const bright = scaled(image, brightnessFactor)
      return bright.clamp_({ min: 0, max: maxValue(image.dtype) }).to(image.dtype)
    },
  })
}

/** Blends with grey of the image's luma: 0 gives a grey image, 1 the image. */
export function adjustSaturation<T extends Tensor>(input: T, saturationFactor: number): Like<T> {
  checkFactor('adjustSaturation: saturationFactor', saturationFactor)
  return dispatch('adjustSaturation', input, {
    image: (image) =>
      greyOrRgb('adjustSaturation', image) === 1 ? image : blend(image, wholeLuma(image), saturationFactor),
  })
}

/** Blends with the mean of the image's luma: 0 gives an even grey, 1 the image. Each image of a batch has its own mean. */
export function adjustContrast<T extends Tensor>(input: T, contrastFactor: number): Like<T> {
  checkFactor('adjustContrast: contrastFactor', contrastFactor)
  return dispatch('adjustContrast', input, {
    image(image) {
      const grey = greyOrRgb('adjustContrast', image) === 3 ? wholeLuma(image) : toFloat(image)
      return blend(image, grey.mean({ dim: [-3, -2, -1], keepdim: true }), contrastFactor)
    },
  })
}

/**
 * Puts each channel at another place.
 *
 * @param permutation the channel that comes to each place
 * @throws ShapeError unless it names each channel once
 */
export function permuteChannels<T extends Tensor>(input: T, permutation: readonly number[]): Like<T> {
  return dispatch('permuteChannels', input, {
    image(image) {
      const { channels } = pictureSize(image)
      const named = new Set(permutation.filter((place) => Number.isInteger(place) && place >= 0 && place < channels))
      if (permutation.length !== channels || named.size !== channels) {
        throw new ShapeError(
          `permuteChannels: permutation [${permutation.join(', ')}] of an image with ${channels} channels; it must name each of 0 to ${channels - 1} once`,
        )
      }
      return image.at('...', permutation, null, null)
    },
  })
}
