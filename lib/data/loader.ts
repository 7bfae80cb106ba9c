import { ConfigError, FormatError } from '../native/errors'
import { call, describe } from '../tensor/call'
import { randint } from '../tensor/creation'
import { cudaIsAvailable, cudaUnavailableReason } from '../tensor/device'
import { Scope } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { type Collated, defaultCollate } from './collate'
import { type Dataset, type IterableDataset, isIterableDataset } from './dataset'
import type { Collate, Draw, Loaded } from './fetch'
import { Iteration } from './iteration'
import { checkOptions, type DataLoaderOptions } from './loader-options'
import { type LoaderStats, WaitingTime } from './loader-stats'
import { mapTensors } from './map-tensors'
import { BatchSampler, checkCount, RandomSampler, type Sampler, SequentialSampler } from './samplers'
import { type BatchSource, InlineSource, InlineStream, type Task, WorkerSource, WorkerStream } from './sources'
import { type WorkerRecipe, workerRecipe } from './worker-recipe'
import { WorkerThread } from './worker-thread'

/** Where a loader stands: plain data, for checkpoints. */
export interface LoaderState {
  readonly version: 1
  readonly seed: number
  readonly epoch: number
  /** Batches of the epoch that were handed out. */
  readonly batch: number
  /** Samples of the data set; null for a stream. */
  readonly samples: number | null
  /** Batches of an epoch; null for a stream. */
  readonly batches: number | null
}

interface Position {
  readonly epoch: number
  batch: number
}

/**
 * Batches of a data set, loaded ahead of the loop that takes them.
 *
 *     const loader = new DataLoader(dataset, { batchSize: 32, shuffle: true, seed: 1 })
 *     for await (const { image, label } of loader) step(image, label)
 *
 * Each loop is an epoch: the first is epoch 0, and a loop that begins takes the next, unless `setEpoch` or `loadState`
 * said which. The order, and the randomness that samples are loaded with, follow from the seed and the epoch; they are
 * the same for any number of workers, and a loop that is resumed from a `state()` gets the batches that were left.
 *
 * The tensors of a batch live until the next batch is asked for, or the loop ends; `keep()` what is needed for longer.
 *
 * With `workers`, threads load, collate and hand over their tensors without a copy. Each has a data set of its own, made
 * by the module that `workerDataset` names. Leaving the loop early, an error and an abort end them; those that persist
 * are ended by `close()`.
 */
export class DataLoader<T, B = Collated<T>> implements AsyncIterable<B> {
  readonly dataset: Dataset<T> | IterableDataset<T>
  readonly batchSize: number | null
  readonly workers: number
  readonly #options: DataLoaderOptions<T, B>
  readonly #waiting = new WaitingTime()
  #seed: number
  #order: Sampler<readonly number[]> | undefined
  #position: Position = { epoch: 0, batch: 0 }
  /** True when the next loop begins where the position is, and not with the next epoch. */
  #fresh = true
  #current: Iteration | undefined
  #threads: readonly WorkerThread[] = []
  #runs = 0

  /**
   * @throws ArgumentError for options out of range, and for a random order of an empty data set; without one, an empty
   *   data set has no batches
   * @throws ConfigError for options that contradict each other, and for workers without a `workerDataset`
   */
  constructor(dataset: Dataset<T> | IterableDataset<T>, options: DataLoaderOptions<T, B> = {}) {
    checkOptions(dataset, options)
    this.dataset = dataset
    this.batchSize = options.batchSize === undefined ? 1 : options.batchSize
    this.workers = options.workers ?? 0
    this.#options = options
    this.#seed = options.seed ?? drawSeed()
    this.#order = this.#makeOrder()
    if (options.pinMemory) warnWithoutCuda()
  }

  /** Batches of an epoch; undefined for a stream. */
  get length(): number | undefined {
    return this.#order?.length
  }

  /** Of the loop that runs, or else of the next. */
  get epoch(): number {
    return this.#position.epoch
  }

  get seed(): number {
    return this.#seed
  }

