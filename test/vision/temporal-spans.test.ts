// Spans of time beside hand calculations.
import { describe, expect, test } from 'vitest'
import { runsAbove, temporalNms, temporalSoftNms } from '../../lib/vision'

const spans = (...rows: readonly (readonly [number, number, number])[]) =>
  rows.map(([start, end, score]) => ({ span: [start, end] as const, score }))

describe('runsAbove', () => {
  test('gives whole blocks, strictly above, at both ends too', () => {
    expect(runsAbove([1, 1, 0.5, 0, 2, 0.5, 3], 0.5)).toEqual([
      [0, 1],
      [4, 4],
      [6, 6],
    ])
    expect(runsAbove([0, 0], 0)).toEqual([])
    expect(runsAbove([], 0)).toEqual([])
  })
})

describe('temporalSoftNms', () => {
  test('the second of two equal spans falls by exp(−1 ∕ σ)', () => {
    const kept = temporalSoftNms(spans([0, 10, 1], [0, 10, 0.8]), { sigma: 0.3 })
    expect(kept.map(({ score }) => score)).toEqual([1, 0.8 * Math.exp(-1 / 0.3)])
    expect(kept[1]?.score).toBeCloseTo(0.028539, 6)
  })

  test('four spans, with lengths that include the last sample', () => {
    const kept = temporalSoftNms(spans([0, 10, 1], [0, 10, 0.8], [5, 15, 0.9], [30, 40, 0.5]), { sigma: 0.3, edge: 1 })
    const expected = [1, 0.5632056, 0.5, 0.0178594]
    for (const [i, score] of expected.entries()) expect(kept[i]?.score).toBeCloseTo(score, 6)
    expect(kept.map(({ span }) => span[0])).toEqual([0, 5, 30, 0])
  })

  test('refuses a σ of 0', () => {
    expect(() => temporalSoftNms(spans([0, 1, 1]), { sigma: 0 })).toThrow(/sigma is 0; it is above 0/)
  })
})

describe('temporalNms', () => {
  test('drops what overlaps by the threshold or more', () => {
    const four = spans([0, 10, 1], [2, 10, 0.9], [3.2, 10, 0.8], [4, 12, 0.7])
    expect(temporalNms(four, { overlap: 0.6, edge: 1 }).map(({ score }) => score)).toEqual([1, 0.7])
    expect(temporalNms(spans([0, 2, 0.5], [1, 3, 1]), { overlap: 1 / 3 }).map(({ score }) => score)).toEqual([1])
  })
})
