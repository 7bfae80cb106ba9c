// Kaldi's filter bank features, as torchaudio.compliance.kaldi computes them.
import { ArgumentError, ShapeError } from '../native/errors'
import { arange, cat, fftRfft, hammingWindow, hannWindow, ones, pad, randn, type Tensor } from '../tensor'
import { tidy } from '../tensor/scope'

export type KaldiWindow = 'hanning' | 'povey' | 'hamming' | 'rectangular' | 'blackman'

export interface KaldiFbankOptions {
  readonly sampleFrequency?: number
  readonly numMelBins?: number
  readonly frameLengthMs?: number
  readonly frameShiftMs?: number
  readonly windowType?: KaldiWindow
  /** Share of the sample before that is taken off each sample; default 0.97. */
  readonly preemphasisCoefficient?: number
  readonly removeDcOffset?: boolean
  /** Standard deviation of noise that is added; default 0. */
  readonly dither?: number
  readonly lowFreq?: number
  /** Highest frequency in hertz; 0 or less counts from half the sample frequency. */
  readonly highFreq?: number
  readonly usePower?: boolean
  readonly useLogFbank?: boolean
  /** Adds the frame's energy as a band, */
  readonly useEnergy?: boolean
  /** the last in place of the first, as HTK does; */
  readonly htkCompat?: boolean
  /** of the frame before emphasis and window; default true. */
  readonly rawEnergy?: boolean
  /** Least energy before its logarithm; default 1. */
  readonly energyFloor?: number
  readonly roundToPowerOfTwo?: boolean
  /** Only frames that lie wholly in the sound; otherwise its ends are mirrored. Default true. */
  readonly snipEdges?: boolean
  /** Takes each band's mean over time off; default false. */
  readonly subtractMean?: boolean
  /** Which channel; default −1, the first. */
  readonly channel?: number
}

/** The least float32 above 1, less 1: Kaldi's floor for logarithms. */
const EPSILON = 2 ** -23

/** Kaldi's mels. */
const toMel = (hertz: number): number => 1127 * Math.log(1 + hertz / 700)

/**
 * Log filter bank energies as AST, Conformer and wav2letter take them, as `torchaudio.compliance.kaldi.fbank`.
 *
 * For AST: `windowType: 'hanning'`, `htkCompat: true`, `numMelBins: 128`, on a sound whose mean was taken off.
 *
 * @param waveform `[channel, time]`
 * @returns `[frames, numMelBins]`, with `useEnergy` one band more
 * @throws ShapeError when the sound is shorter than a frame
 * @throws ArgumentError when frequencies are not in order
 */
export function kaldiFbank(waveform: Tensor, options: KaldiFbankOptions = {}): Tensor {
  const { sampleFrequency = 16000, numMelBins = 23, frameLengthMs = 25, frameShiftMs = 10, usePower = true } = options
  const { useLogFbank = true, useEnergy = false, htkCompat = false, subtractMean = false, lowFreq = 20 } = options
  const nyquist = sampleFrequency / 2
  const { highFreq: givenHigh = 0, roundToPowerOfTwo = true } = options
  const highFreq = givenHigh <= 0 ? nyquist + givenHigh : givenHigh
  if (!(lowFreq >= 0 && lowFreq < highFreq && highFreq <= nyquist)) {
    throw new ArgumentError(
      `kaldiFbank: from ${lowFreq} to ${highFreq} Hz; they must rise, within 0 and half the sample frequency, ${nyquist} Hz`,
    )
  }
  return tidy(() => {
    const size = Math.trunc(sampleFrequency * frameLengthMs * 0.001)
    const shift = Math.trunc(sampleFrequency * frameShiftMs * 0.001)
    const padded = roundToPowerOfTwo ? 2 ** Math.ceil(Math.log2(size)) : size
    const { frames, logEnergy } = windowedFrames(oneChannel(waveform, options.channel), size, shift, padded, options)
    const magnitudes = fftRfft(frames).abs()
    const spectrum = usePower ? magnitudes.square() : magnitudes
    const banks = melBanks(numMelBins, padded, sampleFrequency, lowFreq, highFreq)
      .to(spectrum.device)
      .to(spectrum.dtype)
    // The bin of the highest frequency is in no band.
    let features = spectrum.narrow(1, 0, Math.floor(padded / 2)).matmul(banks.t())
    if (useLogFbank) features = features.clamp({ min: EPSILON }).log()
    if (useEnergy) {
      const energy = logEnergy.unsqueeze(1)
      features = cat(htkCompat ? [features, energy] : [energy, features], { dim: 1 })
    }
    return subtractMean ? features.sub(features.mean({ dim: [0], keepdim: true })) : features
  })
}

