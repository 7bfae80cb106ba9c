import type { Bridge } from '../../bindings'
import { type CreationSite, errorOfKind, type VisionNativeError } from './errors'
import { loadBridge } from './load'
import { loadCudaLibraries, openCudaIfPresent } from './load-cuda'

/**
 * The frame: memory that JavaScript and the bridge both read and write, so that a call passes any number of values
 * for the price of one native call. It is a Float64Array; a value is a tag followed by its payload:
 *
 *     call     [function, end, positional count, option count, value …, (option index, value) …]
 *     result   [count, value …]      count −2: does not fit, [−2, doubles needed]
 *     value    TENSOR handle | INT n | DOUBLE x | BOOL 0/1 | BIGINT (int64 bits) | STRING id | COMPLEX re im
 *              GENERATOR handle | INT_LIST n … | DOUBLE_LIST n … | BOOL_LIST n … | BIGINT_LIST n (int64 bits …)
 *              TENSOR_LIST n handle … (0 for null) | EMPTY_LIST | ARGUMENT index (the very object that was passed)
 */
export enum Tag {
  Absent = 0,
  Tensor = 1,
  Int = 2,
  Double = 3,
  Bool = 4,
  BigInt = 5,
  String = 6,
  IntList = 7,
  DoubleList = 8,
  BoolList = 9,
  TensorList = 10,
  EmptyList = 11,
  Generator = 12,
  Complex = 13,
  BigIntList = 14,
  Argument = 15,
}

/** Where the values of a call begin. */
export const CALL_VALUES = 4

const INITIAL_DOUBLES = 8192
/** Strings of calls are few (modes, equations); a program that makes endless new ones must not fill memory. */
const MAX_STRINGS = 4096

/**
 * What must exist once in a thread, however many copies of this package's JavaScript are loaded (ESM, CommonJS,
 * subpaths): the frame, the bridge and the strings it knows.
 */
export interface NativeState {
  bridge: Bridge | undefined
  doubles: Float64Array
  bits: BigInt64Array
  strings: Map<string, number>
  /** Counts calls, so that a getter that computes while its own call is laid out is noticed. */
  serial: number
  /** In debug mode: live tensors by the line that made them. Set by lib/tensor. */
  liveSites?: () => readonly CreationSite[] | undefined
}

/** The object on which all copies of the package hang their per-thread state. */
export const shared = sharedRoot()

function sharedRoot(): { native?: NativeState; [part: symbol]: unknown } {
  const key = Symbol.for('@lab/vision-native/1')
  const host = globalThis as { [key: symbol]: { native?: NativeState } | undefined }
  host[key] ??= {}
  return host[key]
}

function createState(): NativeState {
  const buffer = new ArrayBuffer(INITIAL_DOUBLES * 8)
  return {
    bridge: undefined,
    doubles: new Float64Array(buffer),
    bits: new BigInt64Array(buffer),
    strings: new Map(),
    serial: 0,
  }
}

shared.native ??= createState()
export const native: NativeState = shared.native

/** The bridge; opens LibTorch and the binaries on first use. */
export function bridge(): Bridge {
  return native.bridge ?? open()
}

function open(): Bridge {
  const opened = loadBridge()
  openCudaIfPresent()
  opened.attach(native.doubles.buffer as ArrayBuffer, nativeError)
  native.bridge = opened
  return opened
}

function nativeError(kind: string, message: string): VisionNativeError {
  return errorOfKind(kind, message, kind === 'OutOfMemory' ? native.liveSites?.() : undefined)
}

/** Makes room for `doubles` values, keeping what is in the frame. */
export function reserve(doubles: number): void {
  if (doubles <= native.doubles.length) return
  const buffer = new ArrayBuffer(2 ** Math.ceil(Math.log2(doubles)) * 8)
  const grown = new Float64Array(buffer)
  // Copied as integers: a copy of doubles may change the bits of a NaN, and int64 payloads look like any bits.
  const bits = new BigInt64Array(buffer)
  bits.set(native.bits)
  bridge().attach(buffer, nativeError)
  native.doubles = grown
  native.bits = bits
}

/** The bridge's number for a string. The name of a CUDA device opens the CUDA libraries, or says why it cannot. */
export function intern(text: string): number {
  const known = native.strings.get(text)
  if (known !== undefined) return known
  if (native.strings.size >= MAX_STRINGS) {
    bridge().resetStrings()
    native.strings.clear()
  }
  if (/^cuda(:\d+)?$/.test(text)) loadCudaLibraries()
  const id = bridge().intern(text)
  native.strings.set(text, id)
  return id
}
