import { ArgumentError } from '../native/errors'
import { zeros } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import { type Averaged, checkAverage, meanOf } from './average'
import { BaseMetric, measure, type StateValues } from './base'
import { checkCount, checkInvalid, type LabelOptions, labelPairs } from './labels'

type AccuracyAverage = 'micro' | 'macro' | 'none'

export interface AccuracyOptions<A extends AccuracyAverage = 'micro'> extends LabelOptions {
  /** A prediction is right when the target is among this many best scores; 1 unless stated. */
  readonly topK?: number | undefined
  /**
   * `'micro'` (default): the share of right samples; `'macro'`: the mean over the classes that occur in the targets
   * (balanced accuracy); `'none'`: each class's share, NaN for a class without targets. The last two need `numClasses`.
   */
  readonly average?: A | undefined
}

/**
 * Share of samples that are classified right, 0–1.
 *
 * Predictions are scores `[N, C, …]` for targets `[N, …]`, labels of the targets' shape, or scores of class 1 of the
 * targets' shape (binary). NaN when no sample counts.
 */
export class Accuracy<A extends AccuracyAverage = 'micro'> extends BaseMetric<
  [predictions: Tensor, targets: Tensor],
  Averaged<A>,
  'right' | 'seen' | 'invalid',
  AccuracyOptions<AccuracyAverage>
> {
  constructor({ topK = 1, average, numClasses, ignoreIndex, threshold }: AccuracyOptions<A> = {}) {
    const resolved: AccuracyAverage = average ?? 'micro'
    const options = { topK, average: resolved, numClasses, ignoreIndex, threshold }
    super('Accuracy', 'sum', ['right', 'seen', 'invalid'], options)
    checkCount('Accuracy', 'topK', topK, 1)
    checkCount('Accuracy', 'numClasses', numClasses, 2)
    checkAverage('Accuracy', resolved, ['micro', 'macro', 'none'])
    if (resolved !== 'micro' && numClasses === undefined) {
      throw new ArgumentError(`Accuracy: average '${resolved}' needs to know the classes; set numClasses`)
    }
  }

  /** @throws ShapeError, DTypeError, DeviceError, ArgumentError when predictions and targets do not go together */
  protected override observe(predictions: Tensor, targets: Tensor) {
    const { topK = 1, average, numClasses } = this.options
    const pairs = labelPairs('Accuracy', predictions, targets, this.options, topK)
    const { predicted, actual, counted, invalid } = pairs
    const hit = topK === 1 ? predicted.eq(actual) : predicted.eq(actual.unsqueeze(1)).any(1)
    const right = hit.to('int64').mul(counted)
    if (average === 'micro' || numClasses === undefined) {
      return { right: right.sum(), seen: counted.sum(), invalid }
    }
    const empty = zeros([numClasses], { dtype: 'int64', device: actual.device })
    return { right: empty.scatterAdd(0, actual, right), seen: empty.scatterAdd(0, actual, counted), invalid }
  }

  protected override conclude(values: Readonly<Record<'right' | 'seen' | 'invalid', StateValues>>): Averaged<A> {
    checkInvalid('Accuracy.compute', values.invalid.data[0] as number)
    const shares = Array.from(values.right.data, (right, index) => right / (values.seen.data[index] as number))
    return (this.options.average === 'none' ? shares : meanOf(shares)) as Averaged<A>
  }
}

/** Share of samples that are classified right; see `Accuracy`. */
export function accuracy<A extends AccuracyAverage = 'micro'>(
  predictions: Tensor,
  targets: Tensor,
  options: AccuracyOptions<A> = {},
): Averaged<A> {
  return measure(new Accuracy(options), predictions, targets)
}
