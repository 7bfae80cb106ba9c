import { beforeAll, describe, expect, test } from 'vitest'
import {
  ConvGuidedFilter,
  FastGuidedFilter,
  GuidedFilter,
  GuidedUpsample,
  LearnedGuideFilter,
  type Module,
} from '../../lib/nn'
import { affineApply, fastGuidedFilter, guidedFilter, guidedLayer } from '../../lib/ops'
import { grad, gradcheck, onesLike, setNumThreads, type Tensor, tidy, zeros } from '../../lib/tensor'
import { largestDifference, noise } from '../support/test-op'

beforeAll(() => setNumThreads(1))

/** Noise in 0–1, float64. */
const image = (shape: readonly number[], seed = 1) => noise(shape, seed).add(1).div(2)

/** Every parameter gets a gradient from a result, and one that is not 0 everywhere. */
function reachesAll(module: Module, result: Tensor): void {
  result.mul(noise(result.shape, 9)).sum().backward()
  for (const [name, parameter] of module.namedParameters()) {
    expect(parameter.grad?.abs().max().toNumber(), name).toBeGreaterThan(0)
  }
}

describe('layers of the guided filter', () => {
  test('give what the functions give', () => {
    tidy(() => {
      const [I, p, G] = [image([2, 3, 9, 8]), image([2, 3, 9, 8], 2), image([2, 3, 17, 15], 3)]
      const options = { radius: 2, eps: 0.01, mode: 'color', edge: 'reflect' } as const
      const layer = { mode: 'color', edge: 'reflect' } as const
      expect(largestDifference(new GuidedFilter(2, 0.01, layer).forward(I, p), guidedFilter(I, p, options))).toBe(0)
      expect(
        largestDifference(
          new FastGuidedFilter(4, 0.01, 2, layer).forward(I, p),
          fastGuidedFilter(I, p, { ...options, radius: 4, subsample: 2 }),
        ),
      ).toBe(0)
      for (const smoothCoefficients of [false, true]) {
        for (const alignCorners of [false, true]) {
          const form = { smoothCoefficients, alignCorners }
          expect(
            largestDifference(
              new GuidedUpsample(2, 0.01, { ...layer, ...form }).forward(I, p, G),
              guidedLayer(I, p, G, { ...options, ...form }),
            ),
          ).toBe(0)
        }
      }
    })
  })

  test('train ε: it starts where it is told, stays positive and gets a gradient', () => {
    tidy(() => {
      for (const eps of [1e-4, 0.05, 30]) {
        const layer = new GuidedFilter(2, eps, { trainableEps: true })
        expect((layer.eps() as Tensor).toNumber() / eps).toBeCloseTo(1, 3)
      }
      const layer = new GuidedFilter(2, 0.05, { trainableEps: true })
      const [I, p] = [image([1, 1, 9, 8]).to('float32'), image([1, 1, 9, 8], 2).to('float32')]
      reachesAll(layer, layer.forward(I, p))
      const rho = layer.rho as Tensor
      const at = (value: number) => {
        const filtered = guidedFilter(I.to('float64'), p.to('float64'), { radius: 2, eps: value })
        return filtered
          .mul(noise([1, 1, 9, 8], 9))
          .sum()
          .toNumber()
      }
      // dε/dρ is the logistic function of ρ.
      const slope = ((at(0.0501) - at(0.0499)) / 2e-4) * (1 / (1 + Math.exp(-rho.toNumber())))
      expect((rho.grad as Tensor).toNumber() / slope).toBeCloseTo(1, 3)
      expect([...new GuidedFilter(2, 0.05).parameters()]).toEqual([])
    })
  })

  test.each([
    ['a radius of 0', () => new GuidedFilter(0, 0.1)],
    ['a negative ε', () => new GuidedFilter(1, -1)],
    ['ε = 0', () => new FastGuidedFilter(1, 0, 2)],
    ['ε that is no number', () => new GuidedUpsample(1, Number.NaN)],
    ['ε too small to be trained', () => new GuidedFilter(1, 1e-8, { trainableEps: true })],
    ['a subsample of 0', () => new FastGuidedFilter(1, 0.1, 0)],
    ['another mode', () => new GuidedFilter(1, 0.1, { mode: 'rgb' as never })],
    ['another edge', () => new GuidedFilter(1, 0.1, { edge: 'zero' as never })],
    ['a convolutional radius of 0', () => new ConvGuidedFilter(0)],
  ] as const)('refuse %s', (_, make) => {
    expect(() => tidy(() => void make())).toThrow(expect.objectContaining({ name: 'ArgumentError' }))
  })
})

