// Measured motion: what the pipeline's `measure` gives.
import { extname } from 'node:path'
import { writeFileAtomic, writeNpz } from '../../../io'
import { ArgumentError } from '../../../native/errors'
import { type Json, Result } from '../../../pipeline'
import type { Tensor } from '../../../tensor'
import { rootMeanSquare } from './signals'

/** The motion of one pixel over time, in px. */
export interface PointMotion {
  readonly x: number
  readonly y: number
  /** To the right, filtered over time. */
  readonly u: Float64Array
  /** Down. */
  readonly v: Float64Array
  /** Of one frame, after the filter, px²: uu, uv, vv. */
  readonly covariance: readonly [uu: number, uv: number, vv: number]
  /** Unit vector in which the motion is surest. */
  readonly direction: readonly [x: number, y: number]
  /** Motion in that direction. */
  readonly along: Float64Array
  /** Its standard deviation by noise. */
  readonly sigma: number
  /** Near the edge of the picture, where motion is less exact. */
  readonly border: boolean
}

/** Motion at one frequency, everywhere. */
export interface Harmonic {
  readonly hz: number
  /** `[2, H, W]` float32: u and v are real·cos(2π hz t) + imaginary·sin(2π hz t), in px. */
  readonly real: Tensor
  readonly imaginary: Tensor
}

export interface MeasurementParts {
  readonly fps: number
  readonly frames: number
  readonly points: readonly PointMotion[]
  /** `[3, H, W]` float32: uu, uv, vv of one frame after the filter, px². */
  readonly covariance: Tensor
  /** Σ T(t)² of the filter, which is in the covariances. */
  readonly noiseGain: number
  /** Variance of the noise in the middle of equal bins of intensity. */
  readonly noise: readonly number[]
  readonly harmonics: readonly Harmonic[]
  /** `[T, 2, H, W]` float32 where it was asked for. */
  readonly field: Tensor | undefined
}

/** Motion at points with error bars, covariances everywhere, and fields that were asked for. */
export class MotionMeasurement extends Result {
  readonly fps: number
  readonly frames: number
  readonly points: readonly PointMotion[]
  readonly covariance: Tensor
  readonly noiseGain: number
  readonly noise: readonly number[]
  readonly harmonics: readonly Harmonic[]
  readonly field: Tensor | undefined

  constructor(parts: MeasurementParts) {
    super()
    this.fps = parts.fps
    this.frames = parts.frames
    this.points = parts.points
    this.covariance = parts.covariance
    this.noiseGain = parts.noiseGain
    this.noise = parts.noise
    this.harmonics = parts.harmonics
    this.field = parts.field
  }

  /** A row a frame and a column triple a point: displacement in the surest direction, ± its σ, and u, v. */
  toCsv(): string {
    const names = this.points.flatMap(({ x, y }) => ['along', 'sigma', 'u', 'v'].map((name) => `${name}(${x} ${y})`))
    const rows = Array.from({ length: this.frames }, (_, t) => {
      const cells = this.points.flatMap(({ along, sigma, u, v }) => [along[t], sigma, u[t], v[t]])
      return [t / this.fps, ...cells].map((value) => Number((value ?? 0).toPrecision(9))).join(',')
    })
    return `${['t', ...names].join(',')}\n${rows.join('\n')}\n`
  }

  /** Writes csv (points), json (points and noise), or npz (covariance, harmonics, field). */
  async toFile(path: string): Promise<void> {
    const extension = extname(path).toLowerCase()
    if (extension === '.csv') return writeFileAtomic(path, Buffer.from(this.toCsv()), 'toFile')
    if (extension === '.json')
      return writeFileAtomic(path, Buffer.from(`${JSON.stringify(this.toJSON(), undefined, 2)}\n`), 'toFile')
    if (extension !== '.npz') {
      throw new ArgumentError(
        `toFile: '${extension}' of ${path} is not written for measurements; use .csv, .json or .npz`,
      )
    }
    const harmonics = this.harmonics.flatMap(({ hz, real, imaginary }) => [
      [`real_${hz}_hz`, real],
      [`imaginary_${hz}_hz`, imaginary],
    ])
    const field = this.field ? { field: this.field } : {}
    await writeNpz(path, { covariance: this.covariance, ...Object.fromEntries(harmonics), ...field })
  }

  describe(): string {
    const lines = this.points.map(
      ({ x, y, along, sigma, direction: [dx, dy], border }) =>
        `(${x}, ${y}): ${rootMeanSquare(along).toPrecision(3)} px RMS ± ${sigma.toPrecision(2)} px along (${dx.toFixed(2)}, ${dy.toFixed(2)})${border ? ', near the edge of the picture' : ''}`,
    )
    return [`${this.frames} frames, ${this.fps} a second`, ...lines].join('\n')
  }

  toJSON(): Json {
    const points = this.points.map(({ u, v, along, covariance, direction, ...rest }) => ({
      ...rest,
      ...{ covariance: [...covariance], direction: [...direction] },
      ...{ u: [...u], v: [...v], along: [...along] },
    }))
    const { fps, frames, noiseGain, noise } = this
    return { fps, frames, noiseGain, noise: [...noise], points }
  }

  protected override tensors(): Iterable<Tensor | undefined> {
    return [this.covariance, this.field, ...this.harmonics.flatMap(({ real, imaginary }) => [real, imaginary])]
  }
}
