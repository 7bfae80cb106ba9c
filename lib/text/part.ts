// Reading the parts of a tokenizer.json, with the place in the file in every error.
import { FormatError } from '../native/errors'
import { shown } from '../native/shown'

/** A component of the file: an object with a `type`. */
export type Part = Readonly<Record<string, unknown>>

interface Kinds {
  readonly string: string
  readonly number: number
  readonly boolean: boolean
  readonly list: readonly unknown[]
  readonly object: Part
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `${typeof value} ${shown(value)}`
}

function is<K extends keyof Kinds>(value: unknown, kind: K): value is Kinds[K] {
  if (kind === 'list') return Array.isArray(value)
  if (kind === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === kind
}

/** The field of a component, or the default where it is absent or null. @throws FormatError naming place and kind */
export function field<K extends keyof Kinds>(
  part: Part,
  name: string,
  kind: K,
  path: string,
  fallback?: Kinds[K],
): Kinds[K] {
  const value = part[name] ?? fallback
  if (is(value, kind)) return value
  throw new FormatError(
    `${path}.${name} is ${kindOf(value)}; it must be ${kind === 'list' || kind === 'object' ? `a ${kind}` : kind}`,
  )
}

/** A number of a token or of a text. @throws FormatError naming the place of what is none */
export function whole(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new FormatError(`${path} is ${kindOf(value)}; it must be a whole number from 0`)
}

export function partOf(value: unknown, path: string): Part {
  if (is(value, 'object')) return value
  throw new FormatError(`${path} is ${kindOf(value)}; it must be an object`)
}

/** What a file says and this reader does not know. */
export function unknownType(type: string, path: string, known: readonly string[]): FormatError {
  return new FormatError(`${path}.type is '${type}', which is not read; known are ${known.join(', ')}`)
}
