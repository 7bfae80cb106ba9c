import { describe, expect, test } from 'vitest'
import { manualSeed, randn, type Tensor, tidy } from '../../lib/tensor'
import {
  filterSignal,
  impulseResponse,
  mapFilter,
  noiseGain,
  type TemporalFilter,
} from '../../lib/vision/temporal-filter'

/** A clip of maps through a filter, as a system does it: two passes where it needs the whole, late results shifted back. */
function filterMaps(frames: Tensor, options: TemporalFilter, fps: number): Tensor[] {
  const count = frames.size(0)
  const filter = mapFilter(options, fps, count)
  const at = (t: number) => frames.select(0, Math.min(t, count - 1))
  let state = filter.initial(at(0))
  if (filter.needsWholeClip) for (let t = 0; t < count; t++) state = filter.observe(at(t), state, filter.weights(t))
  const results: Tensor[] = []
  for (let t = 0; t < count + filter.latency; t++) {
    const next = filter.apply(at(t), state, filter.weights(t))
    state = next.state
    if (t >= filter.latency) results.push(next.y)
  }
  return results
}

const FILTERS: readonly TemporalFilter[] = [
  { kind: 'none' },
  { kind: 'band-pass', band: [2, 5] },
  { kind: 'band-stop', band: [2, 5] },
  { kind: 'high-pass', from: 2.5 },
  { kind: 'ideal', band: [2, 5] },
  { kind: 'ideal', band: [0, 15] },
  { kind: 'fir', band: [2, 5], taps: 15 },
  { kind: 'minus-mean' },
]

describe('temporal filters', () => {
  test('maps frame by frame are filtered as signals are', () => {
    manualSeed(3)
    tidy(() => {
      const frames = randn([31, 2, 3], { dtype: 'float64' })
      for (const filter of FILTERS) {
        const maps = filterMaps(frames, filter, 30)
        const pixel = frames.select(2, 1).select(1, 1).toArray() as number[]
        const expected = filterSignal(pixel, filter, 30)
        maps.forEach((map, t) => {
          expect(map.select(1, 1).select(0, 1).item(), `${filter.kind} ${t}`).toBeCloseTo(expected[t] as number, 10)
        })
      }
    })
  })

  test('Butterworth filters are those of SciPy', () => {
    // scipy.signal.lfilter(*butter(1, [2, 5], 'bandpass', fs=30), [1, 0, 0, 0]), and so on.
    const first = (filter: TemporalFilter) => [...impulseResponse(filter, 30, 4).slice(0, 4)]
    const close = (found: number[], expected: number[]) => {
      for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 9)
    }
    close(
      first({ kind: 'band-pass', band: [2, 5] }),
      [0.245237275253, 0.289263777986, -0.028997719109, -0.181590824346],
    )
    close(first({ kind: 'band-stop', band: [2, 5] }), [0.754762724747, -0.289263777986, 0.028997719109, 0.181590824346])
    close(first({ kind: 'high-pass', from: 2.5 }), [0.788675134595, -0.333333333333, -0.19245008973, -0.111111111111])
  })

  test('what is left of white noise is the energy of the impulse response', () => {
    const gain = (filter: TemporalFilter, fps: number, frames = 100) => noiseGain(filter, fps, frames)
    expect(gain({ kind: 'band-pass', band: [1.6, 1.8] }, 30)).toBeCloseTo(0.0205172, 6)
    expect(gain({ kind: 'band-pass', band: [2.4, 2.7] }, 30)).toBeCloseTo(0.0304687, 6)
    expect(gain({ kind: 'band-pass', band: [0.1, 0.2] }, 2)).toBeCloseTo(0.1367287, 6)
    expect(gain({ kind: 'minus-mean' }, 30, 8)).toBeCloseTo(1 - 1 / 8, 12)
    // Bins 8 to 12 of 120 and their mirror images.
    expect(gain({ kind: 'ideal', band: [4, 6] }, 60, 120)).toBeCloseTo(10 / 120, 12)
    expect(gain({ kind: 'none' }, 30)).toBe(1)
  })

  test('an ideal band keeps its bins and nothing else', () => {
    const wave = (bin: number) => Array.from({ length: 60 }, (_, t) => Math.cos((2 * Math.PI * bin * t) / 60 + 0.3))
    const filter: TemporalFilter = { kind: 'ideal', band: [4, 6] }
    const worst = (found: Float64Array, expected: readonly number[]) =>
      Math.max(...found.map((value, t) => Math.abs(value - (expected[t] as number))))
    expect(worst(filterSignal(wave(5), filter, 60), wave(5))).toBeLessThan(1e-12)
    expect(worst(filterSignal(wave(4), filter, 60), wave(4))).toBeLessThan(1e-12)
    expect(worst(filterSignal(wave(7), filter, 60), Array(60).fill(0))).toBeLessThan(1e-12)
  })

  test('a finite response passes its band in phase', () => {
    const wave = (hz: number) => Array.from({ length: 200 }, (_, t) => Math.sin((2 * Math.PI * hz * t) / 60))
    const filter: TemporalFilter = { kind: 'fir', band: [4, 12], taps: 61 }
    const [inside, outside] = [8, 24].map((hz) => filterSignal(wave(hz), filter, 60))
    for (let t = 60; t < 140; t++) {
      expect(inside?.[t]).toBeCloseTo(wave(8)[t] as number, 2)
      expect(outside?.[t]).toBeCloseTo(0, 2)
    }
  })

  test('says which frequencies there are', () => {
    expect(() => filterSignal([1, 2], { kind: 'band-pass', band: [2, 16] }, 30)).toThrow(/below 15 Hz/)
    expect(() => filterSignal([1, 2], { kind: 'high-pass', from: 0 }, 30)).toThrow(/between 0 and 15 Hz/)
    expect(() => filterSignal([1, 2], { kind: 'fir', band: [2, 5], taps: 10 }, 30)).toThrow(/10 taps/)
    expect(() => mapFilter({ kind: 'ideal', band: [5, 2] }, 30, 10)).toThrow(/band 5–2 Hz/)
  })
})
