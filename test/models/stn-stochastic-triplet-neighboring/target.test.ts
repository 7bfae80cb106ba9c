import { describe, expect, test } from 'vitest'
import {
  drawMixing,
  mixNeighbours,
  stnTarget,
} from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { stnLoss } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/loss'
import { arange, full, Generator, manualSeed, rand, randn, type Tensor, tensor, tidy, zeros } from '../../../lib/tensor'
import { drawNeighbourPatterns, neighbourTriplet } from '../../../lib/vision'

const PAPER = { low: 1, high: 2 }
const RANGES = [
  { low: 1, high: 2 },
  { low: 0, high: 1 },
  { low: -1, high: 0 },
  { low: -2, high: -1 },
  { low: -3, high: -2 },
]
const list = (t: Tensor): number[] => Array.from(t.to('float64').flatten().dataSync() as Float64Array)
const normal = (shape: number[], seed: number): Tensor => {
  using generator = new Generator(seed)
  return randn(shape, { generator })
}

describe('patterns', () => {
  test('1. are drawn alike often, and y2, y3 lie beside y1 and not beside each other', () => {
    tidy(() => {
      const patterns = drawNeighbourPatterns(1, 2000, 2000, { seed: 5, iteration: 3 })
      const counts = list(patterns.flatten().to('int64').bincount({ minlength: 8 }))
      expect(counts.length).toBe(8)
      for (const count of counts) expect(Math.abs(count / 1e6 - 1 / 8)).toBeLessThan(0.002)

      const rows = arange(2000).reshape([1, 1, 2000, 1]).expand([1, 1, 2000, 2000])
      const [y1, y2, y3] = neighbourTriplet(rows, patterns)
      const [x1, x2, x3] = neighbourTriplet(rows.transpose(2, 3), patterns)
      const apart = (a: Tensor, b: Tensor, c: Tensor, d: Tensor) => a.sub(b).abs().add(c.sub(d).abs())
      for (const distance of [apart(y1, y2, x1, x2), apart(y1, y3, x1, x3)]) {
        expect([distance.min().toNumber(), distance.max().toNumber()]).toEqual([1, 1])
      }
      expect(apart(y2, y3, x2, x3).min().toNumber()).toBe(2)
    })
  })

  test('S4. of two steps, two images and two neighbouring cells are independent, as are weights', () => {
    tidy(() => {
      const first = drawNeighbourPatterns(2, 2000, 1000, { seed: 1, iteration: 1 })
      const second = drawNeighbourPatterns(2, 2000, 1000, { seed: 1, iteration: 2 })
      const share = (a: Tensor, b: Tensor) => a.eq(b).to('float64').mean().toNumber()
      expect(Math.abs(share(first, second) - 1 / 8)).toBeLessThan(0.002)
      expect(Math.abs(share(first.select(0, 0), first.select(0, 1)) - 1 / 8)).toBeLessThan(0.002)
      expect(Math.abs(share(first.narrow(2, 0, 499), first.narrow(2, 1, 499)) - 1 / 8)).toBeLessThan(0.002)

      const alpha = drawMixing([2, 4, 1000, 500], PAPER, { seed: 1, iteration: 1 })
      const columns = [...alpha.unbind({ dim: 1 }), first.to('float32')].map((x) => x.flatten().to('float64'))
      for (const [i, a] of columns.entries()) {
        for (const b of columns.slice(i + 1)) {
          const [x, y] = [a.sub(a.mean()), b.sub(b.mean())]
          const correlation = x.mul(y).mean().div(x.square().mean().mul(y.square().mean()).sqrt())
          expect(Math.abs(correlation.toNumber())).toBeLessThan(0.005)
        }
      }
    })
  })
})

