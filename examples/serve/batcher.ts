/** What became of a batch. */
export interface BatchReport {
  readonly size: number
  readonly seconds: number
}

export interface BatcherOptions {
  /** Requests that run together at most. */
  readonly maxBatch: number
  /** How long the first request of a batch waits for others, in milliseconds. */
  readonly maxWaitMs: number
  readonly onBatch?: (report: BatchReport) => void
}

/** Answers several inputs at once, in their order. The signal is aborted when nobody waits for any of them. */
export type RunBatch<In, Out> = (inputs: readonly In[], signal: AbortSignal) => Promise<readonly Out[]>

interface Entry<In, Out> {
  readonly input: In
  readonly arrived: number
  readonly settle: (outcome: { readonly value: Out } | { readonly reason: unknown }) => void
}

/**
 * Collects requests until a batch is full or its first one has waited long enough, and runs one batch after the other:
 * one batch uses all cores, or the GPU, as it is.
 */
export class Batcher<In, Out> {
  readonly #waiting: Entry<In, Out>[] = []
  #running: Promise<void> | undefined
  #arrived: (() => void) | undefined

  constructor(
    readonly run: RunBatch<In, Out>,
    readonly options: BatcherOptions,
  ) {}

  /** Requests that no batch has taken yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The answer to one input. Rejects with the signal's reason as soon as that aborts: others are not held up by it. */
  answer(input: In, signal: AbortSignal): Promise<Out> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const settle: Entry<In, Out>['settle'] = (outcome) => {
        signal.removeEventListener('abort', abort)
        if ('value' in outcome) resolve(outcome.value)
        else reject(outcome.reason)
      }
      const entry = { input, arrived: performance.now(), settle }
      const abort = () => {
        const place = this.#waiting.indexOf(entry)
        if (place >= 0) this.#waiting.splice(place, 1)
        this.#gone.get(entry)?.()
        settle({ reason: signal.reason })
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.push(entry)
      this.#arrived?.()
      this.#running ??= this.#work()
    })
  }

  /** Settles when nothing waits or runs. */
  async drained(): Promise<void> {
    await this.#running
  }

  /** What is to be told when someone leaves a batch that runs. */
  readonly #gone = new WeakMap<Entry<In, Out>, () => void>()

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#fill()
      const batch = this.#waiting.splice(0, this.options.maxBatch)
      if (batch.length > 0) await this.#runBatch(batch)
    }
    this.#running = undefined
  }

  /** Waits until a batch is full, or its first request has waited as long as it may. */
  async #fill(): Promise<void> {
    const { maxBatch, maxWaitMs } = this.options
    for (;;) {
      const [first] = this.#waiting
      if (first === undefined || this.#waiting.length >= maxBatch) return
      const leftMs = first.arrived + maxWaitMs - performance.now()
      if (leftMs <= 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#arrived = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#arrived = undefined
    }
  }

  async #runBatch(batch: readonly Entry<In, Out>[]): Promise<void> {
    const controller = new AbortController()
    let left = batch.length
    const leave = () => {
      left--
      if (left === 0) controller.abort()
    }
    for (const entry of batch) this.#gone.set(entry, leave)
    const started = performance.now()
    try {
      const inputs = batch.map(({ input }) => input)
      const outputs = await this.run(inputs, controller.signal)
      for (const [index, { settle }] of batch.entries()) settle({ value: outputs[index] as Out })
    } catch (reason) {
      for (const { settle } of batch) settle({ reason })
    }
    this.options.onBatch?.({ size: batch.length, seconds: (performance.now() - started) / 1000 })
  }
}
