// Against scipy and scikit-image; tools/reference/geometry.py wrote the numbers.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  alignmentMatrix,
  alignPoints,
  axisAngleToMatrix,
  axisAngleToQuaternion,
  composeTransforms,
  eulerToMatrix,
  hat,
  invertRigid,
  matrixToAxisAngle,
  matrixToEuler,
  matrixToQuaternion,
  matrixToRotation6d,
  quaternionApply,
  quaternionInvert,
  quaternionMultiply,
  quaternionToAxisAngle,
  quaternionToMatrix,
  randomQuaternions,
  randomRotations,
  rigidTransform,
  rotation6dToMatrix,
  rotationAngle,
  slerp,
  standardizeQuaternion,
  transformPoints,
} from '../../lib/geometry'
import { eye, Generator, gradcheck, linalgDet, ones, type Tensor, tensor, tidy } from '../../lib/tensor'
import { hashTensor } from '../support/hash-weights'
import { liveTensors } from '../support/live-tensors'

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/geometry/${name}.json`, import.meta.url), 'utf8'))
const REFERENCE = read('rotations')
const float64 = (values: number[] | number[][] | number[][][]) => tensor(values, { dtype: 'float64' })
const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().max().toNumber()
const random = (name: string, shape: number[]) => hashTensor(name, shape).to('float64')
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))

let before = 0
beforeEach(async () => {
  before = await liveTensors()
})
afterEach(async () => expect(await liveTensors()).toBe(before))

describe('forms of rotations, as scipy', () => {
  scoped('quaternions, matrices and axes with angles', () => {
    const [quaternions, matrices] = [float64(REFERENCE.quaternions), float64(REFERENCE.matrices)]
    const axisAngle = float64(REFERENCE.axisAngle)
    expect(largest(quaternionToMatrix(quaternions), matrices)).toBeLessThan(1e-11)
    expect(largest(quaternionToMatrix(quaternions.mul(-3)), matrices)).toBeLessThan(1e-11)
    expect(largest(quaternionToMatrix(matrixToQuaternion(matrices)), matrices)).toBeLessThan(1e-11)
    expect(largest(axisAngleToMatrix(axisAngle), matrices)).toBeLessThan(1e-11)
    // Of half turns either sign is right.
    const inner = (values: Tensor) => values.narrow(0, 0, 12)
    expect(largest(inner(matrixToQuaternion(matrices)), inner(quaternions))).toBeLessThan(1e-10)
    expect(largest(inner(matrixToAxisAngle(matrices)), inner(axisAngle))).toBeLessThan(1e-10)
    expect(largest(inner(quaternionToAxisAngle(quaternions.mul(-2))), inner(axisAngle))).toBeLessThan(1e-10)
    expect(largest(axisAngleToMatrix(matrixToAxisAngle(matrices)), matrices)).toBeLessThan(1e-7)
  })

  scoped('angles of Euler in all 24 orders', () => {
    const matrices = float64(REFERENCE.matrices).narrow(0, 0, 12)
    const orders = Object.entries(REFERENCE.euler as Record<string, number[][]>)
    expect(orders).toHaveLength(24)
    for (const [order, angles] of orders) {
      expect(largest(eulerToMatrix(float64(angles), order), matrices), order).toBeLessThan(1e-10)
      expect(largest(matrixToEuler(matrices, order), float64(angles)), order).toBeLessThan(1e-10)
    }
  })

  scoped('angles of Euler where two of them turn alike still give the rotation', () => {
    for (const [order, middles] of [
      ['XYZ', [Math.PI / 2, -Math.PI / 2]],
      ['yxz', [Math.PI / 2, -Math.PI / 2]],
      ['ZXZ', [0, Math.PI]],
      ['yxy', [0, Math.PI]],
    ] as const) {
      for (const middle of middles) {
        const matrix = eulerToMatrix(float64([0.3, middle, -1.1]), order)
        const angles = matrixToEuler(matrix, order)
        expect(largest(eulerToMatrix(angles, order), matrix), `${order} ${middle}`).toBeLessThan(1e-9)
      }
    }
  })

  scoped('products, points, angles between', () => {
    const quaternions = float64(REFERENCE.quaternions).narrow(0, 0, 12)
    const matrices = quaternionToMatrix(quaternions)
    const backwards = quaternions.flip([0])
    const product = quaternionMultiply(quaternions, backwards)
    expect(largest(quaternionToMatrix(product), float64(REFERENCE.products))).toBeLessThan(1e-11)
    const points = random('points', [7, 1, 3])
    const turned = matrices.unsqueeze(0).matmul(points.unsqueeze(-1)).squeeze(-1)
    expect(largest(quaternionApply(quaternions.unsqueeze(0), points), turned)).toBeLessThan(1e-11)
    const none = quaternionMultiply(quaternions, quaternionInvert(quaternions))
    expect(largest(none, float64([1, 0, 0, 0]))).toBeLessThan(1e-11)
    const angles = rotationAngle(matrices, matrices.flip([0]))
    expect(largest(angles, float64(REFERENCE.angles))).toBeLessThan(1e-10)
    expect(rotationAngle(matrices, matrices).max().toNumber()).toBeLessThan(1e-14)
    // (x, y, z) × (1, 2, 3) by hand.
    expect(largest(hat(float64([4, -5, 6])).matmul(float64([1, 2, 3])), float64([-27, -6, 13]))).toBe(0)
  })

  scoped('between two at constant speed', () => {
    const { times, matrices } = REFERENCE.slerp
    const quaternions = float64(REFERENCE.quaternions)
    const [from, to] = [quaternions.at(0), quaternions.at(1)]
    const path = slerp(from.unsqueeze(0), to.unsqueeze(0), float64(times))
    expect(largest(quaternionToMatrix(path), float64(matrices))).toBeLessThan(1e-10)
    expect(largest(slerp(from, to.neg(), 0.5), path.at(2))).toBeLessThan(1e-10)
    const neighbour = standardizeQuaternion(quaternionMultiply(from, axisAngleToQuaternion(float64([0.01, 0, 0]))))
    const half = quaternionMultiply(from, axisAngleToQuaternion(float64([0.005, 0, 0])))
    expect(largest(quaternionToMatrix(slerp(from, neighbour, 0.5)), quaternionToMatrix(half))).toBeLessThan(1e-9)
  })

  scoped('six numbers: the first two rows, made orthogonal', () => {
    const matrices = float64(REFERENCE.matrices)
    const six = matrixToRotation6d(matrices)
    expect(largest(six, matrices.reshape([-1, 9]).narrow(1, 0, 6))).toBe(0)
    expect(largest(rotation6dToMatrix(six), matrices)).toBeLessThan(1e-11)
    const made = rotation6dToMatrix(float64([2, 0, 0, 5, 3, 0]))
    expect(largest(made, eye(3, { dtype: 'float64' }))).toBe(0)
  })
})

describe('gradients', () => {
  const check = (fn: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]) =>
    expect(
      gradcheck(
        fn,
        inputs.map((input) => input.detach().clone().requiresGrad_()),
      ),
    ).toBe(true)

  scoped('agree with differences', () => {
    const quaternions = float64(REFERENCE.quaternions).narrow(0, 0, 3)
    const matrices = float64(REFERENCE.matrices)
    check(quaternionToMatrix, quaternions)
    check(quaternionToAxisAngle, quaternions)
    check(axisAngleToMatrix, float64(REFERENCE.axisAngle).narrow(0, 0, 3))
    check(axisAngleToMatrix, float64([[0, 0, 0]]))
    // One of each of the four ways, away from where the largest changes.
    check(matrixToQuaternion, matrices.narrow(0, 0, 8))
    check((m) => matrixToEuler(m, 'XYZ'), matrices.narrow(0, 0, 2))
    check((m) => matrixToEuler(m, 'zxz'), matrices.narrow(0, 0, 2))
    check((angles) => eulerToMatrix(angles, 'yzx'), random('angles', [2, 3]))
    check(rotation6dToMatrix, random('six', [2, 6]))
    check(slerp as (...q: Tensor[]) => Tensor, quaternions.at(0), quaternions.at(1), float64([0.3, 0.8]))
    check(quaternionApply, quaternions.at(0), random('places', [4, 3]))
    check(rotationAngle, matrices.at(0), matrices.at(1))
  })

  scoped('of the least squares agree with differences', () => {
    const [from, to] = [random('from', [6, 3]), random('to', [6, 3])]
    for (const scale of [false, true]) {
      check((a, b) => alignmentMatrix(alignPoints(a, b, { scale })), from, to)
    }
  })
})

describe('random rotations', () => {
  scoped('are rotations, equal for equal seeds, and evenly spread', () => {
    using generator = new Generator(5)
    const drawn = randomRotations(4000, { generator, dtype: 'float64' })
    expect(largest(drawn.matmul(drawn.transpose(1, 2)), eye(3, { dtype: 'float64' }))).toBeLessThan(1e-12)
    expect(largest(linalgDet(drawn), ones([4000], { dtype: 'float64' }))).toBeLessThan(1e-12)
    // The mean of a matrix of even rotations is 0, of the angle π/2 + 2/π.
    expect(
      drawn
        .mean({ dim: [0] })
        .abs()
        .max()
        .toNumber(),
    ).toBeLessThan(0.05)
    const angle = rotationAngle(drawn, eye(3, { dtype: 'float64' }))
      .mean()
      .toNumber()
    expect(Math.abs(angle - (Math.PI / 2 + 2 / Math.PI))).toBeLessThan(0.05)
    using again = new Generator(5)
    expect(randomRotations(4000, { generator: again, dtype: 'float64' }).equal(drawn)).toBe(true)
    expect(randomQuaternions(0).shape).toEqual([0, 4])
  })
})

describe('movements', () => {
  scoped('composed, undone and applied', () => {
    const [a, b] = [0, 1].map((i) => rigidTransform(float64(REFERENCE.matrices).at(i), float64([1 + i, -2, 0.5]))) as [
      Tensor,
      Tensor,
    ]
    const points = random('cloud', [5, 3])
    const both = transformPoints(composeTransforms(a, b), points)
    expect(largest(both, transformPoints(a, transformPoints(b, points)))).toBeLessThan(1e-12)
    expect(largest(transformPoints(invertRigid(a), transformPoints(a, points)), points)).toBeLessThan(1e-12)
    const byHand = points.matmul(float64(REFERENCE.matrices).at(0).t()).add(float64([1, -2, 0.5]))
    expect(largest(transformPoints(a, points), byHand)).toBeLessThan(1e-12)
    expect(rigidTransform(float64(REFERENCE.matrices), float64([1, 2, 3])).shape).toEqual([18, 4, 4])
  })

  scoped('of least squares, as scipy and scikit-image', () => {
    for (const one of read('alignments')) {
      const [from, to] = [float64(one.from), float64(one.to)]
      const rigid = alignPoints(from, to)
      expect(largest(rigid.rotation, float64(one.rotation))).toBeLessThan(1e-9)
      expect(rigid.scale.toNumber()).toBe(1)
      const moved = from.matmul(rigid.rotation.t()).add(rigid.translation)
      expect(largest(moved.mean({ dim: [0] }), to.mean({ dim: [0] }))).toBeLessThan(1e-12)
      const weighted = alignPoints(from, to, { weights: float64(one.weights) })
      expect(largest(weighted.rotation, float64(one.weighted))).toBeLessThan(1e-9)
      const similar = alignmentMatrix(alignPoints(from, to, { scale: true }))
      expect(largest(similar, float64(one.similarity))).toBeLessThan(1e-9)
    }
    const mirror = float64([-1, 1, 1])
    const points = random('mirrored', [8, 3])
    const { rotation } = alignPoints(points, points.mul(mirror), { reflection: true })
    expect(
      largest(
        rotation,
        float64([
          [-1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ]),
      ),
    ).toBeLessThan(1e-9)
  })
})

describe('bad input is named', () => {
  test.each([
    [/quaternionToMatrix: quaternions is \[3\]; it must be \[\.\.\., 4\]/, () => quaternionToMatrix(ones([3]))],
    [/convention is 'XXY'/, () => matrixToEuler(eye(3), 'XXY')],
    [/convention is 'XyZ'/, () => matrixToEuler(eye(3), 'XyZ')],
    [/three letters of 'XYZ'/, () => eulerToMatrix(ones([3]), 'ABC')],
    [/from is \[4,3\], to is \[5,3\]/, () => alignPoints(ones([4, 3]), ones([5, 3]))],
    [/weights are \[3\].*they are \[4\]/, () => alignPoints(ones([4, 3]), ones([4, 3]), { weights: ones([3]) })],
    [/int64; it must be floating point/, () => quaternionToMatrix(ones([4]).to('int64'))],
    [/no transforms/, () => composeTransforms()],
    [/count is -1/, () => randomRotations(-1)],
  ])('%s', (message, fn) => {
    tidy(() => expect(fn).toThrow(message))
  })
})
