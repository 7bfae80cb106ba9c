// Kernel point convolution with the names of its authors' PyTorch release.
import { ArgumentError, ShapeError } from '../native/errors'
import { init, Module, type Parameter, parameter } from '../nn'
import { ballQuery } from '../ops'
import { empty, type Tensor, tensor, tidy, where, zeros } from '../tensor'
import type { NetworkEntry } from './network'
import { gatherNeighbours } from './point-pyramid'

export interface KPConvOptions {
  /** Default 64. */
  readonly inChannels?: number
  /** Default 64. */
  readonly outChannels?: number
  /** Points that carry weights; default 15. */
  readonly kernelSize?: number
  /** How far a kernel point's influence reaches, in the unit of the points; default 1. */
  readonly extent?: number
  /** Radius of the ball that kernel points lie in; default 2.5 / 1.2 of the extent, as the paper's 2.5 cells to 1.2. */
  readonly radius?: number
  /** Moves the kernel points by what a rigid convolution of the same features says (Sec. 3.2). Default false. */
  readonly deformable?: boolean
  /** Of a deformable one: weighs the kernel points as well, from 0 to 2. Default false. */
  readonly modulated?: boolean
}

/** Where a deformable convolution's kernel points went; `kpconvOffsetLoss` keeps them near points and apart. */
export interface KPConvDeformation {
  /** Relative to each query, `[M, kernelSize, 3]`. */
  readonly kernelPoints: Tensor
  /** Square of the distance to the nearest neighbour, `[M, kernelSize]`. */
  readonly nearest: Tensor
  readonly extent: number
}

/**
 * Kernel point convolution (Thomas, Qi, Deschaud, Marcotegui, Goulette, Guibas, ICCV 2019): each neighbour's features are
 * weighed by the kernel points it is near to, falling linearly to 0 at `extent`.
 *
 * Shapes: queries `[M, 3]`, supports `[N, 3]`, neighbours int64 `[M, K]` (N where there are fewer) and features
 * `[N, inChannels]` → `[M, outChannels]`.
 */
export class KPConv extends Module {
  /** `[kernelSize, inChannels, outChannels]` */
  readonly weights: Parameter
  readonly offsetBias: Parameter | null
  /** Places `[kernelSize, 3]`, not trained. */
  readonly kernelPoints: Parameter
  readonly offsetConv: KPConv | null
  readonly extent: number
  readonly #inChannels: number

  constructor({
    inChannels = 64,
    outChannels = 64,
    kernelSize = 15,
    extent = 1,
    radius = (extent * 2.5) / 1.2,
    deformable = false,
    modulated = false,
  }: KPConvOptions = {}) {
    super()
    if (!(extent > 0) || !(radius > 0)) {
      throw new ArgumentError(`KPConv: extent is ${extent} and radius ${radius}; both must be above 0`)
    }
    this.extent = extent
    this.#inChannels = inChannels
    this.weights = parameter(empty([kernelSize, inChannels, outChannels]))
    const offsets = kernelSize * (modulated ? 4 : 3)
    this.offsetBias = deformable ? parameter(zeros([offsets])) : null
    this.kernelPoints = parameter(tensor(kernelPointDisposition(kernelSize, radius)), { requiresGrad: false })
    this.offsetConv = deformable ? new KPConv({ inChannels, outChannels: offsets, kernelSize, extent, radius }) : null
    init.kaimingUniform_(this.weights, { a: Math.sqrt(5) })
  }

  forward(queries: Tensor, supports: Tensor, neighbours: Tensor, features: Tensor): Tensor {
    return this.convolve(queries, supports, neighbours, features).features
  }

  /** As `forward`, with where the kernel points went; null where they are rigid. */
  convolve(
    queries: Tensor,
    supports: Tensor,
    neighbours: Tensor,
    features: Tensor,
  ): { features: Tensor; deformation: KPConvDeformation | null } {
    const count = supports.size(0)
    if (features.size(0) !== count || features.size(1) !== this.#inChannels || neighbours.size(0) !== queries.size(0)) {
      throw new ShapeError(
        `KPConv: features [${features.shape.join(', ')}] and neighbours [${neighbours.shape.join(', ')}] do not fit ${count} supports with ${this.#inChannels} channels and ${queries.size(0)} queries`,
      )
    }
    // A neighbour that is not there lies too far away to matter, and has no features.
    const places = gatherNeighbours(supports, neighbours, 1e6).sub(queries.unsqueeze(1))
    const { kernelPoints, factors } = this.#deform(queries, supports, neighbours, features)
    const squares = places
      .unsqueeze(2)
      .sub(kernelPoints.ndim === 3 ? kernelPoints.unsqueeze(1) : kernelPoints)
      .square()
      .sum({ dim: [3] })
    const influence = squares.sqrt().div(-this.extent).add(1).clamp({ min: 0 })
    const around = gatherNeighbours(features, neighbours)
    const gathered = influence.transpose(1, 2).matmul(around)
    const weighed = factors ? gathered.mul(factors.unsqueeze(2)) : gathered
    const deformation = this.offsetConv
      ? { kernelPoints, nearest: squares.amin({ dim: [1] }), extent: this.extent }
      : null
    return {
      features: weighed
        .transpose(0, 1)
        .matmul(this.weights)
        .sum({ dim: [0] }),
      deformation,
    }
  }

