import type { ResourceLimits } from 'node:worker_threads'
import { ArgumentError, ConfigError } from '../native/errors'
import { describe } from '../tensor/call'
import { type Dataset, type IterableDataset, isIterableDataset } from './dataset'
import { checkSeed } from './random'
import { checkCount, type Sampler } from './samplers'
import { workerRecipe } from './worker-recipe'

export interface DataLoaderOptions<T, B> {
  /** Samples of a batch; 1 unless stated. null: each sample is handed out as it is. */
  readonly batchSize?: number | null | undefined
  /** A new random order in each epoch. */
  readonly shuffle?: boolean | undefined
  /**
   * Of the order and of the samples' own randomness. Unless stated it is drawn from the default generator, so that
   * `manualSeed` decides it.
   */
  readonly seed?: number | undefined
  /** Which samples, in which order; in place of `shuffle`. */
  readonly sampler?: Sampler | undefined
  /** The samples of each batch; in place of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  readonly batchSampler?: Sampler<readonly number[]> | undefined
  /** Leave out a last batch that is smaller. */
  readonly dropLast?: boolean | undefined
  /** Makes a batch of samples; `defaultCollate` unless stated. With workers it is an export of the data set's module. */
  readonly collate?: ((samples: readonly T[]) => B) | undefined
  /** Threads that load; 0 unless stated: this one does. They need a data set of `workerDataset`. */
  readonly workers?: number | undefined
  /** Batches that are loaded ahead, for each worker; 2 unless stated. 0, without workers: none. */
  readonly prefetchFactor?: number | undefined
  /** Puts batches into memory that CUDA copies from without a detour. Does nothing, and warns, where there is no CUDA. */
  readonly pinMemory?: boolean | undefined
  /** Keep the workers, and their data sets, from one epoch to the next; end them with `close()`. */
  readonly persistentWorkers?: boolean | undefined
  /** How long a batch may keep the loop waiting; 0 unless stated: for ever. */
  readonly timeoutMs?: number | undefined
  /** Ends the iteration with a CancelledError. */
  readonly signal?: AbortSignal | undefined
  /** How much memory the JavaScript of each worker may take; tensors are not part of it. */
  readonly resourceLimits?: ResourceLimits | undefined
}

/** @throws ArgumentError for values out of range, ConfigError for options that contradict each other */
export function checkOptions<T, B>(dataset: Dataset<T> | IterableDataset<T>, options: DataLoaderOptions<T, B>): void {
  const { batchSize, workers = 0, prefetchFactor, timeoutMs = 0, seed } = options
  if (batchSize !== undefined && batchSize !== null) checkCount(batchSize, 'DataLoader: batchSize', 1)
  checkCount(workers, 'DataLoader: workers', 0)
  checkCount(prefetchFactor ?? 2, 'DataLoader: prefetchFactor', workers > 0 ? 1 : 0)
  if (!(timeoutMs >= 0)) throw new ArgumentError(`DataLoader: timeoutMs is ${timeoutMs}; it must be 0 or more`)
  if (seed !== undefined) checkSeed(seed, 'DataLoader: seed')
  checkOrder(isIterableDataset(dataset), options)
  if (batchSize === null) checkUnbatched(options)
  if (workers > 0) checkWorkers(dataset, options)
  else if (options.persistentWorkers) {
    throw new ConfigError('DataLoader: persistentWorkers needs workers; say how many with `workers`')
  }
}

function checkOrder<T, B>(stream: boolean, options: DataLoaderOptions<T, B>): void {
  const { batchSize, shuffle, sampler, batchSampler, dropLast } = options
  if (stream) {
    refuse({ shuffle, sampler, batchSampler }, 'the data set is a stream, whose order is its own')
  } else if (batchSampler) {
    refuse({ batchSize, shuffle, sampler, dropLast }, 'batchSampler decides it')
  } else if (sampler) {
    refuse({ shuffle }, 'sampler decides the order')
  }
}

function checkUnbatched<T, B>({ dropLast, collate, batchSampler }: DataLoaderOptions<T, B>): void {
  refuse({ dropLast, collate, batchSampler }, 'batchSize is null: samples are handed out one by one as they are')
}

function refuse(options: Readonly<Record<string, unknown>>, reason: string): void {
  const [name] = Object.entries(options).find(([, value]) => value !== undefined && value !== false) ?? []
  if (name !== undefined) throw new ConfigError(`DataLoader: leave out ${name}: ${reason}`)
}

function checkWorkers<T, B>(dataset: Dataset<T> | IterableDataset<T>, { collate }: DataLoaderOptions<T, B>): void {
  if (collate !== undefined) {
    throw new ConfigError(
      'DataLoader: a collate function cannot be sent to workers; export it from the module of the data set as `collate`',
    )
  }
  if (workerRecipe(dataset)) return
  throw new ConfigError(
    `DataLoader: ${describe(dataset)} exists in this thread only, and workers make their own data set: ` +
      "make it with await workerDataset(new URL('./my-dataset.js', import.meta.url), options), or use workers: 0",
  )
}
