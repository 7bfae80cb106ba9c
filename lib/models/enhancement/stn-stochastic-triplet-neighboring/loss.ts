import type { Tensor } from '../../../tensor'

/** The two terms of Eq. 7, each a mean, and their weighted sum. */
export interface StnLoss {
  readonly loss: Tensor
  readonly reconstruction: Tensor
  readonly regularisation: Tensor
}

/**
 * Eq. 7: mean (f(y1) − sm)² + γ · mean (f(y1) − sm − gap)². Its gradient with respect to the output is
 * 2/n · [(1 + γ)(output − mixed) − γ · gap].
 *
 * @param output f(y1), `[B, C, h, w]`
 * @param mixed sm
 * @param gap r1 − sm′
 * @param weight γ
 */
export function stnLoss(output: Tensor, mixed: Tensor, gap: Tensor, weight: Tensor | number): StnLoss {
  const error = output.sub(mixed)
  const reconstruction = error.square().mean()
  const regularisation = error.sub(gap).square().mean()
  return { loss: reconstruction.add(regularisation.mul(weight)), reconstruction, regularisation }
}
