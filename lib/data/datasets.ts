import { ArgumentError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import type { Dataset, SampleContext } from './dataset'
import { WORKER_RECIPE, type WorkerRecipe, workerRecipe } from './worker-recipe'

/** The rows of tensors: sample i is the i-th row of each, as views. */
export class TensorDataset<T extends readonly Tensor[]> implements Dataset<T> {
  readonly tensors: T
  readonly length: number

  /** @throws ShapeError when a tensor has no dimensions, or their first sizes differ */
  constructor(...tensors: T) {
    const sizes = tensors.map(({ shape }) => shape[0])
    const wrong = sizes.findIndex((size) => size === undefined || size !== sizes[0])
    if (wrong >= 0) {
      throw new ShapeError(
        `TensorDataset: tensor ${wrong} has shape [${tensors[wrong]?.shape}], tensor 0 [${tensors[0]?.shape}]; ` +
          'the first dimension counts the samples and must be the same in all',
      )
    }
    this.tensors = tensors
    this.length = sizes[0] ?? 0
  }

  get(index: number): T {
    checkIndex(index, this.length, 'TensorDataset')
    return this.tensors.map((tensor) => tensor.at(index)) as readonly Tensor[] as T
  }
}

/** Data sets one after another. */
export class ConcatDataset<T> implements Dataset<T> {
  readonly datasets: readonly Dataset<T>[]
  readonly length: number
  /** Where each data set ends. */
  readonly #ends: readonly number[]

  constructor(datasets: Iterable<Dataset<T>>) {
    this.datasets = [...datasets]
    if (this.datasets.length === 0) throw new ArgumentError('ConcatDataset: there must be at least one data set')
    let end = 0
    this.#ends = this.datasets.map((dataset) => {
      end += dataset.length
      return end
    })
    this.length = end
  }

  get(index: number, context?: SampleContext): T | Promise<T> {
    checkIndex(index, this.length, 'ConcatDataset')
    const which = this.#ends.findIndex((end) => index < end)
    const dataset = this.datasets[which] as Dataset<T>
    return dataset.get(index - (this.#ends[which - 1] ?? 0), context)
  }

  [WORKER_RECIPE](): WorkerRecipe | undefined {
    const datasets = this.datasets.map(workerRecipe)
    return datasets.includes(undefined) ? undefined : { kind: 'concat', datasets: datasets as WorkerRecipe[] }
  }
}

/** Some samples of a data set: sample i is the data set's sample `indices[i]`. */
export class Subset<T> implements Dataset<T> {
  readonly indices: readonly number[]

  /** @throws ArgumentError when an index is outside the data set */
  constructor(
    readonly dataset: Dataset<T>,
    indices: Iterable<number>,
  ) {
    this.indices = [...indices]
    for (const index of this.indices) checkIndex(index, dataset.length, 'Subset')
  }

  get length(): number {
    return this.indices.length
  }

  get(index: number, context?: SampleContext): T | Promise<T> {
    checkIndex(index, this.length, 'Subset')
    return this.dataset.get(this.indices[index] as number, context)
  }

  [WORKER_RECIPE](): WorkerRecipe | undefined {
    const dataset = workerRecipe(this.dataset)
    return dataset && { kind: 'subset', dataset, indices: this.indices }
  }
}

/** What a function makes of each sample. */
export class MapDataset<T, U> implements Dataset<U> {
  constructor(
    readonly dataset: Dataset<T>,
    readonly fn: (sample: T, context?: SampleContext) => U | Promise<U>,
  ) {}

  get length(): number {
    return this.dataset.length
  }

  get(index: number, context?: SampleContext): U | Promise<U> {
    const sample = this.dataset.get(index, context)
    return sample instanceof Promise ? sample.then((loaded) => this.fn(loaded, context)) : this.fn(sample, context)
  }
}

/** @throws ArgumentError unless 0 ≤ index < length */
function checkIndex(index: number, length: number, name: string): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return
  throw new ArgumentError(`${name}: there is no sample ${String(index)}; they are numbered from 0 to ${length - 1}`)
}
