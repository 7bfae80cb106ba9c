import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import { contentAwareUpsample, expandPyramid, poolPyramid } from '../../lib/ops'
import { grad, gradcheck, setNumThreads, type Tensor, tensor, tidy, upsampleNearest2d } from '../../lib/tensor'
import { largestDifference, noise, testOp } from '../support/test-op'
import { upsampleReference } from '../support/upsample-reference'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const cases = [
  { channels: 1, height: 1, width: 1, scale: 2, window: 5, groups: 1, border: 'zeros' },
  { channels: 3, height: 5, width: 17, scale: 1, window: 3, groups: 1, border: 'zeros' },
  { channels: 16, height: 3, width: 2, scale: 3, window: 7, groups: 2, border: 'replicate' },
  { channels: 33, height: 17, width: 5, scale: 2, window: 5, groups: 1, border: 'zeros' },
  { channels: 4, height: 2, width: 9, scale: 2, window: 1, groups: 4, border: 'replicate' },
] as const

const logitsShape = (c: { scale: number; window: number; groups: number; height: number; width: number }) => [
  1,
  c.groups * c.scale ** 2 * c.window ** 2,
  c.height,
  c.width,
]

testOp('check 4: content_aware_upsample', {
  tolerances: { float64: 1e-13, float32: 1e-5, float16: 2e-3, bfloat16: 1.6e-2 },
  cases: cases.map(({ channels, height, width, ...options }) => ({
    name: `[${channels}, ${height}, ${width}] ${JSON.stringify(options)}`,
    inputs: () => [noise([1, channels, height, width]), noise(logitsShape({ height, width, ...options }), 2).mul(3)],
    run: (features: Tensor, logits: Tensor) => contentAwareUpsample(features, logits, options),
    reference: (features: Tensor, logits: Tensor) => upsampleReference(features, logits, options),
    differentiable: [0, 1],
    skipGradients: channels * height * width > 100,
  })),
})

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
/** Logits of which tap `k` of sub-pixel `part` has all the weight. */
function oneHot(taps: readonly number[], height: number, width: number): Tensor {
  const values = new Float32Array(100 * height * width).fill(-1e4)
  for (const [part, k] of taps.entries())
    values.fill(0, (k * 4 + part) * height * width, (k * 4 + part + 1) * height * width)
  return tensor(Array.from(values), { shape: [1, 100, height, width], dtype: 'float32' })
}

test('check 1: all weight on the centre gives the nearest neighbour bit for bit', () => {
  tidy(() => {
    const features = noise([1, 3, 7, 9]).to('float32')
    const out = contentAwareUpsample(features, oneHot([12, 12, 12, 12], 7, 9))
    expect(numbers(out)).toEqual(numbers(upsampleNearest2d(features, [14, 18])))
  })
})

test('check 2: equal weights on a map of ones', () => {
  tidy(() => {
    const ones = noise([1, 1, 5, 5]).mul(0).add(1)
    const out = contentAwareUpsample(ones, noise([1, 100, 5, 5]).mul(0))
    const at = (y: number, x: number) => out.at(0, 0, y, x).toNumber()
    for (const [y, x, expected] of [
      [4, 4, 1],
      [0, 0, 0.36],
      [9, 9, 0.36],
      [0, 4, 0.6],
      [2, 2, 0.64],
    ] as const) {
      expect(at(y, x)).toBeCloseTo(expected, 12)
    }
  })
})

test('check 3: all weight on one tap moves the map, each sub-pixel by its own', () => {
  tidy(() => {
    const [height, width] = [4, 6]
    const features = noise([1, 1, height, width]).to('float32')
    const values = numbers(features)
    const taps = [0, 9, 17, 24]
    const out = numbers(contentAwareUpsample(features, oneHot(taps, height, width)))
    for (let y = 0; y < 2 * height; y++) {
      for (let x = 0; x < 2 * width; x++) {
        const k = taps[(y % 2) * 2 + (x % 2)] as number
        const [i, j] = [(y >> 1) + Math.floor(k / 5) - 2, (x >> 1) + (k % 5) - 2]
        const inside = i >= 0 && i < height && j >= 0 && j < width
        expect(out[y * 2 * width + x]).toBe(inside ? values[i * width + j] : 0)
      }
    }
  })
})

describe('check 5: gradients', () => {
  test.each(cases)('equal those of the reference, $channels channels', ({ channels, height, width, ...options }) => {
    tidy(() => {
      const features = noise([1, channels, height, width]).requiresGrad_()
      const logits = noise(logitsShape({ height, width, ...options }), 2).requiresGrad_()
      const upstream = noise([1, channels, options.scale * height, options.scale * width], 5)
      const gradients = (out: Tensor) => grad(out, [features, logits], { gradOutputs: [upstream] })
      const expected = gradients(upsampleReference(features, logits, options))
      const actual = gradients(contentAwareUpsample(features, logits, options))
      for (const [i, value] of actual.entries()) {
        expect(largestDifference(value as Tensor, expected[i] as Tensor)).toBeLessThan(1e-12)
      }
      const places = [options.groups, options.window ** 2, options.scale ** 2 * height * width]
      const sums = (actual[1] as Tensor).reshape(places).sum({ dim: 1 }).abs().max()
      expect(sums.toNumber()).toBeLessThan(1e-12)
    })
  })
})

