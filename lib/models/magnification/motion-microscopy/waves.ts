// Waves: how the amplitude and phase of a harmonic motion run along a line, and over the picture.
import { ArgumentError } from '../../../native/errors'
import { gridSampler, hypot, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import { type InterpolationOptions, interpolateField } from './interpolate'
import type { Harmonic } from './measurement'

/** A straight line in a picture, from one pixel to another. */
export interface Line {
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
}

/** Points of a line a pixel apart. */
export function pointsOf({ from: [x1, y1], to: [x2, y2] }: Line): { readonly x: number; readonly y: number }[] {
  const steps = Math.max(1, Math.round(Math.hypot(x2 - x1, y2 - y1)))
  return Array.from({ length: steps + 1 }, (_, i) => ({
    x: x1 + ((x2 - x1) * i) / steps,
    y: y1 + ((y2 - y1) * i) / steps,
  }))
}

/** Values of maps along a line, between pixels by their four neighbours. @param maps `[N, H, W]` @returns `[N, points]` */
export function alongLine(maps: Tensor, line: Line): Tensor {
  return tidy(() => {
    const [height = 0, width = 0] = maps.shape.slice(-2)
    const points = pointsOf(line)
    const outside = points.find(({ x, y }) => x < 0 || y < 0 || x > width - 1 || y > height - 1)
    if (outside) throw new ArgumentError(`alongLine: the line leaves the picture of ${width} × ${height} pixels`)
    const scaled = (value: number, size: number) => (size === 1 ? 0 : (2 * value) / (size - 1) - 1)
    const grid = tensor(
      points.flatMap(({ x, y }) => [scaled(x, width), scaled(y, height)]),
      { dtype: maps.dtype, device: maps.device },
    )
    return gridSampler(maps.unsqueeze(0), grid.reshape([1, 1, -1, 2]), 0, 1, true)
      .squeeze(0)
      .squeeze(1)
  })
}

/** A harmonic motion along a line. */
export interface WaveProfile {
  /** Pixels from the beginning of the line. */
  readonly distance: Float64Array
  /** Of the motion in `direction`, px. */
  readonly amplitude: Float64Array
  /** Radians, without jumps along the line: the motion is amplitude · cos(2π hz t − phase). */
  readonly phase: Float64Array
  /** Pixels from crest to crest, negative for a wave that runs towards the beginning; infinite for a standing motion. */
  readonly wavelength: number
  /** Pixels a second. */
  readonly speed: number
  /** Nepers a pixel: amplitude falls as exp(−attenuation · distance). */
  readonly attenuation: number
}

/**
 * How a wave runs along a line: lines through its phase and its log amplitude, weighted by the square of the amplitude.
 *
 * @param direction of the motion, as an angle in degrees from the right to down; 90 unless stated
 */
export function waveProfile({ real, imaginary, hz }: Harmonic, line: Line, direction = 90): WaveProfile {
  return tidy(() => {
    const [dx, dy] = [Math.cos((direction * Math.PI) / 180), Math.sin((direction * Math.PI) / 180)]
    const [re, im] = [real, imaginary].map((maps) => {
      const [u, v] = alongLine(maps, line).unbind() as [Tensor, Tensor]
      return Float64Array.from(u.mul(dx).add(v.mul(dy)).toArray() as number[])
    }) as [Float64Array, Float64Array]
    const { from, to } = line
    const length = Math.hypot(to[0] - from[0], to[1] - from[1])
    const distance = re.map((_, i) => (i * length) / Math.max(1, re.length - 1))
    const amplitude = re.map((value, i) => Math.hypot(value, im[i] ?? 0))
    let last = 0
    const phase = re.map((value, i) => {
      const angle = Math.atan2(im[i] ?? 0, value)
      last = i === 0 ? angle : angle + 2 * Math.PI * Math.round((last - angle) / (2 * Math.PI))
      return last
    })
    const weights = amplitude.map((value) => value * value)
    const wave = slope(distance, phase, weights)
    const decay = slope(
      distance,
      amplitude.map((value) => Math.log(Math.max(value, 1e-12))),
      weights,
    )
    const wavelength = wave === 0 ? Number.POSITIVE_INFINITY : (2 * Math.PI) / wave
    return { distance, amplitude, phase, wavelength, speed: wavelength * hz, attenuation: -decay }
  })
}

/** Slope of the weighted least-squares line. */
function slope(x: Float64Array, y: Float64Array, weights: Float64Array): number {
  const sum = (value: (i: number) => number) => weights.reduce((total, weight, i) => total + weight * value(i), 0)
  const total = Math.max(
    sum(() => 1),
    Number.MIN_VALUE,
  )
  const [meanX, meanY] = [sum((i) => x[i] ?? 0) / total, sum((i) => y[i] ?? 0) / total]
  const spread = sum((i) => ((x[i] ?? 0) - meanX) ** 2)
  return spread === 0 ? 0 : sum((i) => ((x[i] ?? 0) - meanX) * ((y[i] ?? 0) - meanY)) / spread
}

/**
 * A harmonic motion with values where none could be measured: its real and imaginary parts interpolated (Eq. 6).
 *
 * @param covariance `[3, H, W]` px²
 */
export async function interpolateHarmonic(
  { hz, real, imaginary }: Harmonic,
  covariance: Tensor,
  options: InterpolationOptions = {},
): Promise<Harmonic> {
  return tidyAsync(async () => {
    const smooth = async (part: Tensor) => (await interpolateField(part, covariance, options)).motion.to('float32')
    return { hz, real: await smooth(real), imaginary: await smooth(imaginary) }
  })
}

/** Amplitude of a harmonic motion √(|û|² + |v̂|²), `[H, W]` px. */
export function harmonicAmplitude({ real, imaginary }: Harmonic): Tensor {
  return tidy(() => {
    const [u, v] = hypot(real, imaginary).unbind() as [Tensor, Tensor]
    return hypot(u, v)
  })
}
