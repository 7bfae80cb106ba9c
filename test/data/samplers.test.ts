import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BatchSampler,
  DistributedSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from '../../lib/data'
import { order as fixture } from '../support/data/order'

const sized = (length: number) => ({ length })
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b)
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const kind = (name: string) => expect.objectContaining({ kind: name })

describe('RandomSampler', () => {
  test.each(fixture.permutations)('of $n in epoch $epoch under seed $seed', ({ n, seed, epoch, order }) => {
    const sampler = new RandomSampler(sized(n), { seed })
    sampler.setEpoch(epoch)
    expect([...sampler]).toEqual(order)
    expect([...sampler]).toEqual(order)
  })

  test('takes each sample once; more than there are begin again; fewer are the first of the order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 150 }), fc.integer(), (n, count, seed) => {
        const order = [...new RandomSampler(sized(n), { seed, numSamples: count })]
        expect(order).toHaveLength(count)
        for (let start = 0; start + n <= count; start += n) {
          expect(sorted(order.slice(start, start + n))).toEqual(upTo(n))
        }
        expect(new Set(order.slice(count - (count % n))).size).toBe(count % n)
      }),
    )
  })

  test.each(fixture.replacement)('with replacement, seed $seed', ({ n, seed, order }) => {
    expect([...new RandomSampler(sized(n), { seed, replacement: true, numSamples: order.length })]).toEqual(order)
  })

  test('refuses an empty data set and counts that are none', () => {
    expect(() => new RandomSampler(sized(0))).toThrow(/empty/)
    expect(() => new RandomSampler(sized(3), { numSamples: 0 })).toThrow(kind('Argument'))
    expect(() => new RandomSampler(sized(3), { seed: 0.5 })).toThrow(kind('Argument'))
    expect(() => new RandomSampler(sized(3)).setEpoch(-1)).toThrow(kind('Argument'))
  })
})

describe('WeightedRandomSampler', () => {
  test('with replacement draws in proportion, and never what has no weight', () => {
    const weights = [1, 0, 3, 0, 6, 0]
    const drawn = [...new WeightedRandomSampler(weights, 20_000, { seed: 2 })]
    for (const [i, weight] of weights.entries()) {
      const p = weight / 10
      const count = drawn.filter((index) => index === i).length
      expect(Math.abs(count - 20_000 * p)).toBeLessThanOrEqual(5 * Math.sqrt(20_000 * p * (1 - p)))
    }
  })

  test('without replacement draws each at most once, the first in proportion', () => {
    const firsts = [0, 0, 0]
    for (let seed = 0; seed < 3000; seed++) {
      const drawn = [...new WeightedRandomSampler([1, 2, 7, 0], 3, { seed, replacement: false })]
      expect(sorted(drawn)).toEqual([0, 1, 2])
      firsts[drawn[0] as number] = (firsts[drawn[0] as number] as number) + 1
    }
    for (const [i, p] of [0.1, 0.2, 0.7].entries()) {
      expect(Math.abs((firsts[i] as number) - 3000 * p)).toBeLessThan(5 * Math.sqrt(3000 * p * (1 - p)))
    }
  })

  test('refuses weights that are none, and more draws than weights', () => {
    expect(() => new WeightedRandomSampler([1, -1], 1)).toThrow(/weight 1 is -1/)
    expect(() => new WeightedRandomSampler([1, Number.NaN], 1)).toThrow(kind('Argument'))
    expect(() => new WeightedRandomSampler([0, 0], 1)).toThrow(/no weight is above 0/)
    expect(() => new WeightedRandomSampler([], 1)).toThrow(kind('Argument'))
    expect(() => new WeightedRandomSampler([1, 0], 2, { replacement: false })).toThrow(/only 1 weights/)
  })
})

test('SequentialSampler counts', () => {
  expect([...new SequentialSampler(sized(4))]).toEqual([0, 1, 2, 3])
  expect([...new SequentialSampler(sized(0))]).toEqual([])
})

test('SubsetRandomSampler shuffles what it is given, as the shuffle of their places', () => {
  const { order, seed, n } = fixture.permutations[0]
  const indices = upTo(n).map((i) => 100 + 3 * i)
  expect([...new SubsetRandomSampler(indices, { seed })]).toEqual(order.map((place: number) => 100 + 3 * place))
})

describe('BatchSampler', () => {
  test('cuts the order into batches, and says how many there are', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 20 }), fc.boolean(), (n, size, dropLast) => {
        const sampler = new BatchSampler(new SequentialSampler(sized(n)), size, dropLast)
        const batches = [...sampler]
        expect(batches).toHaveLength(sampler.length)
        expect(batches.flat()).toEqual(upTo(dropLast ? n - (n % size) : n))
        for (const batch of batches.slice(0, -1)) expect(batch).toHaveLength(size)
      }),
    )
  })

  test('passes the epoch on', () => {
    const inner = new RandomSampler(sized(5), { seed: 1 })
    new BatchSampler(inner, 2).setEpoch(4)
    expect(inner.epoch).toBe(4)
  })
})

describe('DistributedSampler', () => {
  test.each(fixture.distributed)('of $n for $replicas, dropLast $dropLast, as PyTorch', (expected) => {
    const { n, replicas, dropLast, parts } = expected
    for (const [rank, part] of parts.entries()) {
      const sampler = new DistributedSampler(sized(n), { numReplicas: replicas, rank, shuffle: false, dropLast })
      expect([...sampler]).toEqual(part)
      expect(sampler.length).toBe(part.length)
    }
  })

  test('shuffled, gives every process its part of one order', () => {
    const { n, seed, epoch, order } = fixture.permutations[1]
    const parts = [0, 1, 2].map((rank) => {
      const sampler = new DistributedSampler(sized(n), { numReplicas: 3, rank, seed })
      sampler.setEpoch(epoch)
      return [...sampler]
    })
    // 10 samples for 3: the first two come twice.
    const padded = [...order, order[0], order[1]]
    expect(parts).toEqual([0, 1, 2].map((rank) => padded.filter((_, i) => i % 3 === rank)))
  })

  test('takes every sample, with no more twice than there must be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (n, numReplicas, seed) => {
        const parts = upTo(numReplicas).map((rank) => [
          ...new DistributedSampler(sized(n), { numReplicas, rank, seed }),
        ])
        expect(new Set(parts.map((part) => part.length)).size).toBe(1)
        expect(sorted(new Set(parts.flat()))).toEqual(upTo(n))
        expect(parts.flat().length).toBe(Math.ceil(n / numReplicas) * numReplicas)
      }),
    )
  })

  test('takes each sample once where it does not pad', () => {
    const parts = [0, 1, 2].map((rank) => {
      const sampler = new DistributedSampler(sized(7), { numReplicas: 3, rank, shuffle: false, pad: false })
      expect([...sampler].length).toBe(sampler.length)
      return [...sampler]
    })
    expect(parts).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ])
    const none = new DistributedSampler(sized(2), { numReplicas: 3, rank: 2, pad: false })
    expect([none.length, ...none]).toEqual([0])
  })

  test('refuses a rank that is not below the number of processes', () => {
    expect(() => new DistributedSampler(sized(3), { numReplicas: 2, rank: 2 })).toThrow(/rank 2/)
    expect(() => new DistributedSampler(sized(3), { numReplicas: 0, rank: 0 })).toThrow(kind('Argument'))
  })
})
