/** How much of a loop was waiting for data. */
export interface LoaderStats {
  /** Batches that were handed out. */
  readonly batches: number
  /** From the first request to now, or to the end of the loop. */
  readonly elapsedMs: number
  /** Of that, the time that the loop waited for batches. */
  readonly waitMs: number
  /** Of that, the time for the first batch, which workers begin with nothing loaded ahead. */
  readonly firstWaitMs: number
  /** waitMs / elapsedMs; 0 before the first request. */
  readonly waitShare: number
}

/** Measures how long a loop waits. */
export class WaitingTime {
  #batches = 0
  #beganAt = 0
  #lastAt = 0
  #waitMs = 0
  #firstWaitMs = 0

  begin(): void {
    this.#batches = 0
    this.#waitMs = 0
    this.#firstWaitMs = 0
    this.#beganAt = performance.now()
    this.#lastAt = this.#beganAt
  }

  /** Waits for a batch; undefined is the end. */
  async during<T>(wait: () => Promise<T | undefined>): Promise<T | undefined> {
    const start = performance.now()
    try {
      const batch = await wait()
      if (batch !== undefined) this.#batches += 1
      return batch
    } finally {
      this.#lastAt = performance.now()
      this.#waitMs += this.#lastAt - start
      if (this.#batches <= 1) this.#firstWaitMs = this.#waitMs
    }
  }

  stats(): LoaderStats {
    const elapsedMs = this.#lastAt - this.#beganAt
    return {
      batches: this.#batches,
      elapsedMs,
      waitMs: this.#waitMs,
      firstWaitMs: this.#firstWaitMs,
      waitShare: elapsedMs > 0 ? this.#waitMs / elapsedMs : 0,
    }
  }
}
