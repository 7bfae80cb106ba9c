import type { AnyOptimizer } from '../optimizer'
import { checkCount, checkNumber } from '../param-group'
import { LRScheduler, number, type SchedulerStateDict } from './scheduler'

/**
 * Half a cosine from the initial learning rate to `etaMin` over `tMax` steps, and back (SGDR without restarts:
 * Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017), as
 * `torch.optim.lr_scheduler.CosineAnnealingLR`.
 */
export class CosineAnnealingLR extends LRScheduler {
  #tMax: number
  #etaMin: number

  constructor(optimizer: AnyOptimizer, { tMax, etaMin = 0 }: { tMax: number; etaMin?: number }) {
    super(optimizer)
    checkCount('CosineAnnealingLR', 'tMax', tMax, 1)
    checkNumber('CosineAnnealingLR', 'etaMin', etaMin)
    this.#tMax = tMax
    this.#etaMin = etaMin
    this.start()
  }

  protected override next(lr: number, base: number): number {
    const [step, period] = [this.lastEpoch, this.#tMax]
    // At the bottom the ratio below is 0/0.
    if ((step - 1 - period) % (2 * period) === 0) {
      return lr + ((base - this.#etaMin) * (1 - Math.cos(Math.PI / period))) / 2
    }
    const height = (at: number) => 1 + Math.cos((Math.PI * at) / period)
    return (height(step) / height(step - 1)) * (lr - this.#etaMin) + this.#etaMin
  }

  protected override options(): SchedulerStateDict {
    return { T_max: this.#tMax, eta_min: this.#etaMin }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const [tMax, etaMin] = [number('CosineAnnealingLR', state, 'T_max'), number('CosineAnnealingLR', state, 'eta_min')]
    this.#tMax = tMax
    this.#etaMin = etaMin
  }
}

/**
 * Half a cosine from the initial learning rate to `etaMin`, then from the top again with a period `tMult` times as long
 * (Loshchilov and Hutter, ICLR 2017), as `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  #firstPeriod: number
  #period: number
  #factor: number
  #etaMin: number
  /** Steps since the last restart. */
  #since = 0

  constructor(optimizer: AnyOptimizer, { t0, tMult = 1, etaMin = 0 }: { t0: number; tMult?: number; etaMin?: number }) {
    super(optimizer)
    checkCount('CosineAnnealingWarmRestarts', 't0', t0, 1)
    checkCount('CosineAnnealingWarmRestarts', 'tMult', tMult, 1)
    checkNumber('CosineAnnealingWarmRestarts', 'etaMin', etaMin)
    this.#firstPeriod = t0
    this.#period = t0
    this.#factor = tMult
    this.#etaMin = etaMin
    this.start()
  }

  override step(): void {
    this.#since += 1
    if (this.#since >= this.#period) {
      this.#since -= this.#period
      this.#period *= this.#factor
    }
    super.step()
  }

  override restart(): void {
    this.#since = 0
    this.#period = this.#firstPeriod
    super.restart()
  }

  protected override first(_lr: number, base: number): number {
    return this.next(0, base)
  }

  protected override next(_lr: number, base: number): number {
    return this.#etaMin + ((base - this.#etaMin) * (1 + Math.cos((Math.PI * this.#since) / this.#period))) / 2
  }

  protected override options(): SchedulerStateDict {
    return {
      T_0: this.#firstPeriod,
      T_i: this.#period,
      T_mult: this.#factor,
      eta_min: this.#etaMin,
      T_cur: this.#since,
    }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const read = (name: string) => number('CosineAnnealingWarmRestarts', state, name)
    const [first, period, factor] = [read('T_0'), read('T_i'), read('T_mult')]
    const [etaMin, since] = [read('eta_min'), read('T_cur')]
    this.#firstPeriod = first
    this.#period = period
    this.#factor = factor
    this.#etaMin = etaMin
    this.#since = since
  }
}
