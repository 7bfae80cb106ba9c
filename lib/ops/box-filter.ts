import { call } from '../tensor/call'
import type { Tensor } from '../tensor/tensor'

/**
 * What a window holds beyond the border: nothing (it is cut off, and a mean divides by the pixels it has), or the image
 * mirrored with its border pixel repeated.
 */
export type BoxEdge = 'clip' | 'reflect'

export interface BoxOptions {
  /** Default: `clip`. */
  readonly edge?: BoxEdge
}

/**
 * Mean over the window of (2·radius + 1)² pixels around each pixel. The time does not depend on the radius, and a window
 * may be larger than the image. It is differentiable as often as needed.
 *
 * A pixel that is NaN or infinite spoils the windows that hold it, and at most the rest of its band of 64 rows and 256
 * columns (more for radii above 16), never the image.
 *
 * @param input `[…, H, W]`, float16, bfloat16, float32 or float64; sums are float32 or wider
 * @param radius 0 or more, in pixels
 * @returns the same shape and dtype
 * @throws ShapeError for fewer than two dimensions
 * @throws DTypeError for other element types
 * @throws ArgumentError for a radius below 0 and for an edge that does not exist
 */
export function boxMean(input: Tensor, radius: number, { edge = 'clip' }: BoxOptions = {}): Tensor {
  return call('vision_native::box_filter', [input, radius], { edge }) as Tensor
}

/**
 * The transpose of `boxMean`: ⟨boxMean(x), y⟩ = ⟨x, boxMeanAdjoint(y)⟩. Near a border that cuts windows off it is not the
 * mean itself: values are divided by the size of their own window and then summed.
 *
 * @param input as for `boxMean`
 * @param radius 0 or more, in pixels
 */
export function boxMeanAdjoint(input: Tensor, radius: number, { edge = 'clip' }: BoxOptions = {}): Tensor {
  return call('vision_native::_box_filter_backward', [input, radius], { edge }) as Tensor
}
