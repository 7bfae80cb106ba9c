import { ArgumentError } from '../native/errors'
import { describe } from '../tensor/call'
import type { HookHandle } from '../tensor/gradient-hooks'
import type { Module } from './module'

/**
 * Called before a module's `forward` with its arguments; a list that it returns takes their place.
 *
 * @typeParam M the module
 */
export type ForwardPreHook<M extends Module = Module> = (
  module: M,
  inputs: readonly unknown[],
  // biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing are the usual hooks
) => readonly unknown[] | undefined | void

/**
 * Called after a module's `forward` with its arguments and its result; what it returns, unless undefined, takes the
 * result's place.
 *
 * @typeParam M the module
 */
export type ForwardHook<M extends Module = Module> = (module: M, inputs: readonly unknown[], output: unknown) => unknown

interface ForwardHooks {
  readonly before: Set<{ readonly hook: ForwardPreHook<never> }>
  readonly after: Set<{ readonly hook: ForwardHook<never> }>
}

/** Hooks belong to no property: a module's properties are its state. */
const hooksOf = new WeakMap<Module, ForwardHooks>()

function hooks(module: Module): ForwardHooks {
  const known = hooksOf.get(module)
  if (known) return known
  const none: ForwardHooks = { before: new Set(), after: new Set() }
  hooksOf.set(module, none)
  return none
}

export function addForwardPreHook<M extends Module>(module: M, hook: ForwardPreHook<M>): HookHandle {
  checkHook('registerForwardPreHook', hook)
  return addTo(hooks(module).before, { hook })
}

export function addForwardHook<M extends Module>(module: M, hook: ForwardHook<M>): HookHandle {
  checkHook('registerForwardHook', hook)
  return addTo(hooks(module).after, { hook })
}

function addTo<Item>(list: Set<Item>, item: Item): HookHandle {
  list.add(item)
  const remove = () => void list.delete(item)
  return { remove, [Symbol.dispose]: remove }
}

function checkHook(name: string, hook: unknown): void {
  if (typeof hook !== 'function') throw new ArgumentError(`${name}: the hook is ${describe(hook)}; pass a function`)
}

/** Runs `forward` with the hooks of a module around it, in the order they were registered. */
export function withForwardHooks(
  module: Module,
  args: readonly unknown[],
  forward: (args: readonly unknown[]) => unknown,
): unknown {
  const registered = hooksOf.get(module)
  if (registered === undefined) return forward(args)
  let inputs = args
  for (const { hook } of [...registered.before]) {
    const replaced: unknown = (hook as ForwardPreHook)(module, inputs)
    if (replaced === undefined) continue
    if (!Array.isArray(replaced)) {
      throw new ArgumentError(
        `${module.constructor.name}: a forward pre-hook returned ${describe(replaced)}; it returns a list of arguments, or nothing`,
      )
    }
    inputs = replaced
  }
  let output = forward(inputs)
  for (const { hook } of [...registered.after]) {
    const replaced = (hook as ForwardHook)(module, inputs, output)
    if (replaced !== undefined) output = replaced
  }
  return output
}
