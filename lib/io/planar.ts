import { tensor } from '../tensor/creation'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import type { DecodedPixels } from './image-decode'
import { later } from './later'

/** Channels that an image is read as. */
export type ImageMode = 'rgb' | 'rgba' | 'grey'

/**
 * Rec. 601 luma weights in thousandths. Whole numbers add up to exactly 1000, so that a grey pixel keeps its value.
 */
const RED_GREEN_BLUE = [299, 587, 114]

/**
 * `[C, H, W]` from interleaved pixels: bytes rounded to the nearest of 256 levels, or float32 in 0–1 at the precision of
 * the file. The pixels cross to the device as they are and are rearranged there, without blocking the event loop.
 */
export function planesOf(
  pixels: DecodedPixels,
  mode: ImageMode,
  dtype: 'uint8' | 'float32',
  device: Device | undefined,
): Promise<Tensor> {
  const { width, height, channels, samples } = pixels
  const deep = samples instanceof Uint16Array
  return tidyAsync(async () => {
    // LibTorch has next to no operators for 16-bit unsigned integers.
    const interleaved = tensor(deep ? new Int32Array(samples) : samples, { shape: [height, width, channels], device })
    const planes = await later('contiguous', [interleaved.permute([2, 0, 1])])
    const unit = mode === 'grey' ? 1000 : 1
    const values = mode === 'grey' ? await greyOf(planes) : planes
    if (dtype === 'float32') {
      return later('div_.Scalar', [await later('to.dtype', [values, dtype]), unit * (deep ? 65535 : 255)])
    }
    return toBytes(values, unit * (deep ? 257 : 1))
  })
}

/** The weighted sum of red, green and blue in thousandths, `[1, H, W]` int32. */
async function greyOf(planes: Tensor): Promise<Tensor> {
  const weights = tensor(Int32Array.from(RED_GREEN_BLUE), { shape: [3, 1, 1], device: planes.device })
  const weighted = await later('mul_.Tensor', [await later('to.dtype', [planes, 'int32']), weights])
  return later('sum.dim_IntList', [weighted], { dim: [0], keepdim: true, dtype: 'int32' })
}

/** Whole numbers divided and rounded to the nearest, without a detour through floating point. */
async function toBytes(values: Tensor, divisor: number): Promise<Tensor> {
  if (divisor === 1) return values
  const raised = await later('add_.Scalar', [values, Math.floor(divisor / 2)])
  const divided = await later('div_.Scalar_mode', [raised, divisor], { roundingMode: 'floor' })
  return later('to.dtype', [divided, 'uint8'])
}
