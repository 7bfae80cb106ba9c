// Average precision over time beside hand calculations.
import { describe, expect, test } from 'vitest'
import { evaluateTemporal, temporalIoU } from '../../lib/metrics'

const truth = (...rows: readonly (readonly [video: string, start: number, end: number, label?: string])[]) =>
  rows.map(([video, start, end, label = 'a']) => ({ video, label, segment: [start, end] as const }))
const found = (
  ...rows: readonly (readonly [video: string, start: number, end: number, score: number, label?: string])[]
) => rows.map(([video, start, end, score, label = 'a']) => ({ video, label, score, segment: [start, end] as const }))
const HALF = [0.5]

describe('temporalIoU', () => {
  test('of seconds, and of samples whose last is included', () => {
    expect(temporalIoU([0, 10], [5, 15])).toBeCloseTo(1 / 3, 12)
    expect(temporalIoU([0, 10], [5, 15], 1)).toBe(0.375)
    expect(temporalIoU([0, 6.4], [3.2, 9.6], 1)).toBeCloseTo(0.39623, 5)
    expect(temporalIoU([0, 1], [2, 3])).toBe(0)
    expect(temporalIoU([1, 1], [1, 1])).toBe(0)
  })
})

describe('evaluateTemporal', () => {
  test('perfect predictions give 1 at all overlaps', () => {
    const summary = evaluateTemporal(
      truth(['v', 0, 10], ['w', 3, 5, 'b']),
      found(['v', 0, 10, 0.3], ['w', 3, 5, 0.9, 'b']),
      [0.1, 0.5, 1],
    )
    expect(summary.map).toEqual([1, 1, 1])
    expect(summary.average).toBe(1)
  })

  test('predictions shifted by half their length count up to an overlap of a third', () => {
    const shifted = found(['v', 5, 15, 0.9], ['w', 1, 3, 0.8])
    const summary = evaluateTemporal(truth(['v', 0, 10], ['w', 0, 2]), shifted, [0.1, 0.2, 0.3, 0.4, 0.5])
    expect(summary.map).toEqual([1, 1, 1, 0, 0])
  })

  test('a duplicate between two true ones costs a sixth, and ranked last nothing', () => {
    const two = truth(['v', 0, 10], ['v', 20, 30])
    expect(
      evaluateTemporal(two, found(['v', 0, 10, 0.9], ['v', 0, 10, 0.8], ['v', 20, 30, 0.7]), HALF).average,
    ).toBeCloseTo(5 / 6, 12)
    expect(evaluateTemporal(two, found(['v', 0, 10, 0.9], ['v', 0, 10, 0.6], ['v', 20, 30, 0.7]), HALF).average).toBe(1)
  })

  test('a wrong video first leaves a quarter; a taken match gives way to the next', () => {
    const summary = evaluateTemporal(
      truth(['v', 0, 10], ['v', 20, 30]),
      found(['w', 0, 10, 0.9], ['v', 0, 10, 0.8]),
      HALF,
    )
    expect(summary.average).toBe(0.25)
    const close = evaluateTemporal(truth(['v', 0, 10], ['v', 2, 12]), found(['v', 0, 10, 0.9], ['v', 1, 10, 0.8]), HALF)
    expect(close.average).toBe(1)
  })

  test('classes are those of the truth: one without predictions is 0, others do not count', () => {
    const summary = evaluateTemporal(
      truth(['v', 0, 10], ['v', 0, 10, 'b']),
      found(['v', 0, 10, 1], ['v', 0, 10, 1, 'c']),
      HALF,
    )
    expect(Object.fromEntries(summary.ap)).toEqual({ a: [1], b: [0] })
    expect(summary.average).toBe(0.5)
  })

  test('refuses thresholds, scores and segments that are none', () => {
    const one = truth(['v', 0, 10])
    expect(() => evaluateTemporal(one, [], [1.5])).toThrow(/threshold is 1.5/)
    expect(() => evaluateTemporal(one, found(['v', 0, 1, Number.NaN]), HALF)).toThrow(/detection 0 is NaN/)
    expect(() => evaluateTemporal(one, found(['v', 2, 1, 1]), HALF)).toThrow(/detection 0, of v, is \[2,1\]/)
  })
})
