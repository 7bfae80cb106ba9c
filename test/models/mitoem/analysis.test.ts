import { describe, expect, test } from 'vitest'
import {
  affinityTarget,
  analyseObjects,
  decodingOf,
  fitLine,
  lengthPlot,
  objectMesh,
  rankBySize,
  sizePlot,
  system,
  tuneDecoding,
  typicalObjects,
} from '../../../lib/models/segmentation/mitoem'
import { parseConfig } from '../../../lib/pipeline'
import { type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { skeletonize3d } from '../../../lib/vision'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]

/** A straight rod of `n` voxels along x, whose cross section is a disc. */
function rod(n: number, radius: number, label = 1): Tensor {
  const side = 2 * radius + 3
  const slice = Int32Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [Math.floor(i / side) - radius - 1, (i % side) - radius - 1]
    return y * y + x * x <= radius * radius ? label : 0
  })
  const volume = zeros([n + 2, side, side], { dtype: 'int32' })
  volume.narrow(0, 1, n).copy_(tensor(slice, { shape: [1, side, side] }).expand([n, side, side]))
  return volume.permute([1, 2, 0])
}

const skeletonLength = (volume: Tensor) => Number(skeletonize3d(volume).sum().item())

describe('15. skeletons', () => {
  test.each([
    [0, 0],
    [1, 0],
    [2, 2],
    [3, 4],
    [5, 6],
  ])('of rods of radius %d are %d voxels shorter', (radius, less) => {
    tidy(() => {
      for (const n of [20, 31, 44]) expect(skeletonLength(rod(n, radius))).toBe(n - less)
    })
  })

  test('of rods of one radius make volumes a line of their lengths', () => {
    tidy(() => {
      const lengths = [16, 20, 27, 35, 50, 64]
      const volume = zeros([6 * 11, 11, 70], { dtype: 'int32' })
      for (const [i, n] of lengths.entries()) {
        const one = rod(n, 3, i + 1)
        volume
          .narrow(0, 11 * i, 9)
          .narrow(1, 1, 9)
          .narrow(2, 1, n + 2)
          .copy_(one)
      }
      const analysis = analyseObjects(volume)
      expect(analysis.objects.map(({ label }) => label)).toEqual([6, 5, 4, 3, 2, 1])
      expect(analysis.volumeByLength.r2).toBeGreaterThan(0.99)
      // A disc of radius 3 has 29 voxels.
      expect(analysis.volumeByLength.slope).toBeCloseTo(29, 6)
      const voxels = 29 * lengths.reduce((sum, n) => sum + n)
      expect(analysis.exponentialRate).toBeCloseTo(6 / voxels, 12)
      expect(typicalObjects(analysis, [23, 46]).map(({ label }) => label)).toEqual([3, 5])
      expect(sizePlot({ R: analysis, H: analysis })).toBeDefined()
      expect(lengthPlot(analysis)).toBeDefined()
    })
  })
})

test('surfaces of objects lie where they lie, in nanometres', () => {
  tidy(() => {
    const labels = zeros([4, 6, 8], { dtype: 'int32' })
    labels.narrow(0, 1, 2).narrow(1, 2, 3).narrow(2, 4, 2).fill_(7)
    const { vertices } = objectMesh(labels, 7)
    expect(numbers(vertices.amin({ dim: 0 }))).toEqual([3.5 * 8, 1.5 * 8, 0.5 * 30])
    expect(numbers(vertices.amax({ dim: 0 }))).toEqual([5.5 * 8, 4.5 * 8, 2.5 * 30])
    expect(() => objectMesh(labels, 3)).toThrow(/there is no object 3/)
    expect(rankBySize(labels)).toEqual([{ label: 7, voxels: 12, box: [1, 2, 4, 3, 5, 6] }])
  })
})

test('a line through points, by hand', () => {
  expect(fitLine([0, 1, 2], [1, 3, 5])).toEqual({ slope: 2, intercept: 1, r2: 1 })
  const { slope, intercept, r2 } = fitLine([0, 1, 2], [0, 2, 1])
  expect([slope, intercept, r2]).toEqual([0.5, 0.5, 0.25])
})

test('thresholds are those that find most', async () => {
  await tidyAsync(async () => {
    const truth = zeros([8, 16, 24], { dtype: 'int32' })
    truth.narrow(1, 2, 12).narrow(2, 1, 10).fill_(1)
    truth.narrow(1, 2, 12).narrow(2, 13, 10).fill_(2)
    // A bridge of probability 0.92 between two objects.
    const mask = truth.gt(0).to('float32')
    mask.narrow(1, 6, 3).narrow(2, 11, 2).fill_(0.92)
    const maps = mask.mul(255).to('uint8').unsqueeze(0)
    const config = parseConfig(system.config, { network: { representation: 'B' }, decoding: { decoder: 'cc' } }, 'test')
    const steps: number[] = []
    const { decoding, ap75 } = await tuneDecoding(maps, truth, 'B', decodingOf(config), {
      onProgress: ({ total }) => steps.push(total),
    })
    expect(ap75).toBeCloseTo(1, 12)
    expect(decoding.seed).toBe(0.95)
    expect(steps).toHaveLength(12)
    const affinities = affinityTarget(truth).mul(255).to('uint8')
    const other = parseConfig(system.config, { network: { representation: 'A' } }, 'test')
    expect((await tuneDecoding(affinities, truth, 'A', decodingOf(other))).ap75).toBeCloseTo(1, 12)
  })
})
