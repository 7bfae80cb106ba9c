import { describe, expect, test } from 'vitest'
import { contingencyTable } from '../../../lib/metrics'
import {
  annotationNoise,
  ap75,
  dilateLabels,
  erodeLabels,
  type InstanceReport,
  instanceReport,
  jaccard,
  type ReportOptions,
} from '../../../lib/models/segmentation/mitoem'
import { functional as F } from '../../../lib/nn'
import { Generator, randint, type Tensor, tensor, tidy } from '../../../lib/tensor'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]

/** A line of voxels: spans [from, to) of a label each. */
function line(length: number, ...spans: readonly (readonly [from: number, to: number, label: number])[]): Tensor {
  const values = new Int32Array(length)
  for (const [from, to, label] of spans) values.fill(label, from, to)
  return tensor(values, { shape: [1, 1, length] })
}

const classes = (report: InstanceReport) =>
  (['all', 'small', 'medium', 'large'] as const).map((name) => ap75(report, name))
const near = (values: readonly number[], wanted: readonly number[]) =>
  expect(values.map((value) => Math.round(value * 1e6) / 1e6)).toEqual(wanted)

describe('5. average precision', () => {
  const four = line(80, [0, 10, 1], [20, 30, 2], [40, 50, 3], [60, 70, 4])
  /** Objects of ten voxels, found (of the label) or missed by IoU 0.7. */
  const report = (order: string, options: ReportOptions = {}) => {
    const places = [0, 20, 40, 60]
    const spans = [...order].map(
      (kind, i) => [places[i] ?? 0, (places[i] ?? 0) + (kind === 'T' ? 10 : 7), i + 1] as const,
    )
    const scores = new Map([...order].map((_, i) => [i + 1, 10 - i]))
    return instanceReport(line(80, ...spans), four, { scores, ...options })
  }

  test('a. is 1 for the truth, in every class that has objects', () => {
    tidy(() => {
      const truth = line(60_000, [0, 4000, 1], [5000, 15_000, 2], [20_000, 50_000, 3])
      const same = instanceReport(truth, truth)
      expect(classes(same)).toEqual([1, 1, 1, 1])
      expect(same.missed).toEqual([])
      expect(same.notFound).toEqual([])
      expect(same.objects).toEqual({ all: 3, small: 1, medium: 1, large: 1 })
      const small = line(10, [0, 5, 1])
      expect(classes(instanceReport(small, small))).toEqual([1, 1, -1, -1])
    })
  })

  test('b, c. of four objects, one of which is missed last or first', () => {
    tidy(() => {
      near([ap75(report('TTTF')), ap75(report('FTTT'))], [0.752475, 0.564356])
    })
  })

  test('d. of an object in two halves: one is not found, two find nothing', () => {
    tidy(() => {
      const halves = line(80, [0, 5, 1], [5, 10, 2], [20, 30, 3], [40, 50, 4], [60, 70, 5])
      const scores = (first: number) => new Map([1, 2, 3, 4, 5].map((label) => [label, label <= 2 ? first : 1]))
      near([ap75(instanceReport(halves, four, { scores: scores(2) }))], [0.451485])
      near([ap75(instanceReport(halves, four, { scores: scores(0) }))], [0.752475])
      expect(instanceReport(halves, four).notFound).toEqual([1])
      const two = line(40, [0, 10, 1], [20, 30, 2])
      const twice = instanceReport(line(40, [0, 5, 1], [5, 10, 2]), two)
      near([twice.precision.all?.[0] ?? 0], [0.50495])
      expect(twice.missed).toEqual([2])
    })
  })

  test('19. of hits and misses in turn', () => {
    tidy(() => {
      const truth = line(120, [0, 10, 1], [20, 30, 2], [40, 50, 3], [60, 70, 4])
      const found = line(120, [0, 10, 1], [80, 90, 2], [20, 30, 3], [100, 110, 4], [40, 50, 5])
      const scores = new Map([1, 2, 3, 4, 5].map((label) => [label, -label]))
      near([ap75(instanceReport(found, truth, { scores }))], [0.570957])
    })
  })
})

