import { ArgumentError } from '../native/errors'
import { ones } from '../tensor/creation'
import { _foreachAdd_, _foreachMul, _foreachMul_, _fusedSgd_ } from '../tensor/private-ops.generated'
import type { Tensor } from '../tensor/tensor'
import type { Batch } from './batch'
import { Optimizer, type ParameterState, type StepOptions } from './optimizer'
import {
  type BaseOptions,
  checkFlag,
  checkNumber,
  type OptionsOf,
  type ParamGroup,
  type Params,
  withDefaults,
} from './param-group'
import { descend, descentGradients } from './update-rules'

export interface SGDOptions extends BaseOptions {
  /** How much of the previous direction stays; 0 unless stated. */
  momentum: number
  /** How much of a new gradient is left out of the direction; 0 unless stated. */
  dampening: number
  /** L2 penalty. */
  weightDecay: number
  /** Looks ahead along the momentum (Nesterov 1983; Sutskever et al. 2013). */
  nesterov: boolean
  /** Ascends instead of descending. */
  maximize: boolean
}

/**
 * Stochastic gradient descent with momentum, as `torch.optim.SGD` (fused).
 *
 * With momentum, `v ← momentum · v + (1 − dampening) · g` (the first step takes `v ← g`), then `p ← p − lr · v`; the
 * learning rate is outside the velocity, unlike in Sutskever et al., "On the importance of initialization and momentum
 * in deep learning" (ICML 2013).
 */
export class SGD extends Optimizer<SGDOptions> {
  override get takesFoundInf(): boolean {
    return this.paramGroups.every(({ momentum, dampening }) => momentum === 0 || dampening === 0)
  }

  constructor(params: Params<SGDOptions>, options: OptionsOf<SGDOptions> = {}) {
    super(
      params,
      withDefaults('SGD', options, {
        lr: 1e-3,
        momentum: 0,
        dampening: 0,
        weightDecay: 0,
        nesterov: false,
        maximize: false,
      }),
    )
  }

  protected override checkOptions({ momentum, dampening, weightDecay, nesterov, maximize }: SGDOptions): void {
    checkNumber('SGD', 'momentum', momentum)
    checkNumber('SGD', 'dampening', dampening, { least: Number.NEGATIVE_INFINITY })
    checkNumber('SGD', 'weightDecay', weightDecay)
    checkFlag('SGD', 'nesterov', nesterov)
    checkFlag('SGD', 'maximize', maximize)
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError(
        `SGD: nesterov needs a momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}`,
      )
    }
  }

  protected override stateNames({ momentum, dampening }: SGDOptions): readonly string[] {
    if (momentum === 0) return []
    // The weight of a new gradient: 1 in the first step, 1 - dampening from then on.
    return dampening === 0 ? ['momentum_buffer'] : ['momentum_buffer', '_gain']
  }

  protected override initialState(name: string, parameter: Tensor, group: ParamGroup<SGDOptions>): Tensor {
    if (name === '_gain') return ones([], { dtype: 'float64', device: parameter.device })
    return super.initialState(name, parameter, group)
  }

  protected override restored(state: ParameterState, { dampening }: SGDOptions): void {
    if (state.momentum_buffer !== undefined) state._gain?.fill_(1 - dampening)
  }

  protected override update(batch: Batch, group: ParamGroup<SGDOptions>, { foundInf }: StepOptions): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group
    if (momentum !== 0 && dampening !== 0) {
      dampened(batch, group)
      return
    }
    // Buffers of zeros make the first step v = g without a case of its own, which a captured step could not have.
    const buffers = momentum === 0 ? [] : batch.state('momentum_buffer')
    _fusedSgd_(batch.params, batch.grads, buffers, weightDecay, momentum, lr, dampening, nesterov, maximize, false, {
      foundInf: foundInf?.to(batch.device),
    })
  }

  protected override pythonOptions(): Readonly<Record<string, boolean | null>> {
    return { foreach: null, differentiable: false, fused: null }
  }
}

/** No fused operator starts with another weight of the gradient. */
function dampened(batch: Batch, group: ParamGroup<SGDOptions>): void {
  const [buffers, gains] = [batch.state('momentum_buffer'), batch.state('_gain')]
  const gradients = descentGradients(batch, group.maximize, group.weightDecay)
  _foreachMul_(buffers, group.momentum)
  _foreachAdd_(buffers, _foreachMul(gradients, gains))
  for (const gain of gains) gain.fill_(1 - group.dampening)
  descend(batch.params, buffers, group.lr)
}
