import { expect, test } from 'vitest'
import { rand, type Tensor, tensor, tidy } from '../../lib/tensor'
import { gaussianFilter } from '../../lib/vision'

const IMAGE = [
  [0, 1, 4, 2, 0, 3, 5, 1],
  [2, 0, 1, 6, 1, 0, 2, 2],
  [1, 3, 0, 2, 4, 4, 0, 1],
  [0, 0, 2, 1, 5, 2, 3, 6],
  [7, 1, 0, 0, 2, 1, 1, 0],
]

// Rows of scipy.ndimage.gaussian_filter (1.17) of IMAGE.
test.each([
  [
    'the derivative along x, nearest',
    { sigma: 1, order: [0, 1], edge: 'replicate' },
    2,
    [-0.012300084, 0.087051539, 0.529174391, 0.645584189, 0.00849596, -0.391646777, -0.06620563, 0.199531892],
  ],
  [
    'the derivative along y, nearest',
    { sigma: 1, order: [1, 0], edge: 'replicate' },
    2,
    [0.238407164, -0.021605277, -0.361518939, -0.332372746, 0.167199314, 0.299654067, 0.27350159, 0.550602532],
  ],
  [
    'smoothing with a radius, zeros outside',
    { sigma: 2, radius: 3 },
    1,
    [0.715982761, 1.040811171, 1.340455926, 1.584160885, 1.695016816, 1.635354312, 1.409047212, 1.041496047],
  ],
] as const)('%s, as SciPy', (_, options, row, expected) => {
  tidy(() => {
    const image = tensor(IMAGE, { dtype: 'float64' }).unsqueeze(0)
    const found = gaussianFilter(image, options).select(1, row).squeeze(0).toArray() as number[]
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 8)
  })
})

test('a circular edge commutes with shifts of the picture', () => {
  tidy(() => {
    const image = rand([2, 20, 24], { dtype: 'float64' })
    const smooth = (maps: Tensor) => gaussianFilter(maps, { sigma: 1.5, edge: 'circular' })
    const [a, b] = [smooth(image.roll([7, 5], { dims: [1, 2] })), smooth(image).roll([7, 5], { dims: [1, 2] })]
    expect(a.sub(b).abs().amax().item()).toBeLessThan(1e-12)
    expect(() => gaussianFilter(image, { sigma: 0 })).toThrow(/sigma is 0/)
  })
})
