import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  capture,
  discardTensors,
  inferenceMode,
  memory,
  noGrad,
  ones,
  receiveTensors,
  sendTensors,
  type Tensor,
  TensorChannel,
  tensor,
  tensorsOnTheirWay,
  tidy,
  zeros,
} from '../../lib/tensor'
import { runChild } from '../support/child'

const live = () => memory.stats().tensors
let before = 0
beforeEach(() => {
  before = live()
})
afterEach(() => {
  expect(live()).toBe(before)
  expect(tensorsOnTheirWay()).toBe(0)
})

/** What `postMessage` does to a message. */
const post = (message: unknown) => structuredClone(message)

describe('sendTensors and receiveTensors', () => {
  test('carry nested values, and the sender’s tensors are disposed', () => {
    const image = tensor([
      [1, 2],
      [3, 4],
    ])
    const label = tensor(7n)
    const message = post(sendTensors({ items: [image, { label }, 'name', 3], plain: new Float32Array([1]) }))
    expect([image.disposed, label.disposed, live(), tensorsOnTheirWay()]).toEqual([true, true, before, 2])

    tidy(() => {
      const { items, plain } = receiveTensors(message) as {
        items: [Tensor, { label: Tensor }, string, number]
        plain: unknown
      }
      expect(items[0].toArray()).toEqual([
        [1, 2],
        [3, 4],
      ])
      expect([items[1].label.item(), items[1].label.dtype, items[2], items[3]]).toEqual([7, 'int64', 'name', 3])
      expect(plain).toEqual(new Float32Array([1]))
    })
  })

  test('carry a tensor alone, and one that occurs twice as one', () => {
    tidy(() => {
      expect((receiveTensors(post(sendTensors(ones([2])))) as Tensor).toArray()).toEqual([1, 1])
      const x = ones([1])
      const [a, b] = receiveTensors(post(sendTensors([x, x]))) as [Tensor, Tensor]
      expect(a).toBe(b)
      expect(receiveTensors(post(sendTensors('no tensor')))).toBe('no tensor')
    })
  })

  test('do not copy what nobody else holds', () => {
    const large = zeros([2 ** 20])
    memory.resetPeak()
    const { allocatedCpuBytes } = memory.stats()
    const there = receiveTensors(post(sendTensors([large]))) as [Tensor]
    expect(memory.stats().peakCpuBytes).toBe(allocatedCpuBytes)
    there[0].dispose()
  })

  test('copy what a tensor that stays shares, so that neither sees the other’s changes', () => {
    tidy(() => {
      const whole = zeros([2, 3])
      const row = whole.at(0)
      const there = receiveTensors(post(sendTensors(row))) as Tensor
      whole.fill_(5)
      expect(there.toArray()).toEqual([0, 0, 0])
      there.fill_(9)
      expect(whole.toArray()).toEqual([
        [5, 5, 5],
        [5, 5, 5],
      ])
    })
  })

  test('keep views of one memory together when all of them leave', () => {
    tidy(() => {
      const whole = zeros([2, 3])
      const rows = [whole.at(0), whole.at(1), whole]
      const [first, , all] = receiveTensors(post(sendTensors(rows))) as [Tensor, Tensor, Tensor]
      first.fill_(1)
      expect(all.toArray()).toEqual([
        [1, 1, 1],
        [0, 0, 0],
      ])
    })
  })

  test('keep strides, and tensors made in inference mode become ordinary ones', () => {
    tidy(() => {
      const turned = receiveTensors(post(sendTensors(tensor([[1, 2, 3]]).t()))) as Tensor
      expect([turned.shape, turned.toArray()]).toEqual([
        [3, 1],
        [[1], [2], [3]],
      ])
      const made = receiveTensors(post(sendTensors(inferenceMode(() => ones([2]))))) as Tensor
      const weight = ones([2], { requiresGrad: true })
      made.mul(weight).sum().backward()
      expect(weight.grad?.toArray()).toEqual([1, 1])
    })
  })

  test('a message is received once', () => {
    const message = post(sendTensors([ones([1]), ones([2])]))
    tidy(() => void receiveTensors(message))
    expect(() => receiveTensors(message)).toThrow(/received or discarded before/)
    expect(discardTensors(message)).toBe(0)
  })

  test('one stale token takes none of the others', () => {
    const [used, fresh] = [sendTensors(ones([1])), sendTensors(ones([2]))]
    tidy(() => void receiveTensors(used))
    const both = { ...fresh, tokens: [...fresh.tokens, ...used.tokens] }
    expect(() => receiveTensors(both)).toThrow(expect.objectContaining({ kind: 'Disposed' }))
    expect(tensorsOnTheirWay()).toBe(1)
    expect(discardTensors(fresh)).toBe(1)
  })

  test.each([
    ['tokens that never were', { tokens: [1e15], value: null, places: [] }, 'Disposed'],
    [
      'tokens that are no numbers of tensors',
      { tokens: [Number.NaN, -1, 2 ** 60], value: null, places: [] },
      'Disposed',
    ],
    ['one token twice', { tokens: [1, 1], value: null, places: [] }, 'Disposed'],
    ['no message', { x: 1 }, 'Argument'],
    ['nothing', null, 'Argument'],
  ])('refuse %s', (_, message, kind) => {
    expect(() => receiveTensors(message)).toThrow(expect.objectContaining({ kind }))
  })

  test('refuse what cannot travel, and leave it as it is', () => {
    tidy(() => {
      const x = ones([1])
      const weight = ones([1], { requiresGrad: true })
      const cyclic: { x: Tensor; self?: unknown } = { x }
      cyclic.self = cyclic
      expect(() => sendTensors([x, weight])).toThrow(/requires gradients.*detach/)
      expect(() => sendTensors({ a: [new Map([['x', x]])] })).toThrow(/class Map at \.a\[0\]/)
      expect(() => sendTensors(cyclic)).toThrow(/at \.self holds itself/)
      expect(x.toArray()).toEqual([1])
      x.dispose()
      expect(() => sendTensors({ list: [1, x] })).toThrow(
        expect.objectContaining({ kind: 'Disposed', message: expect.stringContaining('.list[1]') }),
      )
    })
  })

  test('refuse to leave a function that is being captured', async () => {
    const x = ones([1])
    const run = capture((y: Tensor) => {
      sendTensors(y.add(1))
      return y
    })
    await expect(async () => run(x)).rejects.toThrow(/captured/)
    x.dispose()
  })

  test('a key called __proto__ is data', () => {
    tidy(() => {
      const value = JSON.parse('{"__proto__": {"x": 1}}')
      value.y = noGrad(() => ones([1]))
      const there = receiveTensors(post(sendTensors(value))) as object
      expect(Object.keys(there)).toEqual(['__proto__', 'y'])
    })
  })
})

