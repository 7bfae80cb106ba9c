import { ArgumentError } from '../../native/errors'
import { describe } from '../../tensor/call'
import type { AnyOptimizer } from '../optimizer'
import { checkCount, checkNumber } from '../param-group'
import { LRScheduler, number, perGroup, type SchedulerStateDict } from './scheduler'

/** Multiplies the learning rate by `gamma` every `stepSize` steps, as `torch.optim.lr_scheduler.StepLR`. */
export class StepLR extends LRScheduler {
  #stepSize: number
  #gamma: number

  constructor(optimizer: AnyOptimizer, { stepSize, gamma = 0.1 }: { stepSize: number; gamma?: number }) {
    super(optimizer)
    checkCount('StepLR', 'stepSize', stepSize, 1)
    checkNumber('StepLR', 'gamma', gamma)
    this.#stepSize = stepSize
    this.#gamma = gamma
    this.start()
  }

  protected override next(lr: number): number {
    return this.lastEpoch % this.#stepSize === 0 ? lr * this.#gamma : lr
  }

  protected override options(): SchedulerStateDict {
    return { step_size: this.#stepSize, gamma: this.#gamma }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const [stepSize, gamma] = [number('StepLR', state, 'step_size'), number('StepLR', state, 'gamma')]
    this.#stepSize = stepSize
    this.#gamma = gamma
  }
}

/** Multiplies the learning rate by `gamma` at each milestone, as `torch.optim.lr_scheduler.MultiStepLR`. */
export class MultiStepLR extends LRScheduler {
  #milestones: readonly number[]
  #gamma: number

  /** @param options `milestones`: steps; one that is named twice counts twice */
  constructor(optimizer: AnyOptimizer, { milestones, gamma = 0.1 }: { milestones: readonly number[]; gamma?: number }) {
    super(optimizer)
    if (!Array.isArray(milestones)) {
      throw new ArgumentError(`MultiStepLR: milestones are ${describe(milestones)}, not a list of steps`)
    }
    for (const [index, milestone] of milestones.entries()) {
      checkCount('MultiStepLR', `milestones[${index}]`, milestone, 0)
    }
    checkNumber('MultiStepLR', 'gamma', gamma)
    this.#milestones = [...milestones]
    this.#gamma = gamma
    this.start()
  }

  #times(): number {
    return this.#milestones.filter((milestone) => milestone === this.lastEpoch).length
  }

  protected override first(lr: number): number {
    return lr * this.#gamma ** this.#times()
  }

  protected override next(lr: number): number {
    return lr * this.#gamma ** this.#times()
  }

  protected override options(): SchedulerStateDict {
    // PyTorch counts how often each milestone was named.
    const counts: Record<string, number> = {}
    for (const milestone of this.#milestones) counts[milestone] = (counts[milestone] ?? 0) + 1
    return { milestones: counts, gamma: this.#gamma }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const gamma = number('MultiStepLR', state, 'gamma')
    this.#milestones = Object.entries(state.milestones ?? {}).flatMap(([step, count]) =>
      new Array<number>(Number(count)).fill(Number(step)),
    )
    this.#gamma = gamma
  }
}

/** Multiplies the learning rate by `gamma` every step, as `torch.optim.lr_scheduler.ExponentialLR`. */
export class ExponentialLR extends LRScheduler {
  #gamma: number

  constructor(optimizer: AnyOptimizer, { gamma }: { gamma: number }) {
    super(optimizer)
    checkNumber('ExponentialLR', 'gamma', gamma)
    this.#gamma = gamma
    this.start()
  }

  protected override next(lr: number): number {
    return lr * this.#gamma
  }

  protected override options(): SchedulerStateDict {
    return { gamma: this.#gamma }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    this.#gamma = number('ExponentialLR', state, 'gamma')
  }
}

/** A factor for a step. */
export type LrLambda = (step: number) => number

function checkLambdas(caller: string, lambdas: readonly unknown[]): void {
  for (const lambda of lambdas) {
    if (typeof lambda !== 'function') throw new ArgumentError(`${caller}: lrLambda is ${describe(lambda)}, no function`)
  }
}

/** The initial learning rate times `lrLambda(step)`, as `torch.optim.lr_scheduler.LambdaLR`. */
export class LambdaLR extends LRScheduler {
  readonly #lambdas: readonly LrLambda[]

  /** @param options `lrLambda`: one function, or one for each group; functions are not part of the state dict */
  constructor(optimizer: AnyOptimizer, { lrLambda }: { lrLambda: LrLambda | readonly LrLambda[] }) {
    super(optimizer)
    this.#lambdas = perGroup('LambdaLR', 'lrLambda', optimizer, lrLambda)
    checkLambdas('LambdaLR', this.#lambdas)
    this.start()
  }

  protected override first(_lr: number, base: number, index: number): number {
    return base * (this.#lambdas[index]?.(this.lastEpoch) ?? 1)
  }

  protected override next(_lr: number, base: number, _group: unknown, index: number): number {
    return base * (this.#lambdas[index]?.(this.lastEpoch) ?? 1)
  }

  protected override options(): SchedulerStateDict {
    return { lr_lambdas: this.#lambdas.map(() => null) }
  }

  protected override setOptions(): void {}
}

/** The current learning rate times `lrLambda(step)`, as `torch.optim.lr_scheduler.MultiplicativeLR`. */
export class MultiplicativeLR extends LRScheduler {
  readonly #lambdas: readonly LrLambda[]

  /** @param options `lrLambda`: one function, or one for each group; functions are not part of the state dict */
  constructor(optimizer: AnyOptimizer, { lrLambda }: { lrLambda: LrLambda | readonly LrLambda[] }) {
    super(optimizer)
    this.#lambdas = perGroup('MultiplicativeLR', 'lrLambda', optimizer, lrLambda)
    checkLambdas('MultiplicativeLR', this.#lambdas)
    this.start()
  }

  /** It knows no rate to begin from but the current one. */
  override restart(): void {
    this.lastEpoch = -1
    this.step()
  }

  protected override next(lr: number, _base: number, _group: unknown, index: number): number {
    return lr * (this.#lambdas[index]?.(this.lastEpoch) ?? 1)
  }

  protected override options(): SchedulerStateDict {
    return { lr_lambdas: this.#lambdas.map(() => null) }
  }

  protected override setOptions(): void {}
}
