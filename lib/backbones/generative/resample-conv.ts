// Convolution with up- or downsampling through a low-pass filter, as StyleGAN2 resizes its maps.
import { ArgumentError } from '../../native/errors'
import { upfirdn2d } from '../../ops'
import { conv2d, convTranspose2d, type Tensor } from '../../tensor'

export interface ResampleConvOptions {
  /** The low-pass filter `[taps, taps]`; needed where `up` or `down` is above 1. */
  readonly filter?: Tensor | null
  /** Default 1. */
  readonly up?: number
  /** Default 1. */
  readonly down?: number
  /** Zeros around the image as large as it is between the two steps; default 0. */
  readonly padding?: number
  /** Default 1. */
  readonly groups?: number
}

/**
 * Upsamples, convolves or downsamples images in the order that costs least (Karras et al., CVPR 2020).
 *
 * With `up` above 1 the kernel is turned by half a circle, as a transposed convolution has it; at other times it
 * correlates, as every convolution of PyTorch.
 *
 * @param x `[N, groups · C, H, W]`
 * @param weight `[outChannels, C, k, k]`
 * @returns `[N, outChannels, H · up / down, …]` with a padding of ⌊k / 2⌋
 * @throws ArgumentError where a filter is missing, or both `up` and `down` are above 1
 */
export function resampleConv2d(x: Tensor, weight: Tensor, options: ResampleConvOptions = {}): Tensor {
  const { filter = null, up = 1, down = 1, padding = 0, groups = 1 } = options
  if (up === 1 && down === 1) return conv2d(x, weight, { padding: [padding, padding], groups })
  if (filter === null)
    throw new ArgumentError('resampleConv2d: up and down above 1 need a filter; give one of setupFilter')
  if (up > 1 && down > 1)
    throw new ArgumentError('resampleConv2d: up and down are both above 1; do one after the other')
  return up > 1
    ? upsampled(x, weight, filter, up, padding, groups)
    : downsampled(x, weight, filter, down, padding, groups)
}

function downsampled(x: Tensor, weight: Tensor, filter: Tensor, down: number, padding: number, groups: number): Tensor {
  const taps = filter.size(-1)
  const before = padding + Math.floor((taps - down + 1) / 2)
  const after = padding + Math.floor((taps - down) / 2)
  const sides = [before, after, before, after] as const
  // A kernel of one pixel sees only what is kept: the other pixels need not be computed.
  if (weight.size(2) === 1) return conv2d(upfirdn2d(x, filter, { down, padding: sides }), weight, { groups })
  return conv2d(upfirdn2d(x, filter, { padding: sides }), weight, { stride: [down, down], groups })
}

function upsampled(x: Tensor, weight: Tensor, filter: Tensor, up: number, padding: number, groups: number): Tensor {
  const [taps, kernel] = [filter.size(-1), weight.size(2)]
  const before = padding + Math.floor((taps + up - 1) / 2)
  const after = padding + Math.floor((taps - up) / 2)
  const gain = up * up
  if (kernel === 1) {
    return upfirdn2d(conv2d(x, weight, { groups }), filter, { up, padding: [before, after, before, after], gain })
  }
  // The transposed convolution is larger than the padded convolution of what it stands for; the filter's padding takes that back.
  const [first, last] = [before - (kernel - 1), after - (kernel - up)]
  const cropped = Math.max(0, Math.min(-first, -last))
  const sides = [first + cropped, last + cropped, first + cropped, last + cropped] as const
  const large = convTranspose2d(x, transposedWeight(weight, groups), {
    stride: [up, up],
    padding: [cropped, cropped],
    groups,
  })
  return upfirdn2d(large, filter, { padding: sides, gain })
}

/** `[groups · out, in, k, k]` → `[groups · in, out, k, k]`. */
function transposedWeight(weight: Tensor, groups: number): Tensor {
  if (groups === 1) return weight.transpose(0, 1)
  const [outputs = 0, inputs = 0, height = 0, width = 0] = weight.shape
  const apart = weight.reshape([groups, outputs / groups, inputs, height, width])
  return apart.transpose(1, 2).reshape([groups * inputs, outputs / groups, height, width])
}
