// Panoptic quality (Kirillov et al., CVPR 2019), as the panoptic API of COCO counts it.
import { ArgumentError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import { tableOf } from './contingency'

/** A picture cut into segments, each of a category. */
export interface PanopticMap {
  /** Which segment each place belongs to, whole numbers of any shape; 0 where it is void. */
  readonly segments: Tensor
  /** The category of each segment but 0. */
  readonly categories: ReadonlyMap<number, number>
}

export interface PanopticTruth extends PanopticMap {
  /** Segments that hold several objects: they are not to be found, and predictions in them do not count. */
  readonly crowds?: ReadonlySet<number> | undefined
}

export interface PanopticScene {
  readonly prediction: PanopticMap
  readonly target: PanopticTruth
}

export interface PanopticScore {
  /** `segmentation · recognition`. */
  readonly quality: number
  /** Mean overlap (IoU) of those found. */
  readonly segmentation: number
  /** The F score of finding. */
  readonly recognition: number
}

export interface CategoryScore extends PanopticScore {
  readonly found: number
  readonly falsePositives: number
  readonly falseNegatives: number
}

export interface PanopticSummary extends PanopticScore {
  /** Those that occur; the summary is their mean. */
  readonly categories: ReadonlyMap<number, CategoryScore>
}

/**
 * Panoptic quality of pictures: a segment is found by one of its category with more than half of the union in common,
 * where void places of the target are left out of the union.
 *
 * @param scenes all pictures of the data set
 * @param categories over which the mean goes (all things, or all stuff); all that occur unless given
 * @throws ArgumentError when a segment has no category
 */
export function panopticQuality(scenes: Iterable<PanopticScene>, categories?: ReadonlySet<number>): PanopticSummary {
  const tallies = new Map<number, Tally>()
  let picture = 0
  for (const scene of scenes) addScene(tallies, scene, picture++)
  const scores = new Map(
    [...tallies]
      .filter(([category]) => categories === undefined || categories.has(category))
      .sort(([a], [b]) => a - b)
      .flatMap(([category, tally]) => {
        const score = scoreOf(tally)
        return score.found + score.falsePositives + score.falseNegatives === 0 ? [] : [[category, score] as const]
      }),
  )
  const mean = (of: (score: PanopticScore) => number) =>
    [...scores.values()].reduce((sum, score) => sum + of(score), 0) / scores.size
  return {
    quality: mean(({ quality }) => quality),
    segmentation: mean(({ segmentation }) => segmentation),
    recognition: mean(({ recognition }) => recognition),
    categories: scores,
  }
}

interface Tally {
  overlap: number
  found: number
  falsePositives: number
  falseNegatives: number
}

function scoreOf({ overlap, found, falsePositives, falseNegatives }: Tally): CategoryScore {
  const size = found + falsePositives / 2 + falseNegatives / 2
  return {
    quality: size === 0 ? 0 : overlap / size,
    segmentation: found === 0 ? 0 : overlap / found,
    recognition: size === 0 ? 0 : found / size,
    ...{ found, falsePositives, falseNegatives },
  }
}

function addScene(tallies: Map<number, Tally>, { prediction, target }: PanopticScene, picture: number): void {
  const { predicted, actual, overlaps } = tableOf('panopticQuality', prediction.segments, target.segments)
  const categoryOf = (role: string, map: PanopticMap, label: number): number => {
    const category = map.categories.get(label)
    if (category !== undefined) return category
    throw new ArgumentError(`panopticQuality: picture ${picture}: segment ${label} of the ${role} has no category`)
  }
  const tallyOf = (category: number): Tally => {
    const tally = tallies.get(category) ?? { overlap: 0, found: 0, falsePositives: 0, falseNegatives: 0 }
    tallies.set(category, tally)
    return tally
  }
  const crowds = target.crowds ?? new Set<number>()
  const voidOf = new Map<number, number>()
  for (const { row, column, area } of overlaps) {
    if (actual.labels[column] === 0) voidOf.set(row, area)
  }
  const foundRows = new Set<number>()
  const foundColumns = new Set<number>()
  /** Places of each prediction in void or in crowds of its category. */
  const excused = new Map(voidOf)
  for (const { row, column, area } of overlaps) {
    const [segment, object] = [predicted.labels[row] ?? 0, actual.labels[column] ?? 0]
    if (segment === 0 || object === 0) continue
    const category = categoryOf('prediction', prediction, segment)
    if (category !== categoryOf('target', target, object)) continue
    if (crowds.has(object)) {
      excused.set(row, (excused.get(row) ?? 0) + area)
      continue
    }
    const union = (predicted.areas[row] ?? 0) + (actual.areas[column] ?? 0) - area - (voidOf.get(row) ?? 0)
    if (area / union <= 0.5) continue
    const tally = tallyOf(category)
    tally.found++
    tally.overlap += area / union
    foundRows.add(row)
    foundColumns.add(column)
  }
  for (const [column, object] of actual.labels.entries()) {
    if (object === 0 || foundColumns.has(column) || crowds.has(object)) continue
    tallyOf(categoryOf('target', target, object)).falseNegatives++
  }
  for (const [row, segment] of predicted.labels.entries()) {
    if (segment === 0 || foundRows.has(row)) continue
    if ((excused.get(row) ?? 0) / (predicted.areas[row] ?? 1) > 0.5) continue
    tallyOf(categoryOf('prediction', prediction, segment)).falsePositives++
  }
}
