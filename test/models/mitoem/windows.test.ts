import { describe, expect, test } from 'vitest'
import { tensorVolume } from '../../../lib/datasets'
import {
  affinityTarget,
  blendWeights,
  blocksOf,
  predictBlock,
  predictViews,
  seen,
  unseen,
  viewsOf,
  windowStarts,
} from '../../../lib/models/segmentation/mitoem'
import { functional as F } from '../../../lib/nn'
import { cat, Generator, randint, type Tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]

describe('windows', () => {
  test('are as many as the card counts, the last tucked in', () => {
    const counts = [500, 4096, 4096].map(
      (length, axis) =>
        windowStarts(length, axis === 0 ? 32 : 256, axis === 0 ? 16 : 128, axis === 0 ? 16 : 128).length,
    )
    expect(counts).toEqual([33, 33, 33])
    expect([165, 768, 1024].map((length) => windowStarts(length, 112, 56, 56).length)).toEqual([4, 15, 20])
    expect(windowStarts(10, 4, 3, 0)).toEqual([0, 3, 6])
    expect(windowStarts(11, 4, 3, 0)).toEqual([0, 3, 6, 7])
    expect(windowStarts(3, 8, 4, 1)).toEqual([-1])
  })

  test('weigh their middle most, and no voxel nothing', () => {
    tidy(() => {
      const corner = (sigma: number) =>
        numbers(blendWeights([32, 256, 256], sigma).select(0, 0).select(0, 0).select(0, 0))[0]
      expect(corner(0.8)).toBeCloseTo(0.096067, 6)
      expect(corner(0.2)).toBeCloseTo(1e-4, 6)
      expect(Number(blendWeights([3, 5, 4], 0.2).amin().item())).toBeGreaterThan(0)
      expect(numbers(blendWeights([3, 3, 3], 0.8))[13]).toBeCloseTo(1.0001, 6)
    })
  })
})

describe('10. sliding window', () => {
  const volume = () => randint(0, 256, [7, 21, 18], { generator: new Generator(1), dtype: 'uint8' })
  const options = { window: [4, 8, 8], stride: [2, 4, 4], pad: [2, 4, 4], sigma: 0.8, device: 'cpu' } as const

  test('gives the volume back where the network does, whatever the blocks', async () => {
    await tidyAsync(async () => {
      const source = tensorVolume(volume())
      const truth = volume()
      const results: Tensor[] = []
      for (const block of [
        [7, 21, 18],
        [3, 8, 5],
        [1, 21, 7],
      ] as const) {
        const whole = zeros([1, 7, 21, 18], { dtype: 'uint8' })
        for (const { start, size } of blocksOf([7, 21, 18], block)) {
          const maps = await predictBlock(source, { start, size }, async (x) => x.squeeze(0), { ...options, block })
          start.reduce((part: Tensor, first, axis) => part.narrow(axis + 1, first, size[axis] ?? 0), whole).copy_(maps)
        }
        results.push(whole)
      }
      const [first] = results
      // A probability is stored rounded down.
      const difference = (first as Tensor).squeeze(0).to('float32').sub(truth.to('float32'))
      expect(Number(difference.abs().amax().item())).toBeLessThanOrEqual(1)
      for (const other of results) expect(other.equal(first as Tensor)).toBe(true)
    })
  })

  test('sees a mirror image beyond the border, without the edge twice', async () => {
    await tidyAsync(async () => {
      const source = tensorVolume(volume())
      const seenWindows: number[][] = []
      const keepFirst = async (x: Tensor) => {
        if (seenWindows.length === 0) seenWindows.push(numbers(x.mul(255).round()))
        return x.squeeze(0)
      }
      await predictBlock(source, { start: [0, 0, 0], size: [1, 1, 1] }, keepFirst, { ...options, block: [1, 1, 1] })
      const values = numbers(volume())
      const at = (z: number, y: number, x: number) => values[(Math.abs(z) * 21 + Math.abs(y)) * 18 + Math.abs(x)]
      const wanted = Array.from({ length: 4 * 8 * 8 }, (_, i) =>
        at(Math.floor(i / 64) - 2, (Math.floor(i / 8) % 8) - 4, (i % 8) - 4),
      )
      expect(seenWindows[0]).toEqual(wanted)
    })
  })

  test('stops when it is told to', async () => {
    await tidyAsync(async () => {
      const abort = new AbortController()
      abort.abort()
      const run = predictBlock(
        tensorVolume(volume()),
        { start: [0, 0, 0], size: [7, 21, 18] },
        async (x) => x.squeeze(0),
        { ...options, block: [7, 21, 18] },
        { signal: abort.signal },
      )
      await expect(run).rejects.toThrow(/cancelled/)
    })
  })
})

describe('views', () => {
  test('are 1, 4, 4 and 16', () => {
    expect((['none', 'z-transpose', 'flips', 'all'] as const).map((set) => viewsOf(set).length)).toEqual([1, 4, 4, 16])
  })

  test('of a network that turns with its input change nothing', async () => {
    await tidyAsync(async () => {
      const window = randint(0, 256, [1, 1, 4, 8, 8], { generator: new Generator(2), dtype: 'uint8' }).to('float32')
      // Mean of the neighbours: the same whichever way the window is turned.
      const network = async (x: Tensor) =>
        cat([x, F.avgPool3d(x, 3, { stride: 1, padding: 1, countIncludePad: false })], { dim: 1 })
      const plain = (await network(window)).squeeze(0)
      for (const set of ['z-transpose', 'flips', 'all'] as const) {
        const mean = await predictViews(network, window, viewsOf(set), 'BC')
        expect(Number(mean.sub(plain).abs().amax().item())).toBeLessThan(1e-3)
      }
    })
  })

  test('of affinities are moved and exchanged as the truth asks', () => {
    tidy(() => {
      // The card's label of three objects.
      const labels = zeros([6, 12, 12], { dtype: 'int32' })
      const fill = (y: number, x: number, h: number, w: number, value: number) =>
        labels.narrow(1, y, h).narrow(2, x, w).fill_(value)
      fill(1, 1, 5, 10, 1)
      fill(6, 1, 5, 5, 2)
      fill(6, 6, 5, 5, 3)
      const truth = affinityTarget(labels)
      const wrong = { shift: 0, swap: 0 }
      for (const view of viewsOf('all')) {
        const maps = affinityTarget(seen(labels, view))
        expect(unseen(maps, view, 'A', truth).equal(truth)).toBe(true)
        // Without the repair the maps of the flipped window are wrong.
        const naive = unseen(maps, view, 'B', truth)
        if (view.y && !view.z && !view.x && !view.transpose) wrong.shift = Number(naive.ne(truth).sum().item())
        if (view.transpose && !view.z && !view.y && !view.x) wrong.swap = Number(naive.ne(truth).sum().item())
      }
      expect(wrong).toEqual({ shift: 240, swap: 348 })
    })
  })
})
