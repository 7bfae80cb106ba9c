import { describe, expect, it } from 'vitest'
import { bridge } from '../../lib/native/frame'
import { noGrad } from '../../lib/tensor/autograd'
import { ones, rand, randn, tensor, zeros } from '../../lib/tensor/creation'
import { capture, guardCapture } from '../../lib/tensor/graph'
import * as F from '../../lib/tensor/ops.generated'
import { manualSeed } from '../../lib/tensor/random'
import { keep, tidy, tidyAsync } from '../../lib/tensor/scope'
import type { Tensor } from '../../lib/tensor/tensor'

const liveTensors = () => bridge().memory().tensors

/** Two layers with batch norm, and momentum whose state is made before. */
function makeModel() {
  const parameters = [randn([16, 4]).mul(0.3), zeros([16]), randn([3, 16]).mul(0.3)].map((value) =>
    value.detach().requiresGrad_(),
  ) as [Tensor, Tensor, Tensor]
  const momenta = parameters.map((p) => zeros(p.shape))
  const statistics = [zeros([16]), ones([16])] as const
  const step = (x: Tensor, target: Tensor, rate: Tensor | number): Tensor => {
    for (const p of parameters) p.grad = null
    const [first, bias, second] = parameters
    const [mean, variance] = statistics
    const hidden = F.batchNorm(F.linear(x, first, { bias }), true, 0.1, 1e-5, false, {
      runningMean: mean,
      runningVar: variance,
    })
    const loss = F.crossEntropyLoss(F.linear(hidden.relu(), second), target)
    loss.backward()
    noGrad(() => {
      for (const [i, p] of parameters.entries()) {
        const momentum = momenta[i] as Tensor
        momentum.mul_(0.9).add_(p.grad as Tensor)
        p.sub_(momentum.mul(rate))
      }
    })
    return loss
  }
  return { step, parameters, statistics }
}

