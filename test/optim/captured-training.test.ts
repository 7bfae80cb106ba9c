import { describe, expect, test } from 'vitest'
import { BatchNorm2d, Conv2d, Dropout, Linear, Module } from '../../lib/nn'
import {
  AdamW,
  type AnyOptimizer,
  CosineAnnealingLR,
  clipGradNorm_,
  ExponentialMovingAverage,
  SGD,
} from '../../lib/optim'
import {
  arange,
  autocast,
  type CapturedFunction,
  capture,
  crossEntropyLoss,
  manualSeed,
  randn,
  type Tensor,
  tensor,
  tidy,
} from '../../lib/tensor'
import { runChild } from '../support/child'

const STEPS = 50
/** Every tenth batch is the last of an epoch, and smaller. */
const batchSize = (step: number) => (step % 10 === 9 ? 3 : 8)

class Network extends Module {
  readonly conv = new Conv2d(3, 8, 3, { padding: 1 })
  readonly norm = new BatchNorm2d(8)
  readonly dropout = new Dropout({ p: 0.25 })
  readonly head = new Linear(8 * 36, 4)

  forward(x: Tensor): Tensor {
    const features = this.dropout.forward(this.norm.forward(this.conv.forward(x)).relu())
    return this.head.forward(features.flatten({ startDim: 1 }))
  }
}

type Batch = [x: Tensor, y: Tensor]
type MakeOptimizer = (parameters: Tensor[], lr: Tensor) => AnyOptimizer

/** The batches of a step: two, whose gradients are accumulated. */
function batchesOf(step: number): Batch[] {
  return [0, 1].map((half) => {
    manualSeed(1000 + 2 * step + half)
    const classes = arange(batchSize(step)).remainder(4)
    // Images of a class are brighter than those of the one before.
    const x = randn([batchSize(step), 3, 6, 6]).add(classes.reshape([-1, 1, 1, 1]).mul(0.5))
    return [x, classes.to('int64')]
  })
}

interface Outcome {
  readonly losses: readonly number[]
  /** Weights, statistics and averages. */
  readonly weights: readonly number[]
  readonly graphs: number
}

/** @param kind 'frozen' is captured, and goes on with the first learning rate */
async function train(make: MakeOptimizer, kind: 'eager' | 'captured' | 'frozen'): Promise<Outcome> {
  manualSeed(3)
  const model = new Network()
  const lr = tensor(0.05, { dtype: 'float32' })
  const optimizer = make(model.parameters(), lr)
  const scheduler = new CosineAnnealingLR(optimizer, { tMax: STEPS })
  optimizer.initialize()
  const average = new ExponentialMovingAverage(model, { decay: 0.9 })
  const step = (batches: Batch[]): Tensor => {
    optimizer.zeroGrad()
    let total: Tensor | undefined
    for (const [x, y] of batches) {
      const scores = autocast({ dtype: 'bfloat16' }, () => model.forward(x))
      const loss = crossEntropyLoss(scores.to('float32'), y).div(batches.length)
      loss.backward()
      total = total ? total.add(loss.detach()) : loss.detach()
    }
    clipGradNorm_(model.parameters(), 0.5)
    optimizer.step()
    average.update()
    return total as Tensor
  }
  const captured: CapturedFunction<[Batch[]], Tensor> | undefined = kind === 'eager' ? undefined : capture(step)
  const losses: number[] = []
  for (let i = 0; i < STEPS; i++) {
    const batches = batchesOf(i)
    manualSeed(5000 + i)
    const loss = captured ? await captured(batches) : tidy(() => step(batches))
    losses.push(loss.toNumber())
    if (kind !== 'frozen') scheduler.step()
  }
  const tensors = [...model.stateDict().values(), ...average.averages().values()]
  const weights = tensors.flatMap((t) => Array.from(t.to('float64').dataSync() as Float64Array))
  return { losses, weights, graphs: captured?.graphCount ?? 0 }
}

/** Largest difference of two lists, relative to the larger of the two numbers and of 1e-3. */
function largestRelative(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length)
  return Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN)) / Math.max(Math.abs(x), 1e-3)))
}

