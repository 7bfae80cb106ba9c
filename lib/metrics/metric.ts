import type { Tensor } from '../tensor/tensor'

/** What a metric has gathered, by name: all that `loadStateDict` needs to go on. */
export type MetricState = Readonly<Record<string, Tensor>>

/**
 * A measure over all the batches it was shown.
 *
 * `update` gathers on the device without waiting for it; only `compute` and `computeAsync` read. The metric of the whole
 * data is not the mean of the batches' metrics, so partial results are combined with `merge`, never averaged.
 */
export interface Metric<Args extends readonly unknown[] = [predictions: Tensor, targets: Tensor], Result = number> {
  /** Takes a batch in. Nothing is recorded for `backward()`, and only the running state is kept. */
  update(...args: Args): void
  /** The measure of all that was seen. @throws ArgumentError before the first `update` */
  compute(): Result
  /** As `compute`, without blocking the event loop while the device finishes. */
  computeAsync(): Promise<Result>
  /** Forgets all that was seen. */
  reset(): void
  /** Takes in what another metric of the same kind and options has seen, as if the updates had been made here. */
  merge(other: Metric<Args, Result>): void
  /** As `merge`, of a state that another process sent or that was stored; an empty one adds nothing. */
  mergeState(state: MetricState): void
  /** Copies of the state; empty before the first `update`. */
  stateDict(): MetricState
  /** Replaces the state. @throws FormatError, ShapeError when it is not the state of such a metric; nothing changes */
  loadStateDict(state: MetricState): void
  /** Gives the memory back; the metric is as new. */
  dispose(): void
}
