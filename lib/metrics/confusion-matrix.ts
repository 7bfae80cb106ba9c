import { ArgumentError } from '../native/errors'
import { zeros } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import { BaseMetric, measure, type StateValues } from './base'
import { checkCount, checkInvalid, type LabelOptions, labelPairs } from './labels'

export interface ConfusionMatrixOptions extends LabelOptions {
  /** Number of classes; 2 unless stated. */
  readonly numClasses?: number | undefined
  /**
   * Shares instead of numbers: `'true'` of the samples of a class (rows sum up to 1), `'pred'` of the predictions of a
   * class (columns), `'all'` of all samples. A row or column without samples is 0.
   */
  readonly normalize?: 'true' | 'pred' | 'all' | undefined
}

/**
 * How many samples of class i (row) were predicted as class j (column).
 *
 * Predictions and targets as of `Accuracy`.
 */
export class ConfusionMatrix extends BaseMetric<
  [predictions: Tensor, targets: Tensor],
  readonly (readonly number[])[],
  'counts' | 'invalid',
  ConfusionMatrixOptions & { readonly numClasses: number }
> {
  constructor({ numClasses = 2, ignoreIndex, threshold, normalize }: ConfusionMatrixOptions = {}) {
    super('ConfusionMatrix', 'sum', ['counts', 'invalid'], { numClasses, ignoreIndex, threshold, normalize })
    checkCount('ConfusionMatrix', 'numClasses', numClasses, 2)
    if (normalize !== undefined && !['true', 'pred', 'all'].includes(normalize)) {
      throw new ArgumentError(`ConfusionMatrix: normalize is '${normalize}'; use 'true', 'pred' or 'all'`)
    }
  }

  /** @throws ShapeError, DTypeError, DeviceError, ArgumentError when predictions and targets do not go together */
  protected override observe(predictions: Tensor, targets: Tensor) {
    const { numClasses } = this.options
    const { actual, predicted, counted, invalid } = labelPairs('ConfusionMatrix', predictions, targets, this.options)
    const cells = zeros([numClasses * numClasses], { dtype: 'int64', device: actual.device })
    const counts = cells.scatterAdd(0, actual.mul(numClasses).add(predicted), counted)
    return { counts: counts.reshape([numClasses, numClasses]), invalid }
  }

  protected override conclude({ counts, invalid }: Readonly<Record<'counts' | 'invalid', StateValues>>) {
    checkInvalid('ConfusionMatrix.compute', invalid.data[0] as number)
    const { numClasses, normalize } = this.options
    const rows = Array.from({ length: numClasses }, (_, i) =>
      Array.from(counts.data.subarray(i * numClasses, (i + 1) * numClasses)),
    )
    if (normalize === undefined) return rows
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
    const columns = rows.map((_, j) => sum(rows.map((row) => row[j] as number)))
    const all = sum(columns)
    return rows.map((row) => {
      const inRow = sum(row)
      return row.map((count, j) => {
        const of = normalize === 'true' ? inRow : normalize === 'pred' ? (columns[j] as number) : all
        return of === 0 ? 0 : count / of
      })
    })
  }
}

/** See `ConfusionMatrix`. */
export function confusionMatrix(
  predictions: Tensor,
  targets: Tensor,
  options: ConfusionMatrixOptions = {},
): readonly (readonly number[])[] {
  return measure(new ConfusionMatrix(options), predictions, targets)
}
