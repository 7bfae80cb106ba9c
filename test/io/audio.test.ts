import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { audioInfo, readAudio, readAudioStream, resampleAudio, writeAudio } from '../../lib/io'
import { memory, tensor, tidyAsync, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/audio/${name}`, import.meta.url))
const trumpet = fixture('trumpet.wav')

/** The samples of a PCM16 WAV file, read by hand: 16-bit whole numbers after the word `data` and a length. */
function pcm16(path: string): Float32Array {
  const bytes = readFileSync(path)
  const data = bytes.indexOf('data') + 8
  const count = bytes.readUInt32LE(data - 4) / 2
  return Float32Array.from({ length: count }, (_, i) => bytes.readInt16LE(data + 2 * i) / 32768)
}

function stored(name: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(fixture(`${name}.f32`))).buffer)
}

function largestDifference(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  expect(ours.length).toBe(theirs.length)
  let largest = 0
  for (let i = 0; i < ours.length; i++)
    largest = Math.max(largest, Math.abs((ours[i] as number) - (theirs[i] as number)))
  return largest
}

/** A WAV file of 32-bit floats, written by hand. */
function floatWav(channels: readonly Float32Array[], rate: number): Buffer {
  const count = channels[0]?.length ?? 0
  const block = 4 * channels.length
  const bytes = Buffer.alloc(44 + block * count)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(36 + block * count, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(3, 20)
  bytes.writeUInt16LE(channels.length, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt32LE(rate * block, 28)
  bytes.writeUInt16LE(block, 32)
  bytes.writeUInt16LE(32, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(block * count, 40)
  for (let i = 0; i < count; i++) {
    for (const [c, plane] of channels.entries()) bytes.writeFloatLE(plane[i] as number, 44 + block * i + 4 * c)
  }
  return bytes
}

const ramp = (count: number, step: number) => Float32Array.from({ length: count }, (_, i) => Math.fround(i * step))

describe('readAudio', () => {
  test('gives the samples of a WAV file exactly', async () => {
    await tidyAsync(async () => {
      const { samples, sampleRate, skipped } = await readAudio(trumpet)
      expect([sampleRate, skipped, samples.dtype]).toEqual([22050, 0, 'float32'])
      const expected = pcm16(trumpet)
      expect(samples.shape).toEqual([1, expected.length])
      expect(largestDifference(samples.dataSync() as Float32Array, expected)).toBe(0)
    })
  })

  test('audioInfo says what the header does', async () => {
    expect(await audioInfo(trumpet)).toMatchObject({
      sampleRate: 22050,
      channels: 1,
      codec: 'pcm_s16le',
      sampleFormat: 's16',
      hasVideo: false,
    })
    expect((await audioInfo(trumpet)).durationS).toBeCloseTo(pcm16(trumpet).length / 22050, 6)
  })

  test('keeps channels apart, and mono is their mean', async () => {
    await tidyAsync(async () => {
      const [left, right] = [ramp(3000, 1e-4), ramp(3000, -3e-4)]
      const bytes = floatWav([left, right], 8000)
      const both = await readAudio(bytes)
      expect(both.samples.shape).toEqual([2, 3000])
      expect(largestDifference(both.samples.at(0).dataSync() as Float32Array, left)).toBe(0)
      expect(largestDifference(both.samples.at(1).dataSync() as Float32Array, right)).toBe(0)
      const mono = await readAudio(bytes, { mono: true })
      expect(mono.samples.shape).toEqual([1, 3000])
      const mean = left.map((value, i) => (value + (right[i] as number)) / 2)
      expect(largestDifference(mono.samples.dataSync() as Float32Array, mean)).toBeLessThan(1e-7)
    })
  })

  test.each([
    [0, 0.001],
    [0.1, 0.3],
    [1.23456, 1.3],
    [4.9, undefined],
  ])('from %d s to %s s is cut to the sample', async (startS, endS) => {
    await tidyAsync(async () => {
      const { samples } = await readAudio(trumpet, { startS, endS })
      const all = pcm16(trumpet)
      const expected = all.subarray(
        Math.round(startS * 22050),
        endS === undefined ? undefined : Math.round(endS * 22050),
      )
      expect(largestDifference(samples.dataSync() as Float32Array, expected)).toBe(0)
    })
  })

  test.each(['wav', 'flac', 'm4a', 'mkv'])(
    'a range late in a long %s file is the same part of the whole',
    async (extension) => {
      await tidyAsync(async () => {
        // 30 s of noise that is the same on every run, so that a shift by one sample shows.
        const noise = Float32Array.from({ length: 30 * 8000 }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5)
        const path = inFolder(`long.${extension}`)
        if (extension === 'mkv') writeFileSync(path, floatWav([noise], 8000))
        else await writeAudio(tensor(noise), path, { sampleRate: 8000 })
        const whole = (await readAudio(path)).samples.dataSync() as Float32Array
        const part = (await readAudio(path, { startS: 20.0003, endS: 20.5 })).samples.dataSync() as Float32Array
        expect(largestDifference(part, whole.subarray(Math.round(20.0003 * 8000), 20.5 * 8000))).toBe(0)
      })
    },
  )

  test('the stream gives the same samples in pieces, one alive at a time', async () => {
    const expected = pcm16(trumpet)
    const before = await liveTensors()
    const all: number[] = []
    for await (using chunk of readAudioStream(trumpet, { chunkSamples: 10_000 })) {
      expect(chunk.index).toBe(all.length)
      expect(memory.stats().tensors - before).toBe(1)
      all.push(...(chunk.samples.dataSync() as Float32Array))
    }
    expect(largestDifference(all, expected)).toBe(0)
    expect(memory.stats().tensors).toBe(before)
  })

  test('resampling a stream in pieces equals resampling the whole', async () => {
    await tidyAsync(async () => {
      const whole = (await readAudio(trumpet, { sampleRate: 16000 })).samples.dataSync() as Float32Array
      const pieces: number[] = []
      for await (using chunk of readAudioStream(trumpet, { sampleRate: 16000, chunkSamples: 777 })) {
        expect(chunk.sampleRate).toBe(16000)
        pieces.push(...(chunk.samples.dataSync() as Float32Array))
      }
      expect(largestDifference(pieces, whole)).toBe(0)
      const { samples } = await resampleAudio(tensor(pcm16(trumpet)), { from: 22050, to: 16000 }).then((samples) => ({
        samples,
      }))
      expect(largestDifference(samples.dataSync() as Float32Array, whole)).toBeLessThan(1e-6)
    })
  })
})

describe('resampleAudio', () => {
  // tools/reference/audio_files.py: torchaudio's formula, summed directly in float64.
  test.each([
    ['trumpet', 44100, 16000],
    ['trumpet', 48000, 22050],
    ['sweep', 44100, 16000],
    ['sweep', 48000, 22050],
    ['sweep', 22050, 16000],
    ['sweep', 16000, 44100],
  ])('%s from %d Hz to %d Hz is within 1e-4 of the reference', async (name, from, to) => {
    await tidyAsync(async () => {
      const result = await resampleAudio(tensor(stored(`${name}-${from}`)), { from, to })
      const most = name === 'trumpet' ? 1e-5 : 1e-4
      expect(largestDifference(result.dataSync() as Float32Array, stored(`${name}-${from}-${to}`))).toBeLessThan(most)
    })
  })

  test('recorded music from 22050 Hz to 16000 Hz is within 1e-5 of the reference', async () => {
    await tidyAsync(async () => {
      const solo = pcm16(trumpet).slice(22050, 28665)
      const result = await resampleAudio(tensor(solo), { from: 22050, to: 16000 })
      expect(largestDifference(result.dataSync() as Float32Array, stored('trumpet-22050-16000'))).toBeLessThan(1e-5)
    })
  })

  test.each([
    [44100, 16000],
    [16000, 44100],
    [48000, 22050],
    [44100, 44101],
    [8000, 8000],
    [3, 1],
  ])('%d Hz to %d Hz gives ceil(n · to / from) samples', async (from, to) => {
    await tidyAsync(async () => {
      for (const n of [0, 1, 2, 3, 100, 441, 1001]) {
        const result = await resampleAudio(zeros([2, n]), { from, to })
        expect(result.shape).toEqual([2, Math.ceil((n * to) / from)])
      }
    })
  })

  test.each([
    [44100, 16000, 3000],
    [22050, 44100, 3000],
    [44100, 44101, 10000],
  ])('a sine stays in place from %d Hz to %d Hz', async (from, to, hertz) => {
    await tidyAsync(async () => {
      const sine = (rate: number) =>
        Float32Array.from({ length: rate / 5 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate))
      const result = (await resampleAudio(tensor(sine(from)), { from, to })).dataSync() as Float32Array
      const expected = sine(to)
      // Away from the ends, where the sine begins out of silence.
      let largest = 0
      for (let i = 400; i < expected.length - 400; i++) {
        largest = Math.max(largest, Math.abs((result[i] as number) - (expected[i] as number)))
      }
      expect(largest).toBeLessThan(1e-4)
    })
  })

  test('tensors and rates that are no audio', async () => {
    await tidyAsync(async () => {
      const rates = { from: 8000, to: 16000 }
      await expect(resampleAudio(zeros([2, 2, 2]), rates)).rejects.toMatchObject({ kind: 'Shape' })
      await expect(resampleAudio(zeros([100, 2]), rates)).rejects.toMatchObject({ kind: 'Shape' })
      await expect(resampleAudio(zeros([10], { dtype: 'int16' }), rates)).rejects.toMatchObject({ kind: 'DType' })
      for (const bad of [0, -1, 0.5, Number.NaN, 1e9]) {
        await expect(resampleAudio(zeros([10]), { from: 8000, to: bad })).rejects.toMatchObject({ kind: 'Argument' })
      }
    })
  })
})

describe('writeAudio', () => {
  const tone = (rate: number) =>
    Float32Array.from({ length: rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / rate))

  test.each([
    ['int16', 1 / 32768],
    ['int24', 1 / 2 ** 23],
    ['float32', 0],
  ] as const)('WAV as %s holds the samples to a step', async (sampleFormat, most) => {
    await tidyAsync(async () => {
      const path = inFolder(`${sampleFormat}.wav`)
      const [left, right] = [tone(11025), ramp(11025, 8e-5)]
      const samples = tensor(Float32Array.from([...left, ...right]), { shape: [2, 11025] })
      await writeAudio(samples, path, { sampleRate: 11025, sampleFormat })
      const again = await readAudio(path)
      expect(again.samples.shape).toEqual([2, 11025])
      expect(largestDifference(again.samples.at(0).dataSync() as Float32Array, left)).toBeLessThanOrEqual(most)
      expect(largestDifference(again.samples.at(1).dataSync() as Float32Array, right)).toBeLessThanOrEqual(most)
    })
  })

  test('a WAV file is what others read: a header and whole numbers, clipped at ±1', async () => {
    await tidyAsync(async () => {
      const path = inFolder('clipped.wav')
      await writeAudio(tensor([0, 0.5, -0.5, 2, -2]), path, { sampleRate: 8000 })
      expect([...pcm16(path)]).toEqual([0, 0.5, -0.5, 32767 / 32768, -1])
    })
  })

  test.each([
    ['flac', 22050, 1e-4],
    ['m4a', 44100, 0.05],
    ['mp3', 44100, 0.05],
    ['opus', 48000, 0.05],
  ])('%s holds the sound in its place', async (extension, rate, most) => {
    await tidyAsync(async () => {
      const path = inFolder(`tone.${extension}`)
      await writeAudio(tensor(tone(rate)), path, {
        sampleRate: rate,
        bitrate: extension === 'flac' ? undefined : 128_000,
      })
      const { samples, sampleRate } = await readAudio(path)
      expect(sampleRate).toBe(rate)
      expect(Math.abs((samples.shape[1] as number) - rate)).toBeLessThanOrEqual(1152)
      const part = [0.2 * rate, 0.8 * rate].map(Math.round) as [number, number]
      const ours = (samples.dataSync() as Float32Array).subarray(...part)
      expect(largestDifference(ours, tone(rate).subarray(...part))).toBeLessThan(most)
    })
  })

  test('a rate that the format does not know is resampled', async () => {
    await tidyAsync(async () => {
      const path = inFolder('resampled.opus')
      await writeAudio(tensor(tone(22050)), path, { sampleRate: 22050 })
      expect((await audioInfo(path)).sampleRate).toBe(48000)
    })
  })

  test('bad calls say what is wrong and leave no file', async () => {
    await tidyAsync(async () => {
      const good = tensor(tone(8000))
      const cases: [() => Promise<void>, RegExp][] = [
        [() => writeAudio(good, inFolder('x.xyz'), { sampleRate: 8000 }), /no audio format; use \.wav/],
        [() => writeAudio(good, inFolder('x.wav'), { sampleRate: 0 }), /sampleRate is 0/],
        [() => writeAudio(good, inFolder('x.flac'), { sampleRate: 8000, sampleFormat: 'float32' }), /is for \.wav/],
        [() => writeAudio(zeros([1, 0]), inFolder('x.wav'), { sampleRate: 8000 }), /no samples/],
        [() => writeAudio(zeros([8000, 2]), inFolder('x.wav'), { sampleRate: 8000 }), /1 to 64 channels/],
        [() => writeAudio(good, inFolder('no/x.wav'), { sampleRate: 8000 }), /no such file or folder/],
        [() => writeAudio(zeros([5, 100]), inFolder('x.mp3'), { sampleRate: 44100 }), /libmp3lame/],
      ]
      for (const [call, message] of cases) await expect(call()).rejects.toThrow(message)
      expect(existsSync(inFolder('x.wav'))).toBe(false)
      expect(readdirSync(inFolder()).filter((name) => name.endsWith('.tmp'))).toEqual([])
    })
  })
})

describe('readAudio: what goes wrong', () => {
  test.each([
    [{ startS: -1 }, /startS is -1/],
    [{ startS: 2, endS: 1 }, /is empty/],
    [{ sampleRate: 0.5 }, /sampleRate is 0.5/],
    [{ startS: 100 }, /no samples between 100 s and its end/],
    [{ limits: { maxDurationS: 1 } }, /seconds, more than 1; .*limits\.maxDurationS/],
    [{ limits: { maxBytes: 1000 } }, /bytes of samples, more than 1000; .*limits\.maxBytes/],
    [{ limits: { maxBytes: -1 } }, /limits\.maxBytes is -1/],
  ])('%o', async (options, message) => {
    await expect(readAudio(trumpet, options)).rejects.toThrow(message)
  })

  test('a video without sound', async () => {
    const video = fileURLToPath(new URL('../fixtures/video/b-frames.mp4', import.meta.url))
    await expect(readAudio(video)).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(/no audio stream.*video only/),
    })
  })

  test('an abort ends the stream', async () => {
    const controller = new AbortController()
    const read = async () => {
      for await (using chunk of readAudioStream(trumpet, { chunkSamples: 1000, signal: controller.signal })) {
        if (chunk.index >= 3000) controller.abort('enough')
      }
    }
    await expect(read()).rejects.toMatchObject({ kind: 'Cancelled', cause: 'enough' })
  })
})
