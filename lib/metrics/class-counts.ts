import { ArgumentError, ShapeError } from '../native/errors'
import { arange, zeros } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import { BaseMetric, type StateValues } from './base'
import {
  checkCount,
  checkInvalid,
  checkLabelDtype,
  checkPair,
  checkSameShape,
  isFloating,
  type LabelOptions,
  labelPairs,
  notNumbers,
} from './labels'

export interface ClassCountOptions extends LabelOptions {
  /** For samples that have any number of labels: predictions and targets are `[N, L]`, targets 0 or 1. */
  readonly numLabels?: number | undefined
}

/** For each class: how many samples are of it and predicted so, predicted so, and of it. */
export interface ClassCounts {
  readonly hits: readonly number[]
  readonly predicted: readonly number[]
  readonly actual: readonly number[]
}

export type CountName = 'hits' | 'predicted' | 'actual' | 'invalid'

/** Measures that follow from the counts of each class: all samples together, or each sample for itself. */
export abstract class ClassCountMetric<Result, Options extends ClassCountOptions> extends BaseMetric<
  [predictions: Tensor, targets: Tensor],
  Result,
  CountName,
  Options
> {
  constructor(
    name: string,
    options: Options,
    private readonly samplewise = false,
  ) {
    super(name, samplewise ? 'concat' : 'sum', ['hits', 'predicted', 'actual', 'invalid'], options)
    checkCount(name, 'numClasses', options.numClasses, 2)
    checkCount(name, 'numLabels', options.numLabels, 1)
    if (options.numClasses !== undefined && options.numLabels !== undefined) {
      throw new ArgumentError(
        `${name}: numClasses and numLabels exclude each other; a sample has one class or any labels`,
      )
    }
  }

  /** What the counts say: those of all samples together, or of each sample. */
  protected abstract score(counts: readonly ClassCounts[]): Result

  /** @throws ShapeError, DTypeError, DeviceError, ArgumentError when predictions and targets do not go together */
  protected override observe(predictions: Tensor, targets: Tensor): Record<CountName, Tensor> {
    return this.options.numLabels === undefined
      ? this.#countClasses(predictions, targets)
      : this.#countLabels(predictions, targets, this.options.numLabels)
  }

  protected override conclude(values: Readonly<Record<CountName, StateValues>>): Result {
    const invalid = values.invalid.data.reduce((sum, count) => sum + count, 0)
    checkInvalid(`${this.name}.compute`, invalid)
    const [rows = 0, classes = 0] = values.hits.shape
    const row = ({ data }: StateValues, n: number) => Array.from(data.subarray(n * classes, (n + 1) * classes))
    return this.score(
      Array.from({ length: rows }, (_, n) => ({
        hits: row(values.hits, n),
        predicted: row(values.predicted, n),
        actual: row(values.actual, n),
      })),
    )
  }

  #countClasses(predictions: Tensor, targets: Tensor): Record<CountName, Tensor> {
    const numClasses = this.options.numClasses ?? 2
    const pairs = labelPairs(this.name, predictions, targets, { ...this.options, numClasses })
    if (this.samplewise && targets.ndim < 2) {
      throw new ShapeError(`${this.name}: targets are [N, …] with a label for each pixel, got [${targets.shape}]`)
    }
    const rows = this.samplewise ? targets.size(0) : 1
    const { device, numel } = pairs.actual
    // Each sample has counters of its own, which lie one row after the other.
    const first = arange(rows, { dtype: 'int64', device })
      .mul(numClasses)
      .repeatInterleave(numel / Math.max(rows, 1))
    const empty = zeros([rows * numClasses], { dtype: 'int64', device })
    const count = (labels: Tensor, weights: Tensor) =>
      empty.scatterAdd(0, labels.add(first), weights).reshape([rows, numClasses])
    const hit = pairs.predicted.eq(pairs.actual).to('int64').mul(pairs.counted)
    return {
      hits: count(pairs.actual, hit),
      predicted: count(pairs.predicted, pairs.counted),
      actual: count(pairs.actual, pairs.counted),
      invalid: pairs.invalid.reshape([1]),
    }
  }

  #countLabels(predictions: Tensor, targets: Tensor, numLabels: number): Record<CountName, Tensor> {
    const { yes, actual, counted, invalid } = labelSets(this.name, predictions, targets, numLabels, this.options)
    const sum = (flags: Tensor) =>
      flags
        .logicalAnd(counted)
        .to('int64')
        .sum({ dim: [0], keepdim: true })
    return {
      hits: sum(yes.logicalAnd(actual)),
      predicted: sum(yes),
      actual: sum(actual),
      invalid: invalid.reshape([1]),
    }
  }
}

/** Yes or no for each of the labels `[N, L]`; bool. */
function labelSets(
  caller: string,
  predictions: Tensor,
  targets: Tensor,
  numLabels: number,
  { ignoreIndex, threshold = 0.5 }: LabelOptions,
): { yes: Tensor; actual: Tensor; counted: Tensor; invalid: Tensor } {
  checkPair(caller, predictions, targets)
  checkLabelDtype(caller, 'targets', targets)
  checkSameShape(caller, predictions, targets)
  if (targets.ndim !== 2 || targets.size(1) !== numLabels) {
    throw new ShapeError(`${caller}: targets are [N, ${numLabels}] with 0 or 1 for each label, got [${targets.shape}]`)
  }
  const used = ignoreIndex === undefined ? targets.ge(targets) : targets.ne(ignoreIndex)
  const binary = targets.eq(0).logicalOr(targets.eq(1))
  const wrong = used.logicalAnd(binary.logicalNot()).sum()
  if (wrong.device === 'cpu' && wrong.toNumber() > 0) {
    throw new ArgumentError(
      `${caller}: ${wrong.toNumber()} targets are neither 0 nor 1; leave others out with ignoreIndex`,
    )
  }
  const scored = isFloating(predictions)
  return {
    yes: scored ? predictions.gt(threshold) : predictions.ne(0),
    actual: targets.eq(1),
    counted: used.logicalAnd(binary),
    invalid: scored ? wrong.add(notNumbers(caller, predictions)) : wrong,
  }
}
