import { describe, expect, test } from 'vitest'
import {
  Complex,
  call,
  type DType,
  full,
  ones,
  type Tensor,
  type TensorData,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })

/** The bits of elements, as LibTorch holds them. */
const bitsOf = (t: Tensor) =>
  Array.from((call('aten::view.dtype', [t, 'int16']) as Tensor).dataSync() as Int16Array, (b) => b & 0xffff)
const fromBits = (bits: readonly number[], dtype: DType) =>
  call('aten::view.dtype', [tensor(Int16Array.from(bits)), dtype]) as Tensor

describe('float16, bit by bit (IEEE 754 binary16)', () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number
  const PATTERNS: readonly (readonly [number, number])[] = [
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x8001, -(2 ** -24)],
    [0x7c00, inf],
    [0xfc00, -inf],
  ]
  scoped('is read exactly, subnormals and infinities too', () => {
    const read = fromBits(
      PATTERNS.map(([bits]) => bits),
      'float16',
    ).dataSync()
    expect(Array.from(read as Float32Array)).toEqual(PATTERNS.map(([, value]) => value))
  })
  scoped('is written exactly', () => {
    const written = tensor(
      PATTERNS.map(([, value]) => value),
      { dtype: 'float16' },
    )
    expect(bitsOf(written)).toEqual(PATTERNS.map(([bits]) => bits))
  })
  scoped('NaN stays NaN', () => {
    expect(fromBits([0x7e00, 0x7c01, 0xfe00], 'float16').toArray()).toEqual([nan, nan, nan])
  })
  scoped('rounds to the nearest, ties to even, overflow to infinity', () => {
    // Between 1 (0x3c00) and the next half (1 + 2^-10): the tie goes to the even one.
    const written = tensor([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 3 * 2 ** -25], { dtype: 'float16' })
    expect(bitsOf(written)).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x0000, 0x0002])
  })
})

describe('bfloat16, bit by bit', () => {
  const PATTERNS: readonly (readonly [number, number])[] = [
    [0x0000, 0],
    [0x8000, -0],
    [0x3f80, 1],
    [0xc000, -2],
    [0x7f7f, (2 - 2 ** -7) * 2 ** 127],
    [0x0080, 2 ** -126],
    [0x0001, 2 ** -133],
    [0x7f80, Number.POSITIVE_INFINITY],
    [0xff80, Number.NEGATIVE_INFINITY],
  ]
  scoped('is read exactly', () => {
    const read = fromBits(
      PATTERNS.map(([bits]) => bits),
      'bfloat16',
    ).dataSync()
    expect(Array.from(read as Float32Array)).toEqual(PATTERNS.map(([, value]) => value))
  })
  scoped('is written exactly, ties to even', () => {
    expect(
      bitsOf(
        tensor(
          PATTERNS.map(([, value]) => value),
          { dtype: 'bfloat16' },
        ),
      ),
    ).toEqual(PATTERNS.map(([bits]) => bits))
    expect(bitsOf(tensor([1 + 2 ** -8, 1 + 3 * 2 ** -8], { dtype: 'bfloat16' }))).toEqual([0x3f80, 0x3f82])
  })
  scoped('NaN stays NaN', () => expect(fromBits([0x7fc0], 'bfloat16').item()).toBeNaN())
})

