import { ArgumentError } from '../native/errors'
import type { HistogramData } from './tensorboard-events'

/** TensorBoard's buckets: ±1e-12·1.1ⁿ up to 1e20, and 0. */
const LIMITS: readonly number[] = (() => {
  const positive: number[] = []
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit)
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive]
})()

/**
 * Counts of values in TensorBoard's buckets, from the first that is not empty to the last.
 *
 * @throws ArgumentError when there are no values, or one is not finite
 */
export function histogramOf(tag: string, values: ArrayLike<number>): HistogramData {
  if (values.length === 0) throw new ArgumentError(`addHistogram: there are no values for '${tag}'; pass at least one`)
  const counts = new Float64Array(LIMITS.length - 1)
  let [min, max, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (!Number.isFinite(value)) {
      throw new ArgumentError(`addHistogram: value ${i} for '${tag}' is ${value}; no bucket holds it, mask it out`)
    }
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
    sumOfSquares += value * value
    const bucket = bucketOf(value)
    if (bucket !== undefined) counts[bucket] = (counts[bucket] as number) + 1
  }
  const first = counts.findIndex((count) => count > 0)
  const end = counts.findLastIndex((count) => count > 0) + 1
  // Only right limits are stored, so an empty bucket in front says where the first one starts.
  return {
    ...{ min, max, count: values.length, sum, sumOfSquares },
    limits: first < 0 ? [0] : LIMITS.slice(first, end + 1),
    counts: first < 0 ? [0] : [0, ...counts.subarray(first, end)],
  }
}

/** The bucket that starts at or below a value; undefined for one beyond all of them. */
function bucketOf(value: number): number | undefined {
  let [low, high] = [0, LIMITS.length - 1]
  if (value < (LIMITS[0] as number) || value > (LIMITS[high] as number)) return undefined
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (value >= (LIMITS[middle] as number)) low = middle
    else high = middle
  }
  return low
}
