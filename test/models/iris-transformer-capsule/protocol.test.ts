// Who is compared with whom, and what is said of the scores; number 10 of the paper's card and the metrics of E.
import { describe, expect, test } from 'vitest'
import { equalErrorRate, rocCurve, truePositiveRateAt } from '../../../lib/metrics'
import {
  curveOf,
  divideEyes,
  type Eye,
  eyesOf,
  HalfGenuineBatches,
  type IrisSample,
  system,
  testPairs,
  thresholdFor,
} from '../../../lib/models/biometrics/iris-transformer-capsule'
import { parseConfig } from '../../../lib/pipeline'
import { tensor, tidy } from '../../../lib/tensor'

/** Eyes with so many images of each domain, instances from 1. */
const fakeEyes = (count: number, images: number): Eye[] =>
  eyesOf(
    Array.from({ length: count }, (_, eye) => eye).flatMap((eye) =>
      ([0, 1] as const).flatMap((domain) =>
        Array.from(
          { length: images },
          (_, i): IrisSample => ({ eye: `${eye}`, domain, instance: i + 1, source: undefined }),
        ),
      ),
    ),
  )

describe('10. metrics', () => {
  const curve = () =>
    tidy(() => {
      const scores = tensor([0.9, 0.8, 0.7, 0.4, 0.1, 0.2, 0.3, 0.6, 0.5], { dtype: 'float64' })
      const targets = tensor([1n, 1n, 1n, 1n, 0n, 0n, 0n, 0n, 0n])
      return { ...rocCurve(scores, targets), eer: equalErrorRate(scores, targets) }
    })

  test('rates at a threshold, and the interpolated EER', () => {
    const { thresholds, falsePositiveRate, truePositiveRate, eer } = curve()
    const at = (threshold: number) => thresholds.findIndex((value) => Math.abs(value - threshold) < 1e-9)
    expect(falsePositiveRate[at(0.6)]).toBeCloseTo(0.2, 12)
    expect(1 - (truePositiveRate[at(0.6)] as number)).toBeCloseTo(0.25, 12)
    expect(falsePositiveRate[at(0.5)]).toBeCloseTo(0.4, 12)
    expect(1 - (truePositiveRate[at(0.5)] as number)).toBeCloseTo(0.25, 12)
    expect(eer).toBeCloseTo(0.25, 12)
  })

  test('E. ties, and GAR at a FAR between two points', () =>
    tidy(() => {
      const { curve: roc, eer } = curveOf(Float32Array.of(0.9, 0.8, 0.5, 0.3), Float32Array.of(0.1, 0.2, 0.5, 0.5, 0.6))
      expect(eer).toBeCloseTo(5 / 13, 12)
      expect(truePositiveRateAt(roc, 0.3)).toBeCloseTo(0.5625, 12)
      expect(truePositiveRateAt(roc, 0.3, { interpolation: 'step' })).toBe(0.5)
      expect(curveOf(Float32Array.of(0.8, 0.9), Float32Array.of(0.1, 0.2)).eer).toBe(0)
      expect(curveOf(Float32Array.of(0.5), Float32Array.of(0.5, 0.5)).eer).toBe(0.5)
    }))

  test('a threshold lies between the scores that it parts', () => {
    const { thresholds, falsePositiveRate, truePositiveRate } = curve()
    const scored = { curve: { thresholds, falsePositiveRate, truePositiveRate } }
    // No imposter at 0.7, the first at 0.6; one of five from 0.6 to 0.5.
    expect(thresholdFor(scored, 0)).toBeCloseTo(0.65, 9)
    expect(thresholdFor(scored, 0.2)).toBeCloseTo(0.55, 9)
    expect(thresholdFor(scored, 1)).toBeCloseTo(0.1, 9)
  })
})

