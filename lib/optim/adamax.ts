import { pow } from '../tensor/ops.generated'
import {
  _foreachAbs,
  _foreachAdd_,
  _foreachDiv,
  _foreachDiv_,
  _foreachLerp_,
  _foreachMaximum_,
  _foreachMul_,
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
import { countSteps, descend, descentGradients } from './update-rules'

export interface AdamaxOptions extends BaseOptions {
  /** Decay of the average of gradients and of their largest size. */
  betas: readonly [number, number]
  eps: number
  /** L2 penalty. */
  weightDecay: number
  /** Ascends instead of descending. */
  maximize: boolean
}

/** Adam by the infinity norm (Kingma and Ba 2015, section 7.1), as `torch.optim.Adamax`. */
export class Adamax extends Optimizer<AdamaxOptions> {
  constructor(params: Params<AdamaxOptions>, options: OptionsOf<AdamaxOptions> = {}) {
    super(
      params,
      withDefaults('Adamax', options, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false }),
    )
  }

  protected override checkOptions({ betas, eps, weightDecay, maximize }: AdamaxOptions): void {
    checkBetas('Adamax', betas)
    checkNumber('Adamax', 'eps', eps)
    checkNumber('Adamax', 'weightDecay', weightDecay)
    checkFlag('Adamax', 'maximize', maximize)
  }

  protected override stateNames(): readonly string[] {
    return ['step', 'exp_avg', 'exp_inf']
  }

  protected override update(batch: Batch, group: ParamGroup<AdamaxOptions>): void {
    const { lr, betas, eps, weightDecay, maximize } = group
    const [beta1, beta2] = betas
    const steps = countSteps(batch)
    const gradients = descentGradients(batch, maximize, weightDecay)
    const [averages, largest] = [batch.state('exp_avg'), batch.state('exp_inf')]
    _foreachLerp_(averages, gradients, 1 - beta1)
    const sizes = _foreachAbs(gradients)
    _foreachAdd_(sizes, eps)
    _foreachMul_(largest, beta2)
    _foreachMaximum_(largest, sizes)
    const updates = _foreachDiv(averages, largest)
    _foreachDiv_(updates, pow(beta1, steps).neg().add(1).unbind())
    descend(batch.params, updates, lr)
  }
}
