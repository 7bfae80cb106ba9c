// Mel scales, filter banks and what is made with them, as torchaudio computes them.
import { ArgumentError } from '../native/errors'
import { arange, linspace, pow, type Tensor, zeros } from '../tensor'
import { tidy } from '../tensor/scope'
import { amplitudeToDb, type SpectrogramOptions, spectrogram } from './spectrogram'

export type MelScale = 'htk' | 'slaney'

/** Slaney's Auditory Toolbox: linear to 1 kHz, 27 logarithmic steps from there to 6.4 kHz. */
const LINEAR_STEP = 200 / 3
const LOG_START = 1000
const LOG_START_MEL = LOG_START / LINEAR_STEP
const LOG_STEP = Math.log(6.4) / 27

/** Mels of a frequency in hertz; HTK's are `2595 log₁₀(1 + f / 700)`. */
export function hzToMel(hertz: number, scale: MelScale = 'htk'): number {
  if (scale === 'htk') return 2595 * Math.log10(1 + hertz / 700)
  return hertz < LOG_START ? hertz / LINEAR_STEP : LOG_START_MEL + Math.log(hertz / LOG_START) / LOG_STEP
}

/** Frequency in hertz of a number of mels. */
export function melToHz(mel: number, scale: MelScale = 'htk'): number {
  if (scale === 'htk') return 700 * (10 ** (mel / 2595) - 1)
  return mel < LOG_START_MEL ? mel * LINEAR_STEP : LOG_START * Math.exp(LOG_STEP * (mel - LOG_START_MEL))
}

/** In float32 and in torchaudio's order, for the numbers to be those that networks were trained on. */
function melsToHertz(mels: Tensor, scale: MelScale): Tensor {
  if (scale === 'htk') return pow(10, mels.div(2595)).sub(1).mul(700)
  const linear = mels.mul(LINEAR_STEP)
  return linear.where(mels.lt(LOG_START_MEL), mels.sub(LOG_START_MEL).mul(LOG_STEP).exp().mul(LOG_START))
}

export interface MelFilterOptions {
  /** In hertz; default 16000. */
  readonly sampleRate?: number
  readonly nMels?: number
  /** Lowest frequency in hertz; default 0. */
  readonly fMin?: number
  /** Highest frequency in hertz; default half the sample rate. */
  readonly fMax?: number | null
  /** `'slaney'` divides each triangle by its width, so that all have the same area; default null. */
  readonly norm?: 'slaney' | null
  readonly melScale?: MelScale
}

/**
 * Triangles that sum frequencies to mel bands, as `torchaudio.functional.melscale_fbanks`.
 *
 * @param nFreqs frequencies of the spectrogram, `nFft / 2 + 1`
 * @returns `[nFreqs, nMels]`
 * @throws ArgumentError when the frequencies are not in order
 */
export function melFilterBank(nFreqs: number, options: MelFilterOptions = {}): Tensor {
  const { sampleRate = 16000, nMels = 128, fMin = 0, norm = null, melScale = 'htk' } = options
  const fMax = options.fMax ?? Math.floor(sampleRate / 2)
  if (!(fMin >= 0 && fMin < fMax)) {
    throw new ArgumentError(`melFilterBank: from ${fMin} to ${fMax} Hz; fMin must be 0 or more, and less than fMax`)
  }
  return tidy(() => {
    const frequencies = linspace(0, Math.floor(sampleRate / 2), nFreqs).unsqueeze(1)
    const mels = linspace(hzToMel(fMin, melScale), hzToMel(fMax, melScale), nMels + 2)
    const corners = melsToHertz(mels, melScale)
    const [low, middle, high] = [0, 1, 2].map((start) => corners.narrow(0, start, nMels)) as [Tensor, Tensor, Tensor]
    const rising = frequencies.sub(low).div(middle.sub(low))
    const falling = high.sub(frequencies).div(high.sub(middle))
    const triangles = rising.minimum(falling).clamp({ min: 0 })
    return norm === 'slaney' ? triangles.mul(high.sub(low).reciprocal().mul(2)) : triangles
  })
}

export interface MelSpectrogramOptions extends SpectrogramOptions, MelFilterOptions {
  readonly power?: number
}

/**
 * Mel spectrogram, as `torchaudio.transforms.MelSpectrogram`.
 *
 * @param waveform `[..., time]`
 * @returns `[..., nMels, frames]`
 */
export function melSpectrogram(waveform: Tensor, options: MelSpectrogramOptions = {}): Tensor {
  const { sampleRate, nMels, fMin, fMax, norm, melScale, ...transform } = options
  return tidy(() => {
    const spectrum = spectrogram(waveform, transform)
    const bank = melFilterBank(spectrum.shape.at(-2) ?? 0, { sampleRate, nMels, fMin, fMax, norm, melScale })
    return bank.to(spectrum.dtype).to(spectrum.device).t().matmul(spectrum)
  })
}

/** `log(mel + offset)`, natural; the offset is 1e-6 unless stated. Options and shapes as `melSpectrogram`. */
export function logMelSpectrogram(
  waveform: Tensor,
  { offset = 1e-6, ...options }: MelSpectrogramOptions & { readonly offset?: number } = {},
): Tensor {
  return tidy(() => melSpectrogram(waveform, options).add(offset).log())
}

/** Matrix `[nMels, nMfcc]` of the discrete cosine transform of type II, as `torchaudio.functional.create_dct`. */
export function createDct(nMfcc: number, nMels: number, norm: 'ortho' | null = 'ortho'): Tensor {
  return tidy(() => {
    const n = arange(nMels).add(0.5)
    const k = arange(nMfcc).unsqueeze(1)
    const cosines = n
      .mul(Math.PI / nMels)
      .mul(k)
      .cos()
    if (norm === null) return cosines.mul(2).t().contiguous()
    const scale = zeros([nMfcc, 1]).add(Math.sqrt(2 / nMels))
    scale.narrow(0, 0, 1).fill_(Math.sqrt(1 / nMels))
    return cosines.mul(scale).t().contiguous()
  })
}

export interface MfccOptions extends MelSpectrogramOptions {
  /** Coefficients; default 40. */
  readonly nMfcc?: number
  readonly dctNorm?: 'ortho' | null
  /** Logarithm of the mel bands in place of decibels within 80 of the loudest; default false. */
  readonly logMels?: boolean
}

/**
 * Mel-frequency cepstral coefficients, as `torchaudio.transforms.MFCC`.
 *
 * @param waveform `[..., time]`
 * @returns `[..., nMfcc, frames]`
 * @throws ArgumentError for more coefficients than mel bands
 */
export function mfcc(waveform: Tensor, options: MfccOptions = {}): Tensor {
  const { nMfcc = 40, dctNorm = 'ortho', logMels = false, ...mel } = options
  const { nMels = 128 } = mel
  if (nMfcc > nMels)
    throw new ArgumentError(`mfcc: ${nMfcc} coefficients of ${nMels} mel bands; ask for at most ${nMels}`)
  return tidy(() => {
    const bands = melSpectrogram(waveform, mel)
    const logs = logMels ? bands.add(1e-6).log() : amplitudeToDb(bands, 'power', { topDb: 80 })
    return createDct(nMfcc, nMels, dctNorm).to(logs.dtype).to(logs.device).t().matmul(logs)
  })
}
