import type { DType } from '../../lib/tensor/types'
import type { Random } from './random'
import { type CallSpec, type Fill, type Form, list, type Odd, plain, type TensorSpec, type ValueSpec } from './spec'

/** The call with one to three things wrong, or at least unusual. */
export function mutate(call: CallSpec, random: Random): CallSpec {
  let mutated = call
  for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--) mutated = mutateOnce(mutated, random)
  return mutated
}

function mutateOnce(call: CallSpec, random: Random): CallSpec {
  const names = Object.keys(call.options)
  if (random.chance(0.06)) return { ...call, positional: call.positional.slice(0, -1) }
  if (random.chance(0.06)) return { ...call, positional: [...call.positional, wrongValue(random)] }
  if (random.chance(0.05)) return { ...call, options: { ...call.options, noSuchOption: wrongValue(random) } }
  if (names.length > 0 && random.chance(0.3)) {
    const name = random.pick(names)
    return { ...call, options: { ...call.options, [name]: mutateValue(call.options[name] as ValueSpec, random) } }
  }
  if (call.positional.length === 0) return call
  const at = random.int(0, call.positional.length - 1)
  if (call.positional.length > 1 && random.chance(0.05)) {
    const position = random.int(0, call.positional.length - 1)
    if (position !== at && call.positional[position]?.kind === 'tensor')
      return withPositional(call, at, { kind: 'same', position })
  }
  return withPositional(call, at, mutateValue(call.positional[at] as ValueSpec, random))
}

const withPositional = (call: CallSpec, at: number, value: ValueSpec): CallSpec => ({
  ...call,
  positional: call.positional.map((old, i) => (i === at ? value : old)),
})

function mutateValue(value: ValueSpec, random: Random): ValueSpec {
  if (random.chance(0.15)) return wrongValue(random)
  switch (value.kind) {
    case 'tensor':
      return mutateTensor(value, random)
    case 'plain':
      if (typeof value.value === 'number') return plain(random.pick(NUMBERS))
      if (typeof value.value === 'string')
        return plain(
          random.pick(['', 'float32', 'cpu', 'meta', 'cuda', 'sum', 'ij,jk->ik', 'strided', '\u0000', 'reflect']),
        )
      return wrongValue(random)
    case 'list':
      return mutateList(value.items, random)
    default:
      return wrongValue(random)
  }
}

const NUMBERS: readonly (number | bigint)[] = [
  0,
  1,
  -1,
  2,
  3,
  5,
  7,
  64,
  -2,
  -7,
  1.5,
  -0,
  1e-300,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1000,
  65536,
  2 ** 31,
  -(2 ** 31),
  2 ** 40,
  2 ** 53 - 1,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 64n,
]
const DTYPES: readonly DType[] = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'bool',
  'complex64',
  'complex128',
]
const FORMS: readonly Form[] = [
  'transposed',
  'strided',
  'expanded',
  'offset',
  'grad',
  'conj',
  'sparse',
  'csr',
  'meta',
  'disposed',
]
const FILLS: readonly Fill[] = ['hostile', 'normal', 'ones', 'sorted', { below: 1 }, { below: 3 }, { below: 1000 }]
const ODD: readonly Odd[] = [
  'function',
  'symbol',
  'date',
  'typed array',
  'complex',
  'nested list',
  'sparse list',
  'object',
]

function mutateTensor(tensor: TensorSpec, random: Random): ValueSpec {
  switch (random.int(0, 6)) {
    case 0:
      return { ...tensor, dtype: random.pick(DTYPES) }
    case 1:
      return { ...tensor, sizes: Array.from({ length: random.int(0, 6) }, () => random.int(0, 4)) }
    case 2:
      return { ...tensor, sizes: changeOne(tensor.sizes, random, () => random.int(0, 5)) }
    case 3:
      return { ...tensor, sizes: random.chance(0.5) ? [...tensor.sizes, random.int(0, 3)] : tensor.sizes.slice(0, -1) }
    case 4:
      return { ...tensor, fill: random.pick(FILLS) }
    case 5:
      return random.chance(0.1) ? list([tensor]) : { ...tensor, sizes: changeOne(tensor.sizes, random, () => 0) }
    default:
      return { ...tensor, form: random.pick(FORMS) }
  }
}

function mutateList(items: readonly ValueSpec[], random: Random): ValueSpec {
  switch (random.int(0, 4)) {
    case 0:
      return list([])
    case 1:
      return list(items.slice(0, -1))
    case 2:
      return list([...items, ...items, ...items].slice(0, items.length + random.int(1, 6)))
    case 3:
      return list([...items, plain(null)])
    default:
      return list(changeOne(items, random, (item) => mutateValue(item, random)))
  }
}

function changeOne<T>(items: readonly T[], random: Random, change: (item: T) => T): T[] {
  const at = random.int(0, items.length - 1)
  return items.map((item, i) => (i === at ? change(item) : item))
}

function wrongValue(random: Random): ValueSpec {
  switch (random.int(0, 6)) {
    case 0:
      return plain(random.pick(NUMBERS))
    case 1:
      return plain(random.pick(['', 'mean', 'float32', 'cpu', 'cuda:7', 'no such name']))
    case 2:
      return plain(random.pick([null, undefined, true, false]))
    case 3:
      return { kind: 'odd', what: random.pick(ODD) }
    case 4:
      return list(Array.from({ length: random.int(0, 5) }, () => plain(random.pick(NUMBERS))))
    default:
      return {
        kind: 'tensor',
        dtype: random.pick(DTYPES),
        sizes: Array.from({ length: random.int(0, 4) }, () => random.int(0, 4)),
        fill: random.pick(FILLS),
        form: random.chance(0.7) ? 'plain' : random.pick(FORMS),
      }
  }
}
