import { describe, expect, test } from 'vitest'
import { DataLoader, type SampleContext } from '../../../lib/data'
import { RandomStream, Stream } from '../../../lib/data/random'
import { tensorVolume } from '../../../lib/datasets'
import {
  type Config,
  chunkSpans,
  type Draws,
  type EmSample,
  emAugment,
  erodeContacts,
  rateShare,
  sampleSize,
  scheduleOf,
  smoothLabels,
  syntheticVolume,
  system,
  VolumeSamples,
} from '../../../lib/models/segmentation/mitoem'
import {
  blurMotion,
  cutBlur,
  cutNoise,
  grayscale,
  missingParts,
} from '../../../lib/models/segmentation/mitoem/grey-changes'
import {
  dropSlices,
  elastic,
  flipPlane,
  rescale,
  rotate,
  slip,
} from '../../../lib/models/segmentation/mitoem/shape-changes'
import { parseConfig } from '../../../lib/pipeline'
import { Generator, rand, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]
const config = (over: object): Config => parseConfig(system.config, over, 'test')

describe('schedule', () => {
  test.each([
    [0, 1e-6],
    [500, 5.005e-4],
    [1000, 1e-3],
    [29_999, 1e-3],
    [30_000, 1e-4],
    [35_000, 1e-5],
  ])('the rate of step %d is %d', (step, rate) => {
    expect(1e-3 * rateShare(step, 1000, [30_000, 35_000])).toBeCloseTo(rate, 12)
  })

  test('affinities have half the rate and half the steps', () => {
    expect(scheduleOf(config({}))).toEqual({ steps: 100_000, learningRate: 1e-3 })
    expect(scheduleOf(config({ network: { representation: 'A' } }))).toEqual({ steps: 50_000, learningRate: 5e-4 })
  })
})

describe('samples', () => {
  test('are as large as their changes need', () => {
    const { augmentation } = config({})
    expect(sampleSize([32, 256, 256], augmentation)).toEqual([34, 505, 505])
    expect(sampleSize([112, 112, 112], augmentation)).toEqual([114, 250, 250])
    expect(sampleSize([32, 256, 256], { ...augmentation, enabled: false })).toEqual([32, 256, 256])
  })

  test('come from the chunks of the card', () => {
    const spans = (length: number, parts: number, least: number) =>
      chunkSpans(length, parts, least).map(([start, size]) => [start, start + size])
    expect(spans(400, 8, 34)).toEqual([
      [0, 88],
      [44, 133],
      [88, 177],
      [133, 222],
      [177, 266],
      [222, 311],
      [266, 355],
      [311, 400],
    ])
    expect(spans(4096, 2, 505)).toEqual([
      [0, 2730],
      [1365, 4096],
    ])
    // No chunk is smaller than a sample, as far as the volume goes.
    expect(spans(165, 8, 114)).toEqual([[0, 165]])
    expect(spans(20, 8, 34)).toEqual([[0, 20]])
  })

  test('are cut from the volume, eroded, and the same for a seed', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      const { image, labels } = syntheticVolume(5)
      const volume = { name: 'a', image: tensorVolume(image), labels: tensorVolume(labels) }
      const plain = config({ training: { window: [4, 32, 48] }, augmentation: { enabled: false } })
      using samples = new VolumeSamples([volume], plain, 3)
      expect(samples.length).toBe(12)
      const context: SampleContext = { seed: 7, epoch: 0, generator: new Generator(7) }
      const [a, b] = [await samples.get(0, context), await samples.get(1, context)]
      expect(a.image.shape).toEqual([1, 4, 32, 48])
      expect(a.targets.shape).toEqual([2, 4, 32, 48])
      expect(a.image.equal(b.image) && a.targets.equal(b.targets)).toBe(true)
      // Where the sample lies in the volume its mask is that of the eroded labels.
      const mask = erodeContacts(labels).gt(0).to('float32')
      let places = 0
      for (let z = 0; z + 4 <= 8; z++) {
        for (let y = 0; y + 32 <= 64; y++) {
          for (let x = 0; x + 48 <= 64; x++) {
            const cut = (from: Tensor) => from.narrow(0, z, 4).narrow(1, y, 32).narrow(2, x, 48)
            if (!cut(image).to('float32').div(255).equal(a.image.squeeze(0))) continue
            places++
            expect(cut(mask).equal(a.targets.select(0, 0))).toBe(true)
          }
        }
      }
      expect(places).toBe(1)
      // A window that is larger than the volume sees it in its middle, mirrored around.
      using larger = new VolumeSamples(
        [volume],
        config({ training: { window: [10, 80, 64] }, augmentation: { enabled: false } }),
        1,
      )
      const whole = await larger.get(0, context)
      const middle = whole.image.squeeze(0).narrow(0, 1, 8).narrow(1, 8, 64)
      expect(middle.mul(255).round().to('uint8').equal(image)).toBe(true)
      const loader = new DataLoader(samples, { batchSize: 4, seed: 1 })
      let batches = 0
      for await (const batch of loader) {
        expect(batch.image.shape).toEqual([4, 1, 4, 32, 48])
        batches++
      }
      expect(batches).toBe(3)
      context.generator.dispose()
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })
})

