import { ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import { _unique2 } from '../../tensor/private-ops.generated'
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
  return tidy(() => {
    const [rows, rowOf, rowAreas] = distinct(predictions)
    const [columns, columnOf, columnAreas] = distinct(targets)
    const width = columns.numel
    const [keys, , areas] = distinct(rowOf.mul(width).add(columnOf))
    const [keyNumbers, areaNumbers] = [numbersOf(keys), numbersOf(areas)]
    return {
      predicted: { labels: numbersOf(rows), areas: numbersOf(rowAreas) },
      actual: { labels: numbersOf(columns), areas: numbersOf(columnAreas) },
      overlaps: keyNumbers.map((key, i) => ({
        row: Math.floor(key / width),
        column: key % width,
        area: areaNumbers[i] ?? 0,
      })),
    }
  })
}

function distinct(values: Tensor): [Tensor, Tensor, Tensor] {
  return _unique2(values.to('int64').reshape([-1]), { sorted: true, returnInverse: true, returnCounts: true })
}

function numbersOf(values: Tensor): number[] {
  return Array.from(values.to('float64').dataSync() as Float64Array)
}
