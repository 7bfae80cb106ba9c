import { describe, expect, test } from 'vitest'
import {
  affinityBasins,
  affinityTarget,
  agglomerate,
  basinGraph,
  contourTarget,
  type DecodeOptions,
  decodeBcCc,
  decodeBcMw,
  decodeCc,
  decodeMaps,
  decodeMw,
  decodeTracked,
  decodingOf,
  dilateInPlane,
  erodeContacts,
  flood,
  mergeSmallBasins,
  removeSmall,
  scoreObjects,
  system,
} from '../../../lib/models/segmentation/mitoem'
import { connectedComponents } from '../../../lib/ops'
import { parseConfig } from '../../../lib/pipeline'
import { Generator, randint, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { hashNoise, hashTensor } from './hash-noise'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]
const count = (labels: Tensor) => Number(labels.amax().item())
const bytes = (probability: Tensor) => probability.mul(255).to('uint8')

const B_CC: DecodeOptions = { seed: 0.8, contour: 1, foreground: 0, smallest: 0, smallestSeed: 0 }
const B_MW: DecodeOptions = { ...B_CC, seed: 0.98, foreground: 0.85 }
const BC_CC: DecodeOptions = { ...B_CC, contour: 0.5 }
const BC_MW: DecodeOptions = { ...B_CC, seed: 0.9, contour: 0.8, foreground: 0.85 }

type Shape = readonly [number, number, number]

/** Voxels where a rule holds, as `[D, H, W]` of 0 and 1. */
function where3([depth, height, width]: Shape, rule: (z: number, y: number, x: number) => boolean): Tensor {
  const values = new Uint8Array(depth * height * width)
  for (let i = 0; i < values.length; i++) {
    const [z, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width]
    values[i] = rule(z, y, x) ? 1 : 0
  }
  return tensor(values, { shape: [depth, height, width] })
}

const ellipsoid = (centre: Shape, radii: Shape) => (z: number, y: number, x: number) =>
  [z, y, x].reduce((sum, place, axis) => sum + ((place - (centre[axis] ?? 0)) / (radii[axis] ?? 1)) ** 2, 0) <= 1

/** A flood as the card says it, one voxel at a time. */
function slowFlood(
  levels: readonly number[],
  seeds: readonly number[],
  mask: readonly boolean[],
  shape: Shape,
): number[] {
  const [depth, height, width] = shape
  const labels = [...seeds]
  const waiting: { level: number; order: number; at: number }[] = []
  let order = 0
  for (const [at, seed] of seeds.entries()) if (seed !== 0) waiting.push({ level: levels[at] ?? 0, order: order++, at })
  while (waiting.length > 0) {
    waiting.sort((a, b) => b.level - a.level || a.order - b.order)
    const { at } = waiting.shift() as { at: number }
    const [z, y, x] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width]
    const neighbours: [number, boolean][] = [
      [at - height * width, z > 0],
      [at - width, y > 0],
      [at - 1, x > 0],
      [at + 1, x + 1 < width],
      [at + width, y + 1 < height],
      [at + height * width, z + 1 < depth],
    ]
    for (const [next, inside] of neighbours) {
      if (!inside || labels[next] !== 0 || !mask[next]) continue
      labels[next] = labels[at] ?? 0
      waiting.push({ level: levels[next] ?? 0, order: order++, at: next })
    }
  }
  return labels
}

