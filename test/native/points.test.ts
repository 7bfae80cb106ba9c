import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, CancelledError, DTypeError, OperatorError, ShapeError } from '../../lib/native/errors'
import {
  ballQuery,
  chamferDistance,
  chamferDistances,
  furthestPointSample,
  furthestPointSampleAsync,
  knn,
  knnAsync,
} from '../../lib/ops'
import { cat, Generator, grad, setNumThreads, type Tensor, tensor, tidy, tidyAsync } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const lengths = (values: readonly number[]) => tensor([...values], { dtype: 'int64' })
const cloud = (points: readonly (readonly number[])[]) =>
  tensor(points.flat(), { shape: [1, points.length, points[0]?.length ?? 0], dtype: 'float64' })

/** All squared distances, and a stable sort. */
function knnReference(query: Tensor, reference: Tensor, k: number): readonly [Tensor, Tensor] {
  const all = query
    .unsqueeze(2)
    .sub(reference.unsqueeze(1))
    .square()
    .sum({ dim: [3] })
  const [sorted, order] = all.sort({ stable: true, dim: 2 })
  return [sorted.narrow(2, 0, k), order.narrow(2, 0, k)]
}

/** Points on a grid, so that distances are exact in every dtype and ties are many. */
const grid = (shape: readonly number[], seed: number) => noise(shape, seed).mul(4).round()

const shapes = [
  { batch: 2, queries: 5, references: 9, dims: 3, k: 4 },
  { batch: 1, queries: 1, references: 1, dims: 1, k: 1 },
  { batch: 1, queries: 33, references: 70, dims: 2, k: 1 },
  { batch: 2, queries: 3, references: 700, dims: 3, k: 20 },
  { batch: 1, queries: 3, references: 1100, dims: 3, k: 40 },
  { batch: 1, queries: 2, references: 50, dims: 16, k: 50 },
  { batch: 1, queries: 70, references: 600, dims: 17, k: 5 },
  { batch: 2, queries: 3, references: 90, dims: 40, k: 60 },
] as const

testOp('knn on a grid, where many distances are equal', {
  tolerances: { float64: 0, float32: 0, float16: 0, bfloat16: 2 },
  cases: shapes.map(({ batch, queries, references, dims, k }) => ({
    name: `${batch} × ${queries} to ${references}, D ${dims}, k ${k}`,
    inputs: () => [grid([batch, queries, dims], 1), grid([batch, references, dims], 2)],
    run: (query: Tensor, reference: Tensor) => {
      const { distances, indices } = knn(query, reference, k)
      return [distances, indices]
    },
    reference: (query: Tensor, reference: Tensor) => knnReference(query, reference, k),
  })),
})

testOp('knn of points anywhere', {
  tolerances: { float64: 1e-13, float32: 2e-5, float16: 2e-2, bfloat16: 1.3e-1 },
  cases: shapes.slice(0, 5).map(({ batch, queries, references, dims, k }) => ({
    name: `${batch} × ${queries} to ${references}, D ${dims}, k ${k}`,
    inputs: () => [noise([batch, queries, dims], 1), noise([batch, references, dims], 2)],
    run: (query: Tensor, reference: Tensor) => knn(query, reference, k).distances,
    reference: (query: Tensor, reference: Tensor) => knnReference(query, reference, k)[0],
    differentiable: [0, 1],
    skipGradients: references > 100,
  })),
})

