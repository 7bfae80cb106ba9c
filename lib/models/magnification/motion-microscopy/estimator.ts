// Motion of every pixel against the first frame: weighted least squares over phases (Eqs. 1–3 of the paper).
import { ShapeError } from '../../../native/errors'
import {
  abs,
  atan2,
  cat,
  complex,
  type Device,
  dispose,
  fftFftfreq,
  fftIfft2,
  hypot,
  imag,
  sgn,
  stack,
  type Tensor,
  tidy,
  where,
  zerosLike,
} from '../../../tensor'
import { TENSORS } from '../../../tensor/handle'
import { gaussianFilter } from '../../../vision'
import { SteerablePyramid } from '../../../vision/pyramids'
import { type Boundary, Frame } from './padding'
import { phaseDifference, unwrapped } from './phase'

export interface EstimatorOptions {
  readonly levels?: number
  readonly sigma?: number
  readonly radius?: number
  /** Amplitudes and gradients of the first frame (default), or of each frame. They always belong together. */
  readonly gradients?: 'reference' | 'per-frame'
  readonly boundary?: Boundary
  readonly padding?: number
  readonly dtype?: 'float32' | 'float64'
  readonly device?: Device
}

/** How many directions of motion a pixel's surroundings tell. */
export enum Rank {
  /** No texture: the motion is 0. */
  None = 0,
  /** A straight edge: the motion is the part across it. */
  One = 1,
  Two = 2,
}

/** Determinant over squared trace below which a pixel knows one direction only. */
const STRAIGHT = 1e-6
/** Trace below which it knows none. */
const BLANK = 1e-12
/** Pixels nearer to the edge are less exact. */
export const BORDER = 16

/**
 * Displacement of what each pixel shows, against its place in the first frame: u to the right, v down.
 *
 * The paper writes its residual for the motion that takes frame t back to the first one; here V is the motion of the
 * object, which is its negative.
 */
export class MotionEstimator {
  readonly frame: Frame
  /** uint8 `[H, W]` of `Rank`, from the first frame. */
  readonly rank: Tensor
  readonly #options: Required<Omit<EstimatorOptions, 'levels' | 'device'>>
  readonly #pyramid: SteerablePyramid
  /** iω along x and y of the padded picture. */
  readonly #slopes: readonly [Tensor, Tensor]
  readonly #reference: Tensor
  /** A² ∂φ/∂x and A² ∂φ/∂y of the first frame. */
  readonly #weights: readonly [Tensor, Tensor]
  /** `[3, H, W]`: the inverse of [[a, b], [b, c]], as far as the rank goes. */
  readonly #inverse: Tensor
  /** `[3, H, W]`: pooled a, b, c. */
  readonly normal: Tensor

