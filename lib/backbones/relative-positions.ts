// T5's positions: a learnt number for each head and bucket of distances; MPNet has them too.
import { arange, type Device, type Tensor } from '../tensor'

export interface BucketOptions {
  /** Default 32. */
  readonly buckets?: number
  /** Distances from here on share a bucket; default 128. */
  readonly maxDistance?: number
  /** Whether later tokens have buckets of their own, or all count as distance 0; default true. */
  readonly bidirectional?: boolean
  readonly device?: Device
}

/**
 * The bucket of each pair's distance (Raffel et al. 2020, §2.1): one for each short distance, then logarithmically wider.
 *
 * @param queries the last so many of the keys
 * @returns int64 `[queries, keys]`
 */
export function relativeBuckets(queries: number, keys: number, options: BucketOptions = {}): Tensor {
  const { buckets = 32, maxDistance = 128, bidirectional = true, device = 'cpu' } = options
  const place = arange(keys, { dtype: 'int64', device })
  const relative = place.sub(place.narrow(0, keys - queries, queries).unsqueeze(1))
  const each = bidirectional ? Math.floor(buckets / 2) : buckets
  const later = bidirectional ? relative.gt(0).to('int64').mul(each) : null
  const distance = bidirectional ? relative.abs() : relative.clamp({ max: 0 }).neg()
  const exact = Math.floor(each / 2)
  // In float32, whose rounding decides the bucket at powers of two.
  const share = distance
    .to('float32')
    .div(exact)
    .log()
    .div(Math.log(maxDistance / exact))
  const wide = share
    .mul(each - exact)
    .clamp({ min: 0 })
    .to('int64')
    .add(exact)
    .clamp({ max: each - 1 })
  const bucket = distance.where(distance.lt(exact), wide)
  return later ? bucket.add(later) : bucket
}
