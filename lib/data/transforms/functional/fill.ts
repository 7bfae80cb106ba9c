import { ArgumentError } from '../../../native/errors'
import { type Tensor, tensor } from '../../../tensor'
import { describe } from '../../../tensor/call'
import type { DType } from '../../../tensor/types'
import { pictureSize } from './pixels'

/** What is put where an image has no pixels: one value, or one for each channel; null leaves what the function reads there. */
export type Fill = number | readonly number[] | null

/** @throws ArgumentError unless the fill is a number or as many as the image has channels */
export function checkFill(name: string, fill: Fill, image: Tensor): void {
  if (fill === null || typeof fill === 'number') return
  const { channels } = pictureSize(image)
  if (!Array.isArray(fill)) {
    throw new ArgumentError(`${name}: fill is ${describe(fill)}; it must be a number or a list of them`)
  }
  if (fill.length === 1 || fill.length === channels) return
  throw new ArgumentError(
    `${name}: fill has ${fill.length} values, the image or mask ${channels} channels; give one number, one for each channel, or { image, mask } for each kind`,
  )
}

/** The fill as `[C, 1, 1]`, or `[1, 1, 1]` for one value. */
export function fillTensor(fill: number | readonly number[], dtype: DType, like: Tensor): Tensor {
  const list = typeof fill === 'number' ? [fill] : fill
  // By way of float32: a fraction for an integer image is cut off.
  return tensor(list, { dtype: 'float32', device: like.device }).to(dtype).reshape([-1, 1, 1])
}
