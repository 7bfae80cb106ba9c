import { ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import { tidy } from '../../tensor/scope'
import { checkLabelDtype, checkPair, checkSameShape } from '../labels'

/** Labels of a segmentation, in rising order, and how many places each has. */
export interface LabelAreas {
  readonly labels: readonly number[]
  readonly areas: readonly number[]
}

/** How two segmentations of the same places overlap: only pairs that occur, in the order of their labels. */
export interface ContingencyTable {
  readonly predicted: LabelAreas
  readonly actual: LabelAreas
  /** `row` is a place in `predicted`, `column` in `actual`. */
  readonly overlaps: readonly { readonly row: number; readonly column: number; readonly area: number }[]
}

/**
 * Counts the overlaps of two label images in one pass, whatever the number of labels.
 *
 * @param predictions whole numbers of any shape
 * @param targets of the same shape
 * @throws ShapeError, DTypeError, DeviceError when the two do not go together
 */
export function contingencyTable(predictions: Tensor, targets: Tensor): ContingencyTable {
  return tableOf('contingencyTable', predictions, targets)
}

/** As `contingencyTable`, for messages of another caller. */
export function tableOf(caller: string, predictions: Tensor, targets: Tensor): ContingencyTable {
  checkPair(caller, predictions, targets)
  checkSameShape(caller, predictions, targets)
  checkLabelDtype(caller, 'predictions', predictions)
  checkLabelDtype(caller, 'targets', targets)
  if (predictions.numel === 0) throw new ShapeError(`${caller}: predictions are [${predictions.shape}]; they are empty`)
  const [rows, columns] = [new Tally(), new Tally()]
  const pairs = new Map<number, Pair>()
  for (let start = 0; start < predictions.numel; start += CHUNK) {
    const [a, b] = [valuesOf(predictions, start), valuesOf(targets, start)]
    for (let from = 0; from < a.length; ) {
      const [predicted, actual] = [a[from] ?? 0, b[from] ?? 0]
      let to = from + 1
      while (to < a.length && a[to] === predicted && b[to] === actual) to++
      const [row, column] = [rows.add(predicted, to - from), columns.add(actual, to - from)]
      const key = row * MOST_LABELS + column
      const pair = pairs.get(key)
      if (pair === undefined) pairs.set(key, { row, column, area: to - from })
      else pair.area += to - from
      from = to
    }
  }
  const [byRow, byColumn] = [rows.ranked(), columns.ranked()]
  const overlaps = [...pairs.values()]
    .map(({ row, column, area }) => ({ row: byRow.rank[row] ?? 0, column: byColumn.rank[column] ?? 0, area }))
    .sort((a, b) => a.row - b.row || a.column - b.column)
  return { predicted: byRow.areas, actual: byColumn.areas, overlaps }
}

/** Places that are looked at together, so that large volumes need no second copy. */
const CHUNK = 2 ** 20
/** Two numbers of labels make one key that a double holds. */
const MOST_LABELS = 2 ** 26

interface Pair {
  readonly row: number
  readonly column: number
  area: number
}

/** Areas of labels, which are numbered as they come. */
class Tally {
  readonly #numbers = new Map<number, number>()
  readonly #areas: number[] = []

  /** @returns the label's number */
  add(label: number, area: number): number {
    const known = this.#numbers.get(label)
    if (known !== undefined) {
      this.#areas[known] = (this.#areas[known] ?? 0) + area
      return known
    }
    this.#numbers.set(label, this.#areas.length)
    return this.#areas.push(area) - 1
  }

  /** The labels in rising order, and the place of each number in it. */
  ranked(): { readonly areas: LabelAreas; readonly rank: readonly number[] } {
    const sorted = [...this.#numbers].sort(([a], [b]) => a - b)
    const rank = new Array<number>(sorted.length).fill(0)
    for (const [place, [, number]] of sorted.entries()) rank[number] = place
    return {
      areas: { labels: sorted.map(([label]) => label), areas: sorted.map(([, number]) => this.#areas[number] ?? 0) },
      rank,
    }
  }
}

function valuesOf(labels: Tensor, start: number): ArrayLike<number> {
  return tidy(() => {
    const flat = labels.reshape([-1])
    const part = flat.narrow(0, start, Math.min(CHUNK, flat.size(0) - start))
    // These need no conversion, which would take as long as the counting.
    const plain = part.dtype === 'int32' || part.dtype === 'uint8'
    return (plain ? part : part.to('float64')).dataSync() as ArrayLike<number>
  })
}
