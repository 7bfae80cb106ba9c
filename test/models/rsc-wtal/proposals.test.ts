// From curves to actions with times, beside hand calculations.
import { describe, expect, test } from 'vitest'
import { Config, outerInnerScore, proposalsOf, type VideoCurves } from '../../../lib/models/video/rsc-wtal'
import { minMax, upsampleCurve } from '../../../lib/models/video/rsc-wtal/curves'
import { withoutAmbiguous } from '../../../lib/models/video/rsc-wtal/evaluate'
import { chosenClasses, secondsOf } from '../../../lib/models/video/rsc-wtal/proposals'
import { mergeConfigs } from '../../../lib/pipeline'

const configOf = (over: object) => Config.parse(mergeConfigs({ classes: ['run', 'jump'] }, over))

describe('proposals', () => {
  test('7. a run at segments 10 to 19 lasts from 6.4 to 12.8 seconds', () => {
    expect(secondsOf([10, 20], 25)).toEqual([6.4, 12.8])
    const inside = Float64Array.from({ length: 100 }, (_, l) => (l >= 10 && l < 20 ? 1 : 0))
    const curves: VideoCurves = {
      activation: { classes: [inside, new Float64Array(100)], length: 100 },
      attention: inside.map((each) => 0.95 * each),
      scores: [0.7, 0.1],
      segments: 100,
    }
    for (const host of ['ham-net', 'co2-net']) {
      const found = proposalsOf(curves, configOf({ host }))
      // One from each of ten levels, and the soft suppression lowers all but the first.
      expect(found.length).toBe(10)
      expect(found.every(({ label, span }) => label === 0 && span[0] === 10 && span[1] === 20)).toBe(true)
      expect(found[0]?.score).toBeCloseTo(1 + 0.2 * 0.7, 12)
      expect(found[1]?.score).toBeCloseTo((1 + 0.2 * 0.7) * Math.exp(-1 / 0.3), 12)
    }
    const [best] = proposalsOf(curves, configOf({ host: 'cola' }))
    // Past its last sample of 1 the curve falls over a segment, and over one before the first.
    expect(best?.span[0]).toBeGreaterThan(9)
    expect(best?.span[0]).toBeLessThanOrEqual(10)
    expect(best?.span[1]).toBeGreaterThan(19)
    expect(best?.span[1]).toBeLessThanOrEqual(20.05)
  })

  test('classes: those that are sure; without one the best, and none for HAM-Net', () => {
    expect(chosenClasses([0.2, 0.5, 0.19], 0.2, 'ham-net')).toEqual([0, 1])
    expect(chosenClasses([0.1, 0.15], 0.2, 'co2-net')).toEqual([1])
    expect(chosenClasses([0.1, 0.15], 0.2, 'cola')).toEqual([1])
    expect(chosenClasses([0.1, 0.15], 0.2, 'ham-net')).toEqual([])
  })

  test('sharper 3. inner minus outer mean on a ramp', () => {
    const ramp = Float64Array.from({ length: 30 }, (_, t) => t / 10)
    const score = (run: readonly [number, number], classScore: number) =>
      outerInnerScore(ramp, run, { margin: 0.25, classScore, classWeight: 0.2 })
    expect(score([10, 19], 0.5)).toBeCloseTo(0.25, 12)
    expect(score([0, 3], 0)).toBeCloseTo(-0.25, 12)
    expect(score([0, 29], 0)).toBeCloseTo(1.45, 12)
  })

  test("CoLA's curves: from 0 to 1, with lines that go on past the last sample", () => {
    expect([...minMax(Float64Array.of(2, 4, 3))]).toEqual([0, 1, 0.5])
    expect([...minMax(Float64Array.of(-2, 4, 1))]).toEqual([0, 1, 0.25])
    expect([...minMax(Float64Array.of(3, 3))]).toEqual([0, 0])
    expect([...upsampleCurve(Float64Array.of(0, 1, 0.5), 2)]).toEqual([0, 0.5, 1, 0.75, 0.5, 0.25])
    expect([...upsampleCurve(Float64Array.of(0.5), 3)]).toEqual([0.5, 0.5, 0.5])
  })

  test('ambiguous spans drop what shares a segment with them', () => {
    const instance = (from: number, to: number) => ({ label: 0, score: 1, span: [from, to] as const })
    const ambiguous = [{ video: 'a', segment: [6.4, 12.8] as const }]
    const left = withoutAmbiguous([instance(5, 10), instance(5, 11), instance(20, 25)], 'a', ambiguous, configOf({}))
    expect(left.map(({ span }) => span)).toEqual([
      [5, 10],
      [20, 25],
    ])
    expect(withoutAmbiguous([instance(12, 14)], 'b', ambiguous, configOf({})).length).toBe(1)
  })
})
