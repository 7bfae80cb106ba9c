import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'

/** What became of a call; one byte each in the journal's file. */
export const OUTCOMES = {
  notRun: '\0',
  succeeded: 'S',
  rejectedByLibTorch: 'L',
  rejectedByUs: 'U',
  untypedError: 'E',
  leaked: 'G',
  died: 'X',
  stuck: 'T',
} as const
export type Outcome = keyof typeof OUTCOMES

const CURRENT_BYTES = 4096

/**
 * What a child leaves for its parent, whatever becomes of it: the call it is in, written before the call, and the
 * outcome of every call before. Plain writes: the page cache outlives the process.
 */
export class Journal {
  readonly #current: number
  readonly #outcomes: number
  readonly #details: number
  readonly #line = Buffer.alloc(CURRENT_BYTES)

  constructor(base: string) {
    this.#current = openSync(`${base}.current`, 'w')
    this.#outcomes = openSync(`${base}.outcomes`, 'r+')
    this.#details = openSync(`${base}.details`, 'a')
  }

  static create(base: string, calls: number): void {
    const file = openSync(`${base}.outcomes`, 'w')
    ftruncateSync(file, calls)
    closeSync(file)
    writeFile(`${base}.details`)
    writeFile(`${base}.current`)
  }

  enter(number: number, text: string): void {
    this.#line.fill(0)
    this.#line.write(`${number} ${text}`, 0, CURRENT_BYTES - 1)
    writeSync(this.#current, this.#line, 0, CURRENT_BYTES, 0)
  }

  leave(number: number, outcome: Outcome): void {
    writeSync(this.#outcomes, OUTCOMES[outcome], number)
  }

  detail(detail: Detail): void {
    writeSync(this.#details, `${JSON.stringify(detail)}\n`)
  }
}

/** Something that a reader of the report must see. */
export interface Detail {
  readonly number: number
  readonly outcome: Outcome | 'slow' | 'check'
  readonly call: string
  readonly message: string
}

function writeFile(path: string): void {
  closeSync(openSync(path, 'w'))
}

/** Number and text of the call that was being made; undefined before the first. */
export function currentCall(base: string): { number: number; text: string } | undefined {
  const line = readFileSync(`${base}.current`, 'utf8').replace(/\0+$/, '')
  const space = line.indexOf(' ')
  return space < 0 ? undefined : { number: Number(line.slice(0, space)), text: line.slice(space + 1) }
}

export function outcomes(base: string): Outcome[] {
  const names = new Map(Object.entries(OUTCOMES).map(([name, byte]) => [byte, name as Outcome]))
  return [...readFileSync(`${base}.outcomes`, 'latin1')].map((byte) => names.get(byte as never) ?? 'notRun')
}

export function details(base: string): Detail[] {
  const lines = readFileSync(`${base}.details`, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Detail)
}
