import { FormatError } from '../native/errors'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import { dispose } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { ParameterState } from './optimizer'
import type { BaseOptions, ParamGroup } from './param-group'
import { setLearningRate } from './param-group'

/** A value of an option in a state dict. */
export type OptionValue = number | boolean | string | null | Tensor | readonly (number | string)[]

/** One group of a state dict: PyTorch's names of the options, and the numbers of the parameters. */
export interface StateDictGroup {
  readonly params: readonly number[]
  readonly [option: string]: OptionValue | undefined
}

/** A value of a parameter's state: a tensor, or for L-BFGS also numbers and lists. */
export type StateValue = Tensor | number | null | readonly (Tensor | number | null)[]

/** What `stateDict()` of an optimiser gives, laid out as PyTorch's. Parameters are numbered in the order of the groups. */
export interface OptimizerStateDict {
  readonly state: Readonly<Record<number, Readonly<Record<string, StateValue>>>>
  readonly param_groups: readonly StateDictGroup[]
}

/** Names that PyTorch's optimisers and schedulers put into groups, and that mean nothing here. */
const FOREIGN: ReadonlySet<string> = new Set([
  ...['foreach', 'capturable', 'differentiable', 'fused', 'decoupled_weight_decay', 'param_names'],
  ...['max_lr', 'min_lr', 'max_momentum', 'base_momentum'],
])

/** `weightDecay` → `weight_decay`. */
export function toSnake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

export function toCamel(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

export function writeState(
  groups: readonly ParamGroup[],
  states: ReadonlyMap<Tensor, Readonly<Record<string, StateValue>>>,
  extra: Readonly<Record<string, boolean | null>>,
): OptimizerStateDict {
  const numbers = new Map(groups.flatMap(({ params }) => params).map((parameter, index) => [parameter, index]))
  const param_groups = groups.map(({ params, ...options }) => {
    const named = Object.entries(options).filter(([, value]) => value !== undefined)
    return {
      ...Object.fromEntries(named.map(([key, value]) => [toSnake(key), value as OptionValue])),
      ...extra,
      params: params.map((parameter) => numbers.get(parameter) as number),
    }
  })
  const state: Record<number, Record<string, StateValue>> = {}
  for (const [parameter, index] of numbers) {
    const entries = Object.entries(states.get(parameter) ?? {}).filter(([name]) => !name.startsWith('_'))
    if (entries.length > 0) state[index] = Object.fromEntries(entries)
  }
  return { state, param_groups }
}

interface Target<O extends BaseOptions> {
  names(group: ParamGroup<O>): readonly string[]
  check(options: O): void
  state(parameter: Tensor, group: ParamGroup<O>): ParameterState
}

/**
 * Compares a state dict with an optimiser.
 *
 * @returns what copies it over
 * @throws FormatError listing everything that does not fit
 */
export function readState<O extends BaseOptions>(
  caller: string,
  stateDict: OptimizerStateDict,
  groups: readonly ParamGroup<O>[],
  target: Target<O>,
): () => void {
  const problems: string[] = []
  const saved = checkLayout(caller, stateDict, groups)
  const optionsOf = groups.map((group, index) =>
    readOptions(group, saved[index] as StateDictGroup, `param_groups[${index}]`, problems),
  )
  const copies: [parameter: Tensor, group: ParamGroup<O>, state: Readonly<Record<string, StateValue>>][] = []
  for (const [index, group] of groups.entries()) {
    // Which state there is depends on the options, such as a momentum, that are loaded with it.
    const loaded = { ...group, ...optionsOf[index] }
    const names = target.names(loaded).filter((name) => !name.startsWith('_'))
    for (const [place, parameter] of group.params.entries()) {
      const number = (saved[index] as StateDictGroup).params[place] as number
      const state = stateDict.state[number] ?? {}
      problems.push(...stateProblems(`state[${number}]`, state, names, parameter))
      copies.push([parameter, group, state])
    }
  }
  if (problems.length > 0) {
    throw new FormatError(
      [`${caller}.loadStateDict: the state dict does not fit; nothing was changed`, ...problems].join('\n  '),
    )
  }
  for (const [index, group] of groups.entries()) target.check({ ...group, ...optionsOf[index] } as O)
  return () => {
    for (const [index, group] of groups.entries()) assign(group, optionsOf[index] ?? {})
    for (const [parameter, group, state] of copies) copyState(target.state(parameter, group), state)
  }
}

function checkLayout(
  caller: string,
  stateDict: OptimizerStateDict,
  groups: readonly ParamGroup[],
): readonly StateDictGroup[] {
  const { state, param_groups: saved } = (stateDict ?? {}) as Partial<OptimizerStateDict>
  if (typeof state !== 'object' || state === null || !Array.isArray(saved)) {
    throw new FormatError(
      `${caller}.loadStateDict: ${describe(stateDict)} is no state dict of an optimiser, which has state and param_groups`,
    )
  }
  const sizes = (list: readonly { params?: readonly unknown[] }[]) => list.map(({ params }) => params?.length ?? 0)
  if (String(sizes(saved)) !== String(sizes(groups))) {
    throw new FormatError(
      `${caller}.loadStateDict: the state dict has groups of ${sizes(saved).join(', ') || 'no'} parameters, the optimiser has ${sizes(groups).join(', ')}`,
    )
  }
  return saved as readonly StateDictGroup[]
}

function readOptions<O extends BaseOptions>(
  group: ParamGroup<O>,
  saved: StateDictGroup,
  where: string,
  problems: string[],
): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  const known = new Set([...Object.keys(group), 'initialLr'])
  for (const [key, value] of Object.entries(saved)) {
    const name = toCamel(key)
    if (key === 'params' || FOREIGN.has(key)) continue
    if (known.has(name)) options[name] = value
    else problems.push(`${where}.${key}: the optimiser has no such option`)
  }
  return options
}

