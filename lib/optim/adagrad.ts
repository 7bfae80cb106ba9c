import { fullLike } from '../tensor/ops.generated'
import { _foreachAdd_, _foreachSub_, _fusedAdagrad_ } from '../tensor/private-ops.generated'
import type { Tensor } from '../tensor/tensor'
import type { Batch } from './batch'
import { Optimizer, type StepOptions } from './optimizer'
import {
  type BaseOptions,
  checkFlag,
  checkNumber,
  type OptionsOf,
  type ParamGroup,
  type Params,
  withDefaults,
} from './param-group'

export interface AdagradOptions extends BaseOptions {
  /** The learning rate of step t is `lr / (1 + (t − 1) · lrDecay)`. */
  lrDecay: number
  /** L2 penalty. */
  weightDecay: number
  initialAccumulatorValue: number
  eps: number
  /** Ascends instead of descending. */
  maximize: boolean
}

/**
 * Adagrad (Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR
 * 2011), as `torch.optim.Adagrad` (fused).
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: Params<AdagradOptions>, options: OptionsOf<AdagradOptions> = {}) {
    super(
      params,
      withDefaults('Adagrad', options, {
        lr: 1e-2,
        lrDecay: 0,
        weightDecay: 0,
        initialAccumulatorValue: 0,
        eps: 1e-10,
        maximize: false,
      }),
    )
  }

  override get takesFoundInf(): boolean {
    return true
  }

  protected override checkOptions(options: AdagradOptions): void {
    checkNumber('Adagrad', 'lrDecay', options.lrDecay)
    checkNumber('Adagrad', 'weightDecay', options.weightDecay)
    checkNumber('Adagrad', 'initialAccumulatorValue', options.initialAccumulatorValue)
    checkNumber('Adagrad', 'eps', options.eps)
    checkFlag('Adagrad', 'maximize', options.maximize)
  }

  protected override stateNames(): readonly string[] {
    return ['step', 'sum']
  }

  protected override initialState(name: string, parameter: Tensor, group: ParamGroup<AdagradOptions>): Tensor {
    return name === 'sum'
      ? fullLike(parameter, group.initialAccumulatorValue)
      : super.initialState(name, parameter, group)
  }

  protected override update(batch: Batch, group: ParamGroup<AdagradOptions>, options: StepOptions): void {
    const { lr, lrDecay, weightDecay, eps, maximize } = group
    const [steps, sums] = [batch.state('step'), batch.state('sum')]
    const foundInf = options.foundInf?.to(batch.device)
    _foreachAdd_(steps, 1)
    _fusedAdagrad_(batch.params, batch.grads, sums, steps, lr, lrDecay, weightDecay, eps, maximize, { foundInf })
    // A step that changed nothing does not count.
    if (foundInf) _foreachSub_(steps, new Array(steps.length).fill(foundInf.reshape([])))
  }

  protected override pythonOptions(): Readonly<Record<string, boolean | null>> {
    return { foreach: null, differentiable: false, fused: null }
  }
}
