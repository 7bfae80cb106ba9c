// The rules by which a captured function may be replayed, each with a test that breaks when the rule is.
import { describe, expect, it } from 'vitest'
import { autocast } from '../../lib/tensor/autocast'
import { inferenceMode, noGrad } from '../../lib/tensor/autograd'
import { call } from '../../lib/tensor/call'
import { arange, ones, randn, tensor, zeros } from '../../lib/tensor/creation'
import { capture } from '../../lib/tensor/graph'
import * as memory from '../../lib/tensor/memory'
import * as F from '../../lib/tensor/ops.generated'
import { manualSeed } from '../../lib/tensor/random'
import { tidy } from '../../lib/tensor/scope'
import type { Tensor } from '../../lib/tensor/tensor'

const MIB = 2 ** 20
const leaf = (values: readonly number[]) => tensor(values).requiresGrad_()

describe('what leads to a graph of its own', () => {
  it('the strides of an input', () => {
    using captured = capture((x: Tensor) => x.reshape([6]).mul(2))
    const x = arange(6).reshape([2, 3])
    expect(captured.sync(x).toArray()).toEqual([0, 2, 4, 6, 8, 10])
    // Of the same shape, and not contiguous: reshape() is a view of the one and a copy of the other.
    expect(captured.sync(arange(6).reshape([3, 2]).t()).toArray()).toEqual([0, 4, 8, 2, 6, 10])
    expect(captured.graphCount).toBe(2)
  })

  it('as many as are kept: the one unused for longest makes room', async () => {
    const recorded: number[] = []
    using captured = capture(
      (x: Tensor) => {
        recorded.push(x.size(0))
        return x.mul(2)
      },
      { maxGraphs: 2 },
    )
    for (const length of [1, 2, 1, 3, 1, 2])
      expect((await captured(ones([length]))).toArray()).toEqual(Array(length).fill(2))
    expect(recorded).toEqual([1, 2, 3, 2])
    expect(captured.graphCount).toBe(2)
    // Those that run stay until they have ended.
    const running = [4, 5, 6].map((length) => captured(ones([length])))
    const more = [4, 5, 6].map((length) => captured(ones([length])))
    for (const x of await Promise.all([...running, ...more])) expect(x.toArray()).toEqual(Array(x.size(0)).fill(2))
    expect(() => capture((x: Tensor) => x, { maxGraphs: 0 })).toThrow(/maxGraphs is 0; it must be a whole number/)
  })

  it('gradient, inference and autocast modes', () => {
    const w = leaf([2])
    using captured = capture((x: Tensor) => x.mul(w))
    const x = tensor([3])
    expect(captured.sync(x).requiresGrad).toBe(true)
    expect(captured.sync(x).requiresGrad).toBe(true)
    expect(noGrad(() => captured.sync(x)).requiresGrad).toBe(false)
    expect(inferenceMode(() => captured.sync(x)).requiresGrad).toBe(false)
    expect(captured.graphCount).toBe(3)
    using product = capture((a: Tensor) => a.matmul(a))
    expect(product.sync(ones([2, 2])).dtype).toBe('float32')
    expect(autocast({ dtype: 'bfloat16' }, () => product.sync(ones([2, 2]))).dtype).toBe('bfloat16')
    expect(product.sync(ones([2, 2])).dtype).toBe('float32')
    expect(product.graphCount).toBe(2)
  })

  it('another shape, dtype or layout of a tensor that the graph holds', () => {
    const w = ones([2, 3])
    using captured = capture((x: Tensor) => x.add(w.reshape([6])))
    expect(captured.sync(zeros([6])).toArray()).toEqual([1, 1, 1, 1, 1, 1])
    tidy(() => call('aten::set_data', [w, arange(6).reshape([3, 2]).t()]))
    expect(captured.sync(zeros([6])).toArray()).toEqual([0, 2, 4, 1, 3, 5])
    tidy(() => call('aten::set_data', [w, arange(6).reshape([2, 3]).to('float64')]))
    expect(captured.sync(zeros([6])).dtype).toBe('float64')
    expect(captured.graphCount).toBe(1)
  })

  it('a gradient that is there or is not, where the function looks', () => {
    const w = leaf([1, 1])
    using captured = capture((x: Tensor) => (w.grad === null ? x.mul(0) : x.mul(w.grad)))
    const x = tensor([3, 4])
    expect(captured.sync(x).toArray()).toEqual([0, 0])
    w.mul(tensor([5, 7]))
      .sum()
      .backward()
    expect(captured.sync(x).toArray()).toEqual([15, 28])
    w.grad = null
    expect(captured.sync(x).toArray()).toEqual([0, 0])
    w.grad = tensor([2, 2])
    expect(captured.sync(x).toArray()).toEqual([6, 8])
    expect(captured.graphCount).toBe(2)
  })
})

