import { ArgumentError, ConfigError, DTypeError, FormatError } from '../native/errors'
import { noGrad } from '../tensor/autograd'
import { describe } from '../tensor/call'
import { full, zeros } from '../tensor/creation'
import { guardCapture } from '../tensor/graph'
import { TENSORS } from '../tensor/handle'
import { _ampForeachNonFiniteCheckAndUnscale_, _ampUpdateScale_ } from '../tensor/private-ops.generated'
import { dispose, keep, tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import type { AnyOptimizer } from './optimizer'
import { checkCount, checkNumber } from './param-group'

export interface GradScalerOptions {
  /** Where the scale is; that of the first loss unless stated. State it where a step is captured. */
  readonly device?: Device | undefined
  readonly initScale?: number | undefined
  /** What the scale is multiplied by after `growthInterval` good steps. */
  readonly growthFactor?: number | undefined
  /** What the scale is multiplied by after a step with infinite or NaN gradients. */
  readonly backoffFactor?: number | undefined
  readonly growthInterval?: number | undefined
  /** `false` makes all methods pass through. */
  readonly enabled?: boolean | undefined
}

/** What `stateDict()` gives; empty when the scaler is off. */
export interface GradScalerState {
  readonly scale?: number
  readonly growth_factor?: number
  readonly backoff_factor?: number
  readonly growth_interval?: number
  readonly _growth_tracker?: number
}

interface OptimizerStage {
  stage: 'ready' | 'unscaled' | 'stepped'
  /** One for each device: 1 where a gradient was infinite or NaN. */
  readonly foundInf: Map<Device, Tensor>
}

/**
 * Scales the loss so that float16 gradients do not vanish, and skips steps whose gradients overflow (Micikevicius et al.,
 * "Mixed Precision Training", ICLR 2018), as `torch.amp.GradScaler`.
 *
 * A step is `scaler.scale(loss).backward()`, `scaler.step(optimizer)`, `scaler.update()`; to clip gradients call
 * `scaler.unscale_(optimizer)` before. Optimisers with fused operators are skipped without reading a tensor.
 */
export class GradScaler {
  readonly enabled: boolean
  #initScale: number
  #initTracker = 0
  #growthFactor: number
  #backoffFactor: number
  #growthInterval: number
  #scale: Tensor | undefined
  /** Good steps since the scale changed. */
  #tracker: Tensor | undefined
  #stages = new Map<AnyOptimizer, OptimizerStage>()

  constructor({
    device,
    initScale = 65536,
    growthFactor = 2,
    backoffFactor = 0.5,
    growthInterval = 2000,
    enabled = true,
  }: GradScalerOptions = {}) {
    checkNumber('GradScaler', 'initScale', initScale, { least: Number.MIN_VALUE })
    checkNumber('GradScaler', 'growthFactor', growthFactor, { least: 1 + Number.EPSILON })
    checkNumber('GradScaler', 'backoffFactor', backoffFactor, { below: 1 })
    checkCount('GradScaler', 'growthInterval', growthInterval, 1)
    this.enabled = enabled
    this.#initScale = initScale
    this.#growthFactor = growthFactor
    this.#backoffFactor = backoffFactor
    this.#growthInterval = growthInterval
    if (enabled && device !== undefined) this.#start(device)
  }

  #start(device: Device): { scale: Tensor; tracker: Tensor } {
    this.#scale ??= keep(full([], this.#initScale, { dtype: 'float32', device }))
    this.#tracker ??= keep(full([], this.#initTracker, { dtype: 'int32', device }))
    return { scale: this.#scale, tracker: this.#tracker }
  }

  #started(method: string): { scale: Tensor; tracker: Tensor } {
    if (this.#scale && this.#tracker) return { scale: this.#scale, tracker: this.#tracker }
    throw new ConfigError(`GradScaler.${method}: call scale(loss) first, or name the device when making the scaler`)
  }

  /** The loss, or each of several, times the scale. */
  scale<T extends Tensor | readonly Tensor[]>(losses: T): T {
    if (!this.enabled) return losses
    const scaled = (loss: Tensor) => loss.mul(this.#start(loss.device).scale.to(loss.device))
    return (Array.isArray(losses) ? losses.map(scaled) : scaled(losses as Tensor)) as T
  }

  #stageOf(optimizer: AnyOptimizer): OptimizerStage {
    let stage = this.#stages.get(optimizer)
    if (stage === undefined) {
      stage = { stage: 'ready', foundInf: new Map() }
      this.#stages.set(optimizer, stage)
    }
    return stage
  }

  /** Makes what the scaler keeps for an optimiser now: call it before a step is captured. */
  initialize(optimizer: AnyOptimizer): void {
    if (!this.enabled) return
    const { foundInf } = this.#stageOf(optimizer)
    for (const { device } of optimizer.paramGroups.flatMap(({ params }) => params)) {
      this.#start(device)
      if (!foundInf.has(device)) foundInf.set(device, keep(zeros([], { dtype: 'float32', device })))
    }
  }

  /** Divides the gradients of an optimiser by the scale, in place. `step` does it where this was not called. */
  unscale_(optimizer: AnyOptimizer): void {
    if (!this.enabled) return
    const { scale } = this.#started('unscale_')
    const stage = this.#stageOf(optimizer)
    if (stage.stage !== 'ready') {
      throw new ConfigError(
        `GradScaler.unscale_: this optimizer was ${stage.stage} already; call update() after a step`,
      )
    }
    noGrad(() =>
      tidy(() => {
        const groups = new Map<string, Tensor[]>()
        for (const parameter of optimizer.paramGroups.flatMap(({ params }) => params)) {
          const { grad } = parameter
          if (grad === null) continue
          if (grad.dtype === 'float16') {
            throw new DTypeError(
              'GradScaler.unscale_: a gradient is float16, which cannot hold unscaled values; keep parameters float32 and compute in autocast',
            )
          }
          const key = `${grad.device} ${grad.dtype}`
          groups.set(key, [...(groups.get(key) ?? []), grad])
        }
        // In double precision, as the reciprocal of the largest scales is no normal float32.
        const inverse = scale.to('float64').reciprocal().to('float32')
        for (const found of stage.foundInf.values()) found.zero_()
        for (const grads of groups.values()) {
          const device = grads[0]?.device ?? scale.device
          const found = stage.foundInf.get(device) ?? keep(zeros([], { dtype: 'float32', device }))
          stage.foundInf.set(device, found)
          _ampForeachNonFiniteCheckAndUnscale_(grads, found, inverse.to(device))
        }
        if (stage.foundInf.size === 0) {
          stage.foundInf.set(scale.device, keep(zeros([], { dtype: 'float32', device: scale.device })))
        }
      }),
    )
    stage.stage = 'unscaled'
  }

  /** Takes a step of the optimiser unless a gradient is infinite or NaN. */
  step(optimizer: AnyOptimizer): void {
    if (!this.enabled) {
      optimizer.step()
      return
    }
    const stage = this.#stageOf(optimizer)
    if (stage.stage === 'stepped') {
      throw new ConfigError('GradScaler.step: this optimizer was stepped already; call update() after a step')
    }
    if (stage.stage === 'ready') this.unscale_(optimizer)
    tidy(() => {
      const found = [...stage.foundInf.values()]
      const total = noGrad(() => this.#sum(found))
      if (optimizer.takesFoundInf) optimizer.step(undefined, { foundInf: total })
      else if (total.toNumber() === 0) optimizer.step()
    })
    stage.stage = 'stepped'
  }

  #sum(found: readonly Tensor[]): Tensor {
    const { scale } = this.#started('step')
    return found.slice(1).reduce((sum, next) => sum.add(next.to(scale.device)), (found[0] as Tensor).to(scale.device))
  }

  /**
   * Adapts the scale to what the steps since the last update found.
   *
   * @param newScale sets the scale instead
   */
  update(newScale?: number): void {
    if (!this.enabled) return
    const { scale, tracker } = this.#started('update')
    const used = [...this.#stages.values()].filter(({ stage }) => stage !== 'ready')
    if (newScale !== undefined) {
      checkNumber('GradScaler.update', 'newScale', newScale, { least: Number.MIN_VALUE })
      scale.fill_(newScale)
    } else {
      guardCapture(() => `${this.#growthFactor} ${this.#backoffFactor} ${this.#growthInterval}`)
      const found = used.flatMap(({ foundInf }) => [...foundInf.values()])
      if (found.length === 0) throw new ConfigError('GradScaler.update: no step was taken since the last update')
      noGrad(() =>
        tidy(() => {
          _ampUpdateScale_(
            scale,
            tracker,
            this.#sum(found),
            this.#growthFactor,
            this.#backoffFactor,
            this.#growthInterval,
          )
        }),
      )
    }
    for (const stage of this.#stages.values()) stage.stage = 'ready'
  }

  /** The scale as a number; 1 when the scaler is off. */
  getScale(): number {
    if (!this.enabled) return 1
    return this.#scale?.toNumber() ?? this.#initScale
  }

  stateDict(): GradScalerState {
    if (!this.enabled) return {}
    return {
      scale: this.getScale(),
      growth_factor: this.#growthFactor,
      backoff_factor: this.#backoffFactor,
      growth_interval: this.#growthInterval,
      _growth_tracker: this.#tracker?.toNumber() ?? this.#initTracker,
    }
  }

  /** @throws FormatError when it is no state dict of a scaler that was on */
  loadStateDict(state: GradScalerState): void {
    if (!this.enabled) return
    if (typeof state !== 'object' || state === null) {
      throw new ArgumentError(`GradScaler.loadStateDict: ${describe(state)} is no state dict`)
    }
    const read = (name: keyof GradScalerState) => {
      const value = state[name]
      if (typeof value === 'number') return value
      throw new FormatError(`GradScaler.loadStateDict: ${name} is ${describe(value)}; was the saved scaler off?`)
    }
    const [scale, tracker] = [read('scale'), read('_growth_tracker')]
    const [growth, backoff, interval] = [read('growth_factor'), read('backoff_factor'), read('growth_interval')]
    this.#initScale = scale
    this.#initTracker = tracker
    this.#growthFactor = growth
    this.#backoffFactor = backoff
    this.#growthInterval = interval
    this.#scale?.fill_(scale)
    this.#tracker?.fill_(tracker)
  }

  dispose(): void {
    dispose([...this[TENSORS]()])
    this.#scale = undefined
    this.#tracker = undefined
    this.#stages.clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal */
  *[TENSORS](): Iterable<Tensor> {
    if (this.#scale) yield this.#scale
    if (this.#tracker) yield this.#tracker
    for (const { foundInf } of this.#stages.values()) yield* foundInf.values()
  }
}
