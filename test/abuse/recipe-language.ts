import type { DType } from '../../lib/tensor/types'
import type { Random } from './random'
import { type Fill, type Form, list, plain, type TensorSpec, type ValueSpec } from './spec'

/**
 * Valid arguments in short: `f[N,C,H,W] f[K,C,3,3] bias=f[K] stride=2`, alternatives apart by ` | `.
 *
 *     f normal   u between 0.1 and 0.9   s symmetric positive definite   l lower triangular   h ascending   o ones
 *     c complex   b bool   i5 integers below 5   i5:int32 of another dtype   t[0,2,4] these numbers   f[2,3]~sparse
 *     { … ; … } a list of tensors   [1,N] a list of numbers   'sum' true null 0.5 N+1 N*2 as they are
 *
 * Floats of a call share one dtype. Capital letters are sizes, drawn once a call.
 */
export interface ParsedArguments {
  readonly positional: readonly ValueSpec[]
  readonly options: Readonly<Record<string, ValueSpec>>
}

const SIZES: Readonly<Record<string, readonly [low: number, high: number]>> = {
  N: [1, 3],
  B: [1, 3],
  C: [1, 4],
  K: [1, 4],
  M: [2, 5],
  L: [3, 6],
  D: [5, 7],
  H: [5, 8],
  W: [5, 8],
}

const FILLS: Readonly<Record<string, Fill>> = {
  f: 'normal',
  u: 'unit',
  s: 'spd',
  l: 'lower',
  h: 'sorted',
  o: 'ones',
  c: 'normal',
}

export function parseRecipe(text: string, random: Random): ParsedArguments {
  const sizes = Object.fromEntries(Object.entries(SIZES).map(([name, [low, high]]) => [name, random.int(low, high)]))
  const float: DType = random.chance(0.7) ? 'float32' : 'float64'
  const read = (token: string) => parseValue(token, sizes, float)
  const positional: ValueSpec[] = []
  const options: Record<string, ValueSpec> = {}
  for (const token of tokens(text)) {
    const option = /^([a-zA-Z]\w*)=(.*)$/.exec(token)
    if (option) options[option[1] as string] = read(option[2] as string)
    else positional.push(read(token))
  }
  return { positional, options }
}

/** Parts at spaces outside braces. */
function tokens(text: string): string[] {
  return text.match(/(?:\w+=)?\{[^}]*\}|\S+/g) ?? []
}

function parseValue(token: string, sizes: Readonly<Record<string, number>>, float: DType): ValueSpec {
  if (token.startsWith('{')) {
    const items = token.slice(1, -1).split(';')
    return list(items.map((item) => parseValue(item.trim(), sizes, float)))
  }
  if (token.startsWith('[')) {
    const items = token.slice(1, -1)
    return list(items === '' ? [] : items.split(',').map((item) => parseValue(item, sizes, float)))
  }
  if (token === 'true' || token === 'false') return plain(token === 'true')
  if (token === 'null') return plain(null)
  if (token === 'generator') return { kind: 'generator' }
  if (token.startsWith("'")) return plain(token.slice(1, -1))
  const tensor = /^([fushloctb]|i(\d+))(?::(\w+))?\[([^\]]*)\](?:~(\w+))?$/.exec(token)
  if (tensor) return parseTensor(tensor, sizes, float)
  return plain(evaluate(token, sizes))
}

function parseTensor(parts: RegExpExecArray, sizes: Readonly<Record<string, number>>, float: DType): TensorSpec {
  const [, code = '', below, dtype, dims = '', form] = parts
  const numbers = dims === '' ? [] : dims.split(',').map((dim) => evaluate(dim, sizes))
  if (code === 't') {
    const exact = { kind: 'tensor', sizes: [numbers.length], fill: { values: numbers }, form: 'plain' } as const
    return { ...exact, dtype: (dtype as DType | undefined) ?? 'int64' }
  }
  const usual: DType = below ? 'int64' : code === 'b' ? 'bool' : code === 'c' ? 'complex64' : float
  return {
    kind: 'tensor',
    dtype: (dtype as DType | undefined) ?? usual,
    sizes: numbers,
    fill: below ? { below: Number(below) } : code === 'b' ? { below: 2 } : (FILLS[code] ?? 'normal'),
    form: (form as Form | undefined) ?? 'plain',
  }
}

/** `3`, `-1`, `0.5`, `N`, `H-2`, `C*2` */
function evaluate(text: string, sizes: Readonly<Record<string, number>>): number {
  const parts = /^(-?[\d.eE-]+|[A-Z])(?:([*+-])(\d+))?$/.exec(text)
  if (!parts) throw new Error(`recipe: cannot read ${text}`)
  const [, first = '', operation, second] = parts
  const left = /[A-Z]/.test(first[0] as string) ? (sizes[first] ?? Number.NaN) : Number(first)
  if (Number.isNaN(left)) throw new Error(`recipe: cannot read ${text}`)
  if (operation === '*') return left * Number(second)
  if (operation === '+') return left + Number(second)
  return operation === '-' ? left - Number(second) : left
}
