// Error bars: checks 4, 5, 6, 9, 16 and 18; the large ones in noise.long.ts.
import { expect, test } from 'vitest'
import {
  MotionEstimator,
  motionCovariance,
  noiseLevel,
  noiseVariance,
  TemporalStatistics,
} from '../../../lib/models/magnification/motion-microscopy'
import { principal } from '../../../lib/models/magnification/motion-microscopy/covariance'
import { edge, texture } from '../../../lib/models/magnification/motion-microscopy/synthetic'
import { full, Generator, manualSeed, randn, type Tensor, tensor, tidy } from '../../../lib/tensor'

const flat = (variance: number) => ({ variances: Array(64).fill(variance), pixels: Array(64).fill(1) })

function covarianceOf(image: Tensor, sigma: number, options = {}, frames = 60): Tensor {
  using estimator = new MotionEstimator(image, options)
  return motionCovariance(estimator, image, flat(sigma ** 2), { frames })
}

const median = (values: Tensor) => values.flatten().median().item() as number

test('16. the texture in noise of 0.005: median error bars of 0.0065 px', () => {
  tidy(() => {
    const covariance = covarianceOf(texture().to('float32'), 0.005, { boundary: 'periodic' })
    const [uu, , vv] = covariance.sqrt().unbind() as [Tensor, Tensor, Tensor]
    expect(Math.abs(median(uu) / 0.0065 - 1)).toBeLessThan(0.03)
    expect(Math.abs(median(vv) / 0.00651 - 1)).toBeLessThan(0.03)
  })
})

test('9. an edge is sure across, and unsure along', () => {
  tidy(() => {
    const covariance = covarianceOf(edge().to('float32'), 0.005)
    const column = covariance.select(2, 64).narrow(1, 32, 64)
    const [uu, , vv] = column
      .mean({ dim: [1] })
      .sqrt()
      .toArray() as number[]
    expect(uu).toBeGreaterThan(0.0086 * 0.9)
    expect(uu).toBeLessThan(0.0086 * 1.1)
    expect((vv as number) / (uu as number)).toBeGreaterThan(10)
    const [x, y] = principal(covariance).direction.select(2, 64).narrow(1, 32, 64).unbind() as [Tensor, Tensor]
    const degrees = y
      .div(x)
      .atan()
      .mul(180 / Math.PI)
      .abs()
    expect(degrees.amax().item()).toBeLessThan(3)
  })
})

test('16. the edge turned by 30° is surest at 30°, y down', () => {
  tidy(() => {
    const covariance = covarianceOf(edge(0, { degrees: 30 }).to('float32'), 0.005)
    const middle = covariance.select(2, 64).select(1, 64)
    const [, uv] = middle.toArray() as number[]
    expect(uv).toBeLessThan(-0.008)
    const [x, y] = principal(covariance).direction.select(2, 64).select(1, 64).toArray() as [number, number]
    expect(Math.abs((Math.atan(y / x) * 180) / Math.PI - 30)).toBeLessThan(2)
  })
})

test('a straight edge is not known along itself, a blank picture not at all', () => {
  tidy(() => {
    const covariance = covarianceOf(edge(0, { faint: 0 }).to('float32'), 0.005, {}, 8)
    const [uu, uv, vv] = covariance.select(2, 64).select(1, 64).toArray() as number[]
    expect(vv).toBeGreaterThan(9999)
    expect(Math.abs(uv as number)).toBeLessThan(1)
    expect(uu).toBeLessThan(1e-3)
    const blank = covarianceOf(full([40, 40], 0.5), 0.005, {}, 4)
    const [du, cross, dv] = blank.select(2, 20).select(1, 20).toArray() as number[]
    expect([du, cross, dv]).toEqual([10_000, 0, 10_000])
  })
})

test('5. noise that grows with intensity is found in every bin', () => {
  tidy(() => {
    manualSeed(4)
    // Steps of intensity, each in the middle of a bin.
    const ramp = tensor(Array.from({ length: 16 }, (_, i) => (4 * i + 2.5) / 64))
      .repeatInterleave(16)
      .unsqueeze(0)
      .expand([256, 256])
    const truth = ramp.mul(2e-4).add(1e-5)
    using statistics = new TemporalStatistics()
    for (let t = 0; t < 50; t++) statistics.add(ramp.add(truth.sqrt().mul(randn([256, 256]))))
    const level = noiseLevel(statistics.result())
    expect(statistics.count).toBe(50)
    let bins = 0
    for (const [i, count] of level.pixels.entries()) {
      if (count < 50) continue
      bins++
      const expected = (2e-4 * (i + 0.5)) / 64 + 1e-5
      expect(Math.abs((level.variances[i] as number) / expected - 1)).toBeLessThan(0.1)
    }
    expect(bins).toBe(16)
    const between = noiseVariance(tensor([-0.2, 0.5 / 64, 1 / 64, 1.3]), {
      variances: [1, 3, ...Array(61).fill(5), 7],
      pixels: [],
    })
    expect(between.toArray()).toEqual([1, 1, 2, 7])
  })
})

test('18. pixels on gradients are left out: there, motion looks like noise', () => {
  tidy(() => {
    const generator = new Generator(7)
    using statistics = new TemporalStatistics()
    for (let t = 0; t < 50; t++) {
      const shaken = edge(0.3 * Math.sin(2 * Math.PI * 0.13 * t))
      statistics.add(shaken.add(randn([128, 128], { generator, dtype: 'float64' }), { alpha: 0.005 }))
    }
    const weighted = (gradient: number) => {
      const { variances, pixels } = noiseLevel(statistics.result(), { gradient })
      const total = pixels.reduce((sum, count) => sum + count, 0)
      return variances.reduce((sum, variance, i) => sum + (variance * (pixels[i] as number)) / total, 0)
    }
    expect(weighted(0.05)).toBeCloseTo(2.6e-5, 6)
    expect(weighted(1e9)).toBeGreaterThan(4.5e-5)
  })
})
