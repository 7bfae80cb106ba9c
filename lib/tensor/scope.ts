import { AsyncLocalStorage } from 'node:async_hooks'
import { ArgumentError, DisposedError } from '../native/errors'
import { bridge, native, shared } from '../native/frame'
import { debugEnabled, forgetSite, recordSite } from './debug'
import { HANDLE, isTensor, OWNER, TENSORS, type TensorLike } from './handle'
import { isThenable } from './mode'

/**
 * Scopes are the memory model: a tensor belongs to the scope that was current when it was made and is freed with it,
 * unless the scope's function returns it. Scopes follow async context, so concurrent tasks do not free each other's
 * tensors.
 */
export class Scope {
  #items: TensorLike[] = []
  #open = true
  #compactAt = 1024

  constructor(readonly parent: Scope | undefined) {}

  get open(): boolean {
    return this.#open
  }

  add(tensor: TensorLike): void {
    tensor[OWNER] = this
    // A loop that disposes its tensors by hand must not grow the list for as long as the scope lives.
    if (this.#items.push(tensor) >= this.#compactAt) {
      this.#items = this.#items.filter((item) => item[HANDLE] !== 0 && item[OWNER] === this)
      this.#compactAt = this.#items.length * 2 + 1024
    }
  }

  /** Frees what the scope holds, except the tensors in `result`, which pass to the enclosing scope. */
  close(result: unknown): void {
    this.#open = false
    if (result !== undefined)
      for (const tensor of tensorsIn(result)) if (tensor[OWNER] === this) adopt(tensor, this.parent)
    const frame = native.doubles
    let count = 0
    for (const item of this.#items) {
      if (item[OWNER] !== this || item[HANDLE] === 0) continue
      if (count === frame.length) count = flush(count)
      frame[count++] = item[HANDLE]
      if (debugEnabled()) forgetSite(item[HANDLE])
      item[HANDLE] = 0
    }
    flush(count)
    this.#items = []
  }
}

function flush(count: number): number {
  if (count > 0) bridge().free(count)
  return 0
}

interface ScopeState {
  storage: AsyncLocalStorage<Scope>
  /** Frees tensors that no scope owns once they are unreachable. A stale handle does nothing. */
  registry: FinalizationRegistry<number>
}

const KEY = Symbol.for('@lab/vision-native/scopes')
shared[KEY] ??= {
  storage: new AsyncLocalStorage<Scope>(),
  registry: new FinalizationRegistry<number>(freeHandle),
} satisfies ScopeState
const state = shared[KEY] as ScopeState

function freeHandle(handle: number): void {
  if (debugEnabled()) forgetSite(handle)
  native.doubles[0] = handle
  bridge().free(1)
}

let observer: ((tensor: TensorLike) => void) | undefined

/** Tells `observe` of every new tensor until the function it returns is called. For one observer at a time. */
export function observeNewTensors(observe: (tensor: TensorLike) => void): () => void {
  observer = observe
  return () => {
    observer = undefined
  }
}

/** Gives a new tensor to the current scope, or to the garbage collector where there is none. */
export function own(tensor: TensorLike): void {
  observer?.(tensor)
  if (debugEnabled()) recordSite(tensor[HANDLE], state.storage.getStore() !== undefined)
  adopt(tensor, state.storage.getStore())
}

function adopt(tensor: TensorLike, candidate: Scope | undefined): void {
  let scope = candidate
  while (scope && !scope.open) scope = scope.parent
  if (scope) {
    scope.add(tensor)
  } else {
    tensor[OWNER] = undefined
    state.registry.register(tensor, tensor[HANDLE])
  }
}

/** Runs `fn` with a scope that its caller closes; for work that goes on when whoever asked for it has moved on. */
export function runInScope<T>(scope: Scope, fn: () => T): T {
  return state.storage.run(scope, fn)
}

/**
 * Runs `fn` and frees every tensor made in it that it does not return (alone, or inside arrays, plain objects, maps and
 * sets).
 *
 * @throws ArgumentError when `fn` returns a promise: its tensors would be freed before it settles; use `tidyAsync`
 */
export function tidy<T>(fn: () => T): T {
  const scope = new Scope(state.storage.getStore())
  let result: T | undefined
  try {
    result = state.storage.run(scope, fn)
    if (isThenable(result)) {
      result.then(undefined, () => {})
      result = undefined
      throw new ArgumentError(
        'tidy: the function returned a promise, whose tensors would be freed at once; use tidyAsync',
      )
    }
    return result
  } finally {
    scope.close(result)
  }
}

/** As `tidy`, for a function that returns a promise: tensors are freed when it settles. */
export async function tidyAsync<T>(fn: () => Promise<T>): Promise<T> {
  const scope = new Scope(state.storage.getStore())
  let result: T | undefined
  try {
    result = await state.storage.run(scope, fn)
    return result
  } finally {
    scope.close(result)
  }
}

/** Takes a tensor out of its scope: it lives until `dispose()` or until it is unreachable. Returns it. */
export function keep<T extends TensorLike>(tensor: T): T {
  if (tensor[HANDLE] === 0) throw new DisposedError('keep: the tensor was disposed; keep it before its scope ends')
  if (tensor[OWNER] !== undefined) adopt(tensor, undefined)
  return tensor
}

/** Frees tensors now (alone or nested as in `tidy`); freeing one twice is allowed. */
export function dispose(value: unknown): void {
  for (const tensor of tensorsIn(value)) {
    if (tensor[HANDLE] === 0) continue
    freeHandle(tensor[HANDLE])
    tensor[HANDLE] = 0
  }
}

/** Every tensor in a value: itself, or inside arrays, maps, sets, plain objects and objects that list their tensors. */
export function tensorsIn(value: unknown, found = new Set<TensorLike>(), seen = new Set<object>()): Set<TensorLike> {
  if (typeof value !== 'object' || value === null) return found
  if (isTensor(value)) return found.add(value)
  if (seen.has(value) || ArrayBuffer.isView(value)) return found
  seen.add(value)
  if (TENSORS in value) {
    for (const tensor of (value as { [TENSORS](): Iterable<unknown> })[TENSORS]()) tensorsIn(tensor, found, seen)
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) tensorsIn(item, found, seen)
  } else if (value instanceof Map) {
    for (const item of value.values()) tensorsIn(item, found, seen)
  } else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    for (const item of Object.values(value)) tensorsIn(item, found, seen)
  }
  return found
}
