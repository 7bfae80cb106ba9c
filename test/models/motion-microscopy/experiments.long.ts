// The experiments that take minutes: checks 4, 5, 8, 10, 11 and 16.
import { describe, expect, test } from 'vitest'
import {
  interpolateField,
  MotionEstimator,
  MotionMicroscope,
  motionCovariance,
  type NoiseLevel,
} from '../../../lib/models/magnification/motion-microscopy'
import { correlation, rootMeanSquare } from '../../../lib/models/magnification/motion-microscopy/signals'
import { edge, texture } from '../../../lib/models/magnification/motion-microscopy/synthetic'
import { arange, Generator, hypot, randn, stack, type Tensor, tidy, tidyAsync, where, zeros } from '../../../lib/tensor'

const level = (variances: readonly number[]): NoiseLevel => ({ variances, pixels: variances.map(() => 1) })
const constant = (variance: number) => level(Array(64).fill(variance))
const median = (values: Tensor) => values.flatten().median().item() as number
const PERIODIC = { boundary: 'periodic' } as const

/** Covariance over many noisy frames of a picture that stands still, by the definition. */
function empirical(image: Tensor, deviation: Tensor, frames: number, seed: number): Tensor {
  using generator = new Generator(seed)
  using estimator = new MotionEstimator(image, PERIODIC)
  return tidy(() => {
    const motions = stack(
      Array.from({ length: frames }, () =>
        tidy(() =>
          estimator.measure(image.add(randn(image.shape, { generator }).mul(deviation)).unsqueeze(0)).squeeze(0),
        ),
      ),
    )
    const [u, v] = motions.sub(motions.mean({ dim: [0] })).unbind({ dim: 1 }) as [Tensor, Tensor]
    return stack([u.square(), u.mul(v), v.square()].map((product) => product.sum({ dim: [0] }).div(frames - 1))).to(
      'float64',
    )
  })
}

function simulated(image: Tensor, noise: NoiseLevel, frames = 100, seed = 0): Tensor {
  using estimator = new MotionEstimator(image, PERIODIC)
  return motionCovariance(estimator, image, noise, { frames, seed })
}

describe('error bars', () => {
  test('4. and 16. double with the noise, and are those of many noisy frames', () => {
    tidy(() => {
      const image = texture().to('float32')
      const [low, high] = [0.005, 0.01].map((sigma) => simulated(image, constant(sigma ** 2)).sqrt()) as [
        Tensor,
        Tensor,
      ]
      const [lowU, highU, highV] = [low.select(0, 0), high.select(0, 0), high.select(0, 2)].map(median) as [
        number,
        number,
        number,
      ]
      expect(Math.abs(highU / lowU / 2 - 1)).toBeLessThan(0.05)
      expect(Math.abs(highU / 0.01299 - 1)).toBeLessThan(0.03)
      expect(Math.abs(highV / 0.01302 - 1)).toBeLessThan(0.03)
      const truth = empirical(image, zeros([128, 128]).add(0.01), 300, 1)
      const ratio = high.select(0, 0).square().div(truth.select(0, 0))
      console.log('check 4: medians', lowU, highU, 'ratio', median(ratio), 'error', median(ratio.sub(1).abs()))
      expect(Math.abs(median(ratio) - 1)).toBeLessThan(0.05)
      expect(median(ratio.sub(1).abs())).toBeLessThan(0.15)
    })
  })

  test('5. with noise that grows with intensity, its function is better than one variance', () => {
    tidy(() => {
      const image = texture().to('float32')
      const variance = (intensity: number) => 4e-4 * intensity + 1e-6
      const truth = empirical(image, image.mul(4e-4).add(1e-6).sqrt(), 200, 2).select(0, 0)
      const error = (noise: NoiseLevel) => median(simulated(image, noise, 100, 3).select(0, 0).div(truth).log().abs())
      const own = error(level(Array.from({ length: 64 }, (_, i) => variance((i + 0.5) / 64))))
      const one = error(constant(variance(0.5)))
      console.log('check 5: median |log ratio|', own, 'against', one)
      expect(own).toBeLessThan(one)
    })
  })
})

