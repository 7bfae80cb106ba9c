import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import {
  callAsync,
  capture,
  enableGrad,
  keep,
  memory,
  noGrad,
  ones,
  type Tensor,
  tensor,
  tidy,
  tidyAsync,
  zeros,
} from '../../lib/tensor'

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })
const leaf = (...values: number[]) => tensor(values, { requiresGrad: true })

describe('a gradient hook', () => {
  scoped('sees the gradient, and may leave it', () => {
    const x = leaf(1, 2)
    const seen: unknown[] = []
    x.registerHook((g) => {
      seen.push(g.toArray())
    })
    x.mul(tensor([3, 4]))
      .sum()
      .backward()
    expect([seen, x.grad?.toArray()]).toEqual([[[3, 4]], [3, 4]])
  })

  scoped('sees the sum where a tensor is used twice', () => {
    const x = leaf(1)
    const y = x.mul(2)
    const seen: unknown[] = []
    y.registerHook((g) => void seen.push(g.item()))
    y.mul(3).add(y.mul(4)).backward()
    expect(seen).toEqual([7])
  })

  scoped('replaces it, each after the one before', () => {
    const x = leaf(1)
    const y = x.mul(5)
    y.registerHook((g) => g.mul(2))
    y.registerHook((g) => g.add(1))
    y.mul(3).backward()
    expect(x.grad?.item()).toBe(5 * (3 * 2 + 1))
  })

  scoped('keeps what it sees for whoever called backward', () => {
    const x = leaf(1)
    let seen: Tensor | undefined
    tidy(() => {
      const y = x.mul(2)
      y.registerHook((g) => {
        seen = keep(g)
      })
      return y.mul(3)
    }).backward()
    expect(seen?.item()).toBe(3)
  })

  scoped('is gone once removed, also by itself while it runs', () => {
    const x = leaf(1)
    let runs = 0
    const handle = x.registerHook(() => {
      runs += 1
      handle.remove()
    })
    const doubling = x.registerHook((g) => g.mul(2))
    for (let i = 0; i < 3; i++) x.mul(1).backward()
    doubling.remove()
    doubling.remove()
    x.mul(1).backward()
    expect([runs, x.grad?.item()]).toEqual([1, 7])
  })

  scoped('runs in grad() as well, and may record what it computes', () => {
    const x = leaf(2)
    x.registerHook((g) => g.mul(x))
    x.pow(2).backward(undefined, { createGraph: true })
    // g = 2x · x, so dg/dx = 4x.
    const first = x.grad as Tensor
    expect(first.item()).toBe(8)
    x.grad = null
    expect(first.requiresGrad).toBe(true)
  })

  scoped('may call backward itself, and operators that were never called before', () => {
    const [x, other] = [leaf(2), leaf(3)]
    x.registerHook((g) => {
      enableGrad(() => other.mul(7).sum().backward())
      return g
        .add(other.grad as Tensor)
        .sinc()
        .mul(0)
        .add(10)
    })
    x.mul(3).backward()
    expect([other.grad?.item(), x.grad?.item()]).toEqual([7, 10])
  })

  scoped('may go deep: each backward within the hook of another', () => {
    let depth = 0
    const descend = (left: number): void => {
      const x = leaf(1)
      x.registerHook(() => {
        depth += 1
        if (left > 1) enableGrad(() => descend(left - 1))
      })
      x.mul(1).backward()
    }
    descend(20)
    expect(depth).toBe(20)
  })

  scoped('may call very wide operators: the call that waits keeps its frame', () => {
    const x = leaf(1)
    x.registerHook((g) => {
      tensor(Array.from({ length: 40_000 }, (_, i) => i))
        .view([200, 200])
        .sum()
      zeros([2]).at([0, 1, 0, 1])
      return g.mul(2)
    })
    x.mul(4).backward()
    expect(x.grad?.item()).toBe(8)
  })

  scoped('may dispose of what it is given, and of the tensor it belongs to', () => {
    const x = leaf(1)
    const y = x.mul(2)
    y.registerHook((g) => {
      g.dispose()
      y.dispose()
    })
    const z = y.mul(3)
    z.backward()
    expect(x.grad?.item()).toBe(6)
  })
})

