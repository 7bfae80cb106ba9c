import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcatDataset, type Dataset, MapDataset, Subset, TensorDataset } from '../../lib/data'
import { memory, tensor, tidy, zeros } from '../../lib/tensor'

let before = 0
beforeEach(() => {
  before = memory.stats().tensors
})
afterEach(() => expect(memory.stats().tensors).toBe(before))

const from = (values: readonly string[]): Dataset<string> => ({
  length: values.length,
  get: (i) => values[i] as string,
})
const all = <T>(dataset: Dataset<T>) => Array.from({ length: dataset.length }, (_, i) => dataset.get(i))

describe('TensorDataset', () => {
  test('gives a row of each tensor', () => {
    tidy(() => {
      const images = tensor([
        [1, 2],
        [3, 4],
      ])
      const dataset = new TensorDataset(images, tensor([7n, 8n]))
      const [image, label] = dataset.get(1)
      expect([dataset.length, image.toArray(), label.item()]).toEqual([2, [3, 4], 8])
    })
  })

  test('refuses tensors of different lengths, and without one', () => {
    tidy(() => {
      expect(() => new TensorDataset(zeros([2, 3]), zeros([3]))).toThrow(/tensor 1 has shape \[3\]/)
      expect(() => new TensorDataset(zeros([]))).toThrow(expect.objectContaining({ kind: 'Shape' }))
      const dataset = new TensorDataset(zeros([2]))
      for (const index of [-1, 2, 0.5, Number.NaN]) expect(() => dataset.get(index)).toThrow(/from 0 to 1/)
    })
  })
})

test('ConcatDataset is its data sets one after another', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.string()), { minLength: 1 }), (lists) => {
      expect(all(new ConcatDataset(lists.map(from)))).toEqual(lists.flat())
    }),
  )
  expect(() => new ConcatDataset([])).toThrow(expect.objectContaining({ kind: 'Argument' }))
  expect(() => new ConcatDataset([from(['a'])]).get(1)).toThrow(/from 0 to 0/)
})

test('Subset is the samples of its indices', () => {
  const dataset = from(['a', 'b', 'c'])
  expect(all(new Subset(dataset, [2, 0, 2]))).toEqual(['c', 'a', 'c'])
  expect(() => new Subset(dataset, [3])).toThrow(/sample 3/)
})

test('MapDataset applies its function to samples that come now or later, with the context', async () => {
  const context = { seed: 1, epoch: 2 } as never
  const seen: unknown[] = []
  const upper = (text: string, given: unknown) => {
    seen.push(given)
    return text.toUpperCase()
  }
  expect(all(new MapDataset(from(['a', 'b']), upper))).toEqual(['A', 'B'])
  const later: Dataset<string> = { length: 1, get: async () => 'x' }
  expect(await new MapDataset(later, upper).get(0, context)).toBe('X')
  expect(seen).toEqual([undefined, undefined, context])
})
