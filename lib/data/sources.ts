import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dataset, IterableDataset } from './dataset'
import { type Collate, type Draw, type Loaded, loadSamples, StreamReader } from './fetch'
import type { WorkerThread } from './worker-thread'

/** A batch to load: its number, and its samples; a stream has none. */
export interface Task {
  readonly batch: number
  readonly indices: readonly number[]
}

/** Where batches come from: this thread, or workers. */
export interface BatchSource {
  /** Begins to load a batch; undefined when the stream has none left. Calls come in the order of the batches. */
  start(task: Task): Promise<Loaded | undefined>
  /** True when a stream has no batch that is not begun. */
  readonly ended: boolean
  /** Told that no more is wanted. */
  close(): Promise<void>
}

export interface StreamShape {
  readonly batchSize: number
  readonly dropLast: boolean
}

/** Loads numbered samples in this thread. */
export class InlineSource implements BatchSource {
  readonly ended = false

  constructor(
    readonly dataset: Dataset<unknown>,
    readonly draw: Draw,
    readonly collate: Collate,
  ) {}

  async start({ batch, indices }: Task): Promise<Loaded> {
    // What is loaded ahead must not hold up the batch that is handed out now.
    await nextTurn()
    return loadSamples(this.dataset, indices, this.draw, this.collate, { batch })
  }

  async close(): Promise<void> {}
}

/** Reads a stream in this thread. */
export class InlineStream implements BatchSource {
  readonly #reader: StreamReader
  readonly #collate: Collate
  #last: Promise<unknown> = Promise.resolve()
  #ended = false

  constructor(dataset: IterableDataset<unknown>, draw: Draw, collate: Collate, { batchSize, dropLast }: StreamShape) {
    dataset.setEpoch?.(draw.epoch)
    this.#reader = new StreamReader(dataset[Symbol.asyncIterator](), draw, batchSize, dropLast, 0)
    this.#collate = collate
  }

  get ended(): boolean {
    return this.#ended
  }

  start({ batch }: Task): Promise<Loaded | undefined> {
    const loading = this.#last.then(() => nextTurn()).then(() => this.#reader.read(this.#collate, { batch }))
    this.#last = loading.then(
      (loaded) => {
        this.#ended ||= loaded === undefined
      },
      () => {
        this.#ended = true
      },
    )
    return loading
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }
}

/** Loads numbered samples in workers: each batch in the one that has least to do. */
export class WorkerSource implements BatchSource {
  readonly ended = false

  constructor(
    readonly threads: readonly WorkerThread[],
    readonly run: number,
    readonly draw: Draw,
  ) {}

  start({ batch, indices }: Task): Promise<Loaded | undefined> {
    const thread = this.threads.reduce((best, other) => (other.load < best.load ? other : best))
    return thread.ask({ type: 'samples', run: this.run, batch, indices, ...this.draw })
  }

  async close(): Promise<void> {
    for (const thread of this.threads) thread.forget()
  }
}

/** Reads a stream in workers, which take turns; one whose part is read is passed over. */
export class WorkerStream implements BatchSource {
  readonly #ended: boolean[]
  #turn = 0

  constructor(
    readonly threads: readonly WorkerThread[],
    readonly run: number,
    draw: Draw,
    shape: StreamShape,
  ) {
    this.#ended = threads.map(() => false)
    for (const thread of threads) thread.tell({ type: 'stream', run, ...draw, ...shape })
  }

  get ended(): boolean {
    return !this.#ended.includes(false)
  }

  async start({ batch }: Task): Promise<Loaded | undefined> {
    while (this.#ended[this.#turn % this.threads.length]) this.#turn += 1
    const at = this.#turn++ % this.threads.length
    const loaded = await this.threads[at]?.ask({ type: 'next', run: this.run, batch })
    if (loaded === undefined) this.#ended[at] = true
    return loaded
  }

  async close(): Promise<void> {
    for (const thread of this.threads) thread.forget()
  }
}
