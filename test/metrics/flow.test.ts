import { describe, expect, test } from 'vitest'
import { angularError, endPointError, flowOutliers } from '../../lib/metrics'
import { tensor, zeros } from '../../lib/tensor/creation'
import { stack } from '../../lib/tensor/ops.generated'
import type { Tensor } from '../../lib/tensor/tensor'

/** A flow `[2, 1, n]` of vectors. */
const vectors = (...pairs: (readonly [number, number])[]) =>
  tensor([[pairs.map(([u]) => u)], [pairs.map(([, v]) => v)]])
const number = (value: Tensor) => Number(value.item())

describe('endPointError', () => {
  test('is the distance of the vectors, for each pixel and on average', () => {
    const flow = vectors([3, 4], [1, 1], [-2, 0])
    const truth = vectors([0, 0], [1, 1], [-2, 2.5])
    expect(endPointError(flow, truth, { reduction: 'none' }).toArray()).toEqual([[5, 0, 2.5]])
    expect(number(endPointError(flow, truth))).toBe(2.5)
  })

  test('leaves unknown pixels out, whatever they hold', () => {
    const flow = vectors([3, 4], [1, 0], [7, 7])
    const truth = vectors([0, 0], [Number.NaN, Number.NaN], [1e10, 1e10])
    const valid = tensor([[true, false, false]])
    expect(number(endPointError(flow, truth, { valid }))).toBe(5)
    expect(endPointError(flow, truth, { valid, reduction: 'none' }).toArray()).toEqual([[5, Number.NaN, Number.NaN]])
  })

  test('is NaN without a known pixel', () => {
    expect(number(endPointError(vectors([1, 1]), vectors([1, 1]), { valid: tensor([[false]]) }))).toBeNaN()
  })

  test('averages a batch over all its known pixels', () => {
    const flow = stack([vectors([3, 4], [0, 0]), vectors([0, 1], [0, 2])])
    const truth = zeros([2, 2, 1, 2])
    expect(endPointError(flow, truth, { reduction: 'none' }).shape).toEqual([2, 1, 2])
    expect(number(endPointError(flow, truth))).toBe(2)
    const valid = tensor([[[true, true]], [[false, true]]])
    expect(number(endPointError(flow, truth, { valid }))).toBeCloseTo(7 / 3, 6)
  })

  test('compares half precision in float32', () => {
    const flow = tensor([[[1000.5]], [[0]]], { dtype: 'float16' })
    expect(number(endPointError(flow, vectors([1000, 0.0625])))).toBeCloseTo(Math.hypot(0.5, 0.0625), 6)
  })
})

describe('angularError', () => {
  test.each([
    // (1, 0, 1) and (0, 0, 1): 45°. (1, 0, 1) and (−1, 0, 1): 90°. (1, 0, 1) and (0, 1, 1): cos = 1/2, 60°.
    ['motion against rest', [1, 0], [0, 0], 45],
    ['opposite motion', [1, 0], [-1, 0], 90],
    ['perpendicular motion', [1, 0], [0, 1], 60],
    ['twice the length', [2, 0], [1, 0], (Math.atan(2) * 180) / Math.PI - 45],
    ['far beyond a right angle', [1000, 0], [-1000, 0], 180 - (2 * Math.atan(0.001) * 180) / Math.PI],
  ] as const)('%s', (_, flow, truth, degrees) => {
    expect(number(angularError(vectors(flow), vectors(truth)))).toBeCloseTo(degrees, 4)
    expect(number(angularError(vectors(truth), vectors(flow)))).toBeCloseTo(degrees, 4)
  })

  test('of equal flows is exactly 0, of nearly equal ones exact in float32', () => {
    expect(number(angularError(vectors([0.3, -7.7]), vectors([0.3, -7.7])))).toBe(0)
    // arccos of a float32 cosine could only say 0° or 0.02° here.
    const expected = (Math.atan(1e-5) * 180) / Math.PI
    expect(number(angularError(vectors([1e-5, 0]), vectors([0, 0]))) / expected).toBeCloseTo(1, 5)
  })

  test('follows the mask', () => {
    const valid = tensor([[true, false]])
    expect(number(angularError(vectors([1, 0], [5, 5]), vectors([0, 0], [0, 0]), { valid }))).toBeCloseTo(45, 4)
  })
})

describe('flowOutliers', () => {
  test('is the share of pixels above the threshold, which itself is no outlier', () => {
    const flow = vectors([1, 0], [1.01, 0], [0, 3], [0, 0])
    const truth = zeros([2, 1, 4])
    expect(number(flowOutliers(flow, truth))).toBe(0.5)
    expect(number(flowOutliers(flow, truth, { threshold: 2 }))).toBe(0.25)
    expect(flowOutliers(flow, truth, { reduction: 'none' }).toArray()).toEqual([[0, 1, 1, 0]])
    expect(number(flowOutliers(flow, truth, { valid: tensor([[true, true, true, false]]) }))).toBeCloseTo(2 / 3, 6)
  })

  test('an estimate that is NaN is an outlier', () => {
    expect(number(flowOutliers(vectors([Number.NaN, 0], [0, 0]), zeros([2, 1, 2])))).toBe(0.5)
  })
})

describe.each([endPointError, angularError, flowOutliers])('$name: bad input', (metric) => {
  const flow = () => zeros([2, 4, 5])
  const named = (code: string) => expect.objectContaining({ code, message: expect.stringContaining(metric.name) })

  test('shapes must agree', () => {
    const shape = named('ERR_VISION_NATIVE_SHAPE')
    // Each of these would broadcast in silence.
    for (const other of [
      [2, 1, 5],
      [2, 4, 1],
      [1, 2, 4, 5],
      [3, 4, 5],
      [4, 5],
    ]) {
      expect(() => metric(flow(), zeros(other))).toThrow(shape)
      expect(() => metric(zeros(other), flow())).toThrow(shape)
    }
    for (const mask of [[5, 4], [1, 5], [1, 4, 5], [5]]) {
      expect(() => metric(flow(), flow(), { valid: zeros(mask, { dtype: 'bool' }) })).toThrow(shape)
    }
  })

  test('flows are floating point, masks bool', () => {
    const dtype = named('ERR_VISION_NATIVE_DTYPE')
    expect(() => metric(zeros([2, 4, 5], { dtype: 'int32' }), flow())).toThrow(dtype)
    expect(() => metric(flow(), flow(), { valid: zeros([4, 5], { dtype: 'uint8' }) })).toThrow(dtype)
  })
})
