import {
  _foreachAdd_,
  _foreachAddcdiv_,
  _foreachAddcmul,
  _foreachDiv,
  _foreachLerp_,
  _foreachMul_,
  _foreachSqrt,
  _foreachSqrt_,
} from '../tensor/private-ops.generated'
import type { Tensor } from '../tensor/tensor'
import type { Batch } from './batch'
import { Optimizer } from './optimizer'
import {
  type BaseOptions,
  checkFlag,
  checkNumber,
  type OptionsOf,
  type ParamGroup,
  type Params,
  withDefaults,
} from './param-group'
import { averageSquares, descend, descentGradients } from './update-rules'

export interface RMSpropOptions extends BaseOptions {
  momentum: number
  /** Decay of the average of squares. */
  alpha: number
  eps: number
  /** Divides by the standard deviation: the average gradient is taken off (Graves 2013). */
  centered: boolean
  /** L2 penalty. */
  weightDecay: number
  /** Ascends instead of descending. */
  maximize: boolean
}

/**
 * RMSprop (Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012; centred: Graves,
 * "Generating Sequences With Recurrent Neural Networks", 2013), as `torch.optim.RMSprop`.
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: Params<RMSpropOptions>, options: OptionsOf<RMSpropOptions> = {}) {
    super(
      params,
      withDefaults('RMSprop', options, {
        lr: 1e-2,
        momentum: 0,
        alpha: 0.99,
        eps: 1e-8,
        centered: false,
        weightDecay: 0,
        maximize: false,
      }),
    )
  }

  protected override checkOptions(options: RMSpropOptions): void {
    checkNumber('RMSprop', 'momentum', options.momentum)
    checkNumber('RMSprop', 'alpha', options.alpha)
    checkNumber('RMSprop', 'eps', options.eps)
    checkNumber('RMSprop', 'weightDecay', options.weightDecay)
    checkFlag('RMSprop', 'centered', options.centered)
    checkFlag('RMSprop', 'maximize', options.maximize)
  }

  protected override stateNames({ momentum, centered }: RMSpropOptions): readonly string[] {
    return ['step', 'square_avg', ...(momentum > 0 ? ['momentum_buffer'] : []), ...(centered ? ['grad_avg'] : [])]
  }

  protected override update(batch: Batch, group: ParamGroup<RMSpropOptions>): void {
    const { lr, momentum, alpha, eps, weightDecay, maximize } = group
    _foreachAdd_(batch.state('step'), 1)
    const gradients = descentGradients(batch, maximize, weightDecay)
    averageSquares(batch.state('square_avg'), gradients, alpha)
    const roots = group.centered ? deviations(batch, gradients, alpha) : _foreachSqrt(batch.state('square_avg'))
    _foreachAdd_(roots, eps)
    if (momentum === 0) {
      descend(batch.params, _foreachDiv(gradients, roots), lr)
      return
    }
    const buffers = batch.state('momentum_buffer')
    _foreachMul_(buffers, momentum)
    _foreachAddcdiv_(buffers, gradients, roots)
    descend(batch.params, buffers, lr)
  }
}

function deviations(batch: Batch, gradients: readonly Tensor[], alpha: number): Tensor[] {
  const averages = batch.state('grad_avg')
  _foreachLerp_(averages, gradients, 1 - alpha)
  const variances = _foreachAddcmul(batch.state('square_avg'), averages, averages, { value: -1 })
  _foreachSqrt_(variances)
  return variances
}
