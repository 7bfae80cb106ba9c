import { ArgumentError, ShapeError } from '../../native/errors'
import { nonzero, stack, where } from '../../tensor'
import { arange } from '../../tensor/creation'
import { tidy } from '../../tensor/scope'
import type { Tensor } from '../../tensor/tensor'
import { checkBoxes, columns, widened } from './check'

/** Two corners; a corner and a size; a centre and a size. In pixels, y downwards. */
export type BoxFormat = 'xyxy' | 'xywh' | 'cxcywh'

/** Height and width in pixels. */
export type ImageSize = readonly [height: number, width: number]

const FORMATS: readonly string[] = ['xyxy', 'xywh', 'cxcywh']

/**
 * Boxes in another format, as `torchvision.ops.box_convert`.
 *
 * @param boxes `[..., 4]`
 * @throws ShapeError, ArgumentError for another shape or format
 */
export function boxConvert(boxes: Tensor, from: BoxFormat, to: BoxFormat): Tensor {
  for (const format of [from, to]) {
    if (!FORMATS.includes(format)) {
      throw new ArgumentError(`boxConvert: there is no format '${format}'; they are ${FORMATS.join(', ')}`)
    }
  }
  return tidy(() => {
    const [a, b, c, d] = columns('boxConvert', boxes)
    if (from === to) return boxes.clone()
    const corners = toCorners([a, b, c, d], from)
    return stack(to === 'xyxy' ? corners : fromCorners(corners, to), { dim: -1 })
  })
}

type Four = readonly [Tensor, Tensor, Tensor, Tensor]

function toCorners([a, b, c, d]: Four, from: BoxFormat): Four {
  if (from === 'xyxy') return [a, b, c, d]
  if (from === 'xywh') return [a, b, a.add(c), b.add(d)]
  const [halfWidth, halfHeight] = [c.mul(0.5), d.mul(0.5)]
  return [a.sub(halfWidth), b.sub(halfHeight), a.add(halfWidth), b.add(halfHeight)]
}

function fromCorners([x1, y1, x2, y2]: Four, to: BoxFormat): Four {
  const [width, height] = [x2.sub(x1), y2.sub(y1)]
  return to === 'xywh' ? [x1, y1, width, height] : [x1.add(x2).div(2), y1.add(y2).div(2), width, height]
}

/** Areas `[...]` of boxes `[..., 4]` as (x1, y1, x2, y2); short floats give float32. @throws ShapeError */
export function boxArea(boxes: Tensor): Tensor {
  return tidy(() => {
    const [x1, y1, x2, y2] = columns('boxArea', widened(boxes))
    return x2.sub(x1).mul(y2.sub(y1))
  })
}

/** Boxes `[..., 4]` as (x1, y1, x2, y2), brought inside an image. @throws ShapeError */
export function clipBoxesToImage(boxes: Tensor, [height, width]: ImageSize): Tensor {
  return tidy(() => {
    const [x1, y1, x2, y2] = columns('clipBoxesToImage', boxes)
    const [x, y] = [
      { min: 0, max: width },
      { min: 0, max: height },
    ]
    return stack([x1.clamp(x), y1.clamp(y), x2.clamp(x), y2.clamp(y)], { dim: -1 })
  })
}

/** Places `[K]` (int64) of boxes `[N, 4]` whose sides are both at least `minSize`, as `torchvision.ops.remove_small_boxes`. */
export function removeSmallBoxes(boxes: Tensor, minSize: number): Tensor {
  checkBoxes('removeSmallBoxes', 'boxes', boxes)
  return tidy(() => {
    const [x1, y1, x2, y2] = columns('removeSmallBoxes', boxes)
    const large = x2.sub(x1).ge(minSize).logicalAnd(y2.sub(y1).ge(minSize))
    return nonzero(large).squeeze(1)
  })
}

/**
 * The boxes around masks, as `torchvision.ops.masks_to_boxes`: the first and last pixel that is set, both included.
 *
 * @param masks `[N, H, W]`; what is not 0 is set
 * @returns `[N, 4]` float32 as (x1, y1, x2, y2); zeros for a mask without a pixel
 * @throws ShapeError
 */
export function masksToBoxes(masks: Tensor): Tensor {
  const { shape } = masks
  if (shape.length !== 3) throw new ShapeError(`masksToBoxes: masks are [N, H, W], got [${shape.join(', ')}]`)
  return tidy(() => {
    const set = masks.ne(0)
    const [x1, x2] = firstAndLast(set.any(1))
    const [y1, y2] = firstAndLast(set.any(2))
    return stack([x1, y1, x2, y2], { dim: 1 }).to('float32')
  })
}

/** The first and last place that is true in each row, 0 where none is. */
function firstAndLast(set: Tensor): [Tensor, Tensor] {
  const size = set.size(1)
  if (size === 0) return [set.newZeros([set.size(0)]), set.newZeros([set.size(0)])]
  const places = arange(size, { device: set.device })
  const none = set.any(1).logicalNot()
  const first = where(set, places, size).amin({ dim: 1 })
  return [first.maskedFill(none, 0), where(set, places, 0).amax({ dim: 1 })]
}