describe('knn', () => {
  test('equals the differences of points that are close together and far from 0', () => {
    tidy(() => {
      // A product of matrices alone loses all digits here.
      const points = grid([1, 300, 24], 1).add(4096).to('float32')
      const { distances, indices } = knn(points, points, 3)
      const [expected, order] = knnReference(points.to('float64'), points.to('float64'), 3)
      expect(numbers(distances)).toEqual(numbers(expected))
      expect(numbers(indices)).toEqual(numbers(order))
    })
  })

  test('lengths cut clouds off; what is missing is −1', () => {
    tidy(() => {
      const [query, reference] = [grid([2, 4, 3], 1), grid([2, 6, 3], 2)]
      const { distances, indices } = knn(query, reference, 3, {
        queryLengths: lengths([4, 1]),
        referenceLengths: lengths([2, 6]),
      })
      const first = knnReference(query.narrow(0, 0, 1), reference.narrow(0, 0, 1).narrow(1, 0, 2), 2)
      const second = knnReference(query.narrow(0, 1, 1), reference.narrow(0, 1, 1), 3)
      expect(numbers(indices.at(0).narrow(1, 0, 2))).toEqual(numbers(first[1]))
      expect(numbers(indices.at(0).narrow(1, 2, 1))).toEqual([-1, -1, -1, -1])
      expect(numbers(distances.at(0).narrow(1, 2, 1))).toEqual(new Array(4).fill(Number.POSITIVE_INFINITY))
      expect(numbers(indices.at(1).narrow(0, 0, 1))).toEqual(numbers(second[1].narrow(1, 0, 1)))
      expect(numbers(indices.at(1).narrow(0, 1, 3))).toEqual(new Array(9).fill(-1))
      expect(numbers(distances.at(1).narrow(0, 1, 3))).toEqual(new Array(9).fill(0))
    })
  })

  test('missing neighbours have no gradient', () => {
    tidy(() => {
      const [query, reference] = [noise([1, 2, 3], 1).requiresGrad_(), noise([1, 3, 3], 2).requiresGrad_()]
      const { distances } = knn(query, reference, 3, { queryLengths: lengths([1]), referenceLengths: lengths([2]) })
      const [a, b] = grad(distances.narrow(2, 0, 2).sum(), [query, reference]) as [Tensor, Tensor]
      // 2·Σ(q − r), worked out by hand from the points.
      const [q, r] = [numbers(query.detach()), numbers(reference.detach())]
      const at = (list: readonly number[], i: number) => list[i] as number
      for (let d = 0; d < 3; d++) {
        expect(a.at(0, 0, d).toNumber()).toBeCloseTo(4 * at(q, d) - 2 * at(r, d) - 2 * at(r, 3 + d), 12)
        expect(a.at(0, 1, d).toNumber()).toBe(0)
        expect(b.at(0, 0, d).toNumber()).toBeCloseTo(2 * at(r, d) - 2 * at(q, d), 12)
        expect(b.at(0, 2, d).toNumber()).toBe(0)
      }
    })
  })

  test.each([3, 20])('NaN and infinite points of %i coordinates come last and spoil nothing else', (dims) => {
    tidy(() => {
      const reference = grid([1, 5, dims], 2)
      reference.select(1, 0).fill_(Number.NaN)
      reference.select(1, 3).fill_(Number.POSITIVE_INFINITY)
      const query = grid([1, 2, dims], 1)
      query.select(1, 1).fill_(Number.NaN)
      const { distances, indices } = knn(query, reference, 5)
      const [, order] = knnReference(
        query.narrow(1, 0, 1),
        cat(
          [1, 2, 4].map((i) => reference.narrow(1, i, 1)),
          { dim: 1 },
        ),
        3,
      )
      const kept = numbers(order).map((i) => [1, 2, 4][i])
      expect(numbers(indices.at(0, 0))).toEqual([...kept, 3, 0])
      expect(numbers(distances.at(0, 0)).slice(3)).toEqual([Number.POSITIVE_INFINITY, Number.NaN])
      expect(numbers(indices.at(0, 1))).toEqual([0, 1, 2, 3, 4])
      expect(distances.at(0, 1).isnan().all().item()).toBe(true)
    })
  })

  test('no clouds and no queries', () => {
    tidy(() => {
      expect(knn(noise([0, 3, 3]), noise([0, 4, 3]), 2).indices.shape).toEqual([0, 3, 2])
      expect(knn(noise([2, 0, 3]), noise([2, 4, 3]), 2).distances.shape).toEqual([2, 0, 2])
      const query = noise([1, 0, 20]).requiresGrad_()
      const [slope] = grad(knn(query, noise([1, 4, 20]), 2).distances.sum(), [query]) as [Tensor]
      expect(slope.shape).toEqual([1, 0, 20])
    })
  })

  test('the second derivative is refused by name', () => {
    tidy(() => {
      const query = noise([1, 3, 3]).requiresGrad_()
      const slope = grad(
        knn(query, noise([1, 4, 3]), 2)
          .distances.square()
          .sum(),
        [query],
        { createGraph: false },
      )
      expect(slope.length).toBe(1)
      const again = () =>
        grad(
          knn(query, noise([1, 4, 3]), 2)
            .distances.square()
            .sum(),
          [query],
          { createGraph: true },
        )
      expect(again).toThrow(/knn: has no second derivative/)
      expect(again).toThrow(OperatorError)
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [query, reference] = [noise([2, 3, 3]), noise([2, 4, 3])]
      expect(() => knn(query, reference, 5)).toThrow(/k is at most 4/)
      expect(() => knn(query, reference, 0)).toThrow(ArgumentError)
      expect(() => knn(query, reference, 1.5)).toThrow(ArgumentError)
      expect(() => knn(query, noise([1, 4, 3]), 1)).toThrow(ShapeError)
      expect(() => knn(query, noise([2, 4, 2]), 1)).toThrow(ShapeError)
      expect(() => knn(noise([3, 3]), reference, 1)).toThrow(ShapeError)
      expect(() => knn(noise([2, 3, 0]), noise([2, 4, 0]), 1)).toThrow(ShapeError)
      expect(() => knn(query.to('int32'), reference.to('int32'), 1)).toThrow(DTypeError)
      expect(() => knn(query.to('float32'), reference, 1)).toThrow(DTypeError)
      expect(() => knn(query, reference, 1, { queryLengths: lengths([3, 4]) })).toThrow(/query_lengths\[1\] is 0 to 3/)
      expect(() => knn(query, reference, 1, { referenceLengths: lengths([-1, 4]) })).toThrow(ArgumentError)
      expect(() => knn(query, reference, 1, { queryLengths: lengths([3]) })).toThrow(ShapeError)
      expect(() => knn(query, reference, 1, { queryLengths: noise([2]) })).toThrow(DTypeError)
      expect(() => knn(query, reference.to('meta'), 1)).toThrow()
    })
  })

  test('runs off the event loop, and stops when told to', async () => {
    await tidyAsync(async () => {
      const points = noise([1, 400, 3]).to('float32')
      const { indices } = await knnAsync(points, points, 2)
      expect(numbers(indices)).toEqual(numbers(knn(points, points, 2).indices))
      const many = noise([1, 20, 3]).repeat([1, 3000, 1]).to('float32')
      const controller = new AbortController()
      const search = knnAsync(many, many, 8, { signal: controller.signal })
      setTimeout(() => controller.abort(), 20)
      await expect(search).rejects.toThrow(CancelledError)
    })
  })
})

