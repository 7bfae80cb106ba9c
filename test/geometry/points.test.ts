// Points and surfaces; pairings against scipy, transport against loops in numpy (tools/reference/geometry.py).
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  axisAngleToMatrix,
  earthMoversDistance,
  faceAreas,
  faceNormals,
  iterativeClosestPoints,
  linearSumAssignment,
  pointNormals,
  rigidTransform,
  samplePointsFromMesh,
  sinkhorn,
  sinkhornDistance,
  transformPoints,
  vertexNormals,
  voxelDownsample,
  voxelize,
} from '../../lib/geometry'
import { Generator, gradcheck, ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { hashTensor } from '../support/hash-weights'
import { liveTensors } from '../support/live-tensors'

const REFERENCE = JSON.parse(readFileSync(new URL('../fixtures/geometry/transport.json', import.meta.url), 'utf8'))
const float64 = (values: number[] | number[][] | number[][][]) => tensor(values, { dtype: 'float64' })
const int64 = (values: number[][]) => tensor(values, { dtype: 'int64' })
const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().max().toNumber()
const random = (name: string, shape: number[]) => hashTensor(name, shape).to('float64')
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const values = (t: Tensor) => Array.from(t.to('float64').reshape([-1]).dataSync(), Number)
const check = (fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[], ...inputs: Tensor[]) =>
  expect(
    gradcheck(
      fn,
      inputs.map((input) => input.detach().clone().requiresGrad_()),
    ),
  ).toBe(true)

let before = 0
beforeEach(async () => {
  before = await liveTensors()
})
afterEach(async () => expect(await liveTensors()).toBe(before))

/** The four triangles of a tetrahedron with corners at 0 and on the axes, seen from outside. */
const tetrahedron = () => ({
  vertices: float64([
    [0, 0, 0],
    [1, 0, 0],
    [0, 2, 0],
    [0, 0, 3],
  ]),
  faces: int64([
    [0, 2, 1],
    [0, 1, 3],
    [0, 3, 2],
    [1, 2, 3],
  ]),
})

describe('surfaces', () => {
  scoped('have areas and normals', () => {
    const { vertices, faces } = tetrahedron()
    expect(largest(faceAreas(vertices, faces), float64([1, 1.5, 3, 3.5]))).toBeLessThan(1e-12)
    const slanted = [6 / 7, 3 / 7, 2 / 7]
    expect(largest(faceNormals(vertices, faces), float64([[0, 0, -1], [0, -1, 0], [-1, 0, 0], slanted]))).toBeLessThan(
      1e-12,
    )
    // At (1, 0, 0) meet areas 1, 1.5 and 3.5: −z, −y and the slanted one, which is (3, 1.5, 1) long.
    expect(largest(vertexNormals(vertices, faces).at(1), float64([1, 0, 0]))).toBeLessThan(1e-12)
    check((v) => vertexNormals(v, faces), vertices)
  })

  scoped('are sampled evenly by area, the same for equal seeds', () => {
    const { vertices, faces } = tetrahedron()
    using generator = new Generator(1)
    const drawn = samplePointsFromMesh(vertices, faces, 9000, { generator })
    const counts = values(drawn.faces.bincount({ minlength: 4 }))
    // Shares 1, 1.5, 3, 3.5 of 9, to five deviations.
    for (const [i, share] of [1000, 1500, 3000, 3500].entries()) {
      expect(Math.abs((counts[i] ?? 0) - share)).toBeLessThan(250)
    }
    const [x, y, z] = drawn.points.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor]
    const slanted = x.add(y.div(2)).add(z.div(3)).sub(1).abs()
    const onFace = [z, y, x, slanted].map((distance) => values(distance.abs()))
    const faceOf = values(drawn.faces)
    expect(Math.max(...faceOf.map((face, i) => onFace[face]?.[i] ?? 1))).toBeLessThan(1e-12)
    expect(Math.min(...values(drawn.points))).toBeGreaterThanOrEqual(0)
    // The mean of even points on a triangle is its middle.
    const first = drawn.points.at(drawn.faces.eq(3).to('bool')).mean({ dim: [0] })
    expect(largest(first, float64([1 / 3, 2 / 3, 1]))).toBeLessThan(0.04)
    using again = new Generator(1)
    expect(samplePointsFromMesh(vertices, faces, 9000, { generator: again }).points.equal(drawn.points)).toBe(true)
    check((v: Tensor) => {
      using fixed = new Generator(4)
      return samplePointsFromMesh(v, faces, 5, { generator: fixed }).normals
    }, vertices)
    const corners = vertices.indexSelect(0, faces.indexSelect(0, drawn.faces).reshape([-1])).reshape([9000, 3, 3])
    expect(largest(corners.mul(drawn.barycentric.unsqueeze(-1)).sum({ dim: [1] }), drawn.points)).toBe(0)
  })
})

