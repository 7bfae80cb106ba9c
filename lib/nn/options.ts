import { ArgumentError } from '../native/errors'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Device, DType } from '../tensor/types'

/** Where a layer's tensors are made: float32 on the CPU unless stated. */
export interface FactoryOptions {
  readonly dtype?: DType
  readonly device?: Device
}

export const FACTORY = { dtype: 'float32', device: 'cpu' } as const satisfies FactoryOptions

/** Number of spatial dimensions of a layer. */
export type Rank = 1 | 2 | 3

interface Tuples {
  1: readonly [number]
  2: readonly [number, number]
  3: readonly [number, number, number]
}

/** One number for every spatial dimension, or a number for each (depth, height, width). */
export type Size<R extends Rank> = number | Tuples[R]

/** Options as given, or their defaults. @throws ArgumentError naming an option that the layer does not have */
export function withDefaults<T extends object>(
  name: string,
  defaults: T,
  options: { readonly [K in keyof T]?: T[K] | undefined },
): T {
  const known = Object.keys(defaults).join(', ')
  // The type says that it is an object; plain JavaScript may pass PyTorch's next positional argument.
  if (typeof (options as unknown) !== 'object' || options === null || isTensor(options) || Array.isArray(options)) {
    throw new ArgumentError(`${name}: expected an object of options (${known}), got ${describe(options)}`)
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const unknown = given.find(([key]) => !(key in defaults))
  if (unknown) throw new ArgumentError(`${name}: there is no option '${unknown[0]}'; it takes ${known}`)
  return { ...defaults, ...(Object.fromEntries(given) as Partial<T>) }
}

/** A size as a list of one whole number of at least `least` for each spatial dimension. */
export function expandSize(name: string, value: number | readonly number[], rank: number, least: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : Array.isArray(value) ? [...value] : []
  if (list.length !== rank || list.some((item) => !Number.isInteger(item) || item < least)) {
    const given = Array.isArray(value) ? `[${value.join(', ')}]` : describe(value)
    throw new ArgumentError(
      `${name} is ${given}; it must be a whole number of ${least} or more${rank > 1 ? `, or a list of ${rank}` : ''}`,
    )
  }
  return list
}

/** The value, if it is a whole number of at least `least`. */
export function wholeNumber(name: string, value: number, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new ArgumentError(`${name} is ${describe(value)}; it must be a whole number of ${least} or more`)
}

/** The value, if it is a probability. */
export function probability(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw new ArgumentError(`${name} is ${describe(value)}; it must be a probability, from 0 to 1`)
}

/** The value, if it is one of the names. */
export function oneOf<T extends string>(name: string, value: T, names: readonly T[]): T {
  if (names.includes(value)) return value
  throw new ArgumentError(`${name} is ${describe(value)}; it must be one of ${names.map((n) => `'${n}'`).join(', ')}`)
}

/** Options as a layer's line shows them: `kernelSize=(3, 3), bias=false`. */
export function showOptions(options: Readonly<Record<string, unknown>>): string {
  return Object.entries(options)
    .map(([key, value]) => `${key}=${show(value)}`)
    .join(', ')
}

export function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? `(${show(value[0])},)` : `(${value.map(show).join(', ')})`
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-4) return value.toExponential()
  return typeof value === 'string' ? `'${value}'` : String(value)
}