  /** @param reference the first frame's luminance, `[H, W]` in 0–1 */
  constructor(reference: Tensor, options: EstimatorOptions = {}) {
    const { levels = 2, sigma = 3, radius = 9, gradients = 'reference', boundary = 'replicate', padding = 32 } = options
    const { dtype = 'float32', device = reference.device as Device } = options
    const [height = 0, width = 0] = reference.shape
    if (reference.ndim !== 2 || Math.min(height, width) < 2 * radius) {
      throw new ShapeError(
        `motion-microscopy: frames have the shape [${reference.shape}]; motion is measured in pictures of at least ${2 * radius} × ${2 * radius} pixels`,
      )
    }
    this.frame = new Frame(height, width, boundary, padding)
    this.#options = { sigma, radius, gradients, boundary, padding, dtype }
    const size = { height: this.frame.paddedHeight, width: this.frame.paddedWidth }
    const made = tidy(() => {
      const pyramid = new SteerablePyramid({ ...size, levels, subsample: false, dtype, device })
      const slope = (count: number) => {
        const omega = fftFftfreq(count, { dtype: 'float64' }).mul(2 * Math.PI)
        return complex(zerosLike(omega), omega).to({ dtype: dtype === 'float32' ? 'complex64' : 'complex128', device })
      }
      return { pyramid, slopes: [slope(size.width).unsqueeze(0), slope(size.height).unsqueeze(1)] as const }
    })
    this.#pyramid = made.pyramid
    this.#slopes = made.slopes
    const first = tidy(() => {
      const { bands, gradients: both } = this.#bandsAndGradients(
        this.spectrum(reference.to({ device, dtype }).unsqueeze(0)),
      )
      const unit = sgn(bands).conj()
      // A ∂φ, without a division by what may be 0.
      const [x, y] = both.map((gradient) => imag(unit.mul(gradient))) as [Tensor, Tensor]
      const amplitude = abs(bands)
      const normal = this.#pool([x.square(), x.mul(y), y.square()]).squeeze(0)
      const rank = rankOf(normal)
      const weights = [x.mul(amplitude).squeeze(0), y.mul(amplitude).squeeze(0)] as const
      return { reference: bands.squeeze(0), weights, normal, rank, inverse: inverseOf(normal, rank) }
    })
    this.#reference = first.reference
    this.#weights = first.weights
    this.#inverse = first.inverse
    this.normal = first.normal
    this.rank = first.rank
  }

  /** Whether the motion is linear in the phases, so that either may be filtered over time. */
  get isLinear(): boolean {
    return this.#options.gradients === 'reference'
  }

  /** @param frames luminance `[N, H, W]` @returns spectrum of the padded frames */
  spectrum(frames: Tensor): Tensor {
    return this.#pyramid.spectrum(this.frame.pad(frames))
  }

  /** Phases of the spectra of frames against the first frame, `[N, K, H', W']`; each from −π to π. */
  phases(spectrum: Tensor): Tensor {
    return phaseDifference(this.#bands(spectrum), this.#reference)
  }

  /** The same for one frame, following the phases of the frame before. */
  unwrappedPhases(spectrum: Tensor, before: Tensor): Tensor {
    return unwrapped(this.phases(spectrum), before)
  }

  /**
   * Motion from phases, filtered over time or not.
   *
   * @param phases `[N, K, H', W']`
   * @param spectrum of the frames, for gradients of each frame
   * @returns `[N, 2, H, W]` in pixels
   */
  motion(phases: Tensor, spectrum: Tensor): Tensor {
    if (this.isLinear) {
      const right = this.#pool(this.#weights.map((weight) => weight.mul(phases)))
      return solve(this.#inverse, right)
    }
    const { bands, gradients } = this.#bandsAndGradients(spectrum)
    const unit = sgn(bands).conj()
    const [x, y] = gradients.map((gradient) => imag(unit.mul(gradient))) as [Tensor, Tensor]
    const weighted = abs(bands).mul(phases)
    const pooled = this.#pool([x.square(), x.mul(y), y.square(), x.mul(weighted), y.mul(weighted)])
    const inverse = inverseOf(pooled.narrow(-3, 0, 3), this.rank)
    return solve(inverse, pooled.narrow(-3, 3, 2))
  }

  /** Motion of single frames, without following phases. @param frames `[N, H, W]` */
  measure(frames: Tensor): Tensor {
    return tidy(() => {
      const spectrum = this.spectrum(frames.to(this.#options.dtype))
      return this.motion(this.phases(spectrum), spectrum)
    })
  }

  /** Pooled right-hand sides (d, e), `[N, 2, H, W]`, for gradients of the first frame. */
  rightHandSide(phases: Tensor): Tensor {
    return this.#pool(this.#weights.map((weight) => weight.mul(phases)))
  }

  /** bool `[H, W]`: pixels near the edge of the picture. */
  border(): Tensor {
    return tidy(() => {
      const { height, width } = this.frame
      const inner = zerosLike(this.rank).to('bool').logicalNot()
      if (height <= 2 * BORDER || width <= 2 * BORDER) return inner
      inner
        .narrow(0, BORDER, height - 2 * BORDER)
        .narrow(1, BORDER, width - 2 * BORDER)
        .fill_(false)
      return inner
    })
  }

  /** `[2, H, W]`: the unit vector along which motion is told best, of no certain sign. */
  get across(): Tensor {
    return tidy(() => {
      const [a, b, c] = this.normal.unbind() as [Tensor, Tensor, Tensor]
      const angle = atan2(b.mul(2), a.sub(c)).div(2)
      return stack([angle.cos(), angle.sin()])
    })
  }

  #bands(spectrum: Tensor): Tensor {
    return cat(this.#pyramid.bands(spectrum), { dim: -3 })
  }

  #bandsAndGradients(spectrum: Tensor): { readonly bands: Tensor; readonly gradients: readonly Tensor[] } {
    const filters = cat(this.#pyramid.filters.bands, { dim: -3 })
    const parts = spectrum.unsqueeze(-3).mul(filters)
    return { bands: fftIfft2(parts), gradients: this.#slopes.map((slope) => fftIfft2(parts.mul(slope))) }
  }

  /** Sums over bands, in the picture without its margin, smoothed: `[N, maps, H, W]` of maps `[N, K, H', W']`. */
  #pool(maps: readonly Tensor[]): Tensor {
    const { sigma, radius, boundary } = this.#options
    const sums = stack(
      maps.map((map) => this.frame.crop(map).sum({ dim: [-3] })),
      { dim: -3 },
    )
    const planes = sums.reshape([-1, this.frame.height, this.frame.width])
    const edge = boundary === 'periodic' ? 'circular' : 'zero'
    return gaussianFilter(planes, { sigma, radius, edge }).reshape(sums.shape)
  }

  dispose(): void {
    dispose(this)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal So that `tidy` may return an estimator. */
  *[TENSORS](): Iterable<Tensor> {
    yield* [...this.#slopes, this.#reference, ...this.#weights, this.#inverse, this.normal, this.rank]
    yield* this.#pyramid[TENSORS]()
  }
}

function rankOf(normal: Tensor): Tensor {
  return tidy(() => {
    const [a, b, c] = normal.unbind({ dim: -3 }) as [Tensor, Tensor, Tensor]
    const trace = a.add(c)
    const determinant = a.mul(c).sub(b.square())
    const two = determinant.ge(trace.square().mul(STRAIGHT))
    return trace.ge(BLANK).to('uint8').mul(two.to('uint8').add(1))
  })
}

/** The inverse of [[a, b], [b, c]]; of rank one n nᵀ/λ with the larger eigenpair, of rank zero 0. */
function inverseOf(normal: Tensor, rank: Tensor): Tensor {
  return tidy(() => {
    const [a, b, c] = normal.unbind({ dim: -3 }) as [Tensor, Tensor, Tensor]
    const one = rank.eq(Rank.One)
    const none = rank.eq(Rank.None)
    const gap = hypot(a.sub(c), b.mul(2))
    const larger = a.add(c).add(gap).div(2)
    const smaller = a.add(c).sub(gap).div(2)
    const determinant = a.mul(c).sub(b.square())
    const scale = where(one, gap.mul(larger), determinant)
    const safe = where(none.logicalOr(scale.eq(0)), scale.mul(0).add(1), scale)
    const parts = [where(one, a.sub(smaller), c), where(one, b, b.neg()), where(one, c.sub(smaller), a)]
    return stack(
      parts.map((part) => where(none, part.mul(0), part.div(safe))),
      { dim: -3 },
    )
  })
}

/** V = −(XᵀWX)⁻¹ XᵀWY. */
function solve(inverse: Tensor, right: Tensor): Tensor {
  const [p, q, r] = inverse.unbind({ dim: -3 }) as [Tensor, Tensor, Tensor]
  const [d, e] = right.unbind({ dim: -3 }) as [Tensor, Tensor]
  return stack([p.mul(d).add(q.mul(e)).neg(), q.mul(d).add(r.mul(e)).neg()], { dim: -3 })
}