describe('clouds', () => {
  scoped('have the normals of the surface they lie on', () => {
    const xy = random('plane', [1, 200, 2])
    const [x, y] = [xy.select(-1, 0), xy.select(-1, 1)]
    const plane = ones([1, 200, 3], { dtype: 'float64' }).clone()
    plane.select(-1, 0).copy_(x)
    plane.select(-1, 1).copy_(y)
    plane.select(-1, 2).copy_(x.mul(2).sub(y.mul(3)).add(5))
    const expected = float64([-2, 3, 1]).div(Math.sqrt(14))
    const { normals, curvature } = pointNormals(plane)
    expect(largest(normals, expected)).toBeLessThan(1e-6)
    expect(curvature.max().toNumber()).toBeLessThan(1e-12)
    const below = pointNormals(plane, { viewpoint: float64([0, 0, -100]) })
    expect(largest(below.normals, expected.neg())).toBeLessThan(1e-6)
    const ball = random('ball', [1, 3000, 3])
    const onSphere = ball.div(
      ball
        .square()
        .sum({ dim: [-1], keepdim: true })
        .sqrt(),
    )
    const outward = pointNormals(onSphere, { viewpoint: float64([0, 0, 0]), neighbours: 8 }).normals.neg()
    expect(
      outward
        .mul(onSphere)
        .sum({ dim: [-1] })
        .mean()
        .toNumber(),
    ).toBeGreaterThan(0.99)
  })

  scoped('are thinned by the mean of each cell', () => {
    const points = float64([
      [0.1, 0.1],
      [0.3, 0.5],
      [-0.1, 0.2],
      [1.5, 2.5],
      [0.2, 0.9],
    ])
    const features = float64([[1], [2], [3], [4], [6]])
    const thinned = voxelDownsample(points, 1, { features })
    expect(values(thinned.cells)).toEqual([-1, 0, 0, 0, 1, 2])
    expect(values(thinned.counts)).toEqual([1, 3, 1])
    expect(values(thinned.rowOf)).toEqual([1, 1, 0, 2, 1])
    expect(
      largest(
        thinned.points,
        float64([
          [-0.1, 0.2],
          [0.2, 0.5],
          [1.5, 2.5],
        ]),
      ),
    ).toBeLessThan(1e-12)
    expect(values(thinned.features as Tensor)).toEqual([3, 3, 4])
    const shifted = voxelDownsample(points, 1, { origin: [-0.5, -0.5] })
    expect(values(shifted.cells)).toEqual([0, 0, 0, 1, 2, 3])
    check((p: Tensor) => voxelDownsample(p, 1).points, points)
    const counts = voxelize(points, { min: [0, 0], max: [1.5, 2.5], size: [3, 2] })
    expect(values(counts)).toEqual([3, 0, 0, 0, 0, 1])
  })

  scoped('find the way back to where they were', () => {
    const target = random('target', [400, 3]).mul(float64([3, 2, 1]))
    const truth = rigidTransform(axisAngleToMatrix(float64([0.1, -0.05, 0.08])), float64([0.05, -0.04, 0.03]))
    const source = target.narrow(0, 0, 300)
    const moved = transformPoints(truth, source)
    const found = iterativeClosestPoints(moved, target)
    expect(largest(transformPoints(found.transform, moved), source)).toBeLessThan(1e-9)
    expect(found.fitness).toBe(1)
    expect(found.rmse).toBeLessThan(1e-9)
    expect(() => iterativeClosestPoints(moved.add(100), target, { maxDistance: 1 })).toThrow(/0 points have a partner/)
  })
})

