import { beforeAll, describe, expect, test } from 'vitest'
import { BatchNorm1d, Linear, Module } from '../../lib/nn'
import { ExponentialMovingAverage, StochasticWeightAverage, updateBatchNorm, type WeightAverage } from '../../lib/optim'
import { memory, ones, type Tensor } from '../../lib/tensor'
import { deviation, readExtras } from './reference-extras'

let stored: (name: string) => Tensor
beforeAll(async () => {
  stored = await readExtras()
})

class Net extends Module {
  readonly linear = new Linear(3, 4, { dtype: 'float64' })
  readonly norm = new BatchNorm1d(4, { dtype: 'float64' })

  forward(x: Tensor): Tensor {
    return this.norm.forward(this.linear.forward(x))
  }
}

const VARIANTS: readonly [name: string, make: (net: Net) => WeightAverage][] = [
  ['ema', (net) => new ExponentialMovingAverage(net, { decay: 0.8 })],
  ['ema-buffers', (net) => new ExponentialMovingAverage(net, { decay: 0.8, useBuffers: true })],
  ['swa', (net) => new StochasticWeightAverage(net)],
]
const UPDATES = 5

function load(net: Net, update: number): void {
  net.loadStateDict(new Map([...net.stateDict().keys()].map((key) => [key, stored(`average/in/${update}/${key}`)])))
}

describe.each(VARIANTS)('%s', (variant, make) => {
  test('averages as PyTorch does', () => {
    const net = new Net()
    const average = make(net)
    for (let update = 0; update < UPDATES; update++) {
      load(net, update)
      average.update()
      for (const [key, tensor] of average.stateDict()) {
        // An average of counts means nothing: ours is the latest, PyTorch's is rounded down.
        if (variant === 'ema-buffers' && key.endsWith('num_batches_tracked')) continue
        expect(deviation(tensor, stored(`average/${variant}/${update}/${key}`)), `${key} ${update}`).toBeLessThan(1e-12)
      }
    }
  })

  test('continues from its state dict', () => {
    const net = new Net()
    const average = make(net)
    for (const update of [0, 1]) {
      load(net, update)
      average.update()
    }
    const resumed = make(new Net())
    resumed.loadStateDict(average.stateDict())
    for (const [key, tensor] of resumed.stateDict())
      expect(tensor.equal(average.stateDict().get(key) as Tensor)).toBe(true)
  })
})

describe('weight averages', () => {
  test('change places with the weights and back', async () => {
    const net = new Net()
    load(net, 0)
    const average = new ExponentialMovingAverage(net, { decay: 0.5 })
    average.update()
    load(net, 1)
    const weight = () => net.linear.weight.detach().clone()
    const [trained, averaged] = [weight(), stored('average/in/0/linear.weight')]
    const seen = await average.use(async () => {
      await Promise.resolve()
      return weight()
    })
    expect(seen.equal(averaged)).toBe(true)
    expect(weight().equal(trained)).toBe(true)
    await expect(average.use(() => Promise.reject(new Error('no data')))).rejects.toThrow('no data')
    expect(weight().equal(trained)).toBe(true)
  })

  test('load into another module by name', () => {
    const [net, other] = [new Net(), new Net()]
    load(net, 2)
    const average = new StochasticWeightAverage(net)
    average.update()
    other.loadStateDict(average.averages())
    expect(other.linear.weight.detach().equal(net.linear.weight.detach())).toBe(true)
  })

  test('are freed with dispose, and an update leaves nothing behind', () => {
    const net = new Net()
    const before = memory.stats().tensors
    const average = new ExponentialMovingAverage(net)
    const made = memory.stats().tensors
    average.update()
    average.swap()
    expect(memory.stats().tensors).toBe(made)
    average.dispose()
    expect(memory.stats().tensors).toBe(before)
  })

  test('say what does not fit', () => {
    const net = new Net()
    expect(() => new ExponentialMovingAverage(net, { decay: 1.5 })).toThrow(/decay is 1.5/)
    const average = new StochasticWeightAverage(net)
    expect(() => average.loadStateDict({ n_averaged: ones([2]), other: ones([1]) })).toThrow(
      /n_averaged: \[2\], expected \[\][\s\S]*module.linear.weight: missing[\s\S]*other: unexpected/,
    )
  })
})

describe('updateBatchNorm', () => {
  test('gives the statistics of all batches, as PyTorch does', async () => {
    const net = new Net()
    load(net, 0)
    net.eval()
    await updateBatchNorm(
      net,
      [0, 1, 2].map((i) => stored(`bn/batch${i}`)),
      (batch) => net.forward(batch),
    )
    for (const [key, tensor] of net.stateDict()) expect(deviation(tensor, stored(`bn/${key}`)), key).toBeLessThan(1e-12)
    expect(net.training).toBe(false)
    expect(net.norm.momentum).toBe(0.1)
  })

  test('restores the momentum when a batch fails', async () => {
    const net = new Net()
    const failing = updateBatchNorm(net, [1], () => {
      throw new Error('bad batch')
    })
    await expect(failing).rejects.toThrow('bad batch')
    expect(net.norm.momentum).toBe(0.1)
  })
})
