import { tensor } from '../tensor/creation'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import type { DecodedPixels } from './image-decode'

/** Channels that an image is read as. */
export type ImageMode = 'rgb' | 'rgba' | 'grey'

/**
 * Rec. 601 luma weights in thousandths. Whole numbers add up to exactly 1000, so that a grey pixel keeps its value.
 */
const [RED, GREEN, BLUE] = [299, 587, 114]

/**
 * `[C, H, W]` from interleaved pixels: bytes rounded to the nearest of 256 levels, or float32 in 0–1 at the precision of
 * the file. The pixels cross to the device as they are and are rearranged there.
 */
export function planesOf(
  pixels: DecodedPixels,
  mode: ImageMode,
  dtype: 'uint8' | 'float32',
  device: Device | undefined,
): Tensor {
  const { width, height, channels, samples } = pixels
  const deep = samples instanceof Uint16Array
  return tidy(() => {
    // LibTorch has next to no operators for 16-bit unsigned integers.
    const interleaved = tensor(deep ? new Int32Array(samples) : samples, { shape: [height, width, channels], device })
    const planes = interleaved.permute([2, 0, 1])
    if (mode === 'grey') return greyOf(planes, deep, dtype)
    if (dtype === 'float32')
      return planes
        .to('float32')
        .div(deep ? 65535 : 255)
        .contiguous()
    return (deep ? dividedRounding(planes, 257) : planes).to('uint8').contiguous()
  })
}

function greyOf(planes: Tensor, deep: boolean, dtype: 'uint8' | 'float32'): Tensor {
  const [red, green, blue] = planes.to('int32').unbind() as [Tensor, Tensor, Tensor]
  const thousandths = red.mul(RED).add(green.mul(GREEN)).add(blue.mul(BLUE)).unsqueeze(0).contiguous()
  if (dtype === 'uint8') return dividedRounding(thousandths, deep ? 257_000 : 1000).to('uint8')
  return thousandths.to('float32').div(deep ? 65_535_000 : 255_000)
}

/** Whole numbers divided and rounded to the nearest, without a detour through floating point. */
function dividedRounding(values: Tensor, divisor: number): Tensor {
  return values.add(Math.floor(divisor / 2)).div(divisor, { roundingMode: 'floor' })
}
