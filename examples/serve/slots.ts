/** Lets so many pieces of work run at a time, the others in their order. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // A slot passes from hand to hand: whoever comes now must not get ahead of those that wait.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
