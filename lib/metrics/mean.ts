import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { describe } from '../tensor/call'
import { scalarTensor } from '../tensor/creation'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'
import { BaseMetric, measure, type StateValues } from './base'

/**
 * The weighted mean Σ w·x / Σ w of numbers or of all elements of tensors, such as a loss over batches of different size:
 * `mean.update(loss, batchSize)`.
 *
 * A weight is a number, or a tensor that broadcasts to the values. NaN when the weights sum up to 0; NaN and infinite
 * values show in the result.
 */
export class Mean extends BaseMetric<[values: Tensor | number, weights?: Tensor | number], number, 'sum' | 'weight'> {
  constructor() {
    super('Mean', 'sum', ['sum', 'weight'], {})
  }

  /** @throws ArgumentError, DTypeError, ShapeError when values and weights are no numbers or do not go together */
  protected override observe(values: Tensor | number, weights: Tensor | number = 1) {
    const device = isTensor(values) ? values.device : isTensor(weights) ? weights.device : 'cpu'
    const value = asFloat64('values', values).to(device)
    const weight = broadcast(asFloat64('weights', weights).to(device), value.shape)
    return { sum: value.mul(weight).sum(), weight: weight.sum() }
  }

  protected override conclude({ sum, weight }: Readonly<Record<'sum' | 'weight', StateValues>>): number {
    return (sum.data[0] as number) / (weight.data[0] as number)
  }
}

function asFloat64(role: string, value: Tensor | number): Tensor {
  if (typeof value === 'number') return scalarTensor(value, { dtype: 'float64' })
  if (!isTensor(value as unknown))
    throw new ArgumentError(`Mean: ${role} is ${describe(value)}; pass a Tensor or a number`)
  if (value.dtype.startsWith('complex'))
    throw new DTypeError(`Mean: ${role} is ${value.dtype}; take abs() or real first`)
  return value.to('float64')
}

function broadcast(weight: Tensor, shape: readonly number[]): Tensor {
  const padded = [...Array.from({ length: Math.max(0, shape.length - weight.ndim) }, () => 1), ...weight.shape]
  const fits = padded.length === shape.length && padded.every((size, dim) => size === 1 || size === shape[dim])
  if (fits) return weight.expand([...shape])
  throw new ShapeError(`Mean: weights [${weight.shape.join(', ')}] do not broadcast to values [${shape.join(', ')}]`)
}

/** The weighted mean of all elements; see `Mean`. */
export function weightedMean(values: Tensor | number, weights?: Tensor | number): number {
  return measure(new Mean(), values, weights)
}
