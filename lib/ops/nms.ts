import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import type { Tensor } from '../tensor/tensor'

export interface SoftNmsOptions {
  /** How scores of boxes fall that overlap one with a higher score; `linear` unless stated. */
  readonly method?: 'linear' | 'gaussian'
  /** Linear: intersection over union from which scores fall; 0.3 unless stated. */
  readonly iouThreshold?: number
  /** Gaussian: σ of exp(−IoU²/σ), above 0; 0.5 unless stated. */
  readonly sigma?: number
  /** Boxes whose score falls below this are dropped; 0.001 unless stated. */
  readonly scoreThreshold?: number
}

export interface SoftNmsResult {
  /** `[K]` int64, in the order in which boxes were chosen. */
  readonly keep: Tensor
  /** `[K]` what their scores fell to, descending; of the dtype of the scores. */
  readonly scores: Tensor
}

/**
 * Non-maximum suppression, as torchvision's: takes boxes by descending score and drops those whose intersection over union
 * with one taken before is above `iouThreshold`. Of equal scores the first comes first; NaN comes before all numbers. An
 * overlap that is NaN drops nothing.
 *
 * @param boxes `[N, 4]` as (x1, y1, x2, y2), any floating dtype; overlaps are computed in float32 or wider
 * @param scores `[N]`
 * @returns `[K]` int64: places of the boxes that stay, by descending score
 * @throws ShapeError, DTypeError for boxes and scores that do not fit; ArgumentError for a threshold that is not finite
 */
export function nms(boxes: Tensor, scores: Tensor, iouThreshold: number): Tensor {
  return call('vision_native::nms', [boxes, scores, iouThreshold]) as Tensor
}

/** `nms` on a thread of LibTorch's, with the event loop free. */
export async function nmsAsync(
  boxes: Tensor,
  scores: Tensor,
  iouThreshold: number,
  watch: AsyncCallOptions = {},
): Promise<Tensor> {
  return (await callAsync('vision_native::nms', [boxes, scores, iouThreshold], {}, watch)) as Tensor
}

/**
 * `nms` within each class: boxes of different classes drop nothing of one another. Unlike torchvision's for few boxes,
 * coordinates are not shifted by class, so nothing is lost to rounding.
 *
 * @param boxes `[N, 4]` as (x1, y1, x2, y2)
 * @param scores `[N]`
 * @param idxs `[N]` int64, the class of each box; any numbers
 * @returns `[K]` int64: places of the boxes that stay, of all classes, by descending score
 * @throws as `nms`
 */
export function batchedNms(boxes: Tensor, scores: Tensor, idxs: Tensor, iouThreshold: number): Tensor {
  return call('vision_native::batched_nms', [boxes, scores, idxs, iouThreshold]) as Tensor
}

/**
 * Soft-NMS: boxes that overlap one with a higher score are not dropped, their scores fall. Bodla et al., "Soft-NMS --
 * Improving Object Detection With One Line of Code", ICCV 2017. Scores that are NaN, and those below `scoreThreshold`, are
 * dropped first; of equal scores the first is chosen. It has no gradient.
 *
 * @param boxes `[N, 4]` as (x1, y1, x2, y2), any floating dtype
 * @param scores `[N]`
 * @throws as `nms`, and ArgumentError for a σ that is not above 0
 */
export function softNms(
  boxes: Tensor,
  scores: Tensor,
  { method = 'linear', iouThreshold = 0.3, sigma = 0.5, scoreThreshold = 0.001 }: SoftNmsOptions = {},
): SoftNmsResult {
  const options = { method, iouThreshold, sigma, scoreThreshold }
  const [keep, lowered] = call('vision_native::soft_nms', [boxes, scores], options) as [Tensor, Tensor]
  return { keep, scores: lowered }
}
