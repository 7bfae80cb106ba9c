import { ArgumentError, FormatError } from '../../native/errors'
import { describe } from '../../tensor/call'
import type { AnyOptimizer } from '../optimizer'
import { learningRate, type ParamGroup, setLearningRate } from '../param-group'

/** A value in the state dict of a scheduler. */
export type SchedulerValue =
  | number
  | string
  | boolean
  | null
  | readonly SchedulerValue[]
  | { readonly [name: string]: SchedulerValue }

/** What `stateDict()` of a scheduler gives, by PyTorch's names. */
export type SchedulerStateDict = Readonly<Record<string, SchedulerValue>>

/** Anything that changes learning rates by steps. */
export interface Scheduler {
  readonly optimizer: AnyOptimizer
  step(): void
  getLastLr(): number[]
  stateDict(): SchedulerStateDict
  loadStateDict(state: SchedulerStateDict): void
}

/**
 * Base of the schedulers, as `torch.optim.lr_scheduler.LRScheduler`: call `step()` after those of the optimiser.
 *
 * A rule gives the next learning rate from the current one, so that several schedulers can act on one optimiser. The
 * constructor sets the rates of step 0. Learning rates that are tensors are filled in place.
 */
export abstract class LRScheduler implements Scheduler {
  /** Steps taken. */
  lastEpoch = -1
  /** Learning rates that the schedule starts from, one for each group. */
  baseLrs: number[]
  #steps = 0
  #lastLr: number[] = []

  constructor(readonly optimizer: AnyOptimizer) {
    if (!Array.isArray((optimizer as Partial<AnyOptimizer> | null)?.paramGroups)) {
      throw new ArgumentError(`${new.target.name}: ${describe(optimizer)} is no optimizer`)
    }
    for (const group of optimizer.paramGroups) group.initialLr ??= learningRate(group)
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr ?? learningRate(group))
  }

  /** The learning rate of a group after `lastEpoch` was counted up; `lr` is the current one. */
  protected abstract next(lr: number, base: number, group: ParamGroup, index: number): number

  /** The learning rate at step 0; the one that is set unless a rule begins with another. */
  protected first(lr: number, _base: number, _index: number): number {
    return lr
  }

  /** @internal Sets the rates of step 0, from the current ones. Every constructor ends with it. */
  start(): void {
    this.lastEpoch = 0
    this.#steps = 1
    this.#set((group, index) => this.first(learningRate(group), this.#base(index), index))
  }

  step(): void {
    this.lastEpoch += 1
    this.#steps += 1
    this.#set((group, index) => this.next(learningRate(group), this.#base(index), group, index))
  }

  /** @internal Begins anew, as the next of a sequence: from the learning rate that the optimiser began with. */
  restart(): void {
    this.lastEpoch = 0
    this.#steps += 1
    this.#set((_, index) => this.first(this.#base(index), this.#base(index), index))
  }

  /** @internal Undoes the constructor's step, as a part of a sequence that has not begun. */
  rewind(): void {
    this.lastEpoch -= 1
  }

  #base(index: number): number {
    return this.baseLrs[index] ?? 0
  }

  #set(rate: (group: ParamGroup, index: number) => number): void {
    const rates = this.optimizer.paramGroups.map(rate)
    for (const [index, group] of this.optimizer.paramGroups.entries()) setLearningRate(group, rates[index] ?? 0)
    this.#lastLr = rates
  }

  /** The learning rates that the last step set, one for each group. */
  getLastLr(): number[] {
    return [...this.#lastLr]
  }

  /** What the rule remembers beside `lastEpoch`, by PyTorch's names. */
  protected abstract options(): SchedulerStateDict

  /** Takes over what `options()` gave. */
  protected abstract setOptions(state: SchedulerStateDict): void

  stateDict(): SchedulerStateDict {
    return {
      ...this.options(),
      base_lrs: this.baseLrs,
      last_epoch: this.lastEpoch,
      _step_count: this.#steps,
      _is_initial: false,
      _get_lr_called_within_step: false,
      _last_lr: this.#lastLr,
    }
  }

  /** @throws FormatError when the state dict is of another scheduler; nothing is changed then */
  loadStateDict(state: SchedulerStateDict): void {
    const missing = Object.keys(this.stateDict()).filter((name) => !name.startsWith('_') && !(name in (state ?? {})))
    if (missing.length > 0) {
      throw new FormatError(
        `${this.constructor.name}.loadStateDict: the state dict has no ${missing.join(', ')}; it is not of this scheduler`,
      )
    }
    const bases = numbers(this.constructor.name, state, 'base_lrs')
    const epoch = number(this.constructor.name, state, 'last_epoch')
    this.setOptions(state)
    this.baseLrs = bases
    this.lastEpoch = epoch
    this.#steps = typeof state._step_count === 'number' ? state._step_count : epoch + 1
    if (Array.isArray(state._last_lr)) this.#lastLr = numbers(this.constructor.name, state, '_last_lr')
  }
}

/** A number of a state dict. @throws FormatError when it is none */
export function number(caller: string, state: SchedulerStateDict, name: string): number {
  const value = state[name]
  if (typeof value === 'number') return value
  throw new FormatError(`${caller}.loadStateDict: ${name} is ${describe(value)}, not a number; nothing was changed`)
}

/** A list of numbers of a state dict. @throws FormatError when it is none */
export function numbers(caller: string, state: SchedulerStateDict, name: string): number[] {
  const value = state[name]
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return [...value]
  throw new FormatError(`${caller}.loadStateDict: ${name} is ${describe(value)}, not a list of numbers`)
}

/** One value for each group from a value or a list of them. */
export function perGroup<T>(caller: string, name: string, optimizer: AnyOptimizer, value: T | readonly T[]): T[] {
  const groups = optimizer.paramGroups.length
  if (!Array.isArray(value)) return new Array<T>(groups).fill(value as T)
  if (value.length !== groups) {
    throw new ArgumentError(`${caller}: ${name} has ${value.length} values; the optimizer has ${groups} groups`)
  }
  return [...value]
}