describe('7. components and flood', () => {
  test('are those of a flood that looks at one voxel after the other', async () => {
    await tidyAsync(async () => {
      for (const seed of [1, 2, 3]) {
        const shape: Shape = [5, 9, 8]
        const p = randint(0, 256, shape, { generator: new Generator(seed), dtype: 'uint8' })
        const seeds = connectedComponents(p.gt(230), { connectivity: 26 }).labels
        const within = p.gt(60)
        const found = await flood(p, seeds, within)
        const mask = numbers(within).map((value) => value > 0)
        expect(numbers(found)).toEqual(slowFlood(numbers(p), numbers(seeds), mask, shape))
        // Components by joining numbers until nothing changes, numbered by their first voxel.
        const inside = numbers(p.gt(200))
        const own = inside.map((value, at) => (value > 0 ? at + 1 : 0))
        const [, h, w] = shape
        for (let changed = true; changed; ) {
          changed = false
          for (const [at, value] of own.entries()) {
            if (value === 0) continue
            for (const [other, number] of own.entries()) {
              if (number === 0 || number >= value) continue
              const gap = Math.max(
                Math.abs(Math.floor(at / (h * w)) - Math.floor(other / (h * w))),
                Math.abs((Math.floor(at / w) % h) - (Math.floor(other / w) % h)),
                Math.abs((at % w) - (other % w)),
              )
              if (gap <= 1) {
                own[at] = number
                changed = true
                break
              }
            }
          }
        }
        const order = [...new Set(own.filter((value) => value > 0))].sort((a, b) => a - b)
        const wanted = own.map((value) => (value === 0 ? 0 : order.indexOf(value) + 1))
        expect(numbers(connectedComponents(p.gt(200), { connectivity: 26 }).labels)).toEqual(wanted)
      }
    })
  })
})

test('20. the flood of the card', async () => {
  await tidyAsync(async () => {
    const noise = hashTensor('flood', [20, 20, 20], 'float64')
    // A Gaussian of radius 5 whose border mirrors with the edge, along each axis.
    const mirrored = (i: number) => (i < 0 ? -1 - i : i >= 20 ? 39 - i : i)
    const weights = Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.2 ** 2)))
    const total = weights.reduce((sum, weight) => sum + weight)
    const smooth = [0, 1, 2].reduce((x: Tensor, dim) => {
      const parts = weights.map((weight, k) => {
        const places = Array.from({ length: 20 }, (_, i) => mirrored(i + k - 5))
        return x.indexSelect(dim, tensor(places, { dtype: 'int64' })).mul(weight / total)
      })
      return parts.reduce((sum, part) => sum.add(part))
    }, noise)
    const p = smooth.mul(400).add(128).clamp({ min: 0, max: 255 }).to('uint8')
    const seeds = connectedComponents(p.gt(175), { connectivity: 26 }).labels
    const within = p.gt(110)
    expect(count(seeds)).toBe(32)
    expect(Number(within.sum().item())).toBe(5399)
    const labels = numbers(await flood(p, seeds, within))
    const sizes = Array.from({ length: 8 }, (_, label) => labels.filter((value) => value === label).length)
    expect(sizes.slice(1)).toEqual([543, 20, 61, 122, 90, 117, 256])
    expect(labels.filter((value) => value > 0)).toHaveLength(5399)
  })
})

describe('8. two ellipsoids that touch in a slice', () => {
  const shape: Shape = [9, 40, 60]
  const [one, two] = [ellipsoid([4, 20, 19], [3.5, 10, 12]), ellipsoid([4, 20, 42], [3.5, 10, 12])]
  const labels = () => where3(shape, one).to('int32').maximum(where3(shape, two).to('int32').mul(2))

  test('are one object by their mask, and two with contours', async () => {
    await tidyAsync(async () => {
      const truth = labels()
      const size = Number(truth.gt(0).sum().item())
      const mask = bytes(truth.gt(0).to('float32'))
      const contour = bytes(contourTarget(erodeContacts(truth)).squeeze(0))
      expect(count(await decodeCc(mask, B_CC))).toBe(1)
      // By components alone the band of the contour is lost; widening it by two voxels gives most of it back.
      const inner = connectedComponents(mask.gt(204).logicalAnd(contour.lt(127)), { connectivity: 26 })
      expect(Number(inner.labels.gt(0).sum().item())).toBeLessThan(0.75 * size)
      expect(count(await decodeBcCc(mask, contour, BC_CC))).toBe(2)
      const grown = await decodeBcMw(mask, contour, BC_MW)
      expect(count(grown)).toBe(2)
      expect(Number(grown.gt(0).sum().item())).toBeGreaterThan(0.97 * size)
      const right = Number(grown.eq(truth).logicalAnd(truth.gt(0)).sum().item())
      expect(right).toBeGreaterThan(0.97 * size)
      // Eroded labels keep them apart already in the mask.
      expect(count(await decodeCc(bytes(erodeContacts(truth).gt(0).to('float32')), B_CC))).toBe(2)
    })
  })

  test('that touch from slice to slice are one whatever the decoder: there is no contour between slices', async () => {
    await tidyAsync(async () => {
      const stacked = [ellipsoid([4, 20, 20], [4.2, 12, 12]), ellipsoid([12, 20, 20], [4.2, 12, 12])] as const
      const [a, b] = stacked.map((inside) => where3([17, 40, 40], inside).to('int32'))
      const truth = (a as Tensor).maximum((b as Tensor).mul(2))
      const mask = bytes(truth.gt(0).to('float32'))
      const contour = bytes(contourTarget(erodeContacts(truth)).squeeze(0))
      for (const found of [
        await decodeCc(mask, B_CC),
        await decodeBcCc(mask, contour, BC_CC),
        await decodeBcMw(mask, contour, BC_MW),
      ]) {
        expect(count(found)).toBe(1)
      }
    })
  })
})

