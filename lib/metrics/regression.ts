import { ShapeError } from '../native/errors'
import { zeros } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import { BaseMetric, measure, type StateValues } from './base'
import { valuePair } from './values'

type Pair = [predictions: Tensor, targets: Tensor]
type Sums = Readonly<Record<'sum' | 'count', StateValues>>

abstract class ElementMean extends BaseMetric<Pair, number, 'sum' | 'count'> {
  constructor(
    name: string,
    private readonly errorOf: (predictions: Tensor, targets: Tensor) => Tensor,
  ) {
    super(name, 'sum', ['sum', 'count'], {})
  }

  /** @throws ShapeError, DTypeError, DeviceError when predictions and targets do not go together */
  protected override observe(predictions: Tensor, targets: Tensor) {
    const [x, y] = valuePair(this.name, predictions, targets)
    const errors = this.errorOf(x, y).to('float64')
    return { sum: errors.sum(), count: zeros([], { dtype: 'int64', device: x.device }).add(errors.numel) }
  }

  protected override conclude({ sum, count }: Sums): number {
    return (sum.data[0] as number) / (count.data[0] as number)
  }
}

const squared = (x: Tensor, y: Tensor): Tensor => x.sub(y).square()

/** Mean of (x − y)² over all elements. Predictions and targets are of one shape. */
export class MeanSquaredError extends ElementMean {
  constructor() {
    super('MeanSquaredError', squared)
  }
}

/** Square root of the mean of (x − y)² over all elements. Predictions and targets are of one shape. */
export class RootMeanSquaredError extends ElementMean {
  constructor() {
    super('RootMeanSquaredError', squared)
  }

  protected override conclude(sums: Sums): number {
    return Math.sqrt(super.conclude(sums))
  }
}

/** Mean of |x − y| over all elements. Predictions and targets are of one shape. */
export class MeanAbsoluteError extends ElementMean {
  constructor() {
    super('MeanAbsoluteError', (x, y) => x.sub(y).abs())
  }
}

/**
 * Mean cosine x·y / (|x|·|y|) of the vectors in the last dimension; a vector of length 0 has cosine 0 with all.
 *
 * Predictions and targets are `[…, D]`.
 */
export class CosineSimilarity extends ElementMean {
  constructor() {
    super('CosineSimilarity', cosines)
  }
}

function cosines(x: Tensor, y: Tensor): Tensor {
  if (x.ndim === 0) throw new ShapeError('CosineSimilarity: vectors are [D] or […, D], got a single number')
  const lengths = x
    .square()
    .sum({ dim: [-1] })
    .sqrt()
    .mul(
      y
        .square()
        .sum({ dim: [-1] })
        .sqrt(),
    )
  // Lengths that vanish would divide 0 by 0.
  const dot = x.mul(y).sum({ dim: [-1] })
  return dot.div(lengths.where(lengths.gt(0), 1))
}

/** See `MeanSquaredError`. */
export function meanSquaredError(predictions: Tensor, targets: Tensor): number {
  return measure(new MeanSquaredError(), predictions, targets)
}

/** See `RootMeanSquaredError`. */
export function rootMeanSquaredError(predictions: Tensor, targets: Tensor): number {
  return measure(new RootMeanSquaredError(), predictions, targets)
}

/** See `MeanAbsoluteError`. */
export function meanAbsoluteError(predictions: Tensor, targets: Tensor): number {
  return measure(new MeanAbsoluteError(), predictions, targets)
}

/** See `CosineSimilarity`. */
export function meanCosineSimilarity(predictions: Tensor, targets: Tensor): number {
  return measure(new CosineSimilarity(), predictions, targets)
}