describe('changes', () => {
  const draws = (seed: number): Draws => {
    const stream = new RandomStream(seed, 0, Stream.Samples)
    return { uniform: () => stream.uniform(), below: (n) => stream.below(n), generator: new Generator(seed) }
  }
  /** A picture whose grey values say which object a voxel is of. */
  const paired = (depth = 6, side = 64): EmSample => {
    const labels = zeros([depth, side, side], { dtype: 'int32' })
    for (let i = 0; i < 9; i++) {
      labels
        .narrow(1, 4 + 20 * Math.floor(i / 3), 14)
        .narrow(2, 4 + 20 * (i % 3), 14)
        .fill_(i + 1)
    }
    return { image: labels.to('float32').div(10), labels }
  }
  /** Share of the voxels whose grey value still says their object. */
  const agreement = ({ image, labels }: EmSample) =>
    numbers(image.sub(labels.to('float32').div(10)).abs().lt(0.03).to('float64').mean())[0] ?? 0

  test.each([
    ['rotation', rotate],
    ['rescaling', rescale],
    ['elastic deformation', elastic],
    ['misalignment', (sample: EmSample, d: Draws) => slip(sample, 8, d)],
    ['missing sections', (sample: EmSample, d: Draws) => dropSlices(sample, 2, d)],
    ['flips', (sample: EmSample, d: Draws) => flipPlane(sample, true, d)],
  ])('%s moves picture and objects together', (_, change) => {
    tidy(() => {
      let moved = 0
      for (let seed = 1; seed <= 6; seed++) {
        const sample = paired()
        const changed = change(sample, draws(seed))
        expect(changed.image.shape).toEqual(changed.labels.shape)
        // At the borders of objects grey values are means.
        expect(agreement(changed)).toBeGreaterThan(0.8)
        if (!changed.labels.equal(sample.labels)) moved++
      }
      expect(moved).toBeGreaterThan(2)
    })
  })

  test('a turn by a right angle is that of the matrix', () => {
    tidy(() => {
      const sample = paired(1)
      const quarter: Draws = { uniform: () => 0.25, below: () => 0, generator: undefined }
      const { labels } = rotate(sample, quarter)
      const turned = [sample.labels.rot90({ k: 1, dims: [1, 2] }), sample.labels.rot90({ k: 3, dims: [1, 2] })]
      expect(turned.some((each) => each.equal(labels))).toBe(true)
    })
  })

  test('rescaling by 1.2 makes a line of 40 voxels one of 48', () => {
    tidy(() => {
      const labels = zeros([1, 80, 80], { dtype: 'int32' })
      labels.narrow(1, 20, 40).narrow(2, 39, 2).fill_(1)
      const most: Draws = { uniform: () => 1, below: () => 0, generator: undefined }
      const { labels: larger } = rescale({ image: labels.to('float32'), labels }, most)
      expect(numbers(larger.amax({ dim: 2 }).sum())).toEqual([48])
    })
  })

  test('sections leave the first and the last, slips cut off what has no other side', () => {
    tidy(() => {
      const counted = tensor(
        Float32Array.from({ length: 6 }, (_, z) => z),
        { shape: [6, 1, 1] },
      ).expand([6, 20, 20])
      const { image } = dropSlices({ image: counted, labels: counted }, 2, draws(3))
      const kept = numbers(image.select(1, 0).select(1, 0))
      expect(kept).toHaveLength(4)
      expect([kept[0], kept.at(-1)]).toEqual([0, 5])
      const few = counted.narrow(0, 0, 3)
      expect(dropSlices({ image: few, labels: few }, 2, draws(1)).image.size(0)).toBe(3)
      const moved: Draws = { uniform: () => 0.9, below: (n) => (n > 6 ? 5 : 2), generator: undefined }
      expect(slip({ image: counted, labels: counted }, 4, moved).image.shape).toEqual([6, 12, 12])
    })
  })

  test.each([
    ['noise in a box', (image: Tensor, d: Draws) => cutNoise(image, d), 0.4 ** 3],
    ['a box at a lower resolution', (image: Tensor, d: Draws) => cutBlur(image, d, false), 0.4 ** 3],
    ['blur along a line', (image: Tensor, d: Draws) => blurMotion(image, d), 2 / 10],
    ['missing parts', (image: Tensor, d: Draws) => missingParts(image, 0.9, d), 4 / 10],
    ['grey values', (image: Tensor, d: Draws) => grayscale(image, d), 1],
  ])(
    '%s stays in 0–1, changes no more than its share, and leaves the picture it is given alone',
    (_, change, share) => {
      tidy(() => {
        for (let seed = 1; seed <= 5; seed++) {
          const image = rand([10, 60, 60], { generator: new Generator(seed) })
          const copy = image.clone()
          const changed = change(image, draws(seed))
          expect(image.equal(copy)).toBe(true)
          expect(Number(changed.amin().item())).toBeGreaterThanOrEqual(0)
          expect(Number(changed.amax().item())).toBeLessThanOrEqual(1)
          const differs = numbers(changed.ne(image).to('float64').mean())[0] ?? 0
          expect(differs).toBeGreaterThan(0.2 * share)
          expect(differs).toBeLessThanOrEqual(share + 1e-9)
        }
      })
    },
  )

  test('missing parts are in at most one of three slices', () => {
    tidy(() => {
      const image = rand([30, 100, 200], { generator: new Generator(1) })
      const changed = missingParts(image, 1, draws(2))
      const slices = numbers(
        changed
          .ne(image)
          .to('float32')
          .amax({ dim: [1, 2] }),
      )
      expect(slices).toEqual(Array.from({ length: 30 }, (_, z) => (z % 3 === 0 ? 1 : 0)))
    })
  })

  test('all together give the window that was asked for, and the same for a seed', () => {
    tidy(() => {
      const augmentation = config({}).augmentation
      const size = sampleSize([4, 32, 32], augmentation)
      const image = rand(size, { generator: new Generator(1) })
      const labels = zeros(size, { dtype: 'int32' })
      labels.narrow(1, 20, 30).narrow(2, 20, 30).fill_(3)
      const run = (seed: number) => emAugment({ image, labels }, [4, 32, 32], augmentation, draws(seed))
      for (const seed of [1, 2, 3]) {
        const [a, b] = [run(seed), run(seed)]
        expect(a.image.shape).toEqual([4, 32, 32])
        expect(a.labels.shape).toEqual([4, 32, 32])
        expect(a.image.equal(b.image) && a.labels.equal(b.labels)).toBe(true)
      }
      expect(run(1).image.equal(run(2).image)).toBe(false)
    })
  })

  test('outlines are smoothed: a spike goes, a disc stays', () => {
    tidy(() => {
      const disc = (radius: number) =>
        tensor(
          Int32Array.from({ length: 4096 }, (_, i) =>
            Math.hypot(Math.floor(i / 64) - 32, (i % 64) - 32) <= radius ? 5 : 0,
          ),
          { shape: [1, 64, 64] },
        )
      const plain = disc(12)
      const smooth = smoothLabels(plain)
      const share = Number(smooth.eq(plain).to('float64').mean().item())
      expect(share).toBeGreaterThan(0.95)
      const spiked = plain.clone()
      spiked.narrow(1, 32, 1).narrow(2, 44, 15).fill_(5)
      expect(Number(smoothLabels(spiked).narrow(2, 52, 10).sum().item())).toBe(0)
      expect(new Set(numbers(smooth))).toEqual(new Set([0, 5]))
    })
  })
})

test('made-up tissue has objects that touch in a slice, and is dark inside', () => {
  tidy(() => {
    let contacts = 0
    for (let number = 0; number < 4; number++) {
      const { image, labels } = syntheticVolume(number)
      expect(syntheticVolume(number).image.equal(image)).toBe(true)
      contacts += Number(erodeContacts(labels).ne(labels).sum().item())
      const mean = (where: Tensor) =>
        Number(image.to('float32').mul(where.to('float32')).sum().item()) / Number(where.sum().item())
      expect(mean(labels.gt(0))).toBeLessThan(mean(labels.eq(0)) - 40)
    }
    expect(contacts).toBeGreaterThan(100)
  })
})
