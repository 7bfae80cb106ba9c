import { centerCrop, normalize, resize, toDtype } from '../data/transforms/functional'
import type { Tensor } from '../tensor'
import { tidy } from '../tensor'
import type { ImageInput } from './network'

/**
 * A photograph as a network was trained on: resized, the middle cut out, normalised; torchvision's order, which resizes
 * in the dtype that the image comes in.
 *
 * @param image `[3, H, W]`, uint8 in 0–255 or floating point in 0–1, as `readImage` gives it
 * @param input what the registry says of the network
 * @returns `[3, height, width]` float32
 * @throws ShapeError when the image has another number of channels than the statistics
 */
export function prepareImage(image: Tensor, { resize: size, crop, interpolation, mean, std }: ImageInput): Tensor {
  return tidy(() => {
    const resized = resize(image, size, { interpolation })
    const window = crop === null ? resized : centerCrop(resized, crop)
    return normalize(toDtype(window, 'float32', { scale: true }), mean, std)
  })
}
