// Average precision of instances in images and volumes, as the MitoEM challenge counts it (Wei et al., MICCAI 2020).
import { ArgumentError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import { type ContingencyTable, tableOf } from './contingency'

/** Objects of more than `above` and up to `upTo` places. */
export interface SizeRange {
  readonly above: number
  readonly upTo: number
}

export interface InstanceOptions {
  /** Overlaps (IoU) at which an object is found; 0.5, 0.55 … 0.95 unless given. */
  readonly thresholds?: readonly number[] | undefined
  /** How sure each predicted label is; its size unless given. Of equal ones the lower label comes first. */
  readonly scores?: ReadonlyMap<number, number> | undefined
  /** Ranges of size by name, beside `all`; none unless given. */
  readonly ranges?: Readonly<Record<string, SizeRange>> | undefined
  /**
   * Which predictions count for a range: by `'released'` (default), as the published tool has it, one that overlaps an
   * object of the range at all is judged by that alone; by `'coco'` it counts neither way where it finds an object of
   * another size.
   */
  readonly rangeRule?: 'released' | 'coco' | undefined
}

export interface InstanceMatch {
  readonly label: number
  readonly size: number
  readonly score: number
  /** The object it overlaps most, 0 for none. */
  readonly target: number
  readonly targetSize: number
  readonly iou: number
}

export interface RangePrecision {
  /** By threshold; NaN when there is no object to find. */
  readonly averagePrecision: readonly number[]
  /** How many objects of this size there are. */
  readonly objects: number
  /** Predictions, the surest first, each with the object that it overlaps most among those of this size, if it does any. */
  readonly matches: readonly InstanceMatch[]
}

export interface InstancePrecision {
  readonly thresholds: readonly number[]
  /** `all` and the ranges by their names. */
  readonly ranges: ReadonlyMap<string, RangePrecision>
  /** Objects that no prediction overlaps by the lowest threshold. */
  readonly missed: readonly number[]
}

// Products as the published tools compute them: some differ from the nearest double, and decide ties.
const THRESHOLDS = Array.from({ length: 10 }, (_, i) => 0.5 + i * 0.05)
const RECALLS = Array.from({ length: 101 }, (_, i) => i * 0.01)

/**
 * Average precision at 101 recalls of instances that do not overlap. Each prediction goes with the object that it
 * overlaps most; an object is found once, by the surest. Of a range of sizes count its objects; predictions that find
 * others, or find none and are of another size themselves, count neither way.
 *
 * @param predictions labels of instances, 0 where there is none, whole numbers of any shape
 * @param targets of the same shape
 * @throws ArgumentError for thresholds that are no overlaps, or labels without a score
 */
export function instanceAveragePrecision(
  predictions: Tensor,
  targets: Tensor,
  options: InstanceOptions = {},
): InstancePrecision {
  const { thresholds = THRESHOLDS, scores, ranges = {}, rangeRule = 'released' } = options
  const wrong = thresholds.find((threshold) => !(threshold > 0 && threshold <= 1))
  if (wrong !== undefined || thresholds.length === 0) {
    throw new ArgumentError(
      `instanceAveragePrecision: thresholds are [${thresholds}]; they are overlaps above 0 and up to 1`,
    )
  }
  const scene = sceneOf(tableOf('instanceAveragePrecision', predictions, targets), scores)
  const all = { above: 0, upTo: Number.POSITIVE_INFINITY }
  const named = [['all', all] as const, ...Object.entries(ranges)]
  const lowest = Math.min(...thresholds)
  const found = new Set(scene.candidates.flat().flatMap(({ target, iou }) => (iou >= lowest ? [target] : [])))
  return {
    thresholds,
    ranges: new Map(named.map(([name, range]) => [name, precisionOf(scene, range, thresholds, rangeRule)])),
    missed: [...scene.sizes.keys()].filter((label) => !found.has(label)),
  }
}

/** What overlaps what, the surest predictions first. */
interface Scene {
  readonly predictions: readonly { readonly label: number; readonly size: number; readonly score: number }[]
  /** Of each prediction, the objects it overlaps, the most first. */
  readonly candidates: readonly (readonly { readonly target: number; readonly iou: number }[])[]
  /** Of the objects. */
  readonly sizes: ReadonlyMap<number, number>
}

function sceneOf({ predicted, actual, overlaps }: ContingencyTable, scores: InstanceOptions['scores']): Scene {
  const byRow = new Map<number, { target: number; iou: number }[]>()
  for (const { row, column, area } of overlaps) {
    const [rowLabel, target] = [predicted.labels[row] ?? 0, actual.labels[column] ?? 0]
    if (rowLabel === 0 || target === 0) continue
    const union = (predicted.areas[row] ?? 0) + (actual.areas[column] ?? 0) - area
    const list = byRow.get(row) ?? []
    list.push({ target, iou: area / union })
    byRow.set(row, list)
  }
  const rows = predicted.labels.flatMap((label, row) => {
    if (label === 0) return []
    const size = predicted.areas[row] ?? 0
    const score = scores === undefined ? size : scores.get(label)
    if (score === undefined || Number.isNaN(score)) {
      throw new ArgumentError(`instanceAveragePrecision: label ${label} has no score; give one for each label but 0`)
    }
    const candidates = (byRow.get(row) ?? []).sort((a, b) => b.iou - a.iou)
    return [{ prediction: { label, size, score }, candidates }]
  })
  // Labels rise, and sorting keeps the order of equal scores.
  rows.sort((a, b) => b.prediction.score - a.prediction.score)
  return {
    predictions: rows.map(({ prediction }) => prediction),
    candidates: rows.map(({ candidates }) => candidates),
    sizes: new Map(actual.labels.flatMap((label, i) => (label === 0 ? [] : [[label, actual.areas[i] ?? 0] as const]))),
  }
}

function precisionOf(
  scene: Scene,
  { above, upTo }: SizeRange,
  thresholds: readonly number[],
  rule: 'released' | 'coco',
): RangePrecision {
  const inside = (size: number) => size > above && size <= upTo
  const isInside = ({ target }: { readonly target: number }) => inside(scene.sizes.get(target) ?? 0)
  const objects = [...scene.sizes.values()].filter(inside).length
  const matches = scene.predictions.map((prediction, i): InstanceMatch => {
    const candidates = scene.candidates[i] ?? []
    const best = candidates.find(isInside) ?? candidates[0]
    const target = best?.target ?? 0
    return { ...prediction, target, targetSize: scene.sizes.get(target) ?? 0, iou: best?.iou ?? 0 }
  })
  const averagePrecision = thresholds.map((threshold) => {
    const taken = new Set<number>()
    const hits = matches.flatMap(({ target, targetSize, iou, size }, i) => {
      const hit = iou >= threshold && !taken.has(target)
      if (hit) taken.add(target)
      if (hit) return inside(targetSize) ? [true] : []
      const findsOther =
        rule === 'coco' && (scene.candidates[i] ?? []).some((each) => each.iou >= threshold && !isInside(each))
      return inside(size) && !findsOther ? [false] : []
    })
    return objects === 0 ? Number.NaN : areaOf(hits, objects)
  })
  return { averagePrecision, objects, matches }
}

/** Mean over 101 recalls of the best precision at each or above. */
function areaOf(hits: readonly boolean[], objects: number): number {
  let found = 0
  const recalls: number[] = []
  const precisions: number[] = []
  for (const [i, hit] of hits.entries()) {
    if (hit) found++
    recalls.push(found / objects)
    precisions.push(found / (i + 1))
  }
  for (let i = precisions.length - 1; i > 0; i--) {
    precisions[i - 1] = Math.max(precisions[i - 1] ?? 0, precisions[i] ?? 0)
  }
  let at = 0
  const sum = RECALLS.reduce((total, level) => {
    while (at < recalls.length && (recalls[at] ?? 0) < level) at++
    return total + (precisions[at] ?? 0)
  }, 0)
  return sum / RECALLS.length
}
