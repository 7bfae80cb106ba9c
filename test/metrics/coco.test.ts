import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  boxOverlap,
  type CocoRle,
  decodeMask,
  encodeMask,
  evaluateCoco,
  keypointSimilarity,
  maskArea,
  maskBox,
  maskOfBox,
  maskOfPolygon,
  maskOverlap,
  mergeMasks,
  packCounts,
  unpackCounts,
} from '../../lib/metrics'
import { ones, tensor, tidy } from '../../lib/tensor'
import { cocoCase, Draw, polygonCase } from '../support/coco-cases'

interface Reference {
  readonly stats: readonly (readonly number[])[]
  readonly polygons: readonly {
    readonly parts: readonly string[]
    readonly union: string
    readonly shared: string
    readonly encoded: string
    readonly area: number
    readonly box: readonly number[]
    readonly pixels: string
    readonly iou: number
    readonly crowd: number
  }[]
}

const reference: Reference = JSON.parse(readFileSync(new URL('../fixtures/metrics/coco.json', import.meta.url), 'utf8'))

describe('evaluateCoco', () => {
  test('gives the numbers of pycocotools in 200 random cases', () => {
    expect(reference.stats).toHaveLength(200)
    const differences = reference.stats.map((expected, index) => {
      const { kind, truth, detections } = cocoCase(index)
      const { stats } = evaluateCoco(truth, detections, kind)
      expect(stats).toHaveLength(expected.length)
      return Math.max(...expected.map((value, i) => Math.abs(value - (stats[i] ?? Number.NaN))))
    })
    expect(Math.max(...differences)).toBeLessThanOrEqual(1e-12)
  })

  const image = { id: 7, width: 100, height: 100 }
  const object = { image_id: 7, category_id: 2, bbox: [10, 10, 40, 40], area: 1600, iscrowd: 0 } as const
  const truth = { images: [image], categories: [{ id: 2 }, { id: 5 }], annotations: [object] }

  test('counts by hand: a box found with an overlap of 0.6, after a false one', () => {
    const detections = [
      { image_id: 7, category_id: 2, bbox: [60, 60, 20, 20], score: 0.9 },
      // 40 × 24 of 40 × 40.
      { image_id: 7, category_id: 2, bbox: [10, 10, 40, 24], score: 0.8 },
    ] as const
    const summary = evaluateCoco(truth, detections)
    // Precision is 1/2 at every recall for the thresholds 0.5, 0.55 and 0.6.
    expect(summary.ap50).toBeCloseTo(0.5, 12)
    expect(summary.ap75).toBe(0)
    expect(summary.ap).toBeCloseTo((3 * 0.5) / 10, 12)
    expect(summary.ar).toBeCloseTo(3 / 10, 12)
    expect(summary.arByDetections).toEqual([0, summary.ar, summary.ar])
    // The false box is a small one: among medium objects it does not count, and precision is 1.
    expect([summary.apSmall, summary.apLarge]).toEqual([-1, -1])
    expect(summary.apMedium).toBeCloseTo(3 / 10, 12)
    expect([...summary.apByCategory]).toEqual([
      [2, summary.ap],
      [5, -1],
    ])
  })

  test('refuses what it cannot count', () => {
    const found = { image_id: 7, category_id: 2, score: 0.5, bbox: object.bbox }
    expect(() => evaluateCoco(truth, [{ ...found, image_id: 8 }])).toThrow(/detection 0 is in picture 8/)
    expect(() => evaluateCoco(truth, [{ ...found, score: Number.NaN }])).toThrow(/score of detection 0 is NaN/)
    expect(() => evaluateCoco(truth, [found], 'masks')).toThrow(/picture 7 has no segmentation/)
    expect(() => evaluateCoco(truth, [found], 'boxes', { maxDetections: [0] })).toThrow(/maxDetections is \[0\]/)
    expect(evaluateCoco(truth, []).stats.slice(0, 2)).toEqual([0, 0])
  })
})

