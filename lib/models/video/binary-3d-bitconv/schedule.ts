// The stages of the training: what each of them trains, and how fast.
import { Conv3d, Linear } from '../../../nn'
import {
  LambdaLR,
  type OptionsOf,
  type ParamGroup,
  type Params,
  SGD,
  type SGDOptions,
  type StepOptions,
} from '../../../optim'
import type { Batch } from '../../../optim/batch'
import type { Tensor } from '../../../tensor'
import type { Config } from './config'
import type { ActionNetwork } from './model'
import { STAGES, type Stage, StagedBinaryConv3d } from './units'

/** The stages of a config, in their order; a float network has the first alone. */
export function stagesOf({ network, training }: Config): readonly Stage[] {
  const all = network.precision === 'float' ? (['real'] as const) : STAGES
  return all.filter((stage) => training[stage].epochs > 0)
}

/** SGD that brings master weights back to −1…1 after each step: beyond, they would have no gradient and never return. */
export class ClampingSGD extends SGD {
  readonly #masters: ReadonlySet<Tensor>

  constructor(params: Params<SGDOptions>, masters: readonly Tensor[], options: OptionsOf<SGDOptions>) {
    super(params, options)
    this.#masters = new Set(masters)
  }

  protected override update(batch: Batch, group: ParamGroup<SGDOptions>, options: StepOptions): void {
    super.update(batch, group, options)
    for (const parameter of batch.params) if (this.#masters.has(parameter)) parameter.clamp_({ min: -1, max: 1 })
  }
}

/** The parameters by their decay. */
export interface ParameterRoles {
  /** Weights whose signs convolve. */
  readonly masters: Tensor[]
  /** Other weights of convolutions and linear layers. */
  readonly weights: Tensor[]
  /** Biases, norms and slopes. */
  readonly others: Tensor[]
}

export function parameterRoles(model: ActionNetwork): ParameterRoles {
  const roles = { masters: [] as Tensor[], weights: [] as Tensor[], others: [] as Tensor[] }
  const known = new Set<Tensor>()
  for (const module of model.modules()) {
    if (module instanceof StagedBinaryConv3d) roles.masters.push(module.weight)
    else if (module instanceof Conv3d || module instanceof Linear) roles.weights.push(module.weight)
    else continue
    known.add(module.weight)
  }
  roles.others.push(...model.parameters().filter((parameter) => !known.has(parameter)))
  return roles
}

/** The optimiser of a stage, with momentum from rest. */
export function stageOptimiser(model: ActionNetwork, stage: Stage, rate: number, { training }: Config): SGD {
  const { momentum, weightDecay } = training
  const { masters, weights, others } = parameterRoles(model)
  const groups = [
    // Decay would drive weights of which only the sign counts to flip.
    { params: masters, weightDecay: stage === 'binary' ? 0 : weightDecay },
    { params: weights, weightDecay },
    { params: others, weightDecay: 0 },
  ].filter(({ params }) => params.length > 0)
  return new ClampingSGD(groups, stage === 'binary' ? masters : [], { lr: rate, momentum })
}

/** Share of the learning rate in a step: a line up over `warmup` steps, then a half cosine to 0 at `steps`. */
export function rateShare(step: number, steps: number, warmup: number): number {
  if (step < warmup) return (step + 1) / warmup
  return (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, steps - warmup))) / 2
}

/** The schedule of a stage, a step each step of the optimiser. */
export function stageSchedule(optimizer: SGD, stage: Stage, stepsPerEpoch: number, { training }: Config): LambdaLR {
  const steps = training[stage].epochs * stepsPerEpoch
  const warmup = Math.round(training.warmupEpochs * stepsPerEpoch)
  return new LambdaLR(optimizer, { lrLambda: (step) => rateShare(step, steps, warmup) })
}
