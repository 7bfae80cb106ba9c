// Numbers of files of points, by their types.
import { FormatError } from '../../native/errors'
import { type Tensor, tensor } from '../../tensor'

export type ElementType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64'
export type ElementArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

interface Kind {
  readonly bytes: number
  /** Least and largest whole number; undefined for floating point. */
  readonly range: readonly [number, number] | undefined
  make(length: number): ElementArray
  read(view: DataView, at: number, little: boolean): number
  write(view: DataView, at: number, value: number, little: boolean): void
}

export const ELEMENTS: Readonly<Record<ElementType, Kind>> = {
  int8: {
    bytes: 1,
    range: [-128, 127],
    make: (length) => new Int8Array(length),
    read: (view, at) => view.getInt8(at),
    write: (view, at, value) => view.setInt8(at, value),
  },
  uint8: {
    bytes: 1,
    range: [0, 255],
    make: (length) => new Uint8Array(length),
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, value),
  },
  int16: {
    bytes: 2,
    range: [-32768, 32767],
    make: (length) => new Int16Array(length),
    read: (view, at, little) => view.getInt16(at, little),
    write: (view, at, value, little) => view.setInt16(at, value, little),
  },
  uint16: {
    bytes: 2,
    range: [0, 65535],
    make: (length) => new Uint16Array(length),
    read: (view, at, little) => view.getUint16(at, little),
    write: (view, at, value, little) => view.setUint16(at, value, little),
  },
  int32: {
    bytes: 4,
    range: [-(2 ** 31), 2 ** 31 - 1],
    make: (length) => new Int32Array(length),
    read: (view, at, little) => view.getInt32(at, little),
    write: (view, at, value, little) => view.setInt32(at, value, little),
  },
  uint32: {
    bytes: 4,
    range: [0, 2 ** 32 - 1],
    make: (length) => new Uint32Array(length),
    read: (view, at, little) => view.getUint32(at, little),
    write: (view, at, value, little) => view.setUint32(at, value, little),
  },
  float32: {
    bytes: 4,
    range: undefined,
    make: (length) => new Float32Array(length),
    read: (view, at, little) => view.getFloat32(at, little),
    write: (view, at, value, little) => view.setFloat32(at, value, little),
  },
  float64: {
    bytes: 8,
    range: undefined,
    make: (length) => new Float64Array(length),
    read: (view, at, little) => view.getFloat64(at, little),
    write: (view, at, value, little) => view.setFloat64(at, value, little),
  },
}

export function typeOfElements(values: ElementArray): ElementType {
  if (values instanceof Int8Array) return 'int8'
  if (values instanceof Uint8Array) return 'uint8'
  if (values instanceof Int16Array) return 'int16'
  if (values instanceof Uint16Array) return 'uint16'
  if (values instanceof Int32Array) return 'int32'
  if (values instanceof Uint32Array) return 'uint32'
  return values instanceof Float32Array ? 'float32' : 'float64'
}

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['-nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
])
const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/

/** A number as text has it, or undefined. */
export function parseNumber(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text)
  return SPECIAL.get(text.toLowerCase())
}

/** @param place the file, line and field, for the message. @throws FormatError unless the text is a number of the type */
export function parseElement(text: string | undefined, type: ElementType, place: () => string): number {
  if (text === undefined) throw new FormatError(`${place()} is missing; the line ends before it`)
  const value = parseNumber(text)
  if (value === undefined) throw new FormatError(`${place()} is '${text.slice(0, 40)}', which is no number`)
  const { range } = ELEMENTS[type]
  if (range === undefined) return value
  if (Number.isInteger(value) && value >= range[0] && value <= range[1]) return value
  throw new FormatError(
    `${place()} is ${text.slice(0, 40)}; a ${type} is a whole number from ${range[0]} to ${range[1]}`,
  )
}

/** The least text that reads back as the same number. */
export function printElement(value: number, type: ElementType): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return type === 'float32' ? String(Number(value.toPrecision(9))) : String(value)
}

/** Numbers as a tensor. There are no tensors of uint16 and uint32: they become int32 and int64. */
export function tensorOf(values: ElementArray, shape: readonly number[]): Tensor {
  if (values instanceof Uint16Array) return tensor(Int32Array.from(values), { shape: [...shape] })
  if (values instanceof Uint32Array) return tensor(BigInt64Array.from(values, BigInt), { shape: [...shape] })
  return tensor(values, { shape: [...shape] })
}

/** The elements of a tensor for a file; what no file holds becomes the next larger type. */
export function elementsOf(values: Tensor): ElementArray {
  const { dtype } = values
  const here = values.detach().to('cpu').contiguous()
  if (dtype === 'float64') return here.dataSync() as Float64Array
  if (dtype === 'uint8' || dtype === 'int8' || dtype === 'int16' || dtype === 'int32') {
    return here.dataSync() as Uint8Array | Int8Array | Int16Array | Int32Array
  }
  if (dtype === 'bool') return here.to('uint8').dataSync() as Uint8Array
  // Whole numbers up to 2⁵³ are exact.
  if (dtype === 'int64') return Float64Array.from(here.dataSync() as BigInt64Array, Number)
  return here.to('float32').dataSync() as Float32Array
}

/** Elements that are added one by one. */
export class GrowingElements {
  #values: ElementArray
  length = 0

  constructor(readonly type: ElementType) {
    this.#values = ELEMENTS[type].make(64)
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = ELEMENTS[this.type].make(2 * this.length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.length++] = value
  }

  finish(): ElementArray {
    const exact = ELEMENTS[this.type].make(this.length)
    exact.set(this.#values.subarray(0, this.length))
    return exact
  }
}
