import { ArgumentError, DisposedError } from '../native/errors'
import { bridge, native, reserve } from '../native/frame'
import { describe, wrap } from './call'
import { debugEnabled, forgetSite } from './debug'
import { HANDLE, isTensor, type TensorLike } from './handle'
import { tensorsIn } from './scope'

/**
 * A value whose tensors are on their way to another thread. Plain data, so `postMessage` takes it; what is in it is for
 * `receiveTensors` and `discardTensors` alone.
 */
export interface TensorMessage {
  /** What each tensor waits under. */
  readonly tokens: readonly number[]
  /** The value, with null where a tensor was. */
  readonly value: unknown
  /** The way to each of these places, and which of the tensors was there. */
  readonly places: readonly (readonly [path: readonly (string | number)[], tensor: number])[]
}

/**
 * Prepares a value for another thread of this process without a copy of its tensors:
 *
 *     port.postMessage(sendTensors({ image, label }))                        // in one thread
 *     port.on('message', (message) => { const sample = receiveTensors(message) })   // in the other
 *
 * The tensors leave this thread: they are disposed here, whatever becomes of the message. A tensor that shares its
 * memory with one that stays (a view of it, say) is copied, so two threads never write the same memory. Tensors that are
 * sent and never received stay in memory until `discardTensors`.
 *
 * @param value a tensor, or arrays and plain objects that hold tensors beside anything that `postMessage` takes
 * @param options `channel`: the `id` of a `TensorChannel`
 * @throws ArgumentError when a tensor requires gradients, sits in a Map, a Set or an instance of a class, or the value
 *   holds itself; nothing is sent then
 * @throws DisposedError when a tensor was disposed
 */
export function sendTensors(value: unknown, { channel = 0 }: { readonly channel?: number } = {}): TensorMessage {
  const tensors = new Map<TensorLike, number>()
  const places: [path: (string | number)[], tensor: number][] = []
  const copy = takeOut(value, [], new Set(), (tensor, path) => {
    if (tensor[HANDLE] === 0) throw new DisposedError(`sendTensors: the tensor at ${pathText(path)} was disposed`)
    if (!tensors.has(tensor)) tensors.set(tensor, tensors.size)
    places.push([path, tensors.get(tensor) ?? 0])
  })
  return { tokens: exportAll([...tensors.keys()], channel), value: copy, places }
}

function exportAll(tensors: readonly TensorLike[], channel: number): number[] {
  if (tensors.length === 0) return []
  reserve(tensors.length)
  const handles = tensors.map((tensor) => tensor[HANDLE])
  native.doubles.set(handles)
  bridge().exportTensors(tensors.length, channel)
  for (const tensor of tensors) {
    if (debugEnabled()) forgetSite(tensor[HANDLE])
    tensor[HANDLE] = 0
  }
  return Array.from(native.doubles.subarray(0, tensors.length))
}

/** A copy of arrays and plain objects with null where a tensor was, which `found` is told of. */
function takeOut(
  value: unknown,
  path: (string | number)[],
  above: Set<object>,
  found: (tensor: TensorLike, path: (string | number)[]) => void,
): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isTensor(value)) {
    found(value, path)
    return null
  }
  const list = Array.isArray(value)
  if (!list && !isPlain(value)) {
    if (tensorsIn(value).size === 0) return value
    throw new ArgumentError(
      `sendTensors: ${describe(value)} at ${pathText(path)} holds tensors; only arrays and plain objects of tensors travel`,
    )
  }
  if (above.has(value)) throw new ArgumentError(`sendTensors: the value at ${pathText(path)} holds itself`)
  above.add(value)
  const copy = list
    ? value.map((item, i) => takeOut(item, [...path, i], above, found))
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, takeOut(item, [...path, key], above, found)]))
  above.delete(value)
  return copy
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function pathText(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'the top'
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
}

/**
 * The value of a message with its tensors, which belong to this thread from now on, and to the current scope. What the
 * message held is used up: a message is received once.
 *
 * @throws DisposedError when the message was received or discarded before, or its channel was closed
 * @throws ArgumentError when it is no message of `sendTensors`
 */
export function receiveTensors(message: unknown): unknown {
  checkMessage(message)
  const { tokens, places } = message
  const tensors = adoptAll(tokens)
  let { value } = message
  for (const [path, index] of places) value = putBack(value, path, 0, tensors[index])
  return value
}

function adoptAll(tokens: readonly number[]): TensorLike[] {
  if (tokens.length === 0) return []
  reserve(tokens.length)
  native.doubles.set(tokens)
  bridge().adoptTensors(tokens.length)
  return Array.from(native.doubles.subarray(0, tokens.length), (handle) => wrap(handle))
}

function putBack(value: unknown, path: readonly (string | number)[], depth: number, tensor: unknown): unknown {
  const step = path[depth]
  if (step === undefined) return tensor
  const parent = value as Record<string | number, unknown>
  const item = putBack(parent[step], path, depth + 1, tensor)
  // Defined and not assigned: a key of the sender's may be called `__proto__`.
  Object.defineProperty(parent, step, { value: item, writable: true, enumerable: true, configurable: true })
  return value
}

/**
 * Frees the tensors of a message that nobody will receive. One that was received or discarded before has none.
 *
 * @returns how many were freed
 */
export function discardTensors(message: unknown): number {
  checkMessage(message)
  reserve(message.tokens.length)
  native.doubles.set(message.tokens)
  return bridge().dropTensors(message.tokens.length)
}

function checkMessage(message: unknown): asserts message is TensorMessage {
  const { tokens, places } = (message ?? {}) as { tokens?: unknown; places?: unknown }
  if (Array.isArray(tokens) && Array.isArray(places)) return
  throw new ArgumentError(`receiveTensors: ${describe(message)} is no message; pass what sendTensors returned`)
}

/**
 * A channel for messages of a thread that may end at any time: a worker sends with `sendTensors(value, { channel })`,
 * and the thread that owns the worker calls `close()` when it has ended, which frees what it sent and nobody received.
 */
export class TensorChannel {
  /** To hand to the thread that sends. */
  readonly id: number = bridge().openChannel()

  /** Frees what is on its way, and refuses what is sent from now on. Returns how many tensors were freed. */
  close(): number {
    return bridge().closeChannel(this.id)
  }
}

/** Tensors of the whole process that were sent, and neither received nor freed. */
export function tensorsOnTheirWay(): number {
  return bridge().tensorsOnTheirWay()
}

/**
 * Leaves this thread one processor for its operators; `setNumThreads` is for the process. For threads that prepare data
 * beside the one that trains.
 */
export function useOneThread(): void {
  bridge().useOneThread()
}
