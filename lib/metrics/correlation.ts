import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { BaseMetric, measure, type StateValues } from './base'
import { kendall, pearson, ranks } from './rank-statistics'
import { valuePair } from './values'

type Pair = [predictions: Tensor, targets: Tensor]

/** Measures that need all values at once; they are kept, on their device, until `reset`. */
abstract class PairedMetric extends BaseMetric<Pair, number, 'predictions' | 'targets'> {
  constructor(
    name: string,
    private readonly statistic: (predictions: Float64Array, targets: Float64Array) => number,
  ) {
    super(name, 'concat', ['predictions', 'targets'], {})
  }

  /** @throws ShapeError, DTypeError, DeviceError when predictions and targets do not go together */
  protected override observe(predictions: Tensor, targets: Tensor) {
    const [x, y] = valuePair(this.name, predictions, targets)
    return { predictions: x.reshape([-1]), targets: y.reshape([-1]) }
  }

  protected override conclude({ predictions, targets }: Readonly<Record<'predictions' | 'targets', StateValues>>) {
    for (const [role, { data }] of Object.entries({ predictions, targets })) {
      const bad = data.find((value) => !Number.isFinite(value))
      if (bad !== undefined) {
        throw new ArgumentError(`${this.name}.compute: ${role} hold ${bad}; all values are finite`)
      }
    }
    return this.statistic(predictions.data, targets.data)
  }
}

/**
 * Pearson's linear correlation r (PLCC), −1 to 1. NaN for fewer than two samples or when one side is constant.
 *
 * Predictions and targets are of one shape; each element is a sample.
 */
export class PearsonCorrCoef extends PairedMetric {
  constructor() {
    super('PearsonCorrCoef', pearson)
  }
}

/**
 * Spearman's rank correlation ρ (SRCC): Pearson's r of the ranks, equal values sharing the mean of theirs. Undefined as
 * `PearsonCorrCoef` is.
 */
export class SpearmanCorrCoef extends PairedMetric {
  constructor() {
    super('SpearmanCorrCoef', (x, y) => pearson(ranks(x), ranks(y)))
  }
}

/**
 * Kendall's rank correlation τ-b (KRCC): (concordant − discordant pairs) / √(pairs not tied in x · pairs not tied in y).
 * Undefined as `PearsonCorrCoef` is.
 */
export class KendallRankCorrCoef extends PairedMetric {
  constructor() {
    super('KendallRankCorrCoef', kendall)
  }
}

/**
 * Coefficient of determination 1 − Σ(y − x)² / Σ(y − ȳ)², at most 1. For constant targets 1 when all predictions are
 * exact and 0 otherwise, NaN for fewer than two samples. Predictions and targets are of one shape.
 */
export class R2Score extends PairedMetric {
  constructor() {
    super('R2Score', determination)
  }
}

function determination(predictions: Float64Array, targets: Float64Array): number {
  if (targets.length < 2) return Number.NaN
  const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length
  const constant = targets.every((value) => value === targets[0])
  let [residual, total] = [0, 0]
  for (const [i, target] of targets.entries()) {
    residual += (target - (predictions[i] as number)) ** 2
    total += constant ? 0 : (target - mean) ** 2
  }
  if (total === 0) return residual === 0 ? 1 : 0
  return 1 - residual / total
}

/** See `PearsonCorrCoef`. */
export function pearsonCorrCoef(predictions: Tensor, targets: Tensor): number {
  return measure(new PearsonCorrCoef(), predictions, targets)
}

/** See `SpearmanCorrCoef`. */
export function spearmanCorrCoef(predictions: Tensor, targets: Tensor): number {
  return measure(new SpearmanCorrCoef(), predictions, targets)
}

/** See `KendallRankCorrCoef`. */
export function kendallRankCorrCoef(predictions: Tensor, targets: Tensor): number {
  return measure(new KendallRankCorrCoef(), predictions, targets)
}

/** See `R2Score`. */
export function r2Score(predictions: Tensor, targets: Tensor): number {
  return measure(new R2Score(), predictions, targets)
}
