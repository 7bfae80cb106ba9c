import type { Tensor } from '../tensor/tensor'

/** The function along the search direction. */
export interface LinePoint {
  /** How far along the direction. */
  readonly t: number
  readonly value: number
  readonly gradient: Tensor
  /** Derivative along the direction. */
  readonly slope: number
}

export interface LineSearchOptions {
  /** Evaluations at most. */
  readonly maxEvaluations: number
  /** Largest component of the direction, by which a bracket's length is told. */
  readonly directionSize: number
  /** Brackets shorter than this are not searched. */
  readonly toleranceChange: number
}

/** Sufficient decrease and curvature (Nocedal and Wright, algorithm 3.5; the constants usual for quasi-Newton). */
const DECREASE = 1e-4
const CURVATURE = 0.9

/**
 * A step that satisfies the strong Wolfe conditions, or the best one found, by bracketing and zooming with cubic
 * interpolation, as `torch.optim.LBFGS` searches.
 *
 * @param start the point at t = 0
 * @param first the length that is tried first
 */
export function strongWolfe(
  start: LinePoint,
  first: number,
  evaluate: (t: number) => LinePoint,
  { maxEvaluations, directionSize, toleranceChange }: LineSearchOptions,
): { point: LinePoint; evaluations: number } {
  const tooHigh = (point: LinePoint) => point.value > start.value + DECREASE * point.t * start.slope
  const flat = (point: LinePoint) => Math.abs(point.slope) <= -CURVATURE * start.slope

  let current = evaluate(first)
  let evaluations = 1
  let rounds = 0
  const next = (t: number) => {
    evaluations += 1
    rounds += 1
    return evaluate(t)
  }

  let previous = start
  let bracket: [LinePoint, LinePoint] | undefined
  while (rounds < maxEvaluations) {
    if (tooHigh(current) || (rounds > 1 && current.value >= previous.value) || (!flat(current) && current.slope >= 0)) {
      bracket = [previous, current]
      break
    }
    if (flat(current)) return { point: current, evaluations }
    const [least, most] = [current.t + 0.01 * (current.t - previous.t), current.t * 10]
    const t = cubicMinimum(previous, current, least, most)
    previous = current
    current = next(t)
  }

  let [low, high] = lowerFirst(...(bracket ?? [start, current]))
  let stalled = false
  while (rounds < maxEvaluations) {
    if (Math.abs(high.t - low.t) * directionSize < toleranceChange) break
    const [least, most] = [Math.min(low.t, high.t), Math.max(low.t, high.t)]
    let t = cubicMinimum(low, high, least, most)
    // A trial close to an end shrinks the bracket little: after a second one, or one at the end, move inwards.
    const margin = 0.1 * (most - least)
    if (Math.min(most - t, t - least) < margin) {
      const inwards: boolean = stalled || t >= most || t <= least
      if (inwards) t = Math.abs(t - most) < Math.abs(t - least) ? most - margin : least + margin
      stalled = !inwards
    } else {
      stalled = false
    }
    current = next(t)
    if (tooHigh(current) || current.value >= low.value) {
      ;[low, high] = lowerFirst(low, current)
    } else {
      if (flat(current)) return { point: current, evaluations }
      if (current.slope * (high.t - low.t) >= 0) high = low
      low = current
    }
  }
  return { point: low, evaluations }
}

function lowerFirst(a: LinePoint, b: LinePoint): [low: LinePoint, high: LinePoint] {
  return a.value <= b.value ? [a, b] : [b, a]
}

/** Where the cubic through two points and their slopes is smallest, within bounds; their middle if it has no minimum. */
function cubicMinimum(a: LinePoint, b: LinePoint, least: number, most: number): number {
  const [left, right] = a.t <= b.t ? [a, b] : [b, a]
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.t - b.t)
  const square = d1 * d1 - a.slope * b.slope
  if (!(square >= 0)) return (least + most) / 2
  const d2 = Math.sqrt(square)
  const share = (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
  return Math.min(Math.max(right.t - (right.t - left.t) * share, least), most)
}
