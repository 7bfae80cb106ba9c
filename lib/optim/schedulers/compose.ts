import { ArgumentError, FormatError } from '../../native/errors'
import { describe } from '../../tensor/call'
import type { AnyOptimizer } from '../optimizer'
import { checkCount, learningRate, setLearningRate } from '../param-group'
import {
  type LRScheduler,
  number,
  numbers,
  type Scheduler,
  type SchedulerStateDict,
  type SchedulerValue,
} from './scheduler'

function checkParts(caller: string, optimizer: AnyOptimizer, schedulers: readonly unknown[]): void {
  if (!Array.isArray(schedulers) || schedulers.length === 0) {
    throw new ArgumentError(`${caller}: takes a list of schedulers, got ${describe(schedulers)}`)
  }
  for (const [index, scheduler] of schedulers.entries()) {
    const name = (scheduler as object | null)?.constructor?.name
    if (name === 'ReduceLROnPlateau') {
      throw new ArgumentError(`${caller}: scheduler ${index} is ReduceLROnPlateau, whose step needs a metric`)
    }
    if ((scheduler as Partial<Scheduler> | null)?.optimizer !== optimizer) {
      throw new ArgumentError(`${caller}: scheduler ${index} (${name}) is of another optimizer`)
    }
  }
}

function loadParts(caller: string, schedulers: readonly Scheduler[], state: SchedulerStateDict): void {
  const saved: SchedulerValue | undefined = state?._schedulers
  if (!Array.isArray(saved) || saved.length !== schedulers.length) {
    throw new FormatError(
      `${caller}.loadStateDict: the state dict has ${Array.isArray(saved) ? saved.length : 'no'} schedulers, expected ${schedulers.length}`,
    )
  }
  for (const [index, scheduler] of schedulers.entries()) scheduler.loadStateDict(saved[index] as SchedulerStateDict)
}

/** Several schedulers one after the other, such as a warm-up and a decay, as `torch.optim.lr_scheduler.SequentialLR`. */
export class SequentialLR implements Scheduler {
  lastEpoch = 0
  readonly #schedulers: readonly LRScheduler[]
  #milestones: readonly number[]

  /** @param options `milestones`: the steps at which the second, third … scheduler begins, ascending */
  constructor(
    readonly optimizer: AnyOptimizer,
    { schedulers, milestones }: { schedulers: readonly LRScheduler[]; milestones: readonly number[] },
  ) {
    checkParts('SequentialLR', optimizer, schedulers)
    for (const [index, scheduler] of schedulers.entries()) {
      if (typeof scheduler.restart !== 'function') {
        throw new ArgumentError(`SequentialLR: scheduler ${index} is ${describe(scheduler)}, which cannot be restarted`)
      }
    }
    if (!Array.isArray(milestones) || milestones.length !== schedulers.length - 1) {
      throw new ArgumentError(
        `SequentialLR: ${schedulers.length} schedulers take ${schedulers.length - 1} milestones, got ${describe(milestones)}`,
      )
    }
    for (const [index, milestone] of milestones.entries()) {
      checkCount('SequentialLR', `milestones[${index}]`, milestone, (milestones[index - 1] ?? 0) + 1)
    }
    this.#schedulers = [...schedulers]
    this.#milestones = [...milestones]
    // Each constructor has set the rates of its own step 0; only the first is to count.
    for (const group of optimizer.paramGroups) setLearningRate(group, group.initialLr ?? learningRate(group))
    for (const scheduler of schedulers) scheduler.rewind()
    schedulers[0]?.start()
  }

  step(): void {
    this.lastEpoch += 1
    const passed = this.#milestones.filter((milestone) => milestone <= this.lastEpoch).length
    const scheduler = this.#schedulers[passed]
    if (this.#milestones[passed - 1] === this.lastEpoch) scheduler?.restart()
    else scheduler?.step()
  }

  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(learningRate)
  }

  stateDict(): SchedulerStateDict {
    return {
      _milestones: this.#milestones,
      last_epoch: this.lastEpoch,
      _last_lr: this.getLastLr(),
      _schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()),
    }
  }

  loadStateDict(state: SchedulerStateDict): void {
    const epoch = number('SequentialLR', state ?? {}, 'last_epoch')
    const milestones = numbers('SequentialLR', state, '_milestones')
    loadParts('SequentialLR', this.#schedulers, state)
    this.lastEpoch = epoch
    this.#milestones = milestones
  }
}

/** Several schedulers at once, each acting on what the others set, as `torch.optim.lr_scheduler.ChainedScheduler`. */
export class ChainedScheduler implements Scheduler {
  readonly optimizer: AnyOptimizer
  readonly #schedulers: readonly Scheduler[]

  constructor(schedulers: readonly Scheduler[]) {
    const [first] = Array.isArray(schedulers) ? schedulers : []
    if (first === undefined) throw new ArgumentError(`ChainedScheduler: takes schedulers, got ${describe(schedulers)}`)
    checkParts('ChainedScheduler', first.optimizer, schedulers)
    this.optimizer = first.optimizer
    this.#schedulers = [...schedulers]
  }

  step(): void {
    for (const scheduler of this.#schedulers) scheduler.step()
  }

  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(learningRate)
  }

  stateDict(): SchedulerStateDict {
    return {
      _last_lr: this.getLastLr(),
      _schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()),
    }
  }

  loadStateDict(state: SchedulerStateDict): void {
    loadParts('ChainedScheduler', this.#schedulers, state)
  }
}
