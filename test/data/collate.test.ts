import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { type Collated, defaultCollate, padCollate } from '../../lib/data'
import { full, memory, ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'

let before = 0
beforeEach(() => {
  before = memory.stats().tensors
})
afterEach(() => expect(memory.stats().tensors).toBe(before))

/** Runs a test's body in a scope. */
const scoped = (body: () => void) => () => tidy(() => void body())
const refusal = (samples: readonly unknown[], collate: (samples: readonly unknown[]) => unknown = defaultCollate) =>
  tidy(() => {
    try {
      collate(samples)
    } catch (error) {
      const { kind, message } = error as { kind: string; message: string }
      return [kind, message]
    }
    return undefined
  })

describe('defaultCollate', () => {
  test(
    'stacks tensors, numbers, bigints, booleans and typed arrays, and lists strings',
    scoped(() => {
      const batch = defaultCollate([
        { x: full([2], 1), n: 0.5, label: 3n, ok: true, bytes: new Uint8Array([1, 2]), name: 'a' },
        { x: full([2], 2), n: 1, label: 4n, ok: false, bytes: new Uint8Array([3, 4]), name: 'b' },
      ])
      expect(batch.x.toArray()).toEqual([
        [1, 1],
        [2, 2],
      ])
      expect([batch.n.dtype, batch.n.toArray()]).toEqual(['float32', [0.5, 1]])
      expect([batch.label.dtype, batch.label.toArray()]).toEqual(['int64', [3, 4]])
      expect([batch.ok.dtype, batch.ok.toArray()]).toEqual(['bool', [true, false]])
      expect([batch.bytes.dtype, batch.bytes.toArray()]).toEqual([
        'uint8',
        [
          [1, 2],
          [3, 4],
        ],
      ])
      expect(batch.name).toEqual(['a', 'b'])
    }),
  )

  test(
    'whole numbers are float32 as fractions are, so that no batch differs from the next',
    scoped(() => expect(defaultCollate([1, 2]).dtype).toBe('float32')),
  )

  test(
    'goes into tuples, lists and objects',
    scoped(() => {
      const sample = (i: number): [Tensor, { deep: [number, string] }] => [full([], i), { deep: [i, `s${i}`] }]
      const [x, { deep }] = defaultCollate([sample(1), sample(2), sample(3)])
      expect(x.toArray()).toEqual([1, 2, 3])
      expect([deep[0].toArray(), deep[1]]).toEqual([
        [1, 2, 3],
        ['s1', 's2', 's3'],
      ])
    }),
  )

  test('has types that follow the samples', () => {
    expectTypeOf<Collated<[Tensor, bigint]>>().toEqualTypeOf<[Tensor, Tensor]>()
    expectTypeOf<Collated<{ readonly image: Tensor; name: string }>>().toEqualTypeOf<{
      image: Tensor
      name: string[]
    }>()
    expectTypeOf<Collated<Float32Array>>().toEqualTypeOf<Tensor>()
  })

  test.each([
    [
      'shapes',
      [{ a: zeros([2]) }, { a: zeros([3]) }],
      'Shape',
      /^collate: \[1\]\.a: shape \[3\], but \[0\]\.a has \[2\]/,
    ],
    ['dtypes', [[zeros([1])], [zeros([1], { dtype: 'int64' })]], 'DType', /^collate: \[1\]\[0\]: dtype int64/],
    [
      'kinds',
      [{ label: 1 }, { label: 2 }, { label: 'x' }],
      'Argument',
      /^collate: \[2\]\.label: 'x', but \[0\]\.label is 1/,
    ],
    ['lengths of lists', [[1, 2], [1]], 'Shape', /^collate: \[1\]: a list of 1, but \[0\] has 2/],
    ['lengths of typed arrays', [new Int8Array(2), new Int8Array(3)], 'Shape', /^collate: \[1\]: shape \[3\]/],
    ['missing keys', [{ a: 1, b: 2 }, { a: 1 }], 'Argument', /^collate: \[1\]\.b: is missing/],
    ['extra keys', [{ a: 1 }, { a: 1, c: 2 }], 'Argument', /^collate: \[1\]\.c: is there/],
    ['null', [{ deep: [null] }], 'Argument', /^collate: \[0\]\.deep\[0\]: null has no place/],
    ['dates', [new Date(0)], 'Argument', /^collate: \[0\]: an object of class Date/],
    ['no samples', [], 'Argument', /no samples/],
  ])('names the place where samples differ in %s', (_, samples, kind, message) => {
    expect(refusal(samples as readonly unknown[])).toEqual([kind, expect.stringMatching(message)])
  })

  // The rows of the table above were made outside of any scope.
  beforeEach(() => {
    before = memory.stats().tensors
  })
})

describe('padCollate', () => {
  test(
    'pads each dimension at its end to the largest',
    scoped(() => {
      const batch = padCollate({ value: -1 })([
        { x: ones([1, 2]), y: new Float32Array([5]) },
        { x: zeros([2, 1]), y: new Float32Array([6, 7, 8]) },
      ])
      expect(batch.x.toArray()).toEqual([
        [
          [1, 1],
          [-1, -1],
        ],
        [
          [0, -1],
          [0, -1],
        ],
      ])
      expect(batch.y.toArray()).toEqual([
        [5, -1, -1],
        [6, 7, 8],
      ])
    }),
  )

  test(
    'keeps dtypes, and pads with 0 unless told',
    scoped(() => {
      const batch = padCollate()([tensor([1n]), tensor([2n, 3n])])
      expect([batch.dtype, batch.toArray()]).toEqual([
        'int64',
        [
          [1, 0],
          [2, 3],
        ],
      ])
    }),
  )

  test('refuses tensors of different ranks', () => {
    const samples = [{ x: zeros([1]) }, { x: zeros([1, 1]) }]
    expect(refusal(samples, padCollate())).toEqual([
      'Shape',
      expect.stringMatching(/\[1\]\.x: shape \[1,1\].*one rank/),
    ])
    for (const { x } of samples) x.dispose()
  })
})