describe('every dtype makes the round trip', () => {
  const CASES: readonly (readonly [DType, TensorData, number])[] = [
    ['float32', [0, -1.5, 3.4028234663852886e38], 4],
    ['float64', [0.1, -1e300, 5e-324], 8],
    ['float16', [0.5, -65504], 2],
    ['bfloat16', [0.5, -256], 2],
    ['int8', [-128, 127], 1],
    ['int16', [-32768, 32767], 2],
    ['int32', [-2147483648, 2147483647], 4],
    ['int64', [-9007199254740991, 9007199254740991], 8],
    ['uint8', [0, 255], 1],
    ['bool', [true, false], 1],
  ]
  test.each(CASES)('%s', (dtype, data, bytes) =>
    tidy(() => {
      const t = tensor(data, { dtype })
      expect([t.dtype, t.itemSize, t.toArray()]).toEqual([dtype, bytes, data])
    }),
  )
  scoped('complex64 and complex128', () => {
    const data = [new Complex(1.5, -2), new Complex(0, 1e30)]
    expect(tensor(data, { dtype: 'complex128' }).toArray()).toEqual(data)
    expect(Array.from(tensor(data).dataSync() as Float32Array)).toEqual([1.5, -2, 0, Math.fround(1e30)])
  })
  scoped('int64 beyond 2^53, by bigint', () => {
    const data = [2n ** 63n - 1n, -(2n ** 63n)]
    expect(tensor(data).toArray()).toEqual(data)
    expect(tensor(2n ** 53n).item()).toBe(2n ** 53n)
    expect(() => tensor(2n ** 53n).toNumber()).toThrow(refusal('DType', /not exact/))
    expect(tensor(2n ** 53n - 1n).toNumber()).toBe(2 ** 53 - 1)
  })
  scoped('typed arrays give their own dtype, and are copied', () => {
    for (const [array, dtype] of [
      [new Float32Array([1]), 'float32'],
      [new Float64Array([1]), 'float64'],
      [new Int8Array([1]), 'int8'],
      [new Int16Array([1]), 'int16'],
      [new Int32Array([1]), 'int32'],
      [new BigInt64Array([1n]), 'int64'],
      [new Uint8Array([1]), 'uint8'],
      [new Uint8ClampedArray([1]), 'uint8'],
    ] as const) {
      const t = tensor(array)
      expect([t.dtype, t.item()]).toEqual([dtype, 1])
      if (array instanceof BigInt64Array) array[0] = 9n
      else array[0] = 9
      expect(t.item()).toBe(1)
    }
  })
  scoped('a view into a larger buffer gives its own elements', () => {
    const buffer = new Float32Array([0, 1, 2, 3]).buffer
    expect(tensor(new Float32Array(buffer, 4, 2)).toArray()).toEqual([1, 2])
  })
  scoped('a shared buffer is allowed', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared[1] = 7
    expect(tensor(shared).toArray()).toEqual([0, 7])
  })
  scoped('what is read is the reader’s own', () => {
    const x = ones([2])
    const data = x.dataSync() as Float32Array
    data[0] = 9
    expect(x.toArray()).toEqual([1, 1])
  })
  test('data() gives what dataSync() gives', async () => {
    const x = tensor([[1, 2], [3, 4]]).t() // biome-ignore format: a matrix
    expect(await x.data()).toEqual(x.dataSync())
    expect(Array.from((await x.data()) as Float32Array)).toEqual([1, 3, 2, 4])
    x.dispose()
  })
  scoped('conjugated and negated views are read as their values', () => {
    const z = tensor([new Complex(1, 2)])
    expect(z.conj().toArray()).toEqual([new Complex(1, -2)])
  })
})

describe('shapes', () => {
  scoped('nested arrays, scalars, empties', () => {
    expect(tensor(5).shape).toEqual([])
    expect(tensor([]).shape).toEqual([0])
    expect(tensor([[], []]).shape).toEqual([2, 0])
    expect(tensor([[[1], [2]]]).shape).toEqual([1, 2, 1])
    expect(tensor(new Float32Array(6), { shape: [2, 3] }).shape).toEqual([2, 3])
    expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).toArray()).toEqual([[1, 2], [3, 4]]) // biome-ignore format: a matrix
    expect(tensor([new Float32Array([1, 2]), new Float32Array([3, 4])]).shape).toEqual([2, 2])
  })
  scoped('the shape must hold the data', () => {
    expect(() => tensor(new Float32Array(5), { shape: [2, 3] })).toThrow(refusal('Shape', /24 bytes.*20/))
    expect(() => tensor(new Float32Array(0), { shape: [] })).toThrow(refusal('Shape', /4 bytes.* 0/))
  })
  scoped('sizes that are no sizes', () => {
    for (const size of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(() => tensor(new Float32Array(4), { shape: [size] }), String(size)).toThrow(refusal('Shape', /./))
    }
    expect(() => tensor(new Float32Array(0), { shape: [2 ** 40, 2 ** 40] })).toThrow(refusal('Shape', /2\^64/))
    expect(() => tensor(new Float32Array(0), { shape: new Array(65).fill(0) })).toThrow(refusal('Argument', /64/))
  })
  scoped('sizes that no machine has room for', () => {
    expect(() => zeros([2 ** 40])).toThrow(refusal('OutOfMemory', /bytes/))
    expect(() => zeros([2 ** 31, 2 ** 31, 2 ** 31])).toThrow(refusal('Shape', /overflow/))
    expect(() => zeros([-1])).toThrow(refusal('Shape', /negative/))
    expect(() => zeros([Number.NaN])).toThrow(refusal('Argument', /nan/))
  })
})

