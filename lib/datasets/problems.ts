import { FormatError } from '../native/errors'

/** What `DataProblems.settle` does with files that cannot be used. */
export interface SettleOptions {
  /** Goes on without them; unless stated they are an error. */
  readonly skipBroken?: boolean | undefined
  /** Told which they are, when they are left out. */
  readonly note?: ((text: string) => void) | undefined
}

const SHOWN = 10

/**
 * Files of a data set that are missing, broken or wrongly labelled: all are found before anything is said, so that one
 * run names them all.
 */
export class DataProblems {
  readonly #files = new Map<string, string>()

  /** @param what the data set, for messages */
  constructor(readonly what: string) {}

  get count(): number {
    return this.#files.size
  }

  /** Notes a file and what is wrong with it; the first reason counts. */
  add(file: string, reason: string): void {
    if (!this.#files.has(file)) this.#files.set(file, reason)
  }

  has(file: string): boolean {
    return this.#files.has(file)
  }

  /** What `read` gives, or `undefined` when it fails, which is noted. */
  async try<T>(file: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      this.add(file, (error as Error).message)
      return undefined
    }
  }

  /**
   * @param total how many files were looked at
   * @throws FormatError with the number and the names, unless they are to be skipped or there are none; also when none
   *   is left
   */
  settle(total: number, { skipBroken = false, note = () => {} }: SettleOptions = {}): void {
    if (this.#files.size === 0) return
    const rows = [...this.#files].slice(0, SHOWN).map(([file, reason]) => `  ${file}: ${reason}`)
    if (this.#files.size > SHOWN) rows.push(`  … and ${this.#files.size - SHOWN} more`)
    const message = `${this.what}: ${this.#files.size} of ${total} files cannot be used:\n${rows.join('\n')}`
    if (!skipBroken) {
      throw new FormatError(`${message}\nMend or remove them, or leave them out with skipBroken (--skip-broken)`)
    }
    if (this.#files.size >= total) throw new FormatError(`${message}\nNone is left`)
    note(`${message}\nThey are left out, as asked`)
  }
}
