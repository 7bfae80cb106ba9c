import { _foreachAdd, _foreachAdd_, _foreachDiv_, _foreachMul_, _foreachSqrt_ } from '../tensor/private-ops.generated'
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

export interface AdadeltaOptions extends BaseOptions {
  /** Decay of the averages of squares. */
  rho: number
  eps: number
  /** L2 penalty. */
  weightDecay: number
  /** Ascends instead of descending. */
  maximize: boolean
}

/** Adadelta (Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012), as `torch.optim.Adadelta`. */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(params: Params<AdadeltaOptions>, options: OptionsOf<AdadeltaOptions> = {}) {
    super(params, withDefaults('Adadelta', options, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false }))
  }

  protected override checkOptions({ rho, eps, weightDecay, maximize }: AdadeltaOptions): void {
    checkNumber('Adadelta', 'rho', rho, { most: 1 })
    checkNumber('Adadelta', 'eps', eps)
    checkNumber('Adadelta', 'weightDecay', weightDecay)
    checkFlag('Adadelta', 'maximize', maximize)
  }

  protected override stateNames(): readonly string[] {
    return ['step', 'square_avg', 'acc_delta']
  }

  protected override update(batch: Batch, group: ParamGroup<AdadeltaOptions>): void {
    const { lr, rho, eps, weightDecay, maximize } = group
    _foreachAdd_(batch.state('step'), 1)
    const gradients = descentGradients(batch, maximize, weightDecay)
    const [squares, deltas] = [batch.state('square_avg'), batch.state('acc_delta')]
    averageSquares(squares, gradients, rho)
    const roots = _foreachAdd(squares, eps)
    _foreachSqrt_(roots)
    const updates = _foreachAdd(deltas, eps)
    _foreachSqrt_(updates)
    _foreachDiv_(updates, roots)
    _foreachMul_(updates, gradients)
    averageSquares(deltas, updates, rho)
    descend(batch.params, updates, lr)
  }
}
