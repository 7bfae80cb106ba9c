// Signals, spectra, sensors, waves and pictures.
import { describe, expect, test } from 'vitest'
import {
  alongLine,
  amplitudeOverlay,
  compareWithSensor,
  type Harmonic,
  harmonicAmplitude,
  integrate,
  noiseSpectrum,
  parseSensor,
  powerSpectrum,
  resample,
  spaceTimeSlice,
  transferFunction,
  warpLine,
  waveProfile,
} from '../../../lib/models/magnification/motion-microscopy'
import { correlation, rootMeanSquare } from '../../../lib/models/magnification/motion-microscopy/signals'
import { arange, full, stack, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { impulseResponse } from '../../../lib/vision'

const wave = (count: number, hz: number, fps: number, amplitude = 1, phase = 0) =>
  Array.from({ length: count }, (_, t) => amplitude * Math.sin((2 * Math.PI * hz * t) / fps + phase))

describe('signals and spectra', () => {
  test('root mean square is about the mean; correlation is Pearson’s', () => {
    expect(rootMeanSquare([1, 3, 1, 3])).toBe(1)
    expect(correlation([1, 2, 3], [10, 20, 30])).toBeCloseTo(1, 12)
    expect(correlation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12)
    expect(correlation([1, 1, 1], [3, 2, 1])).toBe(0)
  })

  test('a sinusoid of amplitude a has a²T/4 in its bin, and nothing elsewhere', () => {
    const { hz, power } = powerSpectrum(wave(120, 5, 60, 0.3), 60)
    expect(hz[10]).toBe(5)
    expect(power[10]).toBeCloseTo((0.3 ** 2 * 120) / 4, 10)
    expect(Math.max(...power.filter((_, k) => k !== 10))).toBeLessThan(1e-20)
  })

  test('filtered noise keeps the share of each frequency that the filter passes', () => {
    const response = impulseResponse({ kind: 'band-pass', band: [4, 8] }, 60, 200)
    const [centre = 0, stop = 0] = noiseSpectrum(2, response, 60, Float64Array.from([Math.sqrt(4 * 8), 0]))
    // The band-pass passes its centre (of bent frequencies) whole and the mean not at all.
    expect(centre).toBeGreaterThan(1.97)
    expect(centre).toBeLessThanOrEqual(2.0001)
    expect(stop).toBeCloseTo(0, 8)
  })

  test('a transfer function finds gain and lag of what is delayed and weaker', () => {
    const source = Array.from({ length: 400 }, (_, t) => Math.sin(t * t * 0.002) + 0.3 * Math.sin(1.7 * t))
    const response = source.map((_, t) => 0.5 * (source[t - 2] ?? 0))
    const { hz, gain, lag, coherence } = transferFunction(source, response, 100, 80)
    for (const k of [5, 10, 15]) {
      expect(gain[k]).toBeCloseTo(0.5, 1)
      expect(lag[k]).toBeCloseTo((2 * Math.PI * (hz[k] as number) * 2) / 100, 1)
      expect(coherence[k]).toBeGreaterThan(0.95)
    }
    expect(() => transferFunction([1, 2], [1], 10)).toThrow(/equally long/)
  })
})

describe('sensors', () => {
  test('reads tables with and without headings, and says which line is none', () => {
    const table = parseSensor('t,value\n0,1\n0.1,2\n0.2,4\n', 'beam.csv')
    expect(table.rate).toBeCloseTo(10, 9)
    expect([...table.values]).toEqual([1, 2, 4])
    expect([...parseSensor('0 1\n1 5\n', 'x').values]).toEqual([1, 5])
    expect(() => parseSensor('0,1\n0.1,two\n', 'beam.csv')).toThrow(/beam.csv: line 2 is '0.1,two'/)
    expect(() => parseSensor('0,1\n0.1,2\n0.9,3\n1,4\n', 'beam.csv')).toThrow(/rise evenly/)
    expect(() => parseSensor('0,1\n', 'beam.csv')).toThrow(/two are the least/)
  })

  test('integrates by trapezoids and reads between readings', () => {
    const line = { startS: 0, rate: 2, values: Float64Array.from([0, 1, 2, 3]) }
    expect([...integrate(line).values]).toEqual([0, 0.25, 1, 2.25])
    expect([...resample(line, 4, 4)]).toEqual([0, 0.5, 1, 1.5])
    expect([...resample({ ...line, startS: 0.5 }, 3, 1)]).toEqual([0, 1, 3])
  })

  test('a velocity becomes the displacement that was measured, scaled and aligned', () => {
    const [fps, rate] = [200, 1000]
    // Two modes; the sensor's clock is 0.035 s behind.
    const at = (seconds: number) =>
      Math.sin(2 * Math.PI * 7.3 * seconds) + 0.4 * Math.sin(2 * Math.PI * 18.1 * seconds + 1)
    const displacement = Array.from({ length: 800 }, (_, t) => 0.05 * at(t / fps))
    const velocity = Float64Array.from(
      { length: 4000 },
      (_, i) => (at(i / rate + 0.035 + 1e-5) - at(i / rate + 0.035 - 1e-5)) / 2e-5,
    )
    const found = compareWithSensor(displacement, fps, { startS: 0, rate, values: velocity }, { measures: 'velocity' })
    expect(found.correlation).toBeGreaterThan(0.99)
    expect(found.lagS).toBeCloseTo(-0.035, 2)
    expect(found.scale).toBeCloseTo(0.05, 2)
    expect(found.pieces).toHaveLength(8)
    expect(found.pieces[3]?.rms).toBeCloseTo(0.05 * Math.sqrt(0.5 + 0.08), 2)
    expect(found.pieces[3]?.correlation).toBeGreaterThan(0.99)
  })
})

/** A wave that runs to the right and fades: v = 0.1 e^(−x/50) cos(2π·5 t − 0.2 x). */
function running(): Harmonic {
  return tidy(() => {
    const x = arange(0, 80).unsqueeze(0).expand([40, 80])
    const amplitude = x.div(-50).exp().mul(0.1)
    const part = (wave: Tensor) => stack([zeros([40, 80]), amplitude.mul(wave)])
    return { hz: 5, real: part(x.mul(0.2).cos()), imaginary: part(x.mul(0.2).sin()) }
  })
}

describe('waves', () => {
  test('wavelength, speed and attenuation of a running wave', () => {
    tidy(() => {
      const profile = waveProfile(running(), { from: [5, 20], to: [70, 20] })
      expect(profile.distance).toHaveLength(66)
      expect(profile.wavelength).toBeCloseTo((2 * Math.PI) / 0.2, 2)
      expect(profile.speed).toBeCloseTo((5 * 2 * Math.PI) / 0.2, 1)
      expect(profile.attenuation).toBeCloseTo(1 / 50, 4)
      expect(profile.amplitude[0]).toBeCloseTo(0.1 * Math.exp(-5 / 50), 5)
      const back = waveProfile(running(), { from: [70, 20], to: [5, 20] })
      expect(back.wavelength).toBeCloseTo(-(2 * Math.PI) / 0.2, 2)
      expect(harmonicAmplitude(running()).select(0, 7).select(0, 50).item()).toBeCloseTo(0.1 * Math.exp(-1), 6)
    })
  })

  test('lines are read between pixels, warped by the motion, and may not leave the picture', () => {
    tidy(() => {
      const ramp = arange(0, 10).unsqueeze(0).expand([6, 10]).unsqueeze(0).contiguous()
      const values = alongLine(ramp, { from: [1.5, 2], to: [4.5, 2] }).toArray() as number[][]
      for (const [i, value] of (values[0] ?? []).entries()) expect(value).toBeCloseTo(1.5 + i, 5)
      expect(() => alongLine(ramp, { from: [0, 0], to: [10, 0] })).toThrow(/leaves the picture of 10 × 6/)
      const motion = stack([full([6, 10], 0.1), full([6, 10], -0.05)])
      const [first] = warpLine(motion, { from: [2, 3], to: [5, 3] }, 20)
      expect(first?.x).toBeCloseTo(4, 5)
      expect(first?.y).toBeCloseTo(2, 5)
    })
  })

  test('a slice has a row a frame, and an overlay is red where motion is largest', async () => {
    await tidyAsync(async () => {
      const frames = stack(Array.from({ length: 4 }, (_, t) => full([3, 8, 9], 0.2 * t)))
      const slice = await spaceTimeSlice({ frames, fps: 10 }, { from: [0, 4], to: [8, 4] })
      expect(slice.shape).toEqual([3, 4, 9])
      expect(slice.select(0, 1).select(1, 5).toArray()).toEqual(frames.select(1, 1).select(1, 4).select(1, 5).toArray())
      const overlay = amplitudeOverlay(full([3, 1, 2], 0), tensor([[0, 3]]), { opacity: 1 })
      const [still, most] = overlay.select(1, 0).t().toArray() as number[][]
      expect(most).toEqual([217, 26, 26].map((value) => expect.closeTo(value, -0.5)))
      expect(still?.[2]).toBeGreaterThan(still?.[0] as number)
    })
  })
})
