import { describe, expect, test } from 'vitest'
import { philox } from '../../lib/data/random'
import { capture, full, scalarTensor, type Tensor, tensor, tidy, tidyAsync } from '../../lib/tensor'
import { counterRandom, drawNeighbourPatterns, neighbourPair, neighbourTriplet, uniformOf } from '../../lib/vision'

const list = (t: Tensor): number[] => Array.from(t.to('float64').flatten().dataSync() as Float64Array)

describe('counterRandom', () => {
  test('gives the published words of Philox4x32-10 for zero key and counter', () => {
    tidy(() => {
      const words = counterRandom([1], { seed: 0, iteration: 0 }).map((word) => word.toNumber())
      expect(words).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
    })
  })

  test('counts places, groups and steps, with both words of the seed', () => {
    tidy(() => {
      const seed = 2 ** 40 * 5 + 123456789
      const words = counterRandom([2, 3], { seed, iteration: 4_000_000_000 }, 2).map(list)
      for (let place = 0; place < 6; place++) {
        const expected = philox([place, 2, 4_000_000_000, 0], [seed >>> 0, Math.floor(seed / 2 ** 32)])
        expect(words.map((word) => word[place])).toEqual(expected)
      }
    })
  })

  test('makes fractions of the upper 24 bits', () => {
    tidy(() => {
      const words = tensor([0, 255, 256, 2 ** 32 - 1], { dtype: 'int64' })
      expect(list(uniformOf(words))).toEqual([0, 0, 2 ** -24, 1 - 2 ** -24])
    })
  })
})

describe('drawNeighbourPatterns', () => {
  test('of seed 7 are those of an independent implementation', () => {
    tidy(() => {
      expect(list(drawNeighbourPatterns(1, 4, 6, { seed: 7, iteration: 1 }))).toEqual([3, 7, 2, 2, 1, 4])
    })
  })

  test('are drawn anew by a captured graph that is told the step', async () => {
    await tidyAsync(async () => {
      const draw = capture((iteration: Tensor) => drawNeighbourPatterns(1, 8, 8, { seed: 3, iteration }))
      for (const iteration of [1, 2, 3]) {
        const drawn = await draw(scalarTensor(iteration, { dtype: 'int64' }))
        expect(list(drawn)).toEqual(list(drawNeighbourPatterns(1, 8, 8, { seed: 3, iteration })))
      }
      draw.dispose()
    })
  })

  test('refuse images without a cell', () => {
    expect(() => drawNeighbourPatterns(1, 1, 6, { seed: 7, iteration: 1 })).toThrow(/1 × 6 pixels hold no cell/)
  })
})

describe('sub-images', () => {
  // 4 × 5 with values row · 10 + column; the last column belongs to no cell.
  const ramp = () =>
    tensor([0, 1, 2, 3].map((row) => [0, 1, 2, 3, 4].map((column) => row * 10 + column))).reshape([1, 1, 4, 5])
  const expected = [
    { first: [0, 2, 20, 22], second: [1, 3, 21, 23], third: [10, 12, 30, 32] },
    { first: [0, 2, 20, 22], second: [10, 12, 30, 32], third: [1, 3, 21, 23] },
    { first: [1, 3, 21, 23], second: [0, 2, 20, 22], third: [11, 13, 31, 33] },
    { first: [1, 3, 21, 23], second: [11, 13, 31, 33], third: [0, 2, 20, 22] },
    { first: [10, 12, 30, 32], second: [0, 2, 20, 22], third: [11, 13, 31, 33] },
    { first: [10, 12, 30, 32], second: [11, 13, 31, 33], third: [0, 2, 20, 22] },
    { first: [11, 13, 31, 33], second: [1, 3, 21, 23], third: [10, 12, 30, 32] },
    { first: [11, 13, 31, 33], second: [10, 12, 30, 32], third: [1, 3, 21, 23] },
  ]

  for (const [code, images] of expected.entries()) {
    test(`of pattern ${code} hold the pixels written by hand`, () => {
      tidy(() => {
        const patterns = full([1, 2, 2], code, { dtype: 'uint8' })
        const [first, second, third] = neighbourTriplet(ramp(), patterns)
        expect(first.shape).toEqual([1, 1, 2, 2])
        expect({ first: list(first), second: list(second), third: list(third) }).toEqual(images)
        expect(neighbourPair(ramp(), patterns).map(list)).toEqual([images.first, images.second])
      })
    })
  }

  test('cut channels alike and images of a batch each by its own', () => {
    tidy(() => {
      const images = tensor(Array.from({ length: 16 }, (_, i) => i)).reshape([2, 2, 2, 2])
      const patterns = tensor([2, 7], { dtype: 'uint8' }).reshape([2, 1, 1])
      expect(neighbourTriplet(images, patterns).map(list)).toEqual([
        [1, 5, 11, 15],
        [0, 4, 10, 14],
        [3, 7, 9, 13],
      ])
    })
  })

  test('pass gradients to the pixels they took', () => {
    tidy(() => {
      const images = full([1, 1, 2, 2], 1, { requiresGrad: true })
      const [first, second] = neighbourPair(images, full([1, 1, 1], 4, { dtype: 'uint8' }))
      first.mul(2).add(second.mul(3)).sum().backward()
      expect(list(images.grad as Tensor)).toEqual([3, 0, 2, 0])
    })
  })

  test('refuse patterns of other images', () => {
    tidy(() => {
      expect(() => neighbourPair(ramp(), full([1, 2, 3], 0, { dtype: 'uint8' }))).toThrow(/must be \[1, 2, 2\]/)
      expect(() => neighbourPair(full([3, 4, 4], 0), full([1, 2, 2], 0))).toThrow(/\[B, C, H, W\]/)
    })
  })
})
