// How sensor noise depends on intensity, and the error bars that follow from it (Eqs. 4–5 of the paper).
import { ShapeError } from '../../../native/errors'
import {
  bincount,
  dispose,
  Generator,
  hypot,
  randn,
  sqrt,
  stack,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../../tensor'
import { TENSORS } from '../../../tensor/handle'
import { gaussianFilter } from '../../../vision'
import { type MotionEstimator, Rank } from './estimator'

/** Variance of the noise by intensity: points in the middle of equal bins over 0–1. */
export interface NoiseLevel {
  /** One a bin; those of empty bins lie on the line between their neighbours. */
  readonly variances: readonly number[]
  /** Pixels in each bin. */
  readonly pixels: readonly number[]
}

export interface NoiseLevelOptions {
  readonly bins?: number
  /** Pixels with a steeper gradient are left out: there, motion changes them more than noise. */
  readonly gradient?: number
}

/** Mean and variance over time of every pixel, frame by frame. */
export class TemporalStatistics {
  #count = 0
  #mean: Tensor | undefined
  #squares: Tensor | undefined

  get count(): number {
    return this.#count
  }

  /** @param frame `[H, W]` */
  add(frame: Tensor): void {
    this.#count++
    const [mean, squares] = [this.#mean, this.#squares]
    const next = tidy(() => {
      const value = frame.to('float64')
      if (!mean || !squares)
        return { mean: value.clone(), squares: zeros(value.shape, { dtype: 'float64', device: value.device }) }
      const change = value.sub(mean)
      const moved = mean.add(change.div(this.#count))
      return { mean: moved, squares: squares.add(change.mul(value.sub(moved))) }
    })
    dispose([mean, squares])
    this.#mean = next.mean
    this.#squares = next.squares
  }

  /** @throws ShapeError when there were fewer than two frames */
  result(): { readonly mean: Tensor; readonly variance: Tensor } {
    if (!this.#mean || !this.#squares || this.#count < 2) {
      throw new ShapeError(`motion-microscopy: ${this.#count} frames; noise is measured in two or more`)
    }
    const [mean, squares] = [this.#mean, this.#squares]
    return tidy(() => ({ mean: mean.clone(), variance: squares.div(this.#count - 1) }))
  }

  *[TENSORS](): Iterable<Tensor> {
    if (this.#mean) yield this.#mean
    if (this.#squares) yield this.#squares
  }

  dispose(): void {
    dispose(this)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * The noise level function of a clip (Liu, Freeman, Szeliski and Kang 2006, from the variance over time).
 *
 * @param statistics of its luminance
 * @throws ShapeError when every pixel lies on a gradient
 */
export function noiseLevel(
  { mean, variance }: { readonly mean: Tensor; readonly variance: Tensor },
  { bins = 64, gradient = 0.05 }: NoiseLevelOptions = {},
): NoiseLevel {
  return tidy(() => {
    const derivative = (order: readonly [0 | 1, 0 | 1]) =>
      gaussianFilter(mean.unsqueeze(0), { sigma: 1, radius: 4, edge: 'replicate', order }).squeeze(0)
    const flat = hypot(derivative([0, 1]), derivative([1, 0]))
      .le(gradient)
      .to('float64')
      .flatten()
    const bin = mean
      .mul(bins)
      .floor()
      .clamp({ min: 0, max: bins - 1 })
      .to('int64')
      .flatten()
    const sums = (weights: Tensor) => bincount(bin, { weights, minlength: bins }).toArray() as number[]
    const pixels = sums(flat)
    const totals = sums(flat.mul(variance.flatten()))
    if (!pixels.some((count) => count > 0)) {
      throw new ShapeError(
        `motion-microscopy: no pixel has a gradient of at most ${gradient}, so noise cannot be told from motion; raise noise.gradient`,
      )
    }
    return { variances: filled(totals.map((total, i) => total / (pixels[i] as number))), pixels }
  })
}

/** Values in the places of NaN: on the line between the neighbours that have one, constant beyond the last. */
function filled(values: readonly number[]): number[] {
  const known = values.flatMap((value, i) => (Number.isNaN(value) ? [] : [i]))
  return values.map((value, i) => {
    if (!Number.isNaN(value)) return value
    const before = known.findLast((at) => at < i)
    const after = known.find((at) => at > i)
    if (before === undefined || after === undefined) return values[before ?? after ?? 0] as number
    const share = (i - before) / (after - before)
    return (1 - share) * (values[before] as number) + share * (values[after] as number)
  })
}

/** The variance of the noise at each intensity of a picture. */
export function noiseVariance(image: Tensor, { variances }: NoiseLevel): Tensor {
  return tidy(() => {
    const last = variances.length - 1
    const table = tensor([...variances], { dtype: image.dtype, device: image.device })
    const place = image.mul(variances.length).sub(0.5).clamp({ min: 0, max: last })
    const below = place.floor().clamp({ max: Math.max(0, last - 1) })
    const at = below.to('int64')
    const [low, high] = [at, at.add(1).clamp({ max: last })].map((index) =>
      table.indexSelect(0, index.flatten()).reshape(image.shape),
    ) as [Tensor, Tensor]
    return low.add(high.sub(low).mul(place.sub(below)))
  })
}

/** Variance of what cannot be measured, px². */
export const UNKNOWN = 10_000

export interface CovarianceOptions {
  /** Frames that are simulated; 100 unless stated. */
  readonly frames?: number
  readonly seed?: number
  /** Frames at a time. */
  readonly batch?: number
}

/**
 * Covariance of the measured motion from sensor noise alone: of motions measured in a clip of the first frame standing
 * still in noise of its own level. Multiply it by the filter's Σ T(t)².
 *
 * It is the noise of one frame: unfiltered motion also has the error of the first frame, which is the same in all frames
 * and which any filter without the mean removes.
 *
 * @param estimator of the first frame
 * @param reference the first frame's luminance, `[H, W]`
 * @returns `[3, H, W]` float64: uu, uv, vv in px²; 10,000 in directions that the picture does not tell
 */
export function motionCovariance(
  estimator: MotionEstimator,
  reference: Tensor,
  level: NoiseLevel,
  options: CovarianceOptions = {},
): Tensor {
  const simulation = new CovarianceSimulation(estimator, reference, level, options)
  while (!simulation.done) simulation.step()
  return simulation.result()
}

/** The same in steps, for callers that have other things to do. */
export class CovarianceSimulation {
  readonly #generator: Generator
  readonly #frames: number
  readonly #batch: number
  readonly #deviation: Tensor
  #given = 0
  #sums: Tensor

  constructor(
    readonly estimator: MotionEstimator,
    readonly reference: Tensor,
    level: NoiseLevel,
    { frames = 100, seed = 0, batch = 4 }: CovarianceOptions,
  ) {
    this.#frames = frames
    this.#batch = batch
    this.#generator = new Generator(seed)
    this.#deviation = sqrt(noiseVariance(reference, level))
    this.#sums = zeros([5, ...reference.shape], { dtype: 'float64', device: reference.device })
  }

  get done(): boolean {
    return this.#given >= this.#frames
  }

  get share(): number {
    return this.#given / this.#frames
  }

  step(): void {
    const count = Math.min(this.#batch, this.#frames - this.#given)
    const old = this.#sums
    this.#sums = tidy(() => {
      // Drawn on the CPU, so that every device simulates the same noise.
      const noise = randn([count, ...this.reference.shape], { generator: this.#generator }).to({
        dtype: this.reference.dtype,
        device: this.reference.device,
      })
      const motion = this.estimator.measure(this.reference.add(noise.mul(this.#deviation))).to('float64')
      const [u, v] = motion.unbind({ dim: 1 }) as [Tensor, Tensor]
      const moments = [u, v, u.square(), u.mul(v), v.square()].map((moment) => moment.sum({ dim: [0] }))
      return old.add(stack(moments))
    })
    dispose(old)
    this.#given += count
  }

  result(): Tensor {
    const n = this.#given
    const covariance = tidy(() => {
      const [u, v, uu, uv, vv] = this.#sums.unbind() as [Tensor, Tensor, Tensor, Tensor, Tensor]
      const about = (square: Tensor, a: Tensor, b: Tensor) => square.sub(a.mul(b).div(n)).div(n - 1)
      const [a, b, c] = [about(uu, u, u), about(uv, u, v), about(vv, v, v)]
      const { across } = this.estimator
      const [nx, ny] = across.to('float64').unbind() as [Tensor, Tensor]
      const one = this.estimator.rank.eq(Rank.One).to('float64').mul(UNKNOWN)
      const none = this.estimator.rank.eq(Rank.None).to('float64').mul(UNKNOWN)
      // What a straight edge does not tell is along it: I − n nᵀ.
      return stack([
        a.add(none).add(one.mul(ny.square())),
        b.sub(one.mul(nx.mul(ny))),
        c.add(none).add(one.mul(nx.square())),
      ])
    })
    dispose([this.#sums, this.#deviation])
    this.#generator.dispose()
    return covariance
  }
}
