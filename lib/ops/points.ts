import { ArgumentError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { randint, zeros } from '../tensor/creation'
import type { Generator } from '../tensor/random'
import { tidy, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

export interface KnnOptions {
  /** Points of each cloud of the query, int64 `[B]`; all unless given. */
  readonly queryLengths?: Tensor | undefined
  /** Points of each cloud of the reference, int64 `[B]`; all unless given. */
  readonly referenceLengths?: Tensor | undefined
}

export interface NearestNeighbours {
  /** Squared, `[B, N, k]`, the nearest first. */
  readonly distances: Tensor
  /** Of the points of the reference, int64 `[B, N, k]`. */
  readonly indices: Tensor
}

/**
 * The k nearest points of a reference for each point of a query, exactly; of points equally far the one of the lower index
 * comes first. Distances have gradients by both clouds, no second derivative; float16 and bfloat16 are computed in float32.
 *
 * Where a reference has fewer than k points by its length, what is missing has index −1 and distance ∞; points of the query
 * beyond its length have index −1 and distance 0. A distance that is NaN comes after all others.
 *
 * @param query `[B, N, D]`
 * @param reference `[B, M, D]`, of the same dtype
 * @param k 1 to M
 * @throws ShapeError when the batch or D differ; ArgumentError when k or a length is out of range
 */
export function knn(query: Tensor, reference: Tensor, k: number, options: KnnOptions = {}): NearestNeighbours {
  const { queryLengths, referenceLengths } = options
  return neighbours(call('vision_native::knn', [query, reference, k], { queryLengths, referenceLengths }))
}

/** `knn` on a thread of LibTorch's, with the event loop free. */
export async function knnAsync(
  query: Tensor,
  reference: Tensor,
  k: number,
  { queryLengths, referenceLengths, ...watch }: KnnOptions & AsyncCallOptions = {},
): Promise<NearestNeighbours> {
  const options = { queryLengths, referenceLengths }
  return neighbours(await callAsync('vision_native::knn', [query, reference, k], options, watch))
}

function neighbours(results: unknown): NearestNeighbours {
  const [distances, indices] = results as [Tensor, Tensor]
  return { distances, indices }
}

export interface FurthestPointOptions {
  /**
   * The first point of each cloud: the first unless given, int64 `[B]`, or `random`, which draws one from all points (and
   * knows nothing of `lengths`).
   */
  readonly start?: Tensor | 'random' | undefined
  /** What `random` draws from; the default generator unless given. */
  readonly generator?: Generator | undefined
  /** Points of each cloud, int64 `[B]`; all unless given. */
  readonly lengths?: Tensor | undefined
}

/**
 * Chooses points one by one, each the furthest from those chosen before it (Eldar et al., 1997; PointNet++, Qi et al.,
 * NeurIPS 2017); of points equally far the one of the lowest index. No point is chosen twice: of points in one place, those
 * left over come last, and after them those with a coordinate that is not finite. Where a cloud has too few points by its
 * length, the rest is −1.
 *
 * @param points `[B, N, D]`
 * @param samples n, 1 to N
 * @returns indices, int64 `[B, n]`
 * @throws ShapeError for other ranks; ArgumentError when `samples`, a start or a length is out of range
 */
export function furthestPointSample(points: Tensor, samples: number, options: FurthestPointOptions = {}): Tensor {
  return tidy(() => call(SAMPLE, [points, samples], sampleOptions(points, options)) as Tensor)
}

/** `furthestPointSample` on a thread of LibTorch's, with the event loop free. */
export function furthestPointSampleAsync(
  points: Tensor,
  samples: number,
  { signal, onProgress, ...options }: FurthestPointOptions & AsyncCallOptions = {},
): Promise<Tensor> {
  return tidyAsync(async () => {
    const watch = { signal, onProgress }
    return (await callAsync(SAMPLE, [points, samples], sampleOptions(points, options), watch)) as Tensor
  })
}

const SAMPLE = 'vision_native::furthest_point_sample'

function sampleOptions(points: Tensor, { start, generator, lengths }: FurthestPointOptions) {
  if (start !== 'random') {
    if (generator) throw new ArgumentError("furthestPointSample: a generator needs start: 'random'")
    return { start, lengths }
  }
  const [clouds = 0, count = 0] = points.shape
  if (count < 1) return { start: zeros([clouds], { dtype: 'int64', device: points.device }), lengths }
  const drawn = randint(0, count, [clouds], { dtype: 'int64', generator })
  return { start: drawn.to(points.device), lengths }
}

export interface BallQueryOptions {
  /** Centres of each cloud, int64 `[B]`; all unless given. */
  readonly centerLengths?: Tensor | undefined
  /** Points of each cloud, int64 `[B]`; all unless given. */
  readonly pointLengths?: Tensor | undefined
}

export interface BallNeighbours {
  /** Int64 `[B, M, samples]`, in rising order; what is missing repeats the first, or is 0 where there is none. */
  readonly indices: Tensor
  /** How many of them were found, int64 `[B, M]`. */
  readonly counts: Tensor
}

/**
 * The first points, in the order of the cloud, that are nearer to a centre than a radius (PointNet++, Qi et al., NeurIPS
 * 2017). As there, missing ones repeat the first and a ball without points gives index 0: `counts` tells. Distances that
 * are NaN are not below the radius.
 *
 * @param centers `[B, M, D]`
 * @param points `[B, N, D]`, of the same dtype
 * @param radius above 0, in the unit of the points; a point at this distance is outside
 * @param samples 1 or more
 * @throws ShapeError when the batch or D differ; ArgumentError for options out of range
 */
export function ballQuery(
  centers: Tensor,
  points: Tensor,
  radius: number,
  samples: number,
  { centerLengths, pointLengths }: BallQueryOptions = {},
): BallNeighbours {
  const options = { centerLengths, pointLengths }
  const results = call('vision_native::ball_query', [centers, points, radius, samples], options)
  const [indices, counts] = results as [Tensor, Tensor]
  return { indices, counts }
}

export interface ChamferOptions {
  /** Points of each cloud, int64 `[B]`; all unless given. */
  readonly firstLengths?: Tensor | undefined
  readonly secondLengths?: Tensor | undefined
  /** Whether distances are squared; true unless stated. */
  readonly squared?: boolean
}

export interface ChamferResult {
  /** From each point of the first clouds to the nearest of the second, `[B, N]`. */
  readonly firstDistances: Tensor
  /** The other way, `[B, M]`. */
  readonly secondDistances: Tensor
  /** The nearest points, int64 `[B, N]`; −1 beyond a length, where the distance is 0. */
  readonly firstIndices: Tensor
  /** Int64 `[B, M]`. */
  readonly secondIndices: Tensor
}

/**
 * Distances between clouds, from each point to the nearest of the other cloud (Fan, Su, Guibas, CVPR 2017). They have
 * gradients by both clouds, no second derivative; that of a distance which is not squared is 0 where two points coincide.
 *
 * @param first `[B, N, D]`
 * @param second `[B, M, D]`, of the same dtype
 * @throws ShapeError when the batch or D differ or a cloud is empty; ArgumentError when a length is out of range
 */
export function chamferDistances(first: Tensor, second: Tensor, options: ChamferOptions = {}): ChamferResult {
  const { firstLengths, secondLengths, squared = true } = options
  const named = { firstLengths, secondLengths, squared }
  const results = call('vision_native::chamfer_distance', [first, second], named)
  const [firstDistances, secondDistances, firstIndices, secondIndices] = results as [Tensor, Tensor, Tensor, Tensor]
  return { firstDistances, secondDistances, firstIndices, secondIndices }
}

export interface ChamferLossOptions extends ChamferOptions {
  /** Over the batch; `mean` unless stated. */
  readonly reduction?: 'mean' | 'sum' | 'none'
}

/**
 * The mean of `chamferDistances` over the points of each cloud, both directions added: a number for each pair of clouds,
 * reduced over the batch. By their lengths, a cloud without points adds 0, and points without a cloud to go to ∞.
 *
 * @returns a scalar, or `[B]`
 */
export function chamferDistance(first: Tensor, second: Tensor, options: ChamferLossOptions = {}): Tensor {
  const { reduction = 'mean', ...rest } = options
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new ArgumentError(`chamferDistance: reduction is 'mean', 'sum' or 'none', got '${reduction}'`)
  }
  return tidy(() => {
    const { firstDistances, secondDistances } = chamferDistances(first, second, rest)
    const there = meanOver(firstDistances, options.firstLengths)
    const both = there.add(meanOver(secondDistances, options.secondLengths))
    if (reduction === 'none') return both
    return reduction === 'sum' ? both.sum() : both.mean()
  })
}

function meanOver(distances: Tensor, lengths: Tensor | undefined): Tensor {
  const sums = distances.sum({ dim: [1] })
  if (!lengths) return sums.div(distances.size(1))
  return sums.div(lengths.clamp({ min: 1 }).to(distances.dtype))
}