describe('TensorChannel', () => {
  test('frees on closing what was sent there, and nothing else', () => {
    const [mine, other] = [new TensorChannel(), new TensorChannel()]
    const lost = sendTensors([ones([1]), ones([1])], { channel: mine.id })
    const kept = sendTensors(ones([3]), { channel: other.id })
    expect(mine.close()).toBe(2)
    expect(() => receiveTensors(lost)).toThrow(expect.objectContaining({ kind: 'Disposed' }))
    tidy(() => expect((receiveTensors(kept) as Tensor).toArray()).toEqual([1, 1, 1]))
    expect(other.close()).toBe(0)
  })

  test('refuses what is sent after it was closed', () => {
    const channel = new TensorChannel()
    channel.close()
    expect(() => sendTensors(ones([1]), { channel: channel.id })).toThrow(/closed/)
  })
})

test('tensors outlive the thread that sent them', async () => {
  const { stdout, stderr, code } = await runChild(`
    import { Worker, isMainThread, parentPort } from 'node:worker_threads'
    import { full, memory, ones, receiveTensors, sendTensors, tensorsOnTheirWay } from 'lib'
    if (isMainThread) {
      ones([1]).dispose()
      const before = memory.stats().allocatedCpuBytes
      const worker = new Worker(new URL(import.meta.url))
      const message = await new Promise((resolve) => worker.once('message', resolve))
      await new Promise((resolve) => worker.once('exit', resolve))
      const { x } = receiveTensors(message)
      console.log(x.sum().item(), tensorsOnTheirWay())
      x.dispose()
      console.log(memory.stats().allocatedCpuBytes - before < 2 ** 20)
    } else {
      parentPort.postMessage(sendTensors({ x: full([2 ** 22], 2) }))
    }`)
  expect([stdout, stderr, code]).toEqual([`${2 ** 23} 0\ntrue\n`, '', 0])
})
