import { ArgumentError, ShapeError } from '../native/errors'
import { knn } from '../ops'
import { eye, noGrad, type Tensor } from '../tensor'
import { dispose, keep, tidy } from '../tensor/scope'
import { checkSizes } from './check'
import { alignmentMatrix, alignPoints, composeTransforms, transformPoints } from './rigid'

export interface IcpOptions {
  /** Where the search begins, `[4, 4]`; no movement unless given. */
  readonly initial?: Tensor | undefined
  /** Farthest that partners may be apart; any distance unless given. */
  readonly maxDistance?: number | undefined
  /** Most rounds; default 50. */
  readonly iterations?: number
  /** Ends when the root of the mean squared distance changes by less of itself; default 1e-6. */
  readonly tolerance?: number
}

export interface Registration {
  /** Moves the source onto the target, `[4, 4]`. */
  readonly transform: Tensor
  /** Root of the mean squared distance between partners. */
  readonly rmse: number
  /** Share of the source's points with a partner. */
  readonly fitness: number
  readonly rounds: number
}

/**
 * Moves a cloud onto another by turns of finding partners and aligning them (iterative closest points; Besl and McKay,
 * PAMI 1992). It finds the nearest good place only: begin near.
 *
 * @param source `[N, 3]`
 * @param target `[M, 3]`
 * @throws ArgumentError when fewer than three points have partners within `maxDistance`
 */
export function iterativeClosestPoints(source: Tensor, target: Tensor, options: IcpOptions = {}): Registration {
  const { maxDistance = Number.POSITIVE_INFINITY, iterations = 50, tolerance = 1e-6 } = options
  checkSizes('iterativeClosestPoints', 'source', source, [-1, 3])
  checkSizes('iterativeClosestPoints', 'target', target, [-1, 3])
  if (source.size(0) < 3 || target.size(0) < 1) {
    throw new ShapeError(
      `iterativeClosestPoints: source [${source.shape}], target [${target.shape}]; the source needs three points`,
    )
  }
  if (!(maxDistance > 0) || !Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ArgumentError(
      `iterativeClosestPoints: maxDistance ${maxDistance}, iterations ${iterations}; both are above 0`,
    )
  }
  return tidy(() =>
    noGrad(() => {
      const { dtype, device } = source
      let transform = (options.initial ?? eye(4, { dtype, device })).clone()
      let [rmse, fitness, rounds] = [Number.POSITIVE_INFINITY, 0, 0]
      for (; rounds < iterations; rounds++) {
        const before = rmse
        const next = tidy(() => step(source, target, transform, maxDistance))
        dispose(transform)
        transform = keep(next.transform)
        ;({ rmse, fitness } = next)
        if (rmse === 0 || Math.abs(before - rmse) <= tolerance * rmse) break
      }
      return { transform, rmse, fitness, rounds: Math.min(rounds + 1, iterations) }
    }),
  )
}

function step(source: Tensor, target: Tensor, transform: Tensor, maxDistance: number) {
  const moved = transformPoints(transform, source)
  const { distances, indices } = knn(moved.unsqueeze(0), target.unsqueeze(0), 1)
  const squares = distances.reshape([-1])
  const weights = squares.le(maxDistance ** 2).to(source.dtype)
  const count = weights.sum().toNumber()
  if (count < 3) {
    throw new ArgumentError(
      `iterativeClosestPoints: ${count} points have a partner within ${maxDistance}; three are needed, begin nearer or allow more`,
    )
  }
  const partners = target.indexSelect(0, indices.reshape([-1]))
  const change = alignmentMatrix(alignPoints(moved, partners, { weights }))
  return {
    transform: composeTransforms(change, transform),
    rmse: Math.sqrt(squares.mul(weights).sum().toNumber() / count),
    fitness: count / source.size(0),
  }
}
