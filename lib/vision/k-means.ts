import { RandomStream, Stream } from '../data/random'
import { ArgumentError, ShapeError } from '../native/errors'
import { scalarTensor, stack, type Tensor, tidy, zeros } from '../tensor'

export interface KMeansOptions {
  /** Runs from other first centres, of which the tightest is kept; 10 unless stated. */
  readonly restarts?: number
  /** Most rounds of a run; 100 unless stated. */
  readonly maxIterations?: number
  /** Equal seeds give equal clusters; 0 unless stated. */
  readonly seed?: number
}

export interface KMeans {
  /** `[K, D]` float32. */
  readonly centres: Tensor<'float32'>
  /** Cluster of each point. */
  readonly labels: readonly number[]
  /** Sum of squared distances of the points to their centres. */
  readonly inertia: number
}

/**
 * Clusters by Lloyd's algorithm from first centres of k-means++ (Arthur and Vassilvitskii 2007).
 *
 * A cluster that loses all its points begins again at the point farthest from its centre.
 *
 * @param points `[N, D]`, floating point
 * @param clusters K, at most N
 * @throws ShapeError unless the points are `[N, D]`; ArgumentError when there are fewer points than clusters
 */
export function kMeans(points: Tensor, clusters: number, options: KMeansOptions = {}): KMeans {
  const { restarts = 10, maxIterations = 100, seed = 0 } = options
  if (points.ndim !== 2) throw new ShapeError(`kMeans: the points are [${points.shape}]; they must be [N, D]`)
  if (!(Number.isInteger(clusters) && clusters >= 1 && clusters <= points.size(0))) {
    throw new ArgumentError(`kMeans: ${clusters} clusters of ${points.size(0)} points; give 1 to as many as points`)
  }
  const random = new RandomStream(seed, 0, Stream.Samples)
  return tidy(() => {
    const data = points.detach().to('float32')
    const runs = Array.from({ length: restarts }, () =>
      lloyd(data, firstCentres(data, clusters, random), maxIterations),
    )
    return runs.reduce((best, run) => (run.inertia < best.inertia ? run : best))
  })
}

/** Points drawn with a probability that grows with the squared distance to those drawn before. */
function firstCentres(data: Tensor, clusters: number, random: RandomStream): Tensor {
  const count = data.size(0)
  const chosen = [random.below(count)]
  while (chosen.length < clusters) {
    const nearest = tidy(() => {
      const centres = stack(chosen.map((i) => data.select(0, i)))
      return squaredDistances(data, centres)
        .amin({ dim: [1] })
        .dataSync() as Float32Array
    })
    const total = nearest.reduce((sum, value) => sum + value, 0)
    let left = random.uniform() * total
    const drawn = nearest.findIndex((value) => {
      left -= value
      return left < 0
    })
    // All points lie on centres already, or rounding used up the rest: any point will do.
    chosen.push(drawn >= 0 ? drawn : random.below(count))
  }
  return stack(chosen.map((i) => data.select(0, i)))
}

function squaredDistances(data: Tensor, centres: Tensor): Tensor {
  const lengths = data.square().sum({ dim: [1], keepdim: true })
  const others = centres.square().sum({ dim: [1] })
  return lengths.add(others).sub(data.matmul(centres.t()).mul(2)).clamp({ min: 0 })
}

function lloyd(data: Tensor, first: Tensor, maxIterations: number): KMeans {
  let centres = first
  let labels: readonly number[] = []
  for (let round = 0; round <= maxIterations; round++) {
    const distances = squaredDistances(data, centres)
    const nearest = distances.argmin({ dim: 1 })
    const next = Array.from(nearest.dataSync() as BigInt64Array, Number)
    const settled = next.every((label, i) => label === labels[i])
    labels = next
    if (settled || round === maxIterations) break
    centres = means(data, nearest, labels, distances)
  }
  const inertia = squaredDistances(data, centres)
    .amin({ dim: [1] })
    .sum()
    .item() as number
  return { centres: centres as Tensor<'float32'>, labels, inertia }
}

function means(data: Tensor, nearest: Tensor, labels: readonly number[], distances: Tensor): Tensor {
  const clusters = distances.size(1)
  const sums = zeros([clusters, data.size(1)], { device: data.device }).indexAdd(0, nearest, data)
  const counts = Array.from({ length: clusters }, () => 0)
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1
  const own = tidy(() => distances.amin({ dim: [1] }).dataSync() as Float32Array)
  return stack(
    counts.map((count, cluster) => {
      if (count > 0) return sums.select(0, cluster).div(scalarTensor(count, { device: data.device }))
      const farthest = own.reduce((best, value, i) => (value > (own[best] ?? 0) ? i : best), 0)
      own[farthest] = 0
      return data.select(0, farthest)
    }),
  )
}
