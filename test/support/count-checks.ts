/** A signal that counts how often it is asked, and aborts at the time that is wished: an interruption without a clock. */
export class CheckedSignal {
  readonly #controller = new AbortController()
  checks = 0

  /** @param abortAt the check at which it aborts; never unless stated */
  constructor(abortAt = Number.POSITIVE_INFINITY) {
    const { signal } = this.#controller
    const aborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')?.get
    Object.defineProperty(signal, 'aborted', {
      get: () => {
        if (++this.checks === abortAt) this.#controller.abort(new Error(`aborted at check ${abortAt}`))
        return aborted?.call(signal)
      },
    })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }
}
