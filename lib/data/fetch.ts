import { setImmediate as nextTurn } from 'node:timers/promises'
import { DataError, type DataPlace, errorOfKind, VisionNativeError } from '../native/errors'
import { OWNER } from '../tensor/handle'
import { runInScope, Scope, tensorsIn } from '../tensor/scope'
import type { Dataset } from './dataset'
import { sampleSeed } from './random'
import { withSampleContext } from './sample-context'

/** A batch, and the scope that frees the tensors that were made for it. */
export interface Loaded {
  readonly value: unknown
  readonly scope: Scope
}

/** How samples become a batch; null where each sample is a batch by itself. */
export type Collate = ((samples: readonly unknown[]) => unknown) | null

/** What the samples of a data set are drawn with. */
export interface Draw {
  readonly seed: number
  readonly epoch: number
}

/** How long samples may be prepared in a row before the event loop has its turn. */
const LONGEST_TURN_MS = 8

/**
 * Runs `make` with a scope of its own and keeps only what it returns.
 *
 * Tensors that were there before, which a data set may hand out, are not the batch's to free.
 */
export async function makeBatch(make: () => Promise<unknown>): Promise<Loaded> {
  const working = new Scope(undefined)
  const kept = new Scope(undefined)
  try {
    const value = await runInScope(working, make)
    for (const tensor of tensorsIn(value)) if (tensor[OWNER] === working) kept.add(tensor)
    return { value, scope: kept }
  } finally {
    working.close(undefined)
  }
}

/**
 * The batch of some samples, which load at the same time.
 *
 * @param begin told of each sample when it begins
 */
export function loadSamples(
  dataset: Dataset<unknown>,
  indices: readonly number[],
  draw: Draw,
  collate: Collate,
  place: DataPlace,
  begin?: (index: number) => void,
): Promise<Loaded> {
  return makeBatch(async () => {
    const loading: Promise<PromiseSettledResult<unknown>>[] = []
    let turn = performance.now()
    for (const index of indices) {
      begin?.(index)
      loading.push(settled(loadSample(dataset, index, draw)))
      if (performance.now() - turn < LONGEST_TURN_MS) continue
      await nextTurn()
      turn = performance.now()
    }
    // All are waited for, so that none makes tensors when the scope is closed.
    const results = await Promise.all(loading)
    const samples = results.map((result, i) => {
      if (result.status === 'fulfilled') return result.value
      throw dataError(result.reason, { ...place, sample: indices[i] })
    })
    return collateSamples(samples, collate, place)
  })
}

function loadSample(dataset: Dataset<unknown>, index: number, { seed, epoch }: Draw): Promise<unknown> {
  return withSampleContext(sampleSeed(seed, epoch, index), epoch, (context) => dataset.get(index, context))
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  try {
    return { status: 'fulfilled', value: await promise }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

function collateSamples(samples: readonly unknown[], collate: Collate, place: DataPlace): unknown {
  if (collate === null) return samples[0]
  try {
    return collate(samples)
  } catch (cause) {
    throw dataError(cause, place)
  }
}

/** Reads a stream in batches, one after another. */
export class StreamReader {
  #index = 0
  #ended = false

  constructor(
    readonly iterator: AsyncIterator<unknown>,
    readonly draw: Draw,
    readonly batchSize: number,
    readonly dropLast: boolean,
    /** Which part of the stream it is; 0 for the whole. */
    readonly part: number,
  ) {}

  /** The next batch, or undefined at the end. */
  async read(collate: Collate, place: DataPlace, begin?: (index: number) => void): Promise<Loaded | undefined> {
    const loaded = await makeBatch(async () => {
      const samples: unknown[] = []
      while (samples.length < this.batchSize && !this.#ended) {
        begin?.(this.#index)
        const { done, value } = await this.#pull(place)
        if (done) this.#ended = true
        else samples.push(value)
      }
      if (samples.length === 0 || (samples.length < this.batchSize && this.dropLast)) return END
      return collateSamples(samples, collate, place)
    })
    if (loaded.value !== END) return loaded
    return undefined
  }

  /** Passes over a batch; false at the end. */
  async skip(place: DataPlace): Promise<boolean> {
    const loaded = await this.read(() => undefined, place)
    return loaded !== undefined
  }

  async close(): Promise<void> {
    this.#ended = true
    await this.iterator.return?.()
  }

  async #pull(place: DataPlace): Promise<IteratorResult<unknown>> {
    const index = this.#index++
    const { seed, epoch } = this.draw
    try {
      return await withSampleContext(sampleSeed(seed, epoch, index, this.part), epoch, () => this.iterator.next())
    } catch (cause) {
      throw dataError(cause, { ...place, sample: index })
    }
  }
}

const END = Symbol('end of the stream')

/** What a data set or a collate function threw, with its message, and the place where it did. */
export function dataError(cause: unknown, place: DataPlace): DataError {
  const { message, stack } = cause instanceof Error ? cause : new Error(String(cause))
  const error = new DataError(`DataLoader: ${placeText(place)}: ${message}`, { ...place, cause })
  // The lines of the program are those of the cause; where the loader gathers errors helps nobody.
  const lines = stack?.indexOf('\n    at ') ?? -1
  if (stack && lines >= 0) error.stack = `${error.name}: ${error.message}${stack.slice(lines)}`
  return error
}

/** Such as "sample 17 of batch 2 (worker 0)". */
export function placeText({ sample, batch, worker }: DataPlace): string {
  const parts = [sample === undefined ? [] : `sample ${sample}`, batch === undefined ? [] : `batch ${batch}`].flat()
  const text = parts.join(' of ')
  if (worker === undefined) return text
  return text === '' ? `worker ${worker}` : `${text} (worker ${worker})`
}

/** An error as plain data: what `postMessage` makes of one loses its kind, code and fields. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly kind: string | undefined
  readonly code: string | undefined
  readonly place: DataPlace | undefined
  readonly cause: PlainError | undefined
}

export function toPlainError(thrown: unknown): PlainError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code } = error as NodeJS.ErrnoException
  const place = error instanceof DataError ? error : undefined
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    kind: VisionNativeError.is(error) ? error.kind : undefined,
    code: typeof code === 'string' ? code : undefined,
    place: place && { sample: place.sample, batch: place.batch, worker: place.worker },
    cause: error.cause === undefined ? undefined : toPlainError(error.cause),
  }
}

export function fromPlainError({ name, message, stack, kind, code, place, cause }: PlainError): Error {
  const inner = cause && fromPlainError(cause)
  let error: Error
  if (place) error = new DataError(message, { ...place, cause: inner })
  else if (kind) error = errorOfKind(kind, message)
  else error = Object.assign(new Error(message), { name }, code === undefined ? {} : { code })
  if (inner && error.cause === undefined) error.cause = inner
  if (stack !== undefined) error.stack = stack
  return error
}
