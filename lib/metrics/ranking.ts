import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { type Average, type Averaged, checkAverage } from './average'
import { measure } from './base'
import { areaOf, averagePrecisionOf, type BinaryCurve, equalErrorRateOf } from './binary-curve'
import { averagedScores, type BinaryScoreOptions, curveOf, ScoreMetric, type ScoreOptions, type Task } from './scores'

export interface RankingOptions<A extends Average = 'macro'> extends ScoreOptions {
  /**
   * How the values of classes or labels become one, `'macro'` unless stated. A class for which the value is not defined
   * is left out of the mean.
   */
  readonly average?: A | undefined
}

interface Resolved extends ScoreOptions {
  readonly average: Average | 'binary'
}

abstract class RankingMetric<A extends Average> extends ScoreMetric<Averaged<A>, Resolved> {
  constructor(
    name: string,
    { numClasses, numLabels, ignoreIndex, average }: RankingOptions<A>,
    private readonly measureOf: (curve: BinaryCurve) => number,
  ) {
    const binary = numClasses === undefined && numLabels === undefined
    if (average !== undefined) {
      checkAverage(name, average, ['micro', 'macro', 'weighted', 'none'])
      if (binary) {
        throw new ArgumentError(`${name}: average '${average}' needs to know the classes; set numClasses or numLabels`)
      }
    }
    super(name, { numClasses, numLabels, ignoreIndex, average: binary ? 'binary' : (average ?? 'macro') })
  }

  protected override score(tasks: readonly Task[]): Averaged<A> {
    return averagedScores(tasks, this.options.average, this.measureOf) as Averaged<A>
  }
}

/**
 * Average precision Σ (Rᵢ − Rᵢ₋₁)·Pᵢ over all thresholds: the area below the precision–recall steps, without
 * interpolation. NaN without positives.
 *
 * Scores are of class 1 with targets 0 or 1 of the same shape, `[N, C]` with `numClasses` (each class against the rest),
 * or `[N, L]` with `numLabels`. Any increasing function of the scores gives the same.
 */
export class AveragePrecision<A extends Average = 'macro'> extends RankingMetric<A> {
  constructor(options: RankingOptions<A> = {}) {
    super('AveragePrecision', options, averagePrecisionOf)
  }
}

/**
 * Area below the ROC curve, exact: the share of pairs in which the positive has the higher score, equal scores counting
 * half (Mann–Whitney). NaN unless there are positives and negatives. Scores and targets as of `AveragePrecision`.
 */
export class AUROC<A extends Average = 'macro'> extends RankingMetric<A> {
  constructor(options: RankingOptions<A> = {}) {
    super('AUROC', options, areaOf)
  }
}

/**
 * Equal error rate: where the share of negatives that are accepted (score at or above the threshold) equals that of
 * positives that are rejected, interpolated linearly between the two thresholds around the crossing. 0 for separate
 * sets, 0.5 for equal scores, NaN unless there are positives and negatives.
 *
 * Scores are of class 1, targets 0 or 1 of the same shape.
 */
export class EER extends ScoreMetric<number, BinaryScoreOptions> {
  constructor({ ignoreIndex }: BinaryScoreOptions = {}) {
    super('EER', { ignoreIndex })
  }

  protected override score([task]: readonly Task[]): number {
    return task === undefined ? Number.NaN : equalErrorRateOf(curveOf(task))
  }
}

/** Points of a ROC curve, from the highest threshold to the lowest. */
export interface ROCCurve {
  readonly falsePositiveRate: readonly number[]
  readonly truePositiveRate: readonly number[]
  /** A sample is accepted at or above it; the first is +∞. */
  readonly thresholds: readonly number[]
}

/**
 * Receiver operating characteristic: a point for each distinct score. A rate whose kind of sample does not occur is NaN.
 * Scores and targets as of `EER`.
 */
export class ROC extends ScoreMetric<ROCCurve, BinaryScoreOptions> {
  constructor({ ignoreIndex }: BinaryScoreOptions = {}) {
    super('ROC', { ignoreIndex })
  }

  protected override score([task]: readonly Task[]): ROCCurve {
    const { thresholds, truePositives, falsePositives } = curveOf(task ?? NOTHING)
    return {
      falsePositiveRate: shares(falsePositives),
      truePositiveRate: shares(truePositives),
      thresholds,
    }
  }
}

/** Points of a precision–recall curve, from the highest threshold to the lowest. */
export interface PrecisionRecallCurveResult {
  readonly precision: readonly number[]
  readonly recall: readonly number[]
  /** A sample is accepted at or above it; the first is +∞, where nothing is and precision counts as 1. */
  readonly thresholds: readonly number[]
}

/** Precision and recall at each distinct score; recall is NaN without positives. Scores and targets as of `EER`. */
export class PrecisionRecallCurve extends ScoreMetric<PrecisionRecallCurveResult, BinaryScoreOptions> {
  constructor({ ignoreIndex }: BinaryScoreOptions = {}) {
    super('PrecisionRecallCurve', { ignoreIndex })
  }

  protected override score([task]: readonly Task[]): PrecisionRecallCurveResult {
    const { thresholds, truePositives, falsePositives } = curveOf(task ?? NOTHING)
    const precision = truePositives.map((hits, i) => (i === 0 ? 1 : hits / (hits + (falsePositives[i] as number))))
    return { precision, recall: shares(truePositives), thresholds }
  }
}

const NOTHING: Task = { positives: new Float64Array(), negatives: new Float64Array() }

function shares(counts: readonly number[]): number[] {
  return counts.map((count) => count / (counts.at(-1) as number))
}

/** See `AveragePrecision`. */
export function averagePrecision<A extends Average = 'macro'>(
  scores: Tensor,
  targets: Tensor,
  options: RankingOptions<A> = {},
): Averaged<A> {
  return measure(new AveragePrecision(options), scores, targets)
}

/** See `AUROC`. */
export function auroc<A extends Average = 'macro'>(
  scores: Tensor,
  targets: Tensor,
  options: RankingOptions<A> = {},
): Averaged<A> {
  return measure(new AUROC(options), scores, targets)
}

/** See `EER`. */
export function equalErrorRate(scores: Tensor, targets: Tensor, options: BinaryScoreOptions = {}): number {
  return measure(new EER(options), scores, targets)
}

/** See `ROC`. */
export function rocCurve(scores: Tensor, targets: Tensor, options: BinaryScoreOptions = {}): ROCCurve {
  return measure(new ROC(options), scores, targets)
}

/** See `PrecisionRecallCurve`. */
export function precisionRecallCurve(
  scores: Tensor,
  targets: Tensor,
  options: BinaryScoreOptions = {},
): PrecisionRecallCurveResult {
  return measure(new PrecisionRecallCurve(options), scores, targets)
}
