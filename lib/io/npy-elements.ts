import { DTypeError, FormatError } from '../native/errors'
import { wrap } from '../tensor/call'
import { handleFromElements } from '../tensor/elements'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { DType } from '../tensor/types'

/** How NumPy names an element type: byte order, kind, bytes. */
export interface NumpyElements {
  readonly order: '<' | '>' | '|'
  readonly kind: string
  readonly itemSize: number
}

const DTYPES: ReadonlyMap<string, DType> = new Map([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
  ['c8', 'complex64'],
  ['c16', 'complex128'],
])

/** Unsigned types that tensors lack become the next wider signed type. */
const WIDENED: ReadonlyMap<string, DType> = new Map([
  ['u2', 'int32'],
  ['u4', 'int64'],
  ['u8', 'int64'],
])

/** The dtype that elements of a NumPy type get. @throws DTypeError for what holds no numbers */
export function dtypeOfNumpy({ kind, itemSize }: NumpyElements, where: string): DType {
  const dtype = DTYPES.get(`${kind}${itemSize}`) ?? WIDENED.get(`${kind}${itemSize}`)
  if (dtype !== undefined) return dtype
  throw new DTypeError(
    `${where} holds elements of the NumPy type ${kind}${itemSize}, which is not supported; convert it in Python, such as ` +
      "with .astype('float32')",
  )
}

/** NumPy's name of a dtype as headers hold it, such as `<f4`. */
export function numpyOfDType(dtype: DType): string | undefined {
  const name = [...DTYPES].find(([, value]) => value === dtype)?.[0]
  if (name === undefined) return undefined
  return `${/1$/.test(name) ? '|' : '<'}${name}`
}

/**
 * A tensor of NumPy elements. Bytes are turned where their order is not this machine's, and unsigned integers of 16, 32
 * and 64 bits are widened.
 *
 * @param bytes exactly those of the shape; may be written to
 * @param where how errors call the array
 * @throws FormatError for a boolean that is neither 0 nor 1, and for a uint64 beyond int64
 */
export function tensorOfNumpy(
  type: NumpyElements,
  bytes: Uint8Array,
  shape: readonly number[],
  fortranOrder: boolean,
  where: string,
): Tensor {
  const dtype = dtypeOfNumpy(type, where)
  if (type.order === '>') swapBytes(bytes, type.kind === 'c' ? type.itemSize / 2 : type.itemSize)
  // To LibTorch a bool is a byte of 0 or 1; what it does with any other is undefined.
  if (dtype === 'bool' && bytes.some((byte) => byte > 1)) throw new FormatError(`${where}: a bool is neither 0 nor 1`)
  const elements = type.kind === 'u' ? widen(bytes, type.itemSize, where) : bytes
  if (!fortranOrder || shape.length < 2) return wrap(handleFromElements(elements, shape, dtype)) as Tensor
  return tidy(() => {
    const turned = wrap(handleFromElements(elements, [...shape].reverse(), dtype)) as Tensor
    return turned.permute(shape.map((_, dim) => shape.length - 1 - dim)).contiguous()
  })
}

function widen(bytes: Uint8Array, itemSize: number, where: string): ArrayBufferView {
  if (itemSize === 1) return bytes
  // The bytes may begin at an address that is no multiple of the element's size.
  const { buffer } = Uint8Array.from(bytes)
  if (itemSize === 2) return Int32Array.from(new Uint16Array(buffer))
  if (itemSize === 4) return BigInt64Array.from(new Uint32Array(buffer) as Iterable<number> as Uint32Array, BigInt)
  const values = new BigInt64Array(buffer)
  const beyond = values.find((value) => value < 0n)
  if (beyond === undefined) return values
  throw new FormatError(
    `${where} holds ${BigInt.asUintN(64, beyond)}, which int64 cannot; tensors have no uint64: convert it in Python`,
  )
}

/** Turns the bytes of each element, in place. */
export function swapBytes(bytes: Uint8Array, itemSize: number): void {
  if (itemSize === 1) return
  for (let begin = 0; begin + itemSize <= bytes.byteLength; begin += itemSize) {
    bytes.subarray(begin, begin + itemSize).reverse()
  }
}
