import { ArgumentError, DTypeError } from '../native/errors'
import { bridge, native } from '../native/frame'
import { HANDLE, type TensorLike } from './handle'
import { bytesOf, CODE_OF_DTYPE, type DType, type TypedArray } from './types'

/** The typed array in which the elements of a dtype come to JavaScript. */
export type ElementsOf<D extends DType> = D extends 'float64' | 'complex128'
  ? Float64Array
  : D extends 'float32' | 'float16' | 'bfloat16' | 'complex64'
    ? Float32Array
    : D extends 'int64'
      ? BigInt64Array
      : D extends 'int32'
        ? Int32Array
        : D extends 'int16'
          ? Int16Array
          : D extends 'int8'
            ? Int8Array
            : D extends 'uint8' | 'bool'
              ? Uint8Array
              : TypedArray

/** Elements of a dtype from their bytes; half-precision floats are widened. */
export function elementsFromBytes(dtype: DType, buffer: ArrayBuffer): TypedArray {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return new Float32Array(buffer)
    case 'float64':
    case 'complex128':
      return new Float64Array(buffer)
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer), halfToNumber)
    case 'bfloat16':
      return widenBfloat16(new Uint16Array(buffer))
    case 'int64':
      return new BigInt64Array(buffer)
    case 'int32':
      return new Int32Array(buffer)
    case 'int16':
      return new Int16Array(buffer)
    case 'int8':
      return new Int8Array(buffer)
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer)
    default:
      throw new DTypeError(`elements of ${dtype} cannot be read in JavaScript; convert with .to('float32') first`)
  }
}

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(bits: Uint16Array): Float32Array {
  const wide = new Uint32Array(bits.length)
  for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] as number) << 16
  return new Float32Array(wide.buffer)
}

/** IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** dtype of a tensor made from a typed array without a stated one. */
export function dtypeOfArray(array: ArrayBufferView): DType {
  if (array instanceof Float32Array) return 'float32'
  if (array instanceof Float64Array) return 'float64'
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return 'uint8'
  if (array instanceof Int8Array) return 'int8'
  if (array instanceof Int16Array) return 'int16'
  if (array instanceof Int32Array) return 'int32'
  if (array instanceof BigInt64Array) return 'int64'
  throw new DTypeError(
    `tensor: there is no dtype for a ${array.constructor.name}; use Float32Array, Float64Array, Int8Array, Int16Array, ` +
      'Int32Array, BigInt64Array or Uint8Array',
  )
}

/** A handle of a tensor with a copy of the elements. The array's length must be the product of the sizes. */
export function handleFromElements(array: ArrayBufferView, shape: readonly number[], dtype: DType): number {
  const code = CODE_OF_DTYPE.get(dtype)
  if (code === undefined)
    throw new DTypeError(`tensor: '${dtype}' is no dtype; they are ${[...CODE_OF_DTYPE.keys()].join(', ')}`)
  const frame = native.doubles
  if (shape.length > 64) throw new ArgumentError(`tensor: a shape of ${shape.length} dimensions; 64 are the most`)
  frame[0] = code
  frame[1] = shape.length
  for (let i = 0; i < shape.length; i++) frame[2 + i] = shape[i] as number
  return bridge().fromBytes(array)
}

/** The contiguous elements of a tensor as bytes in its own dtype, half-precision floats too, read off the event loop. */
export async function rawBytes(
  tensor: TensorLike & { readonly numel: number; readonly dtype: DType },
): Promise<Uint8Array> {
  const buffer = new ArrayBuffer(tensor.numel * bytesOf(tensor.dtype))
  await new Promise<void>((resolve, reject) => {
    bridge().toBytesAsync(tensor[HANDLE], buffer, (error) => (error ? reject(error) : resolve()))
  })
  return new Uint8Array(buffer)
}
