// Measurement: the numbers of checks 2, 3, 9, 14 and 15.
import { describe, expect, test } from 'vitest'
import { compareWithFlow, MotionEstimator, Rank } from '../../../lib/models/magnification/motion-microscopy'
import { edge, grating, texture } from '../../../lib/models/magnification/motion-microscopy/synthetic'
import {
  arange,
  complex,
  fftFft2,
  fftFftfreq,
  fftIfft2,
  full,
  imag,
  memory,
  real,
  type Tensor,
  tensor,
  tidy,
} from '../../../lib/tensor'
import { SteerablePyramid } from '../../../lib/vision/pyramids'

const PERIODIC = { boundary: 'periodic', dtype: 'float64' } as const

function motionOf(first: Tensor, moved: Tensor, options = {}): Tensor {
  using estimator = new MotionEstimator(first, options)
  return estimator.measure(moved.unsqueeze(0)).squeeze(0)
}

const means = (motion: Tensor) => motion.mean({ dim: [1, 2] }).toArray() as [number, number]
const rmsError = (motion: Tensor, u: number, v: number) =>
  motion
    .sub(tensor([u, v], { dtype: motion.dtype }).reshape([2, 1, 1]))
    .square()
    .mean({ dim: [1, 2] })
    .sqrt()
    .toArray() as [number, number]
const at = (maps: Tensor, x: number, y: number) => maps.select(-2, y).select(-1, x).toArray() as number[]
const close = (found: readonly number[], expected: readonly number[], digits: number) => {
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, digits)
}

