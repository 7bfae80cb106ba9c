// Mutators that know nothing of a format, or only that it is text or JSON.
import fc from 'fast-check'
import type { Random } from '../abuse/random'
import type { Mutator } from './target'

/** Inputs stay small, so that many are tried. */
const MOST_BYTES = 1 << 17

const INTEGERS = [0, 1, -1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const LONG_INTEGERS = [2n ** 32n, 2n ** 40n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]

/** One to four changes of bytes. @param words what the format is made of, to be put in by chance */
export function bytes(...words: readonly (string | Uint8Array)[]): Mutator {
  return (input, random, others) => {
    let mutated = input
    for (let i = random.pick([1, 1, 2, 4]); i > 0; i--) mutated = changeBytes(mutated, random, others, words)
    return mutated.subarray(0, MOST_BYTES)
  }
}

function changeBytes(
  input: Buffer,
  random: Random,
  others: readonly Buffer[],
  words: readonly (string | Uint8Array)[],
): Buffer {
  const at = random.int(0, input.length)
  const end = Math.min(input.length, at + random.pick([1, 2, 4, 8, 16, 64, 512]))
  const splice = (put: Uint8Array, to = at) => Buffer.concat([input.subarray(0, at), put, input.subarray(to)])
  switch (random.int(0, 10)) {
    case 0:
      return splice(Buffer.of((input[at] ?? 0) ^ (1 << random.int(0, 7))), at + 1)
    case 1:
      return splice(Buffer.of(random.int(0, 255)), at + 1)
    case 2:
    case 3: {
      const number = integer(random)
      return splice(number, at + number.length)
    }
    case 4:
      return splice(Buffer.alloc(0), end)
    case 5:
      return splice(input.subarray(at, end))
    case 6:
      return splice(Buffer.from(Array.from({ length: random.int(1, 16) }, () => random.int(0, 255))))
    case 7:
      return input.subarray(0, at)
    case 8: {
      const from = random.int(0, input.length)
      return splice(input.subarray(from, from + (end - at)), end)
    }
    case 9: {
      const other = others.length === 0 ? input : random.pick(others)
      return Buffer.concat([input.subarray(0, at), other.subarray(random.int(0, other.length))])
    }
    default: {
      if (words.length === 0) return splice(Buffer.of(random.pick([0, 0x7f, 0x80, 0xff])), at + 1)
      const word = Buffer.from(random.pick(words) as Uint8Array)
      return splice(word, random.chance(0.5) ? at : at + word.length)
    }
  }
}

function integer(random: Random): Buffer {
  const bytes = Buffer.alloc(8)
  if (random.chance(0.3)) {
    const value = BigInt.asUintN(64, random.pick(LONG_INTEGERS))
    if (random.chance(0.5)) bytes.writeBigUInt64LE(value)
    else bytes.writeBigUInt64BE(value)
    return bytes
  }
  const value = random.pick(INTEGERS)
  const [size, little] = [random.pick([1, 2, 4]), random.chance(0.5)]
  const whole = value & (size === 4 ? -1 : 2 ** (8 * size) - 1)
  if (little) bytes.writeInt32LE(whole)
  else bytes.writeInt32BE(whole << (8 * (4 - size)))
  return bytes.subarray(0, size)
}

const NUMERALS = [
  ...['0', '-1', '1', '1.5', '-0', '1e5', '1e309', '-1e309', '1e-320', 'NaN', 'nan', 'inf', '-Infinity', '0x10'],
  ...['2147483648', '4294967296', '9007199254740993', '18446744073709551616', '99999999999999999999999', '', '٣'],
]
const ODD_TEXT = [
  '\0',
  '\uFEFF',
  '\r',
  '\r\n',
  '\n\n',
  '\t',
  '"',
  "'",
  ',',
  ';',
  '[',
  ']',
  '{',
  '}',
  '#',
  '%s',
  '../../x',
]
const RUNS = [' ', '\t', '0', '9', 'a', '(', '[', '"', '\\', '\n', ',', '-', '&', '<a>', 'é']

/** One to four changes of a text. @param words what the format is made of, to be put in by chance */
export function text(...words: readonly string[]): Mutator {
  return (input, random) => {
    let mutated = input.toString('latin1')
    for (let i = random.pick([1, 1, 2, 4]); i > 0; i--) mutated = changeText(mutated, random, words)
    return Buffer.from(mutated.slice(0, MOST_BYTES), 'latin1')
  }
}

function changeText(input: string, random: Random, words: readonly string[]): string {
  const latin = (value: string) => Buffer.from(value).toString('latin1')
  const replaceOne = (pattern: RegExp, make: (found: string) => string) => {
    const found = [...input.matchAll(pattern)]
    if (found.length === 0) return input + make('')
    const { 0: old, index } = random.pick(found)
    return input.slice(0, index) + make(old) + input.slice(index + old.length)
  }
  const lines = input.split('\n')
  const line = random.int(0, lines.length - 1)
  switch (random.int(0, 9)) {
    case 0:
    case 1:
      return replaceOne(/[-+]?\d+(\.\d+)?([eE][-+]?\d+)?/g, () => latin(random.pick(NUMERALS)))
    case 2:
      return replaceOne(/[A-Za-z_]\w*/g, (old) => {
        const known = [...(input.match(/[A-Za-z_]\w*/g) ?? []), ...words, '__proto__', 'constructor', 'toString']
        return random.chance(0.8) ? random.pick(known) : old.toUpperCase()
      })
    case 3:
      return [...lines.slice(0, line), ...lines.slice(line + 1)].join('\n')
    case 4:
      return [...lines.slice(0, line), random.pick(lines), ...lines.slice(line)].join('\n')
    case 5: {
      const at = random.int(0, input.length)
      return input.slice(0, at) + latin(random.pick([...ODD_TEXT, ...words])) + input.slice(at)
    }
    case 6: {
      // Long runs show what takes quadratic time, or a level of the stack each.
      const at = random.int(0, input.length)
      return input.slice(0, at) + latin(random.pick(RUNS)).repeat(random.pick([3, 300, 30_000])) + input.slice(at)
    }
    case 7:
      return input.slice(0, random.int(0, input.length))
    case 8:
      return replaceOne(/\s+/g, () => random.pick(['', ' ', '  ', '\t', '\n', '\r\n', '\v', '\u00a0']))
    default:
      return bytes()(Buffer.from(input, 'latin1'), random, []).toString('latin1')
  }
}

/** Any value that JSON can say, by fast-check. */
export function jsonValue(random: Random): unknown {
  const [value] = fc.sample(fc.jsonValue({ depthSize: 'small' }), { seed: random.int(0, 2 ** 31 - 1), numRuns: 1 })
  return value
}

/** Changes one to four nodes of a JSON text; what is no JSON is changed as text. */
export function json(...words: readonly string[]): Mutator {
  return (input, random, others) => {
    let value: unknown
    try {
      value = JSON.parse(input.toString())
    } catch {
      return text(...words)(input, random, others)
    }
    for (let i = random.pick([1, 1, 2, 4]); i > 0; i--) value = changeNode(value, random, words)
    const levels = random.pick([100, 3000, 30_000])
    const written = (JSON.stringify(value) ?? 'null').replaceAll(
      `"${DEEP}"`,
      `${'['.repeat(levels)}${']'.repeat(levels)}`,
    )
    return Buffer.from(written).subarray(0, MOST_BYTES)
  }
}

/** Stands for lists within lists, more of them than could be changed one by one. */
const DEEP = 'lists within lists'

type Path = readonly (string | number)[]

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  yield path
  if (typeof value !== 'object' || value === null) return
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
  for (const key of keys) yield* pathsOf((value as Record<string | number, unknown>)[key], [...path, key])
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce((node, key) => (node as Record<string | number, unknown> | undefined)?.[key], value)

/** A copy of `root` in which the node at the path is another, or gone. */
function withNode(root: unknown, path: Path, make: (node: unknown) => unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return make(root)
  if (Array.isArray(root)) {
    const changed = withNode(root[key as number], rest, make)
    return root.flatMap((item, i) => (i !== key ? [item] : changed === undefined ? [] : [changed]))
  }
  // By defineProperty: a key may be called __proto__.
  const copy = {}
  for (const [name, item] of Object.entries(root as object)) {
    const value = name === key ? withNode(item, rest, make) : item
    if (value !== undefined) Object.defineProperty(copy, name, { value, enumerable: true, configurable: true })
  }
  return copy
}

const ODD_VALUES = [
  ...[null, true, false, 0, -1, 1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, '', ' ', '\0', 'é', '💥', '__proto__'],
  ...['NaN', [], {}, [[]], [null], { __proto__: null }, [1, '2'], '0', '-1', '1e999', 'a'.repeat(10_000)],
]

function changeNode(root: unknown, random: Random, words: readonly string[]): unknown {
  const paths = [...pathsOf(root)]
  const path = random.pick(paths)
  return withNode(root, path, (node) => {
    switch (random.int(0, 7)) {
      case 0:
        return random.pick(ODD_VALUES)
      case 1:
        return path.length === 0 ? node : undefined
      case 2:
        return at(root, random.pick(paths))
      case 3:
        return jsonValue(random)
      case 4:
        return changeKeys(node, random, words)
      case 5:
        return random.chance(0.3) ? DEEP : [[node]]
      case 6:
        if (typeof node === 'number') return random.pick([node + 1, -node, node * 2 ** 20, node + 0.5, `${node}`])
        return words.length > 0 ? random.pick(words) : [node, node]
      default:
        if (Array.isArray(node)) return random.chance(0.5) ? [...node, ...node] : node.slice(1).reverse()
        if (typeof node !== 'string') return JSON.stringify(node)
        return Buffer.from(text(...words)(Buffer.from(node), random, [])).toString()
    }
  })
}

function changeKeys(node: unknown, random: Random, words: readonly string[]): unknown {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return { [random.pick(['', '0', 'x'])]: node }
  const entries = Object.entries(node)
  const [name, value] = entries.length === 0 ? ['', null] : random.pick(entries)
  const other = random.pick(['', '__proto__', 'constructor', 'toString', '0', `${name}x`, ...words])
  const changed = random.chance(0.5)
    ? [...entries, [other, value]]
    : entries.map((e) => (e[0] === name ? [other, value] : e))
  // `fromEntries` defines, so a key called __proto__ is data.
  return Object.fromEntries(changed)
}

/** A value with parts, or parts with values: the mutator of a part within its whole. */
export function within(
  open: (input: Buffer) => { part: Buffer; close(part: Buffer): Buffer },
  inner: Mutator,
): Mutator {
  return (input, random, others) => {
    const { part, close } = open(input)
    return close(
      inner(
        part,
        random,
        others.flatMap((other) => attempt(() => open(other).part)),
      ),
    )
  }
}

function attempt<T>(body: () => T): T[] {
  try {
    return [body()]
  } catch {
    return []
  }
}
