// What the two streams of a video see: with networks in place of I3D that give their input back.
import { describe, expect, test } from 'vitest'
import { type FrameStream, type I3D, I3DSegments } from '../../lib/backbones'
import { arange, type Tensor, tensor, tidy, tidyAsync } from '../../lib/tensor'
import { liveTensors, liveTensorsDownTo } from '../support/live-tensors'

const SIDE = 48

/** Frame t of a smooth texture that moves `speed` pixels to the right each frame; its red is t of 255. */
function frame(t: number, speed: number): Tensor {
  return tidy(() => {
    const x = arange(SIDE, { dtype: 'float32' }).sub(speed * t)
    const y = arange(SIDE, { dtype: 'float32' }).reshape([SIDE, 1])
    const wave = x
      .mul(0.35)
      .sin()
      .add(y.mul(0.3).cos())
      .add(x.mul(0.11).add(y.mul(0.17)).sin())
    const grey = wave.mul(35).add(128)
    const planes = tensor(new Float32Array(3 * SIDE * SIDE), { shape: [3, SIDE, SIDE] })
    planes.copy_(grey)
    planes.select(0, 0).fill_(t)
    return planes.round().to('uint8')
  })
}

function clip(frames: number, fps: number, speed = 1): FrameStream {
  return {
    ...{ fps, frameCount: frames },
    async *frames() {
      for (let t = 0; t < frames; t++) {
        using each = frame(t, speed)
        yield each
      }
    },
  }
}

/** Gives channel 0 of each of the 16 pictures, mean over the middle, as 16 features. */
const channelOfTime = {
  extractFeatures: (x: Tensor) => x.narrow(1, 0, 1).narrow(3, 8, 16).narrow(4, 8, 16).transpose(1, 2),
} as unknown as I3D

const features = (video: FrameStream, options: object = {}) =>
  tidyAsync(async () => {
    using segments = new I3DSegments(channelOfTime, channelOfTime, { shortSide: 32, crop: 32, ...options })
    return (await segments.extract(video)).toArray() as number[][]
  })

const red = (row: number[] | undefined) => (row ?? []).slice(0, 16).map((value) => Math.round(((value + 1) / 2) * 255))
const u = (row: number[] | undefined) => (row ?? []).slice(16).map((value) => 20 * value)

describe('I3DSegments', () => {
  test('sixteen frames a row; colour in −1…1, and flow from each frame to the next', async () => {
    const rows = await features(clip(35, 25))
    expect(rows.length).toBe(2)
    expect(red(rows[0])).toEqual(Array.from({ length: 16 }, (_, t) => t))
    expect(red(rows[1])).toEqual(Array.from({ length: 16 }, (_, t) => 16 + t))
    // Frames are seen at two thirds of their size.
    for (const value of u(rows[0])) expect(value).toBeCloseTo(2 / 3, 1)
  })

  test('the last frame of a video has the flow of the one before it', async () => {
    const [row] = await features(clip(16, 25))
    expect(u(row)[15]).toBe(u(row)[14])
    const [longer] = await features(clip(17, 25))
    expect(u(longer)[15]).not.toBe(u(longer)[14])
  })

  test('other rates are brought to 25 frames a second', async () => {
    const [fast] = await features(clip(32, 50))
    expect(red(fast)).toEqual(Array.from({ length: 16 }, (_, t) => 2 * t))
    for (const value of u(fast)) expect(value).toBeCloseTo(4 / 3, 1)
    const slow = await features(clip(8, 12.5))
    expect(slow.length).toBe(1)
    expect(new Set(red(slow[0])).size).toBe(8)
  })

  test('flow is clipped, and may be rounded to bytes', async () => {
    const [clipped] = await features(clip(17, 25), { bound: 0.25 })
    for (const value of u(clipped)) expect(value / 20).toBe(1)
    const [bytes] = await features(clip(17, 25), { bytes: true })
    const [exact] = await features(clip(17, 25))
    expect(u(bytes)).not.toEqual(u(exact))
    for (const [t, value] of u(bytes).entries()) expect(Math.abs(value - (u(exact)[t] ?? 0))).toBeLessThan(20 / 255)
  })

  test('a video shorter than a segment is refused; an abort stops; no tensors are left', async () => {
    const before = await liveTensors()
    await expect(features(clip(15, 25))).rejects.toThrow(/15 frames at 25 frames a second; a segment takes 16/)
    await tidyAsync(async () => {
      using segments = new I3DSegments(channelOfTime, channelOfTime, { shortSide: 32, crop: 32 })
      const stop = new AbortController()
      const onProgress = () => stop.abort()
      await expect(segments.extract(clip(64, 25), { signal: stop.signal, onProgress })).rejects.toThrow(/cancel|abort/i)
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })
})
