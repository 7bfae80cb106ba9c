import { describe, expect, test } from 'vitest'
import {
  backward,
  capture,
  grad,
  manualSeed,
  memory,
  noGrad,
  ones,
  rand,
  randn,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })
const leaf = (values: readonly number[]) => tensor(values, { dtype: 'float64', requiresGrad: true })
const first = (tensors: readonly Tensor[]) => tensors[0] as Tensor

describe('grad', () => {
  scoped('gives gradients of leaves and of computed tensors, and leaves .grad alone', () => {
    // y = Σ a²b with a = 2x: dy/dx = 8xb, dy/db = 4x², dy/da = 2ab.
    const [x, b] = [leaf([1, 2]), leaf([3, 5])]
    const a = x.mul(2)
    const y = a.mul(a).mul(b).sum()
    expect(grad(y, [x, b, a]).map((g) => g.toArray())).toEqual([
      [24, 80],
      [4, 16],
      [12, 40],
    ])
    expect([x.grad, b.grad]).toEqual([null, null])
  })

  scoped('weighs several outputs by their gradients; null stands for 1', () => {
    const x = leaf([2, 3])
    const [vector, scalar] = [x.pow(2), x.sum()]
    const [g] = grad([vector, scalar], x, { gradOutputs: [tensor([10, 100], { dtype: 'float64' }), null] })
    expect(g?.toArray()).toEqual([10 * 4 + 1, 100 * 6 + 1])
  })

  scoped('differentiates again and again: x⁴ has 4x³, 12x², 24x, 24', () => {
    const x = leaf([3])
    let y = x.pow(4).sum()
    const found: unknown[] = []
    for (let order = 0; order < 4; order++) {
      y = first(grad(y, x, { createGraph: true })).sum()
      found.push(y.item())
    }
    expect(found).toEqual([108, 108, 72, 24])
  })

  scoped('gives null for an unused input when that is allowed', () => {
    const [x, z] = [leaf([1]), leaf([1])]
    const [gx, gz] = grad(x.mul(2), [x, z], { allowUnused: true })
    expect([gx?.item(), gz]).toEqual([2, null])
    expect(() => grad(x.mul(2), [x, z])).toThrow(refusal('Argument', /input 1 \[1\] was not used.*allowUnused: true/))
  })

  scoped('keeps the graph only when asked', () => {
    const x = leaf([1])
    const y = x.exp()
    const kept = first(grad(y, x, { retainGraph: true })).item()
    expect(first(grad(y, x)).item()).toBe(kept)
    expect(() => grad(y, x)).toThrow(/second time/)
  })

  scoped('accepts the same output and the same input twice', () => {
    const x = leaf([3])
    const y = x.mul(2)
    expect(grad([y, y], [x, x]).map((g) => g.item())).toEqual([4, 4])
  })
})

describe('backward of several tensors', () => {
  scoped('adds up in one pass through what they share', () => {
    const x = leaf([1, 2])
    const shared = x.pow(2)
    // Freed after one pass: two calls of backward() would fail.
    backward([shared.sum(), shared.mul(2)], [null, ones([2], { dtype: 'float64' })])
    expect(x.grad?.toArray()).toEqual([6, 12])
  })

  scoped('reaches only the inputs named', () => {
    const [x, w] = [leaf([2]), leaf([5])]
    backward(x.mul(w), null, { inputs: [w], retainGraph: true })
    expect([x.grad, w.grad?.item()]).toEqual([null, 2])
    x.mul(w).backward(undefined, { inputs: x })
    expect([x.grad?.item(), w.grad?.item()]).toEqual([5, 2])
  })

  scoped('keeps gradients of computed tensors that ask for it', () => {
    const x = leaf([3])
    const y = x.mul(2)
    y.retainGrad()
    expect([x.isLeaf, y.isLeaf, x.retainsGrad, y.retainsGrad]).toEqual([true, false, false, true])
    y.pow(2).backward()
    expect([y.grad?.item(), x.grad?.item()]).toEqual([12, 24])
  })
})

describe('what a tensor says of its history', () => {
  scoped('the node that computed it', () => {
    const x = leaf([1])
    expect([x.gradFn, x.mul(x).gradFn, x.relu().gradFn, noGrad(() => x.mul(2)).gradFn]).toEqual([
      null,
      'MulBackward0',
      'ReluBackward0',
      null,
    ])
  })

  scoped('detach shares memory without history; detach_ forgets it in place', () => {
    const x = leaf([1, 2])
    const y = x.mul(2)
    const detached = y.detach()
    expect([detached.requiresGrad, detached.isLeaf, detached.gradFn]).toEqual([false, true, null])
    detached.mul_(10)
    expect(y.toArray()).toEqual([20, 40])
    expect(y.detach_()).toBe(y)
    expect([y.requiresGrad, y.isLeaf, y.gradFn]).toEqual([false, true, null])
    expect(y.requiresGrad_().isLeaf).toBe(true)
  })

  scoped('a view that detach_ would cut off its base is refused', () => {
    const view = leaf([1, 2]).mul(1).view([2, 1])
    expect(() => view.detach_()).toThrow(/view/)
  })
})

