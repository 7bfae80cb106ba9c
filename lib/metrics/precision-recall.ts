import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { type Average, type Averaged, checkAverage, meanOf } from './average'
import { measure } from './base'
import { ClassCountMetric, type ClassCountOptions, type ClassCounts } from './class-counts'

export interface PrecisionRecallOptions<A extends Average = 'macro'> extends ClassCountOptions {
  /**
   * With `numClasses` or `numLabels`: how the classes' values become one, `'macro'` unless stated; a class that occurs
   * neither in predictions nor in targets counts in it with `zeroDivision`. Without them the task is binary and the
   * value that of class 1.
   */
  readonly average?: A | undefined
  /** The value of 0/0: 0 unless stated; NaN leaves the class out of a mean. */
  readonly zeroDivision?: 0 | 1 | typeof Number.NaN | undefined
}

export interface FBetaOptions<A extends Average = 'macro'> extends PrecisionRecallOptions<A> {
  /** How many times as important recall is as precision. */
  readonly beta?: number | undefined
}

interface Resolved extends ClassCountOptions {
  readonly average: Average | 'binary'
  readonly zeroDivision: number
  readonly beta?: number
}

/** What 0/0 may stand in; `hits` of one class, or the sums of all. */
type Fraction = (hits: number, predicted: number, actual: number) => readonly [numerator: number, denominator: number]

abstract class RatioMetric<A extends Average> extends ClassCountMetric<Averaged<A>, Resolved> {
  constructor(
    name: string,
    { numClasses, numLabels, ignoreIndex, threshold, average, zeroDivision = 0 }: PrecisionRecallOptions<A>,
    private readonly fraction: Fraction,
    more: { readonly beta?: number } = {},
  ) {
    const binary = numClasses === undefined && numLabels === undefined
    if (average !== undefined) {
      checkAverage(name, average, ['micro', 'macro', 'weighted', 'none'])
      if (binary) {
        throw new ArgumentError(`${name}: average '${average}' needs to know the classes; set numClasses or numLabels`)
      }
    }
    if (!(zeroDivision === 0 || zeroDivision === 1 || Number.isNaN(zeroDivision))) {
      throw new ArgumentError(`${name}: zeroDivision is ${zeroDivision}; it is 0, 1 or NaN`)
    }
    const resolved = binary ? 'binary' : (average ?? 'macro')
    super(name, { numClasses, numLabels, ignoreIndex, threshold, average: resolved, zeroDivision, ...more })
  }

  protected override score([counts]: readonly ClassCounts[]): Averaged<A> {
    const { average } = this.options
    const { hits, predicted, actual } = counts ?? { hits: [], predicted: [], actual: [] }
    if (average === 'micro') return this.#ratio(total(hits), total(predicted), total(actual)) as Averaged<A>
    const values = hits.map((hit, index) => this.#ratio(hit, predicted[index] as number, actual[index] as number))
    if (average === 'none') return values as readonly number[] as Averaged<A>
    if (average === 'binary') return values[1] as Averaged<A>
    if (average === 'macro') return meanOf(values) as Averaged<A>
    return (total(actual) === 0 ? this.options.zeroDivision : meanOf(values, actual)) as Averaged<A>
  }

  #ratio(hits: number, predicted: number, actual: number): number {
    const [numerator, denominator] = this.fraction(hits, predicted, actual)
    return denominator === 0 ? this.options.zeroDivision : numerator / denominator
  }
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/**
 * Share of what was predicted as a class that is of it: TP / (TP + FP).
 *
 * Predictions and targets as of `Accuracy`, or `[N, L]` with `numLabels`.
 */
export class Precision<A extends Average = 'macro'> extends RatioMetric<A> {
  constructor(options: PrecisionRecallOptions<A> = {}) {
    super('Precision', options, (hits, predicted) => [hits, predicted])
  }
}

/** Share of a class that was predicted as such: TP / (TP + FN). Predictions and targets as of `Precision`. */
export class Recall<A extends Average = 'macro'> extends RatioMetric<A> {
  constructor(options: PrecisionRecallOptions<A> = {}) {
    super('Recall', options, (hits, _, actual) => [hits, actual])
  }
}

/**
 * Weighted harmonic mean of precision and recall: (1 + β²)·TP / ((1 + β²)·TP + β²·FN + FP) (van Rijsbergen 1979).
 * Predictions and targets as of `Precision`.
 */
export class FBetaScore<A extends Average = 'macro'> extends RatioMetric<A> {
  constructor({ beta = 1, ...options }: FBetaOptions<A> = {}) {
    super('FBetaScore', options, weighing('FBetaScore', beta), { beta })
  }
}

/** Harmonic mean of precision and recall: `FBetaScore` with β = 1. */
export class F1Score<A extends Average = 'macro'> extends RatioMetric<A> {
  constructor(options: PrecisionRecallOptions<A> = {}) {
    super('F1Score', options, weighing('F1Score', 1))
  }
}

function weighing(name: string, beta: number): Fraction {
  if (!(beta > 0 && Number.isFinite(beta))) throw new ArgumentError(`${name}: beta is ${beta}; it is a number above 0`)
  const weight = beta * beta
  return (hits, predicted, actual) => [(1 + weight) * hits, weight * actual + predicted]
}

/** See `Precision`. */
export function precision<A extends Average = 'macro'>(
  predictions: Tensor,
  targets: Tensor,
  options: PrecisionRecallOptions<A> = {},
): Averaged<A> {
  return measure(new Precision(options), predictions, targets)
}

/** See `Recall`. */
export function recall<A extends Average = 'macro'>(
  predictions: Tensor,
  targets: Tensor,
  options: PrecisionRecallOptions<A> = {},
): Averaged<A> {
  return measure(new Recall(options), predictions, targets)
}

/** See `F1Score`. */
export function f1Score<A extends Average = 'macro'>(
  predictions: Tensor,
  targets: Tensor,
  options: PrecisionRecallOptions<A> = {},
): Averaged<A> {
  return measure(new F1Score(options), predictions, targets)
}

/** See `FBetaScore`. */
export function fBetaScore<A extends Average = 'macro'>(
  predictions: Tensor,
  targets: Tensor,
  options: FBetaOptions<A> = {},
): Averaged<A> {
  return measure(new FBetaScore(options), predictions, targets)
}