describe('9, 21. mitochondria on a string', () => {
  const shape: Shape = [17, 17, 50]
  const ball = (x0: number) => ellipsoid([8, 8, x0], [6, 6, 6])
  const isBall = (z: number, y: number, x: number) => ball(9)(z, y, x) || ball(40)(z, y, x)
  const isTube = (z: number, y: number, x: number) => z === 8 && y === 8 && x >= 15 && x <= 34
  const phantom = (tube: number) => {
    const balls = where3(shape, isBall).to('float64')
    const string = where3(shape, isTube).to('float64').mul(tube)
    return bytes(balls.maximum(string))
  }

  test.each([
    [1, 1, 1],
    [0.99, 1, 1],
    [0.98, 1, 2],
    [0.9, 1, 2],
    [0.85, 1, 2],
    [0.82, 1, 2],
    [0.7, 2, 2],
  ])('with a tube of probability %d: B+CC finds %d, B+MW %d', async (tube, components, grown) => {
    await tidyAsync(async () => {
      const map = phantom(tube)
      expect(Number(map.gt(0).sum().item())).toBe(1868)
      expect(count(await decodeCc(map, B_CC))).toBe(components)
      const found = await decodeMw(map, B_MW)
      expect(count(found)).toBe(grown)
      const sizes = [1, 2].map((label) => Number(found.eq(label).sum().item()))
      if (tube === 0.98) expect(sizes).toEqual([934, 934])
      if (tube === 0.85) expect(sizes).toEqual([925, 925])
    })
  })
})

describe('11. affinities', () => {
  const shape: Shape = [6, 12, 12]
  const labels = () =>
    where3(shape, (_z, y, x) => y >= 1 && y < 6 && x >= 1 && x < 11)
      .to('int32')
      .add(
        where3(shape, (_z, y, x) => y >= 6 && y < 11 && x >= 1 && x < 6)
          .to('int32')
          .mul(2),
      )
      .add(
        where3(shape, (_z, y, x) => y >= 6 && y < 11 && x >= 6 && x < 11)
          .to('int32')
          .mul(3),
      )
  const noisy = () => {
    const noise = hashNoise('aff', 3 * 6 * 12 * 12).map((value) => 0.25 + 0.25 * value)
    const inside = numbers(affinityTarget(labels()))
    return noise.map((n, i) => (inside[i] === 1 ? 1 - n : n))
  }
  const limits = { low: 0.1, high: 0.95 }

  test('make the basins, and the merged segments, of the card', () => {
    tidy(() => {
      const affinities = noisy()
      const basins = affinityBasins(affinities, shape, limits)
      expect(basins.count).toBe(212)
      const edges = basinGraph(basins, affinities, shape)
      const merged = (size: number, merge: number) => mergeSmallBasins(basins, edges, { size, merge }).count
      expect([0, 5, 10, 50, 600].map((size) => merged(size, 0.3))).toEqual([212, 88, 30, 10, 7])
      expect([0, 5, 50, 600].map((size) => merged(size, 0.55))).toEqual([212, 127, 62, 61])
      const score = (sum: number, many: number) => 1 - sum / many
      const joined = [0.1, 0.3, 0.4, 0.5, 0.6, 0.9].map((limit) => agglomerate(basins, edges, { score, limit }).count)
      expect(joined).toEqual([200, 102, 70, 63, 60, 1])
      // Nothing is merged: the watershed itself.
      expect(mergeSmallBasins(basins, edges, { size: 0, merge: 0.3 }).labels).toEqual(basins.labels)
    })
  })

  test('that are perfect give the truth, by every way', async () => {
    await tidyAsync(async () => {
      const maps = bytes(affinityTarget(labels()))
      for (const decoder of ['zwatershed', 'waterz', 'multicut'] as const) {
        const config = parseConfig(
          system.config,
          { network: { representation: 'A' }, decoding: { decoder, smallest: 1 } },
          'test',
        )
        const found = await decodeMaps(maps, 'A', decodingOf(config))
        expect(numbers(found)).toEqual(numbers(labels()))
      }
    })
  })

  test('need three for each voxel, and the right decoder', () => {
    expect(() => affinityBasins(new Float32Array(5), [1, 1, 1], limits)).toThrow(/there are 5 for 1 × 1 × 1 voxels/)
    const config = parseConfig(system.config, { decoding: { decoder: 'waterz' } }, 'test')
    expect(() => decodingOf(config)).toThrow(/waterz is for affinities; the network predicts BC/)
    const other = parseConfig(system.config, { network: { representation: 'A' }, decoding: { decoder: 'mw' } }, 'test')
    expect(() => decodingOf(other)).toThrow(/mw is for masks; the network predicts A/)
  })
})