test('11. correlation with the truth follows m/√(m² + σ²), and the gain is 1', () => {
  const [frames, noise] = [200, 0.005]
  const rows = Array.from({ length: 10 }, (_, i) => 19 + 10 * i)
  for (const [m, expected] of [
    [0.01, 0.758],
    [0.05, 0.985],
  ] as const) {
    using generator = new Generator(11)
    const noisy = (image: Tensor) =>
      image.add(randn(image.shape, { generator, dtype: 'float64' }), { alpha: noise }).to('float32')
    tidy(() => {
      const estimator = new MotionEstimator(noisy(edge()))
      const truth = Array.from({ length: frames }, (_, t) => m * Math.SQRT2 * Math.sin(2 * Math.PI * 0.07 * t))
      const columns = truth.map((u) =>
        tidy(
          () =>
            estimator
              .measure(noisy(edge(u)).unsqueeze(0))
              .select(3, 64)
              .select(1, 0)
              .squeeze(0)
              .toArray() as number[],
        ),
      )
      const points = rows.map((row) => columns.map((column) => column[row] as number))
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
      const found = mean(points.map((point) => correlation(point, truth)))
      const gain = mean(
        points.map((point) => (correlation(point, truth) * rootMeanSquare(point)) / rootMeanSquare(truth)),
      )
      console.log('check 11:', m, 'px: correlation', found, 'gain', gain)
      expect(Math.abs(found - expected)).toBeLessThan(0.03)
      if (m === 0.05) expect(Math.abs(gain - 1)).toBeLessThan(0.03)
    })
  }
})

/** Two discs of radius 12 at (32, 64) and (96, 64) that swing sideways by 0.1 px at 5 and 9 Hz, 60 frames a second. */
function discs(t: number): Tensor {
  return tidy(() => {
    const axis = arange(0, 128, { dtype: 'float64' })
    const disc = (x: number, hz: number) => {
      const dx = axis.sub(x + 0.1 * Math.sin((2 * Math.PI * hz * t) / 60)).unsqueeze(0)
      return dx.hypot(axis.sub(64).unsqueeze(1)).sub(12).div(-1.5).sigmoid()
    }
    return disc(32, 5).add(disc(96, 9)).mul(0.6).add(0.2)
  })
}

test('8. in 120 frames the swing in the band grows hundreds of times, the other hardly', async () => {
  await tidyAsync(async () => {
    const grey = stack(Array.from({ length: 120 }, (_, t) => discs(t))).to('float32')
    const clip = { frames: grey.unsqueeze(1).expand([120, 3, 128, 128]).contiguous(), fps: 60 }
    const config = {
      magnification: 20,
      band: [4, 6] as [number, number],
      filter: 'ideal' as const,
      rendering: { denoise: 0 },
    }
    using microscope = await MotionMicroscope.load({ device: 'cpu', config })
    using result = await microscope.run(clip)
    const variance = (frames: Tensor, from: number) =>
      frames
        .select(1, 0)
        .select(1, 64)
        .narrow(1, from, 64)
        .var({ dim: [0] })
        .sum()
        .item() as number
    const [left, right] = [0, 64].map((from) => variance(result.frames, from) / variance(clip.frames, from)) as [
      number,
      number,
    ]
    console.log('check 8: variance grows', left, 'and', right, 'times')
    expect(left).toBeGreaterThan(200)
    expect(right).toBeLessThan(5)
  })
})

test('10. and 17. a ring of data 4 px wide fills 128 × 128 pixels', async () => {
  await tidyAsync(async () => {
    const axis = arange(0, 128, { dtype: 'float64' }).sub(63.5)
    const radius = hypot(axis.unsqueeze(0), axis.unsqueeze(1))
    const ring = radius.ge(38).logicalAnd(radius.le(42))
    const variance = where(ring, radius.mul(0).add(1e-4), radius.mul(0).add(10_000))
    const motion = stack([where(ring, radius.mul(0).add(0.3), radius.mul(0)), radius.mul(0)])
    const { motion: filled, iterations } = await interpolateField(motion, stack([variance, variance.mul(0), variance]))
    console.log('check 17: ring in', iterations, 'iterations')
    expect(iterations).toBeLessThan(500)
    expect(Math.abs((filled.select(0, 0).select(0, 64).select(0, 64).item() as number) / 0.3 - 1)).toBeLessThan(0.05)
    expect(Math.abs((filled.select(0, 0).select(0, 2).select(0, 2).item() as number) / 0.3 - 1)).toBeLessThan(0.05)
  })
})
