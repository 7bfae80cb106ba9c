import { DTypeError, FormatError } from '../native/errors'
import type { NumpyElements } from './npy-elements'

/** What the header of a `.npy` file says. */
export interface NpyHeader {
  readonly type: NumpyElements
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
}

/** `\x93NUMPY`, then the version's two bytes. */
const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)
const PREFIX_BYTES = MAGIC.byteLength + 2
/** Headers have some hundred bytes; NumPy itself trusts no more than this. */
const MAX_HEADER_BYTES = 10_000
const MAX_DIMENSIONS = 64
/** Data begin at multiples of this. */
const ALIGNMENT = 64

/** How many bytes of a file hold all that comes before the data, at most. */
export const MAX_START_BYTES = PREFIX_BYTES + 4 + MAX_HEADER_BYTES

/**
 * Reads the header of a `.npy` file (NEP 1; versions 1, 2 and 3). It is a Python expression; only a dict of literals of
 * the known names is taken.
 *
 * @param start the first bytes of the file, up to `MAX_START_BYTES`
 * @param name how errors call the file
 * @param options `objects`: whether arrays of Python objects are let pass, with the kind `O`
 */
export function parseNpyHeader(
  start: Uint8Array,
  name: string,
  { objects = false }: { readonly objects?: boolean } = {},
): { header: NpyHeader; dataStart: number } {
  if (start.byteLength < PREFIX_BYTES || MAGIC.some((byte, i) => start[i] !== byte)) {
    const shown = Buffer.from(start.subarray(0, 6))
      .toString('hex')
      .replace(/..(?=.)/g, '$& ')
    throw new FormatError(`${name} is no .npy file: it begins with ${shown || 'nothing'}, not with 93 4e 55 4d 50 59`)
  }
  const version = start[MAGIC.byteLength] as number
  if (version < 1 || version > 3) throw new FormatError(`${name} is of .npy version ${version}; 1, 2 and 3 are read`)
  const lengthBytes = version === 1 ? 2 : 4
  const view = Buffer.from(start.buffer, start.byteOffset, start.byteLength)
  if (view.byteLength < PREFIX_BYTES + lengthBytes) throw new FormatError(`${name} is truncated: it has no header`)
  const length = view.readUIntLE(PREFIX_BYTES, lengthBytes)
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(`${name} states a header of ${length} bytes; ${MAX_HEADER_BYTES} are the most`)
  }
  const begin = PREFIX_BYTES + lengthBytes
  if (begin + length > view.byteLength) {
    throw new FormatError(
      `${name} is truncated: it states a header of ${length} bytes and has ${view.byteLength} in all`,
    )
  }
  const text = view.toString(version === 3 ? 'utf8' : 'latin1', begin, begin + length)
  return { header: parseText(text, name, objects), dataStart: begin + length }
}

const FIELD = /^\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\s,L]*)\))\s*(,|$)/

function parseText(text: string, name: string, objects: boolean): NpyHeader {
  const wrong = (problem: string) =>
    new FormatError(`${name}: the header ${JSON.stringify(text.trim().slice(0, 120))} ${problem}`)
  const body = /^\s*\{([\s\S]*)\}\s*$/.exec(text)?.[1]
  if (body === undefined) throw wrong('is no dict')
  let rest = body
  let descr: string | undefined
  let fortranOrder: boolean | undefined
  let shape: readonly number[] | undefined
  while (rest.trim() !== '') {
    const field = FIELD.exec(rest)
    if (field === null) {
      if (/descr['"]\s*:\s*\[/.test(rest)) {
        throw new DTypeError(`${name} holds records of several fields; save each field as an array of its own`)
      }
      throw wrong("has more than literals for 'descr', 'fortran_order' and 'shape'")
    }
    const [whole, , key, , string, boolean, numbers] = field
    const twice =
      { descr, fortran_order: fortranOrder, shape }[key as 'descr' | 'fortran_order' | 'shape'] !== undefined
    if (twice) throw wrong(`has ${key} twice`)
    if (key === 'descr') descr = string
    else if (key === 'fortran_order') fortranOrder = boolean === undefined ? undefined : boolean === 'True'
    else shape = numbers === undefined ? undefined : shapeOf(numbers)
    rest = rest.slice(whole.length)
  }
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw wrong("lacks one of 'descr', 'fortran_order' and 'shape', or has another kind of value for it")
  }
  if (shape.length > MAX_DIMENSIONS || !shape.every(Number.isSafeInteger)) {
    throw wrong(`has ${shape.length} dimensions or sizes beyond 2^53; ${MAX_DIMENSIONS} dimensions are the most`)
  }
  return { type: typeOf(descr, name, objects), fortranOrder, shape }
}

function shapeOf(text: string): readonly number[] {
  return text
    .split(',')
    .map((size) => size.replace('L', '').trim())
    .filter((size) => size !== '')
    .map((size) => (/^\d+$/.test(size) ? Number(size) : Number.NaN))
}

/** `<f4`: byte order, kind, bytes. */
function typeOf(descr: string, name: string, objects: boolean): NumpyElements {
  if (/^[<>|=]?O/.test(descr)) {
    if (objects) return { order: '|', kind: 'O', itemSize: 0 }
    throw new FormatError(`${name} holds Python objects, which are pickles that may run code; save plain numbers`)
  }
  const [, order, kind, bytes] = /^([<>|=]?)([a-zA-Z])(\d{0,6})$/.exec(descr) ?? []
  if (kind === undefined) {
    throw new DTypeError(
      `${name} holds elements of the NumPy type ${JSON.stringify(descr.slice(0, 40))}; numbers are read`,
    )
  }
  return { order: order === '>' || order === '|' ? order : '<', kind, itemSize: Number(bytes) }
}

/** The bytes before the data of a `.npy` file of version 1, as NumPy writes them. */
export function encodeNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${sizes}, }`
  const before = PREFIX_BYTES + 2
  const length = Math.ceil((before + text.length + 1) / ALIGNMENT) * ALIGNMENT - before
  const header = Buffer.alloc(before + length, ' ')
  header.set(MAGIC)
  header.set([1, 0], MAGIC.byteLength)
  header.writeUInt16LE(length, PREFIX_BYTES)
  header.write(text, before, 'latin1')
  header[before + length - 1] = 0x0a
  return header
}
