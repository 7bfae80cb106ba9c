// What readers of annotation files share: reading, and errors that say where.
import { readFile } from 'node:fs/promises'
import { ArgumentError, FormatError } from '../native/errors'
import { shown } from '../native/shown'
import { systemReason } from '../native/system-reason'

/** A text file whole. @throws ArgumentError when it cannot be read */
export async function readText(path: string, caller: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ArgumentError(`${caller}: cannot read ${path}: ${systemReason(cause)}`, { cause })
  }
}

/** Where in a file something stands: `labels/a.txt:3` or `instances.json: annotations[4].bbox`. */
export class Place {
  constructor(
    readonly caller: string,
    readonly path: string,
    readonly at: string = '',
  ) {}

  line(number: number): Place {
    return new Place(this.caller, `${this.path}:${number}`)
  }

  field(name: string | number): Place {
    const step = typeof name === 'number' ? `[${name}]` : this.at === '' ? name : `.${name}`
    return new Place(this.caller, this.path, this.at + step)
  }

  /** An error that names the place, what is there and what should be. */
  error(problem: string): FormatError {
    return new FormatError(`${this.caller}: ${this.path}${this.at === '' ? '' : `: ${this.at}`}: ${problem}`)
  }

  /** A finite number. */
  number(value: unknown): number {
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw this.error(`${given(value)} is not a finite number`)
  }

  /** A number in words of a text file. */
  numeral(text: string | undefined): number {
    const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isFinite(value)) return value
    throw this.error(text === undefined ? 'is missing; a number is to be there' : `'${text}' is not a finite number`)
  }

  whole(value: unknown): number {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    throw this.error(`${given(value)} is not a whole number`)
  }

  text(value: unknown): string {
    if (typeof value === 'string') return value
    throw this.error(`${given(value)} is not a text`)
  }

  list(value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value
    throw this.error(`${given(value)} is not a list`)
  }

  record(value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    throw this.error(`${given(value)} is not an object`)
  }

  numbers(value: unknown, length?: number): number[] {
    const list = this.list(value)
    if (length !== undefined && list.length !== length) throw this.error(`has ${list.length} numbers, not ${length}`)
    return list.map((item, i) => this.field(i).number(item))
  }
}

const given = (value: unknown): string => (value === undefined ? 'what is missing' : shown(value))

/** JSON of a file. @throws FormatError with line and column where it is not JSON */
export function parseJson(text: string, place: Place): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const position = Number(/position (\d+)/.exec((cause as Error).message)?.[1] ?? text.length)
    const before = text.slice(0, position).split('\n')
    const problem = `is no JSON at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
    throw place.error(`${problem}: ${(cause as Error).message.split('\n')[0]}`)
  }
}

/** Lines with their numbers from 1; empty ones are left out. */
export function* linesOf(text: string): Generator<readonly [number: number, line: string]> {
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() !== '') yield [i + 1, line]
  }
}

/**
 * A line's last words, and before them the rest of it, in which there may be blanks; undefined when it has no more words
 * than these. In time proportional to the line, which a regular expression with two runs of blanks is not.
 */
export function splitLastWords(line: string, count: number): [rest: string, ...words: string[]] | undefined {
  let rest = line.trim()
  const words: string[] = []
  while (words.length < count) {
    const word = rest.split(/\s/).at(-1) ?? ''
    words.unshift(word)
    rest = rest.slice(0, rest.length - word.length).trimEnd()
  }
  return rest === '' ? undefined : [rest, ...words]
}
