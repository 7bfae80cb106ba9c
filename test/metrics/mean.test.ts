import { describe, expect, test } from 'vitest'
import { Mean, weightedMean } from '../../lib/metrics'
import { inferenceMode, tensor } from '../../lib/tensor'

describe('Mean', () => {
  test('weighs what it is told: a loss by the size of its batch', () => {
    const mean = new Mean()
    mean.update(2, 8)
    mean.update(5, 4)
    expect(mean.compute()).toBe(3)
  })

  test('of all elements of tensors, each with a weight of its own', () => {
    expect(
      weightedMean(
        tensor([
          [1, 2],
          [3, 6],
        ]),
      ),
    ).toBe(3)
    expect(
      weightedMean(
        tensor([
          [1, 2],
          [3, 6],
        ]),
        tensor([1, 0]),
      ),
    ).toBe(2)
    expect(weightedMean(tensor([1, 3]), 5)).toBe(2)
  })

  test('adds up in float64: many small values do not vanish beside a large one', () => {
    const mean = new Mean()
    mean.update(tensor([2 ** 24]))
    for (let i = 0; i < 7; i++) mean.update(tensor([1]))
    expect(mean.compute()).toBe((2 ** 24 + 7) / 8)
  })

  test('shows that a loss was NaN', () => {
    const mean = new Mean()
    mean.update(Number.NaN)
    mean.update(1)
    expect(mean.compute()).toBeNaN()
    mean.reset()
    mean.update(1)
    expect(mean.compute()).toBe(1)
  })

  test('is NaN without weight', () => {
    expect(weightedMean(3, 0)).toBeNaN()
  })

  test('records nothing for backward()', () => {
    const mean = new Mean()
    mean.update(tensor([1, 2], { requiresGrad: true }))
    expect(Object.values(mean.stateDict()).map((state) => state.requiresGrad)).toEqual([false, false])
  })

  test('goes on outside inference mode', () => {
    const mean = new Mean()
    inferenceMode(() => mean.update(tensor([1])))
    mean.update(tensor([3]))
    expect(mean.compute()).toBe(2)
  })

  test('refuses weights that do not go with the values', () => {
    expect(() => weightedMean(tensor([1, 2]), tensor([1, 2, 3]))).toThrow(
      /weights \[3\] do not broadcast to values \[2\]/,
    )
    expect(() => weightedMean(1, tensor([1, 2]))).toThrow(/do not broadcast/)
    expect(() => weightedMean('1' as never)).toThrow(/values is .*; pass a Tensor or a number/)
  })
})
