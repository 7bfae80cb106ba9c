// Kernel point convolution with the names of its authors' PyTorch release.
import { ArgumentError, ShapeError } from '../native/errors'
import { BatchNorm1d, functional as F, init, Linear, Module, type Parameter, parameter } from '../nn'
import { ballQuery } from '../ops'
import { cat, empty, type Tensor, tensor, tidy, where, zeros } from '../tensor'
import type { NetworkEntry } from './network'

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
}

/**
 * Kernel point convolution, the rigid one (Thomas, Qi, Deschaud, Marcotegui, Goulette, Guibas, ICCV 2019): each neighbour's
 * features are weighed by the kernel points it is near to, falling linearly to 0 at `extent`.
 *
 * Shapes: queries `[M, 3]`, supports `[N, 3]`, neighbours int64 `[M, K]` (N where there are fewer) and features
 * `[N, inChannels]` → `[M, outChannels]`.
 */
export class KPConv extends Module {
  /** `[kernelSize, inChannels, outChannels]` */
  readonly weights: Parameter
  /** Places `[kernelSize, 3]`, not trained. */
  readonly kernelPoints: Parameter
  readonly extent: number
  readonly #inChannels: number

  constructor({
    inChannels = 64,
    outChannels = 64,
    kernelSize = 15,
    extent = 1,
    radius = (extent * 2.5) / 1.2,
  }: KPConvOptions = {}) {
    super()
    if (!(extent > 0) || !(radius > 0)) {
      throw new ArgumentError(`KPConv: extent is ${extent} and radius ${radius}; both must be above 0`)
    }
    this.extent = extent
    this.#inChannels = inChannels
    this.weights = parameter(empty([kernelSize, inChannels, outChannels]))
    this.kernelPoints = parameter(tensor(kernelPointDisposition(kernelSize, radius)), { requiresGrad: false })
    init.kaimingUniform_(this.weights, { a: Math.sqrt(5) })
  }

  forward(queries: Tensor, supports: Tensor, neighbours: Tensor, features: Tensor): Tensor {
    const count = supports.size(0)
    if (features.size(0) !== count || features.size(1) !== this.#inChannels || neighbours.size(0) !== queries.size(0)) {
      throw new ShapeError(
        `KPConv: features [${features.shape.join(', ')}] and neighbours [${neighbours.shape.join(', ')}] do not fit ${count} supports with ${this.#inChannels} channels and ${queries.size(0)} queries`,
      )
    }
    // A neighbour that is not there lies too far away to matter, and has no features.
    const far = zeros([1, 3], { dtype: supports.dtype, device: supports.device }).add(1e6)
    const places = rowsOf(cat([supports, far]), neighbours).sub(queries.unsqueeze(1))
    const offsets = places.unsqueeze(2).sub(this.kernelPoints)
    const distances = offsets
      .square()
      .sum({ dim: [3] })
      .sqrt()
    const influence = distances.div(-this.extent).add(1).clamp({ min: 0 })
    const nothing = zeros([1, features.size(1)], { dtype: features.dtype, device: features.device })
    const around = rowsOf(cat([features, nothing]), neighbours)
    const weighed = influence.transpose(1, 2).matmul(around)
    return weighed
      .transpose(0, 1)
      .matmul(this.weights)
      .sum({ dim: [0] })
  }
}

/** Rows by numbers `[M, K]`: `[M, K, C]`. */
function rowsOf(values: Tensor, indices: Tensor): Tensor {
  return values.indexSelect(0, indices.flatten()).view([...indices.shape, values.size(1)])
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

/** 1×1, kernel point convolution, 1×1 beside a shortcut (the paper's Fig. 7, without striding). */
export class KPConvBlock extends Module {
  readonly unary1: Linear
  readonly norm1: BatchNorm1d
  readonly KPConv: KPConv
  readonly normConv: BatchNorm1d
  readonly unary2: Linear
  readonly norm2: BatchNorm1d
  readonly unaryShortcut: Linear | null

  constructor(from: number, to: number, options: Omit<KPConvOptions, 'inChannels' | 'outChannels'> = {}) {
    super()
    const within = Math.max(1, Math.floor(to / 4))
    this.unary1 = new Linear(from, within, { bias: false })
    this.norm1 = new BatchNorm1d(within)
    this.KPConv = new KPConv({ ...options, inChannels: within, outChannels: within })
    this.normConv = new BatchNorm1d(within)
    this.unary2 = new Linear(within, to, { bias: false })
    this.norm2 = new BatchNorm1d(to)
    this.unaryShortcut = from === to ? null : new Linear(from, to, { bias: false })
  }

  forward(places: Tensor, neighbours: Tensor, features: Tensor): Tensor {
    const x = leaky(this.norm1.forward(this.unary1.forward(features)))
    const y = leaky(this.normConv.forward(this.KPConv.forward(places, places, neighbours, x)))
    const z = this.norm2.forward(this.unary2.forward(y))
    return leaky(z.add(this.unaryShortcut?.forward(features) ?? features))
  }
}

function leaky(x: Tensor): Tensor {
  return F.leakyRelu(x, { negativeSlope: 0.1 })
}

export const kpconv = (options?: KPConvOptions) => new KPConv(options)

export const KPCONVS = {
  kpconv: { create: kpconv, task: 'point-cloud', input: { kind: 'points' } },
} as const satisfies Readonly<Record<string, NetworkEntry<KPConvOptions>>>
