import type { AnyOptimizer } from '../optimizer'
import { checkCount, checkNumber } from '../param-group'
import { LRScheduler, number, type SchedulerStateDict } from './scheduler'

/** The learning rate times `factor` for the first `totalIters` steps, as `torch.optim.lr_scheduler.ConstantLR`. */
export class ConstantLR extends LRScheduler {
  #factor: number
  #totalIters: number

  constructor(
    optimizer: AnyOptimizer,
    { factor = 1 / 3, totalIters = 5 }: { factor?: number; totalIters?: number } = {},
  ) {
    super(optimizer)
    checkNumber('ConstantLR', 'factor', factor, { least: Number.MIN_VALUE, most: 1 })
    checkCount('ConstantLR', 'totalIters', totalIters, 0)
    this.#factor = factor
    this.#totalIters = totalIters
    this.start()
  }

  protected override first(lr: number): number {
    return lr * this.#factor
  }

  protected override next(lr: number): number {
    return this.lastEpoch === this.#totalIters ? lr * (1 / this.#factor) : lr
  }

  protected override options(): SchedulerStateDict {
    return { factor: this.#factor, total_iters: this.#totalIters }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const [factor, totalIters] = [number('ConstantLR', state, 'factor'), number('ConstantLR', state, 'total_iters')]
    this.#factor = factor
    this.#totalIters = totalIters
  }
}

/** A straight ramp of the learning rate, for warm-up, as `torch.optim.lr_scheduler.LinearLR`. */
export class LinearLR extends LRScheduler {
  #start: number
  #end: number
  #totalIters: number

  /** @param options factors of the learning rate at step 0 and from `totalIters` on */
  constructor(
    optimizer: AnyOptimizer,
    {
      startFactor = 1 / 3,
      endFactor = 1,
      totalIters = 5,
    }: { startFactor?: number; endFactor?: number; totalIters?: number } = {},
  ) {
    super(optimizer)
    checkNumber('LinearLR', 'startFactor', startFactor, { least: Number.MIN_VALUE, most: 1 })
    checkNumber('LinearLR', 'endFactor', endFactor, { most: 1 })
    checkCount('LinearLR', 'totalIters', totalIters, 1)
    this.#start = startFactor
    this.#end = endFactor
    this.#totalIters = totalIters
    this.start()
  }

  protected override first(lr: number): number {
    return lr * this.#start
  }

  protected override next(lr: number): number {
    if (this.lastEpoch > this.#totalIters) return lr
    const rise = this.#end - this.#start
    return lr * (1 + rise / (this.#totalIters * this.#start + (this.lastEpoch - 1) * rise))
  }

  protected override options(): SchedulerStateDict {
    return { start_factor: this.#start, end_factor: this.#end, total_iters: this.#totalIters }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const [start, end] = [number('LinearLR', state, 'start_factor'), number('LinearLR', state, 'end_factor')]
    this.#totalIters = number('LinearLR', state, 'total_iters')
    this.#start = start
    this.#end = end
  }
}

/** Lets the learning rate fall to 0 over `totalIters` steps by a power, as `torch.optim.lr_scheduler.PolynomialLR`. */
export class PolynomialLR extends LRScheduler {
  #totalIters: number
  #power: number

  constructor(optimizer: AnyOptimizer, { totalIters = 5, power = 1 }: { totalIters?: number; power?: number } = {}) {
    super(optimizer)
    checkCount('PolynomialLR', 'totalIters', totalIters, 1)
    checkNumber('PolynomialLR', 'power', power)
    this.#totalIters = totalIters
    this.#power = power
    this.start()
  }

  protected override next(lr: number): number {
    if (this.lastEpoch > this.#totalIters) return lr
    const left = (step: number) => 1 - step / this.#totalIters
    return lr * (left(this.lastEpoch) / left(this.lastEpoch - 1)) ** this.#power
  }

  protected override options(): SchedulerStateDict {
    return { total_iters: this.#totalIters, power: this.#power }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const [totalIters, power] = [number('PolynomialLR', state, 'total_iters'), number('PolynomialLR', state, 'power')]
    this.#totalIters = totalIters
    this.#power = power
  }
}