describe('motion of a texture', () => {
  test('the texture is the one of the check', () => {
    tidy(() => {
      const image = texture()
      close(
        image.select(0, 0).narrow(0, 0, 4).toArray() as number[],
        [0.51248487, 0.56807209, 0.54371011, 0.43289082],
        8,
      )
      expect(image.select(0, 5).select(0, 7).item()).toBeCloseTo(0.34093167, 8)
      expect(image.amin().item()).toBeCloseTo(0.0121, 4)
      expect(image.amax().item()).toBeCloseTo(0.9847, 4)
    })
  })

  test('2. shifts are measured to thousandths of themselves, to the right and down', () => {
    tidy(() => {
      const first = texture()
      const right = motionOf(first, texture(0.1, 0), PERIODIC)
      expect(Math.abs(means(right)[0] - 0.0999)).toBeLessThan(0.001)
      expect(Math.max(...rmsError(right, 0.1, 0))).toBeLessThan(5e-4)
      expect(Math.max(...rmsError(motionOf(first, texture(0.01, 0), PERIODIC), 0.01, 0))).toBeLessThan(1e-5)
      const down = motionOf(first, texture(0, 0.1), PERIODIC)
      expect(means(down)[1]).toBeCloseTo(0.1, 4)
      expect(means(down)[0]).toBeCloseTo(0, 4)
      close(means(motionOf(first, texture(1, 0.5), PERIODIC)), [0.9944, 0.4968], 4)
    })
  })

  test('14. exact values, of the field and of the pooled sums', () => {
    tidy(() => {
      const [first, moved] = [texture(), texture(0.3, -0.2)]
      using estimator = new MotionEstimator(first, PERIODIC)
      const motion = estimator.measure(moved.unsqueeze(0)).squeeze(0)
      close(at(motion, 7, 5), [0.30026115, -0.20052793], 8)
      close(at(motion, 100, 64), [0.29878654, -0.2007324], 8)
      close(at(estimator.normal, 7, 5), [0.004909957, 0.001127909, 0.008148856], 8)
      const right = estimator.rightHandSide(estimator.phases(estimator.spectrum(moved.unsqueeze(0))))
      close(at(right.squeeze(0), 7, 5), [-0.001248092, 0.001295406], 8)
      const one = motionOf(first, moved, { ...PERIODIC, levels: 1 })
      close(at(one, 7, 5), [0.29915, -0.20094], 5)
      const unpooled = motionOf(first, moved, { ...PERIODIC, radius: 0 })
      close(at(unpooled, 7, 5), [0.30166, -0.2054], 5)
      // Single precision is enough.
      const single = motionOf(first.to('float32'), moved.to('float32'), { boundary: 'periodic' })
      expect(single.to('float64').sub(motion).abs().amax().item()).toBeLessThan(1.5e-6)
    })
  })

  test('weights and gradients of each frame, together, agree', () => {
    tidy(() => {
      const options = { ...PERIODIC, gradients: 'per-frame' } as const
      close(means(motionOf(texture(), texture(1, 0.5), options)), [0.9934, 0.4962], 4)
      const near = motionOf(texture(), texture(0.01, 0), options)
      expect(rmsError(near, 0.01, 0)[0]).toBeLessThan(1e-6)
    })
  })

  test('3. equals least squares by loops over bands and window at a pixel', () => {
    tidy(() => {
      const [first, moved] = [texture(), texture(0.07, 0.04)]
      const pyramid = new SteerablePyramid({ height: 128, width: 128, levels: 2, subsample: false, dtype: 'float64' })
      const omega = fftFftfreq(128, { dtype: 'float64' }).mul(2 * Math.PI)
      const slopes = [omega.unsqueeze(0), omega.unsqueeze(1)].map((slope) => complex(slope.mul(0), slope))
      const numbers = (band: Tensor) => [real(band), imag(band)].map((part) => part.toArray() as number[][])
      const bandsOf = (image: Tensor) => pyramid.analyze(image).bands.flatMap((scale) => scale.unbind())
      const bands = bandsOf(first).map((band) => ({
        value: numbers(band),
        slopes: slopes.map((slope) => numbers(fftIfft2(fftFft2(band).mul(slope)))),
      }))
      const later = bandsOf(moved).map(numbers)
      const at128 = (maps: number[][][] | undefined, x: number, y: number) =>
        [0, 1].map((part) => maps?.[part]?.[(y + 128) % 128]?.[(x + 128) % 128] ?? 0) as [number, number]
      const weightAt = (dx: number, dy: number) => Math.exp(-(dx * dx + dy * dy) / 18)
      const [cx, cy] = [5, 77]
      const sums = [0, 0, 0, 0, 0]
      for (let dy = -9; dy <= 9; dy++) {
        for (let dx = -9; dx <= 9; dx++) {
          for (const [i, band] of bands.entries()) {
            const [re, im] = at128(band.value, cx + dx, cy + dy)
            const square = re * re + im * im
            const [px, py] = band.slopes.map((slope) => {
              const [a, b] = at128(slope, cx + dx, cy + dy)
              return (re * b - im * a) / square
            }) as [number, number]
            const [reT, imT] = at128(later[i], cx + dx, cy + dy)
            const turn = Math.atan2(imT, reT) - Math.atan2(im, re)
            const change = turn - 2 * Math.PI * Math.round(turn / (2 * Math.PI))
            const weight = weightAt(dx, dy) * square
            const parts = [px * px, px * py, py * py, px * change, py * change]
            for (const [k, part] of parts.entries()) sums[k] = (sums[k] ?? 0) + weight * part
          }
        }
      }
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = sums
      const determinant = a * c - b * b
      const [u = 0, v = 0] = at(motionOf(first, moved, PERIODIC), cx, cy)
      expect(u).toBeCloseTo(-(c * d - b * e) / determinant, 9)
      expect(v).toBeCloseTo(-(a * e - b * d) / determinant, 9)
    })
  })

  test('is closer to the truth than optical flow', async () => {
    const { phases, tvl1 } = await compareWithFlow(0.1, 0.05)
    expect(phases).toBeLessThan(1e-3)
    expect(tvl1).toBeGreaterThan(phases)
    expect(tvl1).toBeLessThan(0.1)
  })

  test('follows phases beyond half a wave, and does not without', () => {
    tidy(() => {
      using estimator = new MotionEstimator(texture(), PERIODIC)
      let phases = estimator.phases(estimator.spectrum(texture().unsqueeze(0)))
      let spectrum = estimator.spectrum(texture().unsqueeze(0))
      for (let t = 1; t <= 30; t++) {
        spectrum = estimator.spectrum(texture(0.1 * t, 0).unsqueeze(0))
        phases = estimator.unwrappedPhases(spectrum, phases)
        if (t === 20) expect(means(estimator.motion(phases, spectrum).squeeze(0))[0]).toBeCloseTo(1.981, 3)
      }
      expect(means(estimator.motion(phases, spectrum).squeeze(0))[0]).toBeCloseTo(2.943, 3)
      expect(means(estimator.measure(texture(3, 0).unsqueeze(0)).squeeze(0))[0]).toBeCloseTo(1.384, 3)
    })
  })
})

