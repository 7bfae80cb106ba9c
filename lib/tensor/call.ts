import { AsyncResource } from 'node:async_hooks'
import { ArgumentError, CancelledError, errorOfKind } from '../native/errors'
import { bridge, CALL_VALUES, intern, native, reserve, Tag } from '../native/frame'
import { HANDLE, isTensor, type TensorLike } from './handle'
import { OP_TABLE } from './op-table.generated'
import { own } from './scope'
import { Complex } from './types'

/**
 * The one way from TypeScript to LibTorch. A call is laid out in the frame (lib/native/frame.ts), the bridge picks the
 * overload, runs it and leaves the results in the frame. Generated functions call `op`; everything else reaches any
 * operator by name through `call` and `callAsync`.
 */

/** What a call may carry as a random generator; the class is in random.ts. */
export const GENERATOR: unique symbol = Symbol.for('@lab/vision-native/generator') as never

interface NativeFunction {
  readonly id: number
  readonly name: string
  readonly options: ReadonlyMap<string, number>
}

let TensorClass: (new (handle: number) => TensorLike) | undefined

/** tensor.ts registers its class here, which cannot import it: the class itself is built on calls. */
export function registerTensorClass(TensorType: new (handle: number) => TensorLike): void {
  TensorClass = TensorType
}

/** A tensor around a fresh handle, owned by the current scope. */
export function wrap(handle: number): TensorLike {
  if (!TensorClass) throw new Error('lib/tensor/tensor.ts was not loaded')
  const tensor = new TensorClass(handle)
  own(tensor)
  return tensor
}

// ---- Functions ------------------------------------------------------------------------------------------------------

const byIndex: (NativeFunction | undefined)[] = new Array(OP_TABLE.length)
const byName = new Map<string, NativeFunction>()

function functionAt(index: number): NativeFunction {
  const known = byIndex[index]
  if (known) return known
  const entry = OP_TABLE[index]
  if (entry === undefined) throw new ArgumentError(`call: there is no operator number ${index}`)
  const bar = entry.indexOf('|')
  const defined = define(entry.slice(0, bar), entry.slice(bar + 1).split(','))
  byIndex[index] = defined
  return defined
}

/** `aten::add` is the function with all its overloads, `aten::add.Tensor` one of them alone. */
function functionNamed(name: string): NativeFunction {
  const known = byName.get(name)
  if (known) return known
  const dot = name.indexOf('.')
  const defined = dot < 0 ? define(name, []) : define(name.slice(0, dot), [name.slice(dot + 1)])
  byName.set(name, defined)
  return defined
}

function define(name: string, overloads: readonly string[]): NativeFunction {
  const { id, options } = bridge().define(name, overloads)
  return { id, name, options: new Map(options.map((option, index) => [option, index])) }
}

// ---- Laying out a call ----------------------------------------------------------------------------------------------

let cursor = 0
let positionals = 0
let optionals = 0
let current: NativeFunction

function begin(fn: NativeFunction): number {
  native.serial += 1
  current = fn
  cursor = CALL_VALUES
  positionals = 0
  optionals = 0
  return native.serial
}

function end(fn: NativeFunction, serial: number): void {
  if (serial !== native.serial) throw reentered(fn)
  const frame = native.doubles
  frame[0] = fn.id
  frame[1] = cursor
  frame[2] = positionals
  frame[3] = optionals
}

function reentered(fn: NativeFunction): ArgumentError {
  return new ArgumentError(
    `${fn.name}: another operator ran while the arguments were read; pass plain arrays and options, without getters that compute`,
  )
}

function putArgument(value: unknown): void {
  if (optionals > 0) throw new ArgumentError(`${current.name}: options come last, nothing may follow them`)
  if (typeof value === 'object' && value !== null && !isTensor(value) && isOptions(value)) {
    putOptions(value)
  } else {
    putValue(value)
    positionals += 1
  }
}