describe('capture', () => {
  it('replays a function with other inputs', async () => {
    using captured = capture((x: Tensor, y: Tensor) => x.mul(y).add(1))
    const first = await captured(tensor([1, 2]), tensor([3, 4]))
    const second = await captured(tensor([5, 6]), tensor([7, 8]))
    expect(first.toArray()).toEqual([4, 9])
    expect(second.toArray()).toEqual([36, 49])
    expect(captured.graphCount).toBe(1)
    expect(captured.sync(tensor([1, 1]), tensor([1, 1])).toArray()).toEqual([2, 2])
  })

  it('records a graph for each kind of input', async () => {
    using captured = capture((x: Tensor) => x.sum())
    expect((await captured(tensor([1, 2]))).item()).toBe(3)
    expect((await captured(tensor([1, 2, 3]))).item()).toBe(6)
    expect((await captured(tensor([1n, 2n]))).dtype).toBe('int64')
    expect((await captured(tensor([5, 6]))).item()).toBe(11)
    expect(captured.graphCount).toBe(3)
  })

  it('trains as the function itself does: 30 steps, a rate that changes, a smaller last batch', async () => {
    manualSeed(7)
    const data = tidy(() =>
      Array.from({ length: 30 }, (_, i) => ({ x: randn([i % 10 === 9 ? 3 : 8, 4]), rate: 0.1 / (1 + i) })),
    )
    const target = (x: Tensor) => x.narrow(1, 0, 3).argmax({ dim: 1 })
    const train = async (
      wrap: (step: ReturnType<typeof makeModel>['step']) => (x: Tensor, t: Tensor, r: number) => Promise<Tensor>,
    ) => {
      manualSeed(1)
      const { step, parameters, statistics } = makeModel()
      const run = wrap(step)
      const losses: unknown[] = []
      for (const { x, rate } of data) losses.push((await run(x, target(x), rate)).item())
      return { losses, weights: [...parameters, ...statistics].map((p) => Array.from(p.dataSync() as Float32Array)) }
    }
    const eager = await train((step) => async (x, t, rate) => step(x, t, rate))
    const captured = await train((step) => capture(step))
    expect(captured.losses).toEqual(eager.losses)
    expect(captured.weights).toEqual(eager.weights)
    expect(eager.losses.at(-1)).toBeLessThan(eager.losses[0] as number)
  })

  it('notices a frozen learning rate: a number made into a constant changes the outcome', async () => {
    const run = async (rates: readonly number[], frozen: boolean) => {
      manualSeed(1)
      const { step, parameters } = makeModel()
      let now = 0
      const captured = capture((x: Tensor, t: Tensor, rate: Tensor | number) => step(x, t, frozen ? now : rate))
      for (const rate of rates) {
        now = rate
        await captured(ones([2, 4]).mul(tensor([[1], [2]])), tensor([0n, 1n]), rate)
      }
      return parameters[2].toArray()
    }
    const rates = [0.1, 0.01, 0.001]
    expect(await run(rates, true)).not.toEqual(await run(rates, false))
  })

  it('draws new random numbers in each run', () => {
    using captured = capture((x: Tensor) => x.add(rand([4])))
    const outputs = [1, 2, 3].map(() => String(captured.sync(zeros([4])).toArray()))
    expect(new Set(outputs).size).toBe(3)
  })

  it('refuses a tensor that outlives the function, with its line', () => {
    const captured = capture((x: Tensor) => x.add(keep(zeros([2]))))
    expect(() => captured.sync(ones([2]))).toThrow(/made at .*graph\.test\.ts:\d+.* outlives the captured function/)
    expect(captured.graphCount).toBe(0)
  })

  it('refuses to read data, and works again afterwards', () => {
    const captured = capture((x: Tensor) => x.mul(x.sum().item() as number))
    expect(() => captured.sync(ones([2]))).toThrow(/read while a function is captured/)
    expect(ones([2]).sum().item()).toBe(2)
  })

  it('holds no value longer than it is used, and frees all when disposed', async () => {
    const before = liveTensors()
    await tidyAsync(async () => {
      using captured = capture((x: Tensor) => x.relu().sigmoid().sum())
      for (let i = 0; i < 20; i++) (await captured(ones([10]))).dispose()
      expect(captured.toString()).toMatch(/relu.*\n.*sigmoid\(%1\) {2}# frees %1/)
    })
    expect(liveTensors()).toBe(before)
  })

  it('rejects when an input is changed while it waits', async () => {
    using captured = capture((x: Tensor) => x.mul(2))
    const x = ones([4])
    captured.sync(x)
    const running = captured(x)
    x.add_(1)
    await expect(running).rejects.toThrow(/changed in place/)
  })

  it('refuses two runs at a time of a function that changes state', async () => {
    const state = zeros([1])
    using captured = capture((x: Tensor) => state.add_(x.sum()).clone())
    captured.sync(ones([3]))
    const one = captured(ones([3]))
    await expect(captured(ones([3]))).rejects.toThrow(/running already/)
    expect((await one).item()).toBe(6)
  })

  it('records again when a guard gives another value', () => {
    let training = true
    using captured = capture((x: Tensor) => {
      guardCapture(() => training)
      return training ? x.mul(2) : x
    })
    expect(captured.sync(ones([1])).item()).toBe(2)
    training = false
    expect(captured.sync(ones([1])).item()).toBe(1)
    training = true
    expect(captured.sync(ones([1])).item()).toBe(2)
    expect(captured.graphCount).toBe(2)
  })

  it('stops between operators when its signal fires', async () => {
    using captured = capture((x: Tensor) => {
      let y = x
      for (let i = 0; i < 2000; i++) y = y.sin()
      return y
    })
    const x = ones([200, 200])
    captured.sync(x)
    const controller = new AbortController()
    const running = captured.run([x], { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(running).rejects.toMatchObject({ kind: 'Cancelled', cause: { message: 'enough' } })
  })
})