  /**
   * Chooses the epoch of the next loop, from its first batch. The epoch in the middle of which a state was loaded keeps
   * its place.
   */
  setEpoch(epoch: number): void {
    checkCount(epoch, 'DataLoader.setEpoch: epoch', 0)
    if (this.#fresh && epoch === this.#position.epoch) return
    this.#position = { epoch, batch: 0 }
    this.#fresh = true
  }

  /** Where it stands: the batches that were handed out, whatever was loaded ahead. */
  state(): LoaderState {
    const samples = isIterableDataset(this.dataset) ? null : this.dataset.length
    return { version: 1, seed: this.#seed, ...this.#position, samples, batches: this.length ?? null }
  }

  /**
   * The next loop goes on from a state: the same batches that the loop it was taken in had left, in the same order, bit
   * by bit. A sampler of the caller's must give the order it gave then; a stream is read again from its start, and what
   * was handed out is passed over.
   *
   * @throws FormatError when it is no state of a loader
   * @throws ConfigError when the data set, or the number of batches, is another
   */
  loadState(state: unknown): void {
    const { seed, epoch, batch, samples, batches } = checkState(state)
    const own = this.state()
    if (samples !== own.samples || batches !== own.batches) {
      throw new ConfigError(
        `DataLoader.loadState: the state is of ${samples} samples in ${batches} batches, ` +
          `this loader has ${own.samples} in ${own.batches}; its order would be another`,
      )
    }
    this.#seed = seed
    this.#order = this.#makeOrder()
    // A loop that had all its batches, but was not asked for one more, was at its end.
    const done = batches !== null && batch >= batches
    this.#position = done ? { epoch: epoch + 1, batch: 0 } : { epoch, batch }
    this.#fresh = true
  }

  /** How long the loop that runs, or ran last, has waited for its batches. */
  stats(): LoaderStats {
    return this.#waiting.stats()
  }

  /** Ends the loop that runs and the workers that persist. The loader may be used again. */
  async close(): Promise<void> {
    await this.#current?.close()
    await this.#endThreads()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const { iteration, position } = await this.#begin()
    const waiting = this.#waiting
    waiting.begin()
    let held: Scope | undefined
    let complete = false
    try {
      for (;;) {
        const loaded = await waiting.during(() => iteration.next())
        if (!loaded) break
        held = loaded.scope
        position.batch += 1
        yield loaded.value as B
        held.close(undefined)
      }
      complete = true
    } finally {
      held?.close(undefined)
      if (complete) this.#complete(position)
      await this.#end(iteration)
    }
  }

  // ---- A loop -------------------------------------------------------------------------------------------------------

  async #begin(): Promise<{ readonly iteration: Iteration; readonly position: Position }> {
    await this.#current?.close()
    if (!this.#threads.every(({ usable }) => usable)) await this.#endThreads()
    if (!this.#fresh) this.#position = { epoch: this.#position.epoch + 1, batch: 0 }
    this.#fresh = false
    const position = this.#position
    const skip = position.batch
    const { timeoutMs = 0, signal, prefetchFactor = 2 } = this.#options
    const source = this.#source({ seed: this.#seed, epoch: position.epoch })
    const iteration = new Iteration({
      source,
      tasks: this.#tasks(position.epoch, this.#order ? skip : 0),
      ahead: prefetchFactor * Math.max(1, this.workers),
      // A stream has no numbers by which its first batches could be left out.
      skip: this.#order ? 0 : skip,
      timeoutMs,
      signal,
    })
    this.#current = iteration
    return { iteration, position }
  }

  #complete(position: Position): void {
    if (this.#position !== position) return
    this.#position = { epoch: position.epoch + 1, batch: 0 }
    this.#fresh = true
  }

  async #end(iteration: Iteration): Promise<void> {
    const last = this.#current === iteration
    if (last) this.#current = undefined
    // The threads go first where they go: what they were asked for need not be waited for.
    if (last && (!this.#options.persistentWorkers || iteration.stuck)) await this.#endThreads()
    await iteration.close()
    for (const thread of this.#threads) thread.hold(false)
  }

  *#tasks(epoch: number, skip: number): Generator<Task, void, undefined> {
    if (!this.#order) {
      for (let batch = 0; ; batch++) yield { batch, indices: [] }
    }
    this.#order.setEpoch?.(epoch)
    let batch = 0
    for (const indices of this.#order) {
      if (batch >= skip) yield { batch, indices }
      batch += 1
    }
  }

  #source(draw: Draw): BatchSource {
    const { dataset, batchSize } = this
    const shape = { batchSize: batchSize ?? 1, dropLast: this.#options.dropLast ?? false }
    const stream = isIterableDataset(dataset)
    if (this.workers > 0) {
      const threads = this.#startThreads()
      this.#runs += 1
      return stream ? new WorkerStream(threads, this.#runs, draw, shape) : new WorkerSource(threads, this.#runs, draw)
    }
    const collate = this.#collate()
    const source = stream ? new InlineStream(dataset, draw, collate, shape) : new InlineSource(dataset, draw, collate)
    return this.#options.pinMemory && cudaIsAvailable() ? pinned(source) : source
  }

  #collate(): Collate {
    if (this.batchSize === null) return null
    return (this.#options.collate as Collate | undefined) ?? defaultCollate
  }

  // ---- Order --------------------------------------------------------------------------------------------------------

  #makeOrder(): Sampler<readonly number[]> | undefined {
    const { dataset, batchSize } = this
    const { shuffle, sampler, batchSampler, dropLast } = this.#options
    if (isIterableDataset(dataset)) return undefined
    if (batchSampler) return batchSampler
    const samples =
      sampler ?? (shuffle ? new RandomSampler(dataset, { seed: this.#seed }) : new SequentialSampler(dataset))
    return new BatchSampler(samples, batchSize ?? 1, dropLast)
  }

  // ---- Workers ------------------------------------------------------------------------------------------------------

  #startThreads(): readonly WorkerThread[] {
    const { dataset } = this
    const recipe = workerRecipe(dataset) as WorkerRecipe
    const length = isIterableDataset(dataset) ? undefined : dataset.length
    const start = {
      recipe,
      workers: this.workers,
      seed: this.#seed,
      collates: this.batchSize !== null,
      pinMemory: (this.#options.pinMemory ?? false) && cudaIsAvailable(),
    }
    if (this.#threads.length === 0) {
      this.#threads = Array.from(
        { length: this.workers },
        (_, id) => new WorkerThread(id, start, length, this.#options.resourceLimits),
      )
    }
    for (const thread of this.#threads) thread.hold(true)
    return this.#threads
  }

  async #endThreads(): Promise<void> {
    const threads = this.#threads
    this.#threads = []
    await Promise.all(threads.map((thread) => thread.close()))
  }
}

function drawSeed(): number {
  const drawn = randint(0, Number.MAX_SAFE_INTEGER, [1])
  try {
    return drawn.toNumber()
  } finally {
    drawn.dispose()
  }
}

function checkState(state: unknown): LoaderState {
  const { version, seed, epoch, batch, samples, batches } = (state ?? {}) as Partial<Record<keyof LoaderState, unknown>>
  const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  const sized = (value: unknown): value is number | null => value === null || count(value)
  const whole = Number.isSafeInteger(seed) && count(epoch) && count(batch) && sized(samples) && sized(batches)
  if (version === 1 && whole) return { version, seed: seed as number, epoch, batch, samples, batches }
  throw new FormatError(`DataLoader.loadState: ${describe(state)} is no state of a loader; pass what state() returned`)
}

let warned = false

function warnWithoutCuda(): void {
  if (warned || cudaIsAvailable()) return
  warned = true
  process.emitWarning(`DataLoader: pinMemory does nothing without CUDA: ${cudaUnavailableReason()}`)
}

/** A source whose batches are copied to pinned memory. */
function pinned(source: BatchSource): BatchSource {
  const pin = ({ value, scope }: Loaded): Loaded => {
    const kept = new Scope(undefined)
    const copy = mapTensors(value, (tensor) => {
      const copied = call('aten::pin_memory', [tensor]) as Tensor
      kept.add(copied)
      return copied
    })
    scope.close(undefined)
    return { value: copy, scope: kept }
  }
  return {
    get ended() {
      return source.ended
    },
    close: () => source.close(),
    start: async (task) => {
      const loaded = await source.start(task)
      return loaded && pin(loaded)
    },
  }
}
