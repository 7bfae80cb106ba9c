import { Complex, call, Generator, type Tensor, tensor, VisionNativeError } from '../../lib'
import type { Random } from './random'
import type { CallSpec, Fill, Odd, TensorSpec, ValueSpec } from './spec'

/** The values of a call, options last when there are any. */
export function materialise(call: CallSpec, random: Random): unknown[] {
  const values: unknown[] = []
  for (const spec of call.positional) values.push(makeValue(spec, random, values))
  const options = Object.entries(call.options)
  if (options.length > 0) {
    values.push(Object.fromEntries(options.map(([name, spec]) => [name, makeValue(spec, random, values)])))
  }
  return values
}

function makeValue(spec: ValueSpec, random: Random, earlier: readonly unknown[]): unknown {
  switch (spec.kind) {
    case 'tensor':
      return makeTensor(spec, random)
    case 'plain':
      return spec.value
    case 'list':
      return spec.items.map((item) => makeValue(item, random, earlier))
    case 'odd':
      return odd(spec.what)
    case 'generator':
      return new Generator(random.int(0, 1000))
    case 'same':
      return earlier[spec.position]
  }
}

function odd(what: Odd): unknown {
  switch (what) {
    case 'function':
      return () => 1
    case 'symbol':
      return Symbol('odd')
    case 'date':
      return new Date(0)
    case 'typed array':
      return new Float32Array([1, 2, 3])
    case 'complex':
      return new Complex(1, -1)
    case 'nested list':
      return [[1, 2], [3]]
    case 'sparse list': {
      const list: unknown[] = [1]
      list[3] = 2
      return list
    }
    case 'object':
      return { constructor: { name: 1 } }
  }
}

function makeTensor(spec: TensorSpec, random: Random): Tensor {
  try {
    return shaped(spec, random)
  } catch (error) {
    // Not every form exists for every rank and dtype; the plain tensor is as good an argument.
    if (VisionNativeError.is(error)) return filled(spec.sizes, spec, random)
    throw error
  }
}

function shaped(spec: TensorSpec, random: Random): Tensor {
  const { sizes, form } = spec
  const rank = sizes.length
  const build = (from: readonly number[]) => filled(from, spec, random)
  switch (form) {
    case 'transposed':
      if (rank < 2) return build(sizes)
      return build([...sizes.slice(0, -2), ...sizes.slice(-2).reverse()]).transpose(-2, -1)
    case 'strided':
      return build([...sizes, 2]).select(-1, 0)
    case 'expanded':
      return rank === 0 ? build(sizes) : build([1, ...sizes.slice(1)]).expand(sizes)
    case 'offset':
      return rank === 0
        ? build([2]).select(0, 1)
        : build([(sizes[0] ?? 0) + 1, ...sizes.slice(1)]).narrow(0, 1, sizes[0] ?? 0)
    case 'grad':
      return build(sizes).requiresGrad_()
    case 'conj':
      return build(sizes).conj()
    case 'sparse':
      return build(sizes).toSparse()
    case 'coalesced':
      return build(sizes).toSparse().coalesce()
    case 'csr':
      return build(sizes).toSparseCsr()
    case 'csc':
      return build(sizes).toSparseCsc()
    case 'nested':
      return call('aten::_nested_tensor_from_tensor_list', [[build(sizes), build(sizes)]]) as Tensor
    case 'meta':
      return build(sizes).to('meta')
    case 'disposed': {
      const gone = build(sizes)
      gone.dispose()
      return gone
    }
    case 'plain':
      return build(sizes)
  }
}

function filled(sizes: readonly number[], spec: TensorSpec, random: Random): Tensor {
  const count = sizes.reduce((product, size) => product * size, 1)
  const values = new Float64Array(count)
  fill(values, sizes, spec, random)
  return tensor(values, { shape: sizes, dtype: spec.dtype })
}

function fill(values: Float64Array, sizes: readonly number[], { dtype, fill }: TensorSpec, random: Random): void {
  const isFloat = /float|complex/.test(dtype)
  const draw = drawFrom(fill, isFloat, random)
  for (let i = 0; i < values.length; i++) values[i] = draw(i)
  if (fill === 'sorted') values.sort()
  if (fill === 'spd' || fill === 'lower') makeMatrices(values, sizes, fill)
}

function drawFrom(fill: Fill, isFloat: boolean, random: Random): (index: number) => number {
  if (typeof fill === 'object') {
    if ('values' in fill) return (index) => fill.values[index] ?? 0
    return () => random.int(0, fill.below - 1)
  }
  switch (fill) {
    case 'unit':
      return () => 0.1 + 0.8 * random.next()
    case 'ones':
      return () => 1
    case 'hostile':
      return () =>
        random.pick([Number.NaN, Number.POSITIVE_INFINITY, -Number.MAX_VALUE, 2 ** 62, -(2 ** 63), 0, -1, 1e-320])
    default:
      return isFloat ? () => random.normal() : () => random.int(-3, 3)
  }
}

/** Keeps the lower triangle with a dominant diagonal; mirrored it is symmetric and positive definite. */
function makeMatrices(values: Float64Array, sizes: readonly number[], fill: 'spd' | 'lower'): void {
  const [rows, columns] = [sizes.at(-2), sizes.at(-1)]
  if (rows === undefined || columns === undefined || rows !== columns) return
  for (let base = 0; base < values.length; base += rows * columns) {
    for (let i = 0; i < rows; i++) {
      values[base + i * columns + i] = rows * 4 + i
      for (let j = i + 1; j < columns; j++) {
        values[base + i * columns + j] = fill === 'spd' ? (values[base + j * columns + i] as number) : 0
      }
    }
  }
}
