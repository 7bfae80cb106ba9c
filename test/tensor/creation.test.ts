import { describe, expect, test } from 'vitest'
import {
  arange,
  Complex,
  empty,
  eye,
  full,
  linspace,
  logspace,
  ones,
  randint,
  randn,
  randperm,
  scalarTensor,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const values = (t: Tensor) => Array.from(t.dataSync() as ArrayLike<number | bigint>, Number)

describe('filled tensors', () => {
  scoped('zeros, ones, full, empty', () => {
    expect(values(zeros([2, 2]))).toEqual([0, 0, 0, 0])
    expect(values(ones([2], { dtype: 'int32' }))).toEqual([1, 1])
    expect(values(full([2], 1.5))).toEqual([1.5, 1.5])
    expect(empty([2, 3], { dtype: 'float64' }).shape).toEqual([2, 3])
  })
  scoped('eye', () => {
    expect(eye(2).toArray()).toEqual([[1, 0], [0, 1]]) // biome-ignore format: a matrix
    expect(eye(2, { columns: 3 }).shape).toEqual([2, 3])
  })
  scoped('arange in its three forms', () => {
    expect(values(arange(3))).toEqual([0, 1, 2])
    expect(values(arange(1, 3))).toEqual([1, 2])
    expect(values(arange(3, 0, -1))).toEqual([3, 2, 1])
    expect(values(arange(0, 1, 0.25))).toEqual([0, 0.25, 0.5, 0.75])
    expect(() => (arange as (...n: number[]) => Tensor)(1, 2, 3, 4)).toThrow(/got 4/)
    expect(() => (arange as () => Tensor)()).toThrow(/got 0/)
  })
  scoped('linspace and logspace include both ends', () => {
    expect(values(linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(values(logspace(0, 3, 4, { base: 2 }))).toEqual([1, 2, 4, 8])
  })
})

describe('the dtype that a value asks for', () => {
  scoped('numbers float32, bigints int64, booleans bool, complex numbers complex64', () => {
    expect(tensor(1).dtype).toBe('float32')
    expect(tensor(1n).dtype).toBe('int64')
    expect(tensor(true).dtype).toBe('bool')
    expect(tensor(new Complex(1, 0)).dtype).toBe('complex64')
    expect(full([1], 2).dtype).toBe('float32')
    expect(full([1], 2n).dtype).toBe('int64')
    expect(scalarTensor(true).dtype).toBe('bool')
    expect(arange(3).dtype).toBe('float32')
    expect(arange(3n).dtype).toBe('int64')
    expect(randint(0, 2, [1]).dtype).toBe('int64')
    expect(randperm(2).dtype).toBe('int64')
  })
  scoped('a stated one wins', () => {
    expect(full([1], 2, { dtype: 'int16' }).dtype).toBe('int16')
    expect(arange(3, { dtype: 'uint8' }).dtype).toBe('uint8')
    expect(tensor(new Uint8Array([1]), { dtype: 'float32' }).item()).toBe(1)
    expect(randn([1], { dtype: 'float64' }).dtype).toBe('float64')
  })
})

describe('options', () => {
  scoped('requiresGrad marks a leaf', () => {
    for (const x of [
      zeros([1], { requiresGrad: true }),
      tensor([1], { requiresGrad: true, dtype: 'float64' }),
      arange(2, { requiresGrad: true }),
    ]) {
      expect([x.requiresGrad, x.isLeaf]).toEqual([true, true])
    }
  })
  scoped('device meta holds no data', () => expect(zeros([2 ** 20, 2 ** 20], { device: 'meta' }).numel).toBe(2 ** 40))
  scoped('unknown devices and dtypes are refused', () => {
    expect(() => zeros([1], { device: 'gpu' as never })).toThrow(/no device; they are cpu/)
    expect(() => zeros([1], { dtype: 'double' as never })).toThrow(/no dtype/)
    expect(() => tensor([1], { dtype: 'double' as never })).toThrow(/double/)
  })
})

describe('conversion', () => {
  scoped('to another dtype, or itself where nothing changes', () => {
    expect(tensor([1.7]).to('int32').item()).toBe(1)
    expect(values(tensor([1, 2]).to({ dtype: 'float64', copy: true }))).toEqual([1, 2])
    expect(tensor([3]).to('cpu').item()).toBe(3)
    expect(() => tensor([1]).to('float31' as never)).toThrow(/float31/)
  })
  scoped('disposing of a conversion that changed nothing leaves the original', () => {
    const x = tensor([1])
    x.to('float32').dispose()
    expect(x.item()).toBe(1)
  })
})

describe('what a tensor says of itself', () => {
  scoped('shape, strides, size, offset', () => {
    const x = arange(12).reshape([3, 4]).t().at(1)
    expect([x.shape, x.strides, x.storageOffset, x.ndim, x.numel, x.isContiguous]).toEqual([[3], [4], 1, 1, 3, false])
    expect(zeros([2, 5]).size(-1)).toBe(5)
    expect(() => zeros([2]).size(1)).toThrow(/dimension 1 of a tensor with 1 dimensions/)
    expect(() => zeros([2]).size(0.5)).toThrow(/dimension 0.5/)
  })
  scoped('in-place changes are counted', () => {
    const x = zeros([1])
    const before = x.version
    x.add_(1)
    expect(x.version).toBe(before + 1)
  })
  scoped('JSON is the nested arrays', () => expect(JSON.stringify({ x: ones([2]) })).toBe('{"x":[1,1]}'))
})

test('data of one tensor is of one kind', () => {
  expect(() => tensor([1, true])).toThrow(/mixes number and boolean/)
  expect(() => tensor([[1n], [2]])).toThrow(/mixes bigint and number/)
})