describe('18, 19. classes of size', () => {
  const truth = () => line(60_000, [0, 4000, 1], [5000, 11_000, 2], [12_000, 32_000, 3], [40_000, 45_000, 4])
  const found = (part: number) =>
    line(60_000, [0, 4000, 1], [5000, 5000 + part, 2], [12_000, 32_000, 3], [50_000, 53_000, 4])

  test('are those of the truth', () => {
    tidy(() => {
      near(classes(instanceReport(found(4800), truth())), [0.752475, 0.50495, 1, 1])
      near(classes(instanceReport(found(4200), truth())), [0.422442, 0.252475, 0, 1])
      const { rows, missed } = instanceReport(found(4800), truth())
      expect(rows[1]).toEqual({
        label: 2,
        voxels: 4800,
        score: 4800,
        matches: {
          all: { object: 2, voxels: 6000, iou: 0.8 },
          small: { object: 2, voxels: 6000, iou: 0.8 },
          medium: { object: 2, voxels: 6000, iou: 0.8 },
          large: { object: 2, voxels: 6000, iou: 0.8 },
        },
      })
      expect(missed).toEqual([4])
    })
  })

  test('by the released rule, and by COCO’s', () => {
    tidy(() => {
      const objects = line(13_000, [0, 6000, 1], [6000, 6400, 2], [10_000, 13_000, 3])
      const predictions = line(13_000, [1200, 6010, 1], [10_000, 13_000, 2])
      const released = instanceReport(predictions, objects)
      const coco = instanceReport(predictions, objects, { ranges: 'coco' })
      near([ap75(released, 'small'), ap75(released, 'medium')], [0.252475, 1])
      near([ap75(coco, 'small'), ap75(coco, 'medium')], [0.50495, 1])
    })
  })
})

test('6. overlaps are those of a loop over pairs of objects', () => {
  tidy(() => {
    const shape = [64, 64, 64]
    const blocks = (seed: number, most: number) =>
      F.interpolate(
        randint(0, most, [1, 1, 16, 16, 16], { generator: new Generator(seed), dtype: 'int64' }).to('float32'),
        { size: [64, 64, 64], mode: 'nearest' },
      )
        .squeeze(0)
        .squeeze(0)
        .to('int32')
    const [predicted, truth] = [blocks(1, 40), blocks(2, 30)]
    expect(predicted.shape).toEqual(shape)
    const { predicted: rows, actual: columns, overlaps } = contingencyTable(predicted, truth)
    const seen = new Map(
      overlaps.map(({ row, column, area }) => [`${rows.labels[row]} ${columns.labels[column]}`, area]),
    )
    for (let a = 0; a < 40; a += 7) {
      for (let b = 0; b < 30; b += 3) {
        const area = Number(predicted.eq(a).logicalAnd(truth.eq(b)).sum().item())
        expect(seen.get(`${a} ${b}`) ?? 0).toBe(area)
      }
    }
    expect([...seen.values()].reduce((sum, area) => sum + area)).toBe(64 ** 3)
  })
})

describe('13. a voxel more or less', () => {
  const SIDE = 48
  /** Balls of a radius, far apart, and their labels one voxel larger and smaller. */
  const balls = (radius: number) => {
    const values = new Int32Array(SIDE ** 3)
    const centres = [12, 36].flatMap((z) => [12, 36].flatMap((y) => [12, 36].map((x) => [z, y, x] as const)))
    for (let i = 0; i < values.length; i++) {
      const place = [Math.floor(i / SIDE ** 2), Math.floor(i / SIDE) % SIDE, i % SIDE]
      const at = centres.findIndex((centre) => Math.hypot(...centre.map((c, axis) => c - (place[axis] ?? 0))) <= radius)
      values[i] = at + 1
    }
    return tensor(values, { shape: [SIDE, SIDE, SIDE] })
  }
  test.each([
    [7, 1419, 0],
    [8, 2109, 0],
    [11, 5575, 1],
  ])('of balls of radius %d, %d voxels each: AP-75 is %d', (radius, voxels, expected) => {
    tidy(() => {
      const truth = balls(radius)
      expect(numbers(truth.eq(1).sum())).toEqual([voxels])
      const found = annotationNoise(truth)
      for (const control of [found.dilated, found.eroded]) {
        expect(control.jaccard).toBeLessThan(0.95)
        expect(control.ap75).toBe(expected)
      }
    })
  })
})

test('a voxel more goes to six sides, and the higher number wins', () => {
  tidy(() => {
    const labels = tensor(Int32Array.from([0, 1, 0, 0, 2, 2, 2, 0]), { shape: [1, 1, 8] })
    expect(numbers(dilateLabels(labels))).toEqual([1, 1, 1, 2, 2, 2, 2, 2])
    expect(numbers(erodeLabels(labels))).toEqual([0, 0, 0, 0, 0, 2, 0, 0])
    const touching = tensor(Int32Array.from([2, 2, 1, 1]), { shape: [1, 1, 4] })
    expect(numbers(dilateLabels(touching))).toEqual([2, 2, 1, 1])
    const corner = tensor(Int32Array.from([1, 0, 0, 0]), { shape: [1, 2, 2] })
    expect(numbers(dilateLabels(corner))).toEqual([1, 1, 1, 0])
  })
})

test('the mask of nothing is that of nothing', () => {
  tidy(() => {
    expect(jaccard(line(4), line(4))).toBe(1)
    expect(jaccard(line(4, [0, 2, 1]), line(4, [1, 3, 7]))).toBeCloseTo(1 / 3, 12)
    expect(() => jaccard(line(4), line(5))).toThrow(/shapes \[1, 1, 4\] and \[1, 1, 5\]/)
  })
})