/** One point after another, by all distances. */
function sampleReference(points: Tensor, samples: number): Tensor {
  const [batch = 0, count = 0, dims = 0] = points.shape
  const values = numbers(points)
  const chosen: number[] = []
  for (let b = 0; b < batch; b++) {
    const at = (i: number, d: number) => values[(b * count + i) * dims + d] as number
    const list = [0]
    while (list.length < samples) {
      let [best, furthest] = [-1, -1]
      for (let i = 0; i < count; i++) {
        if (list.includes(i)) continue
        const distances = list.map((j) => {
          let sum = 0
          for (let d = 0; d < dims; d++) sum += (at(i, d) - at(j, d)) ** 2
          return sum
        })
        if (Math.min(...distances) > furthest) [best, furthest] = [i, Math.min(...distances)]
      }
      list.push(best)
    }
    chosen.push(...list)
  }
  return tensor(chosen, { shape: [batch, samples], dtype: 'int64' })
}

testOp('furthest_point_sample', {
  tolerances: { float64: 0, float32: 0, float16: 0, bfloat16: 0 },
  cases: [
    { batch: 2, count: 40, dims: 3, samples: 40 },
    { batch: 1, count: 1, dims: 3, samples: 1 },
    { batch: 3, count: 17, dims: 2, samples: 5 },
    { batch: 1, count: 33, dims: 19, samples: 9 },
  ].map(({ batch, count, dims, samples }) => ({
    name: `${samples} of ${batch} × ${count}, D ${dims}`,
    inputs: () => [grid([batch, count, dims], 3)],
    run: (points: Tensor) => furthestPointSample(points, samples),
    reference: (points: Tensor) => sampleReference(points, samples),
  })),
})

