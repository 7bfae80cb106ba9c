import { inspect } from 'node:util'
import { ArgumentError, DeviceError } from '../native/errors'
import { noGrad } from '../tensor/autograd'
import { call, describe } from '../tensor/call'
import type { HookHandle } from '../tensor/gradient-hooks'
import { guardCapture } from '../tensor/graph'
import { HANDLE, isTensor, TENSORS } from '../tensor/handle'
import { dispose, tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device, DType } from '../tensor/types'
import { addForwardHook, addForwardPreHook, type ForwardHook, type ForwardPreHook, withForwardHooks } from './hooks'
import { type Parameter, roleOf } from './roles'
import { checkStateDict, type StateDict, type StateDictReport } from './state-dict'

const MODULE: unique symbol = Symbol.for('@lab/vision-native/module') as never

/** What a module is made of: tensors with a role, and modules. */
export type Member = Tensor | Module

/** True for a module of any copy of this package in the process. */
export function isModule(value: unknown): value is Module {
  return typeof value === 'object' && value !== null && MODULE in value
}

/**
 * Base of all layers and networks, as `torch.nn.Module`.
 *
 * Parameters, buffers and child modules are the properties that hold one (`parameter()`, `buffer()`), in the order in
 * which the class declares them. In a state dict a property's camelCase name is in snake_case (`runningMean` →
 * `running_mean`); names that begin with a capital or hold an underscore stay as they are, and `static stateNames` says
 * any other. `forward` runs in a scope of its own: tensors that it neither returns nor keeps are freed when it ends.
 */
export abstract class Module {
  /** State-dict names of properties whose name the rule does not give. */
  static readonly stateNames: Readonly<Record<string, string>> = {}

  /** Whether layers such as dropout and batch norm behave as in training. */
  training = true

  constructor() {
    scopeForward(new.target)
  }

  get [MODULE](): true {
    return true
  }

  /** What the module is made of, with state-dict names. Containers that hold members elsewhere override it. */
  protected *members(): Iterable<readonly [name: string, member: Member]> {
    const { stateNames } = this.constructor as typeof Module
    for (const [key, value] of Object.entries(this)) {
      if (isModule(value)) yield [stateNames[key] ?? stateName(key), value]
      else if (isTensor(value) && roleOf(value)) yield [stateNames[key] ?? stateName(key), value as Tensor]
    }
  }

  // ---- Walking ------------------------------------------------------------------------------------------------------

  /** Child modules with their names. */
  *namedChildren(): Generator<[name: string, child: Module]> {
    for (const [name, member] of this.members()) if (isModule(member)) yield [name, member]
  }

