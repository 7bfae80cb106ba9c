import type { NativeFunction } from './native-functions'
import type { Argument, Schema, SchemaType } from './schema'

/** An overload together with what decides its place among the candidates of its function. */
export interface Candidate {
  readonly schema: Schema
  readonly native: NativeFunction
  readonly positional: readonly Argument[]
  readonly options: readonly Argument[]
}

/** Positional: no default and a non-optional type. All else is an option, whatever Python's `*` says. */
/** Whether a call gives the argument by its place: it has no default, and may not be left out. */
export const isPositional = (a: Argument): boolean => a.defaultValue === undefined && !a.type.optional

export function candidate(schema: Schema, native: NativeFunction): Candidate {
  return {
    schema,
    native,
    positional: schema.args.filter(isPositional),
    options: schema.args.filter((a) => !isPositional(a)),
  }
}

/** Overloads that the table does not offer, by `name.overload`. */
export const DROPPED: ReadonlyMap<string, string> = new Map([
  ['stft.', 'stft.center does the same and centres the frames by default, as torch.stft does'],
  ['gradient.array', 'a list in second place is the spacing; the dims of a unit spacing are gradient(x, 1, dims)'],
])

/**
 * The order in which candidates are tried. Narrow before wide, so that a wide type (a Scalar takes any number) does not
 * hide a narrow one: arguments are compared in turn by this rank. Then fewer options first, so that a plain call takes
 * the plain overload; then the yaml's order.
 */
const RANK: readonly string[] = [
  'Tensor',
  'Tensor[]',
  'bool',
  'int',
  'float',
  'Scalar',
  'ScalarType',
  'Layout',
  'Device',
  'MemoryFormat',
  'str',
]

const rank = (type: SchemaType): number => {
  const base = type.base === 'SymInt' ? 'int' : type.base
  const whole = RANK.indexOf(type.list ? `${base}[]` : base)
  if (whole >= 0) return whole * 2
  // A list of numbers comes after a number: `[]` and `n` for `int[2]` are the wider forms.
  return RANK.indexOf(base) * 2 + 1
}

export function compareCandidates(a: Candidate, b: Candidate): number {
  const positions = Math.min(a.positional.length, b.positional.length)
  for (let i = 0; i < positions; i++) {
    const [x, y] = [a.positional[i], b.positional[i]]
    const difference = x && y ? rank(x.type) - rank(y.type) : 0
    if (difference !== 0) return difference
  }
  if (a.positional.length !== b.positional.length) return a.positional.length - b.positional.length
  if (a.options.length !== b.options.length) return a.options.length - b.options.length
  for (const x of a.options) {
    const y = b.options.find((option) => option.name === x.name)
    const difference = y ? rank(x.type) - rank(y.type) : 0
    if (difference !== 0) return difference
  }
  return a.native.order - b.native.order
}

/** Kinds of JavaScript values that the bridge tells apart. */
const ACCEPTS: Readonly<Record<string, readonly string[]>> = {
  Tensor: ['tensor'],
  Scalar: ['integral', 'fraction', 'boolean', 'bigint', 'complex'],
  int: ['integral', 'bigint'],
  SymInt: ['integral', 'bigint'],
  float: ['integral', 'fraction'],
  bool: ['boolean'],
  str: ['dtype name', 'layout name', 'device name', 'memory format name', 'other string'],
  ScalarType: ['dtype name'],
  Layout: ['layout name'],
  Device: ['device name'],
  MemoryFormat: ['memory format name'],
  Generator: ['generator'],
}

/** The kinds of value that an argument type takes, besides null and undefined where it is an option. */
export function accepts(type: SchemaType): ReadonlySet<string> {
  const element = ACCEPTS[type.base]
  if (!element) throw new Error(`no rule for ${type.text}`)
  if (!type.list) return new Set(element)
  const lists = element.map((kind) => `${kind}[]`)
  return new Set(['empty list', ...lists, ...(type.size ? element : [])])
}

const subset = (a: ReadonlySet<string>, b: ReadonlySet<string>) => [...a].every((x) => b.has(x))
/** The empty list is of every list type; that alone makes no two types alike. */
const meet = (a: ReadonlySet<string>, b: ReadonlySet<string>) => [...a].some((x) => b.has(x) && x !== 'empty list')

/** True when every call that `later` takes is taken by `earlier`, which stands before it. */
export function hides(earlier: Candidate, later: Candidate): boolean {
  return (
    earlier.positional.length === later.positional.length &&
    later.positional.every((arg, i) => within(arg, earlier.positional[i])) &&
    later.options.every((arg) =>
      within(
        arg,
        earlier.options.find((o) => o.name === arg.name),
      ),
    )
  )
}

const within = (arg: Argument, other: Argument | undefined) =>
  other !== undefined && subset(accepts(arg.type), accepts(other.type))

/**
 * The positions at which one call, without options, gives its value to differently named arguments of the two
 * candidates. The first candidate wins; whoever meant the second would be surprised.
 */
export function confusions(earlier: Candidate, later: Candidate): string[] {
  if (earlier.positional.length !== later.positional.length) return []
  const pairs = earlier.positional.map((arg, i) => [arg, later.positional[i] ?? arg] as const)
  if (!pairs.every(([a, b]) => meet(accepts(a.type), accepts(b.type)))) return []
  return pairs.filter(([a, b]) => a.name !== b.name).map(([a, b]) => `${a.name}/${b.name}`)
}
