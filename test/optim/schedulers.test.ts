import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parameter } from '../../lib/nn/roles'
import * as optim from '../../lib/optim'
import { learningRate } from '../../lib/optim/param-group'
import { ones, type Tensor, tensor } from '../../lib/tensor'

interface Part {
  readonly name: string
  readonly options: Record<string, unknown>
}
interface Case extends Part {
  readonly parts?: readonly Part[]
  readonly milestones?: readonly number[] | null
  readonly lrs: readonly (readonly number[])[]
  readonly momenta: readonly number[]
  readonly keys: readonly string[]
}

/** Made by tools/reference/lr_schedules.py. */
const { metrics, cases }: { metrics: number[]; cases: Case[] } = JSON.parse(
  readFileSync(new URL('fixtures/schedules.json', import.meta.url), 'utf8'),
)

/** The functions that the script names. */
const FUNCTIONS: Record<string, (step: number) => number> = {
  inverse: (step) => 1 / (1 + step),
  power: (step) => 0.95 ** step,
  alternate: (step) => (step % 2 ? 0.9 : 1.05),
}

type AnyScheduler = Omit<optim.Scheduler, 'step'> & { step(metric?: number): void }
type Constructor = new (optimizer: unknown, options?: unknown) => AnyScheduler
const exported = optim as unknown as Record<string, Constructor>

/** `T_max` → `tMax`, `T_0` → `t0`. */
const camel = (key: string) => key.toLowerCase().replace(/_([a-z0-9])/g, (_, next: string) => next.toUpperCase())

function build({ name, options }: Part, optimizer: unknown): AnyScheduler {
  const named = Object.fromEntries(Object.entries(options).map(([key, value]) => [camel(key), value]))
  if ('lrLambda' in named) {
    const names = named.lrLambda as string | string[]
    named.lrLambda = Array.isArray(names) ? names.map((key) => FUNCTIONS[key]) : FUNCTIONS[names]
  }
  return new (exported[name.split(' ')[0] as string] as Constructor)(optimizer, named)
}

function optimizerFor(name: string, asTensors = false) {
  const lr = (value: number) => (asTensors ? tensor(value, { dtype: 'float32' }) : value)
  const groups = [{ params: [parameter(ones([1]))] }, { params: [parameter(ones([1]))], lr: lr(0.03) }]
  return name.includes('Adam')
    ? new optim.Adam(groups, { lr: lr(0.1) })
    : new optim.SGD(groups, { lr: lr(0.1), momentum: 0.9 })
}

function create(of: Case, optimizer: unknown): AnyScheduler {
  if (of.parts === undefined) return build(of, optimizer)
  const schedulers = of.parts.map((part) => build(part, optimizer))
  if (of.milestones) return new (exported[of.name] as Constructor)(optimizer, { schedulers, milestones: of.milestones })
  return new (exported[of.name] as Constructor)(schedulers)
}

function expectRates(optimizer: optim.AnyOptimizer, of: Case, step: number): void {
  for (const [index, group] of optimizer.paramGroups.entries()) {
    const expected = of.lrs[step]?.[index] as number
    const difference = Math.abs(learningRate(group) - expected)
    expect(difference, `step ${step}, group ${index}`).toBeLessThanOrEqual(1e-10 * Math.abs(expected))
  }
  const { momentum, betas } = optimizer.paramGroups[0] as { momentum?: number; betas?: readonly number[] }
  expect(momentum ?? betas?.[0], `momentum of step ${step}`).toBeCloseTo(of.momenta[step] as number, 12)
}

test('every scheduler has a case', () => {
  const schedulers = Object.keys(exported).filter(
    (name) =>
      name !== 'LRScheduler' && typeof exported[name] === 'function' && 'getLastLr' in (exported[name].prototype ?? {}),
  )
  expect([...new Set(cases.map(({ name }) => name.split(' ')[0]))].sort()).toEqual(schedulers.sort())
})

describe.each(cases.map((of, index) => [`${index}: ${of.name}`, of] as const))('%s', (_, of) => {
  test('sets the learning rates that PyTorch sets', () => {
    const optimizer = optimizerFor(of.name)
    const scheduler = create(of, optimizer)
    expectRates(optimizer, of, 0)
    for (const [index, metric] of metrics.entries()) {
      scheduler.step(metric)
      expectRates(optimizer, of, index + 1)
      expect(scheduler.getLastLr()).toEqual(optimizer.paramGroups.map(learningRate))
    }
  })

  test('fills learning rates that are tensors', () => {
    const optimizer = optimizerFor(of.name, true)
    const scheduler = create(of, optimizer)
    const tensors = optimizer.paramGroups.map(({ lr }) => lr)
    for (const metric of metrics) scheduler.step(metric)
    for (const [index, group] of optimizer.paramGroups.entries()) {
      const expected = of.lrs[metrics.length]?.[index] as number
      expect(group.lr).toBe(tensors[index])
      // What is in the tensor is the rate of this step, rounded once to float32.
      expect(Math.abs((group.lr as Tensor).toNumber() - expected)).toBeLessThanOrEqual(1e-7 * Math.abs(expected))
    }
  })

  test('continues from state dicts that went through JSON', () => {
    const [optimizer, other] = [optimizerFor(of.name), optimizerFor(of.name)]
    const scheduler = create(of, optimizer)
    for (const metric of metrics.slice(0, 17)) scheduler.step(metric)
    const resumed = create(of, other)
    const saved = JSON.parse(JSON.stringify({ optimizer: optimizer.stateDict(), scheduler: scheduler.stateDict() }))
    other.loadStateDict(saved.optimizer)
    resumed.loadStateDict(saved.scheduler)
    for (const [index, metric] of metrics.slice(17).entries()) {
      resumed.step(metric)
      expectRates(other, of, index + 18)
    }
  })

  test('gives a state dict with the names of PyTorch', () => {
    const scheduler = create(of, optimizerFor(of.name))
    expect(Object.keys(scheduler.stateDict()).sort()).toEqual(of.keys)
  })
})