describe('furthest_point_sample', () => {
  const five = () =>
    cloud([
      [0, 0, 0],
      [1, 0, 0],
      [5, 0, 0],
      [2, 2, 0],
      [0, 4, 0],
    ])

  test('five points in the order worked out by hand, from any start', () => {
    tidy(() => {
      // From 0: distances² 1, 25, 8, 16; then to {0, 2}: 1, 8, 16; to {0, 2, 4}: 1, 8.
      expect(numbers(furthestPointSample(five(), 5))).toEqual([0, 2, 4, 3, 1])
      // From 3: 8, 5, 13, 8; then to {3, 2}: 8, 5, 8, of which 0 comes first.
      expect(numbers(furthestPointSample(five(), 4, { start: lengths([3]) }))).toEqual([3, 2, 0, 4])
    })
  })

  test('points in one place come last, each once; points that are not finite after them', () => {
    tidy(() => {
      const points = cloud([[0], [Number.NaN], [1], [0], [Number.POSITIVE_INFINITY], [1]])
      expect(numbers(furthestPointSample(points, 6))).toEqual([0, 2, 3, 5, 1, 4])
      expect(numbers(furthestPointSample(points, 3, { start: lengths([1]) }))).toEqual([1, 0, 2])
    })
  })

  test('lengths cut clouds off', () => {
    tidy(() => {
      const twice = cat([five(), five()], { dim: 0 })
      expect(numbers(furthestPointSample(twice, 3, { lengths: lengths([2, 0]) }))).toEqual([0, 1, -1, -1, -1, -1])
    })
  })

  test('a random start repeats with its generator', () => {
    tidy(() => {
      const points = noise([6, 50, 3])
      const run = (seed: number) => {
        const generator = new Generator(seed)
        return numbers(furthestPointSample(points, 2, { start: 'random', generator }))
      }
      expect(run(1)).toEqual(run(1))
      expect(run(1)).not.toEqual(run(2))
      expect(new Set(run(1).filter((_, i) => i % 2 === 0)).size).toBeGreaterThan(1)
    })
  })

  test('no clouds; what does not fit is refused', () => {
    tidy(() => {
      expect(furthestPointSample(noise([0, 4, 3]), 2).shape).toEqual([0, 2])
      expect(() => furthestPointSample(five(), 6)).toThrow(/samples is at most 5/)
      expect(() => furthestPointSample(five(), 0)).toThrow(ArgumentError)
      expect(() => furthestPointSample(noise([1, 0, 3]), 1)).toThrow(ArgumentError)
      expect(() => furthestPointSample(noise([4, 3]), 1)).toThrow(ShapeError)
      expect(() => furthestPointSample(five(), 1, { start: lengths([5]) })).toThrow(/start\[0\]/)
      expect(() => furthestPointSample(five(), 1, { start: lengths([-1]) })).toThrow(ArgumentError)
      expect(() => furthestPointSample(five(), 1, { lengths: lengths([6]) })).toThrow(ArgumentError)
      expect(() => furthestPointSample(five(), 1, { generator: new Generator(1) })).toThrow(ArgumentError)
    })
  })

  test('runs off the event loop, and stops when told to', async () => {
    await tidyAsync(async () => {
      expect(numbers(await furthestPointSampleAsync(five(), 3))).toEqual([0, 2, 4])
      const many = noise([1, 20, 3]).repeat([1, 3000, 1]).to('float32')
      const controller = new AbortController()
      const run = furthestPointSampleAsync(many, 60000, { signal: controller.signal })
      setTimeout(() => controller.abort(), 20)
      await expect(run).rejects.toThrow(CancelledError)
    })
  })
})

