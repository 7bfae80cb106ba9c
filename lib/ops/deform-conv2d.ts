import { call } from '../tensor/call'
import type { Tensor } from '../tensor/tensor'

export interface DeformConv2dOptions {
  /** `[filters]`, added to the result. */
  readonly bias?: Tensor | null
  /** Step of the kernel; 1 unless stated. */
  readonly stride?: number | readonly [number, number]
  /** Zeros on each side; 0 unless stated. */
  readonly padding?: number | readonly [number, number]
  /** Distance between the kernel's taps; 1 unless stated. */
  readonly dilation?: number | readonly [number, number]
  /** `[N, offset groups · kH · kW, oH, oW]`, by which samples are multiplied: version 2. None unless stated. */
  readonly mask?: Tensor | null
}

/**
 * Convolution whose taps are moved: each reads its channels, bilinear, at its place plus an offset. Dai et al., "Deformable
 * Convolutional Networks", ICCV 2017; with a `mask`, Zhu et al., "Deformable ConvNets v2", CVPR 2019. As torchvision's.
 *
 * Groups of filters follow from the shape of `weight`, groups of offsets from that of `offset`. What lies outside the image
 * is 0; an offset that is NaN reads 0. All tensors have gradients, and there is no second derivative. On CUDA the gradient
 * of the input is summed by atomic additions, in no fixed order.
 *
 * @param input `[N, C, H, W]`, any floating dtype and layout; sums are float32 or wider
 * @param offset `[N, offset groups · 2 · kH · kW, oH, oW]`: for each tap its offset down, then right, in pixels
 * @param weight `[filters, C / groups, kH, kW]`
 * @returns `[N, filters, oH, oW]` of the memory format of `input`
 * @throws ShapeError, DTypeError for tensors that do not fit one another; ArgumentError for options out of range
 */
export function deformConv2d(
  input: Tensor,
  offset: Tensor,
  weight: Tensor,
  { bias = null, stride = 1, padding = 0, dilation = 1, mask = null }: DeformConv2dOptions = {},
): Tensor {
  const options = { stride: pair(stride), padding: pair(padding), dilation: pair(dilation), bias, mask }
  return call('vision_native::deform_conv2d', [input, offset, weight], options) as Tensor
}

function pair(value: number | readonly [number, number]): readonly number[] {
  return typeof value === 'number' ? [value, value] : value
}
