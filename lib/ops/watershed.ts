import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import type { Tensor } from '../tensor/tensor'
import type { Connectivity } from './connected-components'

export interface WatershedOptions {
  /** Which places touch, and with it whether two or three axes are of space. Default: 4. */
  readonly connectivity?: Connectivity
  /** bool, of the image's shape: places that may be flooded. Default: all. */
  readonly mask?: Tensor
  /**
   * Above 0, a place's level rises by this for every unit of its distance from the seed, which makes regions rounder
   * (Neubert, Protzel, ICPR 2014). It takes several times as long. Default: 0.
   */
  readonly compactness?: number
}

const OP = 'vision_native::watershed'

/**
 * Watershed from markers (Beucher, Meyer 1993): markers grow over their neighbours, lowest levels first, until they meet.
 * Give the negative of a probability to let seeds grow from high to low.
 *
 * A place's key is its own level, then how long it has waited: seeds wait in raster order, then neighbours in the order of
 * their distance and of raster. A place takes its label when it begins to wait. Where levels differ the result is
 * scikit-image's; where they tie, scikit-image takes another order, and some places near the borders of regions (1 to 4 in
 * 100 for bytes) go to the neighbour. Places that no marker reaches, and those outside the mask, are 0.
 *
 * The flood is serial; images of a batch are flooded side by side. Its time grows with the number of places: bytes and
 * 16-bit integers have a line of waiting places for each level, other types one for each distinct value. On CUDA the images
 * are copied to the CPU, flooded there, and the labels copied back: an ordered flood has no parallel form.
 *
 * @param image `[…, H, W]` or, with a connectivity of volumes, `[…, D, H, W]`; integers or floating point
 * @param markers int32 or int64 of the same shape; 0 is no marker
 * @returns labels of the markers' dtype
 * @throws ShapeError when the shapes differ or have too few axes
 * @throws DTypeError for other element types
 * @throws ArgumentError for NaN inside the mask, and options out of range
 */
export function watershed(image: Tensor, markers: Tensor, options: WatershedOptions = {}): Tensor {
  const { mask, connectivity = 4, compactness = 0 } = options
  return call(OP, [image, markers], { mask, connectivity, compactness }) as Tensor
}

/** `watershed` on a thread of LibTorch's, with the event loop free. */
export async function watershedAsync(
  image: Tensor,
  markers: Tensor,
  { mask, connectivity = 4, compactness = 0, ...watch }: WatershedOptions & AsyncCallOptions = {},
): Promise<Tensor> {
  return (await callAsync(OP, [image, markers], { mask, connectivity, compactness }, watch)) as Tensor
}