function stateProblems(
  where: string,
  state: Readonly<Record<string, StateValue>>,
  names: readonly string[],
  parameter: Tensor,
): string[] {
  const problems: string[] = []
  // PyTorch's SGD writes null for a buffer that no step has filled.
  const filled = Object.entries(state).filter(([, value]) => value !== null)
  for (const [name, value] of filled) {
    if (!names.includes(name)) problems.push(`${where}.${name}: the optimiser keeps no such state`)
    else if (typeof value !== 'number' && !isTensor(value)) problems.push(`${where}.${name}: is ${describe(value)}`)
    else if (isTensor(value) && !fits(value as unknown as Tensor, name, parameter)) {
      const { shape } = value as unknown as Tensor
      problems.push(`${where}.${name}: [${shape.join(', ')}], the parameter is [${parameter.shape.join(', ')}]`)
    }
  }
  for (const name of names) {
    if (filled.length > 0 && !filled.some(([key]) => key === name)) problems.push(`${where}.${name}: missing`)
  }
  return problems
}

/** Counts are single numbers; the rest has the parameter's shape. */
function fits(value: Tensor, name: string, parameter: Tensor): boolean {
  if (name === 'step' || name === 'mu_product') return value.numel === 1
  return String(value.shape) === String(parameter.shape)
}

function assign<O extends BaseOptions>(group: ParamGroup<O>, options: Record<string, unknown>): void {
  const { lr, ...rest } = options
  Object.assign(group, rest)
  // A graph may hold the learning-rate tensor, so it stays and takes the value.
  if (lr !== undefined) setLearningRate(group, isTensor(lr) ? (lr as unknown as Tensor).toNumber() : (lr as number))
}

function copyState(target: ParameterState, saved: Readonly<Record<string, StateValue>>): void {
  const filled = Object.entries(saved).filter(([, value]) => value !== null)
  if (filled.length === 0) {
    dispose(target)
    for (const name of Object.keys(target)) delete target[name]
  }
  for (const [name, value] of filled) {
    const tensor = target[name]
    if (typeof value === 'number') tensor?.fill_(value)
    else tensor?.copy_((value as Tensor).reshape(tensor.shape))
  }
}
