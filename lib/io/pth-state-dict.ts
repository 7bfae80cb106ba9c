import { FormatError } from '../native/errors'
import type { OptimizerStateDict, StateDictGroup, StateValue } from '../optim'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'
import type { PthValue } from './pth-values'

/** Names under which files hold the state dict of a model beside other things. */
const WRAPPERS = ['state_dict', 'model', 'model_state_dict', 'params', 'weights']

/**
 * The state dict in a loaded file, as `Module.loadStateDict` takes it: the file's value itself, or what it holds under
 * one of the usual names (`state_dict`, `model`, `model_state_dict`, `params`, `weights`).
 *
 * @param options `key`: the name under which it is; `prefix`: what to take off the names, such as `module.`, which
 * PyTorch's data-parallel training puts in front
 * @throws FormatError when there is none, naming what is there instead
 */
export function stateDictOf(
  value: PthValue,
  { key, prefix = '' }: { readonly key?: string | undefined; readonly prefix?: string | undefined } = {},
): ReadonlyMap<string, Tensor> {
  const entries = entriesOf(value)
  const names = key === undefined ? WRAPPERS.filter((name) => entries?.has(name)) : [key]
  const inner = names.map((name) => entries?.get(name)).find((item) => entriesOf(item) !== undefined)
  const found = inner === undefined && key === undefined ? entries : entriesOf(inner)
  if (found === undefined) {
    const there = entries === undefined ? describe(value) : `a dict of ${listed([...entries.keys()])}`
    throw new FormatError(`stateDictOf: no state dict${key === undefined ? '' : ` '${key}'`} in ${there}`)
  }
  const wrong = [...found].find(([, item]) => !isTensor(item))
  if (wrong !== undefined) {
    throw new FormatError(
      `stateDictOf: '${wrong[0]}' is ${describe(wrong[1])}, not a Tensor; name the state dict with { key }, the value has ` +
        listed([...found.keys()]),
    )
  }
  const tensors = found as ReadonlyMap<string, Tensor>
  return new Map(
    [...tensors].map(([name, tensor]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, tensor]),
  )
}

/** Names under which checkpoints hold the state dict of an optimiser. */
const OPTIMIZERS = ['optimizer', 'optimizer_state_dict']

/**
 * The state dict of an optimiser in a loaded file, as `Optimizer.loadStateDict` takes it: the file's value itself, or what
 * it holds as `optimizer` or `optimizer_state_dict`.
 *
 * @throws FormatError when the value lacks `state` and `param_groups`
 */
export function optimizerStateOf(value: PthValue | undefined): OptimizerStateDict {
  const whole = entriesOf(value)
  const wrapped = OPTIMIZERS.map((name) => entriesOf(whole?.get(name))).find((item) => item?.has('state'))
  const entries = whole?.has('state') ? whole : wrapped
  const state = entriesOf(entries?.get('state'))
  const groups = entries?.get('param_groups')
  if (state === undefined || !Array.isArray(groups)) {
    throw new FormatError(`optimizerStateOf: ${describe(value)} is no state dict of an optimiser: state, param_groups`)
  }
  const plain = (item: unknown): unknown => Object.fromEntries(entriesOf(item) ?? [])
  const numbered = [...state].map(([key, item]) => [key, plain(item) as Readonly<Record<string, StateValue>>])
  return { state: Object.fromEntries(numbered), param_groups: groups.map((group) => plain(group) as StateDictGroup) }
}

/** The items of what was a dict, by their keys as text. */
function entriesOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || isTensor(value)) return undefined
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [String(key), item]))
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? new Map(Object.entries(value)) : undefined
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `'${name}'`)
  return `${shown.join(', ') || 'nothing'}${names.length > shown.length ? `, … (${names.length})` : ''}`
}
