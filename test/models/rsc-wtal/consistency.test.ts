// The consistency of regions beside the card's hand cases.
import { describe, expect, test } from 'vitest'
import { regionalConsistency, regionSizes } from '../../../lib/models/video/rsc-wtal'
import { gradcheck, manualSeed, rand, type Tensor, tensor, tidy } from '../../../lib/tensor'

const float64 = (rows: readonly (readonly number[])[]) => tensor([rows.map((row) => [...row])], { dtype: 'float64' })
const value = (loss: Tensor) => loss.item() as number

const RGB = [
  [1, 0],
  [1, 0],
  [0, 1],
  [0, 1],
]
const FLOW = [
  [1, 0],
  [2, 0],
  [3, 0],
  [1, 0],
]

describe('regional similarity consistency', () => {
  test('1. two regions that differ in colour and agree in flow', () =>
    tidy(() => {
      const [rgb, flow] = [float64(RGB), float64(FLOW)]
      expect(value(regionalConsistency(rgb, flow, { regions: 2 }))).toBeCloseTo(0.999999, 9)
      expect(value(regionalConsistency(rgb, flow, { regions: 2, form: 'eq4' }))).toBeCloseTo(Math.SQRT2 / 4, 9)
    }))

  test('2. scale and order within a region do not matter; equal streams and one region give the floor', () =>
    tidy(() => {
      manualSeed(2)
      const [rgb, flow] = [rand([3, 12, 6], { dtype: 'float64' }), rand([3, 12, 6], { dtype: 'float64' })]
      const base = value(regionalConsistency(rgb, flow))
      expect(value(regionalConsistency(rgb.mul(7), flow.mul(0.3)))).toBeCloseTo(base, 12)
      const order = tensor([2, 0, 1, 3, 5, 4, 8, 7, 6, 9, 10, 11], { dtype: 'int64' })
      expect(value(regionalConsistency(rgb.indexSelect(1, order), flow))).toBeCloseTo(base, 12)
      const across = tensor([3, 0, 1, 2, 5, 4, 8, 7, 6, 9, 10, 11], { dtype: 'int64' })
      expect(Math.abs(value(regionalConsistency(rgb.indexSelect(1, across), flow)) - base)).toBeGreaterThan(1e-6)
      for (const [regions, x, y] of [
        [4, rgb, rgb],
        [1, rgb, flow],
      ] as const) {
        expect(value(regionalConsistency(x, y, { regions }))).toBeCloseTo(1e-6 * Math.sqrt(regions), 10)
        expect(value(regionalConsistency(x, y, { regions, form: 'eq4' }))).toBeCloseTo(0, 10)
      }
    }))

  test('3. the gradient is right, finite where the streams agree, and does not reach the flow', () =>
    tidy(() => {
      manualSeed(3)
      const flow = rand([2, 10, 5], { dtype: 'float64' })
      const rgb = rand([2, 10, 5], { dtype: 'float64' }).requiresGrad_()
      for (const form of ['rows', 'eq4'] as const) {
        expect(
          gradcheck((x: Tensor) => regionalConsistency(x, flow, { form }), [rgb], { atol: 1e-7, rtol: 1e-5 }),
        ).toBe(true)
      }
      for (const form of ['rows', 'eq4'] as const) {
        const same = flow.clone().requiresGrad_()
        regionalConsistency(same, flow, { form }).backward()
        expect(same.grad?.isfinite().all().item(), form).toBe(true)
      }
      expect(flow.grad).toBeNull()
    }))

  test('4. chunks: the last is shorter, and there may be fewer', () => {
    expect(regionSizes(10, 4)).toEqual([3, 3, 3, 1])
    expect(regionSizes(9, 4)).toEqual([3, 3, 3])
    expect(regionSizes(750, 4)).toEqual([188, 188, 188, 186])
    expect(regionSizes(3, 4)).toEqual([1, 1, 1])
    expect(regionSizes(5, 4)).toEqual([2, 2, 1])
    expect(regionSizes(6, 4)).toEqual([2, 2, 2])
    expect(regionSizes(50, 4)).toEqual([13, 13, 13, 11])
    expect(regionSizes(60, 4)).toEqual([15, 15, 15, 15])
  })

  test('sharper 1. a ramp of angles', () =>
    tidy(() => {
      const angles = Array.from({ length: 12 }, (_, l) => (Math.PI * l) / 22)
      const rgb = float64(angles.map((angle) => [Math.cos(angle), Math.sin(angle)]))
      const flow = float64(angles.map(() => [1, 2]))
      expect(value(regionalConsistency(rgb, flow))).toBeCloseTo(0.5850162, 6)
      expect(value(regionalConsistency(rgb, flow, { form: 'eq4' }))).toBeCloseTo(0.0779949, 6)
      expect(value(regionalConsistency(rgb, flow, { regions: 2 }))).toBeCloseTo(0.3451383, 6)
      expect(value(regionalConsistency(rgb.narrow(1, 0, 10), flow.narrow(1, 0, 10)))).toBeCloseTo(0.4886084, 6)
    }))

  test('sharper 2. a region of zeros is similar to none, and has a finite gradient', () =>
    tidy(() => {
      const rgb = float64([[0, 0], [0, 0], ...RGB.slice(2)]).requiresGrad_()
      const loss = regionalConsistency(rgb, float64(FLOW), { regions: 2 })
      expect(value(loss)).toBeCloseTo(1.2071056, 6)
      loss.backward()
      expect(rgb.grad?.isfinite().all().item()).toBe(true)
    }))
})