describe('data that is no data', () => {
  scoped('ragged', () => {
    expect(() => tensor([[1, 2], [3]])).toThrow(refusal('Shape', /2 items first, then 1/))
    expect(() => tensor([1, [2]])).toThrow(refusal('Shape', /ragged/))
    expect(() => tensor([[1], 2])).toThrow(refusal('Shape', /ragged/))
  })
  scoped('mixed or foreign elements', () => {
    expect(() => tensor([1, true])).toThrow(refusal('Argument', /mixes number and boolean/))
    expect(() => tensor([1, 2n])).toThrow(refusal('Argument', /mixes/))
    expect(() => tensor(['1'] as never)).toThrow(refusal('Argument', /'1'/))
    expect(() => tensor([null] as never)).toThrow(refusal('Argument', /null/))
    expect(() => tensor(undefined as never)).toThrow(refusal('Argument', /undefined/))
    expect(() => tensor(ones([1]) as never)).toThrow(refusal('Argument', /clone\(\)/))
  })
  scoped('numbers that a dtype does not hold', () => {
    expect(() => tensor([1.5], { dtype: 'int32' })).toThrow(refusal('DType', /1\.5 is no int32/))
    expect(() => tensor([256], { dtype: 'uint8' })).toThrow(refusal('DType', /256/))
    expect(() => tensor([-1], { dtype: 'uint8' })).toThrow(refusal('DType', /-1/))
    expect(() => tensor([Number.NaN], { dtype: 'int64' })).toThrow(refusal('DType', /NaN/))
    expect(() => tensor([2 ** 53], { dtype: 'int64' })).toThrow(refusal('DType', /9007199254740992/))
    expect(() => tensor([2n ** 63n])).toThrow(refusal('DType', /int64/))
  })
  scoped('dtypes and arrays that are not there', () => {
    expect(() => tensor([1], { dtype: 'float8' as never })).toThrow(refusal('Argument', /float8/))
    expect(() => tensor(new Uint16Array(2) as never)).toThrow(refusal('DType', /Uint16Array/))
    expect(() => tensor(new DataView(new ArrayBuffer(4)) as never)).toThrow(refusal('Argument', /DataView/))
  })
  scoped('a detached buffer', () => {
    const array = new Float32Array([1, 2])
    structuredClone(array.buffer, { transfer: [array.buffer] })
    expect(tensor(array).shape).toEqual([0])
  })
})

describe('reading', () => {
  scoped('item() wants one element', () => {
    expect(() => ones([2]).item()).toThrow(refusal('Argument', /\[2\] has 2 elements/))
    expect(full([1, 1], 2).item()).toBe(2)
    expect(tensor(true).item()).toBe(true)
    expect(() => tensor(new Complex(1, 1)).toNumber()).toThrow(refusal('DType', /complex64/))
  })
  scoped('meta and sparse tensors have nothing to read', () => {
    expect(() => ones([1], { device: 'meta' }).dataSync()).toThrow(refusal('Device', /meta/))
    expect(() => ones([1]).toSparse().dataSync()).toThrow(refusal('Operator', /toDense/))
  })
  scoped('an element type that JavaScript has no array for says so', () => {
    const half = call('aten::view.dtype', [tensor([1, 2], { dtype: 'float16' }), 'complex32']) as Tensor
    expect(() => half.dataSync()).toThrow(refusal('DType', /convert/))
  })
})
