// Against scikit-image, scipy and loops over pairs; tools/reference/segmentation_metrics.py wrote the numbers.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  adaptedRandError,
  averageSurfaceDistance,
  boundaryFScore,
  contingencyTable,
  hausdorffDistance,
  instanceAveragePrecision,
  panopticQuality,
  surfaceDistances,
  variationOfInformation,
} from '../../lib/metrics'
import { ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'

const REFERENCE = JSON.parse(readFileSync(new URL('../fixtures/metrics/segmentation.json', import.meta.url), 'utf8'))
const labels = (values: number[], shape: number[]) => tensor(values, { dtype: 'int64', shape })
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))

let before = 0
beforeEach(async () => {
  before = await liveTensors()
})
afterEach(async () => expect(await liveTensors()).toBe(before))

/** Segments one after the other, as label and length. */
const runs = (...parts: readonly (readonly [label: number, length: number])[]) =>
  labels(
    parts.flatMap(([label, length]) => new Array<number>(length).fill(label)),
    [parts.reduce((sum, [, length]) => sum + length, 0)],
  )

describe('partitions', () => {
  scoped('differ as scikit-image says', () => {
    for (const one of REFERENCE.partitions) {
      const [predicted, target] = [labels(one.predicted, one.shape), labels(one.target, one.shape)]
      const { split, merge, total } = variationOfInformation(predicted, target)
      expect(split).toBeCloseTo(one.information[0], 12)
      expect(merge).toBeCloseTo(one.information[1], 12)
      expect(total).toBeCloseTo(one.information[0] + one.information[1], 12)
      const without = variationOfInformation(predicted, target, { ignoreLabels: [0] })
      expect(without.split).toBeCloseTo(one.withoutBackground[0], 12)
      expect(without.merge).toBeCloseTo(one.withoutBackground[1], 12)
      const { error, precision, recall } = adaptedRandError(predicted, target)
      // scikit-image 0.26 divides by the pairs of the target where its page says those of the prediction, and the reverse.
      for (const [i, value] of [error, recall, precision].entries()) expect(value).toBeCloseTo(one.rand[i], 12)
      const whole = adaptedRandError(predicted, target, { ignoreLabels: [], alpha: 0.3 })
      expect(whole.error).toBeCloseTo(one.whole[0], 12)
    }
  })

  scoped('cut or joined are told apart by hand', () => {
    const [whole, halves] = [runs([1, 8]), runs([1, 4], [2, 4])]
    expect(variationOfInformation(halves, whole)).toEqual({ split: 1, merge: 0, total: 1 })
    expect(variationOfInformation(whole, halves)).toEqual({ split: 0, merge: 1, total: 1 })
    // Of 56 ordered pairs in the whole, 24 are together in the halves.
    expect(adaptedRandError(whole, halves)).toMatchObject({ precision: 24 / 56, recall: 1 })
    expect(() => adaptedRandError(whole, zeros([8], { dtype: 'int64' }))).toThrow(/no place of the targets counts/)
  })

  scoped('overlap as counted', () => {
    const table = contingencyTable(labels([7, 7, 0, -2], [2, 2]), labels([1, 3, 3, 3], [2, 2]))
    expect(table.predicted).toEqual({ labels: [-2, 0, 7], areas: [1, 1, 2] })
    expect(table.actual).toEqual({ labels: [1, 3], areas: [1, 3] })
    expect(table.overlaps.map(({ row, column, area }) => [row, column, area])).toEqual([
      [0, 1, 1],
      [1, 1, 1],
      [2, 0, 1],
      [2, 1, 1],
    ])
  })
})

