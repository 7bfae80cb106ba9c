// Reference sensors: vibrometers and accelerometers beside the measured displacement.
import { readFile } from 'node:fs/promises'
import { ArgumentError, FormatError } from '../../../native/errors'
import { systemReason } from '../../../native/system-reason'
import { filterSignal, type TemporalFilter } from '../../../vision'
import { aboutMean, correlation, dot, rootMeanSquare } from './signals'

/** Readings of a sensor at even steps. */
export interface SensorSignal {
  /** Time of the first reading, s. */
  readonly startS: number
  /** Readings a second. */
  readonly rate: number
  readonly values: Float64Array
}

/**
 * Reads a table of times and values: two columns, by commas, semicolons or white space, with or without a heading.
 *
 * @throws FormatError for a line that is none, times that do not rise evenly, or fewer than two readings
 */
export async function readSensor(path: string): Promise<SensorSignal> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ArgumentError(`readSensor: cannot read ${path}: ${systemReason(cause)}`, { cause })
  })
  return parseSensor(text, path)
}

export function parseSensor(text: string, name: string): SensorSignal {
  const rows = text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return []
    const cells = line
      .trim()
      .split(/[,;\s]+/)
      .map(Number)
    if (i === 0 && cells.some(Number.isNaN)) return []
    const [t = Number.NaN, value = Number.NaN] = cells
    if (Number.isFinite(t) && Number.isFinite(value)) return [{ t, value }]
    throw new FormatError(`${name}: line ${i + 1} is '${line.slice(0, 60)}'; a line is a time in seconds and a value`)
  })
  const [first, last] = [rows[0], rows.at(-1)]
  if (rows.length < 2 || !first || !last)
    throw new FormatError(`${name}: has ${rows.length} readings; two are the least`)
  const stepS = (last.t - first.t) / (rows.length - 1)
  for (const [i, { t }] of rows.entries()) {
    if (stepS > 0 && Math.abs(t - first.t - i * stepS) < 0.1 * stepS) continue
    throw new FormatError(`${name}: reading ${i + 1} is at ${t} s; times rise evenly, by ${stepS} s here`)
  }
  return { startS: first.t, rate: 1 / stepS, values: Float64Array.from(rows, ({ value }) => value) }
}

/** The integral over time by the trapezoidal rule, from 0. */
export function integrate({ values, rate, startS }: SensorSignal): SensorSignal {
  let sum = 0
  const integral = values.map((value, i) => {
    if (i > 0) sum += (value + (values[i - 1] ?? 0)) / (2 * rate)
    return sum
  })
  return { startS, rate, values: integral }
}

/** Values on the lines between readings, at the times of frames; constant beyond them. */
export function resample({ values, rate, startS }: SensorSignal, frames: number, fps: number): Float64Array {
  const last = values.length - 1
  return Float64Array.from({ length: frames }, (_, t) => {
    const place = Math.min(Math.max((t / fps - startS) * rate, 0), last)
    const below = Math.min(Math.floor(place), Math.max(0, last - 1))
    const share = place - below
    return (1 - share) * (values[below] ?? 0) + share * (values[below + 1] ?? values[below] ?? 0)
  })
}

/** How a sensor's readings become displacement. */
export interface SensorOptions {
  readonly measures: 'displacement' | 'velocity' | 'acceleration'
  /** Filters of the readings before they are integrated. */
  readonly before?: readonly TemporalFilter[]
  /** Filters of the video's signal alone, such as a band-stop against shaking of the camera. */
  readonly video?: readonly TemporalFilter[]
  /** Filters of both signals after it. */
  readonly after?: readonly TemporalFilter[]
  /** Seconds by which the sensor's clock is ahead; `'auto'` (default): where the correlation is largest. */
  readonly lagS?: number | 'auto'
  /** Largest lag that is tried, in seconds; 0.5 unless stated. */
  readonly mostLagS?: number
  /** Pixels a unit of displacement; by least squares unless stated. */
  readonly scale?: number
}

/** A measured displacement beside a sensor's. */
export interface SensorComparison {
  readonly correlation: number
  readonly lagS: number
  /** Pixels a unit of the sensor. */
  readonly scale: number
  /** Eight equal pieces: RMS of the video's signal about its mean, px, and correlation. */
  readonly pieces: readonly { readonly rms: number; readonly correlation: number }[]
  /** The sensor's displacement at the frames, px. */
  readonly reference: Float64Array
}

const PIECES = 8

/**
 * Compares a displacement measured in a video with a sensor, as the paper does with a vibrometer: integrated at the
 * sensor's rate, brought to the times of the frames, aligned, and correlated as a whole and in eight pieces.
 *
 * The bridge of the paper integrates twice and has the same band-pass after for both, without a high-pass before, which
 * would remove its bands; the cantilever has a high-pass from 2.5 Hz before.
 *
 * @param displacement at the frames, px
 */
export function compareWithSensor(
  displacement: ArrayLike<number>,
  fps: number,
  sensor: SensorSignal,
  options: SensorOptions,
): SensorComparison {
  const { measures, before = [], video: ofVideo = [], after = [], lagS = 'auto', mostLagS = 0.5 } = options
  const times = { displacement: 0, velocity: 1, acceleration: 2 }[measures]
  const filtered = (values: ArrayLike<number>, filters: readonly TemporalFilter[], rate: number) =>
    filters.reduce<Float64Array>((signal, filter) => filterSignal(signal, filter, rate), Float64Array.from(values))
  let signal: SensorSignal = { ...sensor, values: filtered(sensor.values, before, sensor.rate) }
  for (let i = 0; i < times; i++) signal = integrate(signal)
  const video = filtered(displacement, [...ofVideo, ...after], fps)
  const at = (shiftS: number) =>
    filtered(resample({ ...signal, startS: signal.startS - shiftS }, video.length, fps), after, fps)
  const found = lagS === 'auto' ? bestLag(video, at(0), fps, mostLagS) : lagS
  const reference = at(found)
  const centred = aboutMean(reference)
  const scale = options.scale ?? dot(aboutMean(video), centred) / Math.max(dot(centred, centred), Number.MIN_VALUE)
  const length = Math.floor(video.length / PIECES)
  return {
    correlation: correlation(video, reference),
    lagS: found,
    scale,
    pieces: Array.from({ length: PIECES }, (_, i) => {
      const [a, b] = [video, reference].map((values) => values.subarray(i * length, (i + 1) * length)) as [
        Float64Array,
        Float64Array,
      ]
      return { rms: rootMeanSquare(a), correlation: correlation(a, b) }
    }),
    reference: centred.map((value) => scale * value),
  }
}

/** Seconds by which `reference` is to be taken later for the largest correlation, refined by a parabola. */
function bestLag(video: Float64Array, reference: Float64Array, fps: number, mostS: number): number {
  const most = Math.min(Math.floor(mostS * fps), Math.floor(video.length / 2))
  const at = (lag: number) => {
    const count = video.length - Math.abs(lag)
    const a = video.subarray(Math.max(0, -lag), Math.max(0, -lag) + count)
    const b = reference.subarray(Math.max(0, lag), Math.max(0, lag) + count)
    return correlation(a, b)
  }
  const lags = Array.from({ length: 2 * most + 1 }, (_, i) => i - most)
  const best = lags.reduce((winner, lag) => (at(lag) > at(winner) ? lag : winner), 0)
  const [left, middle, right] = [at(best - 1), at(best), at(best + 1)]
  const bend = left - 2 * middle + right
  const refined = Math.abs(best) === most || bend >= 0 ? best : best + (left - right) / (2 * bend)
  return refined / fps
}
