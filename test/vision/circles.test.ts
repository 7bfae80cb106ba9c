// Texture taken away, and circles found by their edges.
import { describe, expect, test } from 'vitest'
import { arange, linalgSolve, manualSeed, randn, stack, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { circleVotes, gaussianFilter, relativeTotalVariation } from '../../lib/vision'

const float64 = { dtype: 'float64' } as const

describe('relativeTotalVariation', () => {
  test('a round solves (1 + λ/2 L) S = I', () =>
    tidy(() => {
      manualSeed(1)
      const [height, width] = [5, 6]
      const image = randn([height, width], float64).mul(0.1).add(0.5)
      const [smoothness, sigma] = [0.03, 1]
      const pixels = (image.toArray() as number[][]).map((row) => [...row])
      const solved = relativeTotalVariation(image, { smoothness, scale: sigma, iterations: 1, solverSteps: 60 })
      // The matrix by its definition: a spring from each pixel to the next one, as strong as its weight.
      const taps = Array.from(
        { length: 2 * Math.floor(4 * sigma + 0.5) + 1 },
        (_, i) => i - Math.floor(4 * sigma + 0.5),
      )
      const smooth = (map: number[][]) =>
        map.map((row, y) =>
          row.map((_, x) => {
            let [sum, share] = [0, 0]
            for (const dy of taps) {
              for (const dx of taps) {
                const value = map[y + dy]?.[x + dx]
                if (value === undefined) continue
                const weight = Math.exp(-0.5 * ((dx / sigma) ** 2 + (dy / sigma) ** 2))
                sum += weight * value
                share += weight
              }
            }
            return sum / share
          }),
        )
      const size = height * width
      const matrix = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)))
      for (const [dy, dx] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const difference = pixels.map((row, y) => row.map((value, x) => (pixels[y + dy]?.[x + dx] ?? value) - value))
        const windowed = smooth(smooth(difference).map((row) => row.map((value) => 1 / (Math.abs(value) + 1e-3))))
        for (let y = 0; y + dy < height; y++) {
          for (let x = 0; x + dx < width; x++) {
            const strength = (windowed[y]?.[x] ?? 0) / (Math.abs(difference[y]?.[x] ?? 0) + 0.02)
            const [a, b] = [y * width + x, (y + dy) * width + x + dx]
            const weight = (smoothness / 2) * strength
            for (const [i, j, sign] of [
              [a, a, 1],
              [b, b, 1],
              [a, b, -1],
              [b, a, -1],
            ] as const) {
              const row = matrix[i] as number[]
              row[j] = (row[j] ?? 0) + sign * weight
            }
          }
        }
      }
      const expected = linalgSolve(tensor(matrix, float64), image.reshape([size, 1])).reshape([height, width])
      expect(solved.sub(expected).abs().max().item()).toBeLessThan(1e-9)
    }))

  test('a stripe keeps its edges and loses its texture', () =>
    tidy(() => {
      const x = arange(48)
      const y = arange(32).unsqueeze(1)
      const structure = x.ge(24).to('float32').mul(0.5).add(0.25).expand([32, 48])
      const texture = x.add(y).remainder(2).mul(0.1).sub(0.05)
      const smooth = relativeTotalVariation(structure.add(texture))
      const inside = (from: number) => smooth.narrow(0, 8, 16).narrow(1, from, 8)
      for (const from of [6, 34]) expect(inside(from).max().sub(inside(from).min()).item()).toBeLessThan(0.02)
      const step = smooth.select(1, 28).mean().sub(smooth.select(1, 19).mean()).item() as number
      expect(step).toBeGreaterThan(0.4)
    }))

  test('refuses what is no plane', () => {
    expect(() => tidy(() => relativeTotalVariation(zeros([3, 4, 4])))).toThrow(/must be \[H, W\]/)
    expect(() => tidy(() => relativeTotalVariation(zeros([4, 4]), { smoothness: 0 }))).toThrow(/above 0/)
  })
})

describe('circleVotes', () => {
  const gradients = (sign: 1 | -1): [Tensor, Tensor] => {
    const distance = arange(60).sub(33).square().add(arange(50).sub(20).square().unsqueeze(1)).sqrt()
    const disc = distance
      .gt(12)
      .to('float32')
      .mul(0.6 * sign)
      .unsqueeze(0)
    const soft = gaussianFilter(disc, { sigma: 1, edge: 'replicate' })
    const of = (order: readonly [0 | 1, 0 | 1]) =>
      gaussianFilter(soft, { sigma: 1, edge: 'replicate', order }).squeeze(0)
    return [of([1, 0]), of([0, 1])]
  }
  const radii = [8, 10, 12, 14]
  const peak = (votes: Tensor) => {
    const [, height = 0, width = 0] = votes.shape
    const at = votes.flatten().argmax().toNumber()
    return [radii[Math.floor(at / (height * width))], Math.floor((at % (height * width)) / width), at % width]
  }

  test('a dark disc has most votes at its middle, for its radius', () =>
    tidy(() => {
      const [down, across] = gradients(1)
      expect(peak(gaussianFilter(circleVotes(down, across, { radii }), { sigma: 1 }))).toEqual([12, 20, 33])
    }))

  test('a bright one has them when gradients are negated', () =>
    tidy(() => {
      const [down, across] = gradients(-1)
      const votes = circleVotes(down.neg(), across.neg(), { radii })
      expect(peak(gaussianFilter(votes, { sigma: 1 }))).toEqual([12, 20, 33])
    }))

  test('a pixel votes against its gradient; votes that leave the picture are lost', () =>
    tidy(() => {
      const [down, across] = [zeros([9, 9]), zeros([9, 9])]
      // Grey rises to the right and down at (4, 4), and to the left at (4, 7), whose middle lies outside.
      down.select(0, 4).narrow(0, 4, 1).fill_(3)
      across.select(0, 4).narrow(0, 4, 1).fill_(4)
      across.select(0, 4).narrow(0, 7, 1).fill_(-2)
      const votes = circleVotes(down, across, { radii: [5] }).squeeze(0)
      expect(votes.select(0, 1).select(0, 0).item()).toBe(5)
      expect(votes.sum().item()).toBe(5)
      const counts = circleVotes(down, across, { radii: [1, 5], weight: stack([across, down]) })
      expect(counts.shape).toEqual([2, 2, 9, 9])
      expect(counts.select(0, 0).select(0, 1).select(0, 1).select(0, 0).item()).toBe(4)
      expect(counts.select(0, 1).select(0, 1).select(0, 1).select(0, 0).item()).toBe(3)
    }))

  test('refuses radii and weights that do not go', () =>
    tidy(() => {
      const plane = zeros([4, 5])
      expect(() => circleVotes(plane, plane, { radii: [] })).toThrow(/at least one/)
      expect(() => circleVotes(plane, plane, { radii: [-1] })).toThrow(/above 0/)
      expect(() => circleVotes(plane, zeros([5, 4]), { radii: [1] })).toThrow(/both must be/)
      expect(() => circleVotes(plane, plane, { radii: [1], weight: zeros([5, 4]) })).toThrow(/weights are/)
    }))
})
