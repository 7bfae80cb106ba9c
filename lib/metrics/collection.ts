import { ArgumentError, FormatError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import type { Metric, MetricState } from './metric'

/** Metrics by name that take the same arguments. */
export type MetricMap<Args extends readonly unknown[]> = Readonly<Record<string, Metric<Args, unknown>>>

type Results<M> = { readonly [Name in keyof M]: M[Name] extends { compute(): infer R } ? R : never }

/** Several metrics that are updated and read together: `new MetricCollection({ top1: new Accuracy(), … })`. */
export class MetricCollection<
  Args extends readonly unknown[] = [predictions: Tensor, targets: Tensor],
  M extends MetricMap<Args> = MetricMap<Args>,
> implements Metric<Args, Results<M>>
{
  readonly metrics: M

  /** @throws ArgumentError without metrics, or when a name has a dot, which separates names in state dicts */
  constructor(metrics: M) {
    const names = Object.keys(metrics)
    const bad = names.find((name) => name === '' || name.includes('.'))
    if (names.length === 0) throw new ArgumentError('MetricCollection: there are no metrics; name at least one')
    if (bad !== undefined) throw new ArgumentError(`MetricCollection: '${bad}' is no name; use one without dots`)
    this.metrics = metrics
  }

  /** Updates all metrics. When one refuses the arguments, those before it have taken them; start again with `reset`. */
  update(...args: Args): void {
    for (const metric of Object.values(this.metrics)) metric.update(...args)
  }

  compute(): Results<M> {
    const entries = Object.entries(this.metrics).map(([name, metric]) => [name, metric.compute()])
    return Object.fromEntries(entries) as Results<M>
  }

  async computeAsync(): Promise<Results<M>> {
    const entries = Object.entries(this.metrics).map(async ([name, metric]) => [name, await metric.computeAsync()])
    return Object.fromEntries(await Promise.all(entries)) as Results<M>
  }

  reset(): void {
    for (const metric of Object.values(this.metrics)) metric.reset()
  }

  merge(other: Metric<Args, Results<M>>): void {
    if (!(other instanceof MetricCollection) || String(other) !== String(this)) {
      throw new ArgumentError(
        `MetricCollection.merge: ${String(other)} is not ${String(this)}; merge equal collections`,
      )
    }
    for (const [name, metric] of Object.entries(this.metrics)) metric.merge(other.metrics[name])
  }

  /** States of all metrics by `name.state`. */
  stateDict(): MetricState {
    const entries = Object.entries(this.metrics).flatMap(([name, metric]) =>
      Object.entries(metric.stateDict()).map(([key, tensor]) => [`${name}.${key}`, tensor] as const),
    )
    return Object.fromEntries(entries)
  }

  loadStateDict(state: MetricState): void {
    for (const [metric, own] of this.#parts('loadStateDict', state)) metric.loadStateDict(own)
  }

  mergeState(state: MetricState): void {
    for (const [metric, own] of this.#parts('mergeState', state)) metric.mergeState(own)
  }

  /** Each metric with its part of a state. */
  #parts(caller: string, state: MetricState): (readonly [metric: Metric<Args, unknown>, own: MetricState])[] {
    const unknown = Object.keys(state).find((key) => !(key.slice(0, key.indexOf('.')) in this.metrics))
    if (unknown !== undefined) {
      throw new FormatError(`MetricCollection.${caller}: there is no metric for '${unknown}' in ${String(this)}`)
    }
    return Object.entries(this.metrics).map(([name, metric]) => {
      const own = Object.entries(state).filter(([key]) => key.startsWith(`${name}.`))
      return [metric, Object.fromEntries(own.map(([key, tensor]) => [key.slice(name.length + 1), tensor]))]
    })
  }

  dispose(): void {
    for (const metric of Object.values(this.metrics)) metric.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    const entries = Object.entries(this.metrics).map(([name, metric]) => `  ${name}: ${String(metric)}`)
    return ['MetricCollection({', ...entries, '})'].join('\n')
  }
}