describe('mixing weights', () => {
  test('of seed 7 are those of an independent implementation', () => {
    tidy(() => {
      const alpha = list(drawMixing([1, 3, 2, 3], PAPER, { seed: 7, iteration: 1 }).select(1, 0))
      for (const [i, expected] of [1.1717353, 1.8498386, 1.6617414].entries()) expect(alpha[i]).toBeCloseTo(expected, 6)
    })
  })

  test('are one for all channels when they are to be', () => {
    tidy(() => {
      const [a, b, c] = drawMixing([1, 3, 2, 2], { ...PAPER, shared: true }, { seed: 7, iteration: 1 }).unbind({
        dim: 1,
      })
      expect(list(a as Tensor)).toEqual(list(b as Tensor))
      expect(list(a as Tensor)).toEqual(list(c as Tensor))
      const free = drawMixing([1, 3, 2, 2], PAPER, { seed: 7, iteration: 1 }).unbind({ dim: 1 })
      expect(list(free[0] as Tensor)).not.toEqual(list(free[1] as Tensor))
    })
  })

  test('4. give the same mixture bit for bit when neighbours and weights are exchanged', () => {
    tidy(() => {
      const [y2, y3] = [normal([1, 3, 64, 64], 1), normal([1, 3, 64, 64], 2)]
      for (const mixing of RANGES) {
        const alpha = drawMixing([1, 3, 64, 64], mixing, { seed: 2, iteration: 1 })
        const other = alpha.neg().add(1)
        const difference = mixNeighbours(y2, y3, alpha)
          .sub(mixNeighbours(y3, y2, other))
          .abs()
          .max()
          .toNumber()
        expect(difference).toBeLessThanOrEqual(mixing.low === 1 || mixing.low === 0 ? 0 : 1e-6)
      }
    })
  })

  for (const [mixing, expected] of [
    [{ low: 1, high: 2 }, 8 / 3],
    [{ low: 0, high: 1 }, 2 / 3],
  ] as const) {
    test(`3. of [${mixing.low}, ${mixing.high}] keep the mean, and multiply the noise's variance`, () => {
      tidy(() => {
        const flat = full([1, 3, 1024, 1024], 0.4, { dtype: 'float64' })
        const noisy = flat.add(normal([1, 3, 1024, 1024], 3).to('float64').mul(0.1))
        const { mixed } = stnTarget(noisy, noisy, mixing, { seed: 4, iteration: 1 })
        expect(mixed.numel).toBeGreaterThan(700_000)
        expect(mixed.mean().toNumber()).toBeCloseTo(0.4, 3)
        const variance = mixed.sub(0.4).square().mean().toNumber() / 0.01
        expect(Math.abs(variance / expected - 1)).toBeLessThan(0.01)
      })
    })
  }
})

/** The same by loops over pixels in double precision. */
function naive(noisy: number[], denoised: number[], codes: number[], alpha: number[], side: number) {
  const cells = side / 2
  const out = { first: [] as number[], mixed: [] as number[], gap: [] as number[] }
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j < cells; j++) {
        const k = codes[i * cells + j] as number
        const a = k >> 1
        const h = (k & 1) ^ (a >> 1)
        const at = (values: number[], pixel: number) =>
          values[(channel * side + 2 * i + (pixel >> 1)) * side + 2 * j + (pixel & 1)] as number
        const weight = alpha[(channel * cells + i) * cells + j] as number
        const mix = (values: number[]) => {
          const [b, c] = [
            Math.fround(weight * at(values, a ^ (1 << h))),
            Math.fround(Math.fround(1 - weight) * at(values, a ^ (2 >> h))),
          ]
          return Math.fround(b + c)
        }
        out.first.push(at(noisy, a))
        out.mixed.push(mix(noisy))
        out.gap.push(Math.fround(at(denoised, a) - mix(denoised)))
      }
    }
  }
  return out
}

