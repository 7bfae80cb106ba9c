import { describe, expect, test } from 'vitest'
import {
  enableGrad,
  inferenceMode,
  isGradEnabled,
  isInferenceMode,
  keep,
  memory,
  noGrad,
  ones,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })

describe('gradients', () => {
  scoped('of a quadratic form, by hand', () => {
    // L = Σ (W x)², so dL/dW = 2 (W x) xᵀ and dL/dx = 2 Wᵀ W x.
    const W = tensor([[1, 2], [3, 4]], { requiresGrad: true }) // biome-ignore format: a matrix
    const x = tensor([5, 6], { requiresGrad: true })
    const loss = W.mv(x).pow(2).sum()
    expect(loss.item()).toBe(17 ** 2 + 39 ** 2)
    loss.backward()
    expect(W.grad?.toArray()).toEqual([
      [2 * 17 * 5, 2 * 17 * 6],
      [2 * 39 * 5, 2 * 39 * 6],
    ])
    expect(x.grad?.toArray()).toEqual([2 * (1 * 17 + 3 * 39), 2 * (2 * 17 + 4 * 39)])
  })

  scoped('sum up over calls, until they are cleared', () => {
    const x = tensor([3], { requiresGrad: true })
    x.mul(2).backward()
    x.mul(5).backward()
    expect(x.grad?.item()).toBe(7)
    x.grad = null
    expect(x.grad).toBeNull()
    x.mul(4).backward()
    expect((x.grad as Tensor | null)?.item()).toBe(4)
  })

  scoped('of a vector, with a given gradient', () => {
    const x = tensor([1, 2], { requiresGrad: true })
    x.pow(2).backward(tensor([10, 100]))
    expect(x.grad?.toArray()).toEqual([20, 400])
  })

  scoped('through a broadcast, an in-place operation and a view', () => {
    const x = ones([2, 3], { requiresGrad: true })
    const y = x.mul(2)
    y.add_(tensor([1, 2, 3]))
    y.at(0).mul(3).sum().backward()
    expect(x.grad?.toArray()).toEqual([
      [6, 6, 6],
      [0, 0, 0],
    ])
  })

  scoped('of second order', () => {
    const x = tensor([2], { requiresGrad: true })
    x.pow(3).backward(undefined, { createGraph: true })
    const first = x.grad as Tensor
    expect(first.item()).toBe(12)
    x.grad = null
    first.backward()
    // d²(x³)/dx² = 6x
    expect((x.grad as Tensor | null)?.item()).toBe(12)
  })

  scoped('outlive the scope of the computation', () => {
    const x = tensor([2], { requiresGrad: true })
    const loss = tidy(() => x.pow(2).sum())
    loss.backward()
    expect(x.grad?.item()).toBe(4)
  })

  scoped('of the same tensor are the same values each time they are asked for', () => {
    const x = tensor([2], { requiresGrad: true })
    x.mul(3).backward()
    x.grad?.mul_(10)
    expect(x.grad?.item()).toBe(30)
  })
})

describe('what is refused', () => {
  scoped('integers that require gradients', () => {
    expect(() => tensor([1n]).requiresGrad_()).toThrow(refusal('DType', /./))
  })
  scoped('backward of what requires none, or of many elements, or twice', () => {
    expect(() => ones([1]).backward()).toThrow(/does not require grad/)
    expect(() => ones([2], { requiresGrad: true }).mul(2).backward()).toThrow(/scalar outputs/)
    const loss = ones([1], { requiresGrad: true }).exp()
    loss.backward()
    expect(() => loss.backward()).toThrow(/second time/)
  })
  scoped('an in-place change of a leaf that requires gradients', () => {
    const x = ones([1], { requiresGrad: true })
    expect(() => x.add_(1)).toThrow(/in-place/)
    expect(noGrad(() => x.add_(1)).item()).toBe(2)
  })
  scoped('a gradient that does not fit', () => {
    const x = ones([2], { requiresGrad: true })
    expect(() => {
      x.grad = ones([3])
    }).toThrow(refusal('Shape', /\[3\] float32 does not fit its tensor \[2\] float32/))
    expect(() => {
      x.grad = ones([2], { dtype: 'float64' }) as never
    }).toThrow(refusal('DType', /float64/))
    const computed = x.mul(2)
    expect(() => {
      computed.grad = ones([2])
    }).toThrow(refusal('Argument', /leaf/))
  })
})

describe('modes', () => {
  scoped('noGrad records nothing, enableGrad inside it does', () => {
    const x = ones([1], { requiresGrad: true })
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false)
    expect(noGrad(() => enableGrad(() => x.mul(2))).requiresGrad).toBe(true)
    expect(noGrad(() => isGradEnabled())).toBe(false)
    expect(isGradEnabled()).toBe(true)
  })

  scoped('inferenceMode makes tensors that can never take part in gradients', () => {
    const x = ones([1], { requiresGrad: true })
    const y = inferenceMode(() => {
      expect([isInferenceMode(), isGradEnabled()]).toEqual([true, false])
      return x.mul(2)
    })
    expect([isInferenceMode(), isGradEnabled()]).toEqual([false, true])
    expect([y.requiresGrad, y.version]).toEqual([false, -1])
    expect(() => x.mul(y)).toThrow(/[Ii]nference/)
    expect(x.mul(2).requiresGrad).toBe(true)
  })

  test('are left as they were, whatever happens inside', () => {
    const boom = new Error('boom')
    const fail = () => {
      throw boom
    }
    expect(() => noGrad(() => inferenceMode(fail))).toThrow(boom)
    expect([isGradEnabled(), isInferenceMode()]).toEqual([true, false])
    noGrad(() => {
      inferenceMode(() => enableGrad(() => undefined))
      expect([isGradEnabled(), isInferenceMode()]).toEqual([false, false])
    })
    expect([isGradEnabled(), isInferenceMode()]).toEqual([true, false])
  })

  test.each([
    ['noGrad', noGrad],
    ['enableGrad', enableGrad],
    ['inferenceMode', inferenceMode],
  ] as const)('%s refuses a promise and is over', async (name, mode) => {
    expect(() => mode(async () => undefined)).toThrow(refusal('Argument', new RegExp(`${name}: .*promise`)))
    expect(() => mode(() => Promise.reject(new Error('unheard')))).toThrow(refusal('Argument', /promise/))
    expect([isGradEnabled(), isInferenceMode()]).toEqual([true, false])
  })
})

test('a training loop in tidy keeps nothing but the weight', () => {
  const weight = keep(zeros([1], { requiresGrad: true }))
  const before = memory.stats().tensors
  for (let step = 0; step < 50; step++) {
    tidy(() => {
      // Minimises (w − 3)²: w ← w − 0.1 · 2 (w − 3), so the distance shrinks by 0.8 a step.
      weight.sub(3).pow(2).sum().backward()
      noGrad(() => weight.sub_((weight.grad as Tensor).mul(0.1)))
      weight.grad = null
    })
  }
  expect(weight.toNumber()).toBeCloseTo(3 - 3 * 0.8 ** 50, 4)
  expect(memory.stats().tensors).toBe(before)
  weight.dispose()
})
