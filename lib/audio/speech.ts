// What speech and audio networks take, from sound.
import { ArgumentError, ShapeError } from '../native/errors'
import { pad, type Tensor } from '../tensor'
import { tidy } from '../tensor/scope'
import { kaldiFbank } from './kaldi'
import { melSpectrogram } from './mel'

const WHISPER_RATE = 16000
const WHISPER_SECONDS = 30

/**
 * Log-mel spectrogram as Whisper takes it (Radford et al. 2023): 80 mel bands of 25 ms every 10 ms, within 8 decades
 * of the loudest, scaled to about −1 to 1.
 *
 * @param waveform `[..., time]` at 16 kHz
 * @param options `seconds`: the sound is cut or filled with silence to this length; default 30
 * @returns `[..., nMels, 100 · seconds]`
 */
export function whisperFeatures(
  waveform: Tensor,
  { nMels = 80, seconds = WHISPER_SECONDS }: { readonly nMels?: number; readonly seconds?: number } = {},
): Tensor {
  const samples = waveform.shape.at(-1)
  const wanted = Math.round(seconds * WHISPER_RATE)
  if (samples === undefined)
    throw new ShapeError('whisperFeatures: the waveform is a single number; it must be [..., time]')
  if (!(wanted >= 400)) throw new ArgumentError(`whisperFeatures: seconds is ${seconds}; it must be 0.025 or more`)
  return tidy(() => {
    const sound = samples < wanted ? pad(waveform, [0, wanted - samples]) : waveform.narrow(-1, 0, wanted)
    const mel = melSpectrogram(sound, { nFft: 400, hopLength: 160, nMels, norm: 'slaney', melScale: 'slaney' })
    const logs = mel
      .narrow(-1, 0, (mel.shape.at(-1) ?? 1) - 1)
      .clamp({ min: 1e-10 })
      .log10()
    const loudest = logs.amax({ dim: [-2, -1], keepdim: true })
    return logs.maximum(loudest.sub(8)).add(4).div(4)
  })
}

/**
 * Filter banks as the Audio Spectrogram Transformer takes them (Gong et al. 2021): 128 bands, normalised by AudioSet's
 * mean and deviation to a deviation of one half.
 *
 * @param waveform `[time]` or `[channel, time]` at 16 kHz
 * @param options `frames`: cut or filled with zeros to this many before they are normalised; default 1024
 * @returns `[frames, 128]`
 */
export function astFeatures(
  waveform: Tensor,
  options: { readonly frames?: number; readonly mean?: number; readonly std?: number } = {},
): Tensor {
  const { frames = 1024, mean = -4.2677393, std = 4.5689974 } = options
  return tidy(() => {
    const sound = waveform.ndim === 1 ? waveform.unsqueeze(0) : waveform
    const fbank = kaldiFbank(sound.sub(sound.mean()), { windowType: 'hanning', htkCompat: true, numMelBins: 128 })
    const count = fbank.shape[0] ?? 0
    const filled = count < frames ? pad(fbank, [0, 0, 0, frames - count]) : fbank.narrow(0, 0, frames)
    return filled.sub(mean).div(2 * std)
  })
}
