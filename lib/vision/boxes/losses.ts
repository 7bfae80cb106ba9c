// Losses of pairs of boxes, as torchvision.ops.
import { ArgumentError, ShapeError } from '../../native/errors'
import type { Reduction } from '../../nn'
import { maximum, minimum } from '../../tensor'
import { noGrad } from '../../tensor/autograd'
import { tidy } from '../../tensor/scope'
import type { Tensor } from '../../tensor/tensor'
import { columns, widened } from './check'

export interface BoxLossOptions {
  /** Default `'none'`, as in torchvision; the mean of no boxes is 0. */
  readonly reduction?: Reduction | undefined
  /** Added where a division could be by zero; default 1e-7. */
  readonly eps?: number | undefined
}

/**
 * 1 − generalised IoU of boxes with boxes of the same place (Rezatofighi et al., CVPR 2019).
 *
 * @param boxes `[..., 4]` as (x1, y1, x2, y2), x1 < x2 and y1 < y2
 * @param targets of the same shape
 * @returns `[...]`, or a number where `reduction` says so
 * @throws ShapeError when the shapes differ
 */
export function generalizedBoxIouLoss(boxes: Tensor, targets: Tensor, options: BoxLossOptions = {}): Tensor {
  return loss('generalizedBoxIouLoss', boxes, targets, options, (pair, eps) => {
    const { intersection, union, width, height } = measure(pair)
    const area = width.mul(height)
    const iou = intersection.div(union.add(eps))
    return iou
      .sub(area.sub(union).div(area.add(eps)))
      .neg()
      .add(1)
  })
}

/** 1 − distance IoU (Zheng et al., AAAI 2020); as `generalizedBoxIouLoss`. */
export function distanceBoxIouLoss(boxes: Tensor, targets: Tensor, options: BoxLossOptions = {}): Tensor {
  return loss('distanceBoxIouLoss', boxes, targets, options, (pair, eps) => distanceLoss(pair, eps).loss)
}

/** 1 − complete IoU (Zheng et al., AAAI 2020); as `generalizedBoxIouLoss`. */
export function completeBoxIouLoss(boxes: Tensor, targets: Tensor, options: BoxLossOptions = {}): Tensor {
  return loss('completeBoxIouLoss', boxes, targets, options, (pair, eps) => {
    const { loss: distance, iou } = distanceLoss(pair, eps)
    const angles = pair.map(([x1, y1, x2, y2]) => x2.sub(x1).div(y2.sub(y1)).atan()) as [Tensor, Tensor]
    const v = angles[1]
      .sub(angles[0])
      .square()
      .mul(4 / Math.PI ** 2)
    const alpha = noGrad(() => v.div(v.sub(iou).add(1 + eps)))
    return distance.add(alpha.mul(v))
  })
}

type Corners = readonly [x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor]
type Pair = readonly [boxes: Corners, targets: Corners]

function loss(
  caller: string,
  boxes: Tensor,
  targets: Tensor,
  { reduction = 'none', eps = 1e-7 }: BoxLossOptions,
  ofPair: (pair: Pair, eps: number) => Tensor,
): Tensor {
  if (String(boxes.shape) !== String(targets.shape)) {
    throw new ShapeError(
      `${caller}: boxes [${boxes.shape.join(', ')}] and targets [${targets.shape.join(', ')}] differ`,
    )
  }
  if (!['none', 'mean', 'sum'].includes(reduction)) {
    throw new ArgumentError(`${caller}: reduction is '${reduction}'; it is 'none', 'mean' or 'sum'`)
  }
  return tidy(() => {
    const losses = ofPair([columns(caller, widened(boxes)), columns(caller, widened(targets))], eps)
    if (reduction === 'none') return losses
    return reduction === 'mean' && losses.numel > 0 ? losses.mean() : losses.sum()
  })
}

/** Intersection, union, and the sides of the enclosing box. */
function measure([[ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]]: Pair) {
  const across = minimum(ax2, bx2).sub(maximum(ax1, bx1)).clamp({ min: 0 })
  const down = minimum(ay2, by2).sub(maximum(ay1, by1)).clamp({ min: 0 })
  const intersection = across.mul(down)
  const area = ax2
    .sub(ax1)
    .mul(ay2.sub(ay1))
    .add(bx2.sub(bx1).mul(by2.sub(by1)))
  return {
    intersection,
    union: area.sub(intersection),
    width: maximum(ax2, bx2).sub(minimum(ax1, bx1)),
    height: maximum(ay2, by2).sub(minimum(ay1, by1)),
  }
}

function distanceLoss(pair: Pair, eps: number): { loss: Tensor; iou: Tensor } {
  const { intersection, union, width, height } = measure(pair)
  const iou = intersection.div(union.add(eps))
  const diagonal = width.square().add(height.square()).add(eps)
  const [[ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]] = pair
  const dx = ax1.add(ax2).sub(bx1).sub(bx2).div(2)
  const dy = ay1.add(ay2).sub(by1).sub(by2).div(2)
  return { loss: iou.neg().add(1).add(dx.square().add(dy.square()).div(diagonal)), iou }
}