describe('outlines', () => {
  scoped('are as far apart as scipy says, in images and volumes, whatever the spacing', () => {
    for (const one of REFERENCE.outlines) {
      const [predicted, target] = [labels(one.predicted, one.shape), labels(one.target, one.shape)]
      const { spacing, tolerance } = one
      expect(hausdorffDistance(predicted, target, { spacing })).toBeCloseTo(one.hausdorff, 10)
      expect(hausdorffDistance(predicted, target, { spacing, percentile: 95 })).toBeCloseTo(one.hd95, 10)
      expect(averageSurfaceDistance(predicted, target, { spacing })).toBeCloseTo(one.assd, 10)
      const { precision, recall, fScore } = boundaryFScore(predicted, target, { spacing, tolerance })
      for (const [i, value] of [precision, recall, fScore].entries()) expect(value).toBeCloseTo(one.boundary[i], 12)
    }
  })

  scoped('of two squares are where geometry says', () => {
    const square = (top: number, left: number, size: number): Tensor => {
      const mask = zeros([12, 12])
      mask.narrow(0, top, size).narrow(1, left, size).fill_(1)
      return mask
    }
    // A 5 × 5 square has 16 places at its edge; moved by two, one side is two away.
    const { fromPrediction, fromTarget } = surfaceDistances(square(2, 2, 5), square(2, 4, 5))
    expect([fromPrediction.length, fromTarget.length]).toEqual([16, 16])
    expect(hausdorffDistance(square(2, 2, 5), square(2, 4, 5))).toBe(2)
    expect(hausdorffDistance(square(2, 2, 5), square(2, 4, 5), { spacing: [1, 0.5] })).toBe(1)
    expect(hausdorffDistance(square(0, 0, 1), square(3, 4, 1))).toBe(5)
    expect(averageSurfaceDistance(square(1, 1, 3), square(1, 1, 3))).toBe(0)
  })

  scoped('of empty masks', () => {
    const [empty, full] = [zeros([4, 5]), ones([4, 5])]
    expect([hausdorffDistance(empty, empty), hausdorffDistance(empty, full)]).toEqual([0, Number.POSITIVE_INFINITY])
    expect([averageSurfaceDistance(empty, empty), averageSurfaceDistance(full, empty)]).toEqual([
      0,
      Number.POSITIVE_INFINITY,
    ])
    expect(boundaryFScore(empty, empty).fScore).toBe(1)
    expect(boundaryFScore(full, empty).fScore).toBe(0)
  })
})

describe('instances', () => {
  scoped('have the precision that loops over pairs find, in all ranges of size', () => {
    for (const one of REFERENCE.instances) {
      const [predicted, target] = [labels(one.predicted, one.shape), labels(one.target, one.shape)]
      const ranges = Object.fromEntries(
        Object.entries(one.ranges as Record<string, [number, number]>).map(([name, [above, upTo]]) => [
          name,
          { above, upTo },
        ]),
      )
      const found = instanceAveragePrecision(predicted, target, { thresholds: one.thresholds, ranges })
      expect([...found.ranges.keys()]).toEqual(['all', 'small', 'medium', 'large'])
      for (const [name, values] of Object.entries(one.precision as Record<string, (number | null)[]>)) {
        const got = found.ranges.get(name)?.averagePrecision ?? []
        expect(got).toHaveLength(values.length)
        for (const [i, value] of values.entries()) expect(got[i]).toBeCloseTo(value ?? Number.NaN, 12)
      }
    }
  })

  const MITO = {
    small: { above: 0, upTo: 5000 },
    medium: { above: 5000, upTo: 15000 },
    large: { above: 15000, upTo: Number.POSITIVE_INFINITY },
  }
  const precisions = (predicted: Tensor, target: Tensor) => {
    const { ranges } = instanceAveragePrecision(predicted, target, { thresholds: [0.75], ranges: MITO })
    return [...ranges.values()].map(({ averagePrecision }) => averagePrecision[0] ?? Number.NaN)
  }

  scoped('of the sizes of mitochondria by hand', () => {
    const target = runs([1, 4000], [0, 9], [2, 6000], [0, 9], [3, 20000], [0, 9], [4, 5000], [0, 3000])
    const predicted = (part: number) =>
      runs([1, 4000], [0, 9], [2, part], [0, 6009 - part], [3, 20000], [0, 9], [0, 5000], [5, 3000])
    const near = (values: number[], expected: number[]) =>
      expect(values.map((value) => Math.round(value * 1e6) / 1e6)).toEqual(expected)
    // IoU 0.8: three of four objects found, the false one last; a false one of the size small.
    near(precisions(predicted(4800), target), [0.752475, 0.50495, 1, 1])
    // IoU 0.7: the part of the medium object is false, and small itself.
    near(precisions(predicted(4200), target), [0.422442, 0.252475, 0, 1])
  })

  scoped('follow their scores, and are found once', () => {
    const target = runs([1, 10], [2, 10], [3, 10], [4, 10])
    const predicted = runs([5, 10], [6, 10], [7, 10], [8, 7], [0, 3])
    const ap = (scores?: ReadonlyMap<number, number>) =>
      instanceAveragePrecision(predicted, target, { thresholds: [0.75], scores }).ranges.get('all')?.averagePrecision[0]
    expect(ap()).toBeCloseTo(76 / 101, 12)
    const wrongFirst = new Map([5, 6, 7, 8].map((label) => [label, label]))
    expect(ap(wrongFirst)).toBeCloseTo((0.75 * 76) / 101, 12)
    expect(() => ap(new Map())).toThrow(/label 5 has no score/)
    // Two exact halves reach an overlap of ½ both; one of them finds the object.
    const halves = instanceAveragePrecision(runs([1, 5], [2, 5]), runs([9, 10]), { thresholds: [0.5] })
    expect(halves.ranges.get('all')?.averagePrecision).toEqual([1])
    expect(halves.ranges.get('all')?.matches.map(({ iou }) => iou)).toEqual([0.5, 0.5])
    const missing = instanceAveragePrecision(runs([1, 5], [0, 15]), runs([3, 5], [0, 5], [4, 10]))
    expect(missing.missed).toEqual([4])
    expect(missing.ranges.get('all')?.averagePrecision[9]).toBeCloseTo(51 / 101, 12)
    const none = instanceAveragePrecision(runs([1, 5]), runs([0, 5]))
    expect(none.ranges.get('all')?.averagePrecision[0]).toBeNaN()
  })
})

