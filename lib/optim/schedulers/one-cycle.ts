import { ArgumentError } from '../../native/errors'
import { describe } from '../../tensor/call'
import type { AnyOptimizer } from '../optimizer'
import { checkCount, checkNumber, type ParamGroup } from '../param-group'
import { LRScheduler, number, perGroup, type SchedulerStateDict } from './scheduler'

export interface OneCycleOptions {
  /** The peak, one for all groups or one for each. */
  readonly maxLr: number | readonly number[]
  /** Steps in all; or `epochs` and `stepsPerEpoch`. */
  readonly totalSteps?: number | undefined
  readonly epochs?: number | undefined
  readonly stepsPerEpoch?: number | undefined
  /** Share of the steps that go up. */
  readonly pctStart?: number | undefined
  readonly annealStrategy?: 'cos' | 'linear' | undefined
  /** Moves momentum (or the first beta) against the learning rate. */
  readonly cycleMomentum?: boolean | undefined
  readonly baseMomentum?: number | readonly number[] | undefined
  readonly maxMomentum?: number | readonly number[] | undefined
  /** The first learning rate is `maxLr / divFactor`. */
  readonly divFactor?: number | undefined
  /** The last one is the first divided by this. */
  readonly finalDivFactor?: number | undefined
  /** Comes down as fast as it went up before the last phase. */
  readonly threePhase?: boolean | undefined
}

type Rate = 'initial' | 'max' | 'min'
type Momentum = 'base' | 'max'

interface Phase {
  readonly end: number
  readonly rate: readonly [from: Rate, to: Rate]
  readonly momentum: readonly [from: Momentum, to: Momentum]
}

/** What the momentum is called by the optimiser. */
type Momentous = ParamGroup & { momentum?: number; betas?: readonly [number, number] }

/**
 * One rise and fall of the learning rate (Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using
 * Large Learning Rates", 2018), as `torch.optim.lr_scheduler.OneCycleLR`. Stepping beyond `totalSteps` is an error.
 */
export class OneCycleLR extends LRScheduler {
  #totalSteps: number
  #phases: readonly Phase[]
  #strategy: 'cos' | 'linear'
  #cycleMomentum: boolean
  readonly #rates: Readonly<Record<Rate, number[]>>
  readonly #momenta: Readonly<Record<Momentum, number[]>>