const OPTIMIZERS: readonly [name: string, make: MakeOptimizer][] = [
  ['SGD with momentum', (params, lr) => new SGD(params, { lr, momentum: 0.9, weightDecay: 1e-4 })],
  ['AdamW', (params, lr) => new AdamW(params, { lr })],
]

describe.each(OPTIMIZERS)('50 captured steps of %s with all that changes between steps', (_, make) => {
  test('equal eager ones, in two graphs: one for the usual batch, one for the last', async () => {
    const eager = await train(make, 'eager')
    const captured = await train(make, 'captured')
    expect(captured.graphs).toBe(2)
    expect(largestRelative(captured.losses, eager.losses)).toBeLessThanOrEqual(1e-6)
    expect(largestRelative(captured.weights, eager.weights)).toBeLessThanOrEqual(1e-6)
    // It does train, so that there is something to compare.
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean(eager.losses.slice(-10))).toBeLessThan(0.95 * mean(eager.losses.slice(0, 10)))
  })

  test('differ when the learning rate is frozen', async () => {
    const eager = await train(make, 'eager')
    const frozen = await train(make, 'frozen')
    expect(largestRelative(frozen.losses, eager.losses)).toBeGreaterThan(1e-2)
    expect(largestRelative(frozen.weights, eager.weights)).toBeGreaterThan(1e-2)
  })
})

test('gradients accumulate over captured calls, and a captured update ends them', async () => {
  const run = async (isCaptured: boolean) => {
    manualSeed(3)
    const model = new Linear(5, 2)
    const optimizer = new SGD(model.parameters(), { lr: tensor(0.1), momentum: 0.9 })
    optimizer.initialize()
    const accumulate = (x: Tensor) => {
      const loss = model.forward(x).square().mean()
      loss.backward()
      return loss.detach()
    }
    const update = () => {
      optimizer.step()
      optimizer.zeroGrad()
    }
    const [add, end] = isCaptured ? [capture(accumulate), capture(update)] : [accumulate, update]
    const losses: number[] = []
    for (let i = 0; i < 12; i++) {
      losses.push((await add(randn([4, 5]))).toNumber())
      if (i % 3 === 2) await end()
    }
    return { losses, weights: model.parameters().map((p) => p.toArray()) }
  }
  expect(await run(true)).toEqual(await run(false))
})

test('memory does not grow over 2,000 captured steps', async () => {
  const { stdout } = await runChild(
    `
    import { capture, crossEntropyLoss, memory, randn, tensor, tidyAsync, zeros } from 'lib'
    import { BatchNorm1d, Dropout, Linear, Sequential } from 'lib/nn'
    import { AdamW } from 'lib/optim'
    const model = new Sequential(new Linear(16, 32), new BatchNorm1d(32), new Dropout(), new Linear(32, 4))
    const optimizer = new AdamW(model.parameters(), { lr: tensor(1e-3) })
    optimizer.initialize()
    const step = capture((x, y) => {
      optimizer.zeroGrad()
      const loss = crossEntropyLoss(model.forward(x), y)
      loss.backward()
      optimizer.step()
      return loss.detach()
    })
    const rssAfter = async (steps) => {
      for (let i = 0; i < steps; i++) {
        const size = i % 10 === 9 ? 100 : 256
        await tidyAsync(async () => (await step(randn([size, 16]), zeros([size], { dtype: 'int64' }))).toNumber())
      }
      globalThis.gc()
      return [process.memoryUsage().rss, memory.stats().tensors]
    }
    const stretches = []
    for (const steps of [500, 500, 500, 500, 500]) stretches.push(await rssAfter(steps))
    console.log(JSON.stringify(stretches))`,
    { flags: ['--expose-gc', '--max-semi-space-size=1'], env: { OMP_NUM_THREADS: '1' } },
  )
  const stretches = JSON.parse(stdout) as [rss: number, tensors: number][]
  const growth = stretches.slice(1).map(([rss], i) => rss - (stretches[i]?.[0] ?? 0))
  // A leak grows every stretch: a kilobyte a step is half a megabyte. Compilers and garbage come and go.
  expect(growth.toSorted((a, b) => a - b)[1]).toBeLessThan(2 ** 20)
  expect(new Set(stretches.map(([, tensors]) => tensors)).size).toBe(1)
})
