import { ArgumentError } from '../native/errors'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'

/** What every optimiser is told. */
export interface BaseOptions {
  /**
   * Learning rate: a number, or a tensor of one element, which schedulers fill in place so that a captured step follows
   * them.
   */
  lr: number | Tensor
}

/** Parameters that are optimised with the same options, which may be changed between steps. */
export type ParamGroup<O extends BaseOptions = BaseOptions> = O & {
  readonly params: readonly Tensor[]
  /** The learning rate that schedulers start from; the first scheduler sets it. */
  initialLr?: number | undefined
}

/** A group as it is passed in: options that are left out are the optimiser's. */
export type ParamGroupInit<O extends BaseOptions> = OptionsOf<O> & { readonly params: Iterable<Tensor> }

/** Parameters, as `module.parameters()` gives them, or groups of them. */
export type Params<O extends BaseOptions> = Iterable<Tensor> | Iterable<ParamGroupInit<O>>

/** Options as a constructor takes them. */
export type OptionsOf<O extends BaseOptions> = { readonly [K in keyof O]?: O[K] | undefined }

/** Options with defaults for those that are not given. @throws ArgumentError for a name that is no option */
export function withDefaults<O extends BaseOptions>(caller: string, given: OptionsOf<O>, defaults: O): O {
  const result = { ...defaults }
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, key)) {
      throw new ArgumentError(
        `${caller}: there is no option '${key}'; the options are ${Object.keys(defaults).join(', ')}`,
      )
    }
    if (value !== undefined) Object.assign(result, { [key]: value })
  }
  return result
}

/** One group for a list of parameters, or the groups themselves. */
export function toGroups<O extends BaseOptions>(caller: string, params: Params<O>): ParamGroupInit<O>[] {
  if (typeof params !== 'object' || params === null || !(Symbol.iterator in params)) {
    const remedy = isTensor(params) ? 'put the tensor into a list' : 'pass module.parameters() or a list of groups'
    throw new ArgumentError(`${caller}: the parameters are ${describe(params)}; ${remedy}`)
  }
  const items = [...(params as Iterable<unknown>)]
  if (items.length === 0) throw new ArgumentError(`${caller}: there are no parameters; the list is empty`)
  return items.some(isTensor)
    ? [{ params: items as Tensor[] } as unknown as ParamGroupInit<O>]
    : items.map((item) => checkGroup<O>(caller, item))
}

function checkGroup<O extends BaseOptions>(caller: string, item: unknown): ParamGroupInit<O> {
  const params = typeof item === 'object' && item !== null ? (item as { params?: unknown }).params : undefined
  if (typeof params === 'object' && params !== null && Symbol.iterator in params) return item as ParamGroupInit<O>
  throw new ArgumentError(
    `${caller}: takes parameters or groups { params, ...options }, got ${describe(item)}${params === undefined ? '' : ` with params ${describe(params)}`}`,
  )
}

/** @throws ArgumentError unless all are leaves that require gradients */
export function checkParameters(caller: string, params: readonly unknown[], known: ReadonlySet<Tensor>): void {
  if (params.length === 0) throw new ArgumentError(`${caller}: a group has no parameters`)
  const seen = new Set(known)
  for (const [index, item] of params.entries()) {
    if (!isTensor(item)) throw new ArgumentError(`${caller}: parameter ${index} is ${describe(item)}, not a Tensor`)
    const parameter = item as unknown as Tensor
    const name = `parameter ${index} [${parameter.shape.join(', ')}]`
    if (seen.has(parameter)) {
      throw new ArgumentError(`${caller}: ${name} is there twice; a parameter belongs to one group, once`)
    }
    seen.add(parameter)
    if (!parameter.isLeaf) {
      throw new ArgumentError(`${caller}: ${name} was computed; only leaf tensors can be optimised: use detach()`)
    }
    if (!parameter.requiresGrad) {
      throw new ArgumentError(
        `${caller}: ${name} does not require gradients; set requiresGrad, or leave frozen parameters out`,
      )
    }
    if (parameter.dtype.startsWith('complex')) {
      throw new ArgumentError(`${caller}: ${name} is ${parameter.dtype}; optimise its viewAsReal() instead`)
    }
  }
}

// ---- Rules of options -----------------------------------------------------------------------------------------------

/** @throws ArgumentError unless the value is a number of `least` or more, and below `below` or up to `most` */
export function checkNumber(
  caller: string,
  name: string,
  value: unknown,
  { least = 0, below, most }: { least?: number; below?: number; most?: number } = {},
): void {
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= least &&
    (below === undefined || value < below) &&
    (most === undefined || value <= most)
  if (fits) return
  const upper = below !== undefined ? ` and below ${below}` : most !== undefined ? ` and at most ${most}` : ''
  throw new ArgumentError(`${caller}: ${name} is ${describe(value)}; it must be a number of at least ${least}${upper}`)
}

export function checkFlag(caller: string, name: string, value: unknown): void {
  if (typeof value !== 'boolean') {
    throw new ArgumentError(`${caller}: ${name} is ${describe(value)}; it must be true or false`)
  }
}

/** @throws ArgumentError unless it is a whole number of at least `least` */
export function checkCount(caller: string, name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw new ArgumentError(`${caller}: ${name} is ${describe(value)}; it must be a whole number of at least ${least}`)
}

export function checkBetas(caller: string, betas: unknown): void {
  if (!Array.isArray(betas) || betas.length !== 2) {
    throw new ArgumentError(`${caller}: betas are ${describe(betas)}; they must be two numbers, such as [0.9, 0.999]`)
  }
  for (const [index, beta] of betas.entries()) checkNumber(caller, `betas[${index}]`, beta, { below: 1 })
}

/** @throws ArgumentError unless it is a number of 0 or more, or a floating-point tensor of one element */
export function checkLearningRate(caller: string, lr: unknown): void {
  if (!isTensor(lr)) {
    checkNumber(caller, 'lr', lr)
    return
  }
  const { numel, dtype } = lr as unknown as Tensor
  if (numel !== 1 || !/^float(32|64)$/.test(dtype)) {
    throw new ArgumentError(
      `${caller}: a learning rate as a tensor has one element and is float32 or float64, got ${dtype} with ${numel}`,
    )
  }
}

// ---- Learning rates -------------------------------------------------------------------------------------------------

/** What schedulers last wrote to a learning-rate tensor: neither rounded to its dtype nor fetched from its device. */
const written = new WeakMap<Tensor, { readonly value: number; readonly version: number }>()

/** The learning rate of a group as a number. */
export function learningRate({ lr }: BaseOptions): number {
  if (typeof lr === 'number') return lr
  const last = written.get(lr)
  return last !== undefined && last.version === lr.version ? last.value : lr.toNumber()
}

/** Sets the learning rate of a group; a tensor is filled in place. */
export function setLearningRate(group: BaseOptions, value: number): void {
  if (typeof group.lr === 'number') {
    group.lr = value
    return
  }
  group.lr.fill_(value)
  written.set(group.lr, { value, version: group.lr.version })
}
