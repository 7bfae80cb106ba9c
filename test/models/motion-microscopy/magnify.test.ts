// The magnified video: checks 7, 8, 12 and 13.
import { describe, expect, test } from 'vitest'
import { Magnifier, type MagnifierOptions, MotionMicroscope } from '../../../lib/models/magnification/motion-microscopy'
import { grating, texture } from '../../../lib/models/magnification/motion-microscopy/synthetic'
import { arange, memory, stack, type Tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { mapFilter, type TemporalFilter } from '../../../lib/vision'

const PERIODIC = { boundary: 'periodic', dtype: 'float64', denoise: 0 } as const

type Options = Omit<Partial<MagnifierOptions>, 'filter'> & { readonly filter?: TemporalFilter; readonly fps?: number }

/** Grey frames through a magnifier. */
async function magnified(
  frames: readonly Tensor[],
  magnification: number,
  { filter = { kind: 'none' }, fps = 30, ...options }: Options = {},
): Promise<Tensor[]> {
  const [height = 0, width = 0] = frames[0]?.shape ?? []
  const maps = mapFilter(filter, fps, frames.length)
  using magnifier = new Magnifier({ ...PERIODIC, ...options, height, width, magnification, filter: maps })
  const colour = frames.map((frame) => frame.unsqueeze(0).expand([3, height, width]).contiguous())
  if (maps.needsWholeClip) {
    for (const frame of colour) await magnifier.observe(frame)
    magnifier.rewind()
  }
  const results: Tensor[] = []
  for (const frame of colour) {
    const next = await magnifier.push(frame)
    if (next) results.push(next.frame.select(0, 0))
  }
  for await (const { frame } of magnifier.flush()) results.push(frame.select(0, 0))
  return results
}

const psnr = (a: Tensor, b: Tensor) => -10 * Math.log10(a.sub(b).square().mean().item() as number)
const worst = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item() as number

describe('magnified motion', () => {
  test('7. 0.01 px become 0.2 px: the picture is the one moved by as much', async () => {
    await tidyAsync(async () => {
      const frames = [texture(), texture(0.01, 0)]
      const [, subsampled] = await magnified(frames, 20)
      const [, whole] = await magnified(frames, 20, { subsample: false })
      const exact = texture(0.2, 0)
      expect(psnr(subsampled as Tensor, exact)).toBeCloseTo(55.55, 1)
      expect(psnr(whole as Tensor, exact)).toBeCloseTo(55.57, 1)
      // Averaging phases over 2 px of each scale costs 2.5 dB.
      const [, averaged] = await magnified(frames, 20, { denoise: 2 })
      expect(psnr(averaged as Tensor, exact)).toBeCloseTo(55.55 - 2.5, 0)
      expect(psnr(subsampled as Tensor, exact) - psnr(subsampled as Tensor, frames[1] as Tensor)).toBeGreaterThan(15)
    })
  })

  test('7. a magnification of 1 changes nothing', async () => {
    await tidyAsync(async () => {
      const frames = [texture(), texture(0.3, -0.2)].map((frame) => frame.to('float32'))
      const result = await magnified(frames, 1, { dtype: 'float32' })
      expect(worst(result[1] as Tensor, frames[1] as Tensor)).toBeLessThan(1e-5)
      const padded = await magnified(frames, 1, { dtype: 'float32', boundary: 'replicate', denoise: 2 })
      expect(worst(padded[1] as Tensor, frames[1] as Tensor)).toBeLessThan(1e-5)
    })
  })

  test('7. a band without the motion leaves the video as it is', async () => {
    await tidyAsync(async () => {
      // 12 frames at 12 a second hold 3 Hz exactly; the band has 5 Hz only.
      const frames = Array.from({ length: 12 }, (_, t) => texture(0.1 * Math.sin((2 * Math.PI * 3 * t) / 12), 0))
      const filter: TemporalFilter = { kind: 'ideal', band: [4.5, 5.5] }
      const result = await magnified(frames, 20, { filter, fps: 12 })
      for (const [t, frame] of frames.entries()) expect(worst(result[t] as Tensor, frame)).toBeLessThan(1e-4)
    })
  })

  test('13. the factor is M, not M + 1, by the phase of a Fourier bin', async () => {
    await tidyAsync(async () => {
      for (const [p, gain, amplitude] of [
        [16, 20, 1],
        [32, 20, 1],
        [40, 15.58402, 0.98757],
        [48, 7.95464, 0.976809],
      ] as const) {
        const [, result] = await magnified([grating(p, 0), grating(p, 0, 0.01)], 20)
        const row = (result as Tensor).select(0, 3)
        const angle = arange(0, 128, { dtype: 'float64' }).mul((2 * Math.PI * p) / 128)
        const [re, im] = [angle.cos(), angle.sin()].map((wave) => (row.mul(wave).sum().item() as number) / 64)
        expect(Math.atan2(im as number, re as number) / ((2 * Math.PI * p) / 128) / 0.01).toBeCloseTo(gain, 4)
        expect(Math.hypot(re as number, im as number) / 0.2).toBeCloseTo(amplitude, 5)
      }
    })
  })

  test('a filter of linear phase magnifies in step with the motion', async () => {
    await tidyAsync(async () => {
      const frames = Array.from({ length: 40 }, (_, t) => grating(16, 0, 0.02 * Math.sin((2 * Math.PI * 5 * t) / 30)))
      const result = await magnified(frames, 10, { filter: { kind: 'fir', band: [2, 9], taps: 15 } })
      expect(result).toHaveLength(40)
      const exact = grating(16, 0, 0.2 * Math.sin((2 * Math.PI * 5 * 20) / 30))
      expect(psnr(result[20] as Tensor, exact)).toBeGreaterThan(35)
    })
  })
})

/** Two discs of radius 12 that swing sideways by 0.1 px, the left at 5 Hz and the right at 9 Hz: a second and 60 frames. */
function discs(t: number): Tensor {
  return tidy(() => {
    const axis = arange(0, 128, { dtype: 'float64' })
    const disc = (x: number, hz: number) => {
      const dx = axis.sub(x + 0.1 * Math.sin((2 * Math.PI * hz * t) / 60)).unsqueeze(0)
      const radius = dx.hypot(axis.sub(64).unsqueeze(1))
      return radius.sub(12).div(-1.5).sigmoid()
    }
    return disc(32, 5).add(disc(96, 9)).mul(0.6).add(0.2)
  })
}

describe('MotionMicroscope', () => {
  test('8. magnifies the object that swings in the band, and leaves the other', async () => {
    await tidyAsync(async () => {
      const grey = stack(Array.from({ length: 60 }, (_, t) => discs(t))).to('float32')
      const frames = grey.unsqueeze(1).expand([60, 3, 128, 128]).contiguous()
      using microscope = await MotionMicroscope.load({
        device: 'cpu',
        config: { magnification: 20, band: [4, 6], filter: 'ideal', rendering: { denoise: 0 } },
      })
      using result = await microscope.run({ frames, fps: 60 })
      expect(result.frames.shape).toEqual([60, 3, 128, 128])
      const variance = (clip: Tensor, from: number) =>
        clip
          .select(1, 0)
          .select(1, 64)
          .narrow(1, from, 64)
          .var({ dim: [0] })
          .sum()
          .item() as number
      const growth = [0, 64].map((from) => variance(result.frames, from) / variance(frames, from)) as [number, number]
      expect(growth[0]).toBeGreaterThan(150)
      expect(growth[0] / growth[1]).toBeGreaterThan(10)
    })
  })

  test('12. frames as they come are those of the whole clip, and nothing is left behind', async () => {
    const before = memory.stats().tensors
    await tidyAsync(async () => {
      const grey = stack(Array.from({ length: 6 }, (_, t) => discs(t))).to('float32')
      const clip = { frames: grey.unsqueeze(1).expand([6, 3, 128, 128]).contiguous(), fps: 60 }
      for (const config of [{ band: [4, 6] as [number, number] }, {}]) {
        using microscope = await MotionMicroscope.load({ device: 'cpu', config })
        using whole = await microscope.run(clip)
        let t = 0
        for await (const frame of microscope.frames(clip)) {
          expect(worst(frame, whole.frames.select(0, t))).toBeLessThan(1e-6)
          t++
        }
        expect(t).toBe(6)
      }
    })
    expect(memory.stats().tensors).toBe(before)
  })
})
