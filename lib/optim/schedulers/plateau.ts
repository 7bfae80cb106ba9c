import { ArgumentError, FormatError } from '../../native/errors'
import { describe } from '../../tensor/call'
import type { AnyOptimizer } from '../optimizer'
import { checkCount, checkNumber, learningRate, setLearningRate } from '../param-group'
import { number, perGroup, type SchedulerStateDict } from './scheduler'

export interface PlateauOptions {
  /** Whether smaller (`'min'`, default) or larger values are better. */
  readonly mode?: 'min' | 'max' | undefined
  readonly factor?: number | undefined
  /** How many steps without an improvement are allowed. */
  readonly patience?: number | undefined
  /** How much better a value must be to count. */
  readonly threshold?: number | undefined
  /** Whether the threshold is a share of the best value (`'rel'`, default) or a difference. */
  readonly thresholdMode?: 'rel' | 'abs' | undefined
  /** How many steps after a reduction are not judged. */
  readonly cooldown?: number | undefined
  readonly minLr?: number | readonly number[] | undefined
  /** Smaller changes are not made. */
  readonly eps?: number | undefined
}

/**
 * Multiplies the learning rate by `factor` when a metric stops improving, as
 * `torch.optim.lr_scheduler.ReduceLROnPlateau`.
 */
export class ReduceLROnPlateau {
  lastEpoch = 0
  #options: Required<Omit<PlateauOptions, 'minLr'>>
  readonly #minLr: number | undefined
  #minLrs: number[]
  #best: number
  #badSteps = 0
  #coolingDown = 0

  constructor(
    readonly optimizer: AnyOptimizer,
    {
      mode = 'min',
      factor = 0.1,
      patience = 10,
      threshold = 1e-4,
      thresholdMode = 'rel',
      cooldown = 0,
      minLr = 0,
      eps = 1e-8,
    }: PlateauOptions = {},
  ) {
    checkNumber('ReduceLROnPlateau', 'factor', factor, { below: 1 })
    checkCount('ReduceLROnPlateau', 'patience', patience, 0)
    checkNumber('ReduceLROnPlateau', 'threshold', threshold)
    checkCount('ReduceLROnPlateau', 'cooldown', cooldown, 0)
    checkNumber('ReduceLROnPlateau', 'eps', eps)
    checkChoice('mode', mode, ['min', 'max'])
    checkChoice('thresholdMode', thresholdMode, ['rel', 'abs'])
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, eps }
    this.#minLr = typeof minLr === 'number' ? minLr : undefined
    this.#minLrs = perGroup('ReduceLROnPlateau', 'minLr', optimizer, minLr)
    for (const rate of this.#minLrs) checkNumber('ReduceLROnPlateau', 'minLr', rate)
    this.#best = worst(mode)
  }

  /** @param metric the value to be watched, such as the loss of the validation set */
  step(metric: number): void {
    if (typeof metric !== 'number') {
      throw new ArgumentError(`ReduceLROnPlateau: step takes the metric as a number, got ${describe(metric)}`)
    }
    const { patience, cooldown } = this.#options
    this.lastEpoch += 1
    if (this.#isBetter(metric)) {
      this.#best = metric
      this.#badSteps = 0
    } else {
      this.#badSteps += 1
    }
    if (this.#coolingDown > 0) {
      this.#coolingDown -= 1
      this.#badSteps = 0
    }
    if (this.#badSteps <= patience) return
    this.#reduce()
    this.#coolingDown = cooldown
    this.#badSteps = 0
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options
    const sign = mode === 'min' ? -1 : 1
    const bar = thresholdMode === 'rel' ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold
    return mode === 'min' ? metric < bar : metric > bar
  }

  #reduce(): void {
    const { factor, eps } = this.#options
    for (const [index, group] of this.optimizer.paramGroups.entries()) {
      const old = learningRate(group)
      const reduced = Math.max(old * factor, this.#minLrs[index] ?? this.#minLr ?? 0)
      if (old - reduced > eps) setLearningRate(group, reduced)
    }
  }

  /** The learning rates as they are, one for each group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(learningRate)
  }

  stateDict(): SchedulerStateDict {
    const { mode, factor, patience, threshold, thresholdMode, cooldown, eps } = this.#options
    return {
      factor,
      default_min_lr: this.#minLr ?? null,
      min_lrs: this.#minLrs,
      patience,
      cooldown,
      eps,
      last_epoch: this.lastEpoch,
      _last_lr: this.getLastLr(),
      mode,
      threshold,
      threshold_mode: thresholdMode,
      mode_worse: worst(mode),
      best: this.#best,
      cooldown_counter: this.#coolingDown,
      num_bad_epochs: this.#badSteps,
    }
  }

  /** @throws FormatError when the state dict is of another scheduler; nothing is changed then */
  loadStateDict(state: SchedulerStateDict): void {
    const read = (name: string) => number('ReduceLROnPlateau', state ?? {}, name)
    const { mode, threshold_mode: thresholdMode } = state ?? {}
    if ((mode !== 'min' && mode !== 'max') || (thresholdMode !== 'rel' && thresholdMode !== 'abs')) {
      throw new FormatError('ReduceLROnPlateau.loadStateDict: the state dict has no mode; it is not of this scheduler')
    }
    const options = {
      mode,
      thresholdMode,
      factor: read('factor'),
      patience: read('patience'),
      threshold: read('threshold'),
      cooldown: read('cooldown'),
      eps: read('eps'),
    } as const
    const [best, bad, cooling, epoch] = [
      // JSON has no infinity.
      state.best === null ? worst(mode) : read('best'),
      read('num_bad_epochs'),
      read('cooldown_counter'),
      read('last_epoch'),
    ]
    if (Array.isArray(state.min_lrs)) this.#minLrs = state.min_lrs.map(Number)
    this.#options = options
    this.#best = best
    this.#badSteps = bad
    this.#coolingDown = cooling
    this.lastEpoch = epoch
  }
}

function worst(mode: 'min' | 'max'): number {
  return mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
}

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return
  throw new ArgumentError(`ReduceLROnPlateau: ${name} is ${describe(value)}; it must be ${choices.join(' or ')}`)
}
