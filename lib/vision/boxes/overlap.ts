// Overlap of boxes, each of one list with each of another, as torchvision.ops.
import { maximum, minimum } from '../../tensor'
import { noGrad } from '../../tensor/autograd'
import { tidy } from '../../tensor/scope'
import type { Tensor } from '../../tensor/tensor'
import { checkBoxes, columns, widened } from './check'
import { boxArea } from './formats'

/**
 * Intersection over union of each box of `first` with each of `second`. A pair without area gives NaN.
 *
 * @param first `[N, 4]` as (x1, y1, x2, y2)
 * @param second `[M, 4]`
 * @returns `[N, M]`
 * @throws ShapeError
 */
export function boxIou(first: Tensor, second: Tensor): Tensor {
  return tidy(() => {
    const { intersection, union } = overlap('boxIou', first, second)
    return intersection.div(union)
  })
}

/** Generalised IoU (Rezatofighi et al., CVPR 2019): IoU less the share of the enclosing box that neither covers. `[N, M]`. */
export function generalizedBoxIou(first: Tensor, second: Tensor): Tensor {
  return tidy(() => {
    const { intersection, union } = overlap('generalizedBoxIou', first, second)
    const [width, height] = enclosing(first, second)
    const area = width.mul(height)
    return intersection.div(union).sub(area.sub(union).div(area))
  })
}

/** Distance IoU (Zheng et al., AAAI 2020): IoU less the squared distance of the centres in enclosing diagonals. `[N, M]`. */
export function distanceBoxIou(first: Tensor, second: Tensor, eps = 1e-7): Tensor {
  return tidy(() => distanceAndPlain('distanceBoxIou', first, second, eps).distance)
}

/** Complete IoU (Zheng et al., AAAI 2020): distance IoU less a penalty for different aspect ratios. `[N, M]`. */
export function completeBoxIou(first: Tensor, second: Tensor, eps = 1e-7): Tensor {
  return tidy(() => {
    const { distance, iou } = distanceAndPlain('completeBoxIou', first, second, eps)
    const v = aspect(first)
      .unsqueeze(1)
      .sub(aspect(second))
      .square()
      .mul(4 / Math.PI ** 2)
    const alpha = noGrad(() => v.div(v.sub(iou).add(1 + eps)))
    return distance.sub(alpha.mul(v))
  })
}

/** The angle of the diagonal. */
function aspect(boxes: Tensor): Tensor {
  const [x1, y1, x2, y2] = columns('completeBoxIou', boxes)
  return x2.sub(x1).div(y2.sub(y1)).atan()
}

interface Overlap {
  readonly intersection: Tensor
  readonly union: Tensor
}

function overlap(caller: string, first: Tensor, second: Tensor): Overlap {
  checkBoxes(caller, 'the first boxes', first)
  checkBoxes(caller, 'the second boxes', second)
  const [ax1, ay1, ax2, ay2] = columns(caller, first.unsqueeze(1))
  const [bx1, by1, bx2, by2] = columns(caller, second)
  const width = widened(minimum(ax2, bx2).sub(maximum(ax1, bx1))).clamp({ min: 0 })
  const height = widened(minimum(ay2, by2).sub(maximum(ay1, by1))).clamp({ min: 0 })
  const intersection = width.mul(height)
  return { intersection, union: boxArea(first).unsqueeze(1).add(boxArea(second)).sub(intersection) }
}

/** Width and height of the smallest boxes around each pair. */
function enclosing(first: Tensor, second: Tensor): [Tensor, Tensor] {
  const [ax1, ay1, ax2, ay2] = columns('boxIou', first.unsqueeze(1))
  const [bx1, by1, bx2, by2] = columns('boxIou', second)
  return [
    widened(maximum(ax2, bx2).sub(minimum(ax1, bx1))).clamp({ min: 0 }),
    widened(maximum(ay2, by2).sub(minimum(ay1, by1))).clamp({ min: 0 }),
  ]
}

function distanceAndPlain(
  caller: string,
  first: Tensor,
  second: Tensor,
  eps: number,
): { distance: Tensor; iou: Tensor } {
  const { intersection, union } = overlap(caller, first, second)
  const iou = intersection.div(union)
  const [width, height] = enclosing(first, second)
  const diagonal = width.square().add(height.square()).add(eps)
  const [ax1, ay1, ax2, ay2] = columns(caller, first.unsqueeze(1))
  const [bx1, by1, bx2, by2] = columns(caller, second)
  const dx = widened(ax1.add(ax2).div(2).sub(bx1.add(bx2).div(2)))
  const dy = widened(ay1.add(ay2).div(2).sub(by1.add(by2).div(2)))
  return { distance: iou.sub(dx.square().add(dy.square()).div(diagonal)), iou }
}