describe('captured gradients', () => {
  test('of a gradient of a gradient equal eager ones', async () => {
    const f = (x: Tensor) => {
      const input = x.detach().requiresGrad_()
      const [g] = grad(input.pow(3).sum(), input, { createGraph: true })
      return grad((g as Tensor).sum(), input)
    }
    using captured = capture(f)
    await captured(tensor([1, 2]))
    expect(((await captured(tensor([3, 4])))[0] as Tensor).toArray()).toEqual([18, 24])
    expect(captured.graphCount).toBe(1)
    expect(captured.toString()).toMatch(/vision_native::grad/)
  })

  test('of an unused input are null in each run', async () => {
    using captured = capture((x: Tensor) => {
      const [a, b] = [x.detach().requiresGrad_(), x.detach().requiresGrad_()]
      const gradients = grad(a.pow(2).sum(), [a, b], { allowUnused: true })
      return gradients.map((g) => g ?? zeros([1]))
    })
    await captured(ones([2]))
    expect((await captured(tensor([5, 6]))).map((g) => g.toArray())).toEqual([[10, 12], [0]])
  })

  /** A critic with the penalty (‖∇f(x̂)‖ − 1)² of Gulrajani et al. 2017, updated by plain gradient descent. */
  function critic() {
    manualSeed(3)
    const parameters = [randn([16, 6]).mul(0.4), zeros([16]), randn([1, 16]).mul(0.4)].map((p) =>
      p.detach().requiresGrad_(),
    ) as [Tensor, Tensor, Tensor]
    const score = (x: Tensor) => x.matmul(parameters[0].t()).add(parameters[1]).tanh().matmul(parameters[2].t())
    const step = (real: Tensor, fake: Tensor, mix: Tensor): Tensor => {
      for (const p of parameters) p.grad = null
      const between = real
        .mul(mix)
        .add(fake.mul(mix.neg().add(1)))
        .detach()
        .requiresGrad_()
      const [slope] = grad(score(between).sum(), between, { createGraph: true })
      const penalty = (slope as Tensor)
        .pow(2)
        .sum({ dim: [1] })
        .sqrt()
        .sub(1)
        .pow(2)
        .mean()
      const loss = score(fake).mean().sub(score(real).mean()).add(penalty.mul(10))
      loss.backward()
      noGrad(() => {
        for (const p of parameters) p.sub_((p.grad as Tensor).mul(0.05))
      })
      return loss
    }
    return { parameters, step }
  }

  test('train a critic with a gradient penalty to the same weights', async () => {
    const run = async (captured: boolean) => {
      const { parameters, step } = critic()
      const call = captured ? capture(step) : async (...args: Parameters<typeof step>) => step(...args)
      manualSeed(11)
      const losses: unknown[] = []
      for (let i = 0; i < 12; i++) {
        losses.push((await call(randn([8, 6]), randn([8, 6]).mul(0.5), rand([8, 1]))).item())
      }
      return { losses, weights: parameters.map((p) => p.toArray()) }
    }
    const [eager, captured] = [await run(false), await run(true)]
    expect(captured).toEqual(eager)
    expect(new Set(eager.losses).size).toBe(12)
  })
})

describe('what is refused', () => {
  const x = () => leaf([1, 2])
  test.each<readonly [string, () => unknown, string, RegExp]>([
    ['no output', () => grad([], x()), 'Argument', /no tensor to start from/],
    ['no input', () => grad(x().sum(), []), 'Argument', /no input to differentiate by/],
    ['an empty list of inputs', () => x().sum().backward(undefined, { inputs: [] }), 'Argument', /inputs is empty/],
    ['an output without history', () => grad(ones([1]), x()), 'Argument', /tensor 0 \[1\] does not require grad/],
    [
      'an input that requires none',
      () => grad(x().sum(), ones([1])),
      'Argument',
      /input 0 \[1\] does not require grad/,
    ],
    ['a vector without its gradient', () => grad(x().mul(2), x()), 'Argument', /only for scalar outputs/],
    [
      'a gradient of another shape',
      () => grad(x().mul(2), x(), { gradOutputs: ones([3], { dtype: 'float64' }) }),
      'Shape',
      /gradient 0 has shape \[3\], its tensor \[2\]/,
    ],
    [
      'a complex gradient of a real tensor',
      () => grad(x().mul(2), x(), { gradOutputs: ones([2], { dtype: 'complex64' }) }),
      'DType',
      /both are complex or neither/,
    ],
    ['too many gradients', () => grad(x().sum(), x(), { gradOutputs: [null, null] }), 'Argument', /2 gradients for 1/],
    ['a number', () => grad(3 as never, x()), 'Argument', /expected a tensor or a list of them, got 3/],
    ['a list with null', () => backward([x().sum(), null as never]), 'Argument', /holds null at index 1/],
    ['an unknown gradient', () => grad(x().sum(), x(), { gradOutputs: ['1'] as never }), 'Argument', /holds '1'/],
  ])('%s', (_, attempt, kind, message) => {
    tidy(() => expect(attempt).toThrow(refusal(kind, message)))
  })

  scoped('a tensor that was disposed', () => {
    const gone = x()
    const y = gone.sum()
    gone.dispose()
    expect(() => grad(y, gone)).toThrow(refusal('Disposed', /disposed/))
    expect(() => gone.registerHook(() => undefined)).toThrow(refusal('Disposed', /disposed/))
  })
})

test('gradients leave no tensors but themselves', () => {
  const before = memory.stats().tensors
  tidy(() => {
    const x = leaf([1, 2])
    const count = memory.stats().tensors
    const y = x.mul(x).sum()
    grad(y, x, { createGraph: true })
    expect(memory.stats().tensors).toBe(count + 3)
  })
  expect(memory.stats().tensors).toBe(before)
})