  /** This module and all below it, each once, with dotted names; this one's name is `prefix`. */
  *namedModules(prefix = '', seen = new Set<Module>()): Generator<[name: string, module: Module]> {
    if (seen.has(this)) return
    seen.add(this)
    yield [prefix, this]
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(joined(prefix, name), seen)
  }

  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module
  }

  /** Parameters of this module and all below it with dotted names; a shared one appears once. */
  *namedParameters(): Generator<[name: string, parameter: Parameter]> {
    for (const [name, tensor] of unique(this.#tensors())) {
      if (roleOf(tensor) === 'parameter') yield [name, tensor as Parameter]
    }
  }

  /** The parameters, as optimisers take them. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, value]) => value)
  }

  /** Buffers with dotted names; a shared one appears once. */
  *namedBuffers(): Generator<[name: string, buffer: Tensor]> {
    for (const [name, tensor] of unique(this.#tensors())) if (roleOf(tensor) !== 'parameter') yield [name, tensor]
  }

  buffers(): Tensor[] {
    return [...this.namedBuffers()].map(([, value]) => value)
  }

  /** Number of scalars in the parameters. @param options `trainable: true` counts those that require gradients */
  parameterCount({ trainable = false }: { trainable?: boolean } = {}): number {
    return this.parameters().reduce((sum, p) => sum + (trainable && !p.requiresGrad ? 0 : p.numel), 0)
  }

  *#tensors(prefix = ''): Generator<[name: string, tensor: Tensor]> {
    // PyTorch's order: a module's own tensors, parameters first, then its children's.
    const members = [...this.members()]
    const own = members.filter((entry): entry is [string, Tensor] => !isModule(entry[1]))
    for (const [name, tensor] of own) if (roleOf(tensor) === 'parameter') yield [joined(prefix, name), tensor]
    for (const [name, tensor] of own) if (roleOf(tensor) !== 'parameter') yield [joined(prefix, name), tensor]
    for (const [name, child] of members) if (isModule(child)) yield* child.#tensors(joined(prefix, name))
  }

  // ---- State --------------------------------------------------------------------------------------------------------

  /** Parameters and persistent buffers by name: the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map([...this.#tensors()].filter(([, tensor]) => roleOf(tensor) !== 'transient'))
  }

  /**
   * Copies values into the parameters and buffers of these names, converted to their dtype and device.
   *
   * @param options `strict: false` allows missing and unexpected names, which are returned; shapes must always agree
   * @throws ShapeError listing every name that is missing, unexpected or of another shape; nothing is changed then
   */
  loadStateDict(state: StateDict, { strict = true }: { strict?: boolean } = {}): StateDictReport {
    const own = this.stateDict()
    const { report, matched } = checkStateDict(this.constructor.name, own, state, strict)
    noGrad(() => {
      for (const [target, source] of matched) target.copy_(source)
    })
    return report
  }

  /** Moves the module to a device, its floating-point tensors to a dtype, or both. Returns the module. */
  to(target: Device | DType | { device?: Device; dtype?: DType }): this {
    noGrad(() =>
      tidy(() => {
        for (const [, tensor] of unique(this.#tensors())) moveTensor(tensor, target)
      }),
    )
    return this
  }

  /** Sets training or evaluation behaviour, here and below. Returns the module. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode
    return this
  }

  eval(): this {
    return this.train(false)
  }

  /** Sets whether the parameters require gradients. Returns the module. */
  requiresGrad_(on = true): this {
    for (const p of this.parameters()) p.requiresGrad_(on)
    return this
  }

  /** Stops training of this module's parameters. Returns the module. */
  freeze(): this {
    return this.requiresGrad_(false)
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.grad = null
  }

  /** Calls `fn` with every module, children before parents. Returns the module. */
  apply(fn: (module: Module) => void): this {
    for (const [, child] of this.namedChildren()) child.apply(fn)
    fn(this)
    return this
  }

  /** Frees all parameters and buffers, here and below. */
  dispose(): void {
    for (const [, tensor] of this.#tensors()) dispose(tensor)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal So that `tidy` may return a module. */
  *[TENSORS](): Iterable<Tensor> {
    for (const [, tensor] of this.#tensors()) yield tensor
  }

  // ---- Hooks --------------------------------------------------------------------------------------------------------

  /**
   * Calls `hook` with the module and its arguments before each `forward`; a list that it returns takes their place.
   * While a function is captured, hooks run as the rest of it does: when it is recorded, not in later runs.
   */
  registerForwardPreHook(hook: ForwardPreHook<this>): HookHandle {
    return addForwardPreHook(this, hook)
  }

  /**
   * Calls `hook` with the module, its arguments and its result after each `forward`; what it returns, unless undefined,
   * takes the result's place. A tensor that it stores must be taken out of the scope with `keep()`.
   */
  registerForwardHook(hook: ForwardHook<this>): HookHandle {
    return addForwardHook(this, hook)
  }

  // ---- Printing -----------------------------------------------------------------------------------------------------

  /** What stands in the parentheses of this module's line, such as `3, 8, kernelSize=3`. */
  protected describeOptions(): string {
    return ''
  }

  toString(): string {
    const options = this.describeOptions()
    const children = [...this.namedChildren()].map(([name, child]) => `(${name}): ${indent(child.toString())}`)
    if (children.length === 0) return `${this.constructor.name}(${options})`
    return `${this.constructor.name}(\n${[options, ...children]
      .filter(Boolean)
      .map((line) => `  ${line}`)
      .join('\n')}\n)`
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

function joined(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n  ')
}

/** `runningMean` → `running_mean`; `Mixed_5b`, `layer1` and `weight_ih_l0` as they are. */
function stateName(key: string): string {
  return /^[A-Z]|_/.test(key) ? key : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function* unique(entries: Iterable<[string, Tensor]>): Generator<[string, Tensor]> {
  const seen = new Set<number>()
  for (const [name, tensor] of entries) {
    if (seen.has(tensor[HANDLE])) continue
    seen.add(tensor[HANDLE])
    yield [name, tensor]
  }
}

function moveTensor(tensor: Tensor, target: Parameters<Module['to']>[0]): void {
  const isDevice = typeof target === 'string' && /^(cpu|meta|cuda)/.test(target)
  const device = typeof target === 'object' ? target.device : isDevice ? (target as Device) : undefined
  const dtype = typeof target === 'object' ? target.dtype : isDevice ? undefined : (target as DType)
  const floating = /^(float|bfloat)/.test(tensor.dtype)
  if (device !== undefined && (device === 'meta') !== (tensor.device === 'meta')) {
    throw new DeviceError(
      `Module.to: a tensor on '${tensor.device}' cannot move to '${device}'; make the module there with { device: '${device}' } and load its state`,
    )
  }
  const change = { device: device ?? tensor.device, dtype: dtype !== undefined && floating ? dtype : tensor.dtype }
  const { grad } = tensor
  call('aten::set_data', [tensor, tensor.detach().to(change)])
  if (grad) tensor.grad = grad.to(change)
}

const scoped = new WeakSet<object>()

/** Gives every `forward` of a class and its bases a scope; once a class. */
function scopeForward(type: { prototype: object }): void {
  for (
    let prototype = type.prototype;
    prototype !== Module.prototype && !scoped.has(prototype);
    prototype = Object.getPrototypeOf(prototype)
  ) {
    scoped.add(prototype)
    const forward = Object.getOwnPropertyDescriptor(prototype, 'forward')?.value
    if (forward === undefined) continue
    if (typeof forward !== 'function') throw new ArgumentError(`Module: forward is ${describe(forward)}, not a method`)
    const scopedForward = function (this: Module & { forward?: unknown }, ...args: unknown[]): unknown {
      guardCapture(() => this.training)
      // A base's forward, called by the class's own, is a part of it: hooks are around the whole.
      if (this.forward !== scopedForward) return tidy(() => forward.apply(this, args))
      return tidy(() => withForwardHooks(this, args, (inputs) => forward.apply(this, inputs)))
    }
    Object.defineProperty(prototype, 'forward', { value: scopedForward, writable: true, configurable: true })
  }
}

/** A module that turns one tensor into another, as most layers do. */
export interface Layer extends Module {
  forward(input: Tensor): Tensor
}
