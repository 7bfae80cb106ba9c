import { expect, test } from 'vitest'
import { decidability, truePositiveRateAt } from '../../lib/metrics'

const curve = { falsePositiveRate: [0, 0, 0.2, 0.6, 1], truePositiveRate: [0, 0.5, 0.5, 0.75, 1] }

test('acceptance at a rate is linear between points, and the upper end where the curve rises straight up', () => {
  expect(truePositiveRateAt(curve, 0)).toBe(0.5)
  expect(truePositiveRateAt(curve, 0.3)).toBeCloseTo(0.5625, 12)
  expect(truePositiveRateAt(curve, 0.6)).toBe(0.75)
  expect(truePositiveRateAt(curve, 1)).toBe(1)
})

test('or that of the last point that accepts no more', () => {
  expect(truePositiveRateAt(curve, 0.3, { interpolation: 'step' })).toBe(0.5)
  expect(truePositiveRateAt(curve, 0.6, { interpolation: 'step' })).toBe(0.75)
})

test('a percentage is refused', () => {
  expect(() => truePositiveRateAt(curve, 10)).toThrow(/is 10; it is a share from 0 to 1/)
})

test('decidability is the distance of means in deviations', () => {
  // Means 3 and 0, variances 1 and 4.
  expect(decidability([2, 4], [-2, 2])).toBeCloseTo(3 / Math.sqrt(2.5), 12)
  expect(decidability([], [1])).toBeNaN()
})
