// How good numbered objects are, by the protocol of the released metric.

import { writeFileAtomic } from '../../../io'
import { type InstanceMatch, instanceAveragePrecision, type SizeRange } from '../../../metrics'
import { ShapeError } from '../../../native/errors'
import { bincount, type Tensor, tidy } from '../../../tensor'
import { numbersOf } from './numbers'

/** Sizes of objects in voxels. */
export const SIZE_CLASSES = {
  small: { above: 0, upTo: 5000 },
  medium: { above: 5000, upTo: 15_000 },
  large: { above: 15_000, upTo: Number.POSITIVE_INFINITY },
} as const satisfies Record<string, SizeRange>

export type SizeClass = 'all' | keyof typeof SIZE_CLASSES

export interface ReportOptions {
  /** How sure each prediction is; its size unless given. */
  readonly scores?: ReadonlyMap<number, number> | undefined
  /** Which predictions count for a range of sizes; `'released'` unless stated. */
  readonly ranges?: 'released' | 'coco' | undefined
  /** Other classes of size than the paper's. */
  readonly classes?: Readonly<Record<string, SizeRange>> | undefined
}

/** A prediction and the objects that it overlaps most: of all, and of each class of size. */
export interface MatchRow {
  readonly label: number
  readonly voxels: number
  readonly score: number
  readonly matches: Readonly<Record<string, { readonly object: number; readonly voxels: number; readonly iou: number }>>
}

export interface InstanceReport {
  /** IoU from which an object is found: 0.5, 0.55 … 0.95. */
  readonly thresholds: readonly number[]
  /** Average precision by class of size and threshold; −1 for a class without objects. */
  readonly precision: Readonly<Record<string, readonly number[]>>
  /** Objects of each class. */
  readonly objects: Readonly<Record<string, number>>
  readonly rows: readonly MatchRow[]
  /** Objects that no prediction overlaps most, at any IoU, as the released tool lists them. */
  readonly missed: readonly number[]
  /** Objects that no prediction finds at an IoU of 0.75. */
  readonly notFound: readonly number[]
}

/** Place of 0.75 among the thresholds. */
const AT_75 = 5

/** Compares numbered objects, 0 being background, with the truth of the same shape. */
export function instanceReport(predictions: Tensor, truth: Tensor, options: ReportOptions = {}): InstanceReport {
  const { scores, ranges: rangeRule, classes = SIZE_CLASSES } = options
  const { thresholds, ranges } = instanceAveragePrecision(predictions, truth, { scores, rangeRule, ranges: classes })
  const named = [...ranges]
  const all: readonly InstanceMatch[] = ranges.get('all')?.matches ?? []
  const rows = all.map(({ label, size, score }, i): MatchRow => {
    const matches = named.map(([name, { matches: list }]) => {
      const { target = 0, targetSize = 0, iou = 0 } = list[i] ?? {}
      return [name, { object: target, voxels: targetSize, iou }] as const
    })
    return { label, voxels: size, score, matches: Object.fromEntries(matches) }
  })
  const best = new Set(all.filter(({ iou }) => iou > 0).map(({ target }) => target))
  const found = new Set(all.filter(({ iou }) => iou >= (thresholds[AT_75] ?? 0.75)).map(({ target }) => target))
  const labels = labelsOf(truth)
  return {
    thresholds,
    precision: Object.fromEntries(
      named.map(([name, { averagePrecision }]) => [
        name,
        averagePrecision.map((value) => (Number.isNaN(value) ? -1 : value)),
      ]),
    ),
    objects: Object.fromEntries(named.map(([name, { objects }]) => [name, objects])),
    rows,
    missed: labels.filter((label) => !best.has(label)),
    notFound: labels.filter((label) => !found.has(label)),
  }
}

/** The numbers above 0 that occur. */
function labelsOf(truth: Tensor): number[] {
  const areas = tidy(() => numbersOf(bincount(truth.flatten().to('int64'))))
  return areas.flatMap((area, label) => (label > 0 && area > 0 ? [label] : []))
}

/** AP-75 of a class of size. */
export function ap75({ precision }: InstanceReport, of: SizeClass = 'all'): number {
  return precision[of]?.[AT_75] ?? -1
}

/** Writes a report as JSON, whole or not at all. */
export async function writeReport(path: string, report: InstanceReport): Promise<void> {
  await writeFileAtomic(path, Buffer.from(`${JSON.stringify(report, undefined, 2)}\n`), 'writeReport')
}

/** Foreground that two masks share, of what either has. */
export function jaccard(predicted: Tensor, truth: Tensor): number {
  if (String(predicted.shape) !== String(truth.shape)) {
    throw new ShapeError(
      `jaccard: the masks have the shapes [${predicted.shape.join(', ')}] and [${truth.shape.join(', ')}]`,
    )
  }
  return tidy(() => {
    const [a, b] = [predicted.ne(0), truth.ne(0)]
    const either = Number(a.logicalOr(b).sum().item())
    return either === 0 ? 1 : Number(a.logicalAnd(b).sum().item()) / either
  })
}
