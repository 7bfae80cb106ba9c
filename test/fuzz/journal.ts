import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import type { TargetName } from './registry'

/** How a target fared so far. */
export interface Figures {
  /** Inputs that were tried. */
  readonly index: number
  readonly accepted: number
  readonly refused: number
  readonly findings: number
  /** Time that the target has taken, and that of the input that took longest. */
  readonly ms: number
  readonly slowestMs: number
}

/** Where a child is: `index` is the number of the input that it reads. */
export interface Position extends Figures {
  readonly target: TargetName
}

const BYTES = 512

/**
 * What a child leaves for its parent, whatever becomes of it: where it is, written before each input, and the input.
 * Plain writes: the page cache outlives the process.
 */
export class Journal {
  readonly #file: number

  /** @param base the files are this and an ending */
  constructor(readonly base: string) {
    this.#file = openSync(`${base}.position`, 'w')
  }

  /** Path of the input that is being read. */
  get input(): string {
    return `${this.base}.input`
  }

  enter(position: Position, input: Buffer): void {
    writeFileSync(this.input, input)
    writeSync(this.#file, JSON.stringify(position).padEnd(BYTES), 0)
  }

  /** Between two targets, while the files of the next are loaded. */
  idle(): void {
    writeSync(this.#file, ''.padEnd(BYTES), 0)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Undefined before the first input. */
export function positionIn(base: string): Position | undefined {
  const text = readFileSync(`${base}.position`, 'utf8').trim()
  return text === '' ? undefined : (JSON.parse(text) as Position)
}
