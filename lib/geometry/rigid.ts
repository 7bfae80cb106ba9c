// Movements of bodies, and those between two sets of points.
import { ArgumentError, ShapeError } from '../native/errors'
import { broadcastTensors, cat, linalgDet, linalgSvd, onesLike, type Tensor, zerosLike } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkEnds } from './check'

/**
 * A matrix of homogeneous coordinates, as `[..., 4, 4]`.
 *
 * @param rotation `[..., 3, 3]`
 * @param translation `[..., 3]`
 */
export function rigidTransform(rotation: Tensor, translation: Tensor): Tensor {
  checkEnds('rigidTransform', 'rotation', rotation, [3, 3])
  checkEnds('rigidTransform', 'translation', translation, [3])
  return tidy(() => {
    const [turn, move] = broadcastTensors([rotation, translation.unsqueeze(-1)]) as [Tensor, Tensor]
    const top = cat([turn, move.narrow(-1, 0, 1)], { dim: -1 })
    const row = top.narrow(-2, 0, 1)
    const bottom = cat([zerosLike(row.narrow(-1, 0, 3)), onesLike(row.narrow(-1, 3, 1))], { dim: -1 })
    return cat([top, bottom], { dim: -2 })
  })
}

/** First the last, then those before it: the product of matrices `[..., 4, 4]`. @throws ArgumentError without any */
export function composeTransforms(...transforms: readonly Tensor[]): Tensor {
  if (transforms.length === 0) throw new ArgumentError('composeTransforms: there are no transforms; pass one or more')
  for (const transform of transforms) checkEnds('composeTransforms', 'transform', transform, [4, 4])
  return tidy(() => {
    const product = transforms.reduce((first, second) => first.matmul(second))
    return transforms.length === 1 ? product.clone() : product
  })
}

/**
 * The way back of a movement without scale, exactly: Rᵀ and −Rᵀ · t.
 *
 * @param transform `[..., 4, 4]`
 */
export function invertRigid(transform: Tensor): Tensor {
  checkEnds('invertRigid', 'transform', transform, [4, 4])
  return tidy(() => {
    const back = transform.narrow(-2, 0, 3).narrow(-1, 0, 3).transpose(-1, -2)
    const translation = transform.narrow(-2, 0, 3).narrow(-1, 3, 1)
    return rigidTransform(back, back.matmul(translation).squeeze(-1).neg())
  })
}

/**
 * Points through matrices of homogeneous coordinates; the last row is taken to be 0, 0, 0, 1.
 *
 * @param transform `[..., 4, 4]`
 * @param points `[..., N, 3]`; the leading dimensions broadcast
 */
export function transformPoints(transform: Tensor, points: Tensor): Tensor {
  checkEnds('transformPoints', 'transform', transform, [4, 4])
  checkEnds('transformPoints', 'points', points, [-1, 3])
  return tidy(() => {
    const turned = points.matmul(transform.narrow(-2, 0, 3).narrow(-1, 0, 3).transpose(-1, -2))
    return turned.add(transform.narrow(-2, 0, 3).select(-1, 3).unsqueeze(-2))
  })
}

export interface AlignmentOptions {
  /** How much each point counts, `[..., N]`, not negative; all alike unless given. */
  readonly weights?: Tensor | undefined
  /** Finds a factor too; default false. */
  readonly scale?: boolean
  /** Allows a mirror image where it fits better; default false. */
  readonly reflection?: boolean
}

/** `scale · rotation · from + translation ≈ to`. */
export interface Alignment {
  /** `[..., D, D]`. */
  readonly rotation: Tensor
  /** `[..., D]`. */
  readonly translation: Tensor
  /** `[...]`, 1 unless it was asked for. */
  readonly scale: Tensor
}

/**
 * The movement of least squares between points in pairs (Kabsch 1976; with `scale` Umeyama, PAMI 1991). It has
 * gradients where the points do not lie in a line (in space) or in one place.
 *
 * @param from `[..., N, D]`, float32 or float64
 * @param to the same points elsewhere, of the same shape
 * @throws ShapeError when shapes differ, or there are no points
 */
export function alignPoints(from: Tensor, to: Tensor, options: AlignmentOptions = {}): Alignment {
  const { weights, scale = false, reflection = false } = options
  checkPairs(from, to, weights)
  return tidy(() => {
    const shares =
      weights === undefined ? undefined : weights.div(weights.sum({ dim: [-1], keepdim: true })).unsqueeze(-1)
    const meanOf = (points: Tensor) =>
      shares === undefined
        ? points.mean({ dim: [-2], keepdim: true })
        : points.mul(shares).sum({ dim: [-2], keepdim: true })
    const [fromMean, toMean] = [meanOf(from), meanOf(to)]
    const [source, target] = [from.sub(fromMean), to.sub(toMean)]
    const weighed = shares === undefined ? source.div(from.size(-2)) : source.mul(shares)
    const [u, s, v] = linalgSvd(target.transpose(-1, -2).matmul(weighed))
    const mirrored = linalgDet(u.detach()).mul(linalgDet(v.detach())).lt(0)
    const ones = onesLike(s.detach())
    const last = ones.narrow(-1, 0, 1).maskedFill(mirrored.unsqueeze(-1), reflection ? 1 : -1)
    const signs = cat([ones.narrow(-1, 0, from.size(-1) - 1), last], { dim: -1 })
    const rotation = u.mul(signs.unsqueeze(-2)).matmul(v)
    const spread = weighed.mul(source).sum({ dim: [-2, -1] })
    const factor = scale
      ? s
          .mul(signs)
          .sum({ dim: [-1] })
          .div(spread)
      : onesLike(spread.detach())
    const moved = rotation.matmul(fromMean.transpose(-1, -2)).squeeze(-1).mul(factor.unsqueeze(-1))
    return { rotation, translation: toMean.squeeze(-2).sub(moved), scale: factor }
  })
}

function checkPairs(from: Tensor, to: Tensor, weights: Tensor | undefined): void {
  checkEnds('alignPoints', 'from', from, [-1, -1])
  checkEnds('alignPoints', 'to', to, [-1, -1])
  if (String(from.shape) !== String(to.shape)) {
    throw new ShapeError(`alignPoints: from is [${from.shape}], to is [${to.shape}]; points in pairs have one shape`)
  }
  if (from.size(-2) < 1 || from.size(-1) < 1) {
    throw new ShapeError(`alignPoints: from is [${from.shape}]; it needs at least one point [..., N, D]`)
  }
  if (weights !== undefined && String(weights.shape) !== String(from.shape.slice(0, -1))) {
    throw new ShapeError(
      `alignPoints: weights are [${weights.shape}]; for points [${from.shape}] they are [${from.shape.slice(0, -1)}]`,
    )
  }
}

/** An alignment of points in space as a matrix `[..., 4, 4]`. */
export function alignmentMatrix({ rotation, translation, scale }: Alignment): Tensor {
  return tidy(() => rigidTransform(rotation.mul(scale.unsqueeze(-1).unsqueeze(-1)), translation))
}