  constructor(optimizer: AnyOptimizer, options: OneCycleOptions) {
    super(optimizer)
    const {
      pctStart = 0.3,
      annealStrategy = 'cos',
      cycleMomentum = true,
      divFactor = 25,
      finalDivFactor = 1e4,
    } = options
    checkNumber('OneCycleLR', 'pctStart', pctStart, { most: 1 })
    checkNumber('OneCycleLR', 'divFactor', divFactor, { least: Number.MIN_VALUE })
    checkNumber('OneCycleLR', 'finalDivFactor', finalDivFactor, { least: Number.MIN_VALUE })
    if (annealStrategy !== 'cos' && annealStrategy !== 'linear') {
      throw new ArgumentError(`OneCycleLR: annealStrategy is ${describe(annealStrategy)}; it must be 'cos' or 'linear'`)
    }
    const max = perGroup('OneCycleLR', 'maxLr', optimizer, options.maxLr)
    for (const rate of max) checkNumber('OneCycleLR', 'maxLr', rate)
    const initial = max.map((rate) => rate / divFactor)
    this.#rates = { max, initial, min: initial.map((rate) => rate / finalDivFactor) }
    this.#momenta = {
      base: perGroup('OneCycleLR', 'baseMomentum', optimizer, options.baseMomentum ?? 0.85),
      max: perGroup('OneCycleLR', 'maxMomentum', optimizer, options.maxMomentum ?? 0.95),
    }
    this.#totalSteps = totalSteps(options)
    this.#phases = phases(this.#totalSteps, pctStart, options.threePhase ?? false)
    this.#strategy = annealStrategy
    this.#cycleMomentum = cycleMomentum
    if (cycleMomentum) checkMomentum(optimizer)
    for (const [index, group] of optimizer.paramGroups.entries()) group.initialLr = initial[index]
    this.baseLrs = initial
    this.start()
  }

  protected override first(_lr: number, _base: number, index: number): number {
    return this.#at(this.optimizer.paramGroups[index], index)
  }

  protected override next(_lr: number, _base: number, group: ParamGroup, index: number): number {
    return this.#at(group, index)
  }

  override step(): void {
    if (this.lastEpoch + 1 > this.#totalSteps) {
      throw new ArgumentError(`OneCycleLR: step ${this.lastEpoch + 1} is beyond its totalSteps of ${this.#totalSteps}`)
    }
    super.step()
  }

  /** Sets the momentum of a group and gives its learning rate. */
  #at(group: Momentous | undefined, index: number): number {
    let begin = 0
    for (const [place, phase] of this.#phases.entries()) {
      if (this.lastEpoch <= phase.end || place === this.#phases.length - 1) {
        const share = (this.lastEpoch - begin) / (phase.end - begin)
        const between = <K extends string>(values: Readonly<Record<K, number[]>>, [from, to]: readonly [K, K]) =>
          this.#anneal(values[from][index] ?? 0, values[to][index] ?? 0, share)
        if (this.#cycleMomentum) setMomentum(group, between(this.#momenta, phase.momentum))
        return between(this.#rates, phase.rate)
      }
      begin = phase.end
    }
    return 0
  }

  #anneal(from: number, to: number, share: number): number {
    if (this.#strategy === 'linear') return (to - from) * share + from
    return to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1)
  }

  protected override options(): SchedulerStateDict {
    const name = (rate: Rate) => `${rate}_lr`
    return {
      total_steps: this.#totalSteps,
      _schedule_phases: this.#phases.map(({ end, rate, momentum }) => ({
        end_step: end,
        start_lr: name(rate[0]),
        end_lr: name(rate[1]),
        start_momentum: `${momentum[0]}_momentum`,
        end_momentum: `${momentum[1]}_momentum`,
      })),
      _anneal_func_type: this.#strategy,
      cycle_momentum: this.#cycleMomentum,
      ...(this.#cycleMomentum && { use_beta1: usesBeta(this.optimizer.paramGroups[0]) }),
    }
  }

  protected override setOptions(state: SchedulerStateDict): void {
    const total = number('OneCycleLR', state, 'total_steps')
    const saved = state._schedule_phases
    if (Array.isArray(saved)) {
      this.#phases = saved.map((phase: Record<string, string | number>) => ({
        end: Number(phase.end_step),
        rate: [withoutUnit(phase.start_lr), withoutUnit(phase.end_lr)] as [Rate, Rate],
        momentum: [withoutUnit(phase.start_momentum), withoutUnit(phase.end_momentum)] as [Momentum, Momentum],
      }))
    }
    this.#totalSteps = total
    this.#cycleMomentum = state.cycle_momentum === true
    if (state._anneal_func_type === 'cos' || state._anneal_func_type === 'linear') {
      this.#strategy = state._anneal_func_type
    }
  }
}

function withoutUnit(name: string | number | undefined): string {
  return String(name).replace(/_(lr|momentum)$/, '')
}

function totalSteps({ totalSteps: given, epochs, stepsPerEpoch }: OneCycleOptions): number {
  if (given !== undefined) {
    checkCount('OneCycleLR', 'totalSteps', given, 1)
    return given
  }
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw new ArgumentError('OneCycleLR: how long? Pass totalSteps, or epochs and stepsPerEpoch')
  }
  checkCount('OneCycleLR', 'epochs', epochs, 1)
  checkCount('OneCycleLR', 'stepsPerEpoch', stepsPerEpoch, 1)
  return epochs * stepsPerEpoch
}

function phases(total: number, pctStart: number, threePhase: boolean): readonly Phase[] {
  const up = pctStart * total - 1
  const rise: Phase = { end: up, rate: ['initial', 'max'], momentum: ['max', 'base'] }
  if (!threePhase) return [rise, { end: total - 1, rate: ['max', 'min'], momentum: ['base', 'max'] }]
  return [
    rise,
    { end: 2 * pctStart * total - 2, rate: ['max', 'initial'], momentum: ['base', 'max'] },
    { end: total - 1, rate: ['initial', 'min'], momentum: ['max', 'max'] },
  ]
}

function usesBeta(group: Momentous | undefined): boolean {
  return group?.betas !== undefined
}

function checkMomentum(optimizer: AnyOptimizer): void {
  const groups: readonly Momentous[] = optimizer.paramGroups
  if (groups.some(({ momentum, betas }) => momentum !== undefined || betas !== undefined)) return
  throw new ArgumentError('OneCycleLR: the optimizer has neither momentum nor betas; pass cycleMomentum: false')
}

function setMomentum(group: Momentous | undefined, value: number): void {
  if (group?.betas !== undefined) group.betas = [value, group.betas[1]]
  else if (group !== undefined) group.momentum = value
}
