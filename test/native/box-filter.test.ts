import { beforeAll, describe, expect, test } from 'vitest'
import { boxMean, boxMeanAdjoint } from '../../lib/ops'
import { grad, randn, setNumThreads, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { slowMean, windowMatrix } from '../support/guided-reference'
import { largestDifference, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const EDGES = ['clip', 'reflect'] as const
const sum = (t: Tensor) => t.sum().toNumber()

testOp('box_filter', {
  tolerances: { float64: 1e-13, float32: 1e-6, float16: 1e-3, bfloat16: 8e-3 },
  cases: EDGES.flatMap((edge) =>
    [
      { shape: [1, 2, 9, 8], radius: 2 },
      { shape: [1, 1, 70, 300], radius: 5 },
      { shape: [2, 1, 5, 7], radius: 11 },
      { shape: [1, 1, 3, 4], radius: 0 },
    ].map(({ shape, radius }) => ({
      name: `${edge}, [${shape}], radius ${radius}`,
      inputs: () => [noise(shape)],
      run: (x: Tensor) => boxMean(x, radius, { edge }),
      reference: (x: Tensor) => slowMean(x, radius, edge),
      differentiable: [0],
      skipGradients: shape[3] === 300,
    })),
  ),
})

describe('check 5: the adjoint', () => {
  test.each(EDGES)('⟨M x, y⟩ = ⟨x, Mᵀ y⟩ at every radius, %s', (edge) => {
    tidy(() => {
      for (const [height, width] of [
        [1, 1],
        [7, 300],
        [33, 18],
      ] as const) {
        for (const radius of [0, 1, 2, 5, 17, 40, 700]) {
          const [x, y] = [noise([height, width], 3), noise([height, width], 4)]
          const left = sum(boxMean(x, radius, { edge }).mul(y))
          const right = sum(boxMeanAdjoint(y, radius, { edge }).mul(x))
          expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-12 * height * width)
        }
      }
    })
  })

  test('is the transposed matrix, and not the mean, at a border', () => {
    tidy(() => {
      const x = noise([6, 8])
      const [rows, columns] = [windowMatrix(6, 2, 'clip'), windowMatrix(8, 2, 'clip')]
      const expected = rows.transpose(0, 1).matmul(x).matmul(columns)
      expect(largestDifference(boxMeanAdjoint(x, 2), expected)).toBeLessThan(1e-14)
      const apart = boxMeanAdjoint(x, 2).sub(boxMean(x, 2)).abs()
      expect(apart.at(0, 0).toNumber()).toBeGreaterThan(1e-3)
    })
  })

  test('a mean of ones is one, everywhere', () => {
    tidy(() => {
      const ones = zeros([40, 50]).add(1)
      for (const edge of EDGES) expect(largestDifference(boxMean(ones, 9, { edge }), ones)).toBeLessThan(1e-6)
    })
  })
})

describe('what a window holds', () => {
  test('corner and edge pixels of a hand case', () => {
    tidy(() => {
      const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], { shape: [3, 3], dtype: 'float64' })
      const clip = boxMean(x, 1)
      expect(clip.at(0, 0).toNumber()).toBeCloseTo((1 + 2 + 4 + 5) / 4, 14)
      expect(clip.at(0, 1).toNumber()).toBeCloseTo((1 + 2 + 3 + 4 + 5 + 6) / 6, 14)
      expect(clip.at(1, 1).toNumber()).toBeCloseTo(5, 14)
      // 1 1 2 / 1 1 2 / 4 4 5
      expect(boxMean(x, 1, { edge: 'reflect' }).at(0, 0).toNumber()).toBeCloseTo(21 / 9, 14)
    })
  })

  test('a row mirrored again and again', () => {
    tidy(() => {
      const x = tensor([1, 10], { shape: [1, 2], dtype: 'float64' })
      // Around the first: … 10 10 1 [1] 10 10 1 …, three to each side.
      const mean = boxMean(x, 3, { edge: 'reflect' })
      expect(mean.at(0, 0).toNumber()).toBeCloseTo((3 * 1 + 4 * 10) / 7, 14)
    })
  })

  test('a huge radius sees the whole image', () => {
    tidy(() => {
      const x = noise([5, 6])
      const mean = x.mean().toNumber()
      for (const edge of EDGES) {
        const far = boxMean(x, 2 ** 31 - 1, { edge })
        expect(far.sub(mean).abs().max().toNumber()).toBeLessThan(1e-8)
      }
    })
  })

  test('has derivatives of every order', () => {
    tidy(() => {
      const x = noise([5, 6]).requiresGrad_()
      const [first] = grad([boxMean(x, 1).pow(2).sum()], [x], { createGraph: true }) as Tensor[]
      const [second] = grad([(first as Tensor).pow(2).sum()], [x]) as Tensor[]
      // The gradient of |M x|² is 2 MᵀM x, and that of its square 8 (MᵀM)² x.
      const twice = (v: Tensor) => boxMeanAdjoint(boxMean(v, 1), 1)
      expect(largestDifference(second as Tensor, twice(twice(x.detach())).mul(8))).toBeLessThan(1e-13)
    })
  })
})

describe('bad input', () => {
  test.each([
    ['a radius below 0', () => boxMean(zeros([3, 3]), -1), 'ArgumentError'],
    ['a radius beyond 32 bits', () => boxMean(zeros([3, 3]), 2 ** 31), 'ArgumentError'],
    ['a fraction', () => boxMean(zeros([3, 3]), 1.5), 'ArgumentError'],
    ['another edge', () => boxMean(zeros([3, 3]), 1, { edge: 'zero' as never }), 'ArgumentError'],
    ['one dimension', () => boxMean(zeros([3]), 1), 'ShapeError'],
    ['whole numbers', () => boxMean(zeros([3, 3], { dtype: 'int32' }), 1), 'DTypeError'],
  ] as const)('%s', (_, run, name) => {
    expect(() => tidy(run)).toThrow(expect.objectContaining({ name }))
  })

  test.each([[[0, 3, 4, 4]], [[2, 3, 0, 5]], [[2, 3, 5, 0]]] as const)('nothing at all, [%s]', (shape) => {
    tidy(() => expect(boxMean(zeros([...shape]), 2).shape).toEqual([...shape]))
  })

  test('NaN stays within its band and tile', () => {
    tidy(() => {
      const x = randn([200, 700])
      x.at(100, 300).fill_(Number.NaN)
      const spoilt = boxMean(x, 3).isnan()
      expect(spoilt.narrow(0, 0, 97).any().item()).toBe(false)
      // Bands begin at rows 64 and 128, tiles at columns 256 and 512.
      expect(spoilt.narrow(0, 128, 72).any().item()).toBe(false)
      expect(spoilt.narrow(1, 0, 256).any().item()).toBe(false)
      expect(spoilt.narrow(1, 512, 188).any().item()).toBe(false)
      expect(spoilt.at(100, 300).item()).toBe(true)
    })
  })
})
