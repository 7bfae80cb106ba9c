import { ones } from '../tensor/creation'
import { pow, stack } from '../tensor/ops.generated'
import { _foreachAdd_, _foreachDiv, _foreachLerp_, _foreachMul_, _foreachSqrt_ } from '../tensor/private-ops.generated'
import type { Tensor } from '../tensor/tensor'
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

export interface NAdamOptions extends BaseOptions {
  /** Decay of the averages of gradients and of their squares. */
  betas: readonly [number, number]
  eps: number
  weightDecay: number
  /** How fast the momentum grows to `betas[0]`. */
  momentumDecay: number
  /** Weight decay as in AdamW instead of an L2 penalty. */
  decoupledWeightDecay: boolean
  /** Ascends instead of descending. */
  maximize: boolean
}

/** Adam with Nesterov momentum (Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016), as `torch.optim.NAdam`. */
export class NAdam extends Optimizer<NAdamOptions> {
  constructor(params: Params<NAdamOptions>, options: OptionsOf<NAdamOptions> = {}) {
    super(
      params,
      withDefaults('NAdam', options, {
        lr: 2e-3,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weightDecay: 0,
        momentumDecay: 4e-3,
        decoupledWeightDecay: false,
        maximize: false,
      }),
    )
  }

  protected override checkOptions(options: NAdamOptions): void {
    checkBetas('NAdam', options.betas)
    checkNumber('NAdam', 'eps', options.eps)
    checkNumber('NAdam', 'weightDecay', options.weightDecay)
    checkNumber('NAdam', 'momentumDecay', options.momentumDecay)
    checkFlag('NAdam', 'decoupledWeightDecay', options.decoupledWeightDecay)
    checkFlag('NAdam', 'maximize', options.maximize)
  }

  protected override stateNames(): readonly string[] {
    return ['step', 'mu_product', 'exp_avg', 'exp_avg_sq']
  }

  protected override initialState(name: string, parameter: Tensor, group: ParamGroup<NAdamOptions>): Tensor {
    if (name === 'mu_product') return ones([], { device: parameter.device })
    return super.initialState(name, parameter, group)
  }

  protected override update(batch: Batch, group: ParamGroup<NAdamOptions>): void {
    const { lr, betas, eps, weightDecay, momentumDecay, decoupledWeightDecay, maximize } = group
    const [beta1, beta2] = betas
    const steps = countSteps(batch)
    if (decoupledWeightDecay) decay(batch.params, weightDecay, lr)
    const gradients = descentGradients(batch, maximize, decoupledWeightDecay ? 0 : weightDecay)
    const [averages, squares, products] = [batch.state('exp_avg'), batch.state('exp_avg_sq'), batch.state('mu_product')]
    _foreachLerp_(averages, gradients, 1 - beta1)
    averageSquares(squares, gradients, beta2)

    const mu = momentum(steps, beta1, momentumDecay)
    const nextMu = momentum(steps.add(1), beta1, momentumDecay)
    // The product is a float32, also in PyTorch: rounding it elsewhere would give other numbers.
    _foreachMul_(products, mu.to('float32').unbind())
    const product = stack(products).to('float64')

    const roots = _foreachDiv(squares, pow(beta2, steps).neg().add(1).unbind())
    _foreachSqrt_(roots)
    _foreachAdd_(roots, eps)
    const ofGradients = _foreachDiv(gradients, roots)
    _foreachMul_(ofGradients, mu.neg().add(1).div(product.neg().add(1)).unbind())
    const ofAverages = _foreachDiv(averages, roots)
    _foreachMul_(ofAverages, nextMu.div(product.mul(nextMu).neg().add(1)).unbind())
    _foreachAdd_(ofGradients, ofAverages)
    descend(batch.params, ofGradients, lr)
  }
}

/** Momentum at these steps: `beta1 · (1 − 0.5 · 0.96^(step · decay))`. */
function momentum(steps: Tensor, beta1: number, momentumDecay: number): Tensor {
  return pow(0.96, steps.mul(momentumDecay)).mul(-0.5).add(1).mul(beta1)
}
