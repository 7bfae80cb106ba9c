import { expect, test } from 'vitest'
import { evaluateVoc, type VocDetection, type VocObject } from '../../lib/metrics'

const box = (x: number) => [x, 0, x + 9, 9] as const
const objects: VocObject[] = [0, 20, 40, 60].map((x) => ({ image: 'a', label: 'cat', box: box(x) }))
const found = (x: number, score: number, image = 'a'): VocDetection => ({ image, label: 'cat', box: box(x), score })

// Right, wrong, right, twice the same, right: recall 1/4 1/4 2/4 2/4 3/4, precision 1 1/2 2/3 2/4 3/5.
const detections = [found(0, 0.9), found(0, 0.8, 'b'), found(20, 0.7), found(20, 0.6), found(40, 0.5)]

test('the area under the curve, by hand', () => {
  // A quarter at 1, a quarter at 2/3, a quarter at 3/5.
  expect(evaluateVoc(objects, detections).map).toBeCloseTo((1 + 2 / 3 + 3 / 5) / 4, 12)
})

test('the mean at eleven recalls, by hand', () => {
  // 0, 0.1, 0.2 at 1; 0.3, 0.4, 0.5 at 2/3; 0.6, 0.7 at 3/5; none above.
  const { map } = evaluateVoc(objects, detections, { interpolation: '11-points' })
  expect(map).toBeCloseTo((3 * 1 + 3 * (2 / 3) + 2 * (3 / 5)) / 11, 12)
})

test('difficult objects count neither way, labels are averaged', () => {
  const difficult = objects.map((object, i) => ({ ...object, difficult: i === 1 }))
  // Without the second: right, wrong, right of 3.
  expect(evaluateVoc(difficult, detections).map).toBeCloseTo((1 + 2 / 3) / 3, 12)
  const dog = { image: 'a', label: 'dog', box: box(0) }
  const both = evaluateVoc([...objects, dog], [...detections, { ...dog, score: 1 }])
  expect(both.ap.get('dog')).toBe(1)
  expect(both.map).toBeCloseTo((1 + (1 + 2 / 3 + 3 / 5) / 4) / 2, 12)
  expect(evaluateVoc([], detections).map).toBeNaN()
})

test('the last pixel belongs to a box unless stated', () => {
  const [object] = [{ image: 1, label: 1, box: [0, 0, 9, 9] as const }]
  // 5 of 10 columns overlap: 50 of 150; without the last pixel 4 of 9: 36 of 126.
  const detection = { ...object, box: [5, 0, 14, 9] as const, score: 1 }
  const at = (threshold: number, inclusive: boolean) => evaluateVoc([object], [detection], { threshold, inclusive }).map
  expect([at(50 / 150, true), at(50 / 150 + 1e-9, true)]).toEqual([1, 0])
  expect([at(36 / 126, false), at(36 / 126 + 1e-9, false)]).toEqual([1, 0])
})

test('what cannot be counted is refused', () => {
  expect(() => evaluateVoc(objects, [found(0, Number.NaN)])).toThrow(/score of detection 0 is NaN/)
  expect(() => evaluateVoc(objects, [], { threshold: 2 })).toThrow(/threshold is 2/)
})
