import { beforeAll, describe, expect, test } from 'vitest'
import * as optim from '../../lib/optim'
import { memory, type Tensor, tensor, tidy } from '../../lib/tensor'
import { CASES, type Dtype, HALF, Replay, readSteps, STEPS } from './reference-steps'

const stored = new Map<Dtype, ReadonlyMap<string, Tensor>>()
beforeAll(async () => {
  for (const dtype of ['float32', 'float64'] as const) stored.set(dtype, await readSteps(dtype))
})
const steps = (dtype: Dtype) => stored.get(dtype) as ReadonlyMap<string, Tensor>

const LIMITS = { float64: 1e-10, float32: 1e-5 } as const

test('every optimiser has a case', () => {
  const exported = Object.entries(optim)
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof optim.Optimizer)
    .map(([name]) => name)
  expect([...new Set<string>(CASES.map((c) => c.optimiser))].sort()).toEqual(exported.sort())
})

describe.each(CASES.map((c) => [c.name, c] as const))('%s', (_, of) => {
  test.each(['float64', 'float32'] as const)('takes the steps that PyTorch takes (%s)', (dtype) => {
    const replay = new Replay(of, steps(dtype))
    for (let step = 1; step <= STEPS; step++) {
      replay.step(step)
      expect(replay.deviation(step), `step ${step}`).toBeLessThanOrEqual(LIMITS[dtype])
    }
  })

  test('gives a state dict with the names and shapes of PyTorch', () => {
    const replay = new Replay(of, steps('float32'))
    for (let step = 1; step <= STEPS; step++) replay.step(step)
    expect(layout(replay.optimizer.stateDict())).toEqual(of.stateDict)
  })

  test('continues identically from a state dict', () => {
    const whole = new Replay(of, steps('float64'))
    for (let step = 1; step <= 4; step++) whole.step(step)
    const half = whole.optimizer.stateDict()
    const resumed = new Replay(of, steps('float64'), { options: { lr: 0.5 } })
    resumed.optimizer.loadStateDict(half)
    for (const [i, param] of resumed.params.entries()) param.detach().copy_((whole.params[i] as Tensor).detach())
    for (let step = 5; step <= STEPS; step++) {
      whole.step(step)
      resumed.step(step)
    }
    for (const [i, param] of resumed.params.entries()) {
      expect(param.detach().equal((whole.params[i] as Tensor).detach()), `parameter ${i}`).toBe(true)
    }
  })

  test("continues from PyTorch's state as PyTorch does", () => {
    const resumed = new Replay(of, steps('float64'), { from: HALF })
    resumed.optimizer.loadStateDict({
      state: resumed.savedState(HALF),
      param_groups: of.stateDict.param_groups as unknown as optim.StateDictGroup[],
    })
    for (let step = HALF + 1; step <= STEPS; step++) {
      resumed.step(step)
      expect(resumed.deviation(step), `step ${step}`).toBeLessThanOrEqual(LIMITS.float64)
    }
  })

  test('takes the same steps with a learning-rate tensor', () => {
    const replay = new Replay(of, steps('float64'), { options: { lr: tensor(1, { dtype: 'float64' }) } })
    for (const group of replay.optimizer.paramGroups) {
      const lr = (group === replay.optimizer.paramGroups[1] ? of.second?.lr : undefined) ?? of.options.lr
      group.lr = tensor(lr as number, { dtype: 'float64' })
    }
    for (let step = 1; step <= STEPS; step++) replay.step(step)
    expect(replay.deviation(STEPS)).toBeLessThanOrEqual(LIMITS.float64)
  })

  test('leaves no tensors but its state', () => {
    const replay = new Replay(of, steps('float64'))
    const { tensors } = memory.stats()
    for (let step = 1; step <= STEPS; step++) tidy(() => replay.step(step))
    replay.optimizer.dispose()
    expect(memory.stats().tensors).toBe(tensors)
  })
})

/** Tensors as their shapes, what PyTorch has as floats of the state by that name, the rest as JSON has it. */
function layout(value: unknown): unknown {
  if (value !== null && typeof value === 'object' && 'shape' in value) return { shape: value.shape }
  if (Array.isArray(value)) return value.map(layout)
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, /^(t|prev_loss)$/.test(key) ? 'float' : layout(item)]),
    )
  }
  return value
}
