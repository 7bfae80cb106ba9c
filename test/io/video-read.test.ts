import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { loopVideo } from '../../bench/support/loop-video'
import { type ReadVideoOptions, readClip, readVideo, videoInfo } from '../../lib/io'
import { memory, type Tensor, tidy, tidyAsync } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { numbersIn } from '../support/numbered-frames'
import { temporaryFolder } from '../support/temporary-folder'

// Made by tools/reference/video_files.py with PyAV; each frame shows its number.
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/video/${name}`, import.meta.url))
const inFolder = temporaryFolder()
const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step)

async function numbers(name: string, options: ReadVideoOptions = {}): Promise<{ shown: number[]; timesS: number[] }> {
  const shown: number[] = []
  const timesS: number[] = []
  for await (using chunk of readVideo(fixture(name), options)) {
    shown.push(...numbersIn(chunk.frames))
    timesS.push(...chunk.timestampsS)
  }
  return { shown, timesS }
}

function expectTimes(timesS: readonly number[], expected: readonly number[]): void {
  expect(timesS.length).toBe(expected.length)
  for (const [i, time] of timesS.entries()) expect(time).toBeCloseTo(expected[i] as number, 6)
}

describe('videoInfo', () => {
  test('says what the container states', async () => {
    expect(await videoInfo(fixture('b-frames.mp4'))).toEqual({
      durationS: 2.4,
      startS: 0,
      fps: 25,
      frameRate: { num: 25, den: 1 },
      averageFps: 25,
      frameCount: 60,
      frameCountFrom: 'index',
      width: 128,
      height: 64,
      rotation: 0,
      codec: 'h264',
      pixelFormat: 'yuv420p',
      timeBase: { num: 1, den: 12800 },
      hasAudio: false,
    })
  })

  test('estimates the number of frames where no index says it, and counts on request', async () => {
    const estimated = await videoInfo(fixture('variable-rate.mkv'))
    expect(estimated.frameCountFrom).toBe('estimated')
    const counted = await videoInfo(fixture('variable-rate.mkv'), { count: true })
    expect([counted.frameCount, counted.frameCountFrom]).toEqual([40, 'counted'])
  })

  test('tells a clock that does not begin at 0', async () => {
    expect((await videoInfo(fixture('transport.mpegts'))).startS).toBeCloseTo(10, 1)
  })
})

describe('readVideo: which frames', () => {
  test.each(['b-frames.mp4', 'open-gop.mkv'])('%s gives all frames in the order they are shown', async (name) => {
    const { shown, timesS } = await numbers(name, { chunkFrames: 7 })
    expect(shown).toEqual(range(0, 60))
    expectTimes(
      timesS,
      range(0, 60).map((index) => index / 25),
    )
  })

  test.each(['b-frames.mp4', 'open-gop.mkv'])(
    '%s begins at any frame by time',
    async (name) => {
      for (const start of [1, 2, 3, 4, 11, 12, 13, 23, 30, 47, 58]) {
        const { shown } = await numbers(name, { startS: start / 25, endS: (start + 2) / 25 })
        expect(shown).toEqual(range(start, Math.min(60, start + 2)))
      }
    },
    120_000,
  )

  test.each(['b-frames.mp4', 'open-gop.mkv', 'variable-rate.mkv'])(
    '%s begins at any frame by number',
    async (name) => {
      for (const startFrame of [0, 1, 2, 12, 13, 29, 38]) {
        const { shown } = await numbers(name, { startFrame, endFrame: startFrame + 2 })
        expect(shown).toEqual([startFrame, startFrame + 1])
      }
    },
    120_000,
  )

  test('takes a frame that begins at the start, and none that begins at the end', async () => {
    expect((await numbers('b-frames.mp4', { startS: 0.4, endS: 0.52 })).shown).toEqual([10, 11, 12])
    expect((await numbers('b-frames.mp4', { startS: 0.401, endS: 0.521 })).shown).toEqual([11, 12, 13])
  })

  test('gives every n-th frame of the range', async () => {
    expect((await numbers('b-frames.mp4', { startFrame: 5, endFrame: 30, everyNth: 10 })).shown).toEqual([5, 15, 25])
  })

  test('keeps the times of a varying rate', async () => {
    const { shown, timesS } = await numbers('variable-rate.mkv')
    expect(shown).toEqual(range(0, 40))
    expectTimes(timesS.slice(0, 9), [0, 0.01, 0.03, 0.06, 0.1, 0.11, 0.13, 0.16, 0.2])
  })

  test('shows on a grid what is on the screen at each instant', async () => {
    // Frames begin at 0, 1, 3, 6, 10, 11, 13, 16, 20 hundredths; at 4 hundredths the one that began at 3 is on show.
    const { shown, timesS } = await numbers('variable-rate.mkv', { fps: 25, endS: 0.2 })
    expectTimes(timesS, [0, 0.04, 0.08, 0.12, 0.16])
    expect(shown).toEqual([0, 2, 3, 5, 7])
    // From 0.15 s on: frame 6 has been on show since 0.13 s.
    const later = await numbers('variable-rate.mkv', { fps: 25, startS: 0.15, endS: 0.22 })
    expectTimes(later.timesS, [0.15, 0.19])
    expect(later.shown).toEqual([6, 7])
  })

  test('repeats frames on a finer grid and leaves some out on a coarser one', async () => {
    expect((await numbers('b-frames.mp4', { fps: 50, endS: 0.12 })).shown).toEqual([0, 0, 1, 1, 2, 2])
    expect((await numbers('b-frames.mp4', { fps: 50 })).shown.length).toBe(120)
    expect((await numbers('b-frames.mp4', { fps: 5, startS: 1 })).shown).toEqual([25, 30, 35, 40, 45, 50, 55])
  })

  test('leaves out what an edit list hides', async () => {
    const { shown, timesS } = await numbers('edit-list.mp4')
    expect(shown).toEqual(range(5, 20))
    expectTimes(timesS.slice(0, 2), [0, 0.04])
    expect((await numbers('edit-list.mp4', { startFrame: 3, endFrame: 5 })).shown).toEqual([8, 9])
  })

  test('reads on the clock of the file', async () => {
    const { shown, timesS } = await numbers('transport.mpegts')
    expect(shown).toEqual(range(0, 30))
    const first = timesS[0] as number
    expect(first).toBeGreaterThan(9)
    expect((await numbers('transport.mpegts', { startS: first + 0.4, endS: first + 0.48 })).shown).toEqual([10, 11])
    expect((await numbers('transport.mpegts', { startFrame: 21, endFrame: 22 })).shown).toEqual([21])
  })

  test('a range that holds no frames gives none', async () => {
    expect((await numbers('b-frames.mp4', { startS: 100 })).shown).toEqual([])
    expect((await numbers('b-frames.mp4', { startFrame: 60 })).shown).toEqual([])
    expect((await numbers('b-frames.mp4', { endS: -1 })).shown).toEqual([])
    await expect(readClip(fixture('b-frames.mp4'), { startS: 100 })).rejects.toMatchObject({
      kind: 'Argument',
      message: expect.stringContaining('no frames in the range'),
    })
  })
})

describe('readVideo: pictures', () => {
  // R = Y' + 2(1 − Kr)·V', B = Y' + 2(1 − Kb)·U', G from Y' = Kr·R + Kg·G + Kb·B, for Y, U, V = 120, 90, 160.
  test.each([
    ['flat-bt601-limited.mkv', [172, 110, 44]],
    ['flat-bt709-limited.mkv', [178, 112, 41]],
    ['flat-bt601-full.mkv', [165, 110, 53]],
    ['flat-bt709-full.mkv', [170, 112, 50]],
  ])('%s is converted by its own matrix and range', async (name, expected) => {
    const { frames } = await readClip(fixture(name))
    const pixels = frames.dataSync() as Uint8Array
    for (let i = 0; i < pixels.length; i++) {
      expect(Math.abs((pixels[i] as number) - (expected[i % 3] as number))).toBeLessThanOrEqual(2)
    }
    frames.dispose()
  })

  test('gray is the luma stretched to 0–255', async () => {
    // (120 − 16) · 255 / 219 = 121.1; full range stays 120.
    for (const [name, level] of [
      ['flat-bt709-limited.mkv', 121],
      ['flat-bt709-full.mkv', 120],
    ] as const) {
      const { frames } = await readClip(fixture(name), { pixelFormat: 'gray' })
      expect(frames.shape).toEqual([2, 16, 32, 1])
      for (const value of frames.dataSync() as Uint8Array) expect(Math.abs(value - level)).toBeLessThanOrEqual(1)
      frames.dispose()
    }
  })

  test('a photographed clip looks as PyAV shows it, at the same times', async () => {
    const reference = JSON.parse(readFileSync(fixture('hand-bottle.json'), 'utf8')) as {
      size: number
      places: [number, number][]
      frames: Record<string, number[][]>
      timesS: number[]
    }
    const timesS: number[] = []
    for await (using chunk of readVideo(fixture('hand-bottle.mp4'))) {
      for (const [index, patches] of Object.entries(reference.frames)) {
        const at = Number(index) - chunk.index
        if (at < 0 || at >= chunk.timestampsS.length) continue
        for (const [i, [y, x]] of reference.places.entries()) {
          const { size } = reference
          const ours = tidy(
            () => chunk.frames.narrow(0, at, 1).narrow(1, y, size).narrow(2, x, size).dataSync() as Uint8Array,
          )
          const theirs = patches[i] as number[]
          const differences = Array.from(ours, (value, j) => Math.abs(value - (theirs[j] as number)))
          // Equal here; the vector units of another machine may round otherwise.
          expect(Math.max(...differences)).toBeLessThanOrEqual(2)
          expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.5)
        }
      }
      timesS.push(...chunk.timestampsS)
    }
    expectTimes(timesS, reference.timesS)
  })

  test.each([
    [{ width: 64, height: 48 }, [48, 64]],
    [{ width: 64 }, [32, 64]],
    [{ height: 20 }, [20, 40]],
    [{ shortSide: 33 }, [33, 66]],
    [{ maxSide: 50 }, [25, 50]],
    [{ maxSide: 500 }, [64, 128]],
  ])('%o makes frames of %o', async (size, expected) => {
    const { frames } = await readClip(fixture('b-frames.mp4'), { ...size, endFrame: 2 })
    expect(frames.shape).toEqual([2, ...expected, 3])
    expect(numbersIn(frames)).toEqual([0, 1])
    frames.dispose()
  })

  test('TCHW holds the same pixels as THWC', async () => {
    await tidyAsync(async () => {
      const options = { startFrame: 3, endFrame: 5, width: 50, height: 31 }
      const last = await readClip(fixture('b-frames.mp4'), options)
      const first = await readClip(fixture('b-frames.mp4'), { ...options, layout: 'TCHW' })
      expect(first.frames.shape).toEqual([2, 3, 31, 50])
      expect(first.frames.strides).toEqual([3 * 31 * 50, 31 * 50, 50, 1])
      expect(first.frames.permute([0, 2, 3, 1]).equal(last.frames)).toBe(true)
    })
  })
})

describe('readVideo: orientation', () => {
  /** The clip with another display matrix [a b; c d] in its track header: (x, y) is shown at (a·x + c·y, b·x + d·y). */
  function turned(a: number, b: number, c: number, d: number): Uint8Array {
    const bytes = Buffer.from(readFileSync(fixture('b-frames.mp4')))
    // Version and flags, times, track, duration, layer, volume: 40 bytes after the type of a version 0 box.
    const matrix = bytes.indexOf('tkhd') + 4 + 40
    expect(bytes.readInt32BE(matrix)).toBe(65536)
    for (const [i, value] of [a, b, 0, c, d, 0].entries()) bytes.writeInt32BE(value * 65536, matrix + 4 * i)
    return bytes
  }

  async function firstFrame(source: Uint8Array | string): Promise<Tensor> {
    return (await readClip(source, { endFrame: 1 })).frames.at(0)
  }

  test.each([
    ['a quarter turn clockwise', [0, 1, -1, 0], 90, (x: Tensor) => x.permute([1, 0, 2]).flip([1])],
    ['a half turn', [-1, 0, 0, -1], 180, (x: Tensor) => x.flip([0, 1])],
    ['a quarter turn counter-clockwise', [0, -1, 1, 0], 270, (x: Tensor) => x.permute([1, 0, 2]).flip([0])],
    ['a mirror', [-1, 0, 0, 1], 0, (x: Tensor) => x.flip([1])],
  ] as const)('follows %s', async (_, [a, b, c, d], rotation, expected) => {
    await tidyAsync(async () => {
      const source = turned(a, b, c, d)
      const info = await videoInfo(source)
      expect(info.rotation).toBe(rotation)
      const shown = await firstFrame(source)
      expect([info.height, info.width, 3]).toEqual(shown.shape)
      expect(shown.equal(expected(await firstFrame(fixture('b-frames.mp4'))))).toBe(true)
    })
  })

  test('sizes are those of the upright picture', async () => {
    const { frames } = await readClip(turned(0, 1, -1, 0), { width: 32, endFrame: 1 })
    expect(frames.shape).toEqual([1, 64, 32, 3])
    frames.dispose()
  })
})

describe('readVideo: the stream', () => {
  test('a path, a file URL and bytes give the same', async () => {
    const url = new URL('../fixtures/video/b-frames.mp4', import.meta.url)
    const bytes = readFileSync(url)
    const inside = new Uint8Array(bytes.length + 10)
    inside.set(bytes, 7)
    for (const source of [url, bytes, inside.subarray(7, -3)]) {
      const { frames } = await readClip(source, { startFrame: 20, endFrame: 22 })
      expect(numbersIn(frames)).toEqual([20, 21])
      frames.dispose()
    }
  })

  test('a slow consumer holds the decoder back: one chunk is alive at a time', async () => {
    await liveTensors()
    const before = memory.stats()
    const sizes: number[] = []
    for await (using chunk of readVideo(fixture('hand-bottle.mp4'), { chunkFrames: 4 })) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      sizes.push(chunk.timestampsS.length)
      const now = memory.stats()
      expect(now.tensors - before.tensors).toBe(1)
      expect(now.allocatedCpuBytes - before.allocatedCpuBytes).toBeLessThan(1.1 * 4 * 640 * 360 * 3)
    }
    expect(sizes).toEqual([...Array(22).fill(4), 1])
    expect(memory.stats().tensors).toBe(before.tensors)
  })

  test('twenty seconds hold no more memory than one chunk', async () => {
    const path = inFolder('long.mp4')
    await loopVideo(fixture('hand-bottle.mp4'), path, 20)
    await liveTensors()
    const before = memory.stats()
    let frames = 0
    for await (using chunk of readVideo(path, { chunkFrames: 8, width: 160 })) {
      frames += chunk.timestampsS.length
      const now = memory.stats()
      expect(now.tensors - before.tensors).toBe(1)
      expect(now.allocatedCpuBytes - before.allocatedCpuBytes).toBeLessThan(1.1 * 8 * 160 * 90 * 3)
    }
    // Seven rounds of 89 frames.
    expect(frames).toBe(623)
    expect(memory.stats().tensors).toBe(before.tensors)
  })

  test('chunks belong to the scope of the iteration', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      for await (const chunk of readVideo(fixture('b-frames.mp4'))) expect(chunk.frames.disposed).toBe(false)
      expect(memory.stats().tensors).toBe(before + 4)
    })
    expect(memory.stats().tensors).toBe(before)
  })

  test('calls of next that overlap are answered in their order', async () => {
    const reader = readVideo(fixture('b-frames.mp4'), { chunkFrames: 20 })
    const results = await Promise.all([reader.next(), reader.next(), reader.next(), reader.next()])
    expect(results.map(({ done }) => done)).toEqual([false, false, false, true])
    expect(results.slice(0, 3).map(({ value }) => value.index)).toEqual([0, 20, 40])
    for (const { value } of results.slice(0, 3)) value.frames.dispose()
  })

  test('leaving the loop closes the file, and the reader is at its end', async () => {
    const reader = readVideo(fixture('b-frames.mp4'), { chunkFrames: 2 })
    for await (using chunk of reader) {
      expect(chunk.index).toBe(0)
      break
    }
    expect(await reader.next()).toEqual({ done: true, value: undefined })
  })

  test('info says what videoInfo says, before the first frame', async () => {
    await using reader = readVideo(fixture('b-frames.mp4'))
    expect(await reader.info()).toEqual(await videoInfo(fixture('b-frames.mp4')))
  })

  test('the event loop stays free while frames are decoded', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    for await (using _ of readVideo(fixture('hand-bottle.mp4'))) {
    }
    clearInterval(timer)
    expect(turns).toBeGreaterThan(10)
  })
})
