import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readAudio, readClip, readVideo, videoInfo, writeVideo } from '../../lib/io'
import { memory, rand, type Tensor, tensor, tidyAsync, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { numbersIn } from '../support/numbered-frames'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
const [T, H, W] = [12, 48, 64]

/** Frames of one colour each, whose red rises and blue falls. */
function colours(): { frames: Tensor<'uint8'>; colour: (t: number) => number[] } {
  const colour = (t: number) => [20 + 15 * t, 100, 220 - 12 * t]
  const pixels = new Uint8Array(T * H * W * 3)
  for (let i = 0; i < pixels.length; i++) pixels[i] = colour(Math.floor(i / (H * W * 3)))[i % 3] as number
  return { frames: tensor<'uint8'>(pixels, { shape: [T, H, W, 3] }), colour }
}

/** Largest difference of a file's frames from the colours, in levels. */
async function difference(path: string, colour: (t: number) => number[]): Promise<number> {
  let largest = 0
  for await (using chunk of readVideo(path)) {
    const pixels = chunk.frames.dataSync() as Uint8Array
    const [, h, w] = chunk.frames.shape as number[]
    const bytes = (h as number) * (w as number) * 3
    for (let i = 0; i < pixels.length; i++) {
      const expected = colour(chunk.index + Math.floor(i / bytes))[i % 3] as number
      largest = Math.max(largest, Math.abs((pixels[i] as number) - expected))
    }
  }
  return largest
}

describe('writeVideo', () => {
  test.each([
    ['mp4', 'h264'],
    ['mov', 'h264'],
    ['mkv', 'h264'],
    ['webm', 'vp9'],
    ['avi', 'mpeg4'],
  ])('%s holds what was written, as %s', async (extension, codec) => {
    await tidyAsync(async () => {
      const path = inFolder(`colours.${extension}`)
      const { frames, colour } = colours()
      expect(await writeVideo(frames, path, { fps: 30 })).toBe(T)
      const info = await videoInfo(path, { count: true })
      expect(info).toMatchObject({ codec, width: W, height: H, frameCount: T, frameRate: { num: 30, den: 1 } })
      expect(info.durationS).toBeCloseTo(T / 30, 2)
      expect(await difference(path, colour)).toBeLessThanOrEqual(4)
    })
  })

  test.each([
    ['ffv1', 'yuv444p', 2],
    ['libx265', undefined, 4],
    ['mjpeg', undefined, 6],
    ['libx264', 'yuv444p', 3],
  ] as const)('the codec %s stores %s', async (codec, pixelFormat, most) => {
    await tidyAsync(async () => {
      const path = inFolder(`codec-${codec}.mkv`)
      const { frames, colour } = colours()
      await writeVideo(frames, path, { fps: 25, codec, pixelFormat })
      expect(await difference(path, colour)).toBeLessThanOrEqual(most)
    })
  })

  test('large pictures are stored by Rec. 709, and say so', async () => {
    await tidyAsync(async () => {
      const path = inFolder('high.mp4')
      const pixels = new Uint8Array(720 * 64 * 3)
      for (let i = 0; i < pixels.length; i++) pixels[i] = [200, 60, 30][i % 3] as number
      await writeVideo(tensor(pixels, { shape: [1, 720, 64, 3] }), path, { fps: 25 })
      // The colr box: 'nclx', then primaries, transfer and matrix; 1 is Rec. 709.
      const bytes = readFileSync(path)
      const box = bytes.indexOf('nclx')
      expect(box).toBeGreaterThan(0)
      expect(bytes.readUInt16BE(box + 8)).toBe(1)
      expect(await difference(path, () => [200, 60, 30])).toBeLessThanOrEqual(3)
    })
  })

  test('takes floats in 0–1, channels first, clamped and rounded', async () => {
    await tidyAsync(async () => {
      const path = inFolder('floats.mkv')
      const values = Float32Array.from(
        { length: 2 * 3 * 16 * 16 },
        (_, i) => [1.7, 0.3, -0.5][Math.floor(i / 256) % 3] as number,
      )
      await writeVideo(tensor(values, { shape: [2, 3, 16, 16] }), path, {
        fps: 25,
        codec: 'ffv1',
        pixelFormat: 'yuv444p',
      })
      // 0.3 · 255 = 76.5, rounded to even
      expect(await difference(path, () => [255, 76, 0])).toBeLessThanOrEqual(2)
    })
  })

  test('takes a stream of chunks and of single frames, and leaves them to the caller', async () => {
    await tidyAsync(async () => {
      const path = inFolder('stream.mkv')
      const { frames, colour } = colours()
      const given: Tensor[] = []
      async function* parts() {
        for (const part of [frames.narrow(0, 0, 5), ...range(5, T).map((t) => frames.at(t))]) {
          given.push(part)
          yield part
        }
      }
      expect(await writeVideo(parts(), path, { fps: 25, codec: 'ffv1', pixelFormat: 'yuv444p' })).toBe(T)
      expect(given.every((part) => !part.disposed)).toBe(true)
      expect(await difference(path, colour)).toBeLessThanOrEqual(2)
    })
  })

  test('a clip read and written again shows the same frames', async () => {
    const source = fileURLToPath(new URL('../fixtures/video/b-frames.mp4', import.meta.url))
    const path = inFolder('again.mp4')
    async function* frames() {
      for await (using chunk of readVideo(source, { chunkFrames: 9 })) yield chunk.frames
    }
    const before = await liveTensors()
    expect(await writeVideo(frames(), path, { fps: 25 })).toBe(60)
    expect(memory.stats().tensors).toBe(before)
    const { frames: again } = await readClip(path)
    expect(numbersIn(again)).toEqual(range(0, 60))
    again.dispose()
  })

  test('grey frames stay grey', async () => {
    await tidyAsync(async () => {
      const path = inFolder('grey.mp4')
      await writeVideo(tensor(new Uint8Array(2 * 32 * 32).fill(90), { shape: [2, 32, 32, 1] }), path, { fps: 25 })
      expect(await difference(path, () => [90, 90, 90])).toBeLessThanOrEqual(2)
    })
  })

  test('29.97 is 30000/1001, 12.5 is 25/2', async () => {
    await tidyAsync(async () => {
      const path = inFolder('rate.mp4')
      const { frames } = colours()
      await writeVideo(frames, path, { fps: 29.97 })
      expect((await videoInfo(path)).frameRate).toEqual({ num: 30000, den: 1001 })
      await writeVideo(frames, path, { fps: 12.5 })
      expect((await videoInfo(path)).frameRate).toEqual({ num: 25, den: 2 })
    })
  })

  test('a lower crf keeps more', async () => {
    await tidyAsync(async () => {
      const noise = rand([6, 64, 64, 3])
      const sizes: number[] = []
      for (const crf of [10, 40]) {
        const path = inFolder(`crf-${crf}.mp4`)
        await writeVideo(noise, path, { fps: 25, crf })
        sizes.push(readFileSync(path).length)
      }
      expect(sizes[0]).toBeGreaterThan(2 * (sizes[1] as number))
    })
  })

  test('odd sizes are refused with the remedies, or padded on request', async () => {
    await tidyAsync(async () => {
      const frames = tensor(new Uint8Array(33 * 35 * 3).fill(120), { shape: [1, 33, 35, 3] })
      const path = inFolder('odd.mp4')
      await expect(writeVideo(frames, path, { fps: 25 })).rejects.toMatchObject({
        kind: 'Argument',
        message: expect.stringMatching(/35 × 33 .*even.*padToEven.*yuv444p/),
      })
      expect(existsSync(path)).toBe(false)
      await writeVideo(frames, path, { fps: 25, padToEven: true })
      expect(await videoInfo(path)).toMatchObject({ width: 36, height: 34 })
      expect(await difference(path, () => [120, 120, 120])).toBeLessThanOrEqual(2)
      await writeVideo(frames, path, { fps: 25, pixelFormat: 'yuv444p' })
      expect(await videoInfo(path)).toMatchObject({ width: 35, height: 33 })
    })
  })

  test.each(['mp4', 'mkv', 'webm', 'avi'])('%s carries sound beside the pictures', async (extension) => {
    await tidyAsync(async () => {
      const path = inFolder(`sound.${extension}`)
      const tone = Float32Array.from({ length: 19200 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 48000))
      const { frames } = colours()
      await writeVideo(frames, path, { fps: 30, audio: { samples: tensor(tone), sampleRate: 48000 } })
      const { samples, sampleRate } = await readAudio(path)
      expect(sampleRate).toBe(48000)
      const ours = samples.dataSync() as Float32Array
      expect(Math.abs(ours.length - 19200)).toBeLessThanOrEqual(1024)
      let difference = 0
      for (let i = 4800; i < 14400; i++)
        difference = Math.max(difference, Math.abs((ours[i] as number) - (tone[i] as number)))
      expect(difference).toBeLessThan(0.05)
    })
  })
})

describe('writeVideo: what goes wrong', () => {
  const small = () => zeros([2, 16, 16, 3], { dtype: 'uint8' })

  test.each([
    ['x.gif', { fps: 25 }, /no video format; use \.mp4/],
    ['x', { fps: 25 }, /no video format/],
    ['x.mp4', { fps: 0 }, /fps is 0/],
    ['x.mp4', { fps: Number.NaN }, /fps is NaN/],
    ['x.mp4', { fps: 25, crf: 20, bitrate: 1e6 }, /not both/],
    ['x.mp4', { fps: 25, crf: 99 }, /crf is 99/],
    ['x.mp4', { fps: 25, preset: 'nonsense' }, /libx264 encoder refuses its settings/],
    ['x.avi', { fps: 25, preset: 'fast' }, /mpeg4 encoder has no preset/],
    ['x.avi', { fps: 25, crf: 20 }, /mpeg4 encoder has no crf/],
    ['x.mp4', { fps: 25, codec: 'nonsense' }, /no encoder nonsense/],
    ['x.mp4', { fps: 25, codec: 'aac' }, /aac/],
    ['x.mp4', { fps: 25, pixelFormat: 'nonsense' }, /does not store nonsense; use .*yuv420p/],
    ['x.webm', { fps: 25, codec: 'libx264' }, /container refuses/],
    ['missing/x.mp4', { fps: 25 }, /no such file or folder/],
  ])('%s with %o', async (name, options, message) => {
    const frames = small()
    await expect(writeVideo(frames, inFolder(name), options)).rejects.toMatchObject({
      kind: 'Argument',
      message: expect.stringMatching(message),
    })
    frames.dispose()
    expect(existsSync(inFolder(name))).toBe(false)
  })

  test.each([
    [[2, 16, 16], /frames are \[T, H, W, 3\]/],
    [[2, 16, 16, 4], /frames are/],
    [[2, 3, 16, 3], /may be THWC or TCHW/],
    [[0, 16, 16, 3], /are empty/],
  ])('frames of shape %o', async (shape, message) => {
    const frames = zeros(shape, { dtype: 'uint8' })
    await expect(writeVideo(frames, inFolder('shape.mp4'), { fps: 25 })).rejects.toMatchObject({
      kind: 'Shape',
      message: expect.stringMatching(message),
    })
    frames.dispose()
  })

  test('frames that differ in size, integers, NaN, and no frames at all', async () => {
    await tidyAsync(async () => {
      const path = inFolder('bad.mp4')
      const write = (frames: Tensor | Tensor[]) => writeVideo(frames, path, { fps: 25 })
      const other = zeros([1, 16, 18, 3], { dtype: 'uint8' })
      await expect(write([small(), other])).rejects.toMatchObject({ kind: 'Shape' })
      await expect(write(zeros([1, 16, 16, 3], { dtype: 'int32' }))).rejects.toMatchObject({ kind: 'DType' })
      await expect(write(zeros([1, 16, 16, 3]).div(0))).rejects.toThrow(/NaN/)
      await expect(write([])).rejects.toThrow(/no frames to write/)
      expect(readdirSync(inFolder()).filter((name) => name.includes('bad'))).toEqual([])
    })
  })

  test('an error or an abort on the way leaves the old file and nothing else', async () => {
    await tidyAsync(async () => {
      const path = inFolder('old.mp4')
      writeFileSync(path, 'old')
      async function* failing() {
        yield small()
        throw new RangeError('the source failed')
      }
      await expect(writeVideo(failing(), path, { fps: 25 })).rejects.toThrow(/the source failed/)
      const controller = new AbortController()
      async function* endless() {
        for (let i = 0; ; i++) {
          if (i === 5) controller.abort('enough')
          yield small()
        }
      }
      await expect(writeVideo(endless(), path, { fps: 25, signal: controller.signal })).rejects.toMatchObject({
        kind: 'Cancelled',
        cause: 'enough',
      })
      expect(readFileSync(path, 'utf8')).toBe('old')
      expect(readdirSync(inFolder()).filter((name) => name.includes('old'))).toEqual(['old.mp4'])
    })
  })
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