describe('T2 and check 12: the convolutional layer', () => {
  test('windows of ones are nine taps, radius apart, divided by those inside the image', () => {
    tidy(() => {
      for (const radius of [1, 3]) {
        const filter = new ConvGuidedFilter(radius)
        filter.to('float64')
        const x = image([1, 3, 7, 8])
        const values = x.toArray() as number[][][][]
        const expected = zeros([1, 3, 7, 8], { dtype: 'float64' })
        for (let c = 0; c < 3; c++) {
          for (let y = 0; y < 7; y++) {
            for (let k = 0; k < 8; k++) {
              const taps = [-radius, 0, radius].flatMap((dy) =>
                [-radius, 0, radius].flatMap((dx) => values[0]?.[c]?.[y + dy]?.[k + dx] ?? []),
              )
              expected.at(0, c, y, k).fill_(taps.reduce((a, b) => a + b, 0) / taps.length)
            }
          }
        }
        expect(largestDifference(filter.mean(x), expected)).toBeLessThan(1e-12)
      }
    })
  })

  test('the mean of ones is one, whatever the weights', () => {
    tidy(() => {
      const filter = new ConvGuidedFilter(2)
      filter.to('float64')
      const x = image([1, 3, 7, 8])
      filter.boxFilter.weight.detach().copy_(image([3, 1, 3, 3], 5).add(0.1))
      expect(largestDifference(filter.mean(onesLike(x)), onesLike(x))).toBeLessThan(1e-12)
    })
  })

  test('maps small images to the size of the large guide, with gradients for every weight and input', () => {
    tidy(() => {
      const filter = new ConvGuidedFilter(1)
      filter.to('float64')
      const inputs = [image([2, 3, 5, 4], 1), image([2, 3, 5, 4], 2), image([2, 3, 9, 7], 3)] as const
      const result = filter.forward(...inputs)
      expect(result.shape).toEqual([2, 3, 9, 7])
      reachesAll(filter, result)
      filter.eval()
      const given = inputs.map((t) => t.detach().clone().requiresGrad_())
      gradcheck((low, p, high) => [filter.forward(low as Tensor, p as Tensor, high as Tensor)], given, { atol: 1e-7 })
    })
  })
})

describe('T2g: the learned guide', () => {
  test('is made by the same weights for both sizes, and then filtered channel by channel', () => {
    tidy(() => {
      const filter = new LearnedGuideFilter(1, 0.01)
      filter.to('float64')
      filter.eval()
      const [low, p, high] = [image([1, 3, 5, 4], 1), image([1, 3, 5, 4], 2), image([1, 3, 9, 7], 3)] as const
      const expected = guidedLayer(filter.guidedMap.forward(low), p, filter.guidedMap.forward(high), {
        radius: 1,
        eps: 0.01,
        mode: 'perChannel',
      })
      expect(largestDifference(filter.forward(low, p, high), expected)).toBe(0)
      expect(expected.shape).toEqual([1, 3, 9, 7])
    })
  })

  test('gets gradients for every weight and input', () => {
    tidy(() => {
      const filter = new LearnedGuideFilter(1, 0.01)
      filter.to('float64')
      const [low, p, high] = [image([2, 3, 5, 4], 1), image([2, 3, 5, 4], 2), image([2, 3, 9, 7], 3)] as const
      reachesAll(filter, filter.forward(low, p, high))
      filter.eval()
      const given = [low, p, high].map((t) => t.narrow(0, 0, 1).detach().clone().requiresGrad_())
      gradcheck((a, b, c) => [filter.forward(a as Tensor, b as Tensor, c as Tensor)], given, { atol: 1e-7 })
    })
  })
})

describe('T3: coefficients from a network', () => {
  test('q = a⊙G + b, with the gradients g⊙G, g and g⊙a', () => {
    tidy(() => {
      const [a, b, G] = [1, 2, 3].map((seed) => image([2, 3, 4, 5], seed).requiresGrad_()) as [Tensor, Tensor, Tensor]
      const g = noise([2, 3, 4, 5], 4)
      const q = affineApply(a, b, G)
      expect(largestDifference(q, a.detach().mul(G.detach()).add(b.detach()))).toBeLessThan(1e-15)
      const [ga, gb, gG] = grad([q], [a, b, G], { gradOutputs: [g] }) as [Tensor, Tensor, Tensor]
      expect(largestDifference(ga, g.mul(G.detach()))).toBeLessThan(1e-15)
      expect(largestDifference(gb, g)).toBe(0)
      expect(largestDifference(gG, g.mul(a.detach()))).toBeLessThan(1e-15)
    })
  })
})