function isOptions(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function putOptions(options: Record<string, unknown>): void {
  const fn = current
  const { serial } = native
  for (const key in options) {
    const value = options[key]
    if (serial !== native.serial) throw reentered(fn)
    if (value === undefined) continue
    const index = fn.options.get(key)
    if (index === undefined) {
      const known = [...fn.options.keys()]
      throw new ArgumentError(
        `${fn.name}: there is no option '${key}'; ${known.length > 0 ? `it takes ${known.join(', ')}` : 'it takes none'}`,
      )
    }
    if (value === null) continue
    native.doubles[cursor++] = index
    optionals += 1
    putValue(value)
  }
}

function putValue(value: unknown): void {
  const frame = native.doubles
  switch (typeof value) {
    case 'object':
      if (value === null) break
      if (isTensor(value)) {
        frame[cursor] = Tag.Tensor
        frame[cursor + 1] = value[HANDLE]
        cursor += 2
      } else {
        putObject(value)
      }
      return
    case 'number':
      // 2^53 is where integers stop being exact.
      frame[cursor] = Number.isSafeInteger(value) ? Tag.Int : Tag.Double
      frame[cursor + 1] = value
      cursor += 2
      return
    case 'boolean':
      frame[cursor] = Tag.Bool
      frame[cursor + 1] = value ? 1 : 0
      cursor += 2
      return
    case 'string':
      frame[cursor] = Tag.String
      frame[cursor + 1] = intern(value)
      cursor += 2
      return
    case 'bigint':
      frame[cursor] = Tag.BigInt
      native.bits[cursor + 1] = int64(value)
      cursor += 2
      return
  }
  throw new ArgumentError(`${current.name}: argument ${positionals + 1} is ${describe(value)}, which no operator takes`)
}

function putObject(value: object): void {
  if (Array.isArray(value)) putList(value)
  else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) putList(Array.from(value as never as number[]))
  else if (Complex.is(value)) {
    native.doubles[cursor] = Tag.Complex
    native.doubles[cursor + 1] = value.real
    native.doubles[cursor + 2] = value.imag
    cursor += 3
  } else if (GENERATOR in value) {
    native.doubles[cursor] = Tag.Generator
    native.doubles[cursor + 1] = (value as { [GENERATOR]: number })[GENERATOR]
    cursor += 2
  } else {
    throw new ArgumentError(
      `${current.name}: argument ${positionals + 1} is ${describe(value)}; expected a Tensor, a number, a list, or a plain object of options`,
    )
  }
}

function putList(list: readonly unknown[]): void {
  reserve(cursor + 2 + list.length + 256)
  const frame = native.doubles
  const start = cursor
  if (list.length === 0) {
    frame[cursor++] = Tag.EmptyList
    return
  }
  frame[start + 1] = list.length
  let at = start + 2
  let tag: Tag = Tag.Absent
  for (let i = 0; i < list.length; i++) {
    const item = list[i]
    const kind = listTag(item)
    if (tag === Tag.Absent) tag = kind
    else if (kind !== tag) {
      // Whole and fractional numbers mix in a list of floats; anything else does not mix.
      const numbers =
        (tag === Tag.IntList || tag === Tag.DoubleList) && (kind === Tag.IntList || kind === Tag.DoubleList)
      if (!numbers) throw mixedList(list, i)
      tag = Tag.DoubleList
    }
    if (kind === Tag.BigIntList) native.bits[at++] = int64(item as bigint)
    else if (kind === Tag.TensorList) frame[at++] = item === null ? 0 : liveHandle(item as TensorLike, i)
    else frame[at++] = Number(item)
  }
  frame[start] = tag
  cursor = at
}

function listTag(item: unknown): Tag {
  if (typeof item === 'number') return Number.isSafeInteger(item) ? Tag.IntList : Tag.DoubleList
  if (typeof item === 'boolean') return Tag.BoolList
  if (typeof item === 'bigint') return Tag.BigIntList
  if (item === null || isTensor(item)) return Tag.TensorList
  throw new ArgumentError(
    `${current.name}: a list of argument ${positionals + 1} holds ${describe(item)}; lists hold numbers, booleans, bigints or tensors`,
  )
}

function mixedList(list: readonly unknown[], index: number): ArgumentError {
  return new ArgumentError(
    `${current.name}: a list of argument ${positionals + 1} mixes ${describe(list[0])} with ${describe(list[index])} at index ${index}; its items must be of one type`,
  )
}

/** In a list 0 stands for null, so a disposed tensor must be noticed here. */
function liveHandle(tensor: TensorLike, index: number): number {
  if (tensor[HANDLE] !== 0) return tensor[HANDLE]
  throw errorOfKind('Disposed', `${current.name}: the tensor at index ${index} of a list was disposed`)
}

function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw new ArgumentError(`${current.name}: ${value} does not fit into 64 bits`)
}

/** A value in a few words, for error messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (isTensor(value)) return value[HANDLE] === 0 ? 'a disposed Tensor' : 'a Tensor'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return `an object of class ${value.constructor?.name ?? 'null'}`
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 40)}…'` : `'${value}'`
  if (typeof value === 'function') return 'a function'
  return typeof value === 'symbol' ? 'a symbol' : String(value)
}

// ---- Running and reading results ------------------------------------------------------------------------------------

let reader = 0

/** @internal The results of the native call that was just made. */
export function readResults(argumentOf: (index: number) => unknown): unknown {
  if (native.doubles[0] === -2) {
    reserve(native.doubles[1] as number)
    bridge().fetchResults()
  }
  const frame = native.doubles
  const count = frame[0] as number
  if (count === 1 && frame[1] === Tag.Tensor) return wrap(frame[2] as number)
  if (count === 0) return undefined
  reader = 1
  if (count === 1) return readValue(argumentOf)
  const values: unknown[] = new Array(count)
  for (let i = 0; i < count; i++) values[i] = readValue(argumentOf)
  return values
}

