import { stack } from '../tensor/ops.generated'
import {
  _foreachAdd,
  _foreachAdd_,
  _foreachAddcmul_,
  _foreachMul,
  _foreachMul_,
  _foreachNeg,
  _foreachSub_,
} from '../tensor/private-ops.generated'
import type { Tensor } from '../tensor/tensor'
import type { Batch } from './batch'

// What several optimisers share. Numbers that change from step to step are computed by operators from the counts in the
// state, never by JavaScript: a captured step would go on with the numbers of the step that was recorded.

/** The gradients of what is to be minimised, with the pull of weight decay towards zero added (L2 penalty). */
export function descentGradients(batch: Batch, maximize: boolean, weightDecay: number): Tensor[] {
  const grads = maximize ? _foreachNeg(batch.grads) : batch.grads
  return weightDecay === 0 ? grads : _foreachAdd(grads, batch.params, { alpha: weightDecay })
}

/** Subtracts `lr` times the updates from the parameters. The updates are left as they are. */
export function descend(params: readonly Tensor[], updates: readonly Tensor[], lr: number | Tensor): void {
  if (typeof lr === 'number') _foreachAdd_(params, updates, { alpha: -lr })
  else _foreachSub_(params, _foreachMul(updates, lr))
}

/** Shrinks the parameters by `lr * weightDecay` of themselves (decoupled weight decay). */
export function decay(params: readonly Tensor[], weightDecay: number, lr: number | Tensor): void {
  if (weightDecay === 0) return
  if (typeof lr === 'number') _foreachMul_(params, 1 - lr * weightDecay)
  else _foreachMul_(params, lr.mul(-weightDecay).add(1))
}

/** Running averages of squares: `average = beta * average + (1 - beta) * value²`. */
export function averageSquares(averages: readonly Tensor[], values: readonly Tensor[], beta: number): void {
  _foreachMul_(averages, beta)
  _foreachAddcmul_(averages, values, values, { value: 1 - beta })
}

/** Counts a step and gives the counts as one float64 vector, an element for each parameter. */
export function countSteps(batch: Batch): Tensor {
  const steps = batch.state('step')
  _foreachAdd_(steps, 1)
  return stack(steps).to('float64')
}
