import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readSafetensors } from '../../lib/io'
import { parameter } from '../../lib/nn/roles'
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  LBFGS,
  NAdam,
  type Optimizer,
  RAdam,
  RMSprop,
  SGD,
  type StateValue,
} from '../../lib/optim'
import type { Tensor } from '../../lib/tensor'

const OPTIMISERS = { Adadelta, Adagrad, Adam, Adamax, AdamW, LBFGS, NAdam, RAdam, RMSprop, SGD }
type Name = keyof typeof OPTIMISERS
/** Anything that may be passed, as from JavaScript. */
type Constructor = new (params: unknown, options: unknown) => Optimizer

/** One case of tools/reference/optim_steps.py. */
export interface StepsCase {
  readonly name: string
  readonly optimiser: Name
  readonly options: Record<string, unknown>
  readonly second: Record<string, unknown> | null
  readonly stateDict: { state: Record<string, Record<string, unknown>>; param_groups: Record<string, unknown>[] }
}

const path = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
export const CASES: readonly StepsCase[] = JSON.parse(readFileSync(path('steps.json'), 'utf8'))
export const STEPS = 10
/** The step after which the state is stored. */
export const HALF = 5

export type Dtype = 'float32' | 'float64'

export async function readSteps(dtype: Dtype): Promise<Map<string, Tensor>> {
  return readSafetensors(path(`steps-${dtype}.safetensors`))
}

const camel = (key: string) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
export const camelKeys = (options: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [camel(key), value]))

/** The parameters of a case after some step of the reference, and an optimiser over them. */
export class Replay {
  readonly params: Tensor[]
  readonly optimizer: Optimizer

  constructor(
    readonly of: StepsCase,
    readonly stored: ReadonlyMap<string, Tensor>,
    { from = 0, options = {} }: { from?: number; options?: Record<string, unknown> } = {},
  ) {
    this.params = [0, 1, 2].map((i) => parameter(this.tensor(`p${i}`, from).clone()))
    const [first, ...rest] = this.params
    const groups =
      of.second === null
        ? [{ params: this.params }]
        : [{ params: [first as Tensor] }, { params: rest, ...camelKeys(of.second) }]
    this.optimizer = new (OPTIMISERS[of.optimiser] as unknown as Constructor)(groups, {
      ...camelKeys(of.options),
      ...options,
    })
  }

  tensor(kind: string, step: number): Tensor {
    return this.stored.get(`${this.of.name}/${kind}/${step}`) as Tensor
  }

  /** The state that the reference had after a step, as its state dict holds it. */
  savedState(step: number): Record<number, Record<string, StateValue>> {
    const state: Record<number, Record<string, StateValue>> = {}
    for (const [key, tensor] of this.stored) {
      const [, name, at] = key.split('/')
      const [, index, part, item] = /^s(\d)\.(\w+)(?:\.(\d))?$/.exec(name as string) ?? []
      if (!key.startsWith(`${this.of.name}/`) || part === undefined || Number(at) !== step) continue
      const values = state[Number(index)] ?? {}
      state[Number(index)] = values
      if (item === undefined) values[part] = tensor
      else values[part] = [...((values[part] as Tensor[]) ?? []), tensor]
    }
    return state
  }

  step(step: number): void {
    if (this.stored.has(`${this.of.name}/w0/0`)) {
      this.optimizer.step(() => this.loss())
      return
    }
    for (const [i, param] of this.params.entries()) param.grad = this.tensor(`g${i}`, step) ?? null
    this.optimizer.step()
  }

  /** The function that the script gives to L-BFGS. */
  loss(): Tensor {
    this.optimizer.zeroGrad()
    const terms = this.params.map((param, i) => {
      const [square, weight] = [param.sub(this.tensor(`t${i}`, 0)).square(), this.tensor(`w${i}`, 0)]
      return square.square().add(square).mul(weight).sum()
    })
    const loss = (terms[0] as Tensor).add(terms[1] as Tensor).add(terms[2] as Tensor)
    loss.backward()
    return loss
  }

  /** The largest difference to the reference after a step, relative to values above 1. */
  deviation(step: number): number {
    const errors = this.params.map((param, i) => {
      const expected = this.tensor(`p${i}`, step)
      return param
        .detach()
        .sub(expected)
        .abs()
        .div(expected.abs().clamp({ min: 1 }))
        .max()
        .toNumber()
    })
    return Math.max(...errors)
  }
}