describe('panoptic quality', () => {
  scoped('is that of loops over pairs, with void and crowds', () => {
    const { scenes, categories, quality } = REFERENCE.panoptic
    const made = scenes.map((one: Record<string, never>) => ({
      prediction: { segments: labels(one.predicted ?? [], one.shape ?? []), categories: new Map(one.guesses) },
      target: {
        segments: labels(one.target ?? [], one.shape ?? []),
        categories: new Map(one.kinds),
        crowds: new Set(one.crowds),
      },
    }))
    const summary = panopticQuality(made)
    expect(summary.quality).toBeCloseTo(quality, 12)
    for (const [category, [pq, sq, tp, fp, fn]] of categories) {
      const score = summary.categories.get(category)
      expect([score?.found, score?.falsePositives, score?.falseNegatives]).toEqual([tp, fp, fn])
      expect(score?.quality).toBeCloseTo(pq, 12)
      expect(score?.segmentation).toBeCloseTo(sq, 12)
    }
    const things = panopticQuality(made, new Set([1]))
    expect(things.quality).toBeCloseTo(categories[1][1][0], 12)
  })

  scoped('needs more than half in common', () => {
    const scene = (segments: Tensor) => ({
      prediction: { segments, categories: new Map([[1, 3]]) },
      target: {
        segments: runs([1, 10], [2, 10]),
        categories: new Map([
          [1, 3],
          [2, 4],
        ]),
      },
    })
    const half = panopticQuality([scene(runs([1, 5], [0, 15]))])
    expect(half.categories.get(3)).toMatchObject({ found: 0, falsePositives: 1, falseNegatives: 1, quality: 0 })
    const more = panopticQuality([scene(runs([1, 6], [0, 14]))])
    expect(more.categories.get(3)).toMatchObject({ found: 1, quality: 0.6, segmentation: 0.6, recognition: 1 })
    expect(more.quality).toBe(0.3)
  })
})

describe('bad input is named', () => {
  const two = () => ones([2, 2], { dtype: 'int64' })
  test.each([
    [
      /variationOfInformation: predictions are \[2, 2\], targets \[2, 3\]/,
      () => variationOfInformation(two(), ones([2, 3], { dtype: 'int64' })),
    ],
    [/targets is float32; labels are whole numbers/, () => adaptedRandError(two(), ones([2, 2]))],
    [/masks are \[2\]; they must be/, () => hausdorffDistance(ones([2]), ones([2]))],
    [/spacing is \[1\]; it is 2 numbers/, () => hausdorffDistance(two(), two(), { spacing: [1] })],
    [/percentile is 101/, () => hausdorffDistance(two(), two(), { percentile: 101 })],
    [/thresholds are \[0\]/, () => instanceAveragePrecision(two(), two(), { thresholds: [0] })],
    [
      /picture 0: segment 1 of the target has no category/,
      () =>
        panopticQuality([
          {
            prediction: { segments: two(), categories: new Map([[1, 1]]) },
            target: { segments: two(), categories: new Map() },
          },
        ]),
    ],
    [/alpha is 2/, () => adaptedRandError(two(), two(), { alpha: 2 })],
  ])('%s', (message, fn) => {
    tidy(() => expect(fn).toThrow(message))
  })
})