describe('a hook after accumulation', () => {
  scoped('is given the leaf itself with its gradient', () => {
    const x = leaf(5)
    const seen: unknown[] = []
    x.registerPostAccumulateGradHook((p) => {
      seen.push(p === x, p.grad?.item())
      noGrad(() => p.sub_((p.grad as Tensor).mul(0.1)))
      p.grad = null
    })
    x.mul(10).backward()
    x.mul(20).backward()
    expect(seen).toEqual([true, 10, true, 20])
    expect([x.toNumber(), x.grad]).toEqual([5 - 1 - 2, null])
  })

  scoped('runs after all gradient hooks, in order, until removed', () => {
    const x = leaf(1)
    const order: string[] = []
    const one = x.registerPostAccumulateGradHook(() => void order.push('one'))
    x.registerPostAccumulateGradHook(() => void order.push('two'))
    x.registerHook(() => void order.push('gradient'))
    x.mul(1).backward()
    one.remove()
    x.mul(1).backward()
    expect(order).toEqual(['gradient', 'one', 'two', 'gradient', 'two'])
  })
})

describe('what hooks throw', () => {
  test.each<readonly [string, unknown]>([
    ['an error', new RangeError('mine')],
    ['a string', 'text'],
    ['undefined', undefined],
    ['null', null],
  ])('%s comes out of backward as it is', (_, thrown) => {
    tidy(() => {
      const x = leaf(1)
      const handle = x.registerHook(() => {
        throw thrown
      })
      let caught: unknown = 'nothing'
      try {
        x.mul(2).backward()
      } catch (error) {
        caught = error
      }
      expect(caught).toBe(thrown)
      expect(x.grad).toBeNull()
      handle.remove()
      x.mul(2).backward()
      expect(x.grad?.item()).toBe(2)
    })
  })

  scoped('passes through a backward within a backward', () => {
    const [x, inner] = [leaf(1), leaf(1)]
    const mine = new Error('inner')
    inner.registerHook(() => {
      throw mine
    })
    x.registerHook(() => enableGrad(() => inner.mul(2).backward()))
    expect(() => x.mul(2).backward()).toThrow(mine)
  })
})