function oneChannel(waveform: Tensor, channel = -1): Tensor {
  const [channels, samples] = waveform.shape
  if (waveform.ndim !== 2 || channels === undefined || samples === undefined) {
    throw new ShapeError(`kaldiFbank: the waveform is [${waveform.shape.join(', ')}]; it must be [channel, time]`)
  }
  const index = Math.max(channel, 0)
  if (index >= channels)
    throw new ArgumentError(`kaldiFbank: there is no channel ${channel}; the waveform has ${channels}`)
  return waveform.select(0, index)
}

/** Frames `[count, padded]` ready for the transform, and the logarithm of their energies `[count]`. */
function windowedFrames(
  sound: Tensor,
  size: number,
  shift: number,
  padded: number,
  options: KaldiFbankOptions,
): { frames: Tensor; logEnergy: Tensor } {
  const { dither = 0, removeDcOffset = true, preemphasisCoefficient: emphasis = 0.97, rawEnergy = true } = options
  const { energyFloor = 1, windowType = 'povey', snipEdges = true } = options
  const energyOf = (x: Tensor) => {
    const logs = x
      .square()
      .sum({ dim: [1] })
      .clamp({ min: EPSILON })
      .log()
    return energyFloor === 0 ? logs : logs.clamp({ min: Math.log(energyFloor) })
  }
  let frames = snipEdges ? wholeFrames(sound, size, shift) : mirroredFrames(sound, size, shift)
  if (dither !== 0) frames = frames.add(randn(frames.shape, { dtype: 'float32', device: frames.device }).mul(dither))
  if (removeDcOffset) frames = frames.sub(frames.mean({ dim: [1], keepdim: true }))
  const raw = rawEnergy ? energyOf(frames) : null
  if (emphasis !== 0) {
    const before = cat([frames.narrow(1, 0, 1), frames.narrow(1, 0, size - 1)], { dim: 1 })
    frames = frames.sub(before.mul(emphasis))
  }
  frames = frames.mul(windowOf(windowType, size).to(frames.device).to(frames.dtype))
  if (padded > size) frames = pad(frames, [0, padded - size])
  return { frames, logEnergy: raw ?? energyOf(frames) }
}

function wholeFrames(sound: Tensor, size: number, shift: number): Tensor {
  const samples = sound.shape[0] ?? 0
  if (samples < size) {
    throw new ShapeError(
      `kaldiFbank: ${samples} samples are fewer than a frame of ${size}; pad the sound or shorten frameLengthMs`,
    )
  }
  return sound.unfold(0, size, shift)
}

function mirroredFrames(sound: Tensor, size: number, shift: number): Tensor {
  const samples = sound.shape[0] ?? 0
  const count = Math.floor((samples + Math.floor(shift / 2)) / shift)
  const before = Math.floor(size / 2) - Math.floor(shift / 2)
  if (count < 1 || samples < Math.abs(before)) {
    throw new ShapeError(
      `kaldiFbank: ${samples} samples are too few for frames of ${size} every ${shift}; pad the sound`,
    )
  }
  const mirror = sound.flip([0])
  const start = before > 0 ? mirror.narrow(0, samples - before, before) : null
  const body = before > 0 ? sound : sound.narrow(0, -before, samples + before)
  const all = cat(start ? [start, body, mirror] : [body, mirror])
  return all.unfold(0, size, shift).narrow(0, 0, count)
}

function windowOf(type: KaldiWindow, size: number): Tensor {
  switch (type) {
    case 'hanning':
      return hannWindow(size, false)
    case 'povey':
      return hannWindow(size, false).pow(0.85)
    case 'hamming':
      return hammingWindow(size, false)
    case 'rectangular':
      return ones([size])
    case 'blackman':
      return blackman(size)
    default:
      throw new ArgumentError(
        `kaldiFbank: there is no window '${String(type)}'; there are hanning, povey, hamming, rectangular and blackman`,
      )
  }
}

/** Kaldi's, with 0.42 exactly. */
function blackman(size: number): Tensor {
  const phase = arange(size).mul((2 * Math.PI) / (size - 1))
  return phase.cos().mul(-0.5).add(0.42).add(phase.mul(2).cos().mul(0.08))
}

/** Triangles in mels, `[bands, size / 2]`. */
function melBanks(bands: number, size: number, sampleFrequency: number, low: number, high: number): Tensor {
  const [melLow, melHigh] = [toMel(low), toMel(high)]
  const step = (melHigh - melLow) / (bands + 1)
  const band = arange(bands).unsqueeze(1)
  const [left, centre, right] = [0, 1, 2].map((i) => band.add(i).mul(step).add(melLow)) as [Tensor, Tensor, Tensor]
  const mel = arange(Math.floor(size / 2))
    .mul(sampleFrequency / size)
    .div(700)
    .add(1)
    .log()
    .mul(1127)
  const rising = mel.sub(left).div(centre.sub(left))
  const falling = right.sub(mel).div(right.sub(centre))
  return rising.minimum(falling).clamp({ min: 0 })
}
