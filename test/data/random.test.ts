import { describe, expect, test } from 'vitest'
import { philox, RandomStream, Stream, sampleSeed } from '../../lib/data/random'
import { order as fixture } from '../support/data/order'

describe('philox', () => {
  // The known answers that its authors publish with Random123.
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [Array(4).fill(0xffffffff), Array(2).fill(0xffffffff), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('of counter %j and key %j', (counter, key, words) => {
    expect(philox(counter as never, key as never)).toEqual(words)
  })
})

test.each(fixture.permutations)('permutation of $n, seed $seed, epoch $epoch', ({ n, seed, epoch, order }) => {
  expect(new RandomStream(seed, epoch, Stream.Order).permutation(n)).toEqual(order)
})

test.each(fixture.replacement)('numbers below $n, seed $seed', ({ n, seed, order }) => {
  const random = new RandomStream(seed, 0, Stream.Order)
  expect(order.map(() => random.below(n))).toEqual(order)
})

test.each(fixture.uniforms)('uniform numbers of seed $seed', ({ seed, values }) => {
  const random = new RandomStream(seed, 3, Stream.Order)
  expect(values.map(() => random.uniform())).toEqual(values)
})

test.each(fixture.sampleSeeds)('seed of sample $index, seed $seed, epoch $epoch', ({ seed, epoch, index, value }) => {
  expect(sampleSeed(seed, epoch, index)).toBe(value)
})

test('parts of a stream have samples of different seeds', () => {
  const seeds = [0, 1, 2].flatMap((part) => [0, 1, 2].map((index) => sampleSeed(1, 0, index, part)))
  expect(new Set(seeds).size).toBe(9)
})

test('numbers below 3 · 2^30 come from words that are drawn again past the last multiple', () => {
  const random = new RandomStream(1, 0, Stream.Order)
  const counts = [0, 0, 0]
  for (let i = 0; i < 3000; i++) {
    const third = Math.floor(random.below(3 * 2 ** 30) / 2 ** 30)
    counts[third] = (counts[third] as number) + 1
  }
  // Without drawing again the first third would come half the time: 1,500, 31 standard deviations off.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(3000 * (1 / 3) * (2 / 3)))
})

test.each([1.5, Number.NaN, 2 ** 53])('seed %d is refused', (seed) => {
  expect(() => new RandomStream(seed, 0, Stream.Order)).toThrow(/seed/)
})
