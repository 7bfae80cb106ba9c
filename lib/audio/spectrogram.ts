// Short-time Fourier transforms and spectrograms, as torchaudio computes them.
import { ArgumentError, ShapeError } from '../native/errors'
import { hannWindow, pad, pow, type Tensor, istft as torchIstft, stft as torchStft } from '../tensor'
import { tidy } from '../tensor/scope'

export interface StftOptions {
  /** Length of the transform; default 400. */
  readonly nFft?: number
  /** Samples that the window covers; default `nFft`. */
  readonly winLength?: number
  /** Samples from one frame to the next; default half the window. */
  readonly hopLength?: number
  /** `[winLength]`; default Hann's. */
  readonly window?: Tensor
  /** Frames are centred on their sample, the ends mirrored; default true. */
  readonly center?: boolean
  readonly padMode?: 'reflect' | 'constant' | 'replicate' | 'circular'
  /** Only frequencies from 0 to half the sample rate; default true. */
  readonly onesided?: boolean
  /** Divides by √nFft; default false. */
  readonly normalized?: boolean
}

interface Framing {
  readonly nFft: number
  readonly winLength: number
  readonly hopLength: number
  readonly window: Tensor
}

function framing(name: string, like: Tensor, options: StftOptions): Framing {
  const { nFft = 400 } = options
  const { winLength = nFft } = options
  const { hopLength = Math.floor(winLength / 2) } = options
  for (const [key, value] of Object.entries({ nFft, winLength, hopLength })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ArgumentError(`${name}: ${key} is ${value}; it must be a whole number of samples, 1 or more`)
    }
  }
  if (winLength > nFft) {
    throw new ArgumentError(
      `${name}: a window of ${winLength} samples does not fit a transform of ${nFft}; give a larger nFft`,
    )
  }
  const window = options.window ?? hannWindow(winLength, { dtype: realType(like), device: like.device })
  if (String(window.shape) !== String([winLength])) {
    throw new ShapeError(
      `${name}: window is [${window.shape.join(', ')}]; it must be [${winLength}], as winLength says`,
    )
  }
  return { nFft, winLength, hopLength, window }
}

function realType(x: Tensor): 'float64' | 'float32' {
  return x.dtype === 'float64' || x.dtype === 'complex128' ? 'float64' : 'float32'
}

/** @throws ShapeError when frames cannot be cut out of so few samples */
function checkWaveform(name: string, waveform: Tensor, options: StftOptions, nFft: number): void {
  const samples = waveform.shape.at(-1)
  if (samples === undefined) throw new ShapeError(`${name}: the waveform is a single number; it must be [..., time]`)
  const { center = true, padMode = 'reflect' } = options
  const least = center ? (padMode === 'reflect' ? Math.floor(nFft / 2) + 1 : 1) : nFft
  if (samples < least) {
    throw new ShapeError(
      `${name}: ${samples} samples are too few; a transform of ${nFft} needs ${least} here: pad the sound`,
    )
  }
}

/**
 * Short-time Fourier transform.
 *
 * @param waveform `[..., time]`
 * @returns complex `[..., frequencies, frames]`
 * @throws ShapeError when the sound is shorter than a frame needs
 */
export function stft(waveform: Tensor, options: StftOptions = {}): Tensor {
  return tidy(() => {
    const { nFft, winLength, hopLength, window } = framing('stft', waveform, options)
    checkWaveform('stft', waveform, options, nFft)
    const { center = true, padMode = 'reflect', onesided = true, normalized = false } = options
    const lead = waveform.shape.slice(0, -1)
    const flat = waveform.reshape([-1, waveform.shape.at(-1) ?? 0])
    const frames = torchStft(flat, nFft, {
      hopLength,
      winLength,
      window,
      center,
      padMode,
      normalized,
      onesided,
      returnComplex: true,
    })
    return frames.reshape([...lead, ...frames.shape.slice(1)])
  })
}

/**
 * The sound whose short-time Fourier transform this is, by least squares (Griffin and Lim 1984).
 *
 * @param spectrum complex `[..., frequencies, frames]`, made with the same options
 * @param options `length`: samples of the result; by default as many as the frames certainly cover
 * @returns `[..., time]`
 */