describe('what is refused', () => {
  const hooked = (hook: (g: Tensor) => unknown) => () => {
    const x = leaf(1, 2)
    x.registerHook(hook as never)
    x.mul(2).sum().backward()
  }
  const disposed = () => {
    const gone = ones([2])
    gone.dispose()
    return gone
  }
  const site = 'autograd-hooks\\.test\\.ts:\\d+'
  test.each<readonly [string, () => unknown, string, RegExp]>([
    [
      'a shape',
      hooked(() => ones([3])),
      'Shape',
      new RegExp(
        `^aten::_backward: the gradient hook registered at .*${site}.* returned \\[3\\].*for a gradient \\[2\\]`,
      ),
    ],
    ['a dtype', hooked((g) => g.to('float64')), 'DType', /returned \[2\] float64 for a gradient \[2\] float32/],
    ['a device', hooked((g) => g.to('meta')), 'Device', /returned .*meta/],
    ['a number', hooked(() => 3), 'Argument', new RegExp(`registered at .*${site}.* returned 3; it returns a tensor`)],
    ['a promise', hooked(async () => ones([2])), 'Argument', /returned a promise; backward\(\) does not wait/],
    ['a disposed tensor', hooked(disposed), 'Disposed', /disposed/],
    ['no function', () => leaf(1).registerHook({} as never), 'Argument', /the hook is an object/],
    ['a tensor without gradients', () => ones([1]).registerHook(() => undefined), 'Argument', /does not require grad/],
    [
      'accumulation in a computed tensor',
      () =>
        leaf(1)
          .mul(2)
          .registerPostAccumulateGradHook(() => undefined),
      'Argument',
      /only leaves accumulate gradients/,
    ],
  ])('%s', (_, attempt, kind, message) => {
    tidy(() => expect(attempt).toThrow(refusal(kind, message)))
  })

  scoped('a hook that a captured function reaches, by its line', () => {
    const x = leaf(1)
    const handle = x.registerHook(() => undefined)
    const captured = capture((y: Tensor) => {
      const loss = x.mul(y).sum()
      loss.backward()
      return loss
    })
    expect(() => captured.sync(ones([1]))).toThrow(
      refusal('Config', new RegExp(`registered at .*${site}.* while a function is captured`)),
    )
    handle.remove()
    expect(captured.sync(ones([1])).item()).toBe(1)
  })

  scoped('a hook registered in a captured function', () => {
    const captured = capture((x: Tensor) => {
      const y = x.detach().requiresGrad_()
      y.registerHook(() => undefined)
      return y.mul(2)
    })
    expect(() => captured.sync(ones([1]))).toThrow(refusal('Config', /registered while a function is captured/))
  })

  test('a hook that backward reaches on another thread', async () => {
    await tidyAsync(async () => {
      const x = leaf(1)
      const handle = x.registerHook(() => undefined)
      const message = new RegExp(`registered at .*${site}.* runs on another thread`)
      await expect(callAsync('aten::_backward', [x.mul(2), []])).rejects.toMatchObject({
        kind: 'Config',
        message: expect.stringMatching(message),
      })
      handle.remove()
      await callAsync('aten::_backward', [x.mul(2), []])
      expect(x.grad?.item()).toBe(2)
    })
  })

  test('registering while a call runs elsewhere', async () => {
    await tidyAsync(async () => {
      const x = leaf(1)
      const running = callAsync('aten::mul.Tensor', [ones([4]), ones([4])])
      expect(() => x.registerHook(() => undefined)).toThrow(refusal('Config', /asynchronous calls are running/))
      await running
      x.registerHook((g) => g.mul(3))
      x.mul(1).backward()
      expect(x.grad?.item()).toBe(3)
    })
  })
})

describe('hooks are freed', () => {
  /** A function that nothing but its hook refers to, and whether it is still there. */
  const watched = (register: (hook: () => undefined) => unknown): (() => Promise<boolean>) => {
    const reference = new WeakRef(
      (() => {
        const hook = () => undefined
        register(hook)
        return hook
      })(),
    )
    return async () => {
      // A WeakRef holds its target until the turn is over.
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setImmediate(resolve))
        gc()
      }
      return reference.deref() !== undefined
    }
  }

  test('with the tensor', async () => {
    const x = keep(leaf(1))
    const alive = watched((hook) => x.registerHook(hook))
    expect(await alive()).toBe(true)
    x.dispose()
    expect(await alive()).toBe(false)
  })

  test('with the graph of a computed tensor, not before it has run', async () => {
    const x = keep(leaf(1))
    let runs = 0
    const loss = keep(
      tidy(() => {
        const y = x.mul(2)
        y.registerHook(() => {
          runs += 1
        })
        return y.mul(3)
      }),
    )
    const alive = watched((hook) => tidy(() => void x.mul(2).registerHook(hook)))
    expect(await alive()).toBe(false)
    loss.backward()
    expect(runs).toBe(1)
    for (const t of [loss, x]) t.dispose()
  })

  test('when removed, while the tensor lives', async () => {
    const x = keep(leaf(1))
    const alive = watched((hook) => x.registerPostAccumulateGradHook(hook).remove())
    expect(await alive()).toBe(false)
    x.dispose()
  })

  test('however many come and go on one leaf', () => {
    const x = keep(leaf(1))
    const before = memory.stats().tensors
    for (let i = 0; i < 2000; i++) {
      tidy(() => {
        using _hook = x.registerHook((g) => g.mul(1))
        x.mul(1).backward()
        x.grad = null
      })
    }
    expect(memory.stats().tensors).toBe(before)
    x.dispose()
  })
})