describe('parts of decoders', () => {
  test('small objects are removed and the others numbered anew', () => {
    tidy(() => {
      const labels = tensor(Int32Array.from([1, 2, 2, 0, 3, 3, 3, 9]), { shape: [1, 1, 8] })
      expect(numbers(removeSmall(labels, 2))).toEqual([0, 1, 1, 0, 2, 2, 2, 0])
      expect(numbers(removeSmall(labels, 0))).toEqual([1, 2, 2, 0, 3, 3, 3, 4])
      expect(numbers(removeSmall(zeros([1, 2, 2], { dtype: 'int32' }), 3))).toEqual([0, 0, 0, 0])
    })
  })

  test('widening is of the slice alone, and the higher number wins', () => {
    tidy(() => {
      const labels = zeros([2, 1, 7], { dtype: 'int32' })
      labels
        .select(0, 0)
        .select(0, 0)
        .copy_(tensor(Int32Array.from([1, 0, 0, 0, 2, 0, 0])))
      expect(numbers(dilateInPlane(labels, 2))).toEqual([1, 1, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0])
    })
  })

  test('slices are joined by their best overlap alone', async () => {
    await tidyAsync(async () => {
      const row = (text: string) => [...text].map((each) => (each === '#' ? 1 : 0))
      const rows = ['####..##..', '####..#...', '.##.##.##.', '..........', '.##...##..']
      const mask = tensor(Uint8Array.from(rows.flatMap(row)), { shape: [5, 1, 10] }).mul(255)
      const found = numbers(await decodeTracked(mask, { ...B_CC, leastOverlap: 0.25 }))
      const lines = rows.map((_, z) => found.slice(10 * z, 10 * z + 10).join(''))
      // The third row's first piece has 2 of 4 voxels in common with the object above; its others have too little.
      expect(lines).toEqual(['1111002200', '1111002000', '0110330440', '0000000000', '0550006600'])
    })
  })

  test('scores are means of the maps, and sizes those of the objects', () => {
    tidy(() => {
      const labels = tensor(Int32Array.from([0, 1, 1, 2]), { shape: [1, 1, 4] })
      const maps = tensor(Uint8Array.from([9, 255, 51, 102]), { shape: [1, 1, 1, 4] })
      const scores = scoreObjects(labels, maps, 'B')
      expect(scores.map(({ label, voxels }) => [label, voxels])).toEqual([
        [1, 2],
        [2, 1],
      ])
      expect(scores[0]?.score).toBeCloseTo(0.6, 12)
      expect(scores[1]?.score).toBeCloseTo(0.4, 12)
    })
  })
})