export function istft(
  spectrum: Tensor,
  options: Omit<StftOptions, 'padMode'> & { readonly length?: number } = {},
): Tensor {
  return tidy(() => {
    const [bins = 0, frames = 0] = spectrum.shape.slice(-2)
    const nFft = options.nFft ?? 2 * (bins - 1)
    const { winLength, hopLength, window } = framing('istft', spectrum, { ...options, nFft })
    const { center = true, onesided = true, normalized = false, length = null } = options
    const expected = onesided ? Math.floor(nFft / 2) + 1 : nFft
    if (spectrum.ndim < 2 || bins !== expected) {
      throw new ShapeError(
        `istft: the spectrum is [${spectrum.shape.join(', ')}]; with nFft ${nFft} it must be [..., ${expected}, frames]`,
      )
    }
    const lead = spectrum.shape.slice(0, -2)
    const waveform = torchIstft(spectrum.reshape([-1, bins, frames]), nFft, {
      hopLength,
      winLength,
      window,
      center,
      normalized,
      onesided,
      length,
    })
    return waveform.reshape([...lead, waveform.shape.at(-1) ?? 0])
  })
}

export interface SpectrogramOptions extends Omit<StftOptions, 'normalized'> {
  /** Exponent of the magnitude: 1 for amplitude, 2 for power (default), null for the complex numbers. */
  readonly power?: number | null
  /** Zeros before and after the sound; default 0. */
  readonly pad?: number
  /** Divides by the window's energy (`'window'` or true), by √nFft (`'frameLength'`), or not; default false. */
  readonly normalized?: boolean | 'window' | 'frameLength'
}

/**
 * Spectrogram, as `torchaudio.transforms.Spectrogram`.
 *
 * @param waveform `[..., time]`
 * @returns `[..., frequencies, frames]`
 * @throws ShapeError when the sound is shorter than a frame needs
 */
export function spectrogram(waveform: Tensor, options: SpectrogramOptions = {}): Tensor {
  return tidy(() => {
    const { power = 2, pad: padding = 0, normalized = false, ...transform } = options
    const padded = padding > 0 ? pad(waveform, [padding, padding]) : waveform
    const { window } = framing('spectrogram', padded, transform)
    let spectrum = stft(padded, { ...transform, window, normalized: normalized === 'frameLength' })
    if (normalized === true || normalized === 'window') spectrum = spectrum.div(window.square().sum().sqrt())
    if (power === null) return spectrum
    return power === 1 ? spectrum.abs() : spectrum.abs().pow(power)
  })
}

export interface DecibelOptions {
  /** What is 0 dB; default 1. */
  readonly reference?: number
  /** Lower values count as this; default 1e-10. */
  readonly amin?: number
  /** Cuts off what lies further below the loudest value of each spectrogram; default null, nothing. */
  readonly topDb?: number | null
}

/**
 * Decibels of a spectrogram, as `torchaudio.transforms.AmplitudeToDB`.
 *
 * @param x `[..., channel, frequencies, frames]`: with `topDb`, the loudest value is that of all channels
 * @param of what the values are: `'power'` gives 10 log₁₀, `'magnitude'` 20 log₁₀
 */
export function amplitudeToDb(x: Tensor, of: 'power' | 'magnitude' = 'power', options: DecibelOptions = {}): Tensor {
  const { reference = 1, amin = 1e-10, topDb = null } = options
  if (!(amin > 0)) throw new ArgumentError(`amplitudeToDb: amin is ${amin}; it must be positive`)
  const factor = of === 'power' ? 10 : 20
  return tidy(() => {
    const decibels = x
      .clamp({ min: amin })
      .log10()
      .mul(factor)
      .sub(factor * Math.log10(Math.max(amin, reference)))
    if (topDb === null) return decibels
    if (!(topDb >= 0)) throw new ArgumentError(`amplitudeToDb: topDb is ${topDb}; it must be 0 or more`)
    const [rows = 1, columns = 1] = x.shape.slice(-2)
    const each = decibels.reshape([-1, x.ndim > 2 ? (x.shape.at(-3) ?? 1) : 1, rows, columns])
    const floor = each.amax({ dim: [-3, -2, -1], keepdim: true }).sub(topDb)
    return each.maximum(floor).reshape([...x.shape])
  })
}

/** The inverse of `amplitudeToDb`: `reference · 10^(x / 10)`, for magnitudes 10^(x / 20), as `torchaudio.functional.DB_to_amplitude`. */
export function dbToAmplitude(
  x: Tensor,
  of: 'power' | 'magnitude' = 'power',
  { reference = 1 }: { readonly reference?: number } = {},
): Tensor {
  return tidy(() => pow(10, x.div(of === 'power' ? 10 : 20)).mul(reference))
}