describe('what a picture does not tell', () => {
  test('15. along a straight wave only the motion across it, and none on a blank picture', () => {
    tidy(() => {
      const options = { boundary: 'periodic' } as const
      using estimator = new MotionEstimator(grating(23, 23).to('float32'), options)
      expect(estimator.rank.eq(Rank.One).all().item()).toBe(true)
      const motion = estimator.measure(grating(23, 23, 0.1).unsqueeze(0))
      expect(motion.sub(0.05).abs().amax().item()).toBeLessThan(1e-5)
      const blank = new MotionEstimator(full([64, 64], 0.5), options)
      expect(blank.rank.eq(Rank.None).all().item()).toBe(true)
      expect(
        blank
          .measure(full([1, 64, 64], 0.5))
          .abs()
          .amax()
          .item(),
      ).toBe(0)
    })
  })

  test('9. a perfectly straight edge gives no NaN', () => {
    tidy(() => {
      const motion = motionOf(edge(0, { faint: 0 }).to('float32'), edge(0.1, { faint: 0 }).to('float32'))
      expect(motion.isfinite().all().item()).toBe(true)
      expect(motion.select(0, 0).select(0, 64).select(0, 64).item()).toBeCloseTo(0.1, 2)
    })
  })

  test('near the border, a repeated edge without weight errs less than a tenth of the motion', () => {
    tidy(() => {
      const crop = (image: Tensor) => image.narrow(0, 10, 100).narrow(1, 15, 100)
      using estimator = new MotionEstimator(crop(texture()), { dtype: 'float64' })
      const motion = estimator.measure(crop(texture(0.1, -0.06)).unsqueeze(0)).squeeze(0)
      const axis = arange(0, 100)
      const inset = axis.minimum(axis.mul(-1).add(99))
      const distance = inset.unsqueeze(0).minimum(inset.unsqueeze(1))
      const squares = motion
        .sub(tensor([0.1, -0.06], { dtype: 'float64' }).reshape([2, 1, 1]))
        .square()
        .sum({ dim: [0] })
      const rms = (low: number, high: number) => {
        const ring = distance.ge(low).logicalAnd(distance.le(high)).to('float64')
        return Math.sqrt((squares.mul(ring).sum().item() as number) / (2 * (ring.sum().item() as number)))
      }
      expect(rms(0, 3)).toBeLessThan(0.01)
      expect(rms(8, 15)).toBeLessThan(0.001)
      expect(estimator.border().sum().item()).toBe(100 * 100 - 68 * 68)
    })
  })

  test('holds nothing after it is disposed of, and refuses pictures that are too small', () => {
    const before = memory.stats().tensors
    tidy(() => {
      motionOf(texture(), texture(0.1, 0))
    })
    expect(memory.stats().tensors).toBe(before)
    expect(() => new MotionEstimator(full([10, 10], 0.5))).toThrow(/at least 18 × 18/)
  })
})
