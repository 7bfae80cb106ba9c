import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Dataset, randomSplit, stratifiedSplit } from '../../lib/data'
import { order as fixture } from '../support/data/order'

const { split } = fixture
const numbers = (length: number): Dataset<number> => ({ length, get: (i) => i })
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b)

describe('randomSplit', () => {
  test('cuts one random order into the lengths', () => {
    const parts = randomSplit(numbers(10), [7, 0, 3], { seed: split.seed })
    expect(parts.map(({ indices }) => indices)).toEqual([split.order.slice(0, 7), [], split.order.slice(7)])
    expect(parts[2]?.get(1)).toBe(split.order[8])
  })

  // torch.utils.data.random_split: floors of the fractions, and what is left over in turn from the first.
  test.each([
    [10, [0.7, 0.3], [7, 3]],
    [10, [1 / 3, 1 / 3, 1 / 3], [4, 3, 3]],
    [11, [1 / 3, 1 / 3, 1 / 3], [4, 4, 3]],
    [5, [0.5, 0.5], [3, 2]],
    [3, [1], [3]],
  ])('%d samples by fractions %j', (n, fractions, lengths) => {
    expect(randomSplit(numbers(n), fractions).map(({ length }) => length)).toEqual(lengths)
  })

  test.each([[[3, 3]], [[0.5, 0.6]], [[-0.5, 1.5]], [[]], [[Number.NaN, 1]]])('refuses parts %j of 10', (parts) => {
    expect(() => randomSplit(numbers(10), parts)).toThrow(expect.objectContaining({ kind: 'Argument' }))
  })
})

describe('stratifiedSplit', () => {
  test('80 / 20 of two classes', () => {
    const labels = [...Array(10).fill('cat'), ...Array(5).fill('dog')]
    const [train, test] = stratifiedSplit(numbers(15), labels, { fractions: [0.8, 0.2], seed: 1 })
    expect(train?.indices.map((i) => labels[i])).toEqual([...Array(8).fill('cat'), ...Array(4).fill('dog')])
    expect(test?.indices.map((i) => labels[i])).toEqual(['cat', 'cat', 'dog'])
  })

  test('gives every sample to one part, and each part its fraction of each class up to one sample', () => {
    const fractions = fc
      .array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 4 })
      .map((shares) => shares.map((share) => share / shares.reduce((a, b) => a + b, 0)))
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 80 }), fractions, fc.nat(), (labels, fractions, seed) => {
        const parts = stratifiedSplit(numbers(labels.length), labels, { fractions, seed })
        expect(sorted(parts.flatMap(({ indices }) => indices))).toEqual(upTo(labels.length))
        for (const [i, { indices }] of parts.entries()) {
          expect(indices).toEqual(sorted(indices))
          for (const label of new Set(labels)) {
            const wanted = (fractions[i] as number) * labels.filter((other) => other === label).length
            const got = indices.filter((index) => labels[index] === label).length
            expect(Math.abs(got - wanted)).toBeLessThan(1)
          }
        }
      }),
    )
  })

  test('small classes do not all round the same way', () => {
    // 100 classes of one sample each: a fifth of them goes to the fifth.
    const [, test] = stratifiedSplit(numbers(100), upTo(100), { fractions: [0.8, 0.2] })
    expect(test?.length).toBe(20)
  })

  test('chooses by the seed', () => {
    const choose = (seed: number) =>
      stratifiedSplit(numbers(100), Array(100).fill(0), { fractions: [0.5, 0.5], seed })[0]?.indices
    expect(choose(1)).toEqual(choose(1))
    expect(choose(1)).not.toEqual(choose(2))
  })

  test('refuses labels that are not one for each sample', () => {
    expect(() => stratifiedSplit(numbers(3), [1, 2], { fractions: [1] })).toThrow(/2 labels for 3 samples/)
    expect(() => stratifiedSplit(numbers(1), [1], { fractions: [0.8] })).toThrow(/sum to 0.8/)
  })
})
