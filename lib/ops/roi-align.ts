import { ArgumentError } from '../native/errors'
import { call } from '../tensor/call'
import { full } from '../tensor/creation'
import { cat } from '../tensor/ops.generated'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

export interface RoiAlignOptions {
  /** Pixels of the map for one unit of the boxes, as 1/16 for a map of stride 16; 1 unless stated. */
  readonly spatialScale?: number
  /** Samples of a bin along each axis; 0 or less takes ⌈size of the bin⌉, the default. */
  readonly samplingRatio?: number
  /** Whether boxes are shifted by half a pixel, so that they meet pixels' centres; false unless stated, as torchvision. */
  readonly aligned?: boolean
}

/**
 * Samples regions of a map onto grids of one size: each bin is the mean of its samples, and each sample is bilinear. He et
 * al., "Mask R-CNN", ICCV 2017, with torchvision's conventions. Samples more than one pixel outside the map are 0, and a
 * region of negative size, which `aligned` allows, is 0 where samples follow its size.
 *
 * Boxes have no gradient, as in torchvision, and there is no second derivative. A box that is not finite gives NaN and no
 * gradient. On CUDA, where boxes are not read back, so does a box whose place is not in the batch; and the gradient is
 * summed by atomic additions, in no fixed order.
 *
 * @param input `[N, C, H, W]`, any floating dtype; sums are float32 or wider
 * @param boxes `[K, 5]` as (place in the batch, x1, y1, x2, y2), or for each image of the batch its `[Kᵢ, 4]`
 * @param outputSize [height, width] of the grid, or one number for both
 * @returns `[K, C, height, width]` of the dtype and memory format of `input`
 * @throws ShapeError, DTypeError for what does not fit; ArgumentError for options out of range, and on the CPU for a place
 *   that is not in the batch
 */
export function roiAlign(
  input: Tensor,
  boxes: Tensor | readonly Tensor[],
  outputSize: number | readonly [number, number],
  { spatialScale = 1, samplingRatio = -1, aligned = false }: RoiAlignOptions = {},
): Tensor {
  const size = typeof outputSize === 'number' ? [outputSize, outputSize] : [...outputSize]
  const options = { spatialScale, samplingRatio, aligned }
  if (!isList(boxes)) return call('vision_native::roi_align', [input, boxes, size], options) as Tensor
  return tidy(() => call('vision_native::roi_align', [input, withPlaces(input, boxes), size], options) as Tensor)
}

function isList(boxes: Tensor | readonly Tensor[]): boxes is readonly Tensor[] {
  return Array.isArray(boxes)
}

/** Boxes of all images, each after its image's place in the batch. */
function withPlaces(input: Tensor, boxes: readonly Tensor[]): Tensor {
  if (boxes.length !== input.size(0)) {
    throw new ArgumentError(
      `roiAlign: there are boxes for ${boxes.length} images, the batch has ${input.size(0)}; pass one tensor for each`,
    )
  }
  const columns = boxes.map((own, place) => {
    if (own.ndim !== 2 || own.size(1) !== 4) {
      throw new ArgumentError(`roiAlign: boxes of an image are [K, 4], those of image ${place} are [${own.shape}]`)
    }
    return cat([full([own.size(0), 1], place, { dtype: own.dtype, device: own.device }), own], { dim: 1 })
  })
  return cat(columns)
}
