/** Element types by PyTorch's names; `complex128` appears only where an operator makes it. */
export type DType =
  | 'float16'
  | 'float32'
  | 'float64'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'bool'
  | 'complex64'
  | 'complex128'

/** `'cpu'`, `'cuda'` (the current device), `'cuda:1'`, or `'meta'` (shapes without data). */
export type Device = 'cpu' | 'cuda' | `cuda:${number}` | 'meta'

export type Layout = 'strided' | 'sparse_coo' | 'sparse_csr' | 'sparse_csc' | 'sparse_bsr' | 'sparse_bsc' | 'mkldnn'

export type MemoryFormat = 'contiguous_format' | 'preserve_format' | 'channels_last' | 'channels_last_3d'

const COMPLEX: unique symbol = Symbol.for('@lab/vision-native/complex') as never

/** A complex number, as `item()` of a complex tensor gives it. */
export class Complex {
  constructor(
    readonly real: number,
    readonly imag: number,
  ) {}

  get [COMPLEX](): true {
    return true
  }

  static is(value: unknown): value is Complex {
    return typeof value === 'object' && value !== null && COMPLEX in value
  }

  toString(): string {
    return `${this.real}${this.imag < 0 || Object.is(this.imag, -0) ? '-' : '+'}${Math.abs(this.imag)}j`
  }
}

/**
 * A number for an operator. An integral `number` is an integer, any other a float; a `bigint` is an int64; so
 * `t.add(2)` keeps an integer tensor's type, as in Python.
 */
export type Scalar = number | bigint | boolean | Complex

/** What a typed tensor reads into and is made from. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | BigInt64Array

/** dtype names by LibTorch's `ScalarType` numbers; the ones without a name here are carried, shown, but not read. */
export const DTYPE_OF_CODE: ReadonlyMap<number, DType> = new Map([
  [0, 'uint8'],
  [1, 'int8'],
  [2, 'int16'],
  [3, 'int32'],
  [4, 'int64'],
  [5, 'float16'],
  [6, 'float32'],
  [7, 'float64'],
  [9, 'complex64'],
  [10, 'complex128'],
  [11, 'bool'],
  [15, 'bfloat16'],
])

export const CODE_OF_DTYPE: ReadonlyMap<string, number> = new Map(
  [...DTYPE_OF_CODE].map(([code, name]) => [name, code]),
)

const BYTES: Record<DType, number> = {
  float16: 2,
  float32: 4,
  float64: 8,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  bool: 1,
  complex64: 8,
  complex128: 16,
}

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return BYTES[dtype]
}
