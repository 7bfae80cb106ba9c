// The pipeline's measurement, its files and what it refuses.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readNpz } from '../../../lib/io'
import { MotionMicroscope } from '../../../lib/models/magnification/motion-microscopy'
import { texture } from '../../../lib/models/magnification/motion-microscopy/synthetic'
import { manualSeed, memory, randn, stack, tidy, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const FPS = 24
const FRAMES = 24

/** The texture swings by 0.05 px to the right at 4 Hz and by 0.02 px down at 7 Hz, in noise of 0.002. */
function swinging() {
  return tidy(() => {
    manualSeed(9)
    const frames = Array.from({ length: FRAMES }, (_, t) => {
      const [u, v] = [0.05 * Math.sin((2 * Math.PI * 4 * t) / FPS), 0.02 * Math.sin((2 * Math.PI * 7 * t) / FPS)]
      const grey = texture(u, v).narrow(0, 0, 72).narrow(1, 0, 80)
      return grey
        .add(randn([72, 80], { dtype: 'float64' }), { alpha: 0.002 })
        .to('float32')
        .expand([3, 72, 80])
    })
    return { frames: stack(frames), fps: FPS }
  })
}

test('motion of known size is measured within its error bars, in the band and everywhere', async () => {
  const before = memory.stats().tensors
  await tidyAsync(async () => {
    using microscope = await MotionMicroscope.load({
      device: 'cpu',
      config: { band: [3, 5], filter: 'ideal', noise: { frames: 16 } },
    })
    using motion = await microscope.measure(swinging(), {
      points: [
        [40, 36],
        [30, 40],
      ],
      harmonics: [4, 7],
      field: true,
    })
    const [point] = motion.points
    const errors = Array.from(point?.u ?? [], (u, t) => u - 0.05 * Math.sin((2 * Math.PI * 4 * t) / FPS))
    const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / FRAMES)
    const sigma = Math.sqrt(point?.covariance[0] ?? 0)
    expect(rms).toBeLessThan(3 * sigma)
    expect(sigma).toBeLessThan(0.003)
    // 7 Hz is outside the band.
    expect(Math.max(...Array.from(point?.v ?? [], Math.abs))).toBeLessThan(6 * sigma)
    // Three bins of 24, and their mirror images.
    expect(motion.noiseGain).toBeCloseTo(6 / 24, 12)
    const [four, seven] = motion.harmonics.map(
      ({ imaginary }) => imaginary.select(2, 40).select(1, 36).toArray() as number[],
    )
    expect(four?.[0]).toBeCloseTo(0.05, 2)
    expect(seven?.[1]).toBeCloseTo(0.02, 2)
    expect(Math.abs(seven?.[0] as number)).toBeLessThan(0.004)
    const [harmonic] = motion.harmonics
    if (!harmonic) throw new Error('a harmonic was asked for')
    const filled = await microscope.interpolate(harmonic, motion)
    // Motion is the same everywhere, so that smoothing leaves it, up to its noise, away from the edge of the picture.
    const inner = filled.imaginary.select(0, 0).narrow(0, 16, 40).narrow(1, 16, 48)
    expect(inner.sub(0.05).abs().amax().item()).toBeLessThan(0.005)
    expect(motion.field?.shape).toEqual([FRAMES, 2, 72, 80])
    expect(motion.field?.select(3, 40).select(2, 36).select(1, 0).select(0, 5).item()).toBeCloseTo(
      point?.u[5] as number,
      5,
    )

    const csv = folder('motion.csv')
    await motion.toFile(csv)
    const lines = readFileSync(csv, 'utf8').trim().split('\n')
    expect(lines).toHaveLength(1 + FRAMES)
    expect(lines[0]).toBe('t,along(40 36),sigma(40 36),u(40 36),v(40 36),along(30 40),sigma(30 40),u(30 40),v(30 40)')
    expect(lines[1]?.split(',')).toHaveLength(9)
    const npz = folder('motion.npz')
    await motion.toFile(npz)
    const arrays = await readNpz(npz)
    expect([...Object.keys(arrays instanceof Map ? Object.fromEntries(arrays) : arrays)].sort()).toContain('covariance')
    await expect(motion.toFile(folder('motion.mp4'))).rejects.toThrow(/use .csv, .json or .npz/)
    expect(motion.describe()).toMatch(/\(40, 36\): 0\.0\d+ px RMS ± /)
  })
  expect(memory.stats().tensors).toBe(before)
})

test('gradients of each frame measure the same, with phases filtered over time', async () => {
  await tidyAsync(async () => {
    const config = { band: [2, 8] as [number, number], noise: { frames: 2 } }
    const points = [[40, 36]] as const
    const measured = async (gradients: 'reference' | 'per-frame') => {
      using microscope = await MotionMicroscope.load({ device: 'cpu', config: { ...config, motion: { gradients } } })
      using motion = await microscope.measure(swinging(), { points })
      return motion.points[0]?.u ?? new Float64Array()
    }
    const [reference, own] = [await measured('reference'), await measured('per-frame')]
    for (const [t, u] of reference.entries()) expect(Math.abs((own[t] as number) - u)).toBeLessThan(0.002)
  })
})

describe('what it refuses', () => {
  const load = (config = {}) => MotionMicroscope.load({ device: 'cpu', config })
  const rejects = async (config: object, message: RegExp) => {
    await tidyAsync(async () => {
      using microscope = await load(config)
      await expect(microscope.run(swinging())).rejects.toThrow(message)
    })
  }

  test('bands beyond the frame rate, filters without one, and both where one has none', async () => {
    await rejects({ band: [5, 20] }, /below 12 Hz/)
    await rejects({ filter: 'ideal' }, /needs a band in Hz/)
    await rejects({ filter: 'minus-mean', band: [1, 2] }, /has no band/)
    await rejects({ band: [1, 2], filter: 'fir', taps: 10 }, /10 taps/)
  })

  test('options that are none, and weights', async () => {
    await expect(load({ magnifcation: 3 })).rejects.toThrow(/magnifcation is no key; the nearest is magnification/)
    await expect(MotionMicroscope.load({ weights: 'x.safetensors' })).rejects.toThrow(/no parameters/)
  })

  test('what does not fit into the memory it may take', async () => {
    await rejects({ limits: { result: 1e-5 } }, /write a file with runToFile/)
    await rejects({ band: [1, 8], filter: 'ideal', limits: { memory: 1e-3 } }, /keeps 16 maps/)
  })

  test('points outside the picture, and pictures that are too small', async () => {
    await tidyAsync(async () => {
      using microscope = await load()
      await expect(microscope.measure(swinging(), { points: [[80, 3]] })).rejects.toThrow(
        /no pixel of frames of 80 × 72/,
      )
      await expect(microscope.measure(swinging(), { harmonics: [12] })).rejects.toThrow(/lies below 12/)
      const small = { frames: swinging().frames.narrow(2, 0, 10).narrow(3, 0, 10), fps: FPS }
      await expect(microscope.measure(small)).rejects.toThrow(/at least 18 × 18/)
      await expect(microscope.run({ ...small, frames: small.frames.narrow(0, 0, 0) })).rejects.toThrow(/no frames/)
    })
  })

  test('a run that was cancelled', async () => {
    await tidyAsync(async () => {
      using microscope = await load()
      const abort = new AbortController()
      const run = microscope.run(swinging(), { signal: abort.signal, onProgress: () => abort.abort() })
      await expect(run).rejects.toThrow(/cancelled/)
    })
  })
})
