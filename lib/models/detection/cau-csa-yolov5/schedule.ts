// YOLOv5's optimiser: SGD whose learning rate rises, then falls along a cosine, epoch by epoch.
import type { Module } from '../../../nn'
import { LRScheduler, type ParamGroup, type SchedulerStateDict, SGD } from '../../../optim'
import type { Tensor } from '../../../tensor'

/** Learning rate of biases in the first step: it falls while others rise. */
const FIRST_BIAS_RATE = 0.1
const FIRST_MOMENTUM = 0.8
const BIASES = 2

export interface OptimiserOptions {
  readonly learningRate: number
  readonly momentum: number
  readonly weightDecay: number
}

/** SGD with Nesterov's momentum: decay for the weights of convolutions, none for norms and biases. */
export function detectorOptimiser(model: Module, { learningRate: lr, momentum, weightDecay }: OptimiserOptions): SGD {
  const [weights, norms, biases]: [Tensor[], Tensor[], Tensor[]] = [[], [], []]
  for (const [name, parameter] of model.namedParameters()) {
    // A norm's weight is the only one with a single dimension.
    if (name.endsWith('.bias')) biases.push(parameter)
    else if (parameter.ndim === 1) norms.push(parameter)
    else weights.push(parameter)
  }
  const groups = [
    { params: weights, weightDecay },
    { params: norms, weightDecay: 0 },
    { params: biases, weightDecay: 0 },
  ]
  return new SGD(groups, { lr, momentum, nesterov: true })
}

/** Share of the learning rate in an epoch: a cosine from 1 to `final`. */
export function cosineShare(epoch: number, epochs: number, final: number): number {
  return ((1 - Math.cos((Math.PI * epoch) / epochs)) / 2) * (final - 1) + 1
}

export interface WarmupCosineOptions {
  readonly epochs: number
  readonly stepsPerEpoch: number
  readonly finalRate: number
  readonly warmupSteps: number
  readonly momentum: number
}

/** Steps after each step of the optimiser. */
export class WarmupCosine extends LRScheduler {
  readonly #sgd: SGD
  readonly #options: WarmupCosineOptions

  constructor(optimizer: SGD, options: WarmupCosineOptions) {
    super(optimizer)
    this.#sgd = optimizer
    this.#options = options
    this.start()
    this.#setMomentum()
  }

  override step(): void {
    super.step()
    this.#setMomentum()
  }

  protected override first(_lr: number, base: number, index: number): number {
    return this.#rate(0, base, index)
  }

  protected override next(_lr: number, base: number, _group: ParamGroup, index: number): number {
    return this.#rate(this.lastEpoch, base, index)
  }

  #rate(step: number, base: number, index: number): number {
    const { epochs, stepsPerEpoch, finalRate, warmupSteps } = this.#options
    const epoch = Math.min(Math.floor(step / stepsPerEpoch), epochs)
    const rate = base * cosineShare(epoch, epochs, finalRate)
    if (step > warmupSteps || warmupSteps === 0) return rate
    const first = index === BIASES ? FIRST_BIAS_RATE : 0
    return first + (rate - first) * (step / warmupSteps)
  }

  #setMomentum(): void {
    const { warmupSteps, momentum } = this.#options
    const risen = warmupSteps === 0 ? 1 : Math.min(this.lastEpoch / warmupSteps, 1)
    for (const group of this.#sgd.paramGroups) group.momentum = FIRST_MOMENTUM + (momentum - FIRST_MOMENTUM) * risen
  }

  protected override options(): SchedulerStateDict {
    return {}
  }

  protected override setOptions(): void {}
}