describe('values', () => {
  it('an operator that returns or writes its argument goes on naming the same value', async () => {
    using captured = capture((x: Tensor) => {
      const y = x.clone()
      const same = y.contiguous().add_(1)
      y.narrow(0, 0, 1).mul_(10)
      return [y, same.mul(2)]
    })
    captured.sync(tensor([1, 2]))
    const [y, doubled] = (await captured(tensor([3, 4]))) as [Tensor, Tensor]
    expect([y.toArray(), doubled.toArray()]).toEqual([
      [40, 5],
      [80, 10],
    ])
  })

  it('an undefined output is a value', () => {
    const backward = (gradient: Tensor, x: Tensor, w: Tensor) =>
      call('aten::convolution_backward', [
        ...[gradient, x, w, [1], [0], [1], false, [0], 1],
        [true, false, true],
      ]) as (Tensor | null)[]
    using captured = capture(backward)
    const inputs = (): [Tensor, Tensor, Tensor] => [randn([1, 2, 3]), randn([1, 1, 4]), randn([2, 1, 2])]
    captured.sync(...inputs())
    const given = inputs()
    const replayed = captured.sync(...given)
    expect(replayed[1]).toBeNull()
    expect(replayed.map((t) => t?.toArray())).toEqual(backward(...given).map((t) => t?.toArray()))
    expect(captured.toString()).toMatch(/%\d+, none, %\d+ = aten::convolution_backward/)
  })

  it('lists of tensors, with gaps, are values', () => {
    using captured = capture((x: Tensor, i: Tensor) => {
      const [left, right] = x.chunk(2, { dim: 1 }) as [Tensor, Tensor]
      return call('aten::index', [F.cat([right, left], { dim: 1 }), [null, i]]) as Tensor
    })
    captured.sync(zeros([2, 4]), tensor([0n, 1n]))
    const picked = captured.sync(arange(8).reshape([2, 4]), tensor([3n, 0n]))
    expect(picked.toArray()).toEqual([
      [1, 2],
      [5, 6],
    ])
  })

  it('a number among the arguments may change, and its graph stays', () => {
    using captured = capture((x: Tensor, scale: Tensor | number) => x.mul(scale))
    expect([2, 3, 0.5].map((scale) => captured.sync(tensor([4]), scale).item())).toEqual([8, 12, 2])
    expect(captured.graphCount).toBe(1)
  })

  it('are freed after their last use', () => {
    using captured = capture((x: Tensor) => {
      let y = x
      for (let i = 0; i < 40; i++) y = y.add(1)
      return y.sum()
    })
    const x = zeros([MIB]) // 4 MiB
    expect(captured.sync(x).item()).toBe(40 * MIB)
    memory.resetPeak()
    const before = memory.stats().allocatedCpuBytes
    expect(captured.sync(x).item()).toBe(40 * MIB)
    // An operator's input and its result; all 40 would be 160 MiB.
    expect(memory.stats().peakCpuBytes - before).toBeLessThan(9 * MIB)
  })

  it('take memory that earlier runs used, which is given up where the limit asks for it', () => {
    using captured = capture((x: Tensor) => x.add(1).mul(2).sum())
    const x = zeros([4 * MIB]) // 16 MiB
    captured.sync(x)
    captured.sync(x)
    const { allocatedCpuBytes, limitCpuBytes } = memory.stats()
    memory.setCpuLimit(allocatedCpuBytes + 40 * MIB)
    try {
      expect(
        tidy(() =>
          ones([9 * MIB])
            .sum()
            .item(),
        ),
      ).toBe(9 * MIB) // 36 MiB
      expect(captured.sync(x).item()).toBe(8 * MIB)
      expect(memory.stats().allocatedCpuBytes).toBeLessThan(allocatedCpuBytes + MIB)
    } finally {
      memory.setCpuLimit(limitCpuBytes)
    }
  })
})

