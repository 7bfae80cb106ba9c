// Which frames clips take, how they are normalised, and how a video gets its answer.
import { describe, expect, test } from 'vitest'
import {
  Config,
  centreCrop,
  clipFrames,
  clipStarts,
  DIRECTIONS,
  inputPlan,
  meanOverClips,
  movingSquare,
  networkClip,
  rateShare,
  sizedFrames,
  topAccuracy,
  topNumbers,
  videoReport,
} from '../../../lib/models/video/binary-3d-bitconv'
import { clipsOfVideo } from '../../../lib/models/video/binary-3d-bitconv/clips'
import { clipStream } from '../../../lib/pipeline'
import { arange, full, type Tensor, tidy, tidyAsync } from '../../../lib/tensor'

const planOf = (backbone: string) => inputPlan(Config.parse({ network: { backbone } }))

describe('clips of 100 frames', () => {
  test.each([
    ['c3d', [4, 12, 21, 29, 38, 46, 55, 63, 72, 80]],
    ['i3d-50', [8, 25, 43, 60]],
    ['slowonly-50', [10, 31, 53, 74]],
  ])('%s', (backbone, starts) => {
    expect(clipStarts(100, planOf(backbone))).toEqual(starts)
  })

  test('a clip takes every fourth frame for I3D; a short video begins anew', () => {
    expect(clipFrames(8, 100, planOf('i3d-50'))).toEqual([8, 12, 16, 20, 24, 28, 32, 36])
    expect(clipStarts(10, planOf('c3d'))).toEqual(new Array(10).fill(0))
    expect(clipFrames(0, 10, planOf('c3d'))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5])
    // 16 frames are just enough: one place to begin.
    expect(clipStarts(16, planOf('c3d'))).toEqual(new Array(10).fill(0))
    expect(clipStarts(17, { frames: 16, interval: 1, clips: 2 })).toEqual([0, 1])
  })

  test('frames come from the stream in the order of the clips', () =>
    tidyAsync(async () => {
      const config = Config.parse({
        input: { shortSide: 16, size: 16, normalisation: 'unit' },
        inference: { clips: 3 },
      })
      const frames = tidy(() => arange(40).reshape([40, 1, 1, 1]).expand([40, 3, 16, 20]).contiguous().to('uint8'))
      const clips = await clipsOfVideo(await clipStream({ frames, fps: 10 }, 'test'), inputPlan(config))
      const shown = clips.map((clip) => {
        const plane = clip.select(0, 1).select(1, 3).select(1, 3).mul(255).round()
        return (plane.toArray() as number[])[0]
      })
      expect(shown).toEqual(clipStarts(40, inputPlan(config)))
      expect(clips.map(({ shape }) => shape)).toEqual(new Array(3).fill([3, 16, 16, 16]))
    }))
})

describe('what the network sees', () => {
  const pixel = (normalisation: 'sports1m' | 'imagenet' | 'unit') =>
    tidy(() => {
      const plan = inputPlan(Config.parse({ input: { size: 8, shortSide: 8, normalisation } }))
      const frames = full([2, 3, 8, 8], 200).to('uint8')
      const clip = networkClip(frames, centreCrop(frames, plan), plan)
      expect(clip.shape).toEqual([3, 2, 8, 8])
      return clip.select(1, 0).select(1, 0).select(1, 0).toArray() as number[]
    })

  test('C3D: bytes less the mean of Sports-1M; others: mean and deviation of ImageNet', () => {
    expect(pixel('sports1m')).toEqual([96, 83, 72])
    for (const [i, value] of pixel('imagenet').entries()) {
      const [mean, std] = [[0.485, 0.456, 0.406][i] ?? 0, [0.229, 0.224, 0.225][i] ?? 1]
      expect(value).toBeCloseTo((200 / 255 - mean) / std, 5)
    }
    for (const value of pixel('unit')) expect(value).toBeCloseTo(200 / 255, 6)
    expect(planOf('c3d').normalisation).toBe('sports1m')
    expect(planOf('slowonly-50').normalisation).toBe('imagenet')
  })

  test('the short side is resized, the centre is cut out, and a flip mirrors it', () =>
    tidy(() => {
      const plan = { ...planOf('c3d'), size: 8, shortSide: 16, normalisation: 'unit' as const }
      expect(sizedFrames(full([1, 3, 32, 48], 9).to('uint8'), plan).shape).toEqual([1, 3, 16, 24])
      expect(
        sizedFrames(full([1, 3, 48, 32], 0.5), plan)
          .select(0, 0)
          .select(0, 0)
          .select(0, 0)
          .select(0, 0)
          .item(),
      ).toBe(128)
      const columns = arange(24).reshape([1, 1, 1, 24]).expand([1, 3, 16, 24]).contiguous().to('uint8')
      const row = (isFlipped: boolean) => {
        const clip = networkClip(columns, { ...centreCrop(columns, plan), isFlipped }, plan)
        return (clip.select(0, 0).select(0, 0).select(0, 0).mul(255).round() as Tensor).toArray()
      }
      expect(row(false)).toEqual([8, 9, 10, 11, 12, 13, 14, 15])
      expect(row(true)).toEqual([15, 14, 13, 12, 11, 10, 9, 8])
    }))
})

