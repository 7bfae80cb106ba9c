import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  arange,
  type Index,
  memory,
  newAxis,
  ones,
  slice,
  type Tensor,
  type TensorData,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'

type Data = number | null | string | { slice: [number, number, number] } | { tensor: TensorData } | number[] | boolean[]

interface Case {
  readonly indices: readonly Data[]
  readonly shape: readonly number[]
  readonly elements: readonly number[]
  readonly assigned: readonly number[]
}

/** Made by tools/reference/index_tensors.py. */
const CASES: readonly Case[] = JSON.parse(readFileSync(new URL('fixtures/indexed.json', import.meta.url), 'utf8'))

function toIndex(data: Data): Index {
  if (data === 'newAxis') return newAxis
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data as Index
  if ('slice' in data) return slice(...data.slice)
  const leaf = [data.tensor].flat(3)[0]
  return tensor(data.tensor, { dtype: typeof leaf === 'number' ? 'int64' : 'bool' })
}

const cube = () => arange(24).reshape([2, 3, 4])
const elements = (t: Tensor) => Array.from(t.dataSync() as Float32Array)

describe('as PyTorch indexes', () => {
  test.each(CASES.map((c) => ({ ...c, name: JSON.stringify(c.indices) })))(
    'at $name',
    ({ indices, shape, elements: expected }) => {
      tidy(() => {
        const part = cube().at(...indices.map(toIndex))
        expect(part.shape).toEqual(shape)
        expect(elements(part)).toEqual(expected)
      })
    },
  )

  test.each(CASES.map((c) => ({ ...c, name: JSON.stringify(c.indices) })))('setAt $name', ({ indices, assigned }) => {
    tidy(() => {
      const whole = cube()
      expect(whole.setAt(indices.map(toIndex), 100)).toBe(whole)
      expect(elements(whole)).toEqual(assigned)
    })
  })
})

describe('views and copies', () => {
  test('numbers, slices, null, newAxis and dots share memory with the tensor', () => {
    tidy(() => {
      const whole = cube()
      whole.at(1, slice(1), '...', newAxis).fill_(-1)
      expect(elements(whole)).toEqual([...Array(16).keys(), ...Array(8).fill(-1)])
    })
  })

  test('lists and masks copy', () => {
    tidy(() => {
      const whole = cube()
      whole.at([0, 1]).fill_(-1)
      expect(elements(whole)).toEqual([...Array(24).keys()])
    })
  })

  test('disposing of a part leaves the tensor, even when the part is all of it', () => {
    const whole = cube()
    whole.at().dispose()
    whole.at('...').dispose()
    expect(whole.disposed).toBe(false)
    whole.dispose()
  })

  test('nothing stays but the part', () => {
    tidy(() => {
      const whole = cube()
      const before = memory.stats().tensors
      whole.at(0, slice(1), [0, 2], newAxis)
      expect(memory.stats().tensors).toBe(before + 1)
      whole.setAt([0, [1, 2]], 5)
      expect(memory.stats().tensors).toBe(before + 1)
    })
  })

  test('gradients flow to the elements that were picked', () => {
    tidy(() => {
      const x = ones([3], { requiresGrad: true })
      x.at([0, 0, 2]).sum().backward()
      expect(elements(x.grad as Tensor)).toEqual([2, 0, 1])
    })
  })
})

describe('assigning', () => {
  test('a tensor is broadcast and converted', () => {
    tidy(() => {
      const x = zeros([2, 3], { dtype: 'int32' })
      x.setAt([null, slice(1)], tensor([1.5, 2]))
      x.setAt(
        [
          [0, 1],
          [0, 0],
        ],
        tensor([7.5, 8]),
      )
      expect(x.toArray()).toEqual([
        [7, 1, 2],
        [8, 1, 2],
      ])
    })
  })

  test('a mask picks the elements to write', () => {
    tidy(() => {
      const x = tensor([-1, 2, -3])
      expect(elements(x.setAt([x.lt(0)], 0))).toEqual([0, 2, 0])
    })
  })

  test('a value that does not fit is refused, and nothing is written', () => {
    tidy(() => {
      const x = zeros([2, 3])
      expect(() => x.setAt([0], ones([4]))).toThrow(expect.objectContaining({ kind: 'Shape' }))
      expect(elements(x)).toEqual([0, 0, 0, 0, 0, 0])
    })
  })
})

describe('bad indices', () => {
  const refused = (indices: readonly unknown[], kind: string, message: RegExp) =>
    tidy(() => {
      const x = cube()
      expect(() => x.at(...(indices as Index[]))).toThrow(
        expect.objectContaining({ kind, message: expect.stringMatching(message) }),
      )
      expect(() => x.setAt(indices as Index[], 0)).toThrow(expect.objectContaining({ kind }))
    })

  test('out of range', () => {
    refused([0, 3], 'Argument', /index 1 is 3, out of range for dimension 1 of size 3; use -3 to 2/)
    refused([-3], 'Argument', /index 0 is -3/)
    refused([tensor(2n)], 'Argument', /out of range/)
    refused([[0, 2]], 'Argument', /out of bounds/)
  })

  test('too many, or dots twice', () => {
    refused([0, 0, 0, 0], 'Argument', /4 indices for the 3 dimensions .*\[2, 3, 4\]/)
    refused(['...', '...'], 'Argument', /stands twice/)
  })

  test('of the wrong kind', () => {
    refused([0.5], 'Argument', /whole number/)
    refused([Number.NaN], 'Argument', /whole number/)
    refused([undefined], 'Argument', /index 0 is undefined/)
    refused([true], 'Argument', /index 0 is true/)
    refused(['0'], 'Argument', /index 0 is '0'/)
    refused([{}], 'Argument', /index 0 is an object/)
    refused([[0.5]], 'Argument', /holds 0.5/)
    refused([[true, 1]], 'Argument', /holds true/)
    refused([ones([2])], 'DType', /float32/)
    refused([ones([2], { dtype: 'uint8' })], 'DType', /bool masks/)
  })

  test('a mask of another shape', () => {
    refused([tensor([true, false, true])], 'Shape', /mask of shape \[3\] on dimensions of sizes \[2\]/)
  })

  test('a slice that runs backwards names flip', () => {
    expect(() => slice(5, 0, -1)).toThrow(/flip/)
    expect(() => slice(0, 1, 0)).toThrow(/1 or more/)
    expect(() => slice(0.5)).toThrow(/whole number/)
  })
})
