import type { Tensor } from '../tensor/tensor'
import type { Complex } from '../tensor/types'

/** A key of a Python dict. */
export type PthKey = string | number | bigint | boolean | null | readonly PthValue[]

/** A Python dict of strings, or of whole numbers, as an object. */
export interface PthObject {
  readonly [key: string]: PthValue
}

/**
 * A value of a PyTorch file.
 *
 * | Python | JavaScript |
 * |---|---|
 * | `Tensor`, `Parameter`, `numpy.ndarray` | `Tensor` |
 * | `int` | a number, or a bigint beyond ±2^53 |
 * | `float` | a number; one without a fraction is written as `int` |
 * | `complex` | `Complex` |
 * | `str`, `bool`, `None` | a string, a boolean, `null` |
 * | `bytes` | `Uint8Array` |
 * | `list` | an array |
 * | `tuple`, `torch.Size` | a frozen array, as `Object.freeze([1, 2])` gives |
 * | `dict` of strings, or of small whole numbers | an object: JavaScript does not tell the keys `0` and `'0'` apart |
 * | `OrderedDict`; any other `dict` | `Map` |
 * | `set` | `Set` |
 * | `torch.dtype`, `torch.device` | read as strings such as `'torch.float32'`, `'cuda:0'` |
 *
 * An object's keys that are whole numbers are written as `int`. A `Map` keeps keys as they are, and is written as an
 * `OrderedDict` when all of them are strings, as those of a state dict.
 */
export type PthValue =
  | Tensor
  | number
  | bigint
  | string
  | boolean
  | null
  | Complex
  | Uint8Array
  | readonly PthValue[]
  | ReadonlySet<PthValue>
  | ReadonlyMap<PthKey, PthValue>
  | PthObject

const ATTRIBUTES: unique symbol = Symbol.for('@lab/vision-native/pth-attributes') as never

/**
 * Attributes that Python set on an `OrderedDict`, such as the `_metadata` of a state dict. They are written again when
 * the map is.
 */
export function attributesOf(
  map: ReadonlyMap<PthKey, PthValue>,
): PthObject | ReadonlyMap<PthKey, PthValue> | undefined {
  return (map as { readonly [ATTRIBUTES]?: PthObject })[ATTRIBUTES]
}

/** Hidden, so that printing and comparing a map is as ever. */
export function setAttributes(map: ReadonlyMap<PthKey, PthValue>, attributes: PthValue): void {
  Object.defineProperty(map, ATTRIBUTES, { value: attributes, enumerable: false })
}

/** The largest index that JavaScript keeps in numeric order and writes without change. */
const MAX_INDEX = 2 ** 32 - 2

/** True for a key that an object holds as a number: `7` or `'7'`, and not `-1`, `'07'` or `'x'`. */
export function isIndex(key: unknown): boolean {
  const number = typeof key === 'string' && /^(?:0|[1-9]\d{0,9})$/.test(key) ? Number(key) : key
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= MAX_INDEX
}