describe('masks as run lengths', () => {
  test('are what pycocotools makes of polygons', () => {
    for (const [index, expected] of reference.polygons.entries()) {
      const { polygons, height, width } = polygonCase(new Draw(`polygon${index}`))
      const parts = polygons.map((polygon) => maskOfPolygon(polygon, height, width))
      const [union, shared] = [mergeMasks(parts), mergeMasks(parts, { intersect: true })]
      expect(parts.map(({ counts }) => counts)).toEqual(expected.parts)
      expect([union.counts, shared.counts]).toEqual([expected.union, expected.shared])
      expect(maskArea(union)).toBe(expected.area)
      expect(maskBox(union)).toEqual(expected.box)
      tidy(() => {
        const pixels = decodeMask(union)
        const digest = createHash('sha256')
          .update(pixels.contiguous().dataSync() as Uint8Array)
          .digest('hex')
        expect(digest.slice(0, 16)).toBe(expected.pixels)
        expect(encodeMask(pixels).counts).toBe(expected.encoded)
      })
      const [part = union] = parts
      expect(maskOverlap(part, union)).toBeCloseTo(expected.iou, 14)
      expect(maskOverlap(union, part, true)).toBeCloseTo(expected.crowd, 14)
    }
  })

  test('fill a box by its pixels, and go both ways', () => {
    tidy(() => {
      const mask = maskOfBox([1, 2, 3, 1], 4, 6)
      expect(decodeMask(mask).toArray()).toEqual([
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
      ])
      expect(unpackCounts(mask.counts as string)).toEqual([6, 1, 3, 1, 3, 1, 9])
      expect(maskBox(mask)).toEqual([1, 2, 3, 1])
      expect(encodeMask(decodeMask(mask)).counts).toBe(mask.counts)
      expect(unpackCounts(packCounts([0, 100000, 3, 7, 90000, 1]))).toEqual([0, 100000, 3, 7, 90000, 1])
      expect(maskArea(encodeMask(ones([3, 5])))).toBe(15)
      expect(maskBox({ size: [2, 2], counts: [4] })).toEqual([0, 0, 0, 0])
    })
  })

  test.each<[CocoRle, RegExp]>([
    [{ size: [2, 2], counts: [3] }, /cover 3 pixels; a mask of 2 × 2 has 4/],
    [{ size: [2, 2], counts: [5, -1] }, /a run of -1 pixels/],
    [{ size: [2, 2], counts: '!' }, /'!' is no string of run lengths/],
    [{ size: [2, 2], counts: 'o' }, /wrong at character 2/],
  ])('are refused when they are malformed: %j', (mask, message) => {
    expect(() => maskArea(mask)).toThrow(message)
  })

  test('of different pictures are not compared, polygons of two corners not filled', () => {
    const [a, b] = [maskOfBox([0, 0, 1, 1], 2, 2), maskOfBox([0, 0, 1, 1], 2, 3)]
    expect(() => maskOverlap(a, b)).toThrow(/2 × 2 and 2 × 3/)
    expect(() => mergeMasks([])).toThrow(/no masks/)
    expect(() => maskOfPolygon([0, 0, 1, 1], 2, 2)).toThrow(/a polygon has 4 values/)
    expect(() => encodeMask(tensor([1]))).toThrow(/the mask is \[1\]/)
  })
})

test('overlap with a crowd is the share of the detection inside it', () => {
  expect(boxOverlap([0, 0, 2, 2], [1, 0, 10, 10])).toBeCloseTo(2 / 102, 14)
  expect(boxOverlap([0, 0, 2, 2], [1, 0, 10, 10], true)).toBe(0.5)
})

test('similarity of keypoints falls with the distance by the size of the object', () => {
  const object = { bbox: [0, 0, 10, 10], area: 100 } as const
  // At a distance of 2σ·√area the similarity is e^(−1/2).
  expect(keypointSimilarity([2, 0, 1], { ...object, keypoints: [0, 0, 2] }, [0.1])).toBeCloseTo(Math.exp(-0.5), 12)
  // Without marks: 5 to the right of twice the box.
  expect(keypointSimilarity([25, 0, 1], { ...object, keypoints: [0, 0, 0] }, [0.1])).toBeCloseTo(Math.exp(-25 / 8), 12)
  expect(() => keypointSimilarity([1, 2], { ...object, keypoints: [0, 0, 0] }, [0.1])).toThrow(/2 numbers for 1 points/)
})
