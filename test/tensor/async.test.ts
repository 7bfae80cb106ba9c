import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { call, callAsync, memory, noGrad, ones, randn, type Tensor, tensor, tidyAsync, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'

const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })

test('an asynchronous call gives what the synchronous one gives', async () => {
  await tidyAsync(async () => {
    const [a, b] = [randn([64, 64]), randn([64, 64])]
    const later = (await callAsync('aten::matmul', [a, b])) as Tensor
    expect(later.dataSync()).toEqual(a.matmul(b).dataSync())
    const [top] = (await callAsync('aten::topk', [tensor([1, 3, 2]), 2], { sorted: true })) as [Tensor]
    expect(top.toArray()).toEqual([3, 2])
  })
})

test('many at once all arrive, each its own', async () => {
  await tidyAsync(async () => {
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, i) => callAsync('aten::add.Scalar', [ones([50]), i])),
    )
    expect(results.map((t) => (t as Tensor).at(0).item())).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  })
})

test('results larger than the frame arrive', async () => {
  await tidyAsync(async () => {
    const parts = (await callAsync('aten::unbind.int', [ones([40_000])])) as Tensor[]
    expect(parts).toHaveLength(40_000)
  })
})

test('the event loop goes on meanwhile', async () => {
  await tidyAsync(async () => {
    const a = ones([1500, 1500])
    let turns = 0
    let done = false
    const call = callAsync('aten::matmul', [a, a]).finally(() => {
      done = true
    })
    while (!done) {
      await turn()
      turns += 1
    }
    await call
    expect(turns).toBeGreaterThan(10)
  })
})

test('results belong to the scope that called', async () => {
  const before = await liveTensors()
  await tidyAsync(async () => {
    const x = ones([2])
    await Promise.all([callAsync('aten::neg', [x]), callAsync('aten::neg', [x])])
    expect(memory.stats().tensors).toBe(before + 3)
  })
  expect(memory.stats().tensors).toBe(before)
})

test('an in-place call returns its very object', async () => {
  const x = zeros([2])
  expect(await callAsync('aten::add_.Scalar', [x, 2])).toBe(x)
  expect(x.toArray()).toEqual([2, 2])
  x.dispose()
})

describe('what goes wrong', () => {
  test('bad arguments reject at once, failures of the operator later, with the shapes', async () => {
    await tidyAsync(async () => {
      await expect(callAsync('aten::matmul', [ones([2])])).rejects.toThrow(refusal('Argument', /takes 2 positional/))
      await expect(callAsync('aten::no_such', [])).rejects.toThrow(refusal('Argument', /no_such/))
      await expect(callAsync('aten::matmul', [ones([2, 3]), ones([2, 3])])).rejects.toThrow(
        refusal('Shape', /aten::matmul: .*self \[2, 3\] float32/),
      )
    })
  })

  test('an in-place change of an input while it waits or runs rejects', async () => {
    await tidyAsync(async () => {
      const a = ones([800, 800])
      const call = callAsync('aten::matmul', [a, a])
      a.add_(1)
      await expect(call).rejects.toThrow(refusal('Argument', /changed in place.*clone\(\)/))
    })
  })

  test('an input disposed meanwhile does no harm', async () => {
    await tidyAsync(async () => {
      const a = ones([400, 400])
      const call = callAsync('aten::matmul', [a, a])
      a.dispose()
      expect(((await call) as Tensor).at(0, 0).item()).toBe(400)
    })
  })

  test('the number of tensors is as before a failure', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      await callAsync('aten::reshape', [ones([2]), [3]]).catch(() => {})
    })
    expect(memory.stats().tensors).toBe(before)
  })
})

describe('AbortSignal', () => {
  test('aborted before the start', async () => {
    const reason = new Error('no longer wanted')
    const call = callAsync('aten::neg', [ones([1])], undefined, { signal: AbortSignal.abort(reason) })
    await expect(call).rejects.toThrow(expect.objectContaining({ kind: 'Cancelled', cause: reason }))
  })

  test('aborted while it waits in the queue', async () => {
    await tidyAsync(async () => {
      const a = ones([1200, 1200])
      const busy = Array.from({ length: 4 }, () => callAsync('aten::matmul', [a, a]))
      const controller = new AbortController()
      const waiting = callAsync('aten::neg', [a], undefined, { signal: controller.signal })
      controller.abort()
      await expect(waiting).rejects.toThrow(expect.objectContaining({ kind: 'Cancelled' }))
      await Promise.all(busy)
    })
  })

  test('an abort after the end changes nothing, and no listener stays', async () => {
    const controller = new AbortController()
    const result = (await callAsync('aten::neg', [ones([1])], undefined, { signal: controller.signal })) as Tensor
    controller.abort()
    await wait(5)
    expect(result.item()).toBe(-1)
    result.dispose()
  })
})

test('modes of the caller hold in the call', async () => {
  await tidyAsync(async () => {
    const x = ones([1], { requiresGrad: true })
    const recorded = (await callAsync('aten::neg', [x])) as Tensor
    expect(recorded.requiresGrad).toBe(true)
    const call = noGrad(() => {
      const pending = callAsync('aten::neg', [x])
      return { pending }
    })
    expect(((await call.pending) as Tensor).requiresGrad).toBe(false)
  })
})

test('a synchronous call works while an asynchronous one runs', async () => {
  await tidyAsync(async () => {
    const a = ones([600, 600])
    const pending = callAsync('aten::matmul', [a, a])
    expect((call('aten::sum', [ones([3])]) as Tensor).item()).toBe(3)
    await pending
  })
})