/** The first points within the radius, one by one. */
function ballReference(centers: Tensor, points: Tensor, radius: number, samples: number): readonly [Tensor, Tensor] {
  const all = centers
    .unsqueeze(2)
    .sub(points.unsqueeze(1))
    .square()
    .sum({ dim: [3] })
  const [batch = 0, rows = 0, count = 0] = all.shape
  const values = numbers(all)
  const [indices, counts]: [number[], number[]] = [[], []]
  for (let row = 0; row < batch * rows; row++) {
    const inside = Array.from({ length: count }, (_, i) => i).filter(
      (i) => (values[row * count + i] as number) < radius ** 2,
    )
    const first = inside.slice(0, samples)
    counts.push(first.length)
    indices.push(...first, ...new Array(samples - first.length).fill(first[0] ?? 0))
  }
  return [
    tensor(indices, { shape: [batch, rows, samples], dtype: 'int64' }),
    tensor(counts, { shape: [batch, rows], dtype: 'int64' }),
  ]
}

testOp('ball_query', {
  tolerances: { float64: 0, float32: 0, float16: 0, bfloat16: 0 },
  cases: [
    { batch: 2, rows: 7, count: 60, dims: 3, radius: 3, samples: 5 },
    { batch: 1, rows: 1, count: 1, dims: 3, radius: 9, samples: 4 },
    { batch: 1, rows: 40, count: 33, dims: 2, radius: 2, samples: 33 },
    { batch: 1, rows: 3, count: 20, dims: 18, radius: 11, samples: 3 },
    { batch: 1, rows: 3, count: 0, dims: 3, radius: 1, samples: 2 },
  ].map(({ batch, rows, count, dims, radius, samples }) => ({
    name: `${batch} × ${rows} in ${count}, D ${dims}, radius ${radius}, ${samples} samples`,
    inputs: () => [grid([batch, rows, dims], 4), grid([batch, count, dims], 5)],
    run: (centers: Tensor, points: Tensor) => {
      const { indices, counts } = ballQuery(centers, points, radius, samples)
      return [indices, counts]
    },
    reference: (centers: Tensor, points: Tensor) => ballReference(centers, points, radius, samples),
  })),
})

describe('ball_query', () => {
  test('a point at the radius is outside; missing ones repeat the first; an empty ball gives 0', () => {
    tidy(() => {
      const points = cloud([[9], [3], [1], [2]])
      const { indices, counts } = ballQuery(cloud([[0], [5], [100]]), points, 3, 3)
      expect(numbers(indices)).toEqual([2, 3, 2, 1, 1, 1, 0, 0, 0])
      expect(numbers(counts)).toEqual([2, 1, 0])
    })
  })

  test('NaN is in no ball; lengths cut clouds off', () => {
    tidy(() => {
      const points = cloud([[Number.NaN], [0], [1]])
      expect(numbers(ballQuery(cloud([[0], [Number.NaN]]), points, 9, 2).counts)).toEqual([2, 0])
      const { counts } = ballQuery(cloud([[0], [0]]), points, 9, 2, {
        centerLengths: lengths([1]),
        pointLengths: lengths([2]),
      })
      expect(numbers(counts)).toEqual([1, 0])
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const points = noise([1, 4, 3])
      for (const radius of [0, -1, Number.NaN]) {
        expect(() => ballQuery(points, points, radius, 1)).toThrow(ArgumentError)
      }
      expect(() => ballQuery(points, points, 1, 0)).toThrow(ArgumentError)
      expect(() => ballQuery(points, points, 1, 2 ** 40)).toThrow(ArgumentError)
      expect(() => ballQuery(points, noise([2, 4, 3]), 1, 1)).toThrow(ShapeError)
      expect(() => ballQuery(points, points.to('float32'), 1, 1)).toThrow(DTypeError)
      expect(() => ballQuery(points, points, 1, 1, { pointLengths: lengths([5]) })).toThrow(ArgumentError)
      expect(ballQuery(points, points, Number.POSITIVE_INFINITY, 4).counts.min().item()).toBe(4)
    })
  })
})

