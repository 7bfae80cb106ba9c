import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  affineApply,
  fastGuidedFilter,
  type GuidedMode,
  type GuidedOptions,
  guidedApply,
  guidedCoefficients,
  guidedFilter,
  guidedFilterAsync,
  guidedLayer,
} from '../../lib/ops'
import {
  avgPool2d,
  call,
  cat,
  getNumThreads,
  grad,
  gradcheck,
  linspace,
  manualSeed,
  rand,
  randn,
  setNumThreads,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'
import { slowApply, slowCoefficients, slowFilter, slowMean } from '../support/guided-reference'
import { bytesOf, largestDifference, noise, type OpCase, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const EDGES = ['clip', 'reflect'] as const
const MODES: readonly GuidedMode[] = ['gray', 'perChannel', 'color']
const guidesOf = (mode: GuidedMode, channels: number) => ({ gray: 1, perChannel: channels, color: 3 })[mode]
/** Noise in 0–1. */
const image = (shape: readonly number[], seed = 1) => noise(shape, seed).add(1).div(2)
const largest = (t: Tensor) => t.abs().max().toNumber()
const upsampled = (c: Tensor, height: number, width: number, alignCorners: boolean) => {
  const [batch, channels, fields] = [c.size(0), c.size(1), c.size(2)]
  const planes = c.reshape([batch, channels * fields, c.size(3), c.size(4)])
  const fine = call('aten::upsample_bilinear2d', [planes, [height, width], alignCorners]) as Tensor
  return fine.reshape([batch, channels, fields, height, width])
}
const psnr = (a: Tensor, b: Tensor) => -10 * Math.log10(a.sub(b).pow(2).mean().toNumber())

function cases(): OpCase[] {
  return MODES.flatMap((mode) =>
    EDGES.flatMap((edge) =>
      [
        { height: 9, width: 8, radius: 2, channels: 2 },
        // More than a band and a tile.
        ...(edge === { gray: 'reflect', color: 'clip', perChannel: '' }[mode]
          ? [{ height: 66, width: 259, radius: 3, channels: 1 }]
          : []),
        { height: 4, width: 3, radius: 9, channels: 5 },
      ].map(({ height, width, radius, channels }) => {
        const options = { radius, mode, edge, eps: 0.02 }
        return {
          name: `${mode}, ${edge}, ${height}×${width}, radius ${radius}`,
          inputs: () => [
            image([1, guidesOf(mode, channels), height, width], 1),
            image([1, channels, height, width], 2),
          ],
          run: (I: Tensor, p: Tensor) => guidedFilter(I, p, options),
          reference: (I: Tensor, p: Tensor) => slowFilter(I, p, options),
          differentiable: [0, 1],
          skipGradients: width !== 8,
        }
      }),
    ),
  )
}

testOp('guided_filter', {
  tolerances: { float64: 1e-12, float32: 2e-6, float16: 1e-3, bfloat16: 8e-3 },
  gradientTolerance: 1e-8,
  cases: cases(),
})

describe('check 1: constants', () => {
  test.each(EDGES)('a constant input comes back, whatever the guide, %s', (edge) => {
    tidy(() => {
      const p = zeros([1, 1, 40, 50]).add(0.7)
      const q = guidedFilter(rand([1, 1, 40, 50]), p, { radius: 4, eps: 1e-3, edge })
      expect(largestDifference(q, p)).toBeLessThanOrEqual(1e-6)
    })
  })

  test('a constant guide and an infinite ε average twice', () => {
    tidy(() => {
      const p = image([1, 1, 30, 41], 2)
      const flat = guidedFilter(zeros([1, 1, 30, 41], { dtype: 'float64' }).add(0.3), p, { radius: 3, eps: 0.1 })
      const expected = slowMean(slowMean(p, 3, 'clip'), 3, 'clip')
      expect(largestDifference(flat, expected)).toBeLessThan(1e-13)
      expect(largestDifference(guidedFilter(image([1, 1, 30, 41]), p, { radius: 3, eps: 1e9 }), expected)).toBeLessThan(
        1e-8,
      )
    })
  })

  test('an image that guides itself comes back as ε vanishes', () => {
    tidy(() => {
      const I = image([1, 1, 30, 41])
      expect(largestDifference(guidedFilter(I, I, { radius: 2, eps: 1e-12 }), I)).toBeLessThan(1e-9)
    })
  })
})

describe('checks 2 and 3: what the filter commutes with', () => {
  test('a shift of the guide and of the input', () => {
    tidy(() => {
      // Images in 0–1, before and after.
      const [I, p] = [image([1, 1, 50, 60]).mul(0.75), image([1, 1, 50, 60], 2).mul(0.5)].map((t) =>
        t.to('float32'),
      ) as [Tensor, Tensor]
      const q = guidedFilter(I, p, { radius: 5, eps: 0.01 })
      expect(
        largestDifference(guidedFilter(I.add(0.25), p.add(0.5), { radius: 5, eps: 0.01 }), q.add(0.5)),
      ).toBeLessThan(1e-6)
    })
  })

  test('a scale of the guide with ε, and sums of inputs', () => {
    tidy(() => {
      const [I, p, other] = [image([1, 1, 20, 30]), image([1, 1, 20, 30], 2), image([1, 1, 20, 30], 3)]
      const filter = (guide: Tensor, input: Tensor, eps = 0.01) => guidedFilter(guide, input, { radius: 3, eps })
      expect(largestDifference(filter(I.mul(3), p, 0.09), filter(I, p))).toBeLessThan(1e-13)
      const joined = filter(I, p.mul(0.3).add(other))
      expect(largestDifference(joined, filter(I, p).mul(0.3).add(filter(I, other)))).toBeLessThan(1e-13)
    })
  })
})

describe('check 4: hand cases and random sizes', () => {
  test('5 × 5 with radius 1, by double loops', () => {
    tidy(() => {
      const values = (seed: number) => image([5, 5], seed).toArray() as number[][]
      const [I, p] = [values(5), values(6)]
      const at = (grid: readonly (readonly number[])[], y: number, x: number) => grid[y]?.[x] as number
      const window = (y: number, x: number) => {
        const places: [number, number][] = []
        for (let j = y - 1; j <= y + 1; j++) {
          for (let i = x - 1; i <= x + 1; i++) if (j >= 0 && j < 5 && i >= 0 && i < 5) places.push([j, i])
        }
        return places
      }
      expect([window(0, 0).length, window(0, 2).length, window(2, 2).length]).toEqual([4, 6, 9])
      const mean = (y: number, x: number, of: (j: number, i: number) => number) => {
        const places = window(y, x)
        return places.reduce((sum, [j, i]) => sum + of(j, i), 0) / places.length
      }
      const coefficients = (y: number, x: number) => {
        const mu = mean(y, x, (j, i) => at(I, j, i))
        const pi = mean(y, x, (j, i) => at(p, j, i))
        const variance = mean(y, x, (j, i) => (at(I, j, i) - mu) ** 2)
        const a = mean(y, x, (j, i) => (at(I, j, i) - mu) * (at(p, j, i) - pi)) / (variance + 0.02)
        return { a, b: pi - a * mu }
      }
      const expected = Array.from({ length: 25 }, (_, n) => {
        const [y, x] = [Math.floor(n / 5), n % 5]
        return mean(y, x, (j, i) => coefficients(j, i).a) * at(I, y, x) + mean(y, x, (j, i) => coefficients(j, i).b)
      })
      const [guide, input] = [I, p].map((grid) => tensor(grid.flat(), { shape: [1, 1, 5, 5], dtype: 'float64' }))
      const q = guidedFilter(guide as Tensor, input as Tensor, { radius: 1, eps: 0.02 })
      expect(largestDifference(q.flatten(), tensor(expected, { dtype: 'float64' }))).toBeLessThan(1e-13)
    })
  })

  test('200 random sizes, radii, modes and edges', () => {
    let state = 7
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    for (let n = 0; n < 200; n++) {
      tidy(() => {
        const [height, width] = [1 + random(70), 1 + random(90)]
        const [mode, edge] = [MODES[n % 3] as GuidedMode, EDGES[n % 2] as (typeof EDGES)[number]]
        const options = { radius: n % 4 === 0 ? 1 + random(100) : 1 + random(6), eps: 0.02, mode, edge }
        const I = image([1, guidesOf(mode, 2), height, width], n).to('float32')
        const p = image([1, 2, height, width], n + 500).to('float32')
        const expected = slowFilter(I.to('float64'), p.to('float64'), options)
        const exact = guidedFilter(I.to('float64'), p.to('float64'), options)
        expect(largestDifference(exact, expected), `${height}×${width} ${JSON.stringify(options)}`).toBeLessThan(1e-12)
        expect(largestDifference(guidedFilter(I, p, options), expected)).toBeLessThan(2e-6)
      })
    }
  })
})

describe('check 6: gradients against central differences', () => {
  const atol = 1e-8
  const inputs = (mode: GuidedMode, height: number, width: number, channels = 2) =>
    [
      image([1, guidesOf(mode, channels), height, width], 1),
      image([1, channels, height, width], 2),
      tensor(0.05, { dtype: 'float64' }),
    ].map((t) => t.requiresGrad_())

  test.each(MODES)('of guide, input and ε, %s', (mode) => {
    tidy(() => {
      for (const edge of EDGES) {
        gradcheck(
          (I, p, eps) => [guidedFilter(I as Tensor, p as Tensor, { radius: 2, eps: eps as Tensor, mode, edge })],
          inputs(mode, 9, 8),
          { atol },
        )
      }
    })
  })

  test('17 × 13 with radius 3, against the composed filter', () => {
    tidy(() => {
      for (const mode of MODES) {
        for (const edge of EDGES) {
          const [I, p, eps] = inputs(mode, 17, 13) as [Tensor, Tensor, Tensor]
          const options = { radius: 3, eps, mode, edge }
          const weights = noise([1, 2, 17, 13], 9)
          const ours = grad([guidedFilter(I, p, options)], [I, p, eps], { gradOutputs: [weights] }) as Tensor[]
          const theirs = grad([slowFilter(I, p, options)], [I, p, eps], { gradOutputs: [weights] }) as Tensor[]
          for (const [i, value] of ours.entries())
            expect(largestDifference(value, theirs[i] as Tensor)).toBeLessThan(1e-10)
        }
      }
    })
  })

  test.each([true, false])('of the fast form, averaged %s', (smoothCoefficients) => {
    tidy(() => {
      const run = (I: Tensor, p: Tensor, eps: Tensor) =>
        fastGuidedFilter(I, p, { radius: 2, eps, subsample: 2, smoothCoefficients })
      gradcheck((I, p, eps) => [run(I as Tensor, p as Tensor, eps as Tensor)], inputs('gray', 9, 8), { atol })
    })
  })

  test.each(MODES)('of the trainable layer, %s', (mode) => {
    tidy(() => {
      const high = image([1, guidesOf(mode, 2), 8, 11], 4).requiresGrad_()
      gradcheck(
        (I, p, eps, G) => [guidedLayer(I as Tensor, p as Tensor, G as Tensor, { radius: 1, eps: eps as Tensor, mode })],
        [...inputs(mode, 5, 4), high],
        { atol },
      )
    })
  })

  test('of coefficients from a network', () => {
    tidy(() => {
      const given = [1, 2, 3].map((seed) => image([1, 3, 4, 5], seed).requiresGrad_())
      gradcheck((a, b, G) => [affineApply(a as Tensor, b as Tensor, G as Tensor)], given, { atol })
      const [a, b, G] = given as [Tensor, Tensor, Tensor]
      expect(largestDifference(affineApply(a, b, G), a.mul(G).add(b))).toBeLessThan(1e-15)
    })
  })

  test('second derivatives are refused by name', () => {
    tidy(() => {
      const [I, p, eps] = inputs('gray', 5, 5) as [Tensor, Tensor, Tensor]
      const q = guidedFilter(I, p, { radius: 1, eps })
      expect(() => grad([q.sum()], [I], { createGraph: true })).toThrow(/_guided_filter_backward/)
    })
  })
})

describe('check 7: digits', () => {
  test('the variance of a flat, bright, noisy patch is within 1 %', () => {
    tidy(() => {
      manualSeed(1)
      const I = randn([1, 1, 128, 300]).mul(1e-4).add(0.9)
      const [a] = guidedCoefficients(I, I, { radius: 8, eps: 1e-8 }).unbind({ dim: 2 }) as [Tensor]
      const exact = I.to('float64')
      const centred = exact.sub(exact.mean())
      const variance = slowMean(centred.pow(2), 8, 'clip').sub(slowMean(centred, 8, 'clip').pow(2))
      // a = v/(v + ε) where an image guides itself.
      const found = a.to('float64').mul(1e-8).div(a.to('float64').neg().add(1))
      expect(largest(found.div(variance).sub(1))).toBeLessThan(0.01)
    })
  })

  test('three nearly equal guides: a is within 1e-3 at the 99.9 % quantile', () => {
    tidy(() => {
      manualSeed(2)
      const base = rand([1, 1, 90, 110])
      const I = cat(
        [0, 1, 2].map(() => base.add(randn([1, 1, 90, 110]).mul(1e-3))),
        { dim: 1 },
      )
      const p = base.pow(2).add(randn([1, 1, 90, 110]).mul(0.01))
      const options: GuidedOptions = { radius: 8, eps: 1e-4, mode: 'color' }
      const exact = guidedCoefficients(I.to('float64'), p.to('float64'), options).narrow(2, 0, 3)
      const found = guidedCoefficients(I, p, options).narrow(2, 0, 3).to('float64')
      const error = found
        .sub(exact)
        .pow(2)
        .sum({ dim: [2] })
        .sqrt()
        .div(
          exact
            .pow(2)
            .sum({ dim: [2] })
            .sqrt(),
        )
      const sorted = error.flatten().sort()[0] as Tensor
      expect(sorted.at(Math.floor(0.999 * (sorted.numel - 1))).toNumber()).toBeLessThan(1e-3)
    })
  })

  test('a float32 mean of a large image is within 1e-6', () => {
    tidy(() => {
      manualSeed(3)
      const x = rand([1, 1, 540, 3840])
      const zero = zeros([1, 1, 540, 3840])
      // With a guide of zeros b is the mean, and a is 0.
      const mean = guidedCoefficients(zero, x, { radius: 8, eps: 1 }).select(2, 1)
      const expected = guidedCoefficients(zero.to('float64'), x.to('float64'), { radius: 8, eps: 1 }).select(2, 1)
      expect(largestDifference(mean, expected)).toBeLessThan(1e-6)
    })
  })

  test('ε = 0 gives finite results and gradients where the guide is flat', () => {
    tidy(() => {
      const I = zeros([1, 1, 6, 7]).requiresGrad_()
      const q = guidedFilter(I, rand([1, 1, 6, 7]), { radius: 1, eps: 0 })
      q.sum().backward()
      expect([q, I.grad as Tensor].every((t) => t.isfinite().all().item())).toBe(true)
    })
  })
})

describe('check 8: NaN', () => {
  test('reaches two radii, and no other bands and tiles', () => {
    tidy(() => {
      const [I, p] = [rand([1, 1, 400, 900]), rand([1, 1, 400, 900])]
      const clean = guidedFilter(I, p, { radius: 3, eps: 0.01 })
      p.select(2, 200).select(2, 400).fill_(Number.NaN)
      const q = guidedFilter(I, p, { radius: 3, eps: 0.01 }).at(0, 0)
      expect(q.at(200, 400).isnan().item()).toBe(true)
      // The band of row 197 begins at 192 and its neighbour's windows reach 3 rows further; tiles are 256 wide.
      const outside = [q.narrow(0, 0, 194), q.narrow(0, 320, 80), q.narrow(1, 0, 253), q.narrow(1, 768, 132)]
      expect(outside.every((part) => !part.isnan().any().item())).toBe(true)
      expect(largestDifference(q.narrow(0, 0, 128), clean.at(0, 0).narrow(0, 0, 128))).toBe(0)
    })
  })
})

describe('check 9: the fast form and the layer', () => {
  test('equal the exact filter on a grid of the same size', () => {
    tidy(() => {
      for (const mode of MODES) {
        const [I, p] = [image([2, guidesOf(mode, 2), 20, 23]), image([2, 2, 20, 23], 2)]
        const options = { radius: 3, eps: 0.01, mode }
        const exact = guidedFilter(I, p, options)
        expect(largestDifference(fastGuidedFilter(I, p, { ...options, subsample: 1 }), exact)).toBeLessThan(1e-13)
        expect(largestDifference(guidedLayer(I, p, I, { ...options, smoothCoefficients: true }), exact)).toBeLessThan(
          1e-13,
        )
      }
    })
  })

  test('a quarter of the grid is within 40 dB on a smooth image', () => {
    tidy(() => {
      const wave = (count: number, periods: number) =>
        linspace(0, periods * 2 * Math.PI, count)
          .sin()
          .add(1)
          .div(2)
      const I = wave(256, 1).unsqueeze(1).mul(wave(256, 1)).unsqueeze(0).unsqueeze(0)
      const options = { radius: 8, eps: 0.01 }
      expect(psnr(fastGuidedFilter(I, I, { ...options, subsample: 4 }), guidedFilter(I, I, options))).toBeGreaterThan(
        40,
      )
    })
  })

  test('sizes that the factor does not divide: cells at the border are smaller', () => {
    tidy(() => {
      const [I, p] = [image([1, 1, 13, 10]), image([1, 1, 13, 10], 2)]
      const options = { radius: 6, eps: 0.01, mode: 'gray', edge: 'clip' } as const
      const shrink = (t: Tensor) => avgPool2d(t, 4, { stride: 4, ceilMode: true, countIncludePad: false })
      const low = slowCoefficients(shrink(I), shrink(p), { ...options, radius: 2, average: true })
      const high = upsampled(low, 13, 10, false)
      const expected = slowApply(high, I, 'gray')
      expect(largestDifference(fastGuidedFilter(I, p, { ...options, subsample: 4 }), expected)).toBeLessThan(1e-12)
    })
  })

  test('coefficients are sampled as LibTorch samples', () => {
    tidy(() => {
      for (const alignCorners of [true, false]) {
        const c = image([2, 3, 2, 5, 7])
        const G = image([2, 1, 13, 18], 2)
        const up = upsampled(c, 13, 18, alignCorners)
        expect(largestDifference(guidedApply(c, G, { alignCorners }), slowApply(up, G, 'gray'))).toBeLessThan(1e-13)
      }
    })
  })
})

describe('check 10: bits', () => {
  test('do not depend on the number of threads, forward and backward', () => {
    tidy(() => {
      const [I, p, eps] = [rand([1, 3, 260, 270]), rand([1, 2, 260, 270]), tensor(0.01)].map((t) =>
        t.requiresGrad_(),
      ) as [Tensor, Tensor, Tensor]
      const before = getNumThreads()
      const run = (threads: number) => {
        setNumThreads(threads)
        const q = guidedFilter(I, p, { radius: 5, eps, mode: 'color' })
        return [q, ...(grad([q], [I, p, eps], { gradOutputs: [p.detach()] }) as Tensor[])].map(bytesOf)
      }
      try {
        const one = run(1)
        for (const threads of [2, 3, 7]) {
          // Element by element the comparison of large arrays would take minutes.
          expect(run(threads).map((bytes, i) => Buffer.compare(bytes, one[i] as Uint8Array))).toEqual([0, 0, 0, 0])
        }
      } finally {
        setNumThreads(before)
      }
    })
  })
})

describe('instruction sets', () => {
  const run = (isa: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'test/support/guided-digest.ts'], {
      encoding: 'utf8',
      env: { ...process.env, VISION_NATIVE_ISA: isa },
    })

  test('all of this machine give the same bits: every mode, edge, form and gradient', () => {
    const runs = ['scalar', 'avx2', 'avx512']
      .map(run)
      .filter(({ stderr }) => !/this CPU has not all of it/.test(stderr))
    for (const { stdout, stderr } of runs) {
      expect(stdout, stderr).not.toBe('')
      expect(JSON.parse(stdout)).toEqual(JSON.parse(runs[0]?.stdout ?? ''))
    }
  })
})

describe('bad input', () => {
  const grey = () => zeros([1, 1, 6, 6])
  const options = { radius: 1, eps: 0.01 }
  test.each([
    ['a radius of 0', () => guidedFilter(grey(), grey(), { ...options, radius: 0 }), 'ArgumentError'],
    ['a negative radius', () => guidedFilter(grey(), grey(), { ...options, radius: -1 }), 'ArgumentError'],
    ['a radius beyond 32 bits', () => guidedFilter(grey(), grey(), { ...options, radius: 2 ** 31 }), 'ArgumentError'],
    ['a fraction for a radius', () => guidedFilter(grey(), grey(), { ...options, radius: 1.5 }), 'ArgumentError'],
    [
      'an infinite ε',
      () => guidedFilter(grey(), grey(), { ...options, eps: Number.POSITIVE_INFINITY }),
      'ArgumentError',
    ],
    [
      'ε of whole numbers',
      () => guidedFilter(grey(), grey(), { ...options, eps: zeros([], { dtype: 'int32' }) }),
      'DTypeError',
    ],
    ['ε as text', () => guidedFilter(grey(), grey(), { ...options, eps: '1' as never }), 'ArgumentError'],
    ['two devices', () => guidedFilter(grey().to('meta'), grey(), options), 'ArgumentError'],
    ['a negative ε', () => guidedFilter(grey(), grey(), { ...options, eps: -1 }), 'ArgumentError'],
    ['ε that is no number', () => guidedFilter(grey(), grey(), { ...options, eps: Number.NaN }), 'ArgumentError'],
    ['two ε', () => guidedFilter(grey(), grey(), { ...options, eps: zeros([2]) }), 'ShapeError'],
    ['another mode', () => guidedFilter(grey(), grey(), { ...options, mode: 'rgb' as never }), 'ArgumentError'],
    ['a colour guide in mode gray', () => guidedFilter(zeros([1, 3, 6, 6]), grey(), options), 'ShapeError'],
    ['other sizes', () => guidedFilter(zeros([1, 1, 6, 5]), grey(), options), 'ShapeError'],
    ['other batches', () => guidedFilter(zeros([2, 1, 6, 6]), grey(), options), 'ShapeError'],
    ['three dimensions', () => guidedFilter(zeros([1, 6, 6]), zeros([1, 6, 6]), options), 'ShapeError'],
    ['bytes', () => guidedFilter(grey().to('uint8'), grey().to('uint8'), options), 'DTypeError'],
    ['two element types', () => guidedFilter(grey().to('float64'), grey(), options), 'DTypeError'],
    ['a subsample of 0', () => fastGuidedFilter(grey(), grey(), { ...options, subsample: 0 }), 'ArgumentError'],
    ['coefficients of another mode', () => guidedApply(zeros([1, 1, 4, 3, 3]), grey()), 'ShapeError'],
    ['coefficients without pixels', () => guidedApply(zeros([1, 1, 2, 0, 3]), grey()), 'ShapeError'],
  ] as const)('%s', (_, run, name) => {
    expect(() => tidy(run)).toThrow(expect.objectContaining({ name }))
  })

  test('a huge radius sees the whole image', () => {
    tidy(() => {
      const [I, p] = [image([1, 1, 5, 6]), image([1, 1, 5, 6], 2)]
      const expected = guidedFilter(I, p, { radius: 6, eps: 0.01 })
      expect(largestDifference(guidedFilter(I, p, { radius: 2 ** 31 - 1, eps: 0.01 }), expected)).toBeLessThan(1e-12)
      const mirrored = guidedFilter(I, p, { radius: 2 ** 31 - 1, eps: 0.01, edge: 'reflect' })
      expect(largestDifference(mirrored, expected)).toBeLessThan(1e-6)
    })
  })

  test('an infinite pixel leaves what lies beyond its bands and tiles alone', () => {
    tidy(() => {
      const [I, p] = [rand([1, 1, 300, 40]), rand([1, 1, 300, 40])]
      const clean = guidedFilter(I, p, { radius: 2, eps: 0.01 })
      I.select(2, 10).select(2, 10).fill_(Number.POSITIVE_INFINITY)
      const spoilt = guidedFilter(I, p, { radius: 2, eps: 0.01 })
      expect(spoilt.at(0, 0, 10, 10).isfinite().item()).toBe(false)
      expect(largestDifference(spoilt.narrow(2, 130, 170), clean.narrow(2, 130, 170))).toBe(0)
    })
  })

  test.each([[[0, 1, 4, 4]], [[1, 1, 0, 4]], [[1, 1, 4, 0]]] as const)('nothing at all, [%s]', (shape) => {
    tidy(() => {
      const I = zeros([...shape]).requiresGrad_()
      const q = guidedFilter(I, I, options)
      expect(q.shape).toEqual([...shape])
      q.sum().backward()
      expect((I.grad as Tensor).shape).toEqual([...shape])
    })
  })

  test('an aborted call is cancelled', async () => {
    const signal = AbortSignal.abort()
    await expect(guidedFilterAsync(grey(), grey(), { ...options, signal })).rejects.toMatchObject({
      name: 'CancelledError',
    })
  })
})
