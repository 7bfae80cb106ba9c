// From bytes of flow or frames to what a network sees.
import { functional as F } from '../../../nn'
import { cat, type Tensor, tensor, tidy } from '../../../tensor'
import { centreFlow, flipFlow } from '../../../vision'
import type { ChunkLayout } from './chunks'
import type { Modality } from './config'

/** Means of blue, green and red that networks of ImageNet subtract. */
const BGR_MEANS = [103.939, 116.779, 123.68] as const

/** Frames that a number of maps is made of. */
export function rawCount(maps: number, modality: Modality): number {
  return modality === 'd-rgb' ? maps + 1 : maps
}

/**
 * Maps as the network takes them.
 *
 * @param raw uint8: bytes of flow `[N, 2, H, W]`, or frames `[N, 3, H, W]` in RGB (`[N + 1, 3, H, W]` for differences)
 * @returns `[N, C, H, W]` float32: flow byte − 128; blue, green, red minus their means; or frame t − frame t + 1 in 0–255
 */
export function mapsOf(raw: Tensor, modality: Modality): Tensor<'float32'> {
  if (modality === 'flow') return centreFlow(raw)
  return tidy(() => {
    const bgr = raw.flip([1]).to('float32')
    if (modality === 'rgb') {
      return bgr.sub(tensor([...BGR_MEANS], { device: raw.device }).reshape([1, 3, 1, 1])) as Tensor<'float32'>
    }
    const count = raw.size(0) - 1
    return bgr.narrow(0, 0, count).sub(bgr.narrow(0, 1, count)) as Tensor<'float32'>
  })
}

/** Maps of the mirrored clip. */
export function flipMaps(maps: Tensor, modality: Modality): Tensor {
  return modality === 'flow' ? flipFlow(maps) : maps.flip([-1])
}

/** A window `[span, C, H, W]` in chunks: `[T, L · C, H, W]`, maps in their order, x before y. */
export function chunked(maps: Tensor, { chunks, length, stride }: ChunkLayout): Tensor {
  const [, channels = 0, height = 0, width = 0] = maps.shape
  return tidy(() => {
    const parts = Array.from({ length: chunks }, (_, k) => maps.narrow(0, k * stride, length))
    return cat(parts).reshape([chunks, length * channels, height, width])
  })
}

/** Pictures `[N, C, H, W]` float32 whose shorter side is `shortSide`: bilinear, the other side rounded down. */
export function withShortSide(pictures: Tensor, shortSide: number): Tensor {
  const [height = 1, width = 1] = pictures.shape.slice(-2)
  if (Math.min(height, width) === shortSide) return pictures
  const size =
    height < width
      ? [shortSide, Math.floor((width * shortSide) / height)]
      : [Math.floor((height * shortSide) / width), shortSide]
  return F.interpolate(pictures, { size, mode: 'bilinear' })
}

/** `withShortSide` for bytes; values of flow are not scaled, as in two-stream networks. */
export function bytesWithShortSide(raw: Tensor, shortSide: number): Tensor {
  if (Math.min(raw.size(-1), raw.size(-2)) === shortSide) return raw
  return tidy(() => withShortSide(raw.to('float32'), shortSide).round().to('uint8'))
}
