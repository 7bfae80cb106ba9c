import { pow, where, zerosLike } from '../tensor/ops.generated'
import {
  _foreachAdd_,
  _foreachDiv,
  _foreachLerp_,
  _foreachMul_,
  _foreachReciprocal_,
  _foreachSqrt,
} from '../tensor/private-ops.generated'
import type { Batch } from './batch'
import { Optimizer } from './optimizer'
import {
  type BaseOptions,
  checkBetas,
  checkFlag,
  checkNumber,
  type OptionsOf,
  type ParamGroup,
  type Params,
  withDefaults,
} from './param-group'
import { averageSquares, countSteps, decay, descend, descentGradients } from './update-rules'

export interface RAdamOptions extends BaseOptions {
  /** Decay of the averages of gradients and of their squares. */
  betas: readonly [number, number]
  eps: number
  weightDecay: number
  /** Weight decay as in AdamW instead of an L2 penalty. */
  decoupledWeightDecay: boolean
  /** Ascends instead of descending. */
  maximize: boolean
}

/**
 * Rectified Adam (Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020), as
 * `torch.optim.RAdam`: momentum alone in the first steps, while the average of squares says little.
 */
export class RAdam extends Optimizer<RAdamOptions> {
  constructor(params: Params<RAdamOptions>, options: OptionsOf<RAdamOptions> = {}) {
    super(
      params,
      withDefaults('RAdam', options, {
        lr: 1e-3,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weightDecay: 0,
        decoupledWeightDecay: false,
        maximize: false,
      }),
    )
  }

  protected override checkOptions(options: RAdamOptions): void {
    checkBetas('RAdam', options.betas)
    checkNumber('RAdam', 'eps', options.eps)
    checkNumber('RAdam', 'weightDecay', options.weightDecay)
    checkFlag('RAdam', 'decoupledWeightDecay', options.decoupledWeightDecay)
    checkFlag('RAdam', 'maximize', options.maximize)
  }

  protected override stateNames(): readonly string[] {
    return ['step', 'exp_avg', 'exp_avg_sq']
  }

  protected override update(batch: Batch, group: ParamGroup<RAdamOptions>): void {
    const { lr, betas, eps, weightDecay, decoupledWeightDecay, maximize } = group
    const [beta1, beta2] = betas
    const steps = countSteps(batch)
    if (decoupledWeightDecay) decay(batch.params, weightDecay, lr)
    const gradients = descentGradients(batch, maximize, decoupledWeightDecay ? 0 : weightDecay)
    const [averages, squares] = [batch.state('exp_avg'), batch.state('exp_avg_sq')]
    _foreachLerp_(averages, gradients, 1 - beta1)
    averageSquares(squares, gradients, beta2)

    // Length of the simple moving average that the average of squares stands for (the paper's ρ).
    const longest = 2 / (1 - beta2) - 1
    const correction = pow(beta2, steps).neg().add(1)
    const length = steps.mul(pow(beta2, steps)).mul(-2).div(correction).add(longest)
    const rectified = length.gt(5)
    const rectification = length
      .sub(4)
      .mul(length.sub(2))
      .mul(longest)
      .div(length.mul((longest - 4) * (longest - 2)))
      .mul(correction)
      .sqrt()
    const zero = zerosLike(length)

    // Both cases as one, scale / (√v + eps) + constant: which one holds is a matter of the count, not of the code.
    const factors = _foreachSqrt(squares)
    _foreachAdd_(factors, eps)
    _foreachReciprocal_(factors)
    _foreachMul_(factors, where(rectified, rectification, zero).unbind())
    _foreachAdd_(factors, where(rectified, zero, zero.add(1)).unbind())
    const updates = _foreachDiv(averages, pow(beta1, steps).neg().add(1).unbind())
    _foreachMul_(updates, factors)
    descend(batch.params, updates, lr)
  }
}
