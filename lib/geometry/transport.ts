// How far the mass of one cloud must be carried to become another.
import { ArgumentError, ShapeError } from '../native/errors'
import { cdist, type Tensor, tensor, zeros } from '../tensor'
import { tidy } from '../tensor/scope'
import { linearSumAssignment } from './assignment'
import { checkEnds, checkSizes } from './check'

export interface EarthMoversOptions {
  /** Squared distances are summed; default false. */
  readonly squared?: boolean
}

export interface EarthMovers {
  /** `[B]`: the mean over the points of the distance to their partners. */
  readonly distance: Tensor
  /** Partners of the first cloud's points in the second, int64 `[B, N]`. */
  readonly assignment: Tensor<'int64'>
}

/**
 * Earth mover's distance of clouds with equally many points, by the cheapest pairing, exactly (Rubner et al., IJCV 2000;
 * Fan, Su, Guibas, CVPR 2017). It takes N³ steps, a second for a thousand or so points; larger clouds are for
 * `sinkhornDistance`. It has gradients by both clouds, of pairs that are fixed.
 *
 * @param first `[B, N, D]`
 * @param second of the same shape
 */
export function earthMoversDistance(
  first: Tensor,
  second: Tensor,
  { squared = false }: EarthMoversOptions = {},
): EarthMovers {
  checkSizes('earthMoversDistance', 'first', first, [-1, -1, -1])
  if (String(first.shape) !== String(second.shape) || first.size(1) < 1) {
    throw new ShapeError(
      `earthMoversDistance: the clouds are [${first.shape}] and [${second.shape}]; both are [B, N, D] with N from 1`,
    )
  }
  return tidy(() => {
    const costs = distances(first.detach(), second.detach(), squared)
    const partners = Array.from({ length: first.size(0) }, (_, b) => linearSumAssignment(costs.select(0, b)).columns)
    const flat = BigInt64Array.from(partners.flat(), BigInt)
    const assignment = tensor(flat, { shape: [first.size(0), first.size(1)], device: first.device }) as Tensor<'int64'>
    const chosen = second.gather(1, assignment.unsqueeze(-1).expand(second.shape))
    const squares = first
      .sub(chosen)
      .square()
      .sum({ dim: [-1] })
    if (squared) return { distance: squares.mean({ dim: [1] }), assignment }
    // The root of 0 has no gradient.
    const apart = squares.maskedFill(squares.eq(0), 1).sqrt().mul(squares.ne(0).to(squares.dtype))
    return { distance: apart.mean({ dim: [1] }), assignment }
  })
}

export interface SinkhornOptions {
  /** How far the plan may spread, in the unit of the costs; smaller is nearer to the least cost and slower. Default 0.05. */
  readonly epsilon?: number
  /** Most rounds; default 100. */
  readonly iterations?: number
  /** Ends when no potential changes by more, in the unit of the costs; 0 (default) does all rounds, which can be captured. */
  readonly tolerance?: number
  /** Masses of the rows `[..., N]`, above 0 with the sum 1; all alike unless given. */
  readonly rowMass?: Tensor | undefined
  /** Of the columns, `[..., M]`. */
  readonly columnMass?: Tensor | undefined
}

export interface Transport {
  /** `[..., N, M]`: how much goes from each row to each column. */
  readonly plan: Tensor
  /** `[...]`: the sum of plan · costs. */
  readonly cost: Tensor
}

/**
 * Transport with entropy (Cuturi, NeurIPS 2013), in logarithms, so that a small epsilon does not underflow. Its gradient
 * goes through all rounds.
 *
 * @param costs `[..., N, M]`
 */
export function sinkhorn(costs: Tensor, options: SinkhornOptions = {}): Transport {
  const { epsilon = 0.05, iterations = 100, tolerance = 0, rowMass, columnMass } = options
  checkEnds('sinkhorn', 'costs', costs, [-1, -1])
  if (!(epsilon > 0) || !Number.isSafeInteger(iterations) || iterations < 1 || !(tolerance >= 0)) {
    throw new ArgumentError(
      `sinkhorn: epsilon ${epsilon}, iterations ${iterations}, tolerance ${tolerance}; epsilon is above 0, iterations from 1, tolerance from 0`,
    )
  }
  const [rows, columns] = [costs.size(-2), costs.size(-1)]
  checkMass('rowMass', rowMass, costs.shape.slice(0, -1))
  checkMass('columnMass', columnMass, costs.shape.toSpliced(-2, 1))
  return tidy(() => {
    const { dtype, device } = costs
    const logRows = rowMass?.log() ?? zeros([rows], { dtype, device }).sub(Math.log(rows))
    const logColumns = columnMass?.log() ?? zeros([columns], { dtype, device }).sub(Math.log(columns))
    const scaled = costs.div(-epsilon)
    let right = zeros([...costs.shape.slice(0, -2), columns], { dtype, device })
    let left = zeros([...costs.shape.slice(0, -2), rows], { dtype, device })
    for (let round = 0; round < iterations; round++) {
      const before = left
      left = logRows.sub(scaled.add(right.unsqueeze(-2)).logsumexp(-1))
      right = logColumns.sub(scaled.add(left.unsqueeze(-1)).logsumexp(-2))
      if (tolerance === 0 || round === 0) continue
      if (left.detach().sub(before.detach()).abs().max().toNumber() * epsilon <= tolerance) break
    }
    const plan = scaled.add(left.unsqueeze(-1)).add(right.unsqueeze(-2)).exp()
    return { plan, cost: plan.mul(costs).sum({ dim: [-2, -1] }) }
  })
}

/**
 * `sinkhorn` of the squared distances between clouds of any sizes.
 *
 * @param first `[..., N, D]`
 * @param second `[..., M, D]`
 * @returns cost `[...]`: the mean squared way of the mass
 */
export function sinkhornDistance(first: Tensor, second: Tensor, options: SinkhornOptions = {}): Transport {
  checkEnds('sinkhornDistance', 'first', first, [-1, -1])
  checkEnds('sinkhornDistance', 'second', second, [-1, first.size(-1)])
  return tidy(() => sinkhorn(distances(first, second, true), options))
}

function distances(first: Tensor, second: Tensor, squared: boolean): Tensor {
  if (squared)
    return first
      .unsqueeze(-2)
      .sub(second.unsqueeze(-3))
      .square()
      .sum({ dim: [-1] })
  // By differences, not by products, which lose the digits of small distances.
  return cdist(first, second, { p: 2, computeMode: 2 })
}

function checkMass(name: string, mass: Tensor | undefined, shape: readonly number[]): void {
  if (mass === undefined || mass.size(-1) === shape.at(-1)) return
  throw new ShapeError(`sinkhorn: ${name} is [${mass.shape}]; for these costs it is [${shape}]`)
}
