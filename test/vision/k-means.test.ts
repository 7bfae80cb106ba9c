import { expect, test } from 'vitest'
import { ArgumentError, ShapeError } from '../../lib/native/errors'
import { tensor, tidy, zeros } from '../../lib/tensor'
import { kMeans } from '../../lib/vision'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))

scoped('three groups of points are found, with their means and the sum of squared distances', () => {
  const points = tensor([
    [0, 0],
    [0, 2],
    [10, 0],
    [12, 0],
    [5, 20],
    [5, 22],
    [5, 24],
  ])
  const { centres, labels, inertia } = kMeans(points, 3)
  expect(new Set(labels).size).toBe(3)
  expect([labels[0] === labels[1], labels[2] === labels[3], labels[4] === labels[5], labels[5] === labels[6]]).toEqual([
    true,
    true,
    true,
    true,
  ])
  const at = (i: number) => (centres.toArray() as number[][])[labels[i] as number]
  expect([at(0), at(2), at(4)]).toEqual([
    [0, 1],
    [11, 0],
    [5, 22],
  ])
  expect(inertia).toBeCloseTo(2 + 2 + 8, 4)
})

scoped('equal seeds give equal clusters; equal points do not stop it', () => {
  const points = tensor(Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]))
  expect(kMeans(points, 7, { seed: 4 }).labels).toEqual(kMeans(points, 7, { seed: 4 }).labels)
  expect(kMeans(zeros([5, 2]), 3).inertia).toBe(0)
})

scoped('wrong shapes and numbers are refused', () => {
  expect(() => kMeans(zeros([4]), 2)).toThrow(ShapeError)
  expect(() => kMeans(zeros([4, 2]), 5)).toThrow(ArgumentError)
})
