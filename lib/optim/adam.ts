import { _foreachAdd_, _foreachSub_, _fusedAdam_, _fusedAdamw_ } from '../tensor/private-ops.generated'
import type { Batch } from './batch'
import { Optimizer, type StepOptions } from './optimizer'
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

export interface AdamOptions extends BaseOptions {
  /** Decay of the averages of gradients and of their squares. */
  betas: readonly [number, number]
  /** Added to the root of the averaged squares. */
  eps: number
  weightDecay: number
  /** Keeps the largest average of squares (Reddi et al. 2018). */
  amsgrad: boolean
  /** Ascends instead of descending. */
  maximize: boolean
}

const DEFAULTS: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
}

abstract class AdamFamily extends Optimizer<AdamOptions> {
  override get takesFoundInf(): boolean {
    return true
  }

  protected override checkOptions({ betas, eps, weightDecay, amsgrad, maximize }: AdamOptions): void {
    const caller = this.constructor.name
    checkBetas(caller, betas)
    checkNumber(caller, 'eps', eps)
    checkNumber(caller, 'weightDecay', weightDecay)
    checkFlag(caller, 'amsgrad', amsgrad)
    checkFlag(caller, 'maximize', maximize)
  }

  protected override stateNames({ amsgrad }: AdamOptions): readonly string[] {
    return amsgrad ? ['step', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'] : ['step', 'exp_avg', 'exp_avg_sq']
  }

  protected abstract readonly fused: typeof _fusedAdam_

  protected override update(batch: Batch, group: ParamGroup<AdamOptions>, options: StepOptions): void {
    const { lr, betas, weightDecay, eps, amsgrad, maximize } = group
    const steps = batch.state('step')
    const largest = amsgrad ? batch.state('max_exp_avg_sq') : []
    const [averages, squares] = [batch.state('exp_avg'), batch.state('exp_avg_sq')]
    const foundInf = options.foundInf?.to(batch.device)
    _foreachAdd_(steps, 1)
    this.fused(
      ...([batch.params, batch.grads, averages, squares, largest, steps] as const),
      ...([lr, betas[0], betas[1], weightDecay, eps, amsgrad, maximize] as const),
      { foundInf },
    )
    // A step that changed nothing does not count.
    if (foundInf) _foreachSub_(steps, new Array(steps.length).fill(foundInf.reshape([])))
  }

  protected override pythonOptions(): Readonly<Record<string, boolean | null>> {
    return { ...super.pythonOptions(), fused: null, decoupled_weight_decay: false }
  }
}

/**
 * Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015), as `torch.optim.Adam` (fused). Weight
 * decay is an L2 penalty.
 */
export class Adam extends AdamFamily {
  protected override readonly fused = _fusedAdam_

  constructor(params: Params<AdamOptions>, options: OptionsOf<AdamOptions> = {}) {
    super(params, withDefaults('Adam', options, DEFAULTS))
  }
}

/**
 * Adam with decoupled weight decay, 0.01 unless stated (Loshchilov and Hutter, "Decoupled Weight Decay Regularization",
 * ICLR 2019), as `torch.optim.AdamW` (fused).
 */
export class AdamW extends AdamFamily {
  protected override readonly fused = _fusedAdamw_

  constructor(params: Params<AdamOptions>, options: OptionsOf<AdamOptions> = {}) {
    super(params, withDefaults('AdamW', options, { ...DEFAULTS, weightDecay: 0.01 }))
  }

  protected override pythonOptions(): Readonly<Record<string, boolean | null>> {
    return { ...super.pythonOptions(), decoupled_weight_decay: true }
  }
}