for (const squared of [true, false]) {
  testOp(`chamfer_distance, ${squared ? 'squared' : 'not squared'}`, {
    tolerances: { float64: 1e-13, float32: 1e-5, float16: 5e-3, bfloat16: 4e-2 },
    cases: [
      { batch: 2, first: 6, second: 9, dims: 3 },
      { batch: 1, first: 1, second: 1, dims: 2 },
      { batch: 1, first: 3, second: 40, dims: 20 },
    ].map(({ batch, first, second, dims }) => ({
      name: `${batch} × ${first} and ${second}, D ${dims}`,
      inputs: () => [noise([batch, first, dims], 6), noise([batch, second, dims], 7)],
      run: (a: Tensor, b: Tensor) => {
        const { firstDistances, secondDistances } = chamferDistances(a, b, { squared })
        return [firstDistances, secondDistances]
      },
      reference: (a: Tensor, b: Tensor) => {
        const all = a
          .unsqueeze(2)
          .sub(b.unsqueeze(1))
          .square()
          .sum({ dim: [3] })
        const [there, back] = [all.amin({ dim: [2] }), all.amin({ dim: [1] })]
        return squared ? [there, back] : [there.sqrt(), back.sqrt()]
      },
      differentiable: [0, 1],
      skipGradients: dims > 3,
    })),
  })
}

describe('chamfer_distance', () => {
  test('two pairs of clouds by hand, with lengths', () => {
    tidy(() => {
      const [first, second] = [cloud([[0], [4]]), cloud([[1], [2], [10]])]
      // There: 1 and 4; back: 1, 4 and 36.
      expect(chamferDistance(first, second).toNumber()).toBeCloseTo(2.5 + 41 / 3, 12)
      expect(chamferDistance(first, second, { squared: false }).toNumber()).toBeCloseTo(1.5 + 3, 12)
      const cut = { firstLengths: lengths([1]), secondLengths: lengths([2]) }
      // There: 1; back: 1 and 4.
      expect(numbers(chamferDistance(first, second, { ...cut, reduction: 'none' }))).toEqual([3.5])
      const { firstDistances, firstIndices, secondIndices } = chamferDistances(first, second, cut)
      expect(numbers(firstDistances)).toEqual([1, 0])
      expect(numbers(firstIndices)).toEqual([0, -1])
      expect(numbers(secondIndices)).toEqual([0, 0, -1])
    })
  })

  test('clouds that coincide have gradient 0, also without squares', () => {
    tidy(() => {
      const first = noise([1, 5, 3]).requiresGrad_()
      for (const squared of [true, false]) {
        const [slope] = grad(chamferDistance(first, first.detach().clone(), { squared }), [first]) as [Tensor]
        expect(numbers(slope)).toEqual(new Array(15).fill(0))
      }
    })
  })

  test('a point that is NaN spoils its own distance only', () => {
    tidy(() => {
      const first = cloud([[0], [Number.NaN], [2]])
      const { firstDistances, secondDistances } = chamferDistances(first, cloud([[1], [5]]))
      expect(numbers(firstDistances)).toEqual([1, Number.NaN, 1])
      expect(numbers(secondDistances)).toEqual([1, 9])
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const points = noise([1, 4, 3])
      expect(() => chamferDistances(points, noise([1, 0, 3]))).toThrow(ShapeError)
      expect(() => chamferDistances(points, noise([2, 4, 3]))).toThrow(ShapeError)
      expect(() => chamferDistances(points, points.to('float32'))).toThrow(DTypeError)
      expect(() => chamferDistances(points, points, { secondLengths: lengths([9]) })).toThrow(ArgumentError)
      expect(() => chamferDistance(points, points, { reduction: 'max' as 'sum' })).toThrow(ArgumentError)
    })
  })
})

afterAll(async () => expect(await liveTensors()).toBe(0))
