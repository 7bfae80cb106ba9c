import { expect, test } from 'vitest'
import { judge, medianSlope, type Sample } from '../../tools/soak/samples'

/** A sample a second for ten minutes, with resident memory as a function of the time. */
const run = (rssMB: (s: number) => number): Sample[] =>
  Array.from({ length: 600 }, (_, i) => ({
    s: i + 1,
    rssMB: rssMB(i + 1),
    heapMB: 20,
    tensors: 5,
    tensorMB: 1,
    delayMs: i,
  }))

test('the median slope is that of the line, whatever single points do', () => {
  const line = Array.from({ length: 20 }, (_, x) => [x, 3 * x + 1] as const)
  expect(medianSlope(line)).toBeCloseTo(3, 12)
  expect(medianSlope([...line.slice(0, 10), [10, 1000], ...line.slice(11)])).toBeCloseTo(3, 1)
})

test('memory that grows during the first third alone is flat', () => {
  const verdict = judge(
    run((s) => 300 + Math.min(s, 180)),
    0,
  )
  expect(verdict).toMatchObject({ warmUpS: 200, mbPerMinute: 0, flat: true, largestDelayMs: 599 })
  // 24 MB in the 400 seconds that are judged.
  expect(verdict.boundMbPerMinute).toBeCloseTo(3.6, 12)
})

test('a leak of 4 MB a minute is found, and so is a single tensor that is left', () => {
  const steps = (s: number) => 300 + Math.floor((s * 4) / 60)
  expect(judge(run(steps), 0).mbPerMinute).toBeCloseTo(4, 1)
  expect(judge(run(steps), 0).flat).toBe(false)
  expect(
    judge(
      run(() => 300),
      1,
    ).flat,
  ).toBe(false)
  expect(
    judge(
      run(() => 300),
      0,
    ).flat,
  ).toBe(true)
})
