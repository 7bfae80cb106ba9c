import { ArgumentError, DisposedError } from '../native/errors'
import { bridge } from '../native/frame'
import { describe, wrap } from './call'
import { callerSite } from './debug'
import { HANDLE, isTensor } from './handle'
import { isThenable } from './mode'
import { dispose } from './scope'
import type { Tensor } from './tensor'

/** Called with a gradient; a tensor that it returns takes the gradient's place. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing are the usual hooks
export type GradientHook = (gradient: Tensor) => Tensor | null | undefined | void

/** What undoes a registration. */
export interface HookHandle {
  /** Removes the hook; a second time does nothing. */
  remove(): void
  [Symbol.dispose](): void
}

/** `Tensor.registerHook`. */
export function registerGradientHook(tensor: Tensor, hook: GradientHook): HookHandle {
  checkHook('registerHook', hook)
  const site = callerSite()
  return handleOf(
    bridge().registerHook(
      tensor[HANDLE],
      false,
      (handle) => replacement(hook(wrap(handle) as Tensor), `the gradient hook registered at ${site}`),
      site,
    ),
  )
}

/** `Tensor.registerPostAccumulateGradHook`. */
export function registerPostAccumulateHook(tensor: Tensor, hook: (leaf: Tensor) => void): HookHandle {
  checkHook('registerPostAccumulateGradHook', hook)
  // The tensor itself would be held by its own hook, and never be collected.
  const reference = new WeakRef(tensor)
  const call = (handle: number): number => {
    const arrived = wrap(handle) as Tensor
    const leaf = reference.deref()
    if (leaf === undefined || leaf[HANDLE] === 0) {
      hook(arrived)
    } else {
      dispose(arrived)
      hook(leaf)
    }
    return 0
  }
  return handleOf(bridge().registerHook(tensor[HANDLE], true, call, callerSite()))
}

function checkHook(name: string, hook: unknown): void {
  if (typeof hook !== 'function') {
    throw new ArgumentError(`${name}: the hook is ${describe(hook)}; pass a function`)
  }
}

function handleOf(id: number): HookHandle {
  const remove = () => bridge().removeHook(id)
  return { remove, [Symbol.dispose]: remove }
}

/** The handle of what a hook returned, or 0. */
function replacement(result: unknown, what: string): number {
  if (result === undefined || result === null) return 0
  if (isTensor(result)) {
    if (result[HANDLE] !== 0) return result[HANDLE]
    throw new DisposedError(`${what} returned a tensor that was disposed; return it from its tidy() scope`)
  }
  if (!isThenable(result))
    throw new ArgumentError(`${what} returned ${describe(result)}; it returns a tensor or nothing`)
  result.then(undefined, () => {})
  throw new ArgumentError(`${what} returned a promise; backward() does not wait, so a hook is a plain function`)
}
