import { CancelledError, ConfigError, DataError } from '../native/errors'
import type { Loaded } from './fetch'
import type { BatchSource, Task } from './sources'

export interface IterationOptions {
  readonly source: BatchSource
  readonly tasks: Iterator<Task>
  /** How many batches may be under way or wait to be taken; 0 to load each when it is asked for. */
  readonly ahead: number
  /** How many batches to pass over at the start. */
  readonly skip: number
  /** How long a batch may take; 0 for as long as it needs. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** One walk: begins batches ahead, and hands them out in their order whichever is ready first. */
export class Iteration {
  readonly #options: IterationOptions
  readonly #queue: { readonly batch: number; readonly loading: Promise<Loaded | undefined> }[] = []
  #toSkip: number
  #tasksEnded = false
  #closed: Promise<void> | undefined
  #stuck = false

  constructor(options: IterationOptions) {
    this.#options = options
    this.#toSkip = options.skip
  }

  /** True when a batch was given up, whose loading may never end. */
  get stuck(): boolean {
    return this.#stuck
  }

  /** The next batch; undefined at the end. */
  async next(): Promise<Loaded | undefined> {
    for (;;) {
      this.#checkOpen()
      this.#fill(Math.max(1, this.#options.ahead))
      const head = this.#queue[0]
      if (!head) return undefined
      const loaded = await this.#wait(head.batch, head.loading)
      this.#queue.shift()
      this.#fill(this.#options.ahead)
      if (loaded === undefined) continue
      if (this.#toSkip === 0) return loaded
      this.#toSkip -= 1
      loaded.scope.close(undefined)
    }
  }

  /** Ends the walk, and frees the batches that nobody took. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    const freed = this.#queue.splice(0).map(({ loading }) =>
      loading.then(
        (loaded) => loaded?.scope.close(undefined),
        () => {},
      ),
    )
    const closing = this.#options.source.close()
    // What the caller has given up on is not waited for.
    if (this.#stuck) closing.catch(() => {})
    else await Promise.all([closing, ...freed])
  }

  #checkOpen(): void {
    if (this.#closed) {
      throw new ConfigError('DataLoader: this iteration ended when another one began, or when the loader was closed')
    }
    const { signal } = this.#options
    if (signal?.aborted) throw cancelled(signal)
  }

  #fill(limit: number): void {
    const { source, tasks } = this.#options
    while (this.#queue.length < limit && !this.#tasksEnded && !source.ended) {
      const { done, value } = tasks.next()
      if (done) {
        this.#tasksEnded = true
        return
      }
      const loading = source.start(value)
      // Whoever takes it sees its failure; until then it is nobody's.
      loading.catch(() => {})
      this.#queue.push({ batch: value.batch, loading })
    }
  }

  #wait(batch: number, loading: Promise<Loaded | undefined>): Promise<Loaded | undefined> {
    const { signal, timeoutMs } = this.#options
    if (!signal && timeoutMs === 0) return loading
    return new Promise((resolve, reject) => {
      const giveUp = (error: Error) => {
        this.#stuck = true
        reject(error)
      }
      const abort = () => giveUp(cancelled(signal as AbortSignal))
      const late = () => giveUp(new DataError(`DataLoader: batch ${batch} took more than ${timeoutMs} ms`, { batch }))
      const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs) : undefined
      signal?.addEventListener('abort', abort, { once: true })
      loading.then(resolve, reject).finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      })
    })
  }
}

function cancelled(signal: AbortSignal): CancelledError {
  return new CancelledError('DataLoader: cancelled by its AbortSignal', { cause: signal.reason })
}
