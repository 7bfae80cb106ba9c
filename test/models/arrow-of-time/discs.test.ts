// Discs on a table: the physics that makes an arrow of time, or none.
import { expect, test } from 'vitest'
import { discFlow, drawDiscs, reverseDiscs, rollDiscs } from '../../../lib/models/video/arrow-of-time'
import { tidy } from '../../../lib/tensor'

const options = { frames: 200, side: 32, discs: 3, friction: 0, seed: 7, speed: 0.1 }

test('discs stay on the table, never overlap, and move all the time without friction', () => {
  const { places, radius } = rollDiscs(options)
  for (const row of places) {
    for (const [i, [x, y]] of row.entries()) {
      expect(Math.min(x, y)).toBeGreaterThan(radius - 1e-6)
      expect(Math.max(x, y)).toBeLessThan(32 - radius + 1e-6)
      for (const [ox, oy] of row.slice(i + 1)) expect(Math.hypot(x - ox, y - oy)).toBeGreaterThan(2 * radius - 1e-6)
    }
  }
  const moved = (t: number) =>
    (places[t] ?? []).reduce((sum, [x, y], i) => {
      const [nx, ny] = places[t + 1]?.[i] ?? [x, y]
      return sum + Math.hypot(nx - x, ny - y)
    }, 0)
  const half = (from: number) => Array.from({ length: 99 }, (_, i) => moved(from + i)).reduce((a, b) => a + b, 0)
  expect(half(100) / half(0)).toBeGreaterThan(0.8)
  expect(half(100) / half(0)).toBeLessThan(1.25)
})

test('friction takes its share of the speed from frame to frame', () => {
  const { places } = rollDiscs({ frames: 12, side: 1000, discs: 1, friction: 0.15, seed: 1, speed: 0.002 })
  const steps = places.slice(1).map((row, t) => {
    const [[x, y] = [0, 0]] = row
    const [[px, py] = [0, 0]] = places[t] ?? []
    return Math.hypot(x - px, y - py)
  })
  for (const [t, step] of steps.slice(1).entries()) expect(step / (steps[t] as number)).toBeCloseTo(0.85, 9)
})

test('flow lies on the grid of the earlier frame; that of the reversed clip on its own', () =>
  tidy(() => {
    const clip = { side: 16, radius: 2, seed: 1, places: [[[5, 5] as const], [[8, 5] as const]] }
    const at = (flow: ReturnType<typeof discFlow>, x: number, y: number) =>
      [0, 1].map((c) => flow.select(0, 0).select(0, c).select(0, y).select(0, x).item())
    const [ahead, back] = [discFlow(clip), discFlow(reverseDiscs(clip))]
    expect([at(ahead, 5, 5), at(ahead, 8, 5)]).toEqual([
      [3, 0],
      [0, 0],
    ])
    expect([at(back, 5, 5), at(back, 8, 5)]).toEqual([
      [0, 0],
      [-3, 0],
    ])
    // Thirteen pixels have their middle within 2 of the middle of the disc.
    expect(ahead.select(1, 0).ne(0).sum().item()).toBe(13)
  }))

test('drawn discs move over a table that does not', () =>
  tidy(() => {
    const frames = drawDiscs(rollDiscs({ ...options, frames: 3 }))
    expect(frames.shape).toEqual([3, 3, 32, 32])
    const still = frames.select(0, 0).eq(frames.select(0, 1)).to('float32').mean().item() as number
    expect(still).toBeGreaterThan(0.5)
    expect(still).toBeLessThan(0.95)
  }))
