// Boxes as what a network predicts, relative to boxes that it starts from.
import { ShapeError } from '../../native/errors'
import { cat, stack } from '../../tensor'
import { tidy } from '../../tensor/scope'
import type { Tensor } from '../../tensor/tensor'
import { checkBoxes, columns } from './check'

export type BoxWeights = readonly [x: number, y: number, width: number, height: number]

/**
 * Boxes as shifts of the centre in sizes of a reference and logarithms of the ratio of sizes (Girshick et al., CVPR
 * 2014), times weights.
 */
export class BoxCoder {
  /** @param largest change of size's logarithm that `decode` allows: a box no more than 1000/16 times its reference */
  constructor(
    readonly weights: BoxWeights,
    readonly largest = Math.log(1000 / 16),
  ) {}

  /**
   * @param boxes `[N, 4]` as (x1, y1, x2, y2)
   * @param references `[N, 4]`
   * @returns `[N, 4]`
   * @throws ShapeError
   */
  encode(boxes: Tensor, references: Tensor): Tensor {
    checkBoxes('BoxCoder.encode', 'boxes', boxes)
    checkBoxes('BoxCoder.encode', 'references', references)
    return tidy(() => {
      const [wx, wy, ww, wh] = this.weights
      const [box, from] = [centred(boxes), centred(references)]
      return stack(
        [
          box.x.sub(from.x).mul(wx).div(from.width),
          box.y.sub(from.y).mul(wy).div(from.height),
          box.width.div(from.width).log().mul(ww),
          box.height.div(from.height).log().mul(wh),
        ],
        { dim: 1 },
      )
    })
  }

  /**
   * @param codes `[N, 4 · K]`, K codes for each reference
   * @param references `[N, 4]`
   * @returns `[N, K, 4]`
   * @throws ShapeError
   */
  decode(codes: Tensor, references: Tensor): Tensor {
    checkBoxes('BoxCoder.decode', 'references', references)
    checkCodes('BoxCoder.decode', codes, references)
    return tidy(() => {
      const [wx, wy, ww, wh] = this.weights
      const [x, y, w, h] = columns('BoxCoder.decode', codes.reshape([codes.size(0), codes.size(1) / 4, 4]))
      const from = centred(references.to(codes.dtype).unsqueeze(1))
      const centreX = x.div(wx).mul(from.width).add(from.x)
      const centreY = y.div(wy).mul(from.height).add(from.y)
      const halfWidth = w.div(ww).clamp({ max: this.largest }).exp().mul(from.width).mul(0.5)
      const halfHeight = h.div(wh).clamp({ max: this.largest }).exp().mul(from.height).mul(0.5)
      const corners = [centreX.sub(halfWidth), centreY.sub(halfHeight), centreX.add(halfWidth), centreY.add(halfHeight)]
      return stack(corners, { dim: -1 })
    })
  }
}

/** Boxes as the distances of their sides from a reference's centre (FCOS: Tian et al., ICCV 2019), in its sizes. */
export class BoxLinearCoder {
  constructor(readonly normalizeBySize = true) {}

  /** @returns `[..., 4]`: distances to the left, top, right and bottom */
  encode(boxes: Tensor, references: Tensor): Tensor {
    return tidy(() => {
      const [x1, y1, x2, y2] = columns('BoxLinearCoder.encode', boxes)
      const { x, y, sizes } = this.#references(references)
      const distances = stack([x.sub(x1), y.sub(y1), x2.sub(x), y2.sub(y)], { dim: -1 })
      return this.normalizeBySize ? distances.div(sizes) : distances
    })
  }

  /** @returns `[..., 4]` as (x1, y1, x2, y2) */
  decode(codes: Tensor, references: Tensor): Tensor {
    return tidy(() => {
      const { x, y, sizes } = this.#references(references.to(codes.dtype))
      const distances = this.normalizeBySize ? codes.mul(sizes) : codes
      const [left, top, right, bottom] = columns('BoxLinearCoder.decode', distances, 'codes')
      return stack([x.sub(left), y.sub(top), x.add(right), y.add(bottom)], { dim: -1 })
    })
  }

  #references(references: Tensor): { x: Tensor; y: Tensor; sizes: Tensor } {
    const [x1, y1, x2, y2] = columns('BoxLinearCoder', references, 'references')
    const size = stack([x2.sub(x1), y2.sub(y1)], { dim: -1 })
    return { x: x1.add(x2).mul(0.5), y: y1.add(y2).mul(0.5), sizes: cat([size, size], { dim: -1 }) }
  }
}

function centred(boxes: Tensor): { x: Tensor; y: Tensor; width: Tensor; height: Tensor } {
  const [x1, y1, x2, y2] = columns('BoxCoder', boxes)
  const [width, height] = [x2.sub(x1), y2.sub(y1)]
  return { x: x1.add(width.mul(0.5)), y: y1.add(height.mul(0.5)), width, height }
}

function checkCodes(caller: string, codes: Tensor, references: Tensor): void {
  const { shape } = codes
  if (shape.length === 2 && shape[0] === references.size(0) && (shape[1] ?? 0) % 4 === 0) return
  throw new ShapeError(
    `${caller}: codes are [N, 4 K] for references [N, 4], got [${shape.join(', ')}] and [${references.shape.join(', ')}]`,
  )
}