describe('pairings', () => {
  scoped('cost least, as in scipy, wide, tall and square', () => {
    const costs = float64(REFERENCE.rectangle)
    const wide = linearSumAssignment(costs)
    expect(wide.cost).toBe(REFERENCE.least)
    expect(new Set(wide.columns).size).toBe(7)
    const tall = linearSumAssignment(costs.t())
    expect(tall.cost).toBe(REFERENCE.least)
    expect(tall.rows).toEqual([...tall.rows].sort((a, b) => a - b))
    expect(tall.rows.reduce((sum, row, i) => sum + REFERENCE.rectangle[tall.columns[i] ?? 0][row], 0)).toBe(tall.cost)
    expect(
      linearSumAssignment(
        float64([
          [Infinity, 1],
          [2, Infinity],
        ]),
      ),
    ).toEqual({ rows: [0, 1], columns: [1, 0], cost: 3 })
    expect(linearSumAssignment(zeros([0, 3]))).toEqual({ rows: [], columns: [], cost: 0 })
    expect(() =>
      linearSumAssignment(
        float64([
          [1, Infinity],
          [2, Infinity],
        ]),
      ),
    ).toThrow(/leave no pairing/)
    expect(() => linearSumAssignment(float64([[1, NaN]]))).toThrow(/cost at \[0, 1\] is NaN/)
  })

  scoped('of clouds are the earth mover’s distance', () => {
    const [first, second] = [float64([REFERENCE.first]), float64([REFERENCE.second])]
    const found = earthMoversDistance(first, second)
    expect(values(found.assignment)).toEqual(REFERENCE.assignment)
    expect(found.distance.toNumber()).toBeCloseTo(REFERENCE.distance, 10)
    expect(earthMoversDistance(first, second, { squared: true }).distance.toNumber()).toBeCloseTo(REFERENCE.squared, 10)
    expect(earthMoversDistance(first, first.flip([1])).distance.toNumber()).toBe(0)
    check((a, b) => earthMoversDistance(a, b).distance, first, second)
  })
})

describe('transport with entropy', () => {
  scoped('is that of iterations to the end', () => {
    const [a, b] = [float64(REFERENCE.a), float64(REFERENCE.b)]
    const found = sinkhornDistance(a, b, { epsilon: REFERENCE.epsilon, iterations: 20000, tolerance: 1e-12 })
    expect(largest(found.plan, float64(REFERENCE.plan))).toBeLessThan(1e-9)
    expect(found.cost.toNumber()).toBeCloseTo(REFERENCE.cost, 8)
  })

  scoped('nears the cheapest pairing and keeps the masses', () => {
    const [first, second] = [float64(REFERENCE.first), float64(REFERENCE.second)]
    const { plan, cost } = sinkhornDistance(first, second, { epsilon: 0.002, iterations: 3000 })
    expect(cost.toNumber()).toBeCloseTo(REFERENCE.squared, 2)
    expect(largest(plan.sum({ dim: [0] }), ones([20], { dtype: 'float64' }).div(20))).toBeLessThan(1e-9)
    const rowMass = float64([0.5, 0.3, 0.2])
    const columnMass = float64([0.6, 0.4])
    const weighted = sinkhorn(random('costs', [2, 3, 2]), { rowMass, columnMass, iterations: 500 })
    expect(largest(weighted.plan.sum({ dim: [-1] }), rowMass)).toBeLessThan(1e-6)
    expect(largest(weighted.plan.sum({ dim: [-2] }), columnMass)).toBeLessThan(1e-6)
    check((c) => sinkhorn(c, { epsilon: 0.5, iterations: 5 }).cost, random('costs', [3, 4]))
  })
})

describe('bad input is named', () => {
  test.each([
    [/faces are float32/, () => faceAreas(ones([3, 3]), ones([1, 3]))],
    [/have an area of 0/, () => samplePointsFromMesh(ones([3, 3]), int64([[0, 1, 2]]), 4)],
    [/the clouds are \[1,2,3\] and \[1,3,3\]/, () => earthMoversDistance(ones([1, 2, 3]), ones([1, 3, 3]))],
    [/epsilon 0/, () => sinkhorn(ones([2, 2]), { epsilon: 0 })],
    [/a plane needs three/, () => pointNormals(ones([1, 2, 3]))],
    [/coordinate is not finite/, () => voxelDownsample(tensor([[NaN, 1]]), 1)],
    [/voxelSize is 0/, () => voxelDownsample(ones([2, 2]), 0)],
    [/max above min/, () => voxelize(ones([2, 2]), { min: [0, 0], max: [1, 0], size: [2, 2] })],
  ])('%s', (message, fn) => {
    tidy(() => expect(fn).toThrow(message))
  })
})