describe('the target', () => {
  test('2. is that of loops over pixels, products rounded before they are added', () => {
    tidy(() => {
      const [noisy, denoised] = [normal([1, 3, 16, 16], 5), normal([1, 3, 16, 16], 6)]
      const key = { seed: 11, iteration: 9 }
      const { first, mixed, gap } = stnTarget(noisy, denoised, PAPER, key)
      const codes = list(drawNeighbourPatterns(1, 16, 16, key))
      const alpha = list(drawMixing([1, 3, 8, 8], PAPER, key))
      expect({ first: list(first), mixed: list(mixed), gap: list(gap) }).toEqual(
        naive(list(noisy), list(denoised), codes, alpha, 16),
      )
    })
  })

  test('6. with a weight of 1 is Neighbor2Neighbor’s', () => {
    tidy(() => {
      const [noisy, denoised] = [rand([2, 3, 32, 32]), rand([2, 3, 32, 32])]
      const key = { seed: 1, iteration: 1 }
      const { first, mixed, gap } = stnTarget(noisy, denoised, { low: 1, high: 1 }, key)
      const patterns = drawNeighbourPatterns(2, 32, 32, key)
      const [y1, y2] = neighbourTriplet(noisy, patterns)
      const [r1, r2] = neighbourTriplet(denoised, patterns)
      const output = first.mul(0.7)
      const error = output.sub(y2)
      const expected = error
        .square()
        .mean()
        .add(error.sub(r1.sub(r2)).square().mean().mul(1.5))
        .toNumber()
      expect(list(first)).toEqual(list(y1))
      expect(Math.abs(stnLoss(output, mixed, gap, 1.5).loss.toNumber() - expected)).toBeLessThan(1e-7)
    })
  })

  test('S1. of a network that does nothing has no regularisation, and the reconstruction that theory says', () => {
    tidy(() => {
      const noisy = normal([1, 1, 2048, 2048], 7).to('float64').mul(0.1).add(0.5)
      const expected = [11 / 3, 5 / 3, 11 / 3, 29 / 3, 59 / 3]
      for (const [i, mixing] of RANGES.entries()) {
        const { first, mixed, gap } = stnTarget(noisy, noisy, mixing, { seed: 3, iteration: 1 })
        const { reconstruction, regularisation } = stnLoss(first, mixed, gap, 1)
        expect(regularisation.toNumber()).toBe(0)
        expect(Math.abs(reconstruction.toNumber() / 0.01 / (expected[i] as number) - 1)).toBeLessThan(0.01)
      }
    })
  })

  test('S2. of a ramp without noise costs what its slopes say', () => {
    tidy(() => {
      const [a, b] = [3 / 255, 5 / 255]
      const x = arange(512, { dtype: 'float64' })
      const ramp = x
        .mul(a)
        .reshape([1, 1, 1, 512])
        .add(x.mul(b).reshape([1, 1, 512, 1]))
      const { first, mixed, gap } = stnTarget(ramp, ramp, PAPER, { seed: 1, iteration: 1 })
      const { reconstruction, regularisation } = stnLoss(first, mixed, gap, 1)
      expect(regularisation.toNumber()).toBeLessThan(1e-25)
      expect(Math.abs(reconstruction.toNumber() / ((4 / 3) * (a * a + b * b)) - 1)).toBeLessThan(0.02)
    })
  })

  test('S3. has the expected gradient of Neighbor2Neighbor for every range, and variances as 3 : 1 : 13 : 13 : 49 : 109', () => {
    tidy(() => {
      manualSeed(5)
      const [y2, y3, r1, r2, r3, output] = Array.from({ length: 6 }, () => rand([64], { dtype: 'float64' })) as Tensor[]
      const draws = 40_000
      const weight = 1.3
      using generator = new Generator(1)
      const swap = rand([draws, 1], { generator, dtype: 'float64' }).lt(0.5)
      const between = (one: Tensor, other: Tensor) =>
        [one.where(swap, other), other.where(swap, one)] as [Tensor, Tensor]
      const [b, c] = between(y2 as Tensor, y3 as Tensor)
      const [rb, rc] = between(r2 as Tensor, r3 as Tensor)
      const middle = y2?.add(y3 as Tensor).div(2) as Tensor
      const middleR = r2?.add(r3 as Tensor).div(2) as Tensor
      const gradient = (mixed: Tensor, gap: Tensor) =>
        (output as Tensor)
          .sub(mixed)
          .mul(1 + weight)
          .sub(gap.mul(weight))
          .mul(2 / 64)
      const expected = gradient(middle, (r1 as Tensor).sub(middleR))
      const variances = [{ low: 1, high: 1 }, { low: 0, high: 1 }, ...RANGES.filter(({ low }) => low !== 0)].map(
        (mixing) => {
          const alpha = rand([draws, 64], { generator, dtype: 'float64' })
            .mul(mixing.high - mixing.low)
            .add(mixing.low)
          const drawn = gradient(mixNeighbours(b, c, alpha), (r1 as Tensor).sub(mixNeighbours(rb, rc, alpha)))
          const mean = drawn.mean({ dim: [0] })
          const spread = drawn.sub(expected).square().mean().toNumber()
          // Within five standard errors of the mean of all draws.
          expect(mean.sub(expected).square().mean().toNumber()).toBeLessThan((25 * spread) / draws)
          return spread
        },
      )
      const [nb2nb = 0] = variances
      const ratios = variances.map((variance) => (3 * variance) / nb2nb)
      const wanted = [3, 1, 13, 13, 49, 109]
      for (const [i, ratio] of ratios.entries()) expect(Math.abs(ratio / (wanted[i] as number) - 1)).toBeLessThan(0.03)
    })
  })

  test('records nothing for backward', () => {
    tidy(() => {
      const denoised = zeros([1, 3, 8, 8], { requiresGrad: true })
      const { gap } = stnTarget(tensor([1]).expand([1, 3, 8, 8]), denoised, PAPER, { seed: 1, iteration: 1 })
      expect(gap.requiresGrad).toBe(false)
    })
  })
})
