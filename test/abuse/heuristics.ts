import type { DType } from '../../lib/tensor/types'
import type { Candidate } from '../../tools/generate-ops/overloads'
import type { Argument } from '../../tools/generate-ops/schema'
import { camelCase } from '../../tools/generate-ops/typescript'
import type { Random } from './random'
import { type CallSpec, type Form, list, plain, type TensorSpec, type ValueSpec } from './spec'

/** A call that is likely valid, from the types and names of the arguments alone. */
export function guessCall(candidate: Candidate, random: Random): CallSpec {
  const guess = new Guess(random)
  const options: Record<string, ValueSpec> = {}
  const positional = candidate.positional.map((arg) => guess.value(arg))
  for (const arg of candidate.options) {
    if (RARE_OPTIONS.has(arg.name) || !random.chance(0.25)) continue
    options[camelCase(arg.name)] = guess.value(arg)
  }
  return { name: candidate.schema.name, overload: candidate.schema.overload, positional, options }
}

/** Options that make most calls invalid, or that need what a CPU machine has not. */
const RARE_OPTIONS = new Set(['pin_memory', 'layout', 'out_dtype', 'output_size', 'names'])

const DTYPES: readonly DType[] = [
  'float32',
  'float32',
  'float32',
  'float64',
  'int64',
  'int32',
  'uint8',
  'bool',
  'float16',
  'bfloat16',
  'complex64',
]
const FORMS: readonly Form[] = ['plain', 'plain', 'plain', 'plain', 'transposed', 'strided', 'expanded', 'offset']

class Guess {
  readonly #sizes: readonly number[]
  readonly #dtype: DType
  #tensors = 0

  constructor(readonly random: Random) {
    const rank = random.pick([1, 2, 2, 2, 3, 4])
    this.#sizes = Array.from({ length: rank }, () => random.int(1, 4))
    this.#dtype = random.chance(0.65) ? 'float32' : random.pick(DTYPES)
  }

  value(arg: Argument): ValueSpec {
    const { type, name } = arg
    const { random } = this
    switch (type.base) {
      case 'Tensor':
        if (!type.list) return this.#tensor(name)
        return list(Array.from({ length: random.int(1, 3) }, () => this.#tensor(name)))
      case 'Scalar':
        return type.list ? list([plain(1), plain(2)]) : plain(random.pick([1, 2, 0.5, 3, -1, 0]))
      case 'int':
      case 'SymInt':
        return type.list ? this.#ints(name, type.size) : plain(this.#int(name))
      case 'float':
        if (type.list) return list(Array.from({ length: type.size ?? 1 }, () => plain(random.pick([1, 2, 0.5]))))
        return plain(name === 'p' || name === 'eps' ? random.pick([0.1, 0.5]) : random.pick([0.5, 1, 2, 0.25]))
      case 'bool':
        return type.list
          ? list(Array.from({ length: type.size ?? 2 }, () => plain(random.chance(0.5))))
          : plain(random.chance(0.5))
      case 'ScalarType':
        return plain(random.pick(['float32', 'float64', 'float32', 'complex64', 'int64']))
      case 'Layout':
        return plain('strided')
      case 'Device':
        return plain('cpu')
      case 'MemoryFormat':
        return plain(random.pick(['contiguous_format', 'preserve_format']))
      case 'Generator':
        return { kind: 'generator' }
      default:
        return plain(random.pick(['mean', 'sum', 'reflect', 'constant']))
    }
  }

  #tensor(name: string): TensorSpec {
    const { random } = this
    this.#tensors += 1
    // Another size along a dimension that broadcasts makes some calls richer, but most operators want equal sizes.
    const broadcasts = this.#tensors > 1 && random.chance(0.1)
    const sizes = broadcasts ? this.#sizes.map((size) => (random.chance(0.5) ? 1 : size)) : this.#sizes
    const isIndex = /^(index|indices|target)$/.test(name)
    const isMask = /^(mask|condition)$/.test(name)
    if (isIndex) return { kind: 'tensor', dtype: 'int64', sizes, fill: { below: 1 }, form: 'plain' }
    if (isMask) return { kind: 'tensor', dtype: 'bool', sizes, fill: { below: 2 }, form: 'plain' }
    return {
      kind: 'tensor',
      dtype: this.#dtype,
      sizes,
      fill: random.chance(0.5) ? 'normal' : 'unit',
      form: random.pick(FORMS),
    }
  }

  #dim(): number {
    return this.random.int(-this.#sizes.length, this.#sizes.length - 1)
  }

  #int(name: string): number {
    const { random } = this
    if (/^(dim|axis|dim0|dim1|axis0|axis1|source|destination|start_dim)/.test(name)) return this.#dim()
    if (name === 'end_dim') return -1
    if (/^(index|start|offset|diagonal|storage_offset|k)$/.test(name)) return 0
    if (/^(n|length|end|step|chunks|split_size|sections|correction|repeats)$/.test(name)) return 1
    if (/reduction/.test(name)) return random.int(0, 2)
    return random.int(1, 3)
  }

  #ints(name: string, fixed: number | undefined): ValueSpec {
    const { random } = this
    if (/^(dim|dims|axis)$/.test(name)) return list([plain(this.#dim())])
    if (/^(size|shape|normalized_shape)$/.test(name)) return list(this.#sizes.map((size) => plain(size)))
    if (/^(repeats|dims)$/.test(name)) return list(this.#sizes.map(() => plain(random.int(1, 2))))
    if (fixed && random.chance(0.3)) return plain(random.int(1, 2))
    return list(Array.from({ length: fixed ?? this.#sizes.length }, () => plain(random.int(1, 2))))
  }
}
