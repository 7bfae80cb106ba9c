import { describe, expect, test } from 'vitest'
import { arange, manualSeed, memory, rand, type Tensor, tidy } from '../../lib/tensor'
import { SteerablePyramid } from '../../lib/vision/pyramids'

const largest = (t: Tensor) => t.abs().amax().item() as number

describe('SteerablePyramid', () => {
  test('gives back a picture of any size, sub-sampled or not', () => {
    manualSeed(1)
    for (const [height, width] of [
      [64, 64],
      [97, 75],
      [50, 96],
      [33, 40],
    ] as const) {
      for (const subsample of [true, false]) {
        tidy(() => {
          const image = rand([height, width], { dtype: 'float64' })
          const exact = new SteerablePyramid({ height, width, subsample, dtype: 'float64' })
          expect(largest(exact.synthesize(exact.analyze(image)).sub(image))).toBeLessThan(1e-12)
          const single = new SteerablePyramid({ height, width, subsample })
          const small = image.to('float32')
          expect(largest(single.synthesize(single.analyze(small)).sub(small))).toBeLessThan(1e-5)
          const spectrum = exact.spectrum(image)
          expect(largest(exact.compose(spectrum, exact.bands(spectrum)).sub(image))).toBeLessThan(1e-12)
        })
      }
    }
  })

  test('is a tight frame: the gains add up to 1 at every frequency', () => {
    tidy(() => {
      for (const orientations of [4, 8]) {
        const pyramid = new SteerablePyramid({
          height: 48,
          width: 40,
          subsample: false,
          orientations,
          dtype: 'float64',
        })
        const { high, low, bands } = pyramid.filters
        const mirrored = (t: Tensor) => t.flip([-2, -1]).roll([1, 1], { dims: [-2, -1] })
        const sum = bands.reduce(
          (total, band) =>
            total.add(
              band
                .square()
                .add(mirrored(band).square())
                .sum({ dim: [0] })
                .div(4),
            ),
          high.square().add(low.square()),
        )
        expect(largest(sum.sub(1))).toBeLessThan(1e-12)
      }
    })
  })

  test('a wave along πb/4 answers in band b, of the scale of its length', () => {
    tidy(() => {
      const wave = (p: number, q: number) => {
        const axis = arange(0, 128, { dtype: 'float64' })
        const phase = axis.mul(q).unsqueeze(1).add(axis.mul(p).unsqueeze(0))
        return phase.mul((2 * Math.PI) / 128).cos()
      }
      const pyramid = new SteerablePyramid({ height: 128, width: 128, levels: 2, subsample: false, dtype: 'float64' })
      const energies = (p: number, q: number) =>
        pyramid.analyze(wave(p, q)).bands.map(
          (band) =>
            band
              .abs()
              .square()
              .mean({ dim: [-2, -1] })
              .toArray() as number[],
        )
      // By hand: c cos⁶ of 0°, 45°, 90°, 45° with c = 0.8, times 1, for a cosine of amplitude 1 in the middle of a scale.
      for (const [p, q, scale, expected] of [
        [32, 0, 0, [0.8, 0.1, 0, 0.1]],
        [16, 0, 1, [0.8, 0.1, 0, 0.1]],
        [0, 32, 0, [0, 0.1, 0.8, 0.1]],
      ] as const) {
        const found = energies(p, q)
        expected.forEach((value, b) => {
          expect(found[scale]?.[b]).toBeCloseTo(value, 10)
          expect(found[1 - scale]?.[b]).toBeCloseTo(0, 10)
        })
      }
      const strongest = (values: readonly number[] | undefined) => values?.indexOf(Math.max(...values))
      expect(strongest(energies(22, 22)[0])).toBe(1)
      expect(strongest(energies(22, -22)[0])).toBe(3)
    })
  })

  test('sub-sampled coefficients are samples of those of full size', () => {
    tidy(() => {
      manualSeed(2)
      const image = rand([64, 64], { dtype: 'float64' })
      const options = { height: 64, width: 64, levels: 3, dtype: 'float64' } as const
      const [small, full] = [true, false].map((subsample) =>
        new SteerablePyramid({ ...options, subsample }).analyze(image),
      )
      small?.bands.forEach((band, k) => {
        const step = 2 ** k
        const samples = full?.bands[k]?.slice({ dim: -1, step }).slice({ dim: -2, step }) as Tensor
        expect(largest(band.sub(samples))).toBeLessThan(1e-12)
      })
    })
  })

  test('takes batches, and frees all it holds', () => {
    const before = memory.stats().tensors
    tidy(() => {
      using pyramid = new SteerablePyramid({ height: 32, width: 40 })
      const images = rand([2, 3, 32, 40])
      const both = pyramid.synthesize(pyramid.analyze(images))
      expect(both.shape).toEqual([2, 3, 32, 40])
      expect(largest(both.sub(images))).toBeLessThan(1e-5)
    })
    const kept = new SteerablePyramid({ height: 32, width: 40 })
    kept.dispose()
    expect(memory.stats().tensors).toBe(before)
  })

  test('says what is wrong with sizes and levels', () => {
    expect(() => new SteerablePyramid({ height: 2, width: 40 })).toThrow(/height is 2/)
    expect(() => new SteerablePyramid({ height: 32, width: 40, levels: 5 })).toThrow(/5 levels are more than 4/)
    tidy(() => {
      const pyramid = new SteerablePyramid({ height: 32, width: 40 })
      expect(() => pyramid.analyze(rand([3, 40, 32]))).toThrow(/\[3,40,32\]/)
    })
  })
})