describe('12. a video', () => {
  test('has the mean of the probabilities of its clips', () => {
    const mean = meanOverClips([
      [0.7, 0.2, 0.1],
      [0.1, 0.3, 0.6],
    ])
    for (const [i, value] of [0.4, 0.25, 0.35].entries()) expect(mean[i]).toBeCloseTo(value, 12)
  })

  test('counts ties by the lower number first', () => {
    expect(topNumbers([0.1, 0.3, 0.3, 0.1, 0.1, 0.1], 5)).toEqual([1, 2, 0, 3, 4])
    const score = (label: number) => ({
      name: '',
      label,
      probabilities: new Float64Array(7).fill(1 / 7),
      top5: topNumbers(new Float64Array(7).fill(1 / 7), 5),
    })
    expect(topAccuracy([0, 1, 4, 5].map(score), 1)).toBe(0.25)
    expect(topAccuracy([0, 1, 4, 5].map(score), 5)).toBe(0.75)
  })

  test('is reported for two networks side by side', () => {
    const score = (probabilities: number[]) => ({
      ...{ name: 'a.avi', label: 1, probabilities: Float64Array.from(probabilities) },
      top5: topNumbers(probabilities, 5),
    })
    const report = videoReport([score([0.1, 0.9])], [score([0.75, 0.25])], ['jump', 'wave'])
    expect(report.split('\n')).toEqual(
      [
        'a.avi: wave',
        'float             1-bit',
        'wave *  90.0 %    jump    75.0 %',
        'jump    10.0 %    wave *  25.0 %',
      ].map((line) => expect.stringMatching(new RegExp(`^${line.replaceAll('*', '\\*').replaceAll(/ {2,}/g, ' +')}`))),
    )
    expect(() => videoReport([score([1, 0])], [], ['a', 'b'])).toThrow(/different videos/)
  })
})

test('the learning rate rises over 10 epochs and falls along a cosine', () => {
  const at = (step: number) => 1e-3 * rateShare(step, 1000, 100)
  expect([0, 49, 99, 550].map((step) => Number(at(step).toPrecision(6)))).toEqual([1e-5, 5e-4, 1e-3, 5e-4])
  expect(at(999)).toBeCloseTo(3.046e-9, 11)
})

describe('moving squares', () => {
  const still = { frames: 16, size: 16, square: 5, noise: 0, seed: 3 } as const

  test('move by the speed in the direction, and leave and enter at the borders', () =>
    tidy(() => {
      const frames = (direction: number, speed: number) =>
        movingSquare({ ...still, direction, speed })
          .select(1, 0)
          .to('float32')
      for (const [direction, [dx, dy]] of [
        [0, [1, 0]],
        [2, [0, -1]],
        [7, [1, 1]],
      ] as [number, [number, number]][]) {
        const clip = frames(direction, 1)
        const moved = clip.select(0, 0).roll([5 * dy, 5 * dx], { dims: [0, 1] })
        expect(clip.select(0, 5).equal(moved), DIRECTIONS[direction]).toBe(true)
        // At half the speed the tenth frame is where the fifth was.
        expect(frames(direction, 0.5).select(0, 10).equal(clip.select(0, 5))).toBe(true)
      }
      // 25 pixels of the square, brighter by 0.6 of the range.
      const sum = frames(0, 0.75)
        .sum({ dim: [1, 2] })
        .sub(256 * 51)
        .div(153)
      for (const value of sum.toArray() as number[]) expect(Math.abs(value - 25)).toBeLessThan(0.5)
    }))

  test('are the same for the same seed, and others for another', () =>
    tidy(() => {
      const clip = (seed: number) => movingSquare({ ...still, direction: 1, speed: 1, noise: 0.1, seed })
      expect(clip(1).equal(clip(1))).toBe(true)
      expect(clip(1).equal(clip(2))).toBe(false)
      const noise = clip(5)
        .select(1, 0)
        .to('float32')
        .sub(
          movingSquare({ ...still, direction: 1, speed: 1, seed: 5 })
            .select(1, 0)
            .to('float32'),
        )
      expect(noise.std().div(255).item()).toBeCloseTo(0.1, 2)
    }))
})
