import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import { isModule, type Layer, type Member, Module } from './module'
import { show } from './options'
import { type Parameter, parameter, roleOf } from './roles'

/**
 * Layers one after the other, as `torch.nn.Sequential`: `new Sequential(conv, relu)` with the state names 0, 1, …, or
 * `new Sequential({ conv, relu })` with names of your own. Iterable; `at(i)` has the type of the layer that stands there.
 */
export class Sequential<Layers extends readonly Layer[] = readonly Layer[]> extends Module implements Iterable<Layer> {
  readonly #layers = new Map<string, Layer>()

  constructor(...layers: Layers)
  constructor(layers: Readonly<Record<string, Layer>>)
  constructor(...args: readonly unknown[]) {
    super()
    const [first] = args
    const named = args.length === 1 && isPlainObject(first)
    const entries = named ? Object.entries(first) : args.map((layer, i) => [String(i), layer] as const)
    for (const [name, layer] of entries) this.#layers.set(checkName('Sequential', name), checkLayer(name, layer))
  }

  get length(): number {
    return this.#layers.size
  }

  /** The layer at a place; negative counts from the last. @throws ArgumentError where there is none */
  at<I extends number>(index: I): Layers[I] {
    return itemAt('Sequential', [...this.#layers.values()], index)
  }

  /** Adds a layer after the last; its name is its number. Returns the container. */
  append(layer: Layer): this {
    const name = String(this.#layers.size)
    this.#layers.set(name, checkLayer(name, layer))
    return this
  }

  [Symbol.iterator](): IterableIterator<Layer> {
    return this.#layers.values()
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    yield* super.members()
    yield* this.#layers
  }

  forward(input: Tensor): Tensor {
    let value = input
    for (const layer of this.#layers.values()) value = layer.forward(value)
    return value
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function checkLayer(name: string, layer: unknown): Layer {
  if (isModule(layer) && 'forward' in layer) return layer as Layer
  throw new ArgumentError(`Sequential: layer ${name} is ${describe(layer)}; it must be a Module with a forward method`)
}

/** Dots separate the names of a state dict. */
function checkName(container: string, name: string): string {
  if (name !== '' && !name.includes('.')) return name
  throw new ArgumentError(`${container}: '${name}' cannot be a name; it must not be empty or hold a dot`)
}

function itemAt<T>(container: string, items: readonly T[], index: number): T {
  const item = Number.isInteger(index) ? items.at(index) : undefined
  if (item !== undefined) return item
  throw new ArgumentError(`${container}: there is no item ${describe(index)}; it has ${items.length}, numbered from 0`)
}

/** A list of modules that are part of the module which holds it, as `torch.nn.ModuleList`; it has no `forward`. */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  readonly #items: M[] = []

  constructor(modules: Iterable<M> = []) {
    super()
    this.extend(modules)
  }

  get length(): number {
    return this.#items.length
  }

  /** The module at a place; negative counts from the last. @throws ArgumentError where there is none */
  at(index: number): M {
    return itemAt('ModuleList', this.#items, index)
  }

  /** Adds a module after the last. Returns the list. */
  append(module: M): this {
    if (!isModule(module)) throw new ArgumentError(`ModuleList: ${describe(module)} is no Module`)
    this.#items.push(module)
    return this
  }

  /** Adds modules after the last. Returns the list. */
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module)
    return this
  }

  [Symbol.iterator](): IterableIterator<M> {
    return this.#items.values()
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    yield* super.members()
    for (const [i, module] of this.#items.entries()) yield [String(i), module]
  }

  /** As PyTorch, one line for a run of equal modules: `(0-3): 4 x ReLU()`. */
  override toString(): string {
    const runs: { text: string; first: number; count: number }[] = []
    for (const [i, module] of this.#items.entries()) {
      const text = module.toString()
      const last = runs.at(-1)
      if (last?.text === text) last.count += 1
      else runs.push({ text, first: i, count: 1 })
    }
    const lines = runs.map(({ text, first, count }) => {
      const label = count === 1 ? `(${first}): ` : `(${first}-${first + count - 1}): ${count} x `
      return `  ${label}${text.replaceAll('\n', '\n  ')}\n`
    })
    return `${this.constructor.name}(${lines.length === 0 ? '' : `\n${lines.join('')}`})`
  }
}

/** Modules by name that are part of the module which holds them, as `torch.nn.ModuleDict`; it has no `forward`. */
export class ModuleDict<T extends Readonly<Record<string, Module>> = Readonly<Record<string, Module>>>
  extends Module
  implements Iterable<[string, Module]>
{
  readonly #items = new Map<string, Module>()

  constructor(modules: T) {
    super()
    for (const [name, module] of Object.entries(modules)) this.set(name, module)
  }

  get size(): number {
    return this.#items.size
  }

  /** The module of a name. @throws ArgumentError where there is none */
  get<K extends keyof T & string>(name: K): T[K] {
    const module = this.#items.get(name)
    if (module !== undefined) return module as T[K]
    throw new ArgumentError(`ModuleDict: there is no '${name}'; it has ${[...this.#items.keys()].join(', ')}`)
  }

  has(name: string): boolean {
    return this.#items.has(name)
  }

  /** Adds a module, or replaces the one of that name. Returns the container. */
  set(name: string, module: Module): this {
    if (!isModule(module)) throw new ArgumentError(`ModuleDict: '${name}' is ${describe(module)}, no Module`)
    this.#items.set(checkName('ModuleDict', name), module)
    return this
  }

  keys(): IterableIterator<string> {
    return this.#items.keys()
  }

  values(): IterableIterator<Module> {
    return this.#items.values()
  }

  [Symbol.iterator](): IterableIterator<[string, Module]> {
    return this.#items.entries()
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    yield* super.members()
    yield* this.#items
  }
}

/** A list of parameters that are part of the module which holds it, as `torch.nn.ParameterList`. */
export class ParameterList extends Module implements Iterable<Parameter> {
  readonly #items: Parameter[] = []

  /** @param tensors become parameters, unless they are */
  constructor(tensors: Iterable<Tensor> = []) {
    super()
    for (const tensor of tensors) this.append(tensor)
  }

  get length(): number {
    return this.#items.length
  }

  /** The parameter at a place; negative counts from the last. @throws ArgumentError where there is none */
  at(index: number): Parameter {
    return itemAt('ParameterList', this.#items, index)
  }

  /** Adds a tensor, as a parameter, after the last. Returns the list. */
  append(tensor: Tensor): this {
    if (!isTensor(tensor)) throw new ArgumentError(`ParameterList: ${describe(tensor)} is no Tensor`)
    this.#items.push(isParameter(tensor) ? tensor : parameter(tensor))
    return this
  }

  [Symbol.iterator](): IterableIterator<Parameter> {
    return this.#items.values()
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    yield* super.members()
    for (const [i, item] of this.#items.entries()) yield [String(i), item]
  }

  override toString(): string {
    const lines = this.#items.map((item, i) => `\n  (${i}): Parameter ${item.dtype} ${show(item.shape)}`)
    return `${this.constructor.name}(${lines.join('')}${lines.length === 0 ? '' : '\n'})`
  }
}

/** Parameters by name that are part of the module which holds them, as `torch.nn.ParameterDict`. */
export class ParameterDict<T extends Readonly<Record<string, Tensor>> = Readonly<Record<string, Tensor>>>
  extends Module
  implements Iterable<[string, Parameter]>
{
  readonly #items = new Map<string, Parameter>()

  /** @param tensors become parameters, unless they are */
  constructor(tensors: T) {
    super()
    for (const [name, tensor] of Object.entries(tensors)) this.set(name, tensor)
  }

  get size(): number {
    return this.#items.size
  }

  /** The parameter of a name. @throws ArgumentError where there is none */
  get(name: keyof T & string): Parameter {
    const item = this.#items.get(name)
    if (item !== undefined) return item
    throw new ArgumentError(`ParameterDict: there is no '${name}'; it has ${[...this.#items.keys()].join(', ')}`)
  }

  has(name: string): boolean {
    return this.#items.has(name)
  }

  /** Adds a tensor, as a parameter, or replaces the one of that name. Returns the container. */
  set(name: string, tensor: Tensor): this {
    if (!isTensor(tensor)) throw new ArgumentError(`ParameterDict: '${name}' is ${describe(tensor)}, no Tensor`)
    this.#items.set(checkName('ParameterDict', name), isParameter(tensor) ? tensor : parameter(tensor))
    return this
  }

  keys(): IterableIterator<string> {
    return this.#items.keys()
  }

  [Symbol.iterator](): IterableIterator<[string, Parameter]> {
    return this.#items.entries()
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    yield* super.members()
    yield* this.#items
  }

  override toString(): string {
    const lines = [...this.#items].map(([name, item]) => `\n  (${name}): Parameter ${item.dtype} ${show(item.shape)}`)
    return `${this.constructor.name}(${lines.join('')}${lines.length === 0 ? '' : '\n'})`
  }
}

function isParameter(tensor: Tensor): tensor is Parameter {
  return roleOf(tensor) === 'parameter'
}
