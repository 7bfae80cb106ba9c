// Against torchaudio on a real sound; tools/reference/audio_features.py wrote the numbers.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  amplitudeToDb,
  astFeatures,
  createDct,
  dbToAmplitude,
  frequencyMask,
  hzToMel,
  istft,
  kaldiFbank,
  logMelSpectrogram,
  melFilterBank,
  melSpectrogram,
  melToHz,
  mfcc,
  specAugment,
  spectrogram,
  stft,
  timeMask,
  whisperFeatures,
} from '../../lib/audio'
import {
  arange,
  capture,
  manualSeed,
  ones,
  stack,
  type Tensor,
  tensor,
  tidy,
  viewAsReal,
  zeros,
} from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'

interface Reference {
  readonly shape: readonly number[]
  readonly norm: number
  readonly step: number
  readonly values: readonly number[]
}

const fixture = (path: string) => new URL(`../fixtures/${path}`, import.meta.url)
const REFERENCES = JSON.parse(readFileSync(fixture('audio-features/features.json'), 'utf8')) as Record<
  string,
  Reference
>
const RATE = 22050

/** The first second of the trumpet, `[time]`. */
function trumpet(): Tensor {
  const file = readFileSync(fixture('audio/trumpet.wav'))
  const start = file.indexOf('data') + 8
  return tensor(Float32Array.from({ length: RATE }, (_, i) => file.readInt16LE(start + 2 * i) / 32768))
}

const stereo = () => stack([trumpet(), trumpet().flip([0]).mul(0.5)])
const mel = () => melSpectrogram(stereo(), { sampleRate: RATE, nFft: 512, nMels: 40 })
const grid = () => arange(2 * 3 * 40 * 50).reshape([2, 3, 40, 50])
const drawn = (seed: number, fn: () => Tensor) => {
  manualSeed(seed)
  return fn()
}

const CASES: Readonly<Record<string, () => Tensor>> = {
  stft: () => viewAsReal(stft(stereo(), { nFft: 512 })),
  istft: () => istft(stft(stereo(), { nFft: 512 }), { length: RATE }),
  spectrogram: () => spectrogram(stereo()),
  spectrogramPadded: () => spectrogram(trumpet(), { nFft: 512, winLength: 400, hopLength: 160, pad: 100, power: 1 }),
  spectrogramWindowNorm: () => spectrogram(trumpet(), { nFft: 512, normalized: true }),
  spectrogramFrameNorm: () => spectrogram(trumpet(), { nFft: 512, normalized: 'frameLength', center: false }),
  melHtk: () => melSpectrogram(stereo(), { sampleRate: RATE }),
  melSlaney: () =>
    melSpectrogram(trumpet(), {
      sampleRate: RATE,
      nFft: 1024,
      hopLength: 256,
      nMels: 64,
      fMin: 50,
      fMax: 8000,
      norm: 'slaney',
      melScale: 'slaney',
    }),
  bankHtk: () => melFilterBank(257, { fMin: 20, fMax: 8000, nMels: 40 }),
  bankSlaney: () => melFilterBank(257, { nMels: 80, norm: 'slaney', melScale: 'slaney' }),
  logMel: () => logMelSpectrogram(trumpet(), { sampleRate: RATE }),
  dbPower: () => amplitudeToDb(mel()),
  dbTop: () => amplitudeToDb(mel(), 'power', { topDb: 30 }),
  dbMagnitude: () => amplitudeToDb(mel().sqrt(), 'magnitude', { topDb: 60 }),
  dct: () => createDct(13, 40),
  dctNone: () => createDct(13, 40, null),
  mfcc: () => mfcc(stereo(), { sampleRate: RATE }),
  mfccLog: () => mfcc(trumpet(), { sampleRate: RATE, nMfcc: 13, logMels: true, nFft: 512, nMels: 40 }),
  fbank: () => kaldiFbank(trumpet().unsqueeze(0), { sampleFrequency: RATE }),
  fbankAst: () =>
    kaldiFbank(trumpet().sub(trumpet().mean()).unsqueeze(0), {
      htkCompat: true,
      windowType: 'hanning',
      numMelBins: 128,
    }),
  fbankEnergy: () =>
    kaldiFbank(stereo(), {
      channel: 1,
      useEnergy: true,
      snipEdges: false,
      windowType: 'hamming',
      subtractMean: true,
      lowFreq: 50,
      highFreq: -200,
      energyFloor: 0.5,
    }),
  fbankLinear: () =>
    kaldiFbank(trumpet().unsqueeze(0), {
      useEnergy: true,
      rawEnergy: false,
      htkCompat: true,
      windowType: 'blackman',
      useLogFbank: false,
      usePower: false,
      roundToPowerOfTwo: false,
      removeDcOffset: false,
      preemphasisCoefficient: 0.9,
    }),
  fbankRectangular: () =>
    kaldiFbank(trumpet().unsqueeze(0).mul(3), {
      windowType: 'rectangular',
      frameLengthMs: 32,
      frameShiftMs: 40,
      snipEdges: false,
    }),
  ast: () => astFeatures(trumpet(), { frames: 128 }),
  whisper: () => whisperFeatures(trumpet(), { seconds: 2 }),
  timeMask: () => drawn(3, () => timeMask(grid(), 20)),
  frequencyMask: () => drawn(4, () => frequencyMask(grid(), 15, { iid: true })),
  timeMaskShare: () => drawn(5, () => timeMask(grid(), 40, { p: 0.3, value: -1 })),
  specAugment: () =>
    drawn(6, () => specAugment(grid(), { nTimeMasks: 2, timeMaskParam: 10, nFreqMasks: 2, freqMaskParam: 8 })),
  specAugmentZero: () =>
    drawn(7, () =>
      specAugment(grid(), {
        nTimeMasks: 2,
        timeMaskParam: 10,
        nFreqMasks: 1,
        freqMaskParam: 8,
        iidMasks: false,
        p: 0.5,
        zeroMasking: true,
      }),
    ),
}

