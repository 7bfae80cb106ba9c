import { inspect } from 'node:util'
import { ArgumentError, FormatError, ShapeError } from '../native/errors'
import { noGrad } from '../tensor/autograd'
import { isTensor } from '../tensor/handle'
import { cat } from '../tensor/ops.generated'
import { dispose, keep, tidy, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Metric, MetricState } from './metric'

/** The elements of a state's tensor, row by row. */
export interface StateValues {
  readonly data: Float64Array
  readonly shape: readonly number[]
}

/**
 * How the states of two metrics become one: `'sum'` adds them (in a process group: an all-reduce), `'concat'` joins them
 * along the first dimension (an all-gather).
 */
export type StateReduction = 'sum' | 'concat'

/**
 * What metrics share. A metric says what one batch contributes (`observe`, on the device) and what follows from all
 * contributions (`conclude`, in plain numbers).
 */
export abstract class BaseMetric<
  Args extends readonly unknown[],
  Result,
  Name extends string,
  Options extends object = object,
> implements Metric<Args, Result>
{
  readonly #state = new Map<Name, readonly Tensor[]>()

  /**
   * @param name for messages and printing
   * @param states the names of what is gathered
   * @param options those that decide the outcome, with their defaults; metrics that differ in them do not merge
   */
  constructor(
    readonly name: string,
    readonly reduction: StateReduction,
    protected readonly states: readonly Name[],
    protected readonly options: Options,
  ) {}

  /**
   * What a batch contributes. Runs without gradients; tensors that are not returned are freed, and what is returned is
   * copied where it is kept. Sums are float64 or int64, so that they stay exact over many batches.
   */
  protected abstract observe(...args: Args): Readonly<Record<Name, Tensor>>

  protected abstract conclude(values: Readonly<Record<Name, StateValues>>): Result

  update(...args: Args): void {
    this.#absorb(() => noGrad(() => this.observe(...args)))
  }

  compute(): Result {
    this.#checkUpdated()
    const values = tidy(() => this.#mapStates((tensor) => valuesOf(tensor.shape, tensor.to('float64').dataSync())))
    return this.conclude(values)
  }

  async computeAsync(): Promise<Result> {
    this.#checkUpdated()
    const values = await tidyAsync(async () => {
      // All are snapshots of this moment: an update that comes while one is read must not be in half of them.
      const snapshot = this.#mapStates((tensor) => tensor.to({ dtype: 'float64', copy: true }))
      const read = this.states.map(async (name) => {
        const tensor = snapshot[name]
        return [name, valuesOf(tensor.shape, (await tensor.data()) as Float64Array)] as const
      })
      return recordOf(await Promise.all(read))
    })
    return this.conclude(values)
  }

  reset(): void {
    for (const tensors of this.#state.values()) dispose(tensors)
    this.#state.clear()
  }

  merge(other: Metric<Args, Result>): void {
    if (String(other) !== String(this)) {
      throw new ArgumentError(
        `${this.name}.merge: ${String(other)} is not ${String(this)}; merge metrics with equal options`,
      )
    }
    tidy(() => this.mergeState(other.stateDict()))
  }

  mergeState(state: MetricState): void {
    if (Object.keys(state).length > 0) this.#absorb(() => this.#checkState('mergeState', state))
  }

  stateDict(): MetricState {
    if (this.#state.size === 0) return {}
    return tidy(() => this.#mapStates((tensor) => tensor.clone()))
  }

  loadStateDict(state: MetricState): void {
    if (Object.keys(state).length === 0) {
      this.reset()
      return
    }
    const checked = this.#checkState('loadStateDict', state)
    const loaded = tidy(() => this.states.map((name) => [name, checked[name].detach().clone()] as const))
    this.reset()
    for (const [name, tensor] of loaded) this.#state.set(name, [keep(tensor)])
  }

  dispose(): void {
    this.reset()
  }

  [Symbol.dispose](): void {
    this.reset()
  }

  /** The name and the options, such as `Accuracy({ topK: 5, average: 'micro' })`. */
  toString(): string {
    const options = Object.entries(this.options).filter(([, value]) => value !== undefined)
    return `${this.name}(${options.length > 0 ? inspect(Object.fromEntries(options), { breakLength: Infinity }) : ''})`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  #checkUpdated(): void {
    if (this.#state.size > 0) return
    throw new ArgumentError(`${this.name}.compute: nothing was measured yet; call update() first`)
  }

  /** The state as one tensor a name. */
  #mapStates<T>(map: (tensor: Tensor) => T): Record<Name, T> {
    return recordOf(
      this.states.map((name) => {
        const tensors = this.#state.get(name) ?? []
        const [first] = tensors
        return [name, map(tensors.length === 1 && first !== undefined ? first : cat([...tensors]))] as const
      }),
    )
  }

  /** Adds contributions to the state: all of them or, when one fails, none. */
  #absorb(contribute: () => Readonly<Record<Name, Tensor>>): void {
    const next = tidy(() => {
      const contributions = contribute()
      return this.states.map((name) => [name, this.#joined(name, contributions[name])] as const)
    })
    for (const [name, { tensors, replaced }] of next) {
      for (const tensor of tensors) keep(tensor)
      this.#state.set(name, tensors)
      dispose(replaced)
    }
  }

  /** The state of a name with a contribution, and the tensors that are no longer part of it. */
  #joined(name: Name, contribution: Tensor): { tensors: readonly Tensor[]; replaced: readonly Tensor[] } {
    const old = this.#state.get(name) ?? []
    // A state that was loaded follows the data to its device, once.
    const here = old.map((tensor) => tensor.to(contribution.device))
    const replaced = old.filter((tensor, index) => here[index] !== tensor)
    const [sum] = here
    if (sum === undefined) return { tensors: [contribution.detach().clone()], replaced }
    if (this.reduction === 'concat') {
      checkJoins(this.name, sum, contribution)
      return { tensors: [...here, contribution.detach().clone()], replaced }
    }
    if (String(sum.shape) !== String(contribution.shape)) {
      throw new ShapeError(
        `${this.name}: ${name} is [${contribution.shape.join(', ')}] for this batch and was [${sum.shape.join(', ')}] before`,
      )
    }
    // Not in place: a sum that was made in inference mode could not be changed outside it.
    return { tensors: [sum.add(contribution)], replaced: old }
  }

  #checkState(caller: string, state: MetricState): Record<Name, Tensor> {
    const given = new Map(Object.entries(state))
    const unknown = [...given.keys()].filter((key) => !this.states.some((name) => name === key))
    const missing = this.states.filter((name) => !isTensor(given.get(name)))
    if (unknown.length + missing.length > 0) {
      throw new FormatError(
        `${this.name}.${caller}: the state has ${[...given.keys()].join(', ')}, the metric needs ${this.states.join(', ')}`,
      )
    }
    return recordOf(this.states.flatMap((name) => [...pairs(name, given.get(name))]))
  }
}

function* pairs<Name extends string>(name: Name, tensor: Tensor | undefined): Iterable<readonly [Name, Tensor]> {
  if (tensor !== undefined) yield [name, tensor]
}

function checkJoins(name: string, state: Tensor, contribution: Tensor): void {
  const [before, now] = [state.shape.slice(1), contribution.shape.slice(1)]
  if (String(before) === String(now)) return
  throw new ShapeError(
    `${name}: samples of this batch are [${now.join(', ')}], earlier ones were [${before.join(', ')}]`,
  )
}

function valuesOf(shape: readonly number[], data: Float64Array): StateValues {
  return { data, shape }
}

function recordOf<Name extends string, T>(entries: readonly (readonly [Name, T])[]): Record<Name, T> {
  return Object.fromEntries(entries) as Record<Name, T>
}

/** The measure of one batch, for the functional forms. */
export function measure<Args extends readonly unknown[], Result>(metric: Metric<Args, Result>, ...args: Args): Result {
  try {
    metric.update(...args)
    return metric.compute()
  } finally {
    metric.dispose()
  }
}
