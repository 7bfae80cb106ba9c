import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { arange, cat, ones, type Tensor, tensor, tidy } from '../../lib/tensor'
import { findHomography, projectPoints, warpPerspective } from '../../lib/vision'
import { hashTensor } from '../support/hash-weights'

interface Reference {
  readonly cases: readonly { from: number[][]; to: number[][]; matrix: number[][]; error: number }[]
  readonly image: number[][]
  readonly warps: readonly { size: [number, number]; warped: number[][] }[]
}

const reference: Reference = JSON.parse(
  readFileSync(new URL('../fixtures/vision/homography.json', import.meta.url), 'utf8'),
)

const float64 = (values: number[][]) => tensor(values, { dtype: 'float64' })
const TRUE = [
  [0.9, 0.12, 15],
  [-0.08, 1.1, -7],
  [4e-4, -2e-4, 1],
]
const largest = (difference: Tensor) => difference.abs().max().toNumber()
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))

describe('findHomography', () => {
  scoped('has the least squared distances, as OpenCV', () => {
    for (const { from, to, matrix, error } of reference.cases) {
      const [source, target] = [float64(from), float64(to)]
      const found = findHomography(source, target, { method: 'least-squares' })
      expect(projectPoints(source, found.matrix).sub(target).square().sum().toNumber()).toBeLessThanOrEqual(
        error + 1e-6,
      )
      // As images of the points: elements of very different size have no common tolerance.
      const images = projectPoints(source, float64(matrix))
      expect(largest(projectPoints(source, found.matrix).sub(images))).toBeLessThan(1e-3)
      expect(found.inliers.all().item()).toBe(true)
    }
  })

  scoped('finds the pairs that agree among as many false ones, whatever the seed', () => {
    const source = hashTensor('source', [60, 2], 150, 150).to('float64')
    const good = projectPoints(source.narrow(0, 0, 30), float64(TRUE))
    const target = cat([good, hashTensor('false', [30, 2], 150, 150).to('float64')])
    for (const seed of [0, 1, 2]) {
      const { matrix, inliers } = findHomography(source, target, { seed })
      expect(inliers.narrow(0, 0, 30).all().item()).toBe(true)
      expect(inliers.narrow(0, 30, 30).to('int64').sum().toNumber()).toBeLessThanOrEqual(1)
      expect(largest(projectPoints(source.narrow(0, 0, 30), matrix).sub(good))).toBeLessThan(0.5)
    }
    const [a, b] = [1, 1].map((seed) => findHomography(source, target, { seed }).matrix)
    expect(a?.equal(b as Tensor)).toBe(true)
  })

  scoped('is exact through four points', () => {
    const corners = float64([
      [0, 0],
      [10, 0],
      [10, 10],
      [0, 10],
    ])
    const { matrix } = findHomography(corners, corners.mul(2).add(3))
    expect(
      largest(
        matrix.sub(
          float64([
            [2, 0, 3],
            [0, 2, 3],
            [0, 0, 1],
          ]),
        ),
      ),
    ).toBeLessThan(1e-9)
  })

  scoped('refuses what says nothing', () => {
    const line = arange(6, { dtype: 'float64' })
      .unsqueeze(1)
      .mul(ones([1, 2], { dtype: 'float64' }))
    expect(() => findHomography(line, line)).toThrow(/no four of the 6 pairs agree/)
    expect(() => findHomography(line, line, { method: 'least-squares' })).toThrow(/lie on a line/)
    expect(() => findHomography(line.narrow(0, 0, 3), line.narrow(0, 0, 3))).toThrow(/there are 3 pairs/)
    expect(() => findHomography(line, line.narrow(0, 0, 5))).toThrow(/points are \[6,2\] and \[5,2\]/)
    expect(() => findHomography(line.mul(Number.NaN), line)).toThrow(/pair 0 is not finite/)
    expect(() => findHomography(line, line, { threshold: 0 })).toThrow(/threshold 0/)
  })
})

describe('warpPerspective', () => {
  scoped('moves by whole pixels exactly', () => {
    const image = arange(12, { dtype: 'float32' }).reshape([1, 3, 4])
    const moved = warpPerspective(
      image,
      float64([
        [1, 0, 1],
        [0, 1, 2],
        [0, 0, 1],
      ]),
    )
    expect(moved.toArray()).toEqual([
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 1, 2],
      ],
    ])
    const turned = warpPerspective(
      image,
      float64([
        [0, -1, 2],
        [1, 0, 0],
        [0, 0, 1],
      ]),
      { size: [4, 3] },
    )
    // A quarter turn: the first column becomes the first row, from its end.
    expect(turned.squeeze(0).toArray()).toEqual([
      [8, 4, 0],
      [9, 5, 1],
      [10, 6, 2],
      [11, 7, 3],
    ])
    const one = warpPerspective(
      ones([1, 1, 1]),
      float64([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
    )
    expect(one.toArray()).toEqual([[[1]]])
  })

  scoped('reads between pixels as OpenCV does', () => {
    const image = tensor(reference.image).unsqueeze(0)
    const matrix = float64(TRUE).mul(
      float64([
        [1, 1, 0.1],
        [1, 1, 0.1],
        [1, 1, 1],
      ]),
    )
    for (const { size, warped } of reference.warps) {
      const own = warpPerspective(image, matrix, { size })
      // OpenCV reads places to a 32nd of a pixel.
      expect(largest(own.squeeze(0).sub(tensor(warped)))).toBeLessThan(1 / 16)
      expect(own.sub(tensor(warped)).abs().mean().toNumber()).toBeLessThan(0.01)
    }
  })

  scoped('passes gradients to the image and to the matrix', () => {
    const [image, matrix] = [
      hashTensor('image', [2, 3, 5, 5]),
      float64([
        [0.9, 0.1, 0.3],
        [0, 1.1, -0.2],
        [0.01, 0, 1],
      ]),
    ]
    for (const leaf of [image, matrix]) leaf.requiresGrad_()
    warpPerspective(image, matrix, { padding: 'border' }).square().sum().backward()
    expect(image.grad?.abs().sum().toNumber()).toBeGreaterThan(0)
    expect(matrix.grad?.abs().sum().toNumber()).toBeGreaterThan(0)
  })

  scoped('refuses other shapes', () => {
    expect(() => warpPerspective(ones([2, 2]), ones([3, 3]))).toThrow(/image \[2,2\]/)
    expect(() => warpPerspective(ones([1, 2, 2]), ones([3, 3]), { size: [0, 2] })).toThrow(/size is \[0, 2\]/)
    expect(() => projectPoints(ones([3, 3]), ones([3, 3]))).toThrow(/points \[3,3\]/)
  })
})
