import { beforeAll, describe, expect, test } from 'vitest'
import { parameter } from '../../lib/nn/roles'
import { clipGradNorm_, clipGradValue_ } from '../../lib/optim'
import { memory, type Tensor, tensor, zeros, zerosLike } from '../../lib/tensor'
import { deviation, FACTS, readExtras } from './reference-extras'

let stored: (name: string) => Tensor
beforeAll(async () => {
  stored = await readExtras()
})

/** Parameters with the stored gradients, and one without. */
function parameters(): Tensor[] {
  const params = [0, 1, 2].map((i) => {
    const grad = stored(`clip/grad${i}`)
    const param = parameter(zerosLike(grad))
    param.grad = grad.clone()
    return param as Tensor
  })
  return [...params, parameter(zeros([2]))]
}

describe('clipGradNorm_', () => {
  test.each(FACTS.clip.map((fact, index) => [fact.normType, index] as const))('as PyTorch, norm %s', (_, index) => {
    const { maxNorm, normType, total } = FACTS.clip[index] as (typeof FACTS.clip)[number]
    const params = parameters()
    const norm = clipGradNorm_(params, maxNorm, {
      normType: normType === 'inf' ? Number.POSITIVE_INFINITY : Number(normType),
    })
    expect(Math.abs(norm.toNumber() - total) / total).toBeLessThan(1e-12)
    for (const i of [0, 1, 2]) {
      expect(deviation(params[i]?.grad as Tensor, stored(`clip/norm${index}/${i}`))).toBeLessThan(1e-12)
    }
    expect(params[3]?.grad).toBeNull()
  })

  test('takes one tensor, and gradients of several dtypes', () => {
    const [a, b] = [parameter(zeros([2])), parameter(zeros([1], { dtype: 'float64' }))]
    a.grad = tensor([3, 0])
    b.grad = tensor([4], { dtype: 'float64' })
    expect(clipGradNorm_(a, 100).toNumber()).toBe(3)
    expect(clipGradNorm_([a, b], 1).toNumber()).toBeCloseTo(5, 6)
    expect([a.grad?.toArray(), b.grad?.toArray()].flat().map((x) => Math.round(Number(x) * 1e5) / 1e5)).toEqual([
      0.6, 0, 0.8,
    ])
  })

  test('gives 0 where there are no gradients', () => {
    expect(clipGradNorm_([parameter(zeros([2]))], 1).toNumber()).toBe(0)
    expect(clipGradNorm_([], 1).toNumber()).toBe(0)
  })

  test('refuses a norm that is not finite when asked to, and leaves the gradients', () => {
    const param = parameter(zeros([2]))
    param.grad = tensor([Number.POSITIVE_INFINITY, 1])
    expect(() => clipGradNorm_([param], 1, { errorIfNonfinite: true })).toThrow(
      /norm of order 2 of the gradients is Infinity/,
    )
    expect(param.grad?.toArray()).toEqual([Number.POSITIVE_INFINITY, 1])
    expect(clipGradNorm_([param], 1).toNumber()).toBe(Number.POSITIVE_INFINITY)
  })

  test('leaves nothing behind but the norm', () => {
    const params = parameters()
    const before = memory.stats().tensors
    const norm = clipGradNorm_(params, 1)
    expect(memory.stats().tensors).toBe(before + 1)
    norm.dispose()
  })

  test('names a bad limit', () => {
    expect(() => clipGradNorm_([], -1)).toThrow(/maxNorm is -1/)
    expect(() => clipGradNorm_([], Number.NaN)).toThrow(/maxNorm is NaN/)
    expect(() => clipGradNorm_(['w'] as never, 1)).toThrow(/'w', not a Tensor/)
  })
})

describe('clipGradValue_', () => {
  test('as PyTorch', () => {
    const params = parameters()
    clipGradValue_(params, 0.4)
    for (const i of [0, 1, 2]) expect(deviation(params[i]?.grad as Tensor, stored(`clip/value/${i}`))).toBe(0)
    expect(() => clipGradValue_(params, -1)).toThrow(/clipValue is -1/)
  })
})