describe('10. pairs', () => {
  test('PolyU: 280 eyes of 15 images in both domains', () => {
    const parts = divideEyes(fakeEyes(280, 15), { protocol: 'polyu', testShare: 0.3, seed: 0 })
    expect(parts.train.map(({ images: [a, b] }) => [a.length, b.length])[0]).toEqual([10, 10])
    expect(parts.test[3]?.images[0].map(({ instance }) => instance)).toEqual([11, 12, 13, 14, 15])
    expect(parts.validation).toEqual([])
    const { genuine, imposterCount, images } = testPairs(parts.test, { genuinePairs: 'upper', imposters: 10 })
    expect(images.map(({ length }) => length)).toEqual([1400, 1400])
    expect(genuine.length).toBe(2800)
    expect(imposterCount).toBe(1_953_000)
    expect(new HalfGenuineBatches(2800, 32, 0).length).toBe(88)
  })

  test('IIIT-D: 202 eyes, of which the fifth image is the test', () => {
    const parts = divideEyes(fakeEyes(202, 7), { protocol: 'iiit-d', testShare: 0.3, seed: 0 })
    const instances = (eyes: readonly Eye[]) => eyes[0]?.images[0].map(({ instance }) => instance)
    expect([parts.train, parts.validation, parts.test].map(instances)).toEqual([[1, 2, 3], [4], [5]])
    const { genuine, imposter } = testPairs(parts.test, { genuinePairs: 'all' })
    expect(genuine.length).toBe(202)
    expect(imposter.length).toBe(40_602)
    expect(genuine.every(({ first, second }) => first === second)).toBe(true)
    // 101 subjects × 2 eyes × 3 images of the first sensor.
    expect(new HalfGenuineBatches(606, 32, 0).length).toBe(19)
  })

  test('two eyes of three images: 6 genuine pairs above the diagonal, 18 in all, and 18 imposters', () => {
    const eyes = fakeEyes(2, 3)
    expect(testPairs(eyes, { genuinePairs: 'upper' }).genuine.length).toBe(6)
    const { genuine, imposter, images } = testPairs(eyes, { genuinePairs: 'all' })
    expect([genuine.length, imposter.length]).toEqual([18, 18])
    const eyeOf = (domain: 0 | 1, place: number) => images[domain][place]?.eye
    expect(genuine.every(({ first, second }) => eyeOf(0, first) === eyeOf(1, second))).toBe(true)
    expect(imposter.every(({ first, second }) => eyeOf(0, first) !== eyeOf(1, second))).toBe(true)
    expect(new Set(imposter.map(({ first, second }) => 10 * first + second)).size).toBe(18)
  })

  test('some imposters are different pairs of different eyes, by the seed', () => {
    const drawn = (seed: number) => testPairs(fakeEyes(6, 2), { genuinePairs: 'all', imposters: 50, seed })
    const { imposter, images, imposterCount } = drawn(1)
    expect([imposter.length, imposterCount]).toEqual([50, 120])
    expect(new Set(imposter.map(({ first, second }) => 100 * first + second)).size).toBe(50)
    expect(imposter.some(({ first, second }) => images[0][first]?.eye === images[1][second]?.eye)).toBe(false)
    expect(drawn(1).imposter).toEqual(imposter)
    expect(drawn(2).imposter).not.toEqual(imposter)
  })

  test('eyes of the test are never those of training where identities are divided', () => {
    const { train, test: tests } = divideEyes(fakeEyes(10, 2), { protocol: 'identities', testShare: 0.3, seed: 3 })
    expect([train.length, tests.length]).toEqual([7, 3])
    expect(train.filter(({ name }) => tests.some((other) => other.name === name))).toEqual([])
    expect(() => testPairs(tests.slice(0, 1), { genuinePairs: 'all' })).toThrow(/0 imposter pairs of 1 eyes/)
  })
})

describe('batches', () => {
  test('every image of the first domain once an epoch, half of each batch with its own eye', () => {
    const sampler = new HalfGenuineBatches(70, 32, 5)
    const batches = [...sampler]
    expect(batches.map(({ length }) => length)).toEqual([32, 32, 6])
    for (const batch of batches) expect(batch.filter((index) => index % 2 === 1).length).toBe(batch.length / 2)
    expect(
      batches
        .flat()
        .map((index) => Math.floor(index / 2))
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 70 }, (_, i) => i))
    sampler.setEpoch(1)
    expect([...sampler]).not.toEqual(batches)
    sampler.setEpoch(0)
    expect([...sampler]).toEqual(batches)
  })

  test('a last batch of one pair is left out', () => {
    expect([...new HalfGenuineBatches(65, 32, 0)].map(({ length }) => length)).toEqual([32, 32])
    expect(new HalfGenuineBatches(65, 32, 0).length).toBe(2)
  })
})

test('the config refuses a side that is no power of two', () => {
  expect(() => parseConfig(system.config, { input: { size: 200 } }, 'iris')).toThrow(/input.size is 200.*power of two/)
  expect(() => parseConfig(system.config, { network: { features: 'chunks', tokens: 5 } }, 'iris')).toThrow(/tokens/)
})
