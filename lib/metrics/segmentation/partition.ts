// How far two ways of cutting an image into parts differ, whatever the parts are called.
import { ArgumentError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import { type ContingencyTable, tableOf } from './contingency'

export interface VariationOfInformation {
  /** H(prediction | target) in bits: parts that were cut in pieces. */
  readonly split: number
  /** H(target | prediction) in bits: parts that were joined. */
  readonly merge: number
  /** Their sum, which is a distance. */
  readonly total: number
}

export interface IgnoredLabels {
  /** Places with these labels in the target do not count; none unless given. */
  readonly ignoreLabels?: readonly number[] | undefined
}

/**
 * Variation of information (Meilă, JMVA 2007), with logarithms to base 2 as scikit-image.
 *
 * @param predictions labels, whole numbers of any shape
 * @param targets of the same shape
 */
export function variationOfInformation(
  predictions: Tensor,
  targets: Tensor,
  { ignoreLabels = [] }: IgnoredLabels = {},
): VariationOfInformation {
  const { pairs, rows, columns, total } = counted(tableOf('variationOfInformation', predictions, targets), ignoreLabels)
  let [split, merge] = [0, 0]
  for (const { row, column, area } of pairs) {
    split -= (area / total) * Math.log2(area / (columns[column] ?? 1))
    merge -= (area / total) * Math.log2(area / (rows[row] ?? 1))
  }
  // −0 where nothing differs.
  return { split: split + 0, merge: merge + 0, total: split + merge + 0 }
}

export interface AdaptedRand {
  /** 1 − F score: 0 for equal partitions. */
  readonly error: number
  /** Of pairs of places that are together in the prediction, the share that are so in the target. */
  readonly precision: number
  /** Of pairs that are together in the target, the share that are so in the prediction. */
  readonly recall: number
}

export interface AdaptedRandOptions extends IgnoredLabels {
  /** How much precision counts in the F score: p·r ∕ (α·p + (1 − α)·r) … ½ unless stated. */
  readonly alpha?: number | undefined
}

/**
 * Adapted Rand error (Arganda-Carreras et al., Frontiers in Neuroanatomy 2015) as scikit-image; the background, label 0
 * of the target, is left out unless `ignoreLabels` says otherwise. Precision and recall are as its page describes them; its
 * version 0.26 returns them the other way round.
 *
 * @param predictions labels, whole numbers of any shape
 * @param targets of the same shape
 */
export function adaptedRandError(
  predictions: Tensor,
  targets: Tensor,
  { ignoreLabels = [0], alpha = 0.5 }: AdaptedRandOptions = {},
): AdaptedRand {
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new ArgumentError(`adaptedRandError: alpha is ${alpha}; it must be from 0 to 1`)
  }
  const { pairs, rows, columns, total } = counted(tableOf('adaptedRandError', predictions, targets), ignoreLabels)
  const squares = (areas: readonly number[]) => areas.reduce((sum, area) => sum + area * area, 0) - total
  const both = squares(pairs.map(({ area }) => area))
  const [inPrediction, inTarget] = [squares(rows), squares(columns)]
  const precision = inPrediction > 0 ? both / inPrediction : 1
  const recall = inTarget > 0 ? both / inTarget : 1
  const fScore = both > 0 ? (precision * recall) / (alpha * precision + (1 - alpha) * recall) : 0
  return { error: 1 - fScore, precision, recall }
}

/** Overlaps and areas of the places that count. */
function counted({ predicted, actual, overlaps }: ContingencyTable, ignoreLabels: readonly number[]) {
  const ignored = actual.labels.map((label) => ignoreLabels.includes(label))
  const pairs = overlaps.filter(({ column }) => !ignored[column])
  const rows = new Array<number>(predicted.labels.length).fill(0)
  const columns = new Array<number>(actual.labels.length).fill(0)
  let total = 0
  for (const { row, column, area } of pairs) {
    rows[row] = (rows[row] ?? 0) + area
    columns[column] = (columns[column] ?? 0) + area
    total += area
  }
  if (total === 0) {
    throw new ArgumentError(`no place of the targets counts: all their labels are ignored (${ignoreLabels.join(', ')})`)
  }
  return { pairs, rows, columns, total }
}
