import type { Generator } from '../tensor/random'

/**
 * Samples by number. What `get` returns may be anything that the loader's `collate` takes: a tensor, a tuple, a plain
 * object of them.
 */
export interface Dataset<T> {
  readonly length: number
  /**
   * @param index a whole number from 0 to `length − 1`
   * @param context what a `DataLoader` gives; absent where a program calls `get` itself
   */
  get(index: number, context?: SampleContext): T | Promise<T>
}

/**
 * Samples one after another, for streams that have no numbers: a socket, a shard of an archive, frames of a video.
 *
 * With several workers each walks the whole stream and keeps every n-th batch, which gives the same batches in the same
 * order as without workers but reads the stream n times. A data set that can read a part of itself says so by `shard`;
 * then worker i of n walks `shard(i, n)` alone, and batches alternate between the parts.
 */
export interface IterableDataset<T> {
  [Symbol.asyncIterator](): AsyncIterator<T>
  /** The part of the stream that one of several workers reads. Parts are disjoint and together the whole. */
  shard?(worker: number, workers: number): IterableDataset<T>
  /** Told of the epoch before each walk, for streams that shuffle themselves. */
  setEpoch?(epoch: number): void
}

/**
 * Where the randomness of one sample comes from. It depends on the loader's seed, the epoch and the sample's number
 * alone: not on the number of workers, nor on what was loaded before, so a resumed run draws the same augmentations.
 */
export interface SampleContext {
  /** Of the sample: a whole number from 0 to 2^53 − 1. */
  readonly seed: number
  readonly epoch: number
  /**
   * A generator of random numbers seeded with `seed`, for functions that take one. Made on first use, and of use until
   * `get` settles. The default generator belongs to the whole process and is left to the training.
   */
  readonly generator: Generator
}

/** True for a data set that is walked and not indexed. */
export function isIterableDataset<T>(dataset: Dataset<T> | IterableDataset<T>): dataset is IterableDataset<T> {
  return Symbol.asyncIterator in dataset
}
