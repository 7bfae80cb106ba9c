import { describe, expect, test } from 'vitest'
import { Linear, Module, parameter, ReLU, Sequential } from '../../lib/nn'
import { capture, keep, memory, noGrad, ones, type Tensor, tensor, tidy } from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))

class Scale extends Module {
  readonly weight = parameter(tensor([3]))
  forward(x: Tensor): Tensor {
    return x.mul(this.weight)
  }
}

class ScaleTwice extends Scale {
  override forward(x: Tensor): Tensor {
    return super.forward(super.forward(x))
  }
}

describe('forward hooks', () => {
  scoped('see the module, its arguments and its result, in order', () => {
    const layer = new Scale()
    const seen: unknown[] = []
    layer.registerForwardPreHook((module, [x]) => {
      seen.push(module === layer, (x as Tensor).item())
    })
    layer.registerForwardHook((module, [x], y) => {
      seen.push(module === layer, (x as Tensor).item(), (y as Tensor).item())
    })
    layer.forward(tensor([2]))
    expect(seen).toEqual([true, 2, true, 2, 6])
    layer.dispose()
  })

  scoped('replace arguments and results, each after the one before', () => {
    const layer = new Scale()
    layer.registerForwardPreHook((_, [x]) => [(x as Tensor).add(1)])
    layer.registerForwardPreHook((_, [x]) => [(x as Tensor).mul(10)])
    layer.registerForwardHook((_, __, y) => (y as Tensor).add(0.5))
    layer.registerForwardHook((_, __, y) => (y as Tensor).mul(2))
    expect(layer.forward(tensor([1])).item()).toBe((20 * 3 + 0.5) * 2)
    layer.dispose()
  })

  scoped('run once a call, also where a class calls the forward of its base', () => {
    const layer = new ScaleTwice()
    let runs = 0
    const handle = layer.registerForwardHook(() => {
      runs += 1
    })
    expect(layer.forward(tensor([1])).item()).toBe(9)
    expect(runs).toBe(1)
    handle.remove()
    layer.forward(tensor([1]))
    expect(runs).toBe(1)
    layer.dispose()
  })

  scoped('of a child run within the network, and of one instance only', () => {
    const net = new Sequential(new Linear(2, 2), new ReLU(), new Linear(2, 2))
    const seen: string[] = []
    for (const [name, child] of net.namedChildren()) child.registerForwardHook(() => void seen.push(name))
    net.forward(ones([1, 2]))
    new Linear(2, 2).forward(ones([1, 2]))
    expect(seen).toEqual(['0', '1', '2'])
    net.dispose()
  })

  scoped('may throw, and refuse what is no list of arguments', () => {
    const layer = new Scale()
    const mine = new Error('mine')
    const throwing = layer.registerForwardHook(() => {
      throw mine
    })
    expect(() => layer.forward(tensor([1]))).toThrow(mine)
    throwing.remove()
    layer.registerForwardPreHook((() => 3) as never)
    expect(() => layer.forward(tensor([1]))).toThrow(/Scale: a forward pre-hook returned 3; it returns a list/)
    expect(() => layer.registerForwardHook(3 as never)).toThrow(/registerForwardHook: the hook is 3; pass a function/)
    layer.dispose()
  })

  test('are no part of a state dict, and leave no tensors', () => {
    const before = memory.stats().tensors
    const layer = new Scale()
    layer.registerForwardHook((_, __, y) => (y as Tensor).mul(2).add(1))
    tidy(() => void layer.forward(tensor([1])))
    expect([...layer.stateDict().keys()]).toEqual(['weight'])
    layer.dispose()
    expect(memory.stats().tensors).toBe(before)
  })

  test('take part in a captured function', async () => {
    const layer = new Scale()
    layer.registerForwardHook((_, __, y) => (y as Tensor).add(1))
    using captured = capture((x: Tensor) => noGrad(() => layer.forward(x)))
    expect((await captured(tensor([1]))).item()).toBe(4)
    expect((await captured(tensor([2]))).item()).toBe(7)
    layer.dispose()
  })

  scoped('give activations and their gradients, as Grad-CAM needs them', () => {
    const net = new Sequential(new Scale(), new Scale())
    const seen: Tensor[] = []
    const first = [...net.modules()].find((module) => module instanceof Scale)
    first?.registerForwardHook((_, __, y) => {
      seen.push(keep(y as Tensor))
      seen[0]?.registerHook((g) => void seen.push(keep(g)))
    })
    net
      .forward(tensor([2]))
      .sum()
      .backward()
    expect(seen.map((t) => t.item())).toEqual([6, 3])
    for (const t of seen) t.dispose()
    net.dispose()
  })
})