let before = 0
beforeEach(async () => {
  before = await liveTensors()
})
afterEach(async () => {
  expect(await liveTensors()).toBe(before)
})

describe('equals torchaudio to 1e-5', () => {
  test.each(Object.entries(CASES))('%s', (name, compute) => {
    tidy(() => {
      const { shape, norm, step, values } = REFERENCES[name] as Reference
      const result = compute()
      expect(result.shape).toEqual(shape)
      const flat = result.to('float64').flatten()
      expect(Math.abs(flat.norm().toNumber() - norm)).toBeLessThanOrEqual(1e-5 * norm)
      const scale = norm / Math.sqrt(flat.numel)
      const got = flat.dataSync() as Float64Array
      const off = values.map(
        (value, i) => Math.abs((got[i * step] ?? Number.NaN) - value) / Math.max(scale, Math.abs(value)),
      )
      expect(Math.max(...off)).toBeLessThanOrEqual(1e-5)
    })
  })

  test('in every case of the reference', () => {
    expect(Object.keys(CASES)).toEqual(Object.keys(REFERENCES).filter((name) => name !== 'source'))
  })
})

test('a sound is what the inverse of its transform gives', () => {
  tidy(() => {
    const sound = trumpet()
    const back = istft(stft(sound, { nFft: 256, hopLength: 64 }), { nFft: 256, hopLength: 64, length: RATE })
    expect(back.sub(sound).abs().max().toNumber()).toBeLessThan(1e-6)
  })
})

test('decibels and hertz go back to what they were', () => {
  expect(hzToMel(700)).toBeCloseTo(2595 * Math.log10(2), 10)
  expect(hzToMel(1000, 'slaney')).toBeCloseTo(15, 10)
  expect(hzToMel(6400, 'slaney')).toBeCloseTo(42, 10)
  for (const scale of ['htk', 'slaney'] as const) {
    for (const hertz of [50, 999, 1001, 7000]) expect(melToHz(hzToMel(hertz, scale), scale)).toBeCloseTo(hertz, 8)
  }
  tidy(() => {
    const values = tensor([1e-3, 1, 20])
    expect(dbToAmplitude(amplitudeToDb(values)).toArray()).toEqual([1e-3, 1, 20].map((v) => expect.closeTo(v, 4)))
    expect(amplitudeToDb(tensor([10]), 'magnitude', { reference: 10 }).toNumber()).toBeCloseTo(0, 6)
    expect(dbToAmplitude(tensor([20]), 'magnitude').toNumber()).toBeCloseTo(10, 4)
  })
})

test('a captured mask is drawn anew each time', () => {
  tidy(() => {
    const masked = capture((x: Tensor) => timeMask(x, 30))
    const whole = ones([8, 64])
    manualSeed(0)
    const sums = Array.from({ length: 8 }, () => masked.sync(whole).sum().toNumber())
    masked.dispose()
    expect(new Set(sums).size).toBeGreaterThan(3)
  })
})

test.each([
  [() => stft(zeros([100])), /100 samples are too few; a transform of 400 needs 201/],
  [() => stft(zeros([1000]), { nFft: 100, winLength: 200 }), /larger nFft/],
  [() => stft(zeros([1000]), { hopLength: 0 }), /hopLength is 0/],
  [() => stft(zeros([1000]), { window: ones([10]) }), /window is \[10\]; it must be \[400\]/],
  [() => istft(zeros([100, 3]), { nFft: 512 }), /must be \[\.\.\., 257, frames\]/],
  [() => melFilterBank(201, { fMin: 9000 }), /from 9000 to 8000 Hz/],
  [() => mfcc(zeros([1000]), { nMfcc: 50, nMels: 40 }), /at most 40/],
  [() => amplitudeToDb(ones([2, 2]), 'power', { topDb: -1 }), /topDb is -1/],
  [() => kaldiFbank(zeros([1, 100])), /100 samples are fewer than a frame of 400/],
  [() => kaldiFbank(zeros([1000])), /must be \[channel, time\]/],
  [() => kaldiFbank(zeros([1, 1000]), { highFreq: 9000 }), /within 0 and half the sample frequency, 8000 Hz/],
  [() => kaldiFbank(zeros([1, 1000]), { channel: 2 }), /no channel 2/],
  [() => timeMask(zeros([4, 4]), -1), /maxWidth is -1/],
  [() => timeMask(zeros([4, 4]), 2, { iid: true }), /iid masks are for/],
  [() => whisperFeatures(zeros([100]), { seconds: 0 }), /seconds is 0/],
])('refuses what it cannot compute: %#', (call, message) => {
  tidy(() => expect(call).toThrow(message))
})