test('check 6: linear in the map; a constant on all taps of a place changes nothing', () => {
  tidy(() => {
    const [f1, f2, logits] = [noise([1, 2, 4, 5]), noise([1, 2, 4, 5], 2), noise([1, 100, 4, 5], 3)]
    const out = (f: Tensor, z = logits) => contentAwareUpsample(f, z)
    expect(largestDifference(out(f1.mul(2).add(f2)), out(f1).mul(2).add(out(f2)))).toBeLessThan(1e-14)
    expect(largestDifference(out(f1, logits.add(7)), out(f1))).toBeLessThan(1e-14)
  })
})

describe('check 8: pyramid', () => {
  test.each([1, 5, 10, 37])('means over the bins of a side of %i', (side) => {
    tidy(() => {
      const features = noise([1, 2, side, side])
      const values = numbers(features)
      for (const [place, map] of poolPyramid(features).entries()) {
        const n = [1, 2, 3, 6][place] as number
        const edges = Array.from({ length: n }, (_, t) => [Math.floor((t * side) / n), Math.ceil(((t + 1) * side) / n)])
        const expected = [0, 1].flatMap((c) =>
          edges.flatMap(([top, bottom]) =>
            edges.map(([left, right]) => {
              let sum = 0
              for (let y = top as number; y < (bottom as number); y++) {
                for (let x = left as number; x < (right as number); x++)
                  sum += values[(c * side + y) * side + x] as number
              }
              return sum / (((bottom as number) - (top as number)) * ((right as number) - (left as number)))
            }),
          ),
        )
        for (const [i, value] of numbers(map).entries()) expect(value).toBeCloseTo(expected[i] as number, 12)
      }
    })
  })

  test('the map comes first, then each level, enlarged between centres', () => {
    tidy(() => {
      const features = noise([1, 1, 1, 4])
      const level = tensor([0, 1, 0, 1], { shape: [1, 1, 2, 2], dtype: 'float64' })
      const out = numbers(expandPyramid(features, [level]))
      expect(out.slice(0, 4)).toEqual(numbers(features))
      for (const [i, x] of out.slice(4).entries()) expect(x).toBeCloseTo([0, 0.25, 0.75, 1][i] as number, 12)
    })
  })

  test('its gradients agree with differences', () => {
    tidy(() => {
      const features = noise([1, 2, 5, 4]).requiresGrad_()
      gradcheck((f: Tensor) => [expandPyramid(f, poolPyramid(f))], [features])
    })
  })
})

describe('degenerate input', () => {
  test('no samples, no channels', () => {
    tidy(() => {
      expect(contentAwareUpsample(noise([0, 2, 3, 3]), noise([0, 100, 3, 3])).shape).toEqual([0, 2, 6, 6])
      expect(contentAwareUpsample(noise([1, 0, 3, 3]), noise([1, 100, 3, 3])).shape).toEqual([1, 0, 6, 6])
    })
  })

  test('places without weight are 0 and have no gradient; NaN logits give NaN there only', () => {
    tidy(() => {
      const features = noise([1, 2, 3, 3])
      const logits = noise([1, 100, 3, 3])
      logits.select(3, 0).fill_(Number.NEGATIVE_INFINITY)
      logits.requiresGrad_()
      const out = contentAwareUpsample(features, logits)
      expect(out.narrow(3, 0, 2).eq(0).all().item()).toBe(true)
      expect(out.isfinite().all().item()).toBe(true)
      const [slope] = grad(out.sum(), [logits])
      expect((slope as Tensor).select(3, 0).eq(0).all().item()).toBe(true)
      const bad = noise([1, 100, 3, 3])
      bad.select(3, 2).fill_(Number.NaN)
      const spoilt = contentAwareUpsample(features, bad)
      expect(spoilt.narrow(3, 4, 2).isnan().all().item()).toBe(true)
      expect(spoilt.narrow(3, 0, 4).isnan().any().item()).toBe(false)
    })
  })

  test('logits of ±1e4 stay finite', () => {
    tidy(() => {
      const out = contentAwareUpsample(noise([1, 2, 3, 3]), noise([1, 100, 3, 3]).mul(1e4))
      expect(out.isfinite().all().item()).toBe(true)
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [features, logits] = [noise([1, 2, 3, 3]), noise([1, 100, 3, 3])]
      expect(() => contentAwareUpsample(features, logits, { window: 4 })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { scale: 0 })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { groups: 3 })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { border: 'wrap' as 'zeros' })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { window: 3 })).toThrow(ShapeError)
      expect(() => contentAwareUpsample(features.to('int32'), logits)).toThrow(DTypeError)
      expect(() => contentAwareUpsample(features.to('float32'), logits)).toThrow(DTypeError)
      expect(() => poolPyramid(noise([3]))).toThrow(ShapeError)
    })
  })
})
