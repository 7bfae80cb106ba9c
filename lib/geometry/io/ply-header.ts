import { FormatError } from '../../native/errors'
import type { ElementArray, ElementType } from './elements'
import { TextLines, wordsOf } from './text-lines'

export type PlyFormat = 'ascii' | 'binary_little_endian' | 'binary_big_endian'

/** One number for each item of an element. */
export interface PlyScalars {
  readonly kind: 'scalar'
  readonly name: string
  readonly type: ElementType
  readonly values: ElementArray
}

/** A list for each item: item i has `values` from `starts[i]` to `starts[i + 1]`. */
export interface PlyLists {
  readonly kind: 'list'
  readonly name: string
  /** Of the number before each list. */
  readonly countType: ElementType
  readonly type: ElementType
  readonly starts: Uint32Array
  readonly values: ElementArray
}

export type PlyProperty = PlyScalars | PlyLists

export interface PlyElement {
  readonly name: string
  readonly count: number
  readonly properties: readonly PlyProperty[]
}

/** A file of the Stanford polygon format (Turk 1994): elements such as `vertex` and `face`, each with its properties. */
export interface Ply {
  readonly format: PlyFormat
  readonly comments: readonly string[]
  readonly objInfo: readonly string[]
  readonly elements: readonly PlyElement[]
}

export interface PlyPropertyHeader {
  readonly name: string
  readonly type: ElementType
  /** Of a list. */
  readonly countType: ElementType | undefined
}

export interface PlyElementHeader {
  readonly name: string
  readonly count: number
  readonly properties: readonly PlyPropertyHeader[]
}

export interface PlyHeader {
  readonly format: PlyFormat
  readonly comments: readonly string[]
  readonly objInfo: readonly string[]
  readonly elements: readonly PlyElementHeader[]
  /** Behind the header. */
  readonly lines: TextLines
}

const TYPES: ReadonlyMap<string, ElementType> = new Map([
  ['char', 'int8'],
  ['uchar', 'uint8'],
  ['short', 'int16'],
  ['ushort', 'uint16'],
  ['int', 'int32'],
  ['uint', 'uint32'],
  ['float', 'float32'],
  ['double', 'float64'],
  ...(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'] as const).map(
    (type) => [type, type] as const,
  ),
])
export const PLY_FORMATS: readonly PlyFormat[] = ['ascii', 'binary_little_endian', 'binary_big_endian']
/** No header has so many lines; a file without an end of its header is not read to its end. */
const MOST_LINES = 10_000

/** @throws FormatError naming the line and what is wrong with it */
export function readPlyHeader(name: string, bytes: Uint8Array): PlyHeader {
  const lines = new TextLines(name, bytes)
  const magic = bytes.subarray(0, 3)
  if (String.fromCharCode(...magic) !== 'ply' || lines.next()?.trim() !== 'ply') {
    throw new FormatError(`${name} is no PLY file: its first line is not 'ply'`)
  }
  let format: PlyFormat | undefined
  const comments: string[] = []
  const objInfo: string[] = []
  const elements: { name: string; count: number; properties: PlyPropertyHeader[] }[] = []
  for (;;) {
    const text = lines.next()
    if (text === undefined || lines.line > MOST_LINES) {
      throw new FormatError(`${name}: the header has no line 'end_header'; the file is cut off or not a PLY file`)
    }
    const words = wordsOf(text)
    const [keyword] = words
    if (keyword === 'end_header') break
    if (keyword === undefined) continue
    if (keyword === 'comment') comments.push(text.trim().slice(8))
    else if (keyword === 'obj_info') objInfo.push(text.trim().slice(9))
    else if (keyword === 'format') format = formatOf(words, lines)
    else if (keyword === 'element') elements.push(elementOf(words, lines, elements))
    else if (keyword === 'property') {
      const element = elements.at(-1)
      if (element === undefined) throw new FormatError(`${lines.place}: a property stands before any element`)
      element.properties.push(propertyOf(words, lines, element))
    } else {
      throw new FormatError(
        `${lines.place}: '${keyword.slice(0, 40)}' is no word of a header; it has format, comment, obj_info, element, property, end_header`,
      )
    }
  }
  if (format === undefined) throw new FormatError(`${name}: the header has no line 'format'`)
  return { format, comments, objInfo, elements, lines }
}

function formatOf([, word = '', version = '']: readonly string[], lines: TextLines): PlyFormat {
  const format = PLY_FORMATS.find((known) => known === word)
  if (format === undefined || version !== '1.0') {
    throw new FormatError(
      `${lines.place}: the format is '${word} ${version}'; it is ${PLY_FORMATS.join(', ')} with 1.0`,
    )
  }
  return format
}

function elementOf(
  [, name = '', count = '', ...more]: readonly string[],
  lines: TextLines,
  elements: readonly { readonly name: string }[],
) {
  if (!/^\d{1,16}$/.test(count) || !Number.isSafeInteger(Number(count)) || more.length > 0) {
    throw new FormatError(`${lines.place}: element '${name}' has the count '${count}'; it is a whole number`)
  }
  if (elements.some((element) => element.name === name)) {
    throw new FormatError(`${lines.place}: element '${name}' is there twice`)
  }
  return { name, count: Number(count), properties: [] }
}

function propertyOf(
  words: readonly string[],
  lines: TextLines,
  element: { readonly name: string; readonly properties: readonly PlyPropertyHeader[] },
): PlyPropertyHeader {
  const list = words[1] === 'list'
  const [typeWord = '', name, ...more] = words.slice(list ? 3 : 1)
  const type = TYPES.get(typeWord)
  const countType = list ? TYPES.get(words[2] ?? '') : undefined
  if (type === undefined || name === undefined || more.length > 0 || (list && countType === undefined)) {
    throw new FormatError(
      `${lines.place}: '${words.join(' ').slice(0, 80)}' is no property; write 'property <type> <name>' or 'property list <type> <type> <name>' with types such as uchar, int, float, double`,
    )
  }
  if (countType === 'float32' || countType === 'float64') {
    throw new FormatError(`${lines.place}: lists of '${name}' are counted in ${words[2]}; counts are whole numbers`)
  }
  if (element.properties.some((property) => property.name === name)) {
    throw new FormatError(`${lines.place}: element '${element.name}' has the property '${name}' twice`)
  }
  return { name, type, countType }
}