function readValue(argumentOf: (index: number) => unknown): unknown {
  const frame = native.doubles
  const tag = frame[reader++] as Tag
  switch (tag) {
    case Tag.Tensor: {
      const handle = frame[reader++] as number
      return handle === 0 ? null : wrap(handle)
    }
    case Tag.Argument:
      return argumentOf(frame[reader++] as number)
    case Tag.Int:
    case Tag.Double:
      return frame[reader++]
    case Tag.Bool:
      return frame[reader++] !== 0
    case Tag.BigInt:
      return native.bits[reader++]
    case Tag.Complex: {
      const value = new Complex(frame[reader] as number, frame[reader + 1] as number)
      reader += 2
      return value
    }
    case Tag.EmptyList:
      return []
    case Tag.TensorList:
    case Tag.IntList:
    case Tag.DoubleList:
    case Tag.BoolList:
      return readList(tag, frame[reader++] as number)
    default:
      reader += 1
      return null
  }
}

function readList(tag: Tag, length: number): unknown[] {
  const frame = native.doubles
  const list: unknown[] = new Array(length)
  for (let i = 0; i < length; i++) {
    const value = frame[reader++] as number
    list[i] = tag === Tag.TensorList ? (value === 0 ? null : wrap(value)) : tag === Tag.BoolList ? value !== 0 : value
  }
  return list
}

/**
 * Runs the operator of the generated table with up to five values: positional arguments, then options.
 *
 * Generated functions are its callers; use `call` for an operator by name.
 */
export function op(index: number, a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown): unknown {
  const fn = byIndex[index] ?? functionAt(index)
  const serial = begin(fn)
  if (e !== undefined) put5(a, b, c, d, e)
  else if (d !== undefined) put4(a, b, c, d)
  else if (c !== undefined) put3(a, b, c)
  else if (b !== undefined) put2(a, b)
  else if (a !== undefined) putArgument(a)
  end(fn, serial)
  bridge().invoke()
  if (native.doubles[0] === 1 && native.doubles[1] === Tag.Tensor) return wrap(native.doubles[2] as number)
  return readResults((i) => (i === 0 ? a : i === 1 ? b : i === 2 ? c : i === 3 ? d : e))
}

function put2(a: unknown, b: unknown): void {
  putArgument(a)
  putArgument(b)
}

function put3(a: unknown, b: unknown, c: unknown): void {
  put2(a, b)
  putArgument(c)
}

function put4(a: unknown, b: unknown, c: unknown, d: unknown): void {
  put3(a, b, c)
  putArgument(d)
}

function put5(a: unknown, b: unknown, c: unknown, d: unknown, e: unknown): void {
  put4(a, b, c, d)
  putArgument(e)
}

/** As `op`, for more than five values. */
export function opN(index: number, args: readonly unknown[]): unknown {
  return run(byIndex[index] ?? functionAt(index), args)
}

function layOut(fn: NativeFunction, args: readonly unknown[]): void {
  let count = args.length
  while (count > 0 && args[count - 1] === undefined) count -= 1
  const serial = begin(fn)
  for (let i = 0; i < count; i++) putArgument(args[i])
  end(fn, serial)
}

function run(fn: NativeFunction, args: readonly unknown[]): unknown {
  layOut(fn, args)
  bridge().invoke()
  return readResults((i) => args[i])
}

/**
 * Calls any operator that LibTorch's dispatcher or this package registers, public or not.
 *
 * @param name `'aten::add'` (all overloads, tried in alphabetical order) or `'aten::add.Tensor'` (that one)
 * @param args its arguments that have no default and are not optional, in the schema's order
 * @param options the others, in camelCase
 * @returns a Tensor, a number, an array of results, or undefined
 * @throws ArgumentError when there is no such operator or the arguments fit no overload
 */
export function call(name: string, args: readonly unknown[], options?: Record<string, unknown>): unknown {
  return run(functionNamed(name), options ? [...args, options] : args)
}

/** How a call that runs off the event loop is watched and stopped. */
export interface AsyncCallOptions {
  /** Stops the call; its promise then rejects with `CancelledError`, whose `cause` is the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the call is; calls may be skipped when they come too fast. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export interface Progress {
  readonly stage: string
  readonly done: number
  readonly total: number
}

/**
 * As `call`, on a thread of LibTorch's own pool: the event loop stays free. The tensors passed must not be changed in
 * place before the promise settles; when they are, it rejects.
 */
export function callAsync(
  name: string,
  args: readonly unknown[],
  options?: Record<string, unknown>,
  { signal, onProgress }: AsyncCallOptions = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw cancelled(name, signal)
    layOut(functionNamed(name), options ? [...args, options] : args)
    // Results belong to the scope of whoever called, not to that of whatever runs when they arrive.
    const settle = AsyncResource.bind((error?: Error) => {
      signal?.removeEventListener('abort', abort)
      if (error) reject(signal && error instanceof CancelledError ? cancelled(name, signal) : error)
      else resolve(readResults((i) => args[i]))
    })
    const progress = onProgress && ((stage: string, done: number, total: number) => onProgress({ stage, done, total }))
    const job = bridge().invokeAsync(settle, progress)
    const abort = () => bridge().cancel(job)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

function cancelled(name: string, signal: AbortSignal): CancelledError {
  return new CancelledError(`${name}: cancelled by its AbortSignal`, { cause: signal.reason })
}