  /** The kernel points, of each query where they move, and by what each is weighed. */
  #deform(
    queries: Tensor,
    supports: Tensor,
    neighbours: Tensor,
    features: Tensor,
  ): { kernelPoints: Tensor; factors: Tensor | null } {
    const { kernelPoints, offsetBias, offsetConv } = this
    if (!offsetConv || !offsetBias) return { kernelPoints, factors: null }
    const said = offsetConv.forward(queries, supports, neighbours, features).add(offsetBias)
    const size = kernelPoints.size(0)
    const moved = said.narrow(1, 0, 3 * size).unflatten(1, [size, 3])
    const factors =
      said.size(1) > 3 * size
        ? said
            .narrow(1, 3 * size, size)
            .sigmoid()
            .mul(2)
        : null
    return { kernelPoints: moved.mul(this.extent).add(kernelPoints), factors }
  }
}

/**
 * Up to `count` supports in a ball around each query, as `KPConv` takes them: int64 `[M, count]`, N where there are fewer.
 *
 * @param queries `[M, 3]`
 * @param supports `[N, 3]`
 */
export function ballNeighbours(queries: Tensor, supports: Tensor, radius: number, count: number): Tensor {
  return tidy(() => {
    const { indices, counts } = ballQuery(queries.unsqueeze(0), supports.unsqueeze(0), radius, count)
    const places = tensor(
      BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
      { device: queries.device },
    )
    const missing = places.ge(counts.squeeze(0).unsqueeze(1))
    return where(missing, supports.size(0), indices.squeeze(0))
  })
}

/**
 * Points spread in a ball: one at its centre, the others repel one another and are drawn back to it (the paper's
 * supplement). Their mean distance from the centre is 0.66 of the radius.
 */
export function kernelPointDisposition(count: number, radius: number): number[][] {
  if (!Number.isInteger(count) || count < 1) {
    throw new ArgumentError(`KPConv: kernelSize is ${count}; it must be a whole number of 1 or more`)
  }
  // A spiral on the sphere is near the minimum and always the same.
  const golden = Math.PI * (3 - Math.sqrt(5))
  let points = Array.from({ length: count - 1 }, (_, i) => {
    const z = 1 - (2 * i + 1) / (count - 1)
    const ring = Math.sqrt(Math.max(0, 1 - z * z))
    return [ring * Math.cos(golden * i), ring * Math.sin(golden * i), z]
  })
  for (let step = 0; step < 200; step++) {
    const still = points
    points = still.map((point, i) => {
      const others = [...still.filter((_, j) => j !== i), [0, 0, 0]]
      const force = others.reduce(
        (sum, other) => {
          const away = point.map((value, d) => value - (other[d] ?? 0))
          const cube = Math.max(Math.hypot(...away), 1e-3) ** 3
          return sum.map((value, d) => value + (away[d] ?? 0) / cube)
        },
        point.map((value) => -2 * value),
      )
      const length = Math.hypot(...force)
      const reach = Math.min(0.01, 0.01 / Math.max(length, 1e-9)) * (1 - step / 200)
      return point.map((value, d) => value + reach * (force[d] ?? 0))
    })
  }
  const mean = points.reduce((sum, point) => sum + Math.hypot(...point), 0) / Math.max(points.length, 1)
  const scale = points.length > 0 ? (0.66 * radius) / mean : 0
  return [[0, 0, 0], ...points.map((point) => point.map((value) => value * scale))]
}

export const kpconv = (options?: KPConvOptions) => new KPConv(options)

export const KPCONVS = {
  kpconv: { create: kpconv, task: 'point-cloud', input: { kind: 'points' } },
} as const satisfies Readonly<Record<string, NetworkEntry<KPConvOptions>>>
