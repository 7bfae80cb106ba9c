import { describe, expect, test } from 'vitest'
import { parameter } from '../../lib/nn/roles'
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  type AnyOptimizer,
  clipGradNorm_,
  ExponentialMovingAverage,
  GradScaler,
  LBFGS,
  NAdam,
  RAdam,
  RMSprop,
  SGD,
  StepLR,
} from '../../lib/optim'
import { capture, ones, type Tensor, tensor, tidy } from '../../lib/tensor'

const rate = (value: number) => tensor(value, { dtype: 'float64' })
const MAKERS: readonly [name: string, make: (params: Tensor[], lr: number | Tensor) => AnyOptimizer][] = [
  ['SGD', (params, lr) => new SGD(params, { lr, momentum: 0.9 })],
  ['SGD with dampening', (params, lr) => new SGD(params, { lr, momentum: 0.9, dampening: 0.2 })],
  ['Adam', (params, lr) => new Adam(params, { lr, amsgrad: true })],
  ['AdamW', (params, lr) => new AdamW(params, { lr, weightDecay: 0.1 })],
  ['Adamax', (params, lr) => new Adamax(params, { lr })],
  ['NAdam', (params, lr) => new NAdam(params, { lr, weightDecay: 0.1, decoupledWeightDecay: true })],
  ['RAdam', (params, lr) => new RAdam(params, { lr, betas: [0.9, 0.95] })],
  ['Adagrad', (params, lr) => new Adagrad(params, { lr })],
  ['Adadelta', (params, lr) => new Adadelta(params, { lr })],
  ['RMSprop', (params, lr) => new RMSprop(params, { lr, centered: true, momentum: 0.5 })],
]
const STEPS = 12

/** Trains two parameters with clipping, an average and a schedule; the step captured or not. */
async function train(make: (typeof MAKERS)[number][1], lr: number | Tensor, captured: boolean) {
  const values = [0.5, -1, 2, 0.25, 1, -0.75]
  const params = [
    parameter(tensor(values, { shape: [2, 3], dtype: 'float64' })),
    parameter(tensor([1, -1, 0.5], { dtype: 'float64' })),
  ] as const
  const optimizer = make([...params], lr)
  const scheduler = new StepLR(optimizer, { stepSize: 4, gamma: 0.5 })
  const named = new Map(params.map((p, i) => [`p${i}`, p as Tensor]))
  const average = new ExponentialMovingAverage(
    { namedParameters: () => named, namedBuffers: () => [], stateDict: () => named },
    { decay: 0.7 },
  )
  optimizer.initialize()
  const step = (x: Tensor): Tensor => {
    optimizer.zeroGrad()
    const loss = x.matmul(params[0].mul(params[1]).t()).square().sum()
    loss.backward()
    clipGradNorm_(params, 2)
    optimizer.step()
    average.update()
    return loss
  }
  const graph = captured ? capture(step) : undefined
  const losses: number[] = []
  for (let i = 0; i < STEPS; i++) {
    const x = tensor([Math.sin(i), Math.cos(i), 1], { shape: [1, 3], dtype: 'float64' })
    const loss = graph ? await graph(x) : tidy(() => step(x))
    losses.push(loss.toNumber())
    scheduler.step()
  }
  const averages = [...average.averages().values()].map((t) => t.toArray())
  return { losses, params: params.map((p) => p.toArray()), averages, graphs: graph?.graphCount ?? 0 }
}

describe.each(MAKERS)('a captured step of %s', (_, make) => {
  test('with a learning-rate tensor is one graph that equals eager steps', async () => {
    const eager = await train(make, rate(0.1), false)
    const captured = await train(make, rate(0.1), true)
    expect(captured).toEqual({ ...eager, graphs: 1 })
  })

  test('with a number is captured anew when a scheduler changes it', async () => {
    const eager = await train(make, 0.1, false)
    const captured = await train(make, 0.1, true)
    expect(captured).toEqual({ ...eager, graphs: 3 })
  })
})

test('a captured step without state says what to call', () => {
  const weight = parameter(ones([2]))
  const optimizer = new Adam([weight])
  const step = capture((x: Tensor) => {
    const loss = weight.mul(x).sum()
    loss.backward()
    optimizer.step()
    return loss
  })
  expect(() => step.sync(ones([2]))).toThrow(/call initialize\(\) before the capture/)
})

test('a captured step with a scaler skips what overflows and adapts the scale', () => {
  const run = (captured: boolean) => {
    const weight = parameter(ones([2]))
    const optimizer = new SGD([weight], { lr: tensor(0.1), momentum: 0.9 })
    optimizer.initialize()
    const scaler = new GradScaler({ device: 'cpu', initScale: 8, growthInterval: 2 })
    const step = (x: Tensor) => {
      optimizer.zeroGrad()
      scaler.scale(weight.mul(x).sum()).backward()
      scaler.step(optimizer)
      scaler.update()
      return weight.detach().clone()
    }
    const graph = capture(step)
    // The first step makes what the scaler keeps for its optimiser.
    tidy(() => step(ones([2])))
    return [1, 2, Number.NaN, 1, 1, 1].map((x) => {
      const input = tensor([x, 1])
      const weights = captured ? graph.sync(input) : tidy(() => step(input))
      return [weights.toArray(), scaler.getScale()]
    })
  }
  expect(run(true)).toEqual(run(false))
})

test('L-BFGS, which reads the loss, cannot be captured', () => {
  const weight = parameter(ones([2]))
  const optimizer = new LBFGS([weight])
  const closure = () => {
    const loss = weight.square().sum()
    loss.backward()
    return loss
  }
  expect(() => capture((_: Tensor) => optimizer.step(closure)).sync(ones([1]))).toThrow(
    /was read while a function is captured/,
  )
})
