// Spectra of displacement and of its noise, and transfer from one point to another.
import { ArgumentError } from '../../../native/errors'
import { aboutMean } from './signals'

/** Power by frequency. */
export interface PowerSpectrum {
  /** From 0 to half the frame rate. */
  readonly hz: Float64Array
  /** |DFT|²/T of the signal about its mean, px². */
  readonly power: Float64Array
}

/** A discrete Fourier transform by its definition, for bins 0 … T/2. */
function transform(values: Float64Array): { readonly real: Float64Array; readonly imaginary: Float64Array } {
  const count = values.length
  const bins = Math.floor(count / 2) + 1
  const cosines = Float64Array.from({ length: count }, (_, i) => Math.cos((2 * Math.PI * i) / count))
  const sines = Float64Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * i) / count))
  const sum = (waves: Float64Array) =>
    Float64Array.from({ length: bins }, (_, k) =>
      values.reduce((total, value, t) => total + value * (waves[(k * t) % count] ?? 0), 0),
    )
  return { real: sum(cosines), imaginary: sum(sines).map((value) => -value) }
}

/** The paper's Fig. 2E: power of a displacement. */
export function powerSpectrum(signal: ArrayLike<number>, fps: number): PowerSpectrum {
  const values = aboutMean(signal)
  const { real, imaginary } = transform(values)
  return {
    hz: real.map((_, k) => (k * fps) / values.length),
    power: real.map((re, k) => (re * re + (imaginary[k] ?? 0) ** 2) / Math.max(1, values.length)),
  }
}

/**
 * What noise of a variance has in the same spectrum, after a filter: σ² |T̂(f)|².
 *
 * @param variance of one frame before the filter, px²
 * @param response the filter's impulse response
 */
export function noiseSpectrum(variance: number, response: Float64Array, fps: number, hz: Float64Array): Float64Array {
  return hz.map((frequency) => {
    const angle = (2 * Math.PI * frequency) / fps
    const [re, im] = response.reduce<[number, number]>(
      ([real, imaginary], value, t) => [real + value * Math.cos(angle * t), imaginary + value * Math.sin(angle * t)],
      [0, 0],
    )
    return variance * (re * re + im * im)
  })
}

/** How a motion arrives at a point, by frequency. */
export interface TransferFunction {
  readonly hz: Float64Array
  /** Amplitude there by amplitude here. */
  readonly gain: Float64Array
  /** By how much the motion there is behind, in radians from −π to π. */
  readonly lag: Float64Array
  /** 0–1: the share of the power there that the motion here explains. 1 everywhere for a single piece. */
  readonly coherence: Float64Array
}

/**
 * The transfer function from the motion of one point to that of another: cross spectrum by spectrum of the source,
 * averaged over pieces that overlap by half, under Hann windows (Welch's method).
 *
 * @param pieceFrames frames a piece; a quarter of the signal unless stated
 * @throws ArgumentError for signals of different length, or shorter than a piece
 */
export function transferFunction(
  source: ArrayLike<number>,
  response: ArrayLike<number>,
  fps: number,
  pieceFrames = Math.floor(source.length / 4),
): TransferFunction {
  if (source.length !== response.length || pieceFrames < 4 || pieceFrames > source.length) {
    throw new ArgumentError(
      `transferFunction: signals of ${source.length} and ${response.length} frames in pieces of ${pieceFrames}; they are equally long, and a piece has at least 4 frames`,
    )
  }
  const [from, to] = [aboutMean(source), aboutMean(response)]
  const step = Math.floor(pieceFrames / 2)
  const bins = Math.floor(pieceFrames / 2) + 1
  const [xx, yy, re, im] = [0, 1, 2, 3].map(() => new Float64Array(bins)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  for (let start = 0; start + pieceFrames <= from.length; start += step) {
    const piece = (values: Float64Array) =>
      transform(
        values
          .subarray(start, start + pieceFrames)
          .map((value, t) => value * (0.5 - 0.5 * Math.cos((2 * Math.PI * t) / pieceFrames))),
      )
    const [a, b] = [piece(from), piece(to)]
    for (let k = 0; k < bins; k++) {
      const [ar = 0, ai = 0, br = 0, bi = 0] = [a.real[k], a.imaginary[k], b.real[k], b.imaginary[k]]
      xx[k] = (xx[k] ?? 0) + ar * ar + ai * ai
      yy[k] = (yy[k] ?? 0) + br * br + bi * bi
      re[k] = (re[k] ?? 0) + ar * br + ai * bi
      im[k] = (im[k] ?? 0) + ar * bi - ai * br
    }
  }
  const tiny = Number.MIN_VALUE
  const cross = re.map((value, k) => Math.hypot(value, im[k] ?? 0))
  return {
    hz: xx.map((_, k) => (k * fps) / pieceFrames),
    gain: cross.map((value, k) => value / Math.max(xx[k] ?? 0, tiny)),
    lag: re.map((value, k) => -Math.atan2(im[k] ?? 0, value)),
    coherence: cross.map((value, k) => (value / Math.max(xx[k] ?? 0, tiny)) * (value / Math.max(yy[k] ?? 0, tiny))),
  }
}
