import { ArgumentError, DTypeError, ShapeError } from '../../../native/errors'
import { show, wholeNumber } from '../../../nn/options'
import { isTensor, linspace, type Tensor, tensor } from '../../../tensor'
import type { Like } from '../kinds'
import { dispatch } from './dispatch'
import { fillTensor } from './fill'
import { isFloating, pictureSize } from './pixels'

/**
 * Subtracts a mean and divides by a deviation, by channel.
 *
 * @param mean one number for each channel, or one for all
 * @param std as `mean`, none of them zero
 * @throws DTypeError for integer images: `toDtype(image, 'float32', { scale: true })` comes before
 */
export function normalize<T extends Tensor>(input: T, mean: readonly number[], std: readonly number[]): Like<T> {
  checkStatistics('normalize', mean, std)
  return dispatch('normalize', input, {
    image(image) {
      const { dtype, device } = image
      if (!isFloating(dtype)) {
        throw new DTypeError(
          `normalize: the image is ${dtype}; convert it by toDtype(image, 'float32', { scale: true }) before`,
        )
      }
      const { channels } = pictureSize(image)
      for (const list of [mean, std]) {
        if (list.length === 1 || list.length === channels) continue
        throw new ShapeError(
          `normalize: mean ${show(mean)} and std ${show(std)} for an image of ${channels} channels; give a number for each`,
        )
      }
      const column = (list: readonly number[]) => tensor(list, { dtype, device }).reshape([-1, 1, 1])
      return image.sub(column(mean)).div_(column(std))
    },
  })
}

/** @throws ArgumentError for lists that no image can be normalised by */
export function checkStatistics(name: string, mean: readonly number[], std: readonly number[]): void {
  for (const [what, list] of Object.entries({ mean, std })) {
    if (Array.isArray(list) && list.length > 0 && list.every(Number.isFinite)) continue
    throw new ArgumentError(`${name}: ${what} is ${show(list)}; it must be a list of numbers, one for each channel`)
  }
  if (std.includes(0)) throw new ArgumentError(`${name}: std is ${show(std)}; a zero would divide by zero`)
}

/** A rectangle of an image. */
export interface EraseWindow {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/**
 * Overwrites a rectangle of images and clips; the input stays as it is.
 *
 * @param value a tensor that broadcasts to `[..., C, height, width]`, a number, or one for each channel
 * @throws ArgumentError for a rectangle that is not inside the image
 */
export function erase<T extends Tensor>(
  input: T,
  { top, left, height, width }: EraseWindow,
  value: Tensor | number | readonly number[],
): Like<T> {
  return dispatch('erase', input, {
    image(image) {
      const canvas = pictureSize(image)
      const whole = [top, left, height, width].every((side) => Number.isSafeInteger(side) && side >= 0)
      if (!whole || top + height > canvas.height || left + width > canvas.width) {
        throw new ArgumentError(
          `erase: the rectangle of ${height} × ${width} at top ${top}, left ${left} is not inside the image of ${canvas.height} × ${canvas.width}`,
        )
      }
      const output = image.clone()
      const paint = isTensor(value) ? value : fillTensor(value, image.dtype, image)
      output.narrow(-2, top, height).narrow(-1, left, width).copy_(paint)
      return output
    },
  })
}

/**
 * Takes `numSamples` frames of a clip `[..., T, C, H, W]`, evenly spaced from the first to the last. A plain tensor is
 * taken for a clip.
 */
export function uniformTemporalSubsample<T extends Tensor>(input: T, numSamples: number): Like<T> {
  wholeNumber('uniformTemporalSubsample: numSamples', numSamples)
  return dispatch('uniformTemporalSubsample', input, {
    image(clip) {
      if (clip.ndim < 4) {
        throw new ShapeError(
          `uniformTemporalSubsample: the clip has shape [${clip.shape.join(', ')}]; it must be [..., T, C, H, W]`,
        )
      }
      const last = clip.size(-4) - 1
      const frames = linspace(0, last, numSamples, { device: clip.device }).to('int64')
      return clip.indexSelect(-4, frames)
    },
  })
}
