import { ArgumentError, FormatError } from '../native/errors'
import { noGrad } from '../tensor/autograd'
import { zeros } from '../tensor/creation'
import { isTensor, TENSORS } from '../tensor/handle'
import { onesLike, where } from '../tensor/ops.generated'
import { _foreachLerp_ } from '../tensor/private-ops.generated'
import { dispose, keep, tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import { checkNumber } from './param-group'

/** What averages need of a module. */
export interface AveragedModule {
  namedParameters(): Iterable<readonly [name: string, parameter: Tensor]>
  namedBuffers(): Iterable<readonly [name: string, buffer: Tensor]>
  stateDict(): ReadonlyMap<string, Tensor>
}

export interface AveragingOptions {
  /** Averages floating-point buffers too; by default the averages hold the latest ones. */
  readonly useBuffers?: boolean | undefined
  /** Where the averages are; beside the parameters unless stated. */
  readonly device?: Device | undefined
}

/**
 * Running averages of a module's weights, as `torch.optim.swa_utils.AveragedModel`. The first update copies the weights.
 *
 * Averages and their count are tensors made at construction, so that a captured step goes on averaging.
 */
export abstract class WeightAverage {
  /** How many updates there were, int64. */
  readonly #count: Tensor
  /** By the module's tensors, of which one may have several names. */
  readonly #averages = new Map<Tensor, Tensor>()
  readonly #averaged: ReadonlySet<Tensor>

  constructor(
    readonly module: AveragedModule,
    { useBuffers = false, device }: AveragingOptions = {},
  ) {
    const parameters = [...module.namedParameters()].map(([, parameter]) => parameter)
    const buffers = [...module.namedBuffers()].map(([, buffer]) => buffer)
    const [first] = parameters
    if (first === undefined) throw new ArgumentError(`${new.target.name}: the module has no parameters`)
    noGrad(() => {
      for (const tensor of [...parameters, ...buffers]) {
        this.#averages.set(tensor, keep(tensor.to({ device: device ?? tensor.device, copy: true })))
      }
    })
    const floating = buffers.filter(({ dtype }) => /^(b?float|complex)/.test(dtype))
    this.#averaged = new Set([...parameters, ...(useBuffers ? floating : [])])
    this.#count = keep(zeros([], { dtype: 'int64', device: device ?? first.device }))
  }

  /** The weight of the module in an update, by the number of updates before, float64; 1 for the first. */
  protected abstract weight(count: Tensor): Tensor

  /** Takes the module's weights into the averages. */
  update(): void {
    noGrad(() =>
      tidy(() => {
        const weight = this.weight(this.#count)
        const weights = new Map<string, Tensor>()
        const groups = new Map<string, { averages: Tensor[]; values: Tensor[]; weights: Tensor[] }>()
        for (const [name, value] of [...this.module.namedParameters(), ...this.module.namedBuffers()]) {
          const average = this.#averageOf(name, value)
          if (!this.#averaged.has(value)) {
            average.copy_(value)
            continue
          }
          const { device, dtype } = average
          const key = `${device} ${dtype}`
          const group = groups.get(key) ?? { averages: [], values: [], weights: [] }
          groups.set(key, group)
          const own = weights.get(key) ?? weight.to({ device, dtype })
          weights.set(key, own)
          group.averages.push(average)
          group.values.push(value.detach().to(device))
          group.weights.push(own)
        }
        for (const group of groups.values()) _foreachLerp_(group.averages, group.values, group.weights)
        this.#count.add_(1)
      }),
    )
  }

  #averageOf(name: string, tensor: Tensor): Tensor {
    const average = this.#averages.get(tensor)
    if (average) return average
    throw new ArgumentError(`${this.constructor.name}: '${name}' was added to the module after the averages were made`)
  }

  /** The averages by the names of the module's state dict, as `loadStateDict` of another module takes them. */
  averages(): Map<string, Tensor> {
    return new Map([...this.module.stateDict()].map(([name, tensor]) => [name, this.#averageOf(name, tensor)]))
  }

  /** Exchanges the module's weights and the averages, in place; a second call exchanges them back. */
  swap(): void {
    noGrad(() =>
      tidy(() => {
        for (const [name, value] of [...this.module.namedParameters(), ...this.module.namedBuffers()]) {
          const average = this.#averageOf(name, value)
          const before = value.clone()
          value.copy_(average)
          average.copy_(before)
        }
      }),
    )
  }

  /** Runs `fn`, such as an evaluation, with the averages in the module. Do not train meanwhile. */
  async use<T>(fn: () => T | Promise<T>): Promise<T> {
    this.swap()
    try {
      return await fn()
    } finally {
      this.swap()
    }
  }

  /** The count and the averages, named as PyTorch's `AveragedModel` does; the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    const named = [...this.averages()].map(([name, average]): [string, Tensor] => [`module.${name}`, average])
    return new Map([['n_averaged', this.#count], ...named])
  }

  /** @throws FormatError listing what is missing, unexpected or of another shape; nothing is changed then */
  loadStateDict(state: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>): void {
    const given = new Map(state instanceof Map ? state : Object.entries(state))
    const own = this.stateDict()
    const problems = [...own].flatMap(([name, tensor]) => {
      const source: unknown = given.get(name)
      if (!isTensor(source)) return [`${name}: missing`]
      const { shape } = source as unknown as Tensor
      return String(shape) === String(tensor.shape) ? [] : [`${name}: [${shape}], expected [${tensor.shape}]`]
    })
    problems.push(...[...given.keys()].filter((name) => !own.has(name)).map((name) => `${name}: unexpected`))
    if (problems.length > 0) {
      throw new FormatError(
        [`${this.constructor.name}.loadStateDict: the state dict does not fit; nothing was changed`, ...problems].join(
          '\n  ',
        ),
      )
    }
    noGrad(() => {
      for (const [name, tensor] of own) tensor.copy_(given.get(name) as Tensor)
    })
  }

  dispose(): void {
    dispose([this.#count, ...this.#averages.values()])
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal */
  *[TENSORS](): Iterable<Tensor> {
    yield this.#count
    yield* this.#averages.values()
  }
}

export interface ExponentialAverageOptions extends AveragingOptions {
  /** How much of an average stays in an update; 0.999 unless stated. */
  readonly decay?: number | undefined
  /**
   * Updates over which the decay rises from 0, as `decay · (1 − exp(−n / ramp))` in the n-th, so that early weights are
   * forgotten; 0 unless stated: none, and the first update copies the weights.
   */
  readonly ramp?: number | undefined
}

/**
 * Exponential moving average of weights (Polyak averaging): `average ← decay · average + (1 − decay) · weight`, as
 * PyTorch's `AveragedModel` with `get_ema_multi_avg_fn(decay)`.
 */
export class ExponentialMovingAverage extends WeightAverage {
  readonly decay: number
  readonly ramp: number

  constructor(module: AveragedModule, options: ExponentialAverageOptions = {}) {
    super(module, options)
    this.decay = options.decay ?? 0.999
    this.ramp = options.ramp ?? 0
    checkNumber('ExponentialMovingAverage', 'decay', this.decay, { most: 1 })
    checkNumber('ExponentialMovingAverage', 'ramp', this.ramp)
  }

  protected override weight(count: Tensor): Tensor {
    const one = onesLike(count, { dtype: 'float64' })
    if (this.ramp === 0) return where(count.eq(0), one, one.mul(1 - this.decay))
    const risen = one.sub(count.add(1).div(-this.ramp).to('float64').exp())
    return one.sub(risen.mul(this.decay))
  }
}

/**
 * Equal average of weights (Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI
 * 2018), as PyTorch's `AveragedModel`. Batch norms need `updateBatchNorm` afterwards.
 */
export class StochasticWeightAverage extends WeightAverage {
  protected override weight(count: Tensor): Tensor {
    return count.to('float64').add(1).reciprocal()
  }
}