describe('the state of the thread', () => {
  it('is recorded with every call, and replayed on the pool', async () => {
    const w = leaf([2])
    using captured = capture((x: Tensor) => {
      const half = autocast({ dtype: 'bfloat16' }, () => F.matmul(x.reshape([1, 1]), w.reshape([1, 1])))
      return [x.mul(w), noGrad(() => x.mul(w)), half]
    })
    captured.sync(tensor([1]))
    const [open, closed, half] = (await captured(tensor([3]))) as [Tensor, Tensor, Tensor]
    expect([open.requiresGrad, closed.requiresGrad]).toEqual([true, false])
    expect([half.dtype, half.toNumber()]).toEqual(['bfloat16', 6])
    expect([open.toNumber(), closed.toNumber()]).toEqual([6, 6])
  })

  it('weights that autocast has cast are cast anew in each run and after each change', async () => {
    const w = tensor([[1]]).requiresGrad_()
    using captured = capture((x: Tensor) =>
      autocast({ dtype: 'bfloat16' }, () => {
        const first = F.matmul(x, w)
        noGrad(() => w.add_(1))
        return [first, F.matmul(x, w)]
      }),
    )
    const numbers = async () => ((await captured(tensor([[1]]))) as Tensor[]).map((t) => t.toNumber())
    await numbers()
    expect(await numbers()).toEqual([2, 3])
    noGrad(() => w.fill_(10))
    expect(await numbers()).toEqual([10, 11])
  })

  it('random numbers are those that eager calls would draw', async () => {
    const draw = (x: Tensor) => F.dropout(x, 0.5, true)
    using captured = capture(draw)
    const x = ones([64])
    manualSeed(1)
    const eager = [draw(x), draw(x), draw(x)].map((t) => t.toArray())
    manualSeed(1)
    const replayed = [await captured(x), await captured(x), await captured(x)].map((t) => t.toArray())
    expect(replayed).toEqual(eager)
    expect(String(eager[0])).not.toBe(String(eager[1]))
  })

  it('a backward is one instruction', () => {
    const w = leaf([1, 2])
    using captured = capture((x: Tensor) => {
      w.grad = null
      w.mul(x).sin().exp().sum().backward()
    })
    captured.sync(tensor([1, 1]))
    expect(captured.toString().match(/backward/gi)).toHaveLength(1)
    captured.sync(tensor([0, 0]))
    // d/dw exp(sin(w·x)) = x · …
    expect(w.grad?.toArray()).toEqual([0, 0])
  })
})

describe('runs at the same time', () => {
  it('are right where the function changes nothing', async () => {
    using captured = capture((x: Tensor) => {
      let y = x
      for (let i = 0; i < 20; i++) y = y.add(x)
      return y
    })
    const inputs = Array.from({ length: 12 }, (_, i) => ones([30_000]).mul(i))
    captured.sync(inputs[0] as Tensor)
    const outputs = await Promise.all(inputs.map((x) => captured(x)))
    expect(outputs.map((y) => [y.amin().item(), y.amax().item()])).toEqual(inputs.map((_, i) => [21 * i, 21 * i]))
  })

  it('are refused where two graphs of a function change the same tensor', async () => {
    const total = zeros([1])
    using captured = capture((x: Tensor) => total.add_(x.sum()).clone())
    captured.sync(ones([3]))
    captured.sync(ones([2]))
    const first = captured(ones([3]))
    await expect(captured(ones([2]))).rejects.toThrow(/running already/)
    expect((await first).item()).toBe(8)
    expect((await captured(ones([2]))).item()).toBe(10)
  })

  it('are refused where batch norm moves its statistics, which its schema does not say', async () => {
    const [mean, variance] = [zeros([2]), ones([2])]
    using captured = capture((x: Tensor) =>
      F.batchNorm(x, true, 0.1, 1e-5, false, { runningMean: mean, runningVar: variance }),
    )
    captured.sync(randn([4, 2]))
    const first = captured(randn([4, 2]))
    await expect(captured(randn([4, 2]))).rejects.toThrow(/running already/)
    await first
    expect(captured.toString()).toMatch(/\[2\] float32, written/)
  })

  it('are refused where one reads what the other changes', async () => {
    const w = ones([1])
    using update = capture((x: Tensor) => void w.add_(x))
    using read = capture((x: Tensor) => x.mul(w))
    update.sync(ones([1]))
    read.sync(ones([1]))
    const running = update(ones([1]))
    expect(() => read.sync(ones([1]))).toThrow(/running already/)
    await running
    expect(read.sync(ones([1])).item()).toBe(3)
  })

  it('are rejected when a tensor that they hold is changed meanwhile', async () => {
    const w = ones([1])
    using captured = capture((x: Tensor) => x.mul(w))
    captured.sync(ones([1]))
    const running = captured(ones([1]))
    w.add_(1)
    await expect(running).rejects.toThrow(/changed in place/)
    expect((await captured(ones([1]))).item()).toBe(2)
  })
})

it('what is refused while capturing names the line', () => {
  const captured = capture((x: Tensor) => x.mul(x.sum().item() as number))
  let stack = ''
  try {
    captured.sync(ones([2]))
  } catch (error) {
    stack = (error as Error).stack ?? ''
  }
  expect(stack).toMatch(/graph-rules\.test\.ts:\d+/)
})
