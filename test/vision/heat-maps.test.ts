import { describe, expect, test } from 'vitest'
import { ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { decodeHeatMaps, encodeHeatMaps } from '../../lib/vision'
import { hashTensor } from '../support/hash-weights'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const largest = (difference: Tensor) => difference.abs().max().toNumber()

describe('heat maps', () => {
  scoped('fall off as a Gaussian around the true place', () => {
    const maps = encodeHeatMaps(
      tensor([
        [
          [4, 10],
          [0, 0],
        ],
      ]),
      { size: [5, 4], sigma: 1.5 },
      tensor([[2, 0]]),
    )
    expect(maps.shape).toEqual([1, 2, 5, 4])
    // The point is at (1, 2.5) of the map; pixel (3, 2) is √(2² + ½²) away.
    expect(maps.at(0, 0, 2, 3).toNumber()).toBeCloseTo(Math.exp(-4.25 / (2 * 1.5 ** 2)), 6)
    expect(maps.at(0, 1).abs().sum().toNumber()).toBe(0)
  })

  scoped('give points back between pixels', () => {
    const points = hashTensor('points', [3, 7, 2], 40, 64)
    const maps = encodeHeatMaps(points, { size: [32, 32] })
    const { points: found, scores } = decodeHeatMaps(maps)
    expect(largest(found.sub(points))).toBeLessThan(0.02)
    expect(scores.min().toNumber()).toBeGreaterThan(0.8)
    // Half a pixel of the maps at most; the quarter halves that.
    expect(largest(decodeHeatMaps(maps, { method: 'peak' }).points.sub(points))).toBeLessThanOrEqual(2.001)
    expect(largest(decodeHeatMaps(maps, { method: 'quarter' }).points.sub(points))).toBeLessThanOrEqual(1.001)
  })

  scoped('have a mean place that gradients pass to', () => {
    const maps = zeros([1, 1, 4, 6])
    maps.at(0, 0, 1, 2).fill_(50)
    maps.at(0, 0, 3, 2).fill_(50)
    maps.requiresGrad_()
    const { points } = decodeHeatMaps(maps, { method: 'mean', stride: 1 })
    expect(largest(points.detach().sub(tensor([[[2, 2]]])))).toBeLessThan(1e-5)
    points.sum().backward()
    expect(maps.grad?.isfinite().all().item()).toBe(true)
  })

  scoped('at the border, or flat, are read at the pixel', () => {
    const maps = zeros([1, 2, 3, 3])
    maps.at(0, 0, 0, 2).fill_(1)
    maps.at(0, 1).fill_(0.5)
    expect(decodeHeatMaps(maps, { stride: 1 }).points.toArray()).toEqual([
      [
        [2, 0],
        [0, 0],
      ],
    ])
  })

  scoped('of other shapes are refused', () => {
    expect(() => encodeHeatMaps(ones([2, 2]), { size: [4, 4] })).toThrow(/points are \[2,2\]/)
    expect(() => encodeHeatMaps(ones([1, 2, 2]), { size: [4, 4] }, ones([2]))).toThrow(/visible is \[2\]/)
    expect(() => encodeHeatMaps(ones([1, 2, 2]), { size: [4, 4], sigma: 0 })).toThrow(/sigma is 0/)
    expect(() => decodeHeatMaps(ones([2, 2]))).toThrow(/maps are \[2,2\]/)
  })
})
