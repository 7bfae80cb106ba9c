// Point Cloud Library's PCD, version 0.7: text, binary, or binary compressed by LZF.
import { readSource, type Source } from '../../io/source'
import { writeFileAtomic } from '../../native/atomic-file'
import { ArgumentError, FormatError } from '../../native/errors'
import { ELEMENTS, type ElementArray, type ElementType, parseElement, printElement, typeOfElements } from './elements'
import { lzfCompress, lzfDecompress } from './lzf'
import { inTurn } from './ply-write'
import { TextLines, textChunks, wordsOf } from './text-lines'

export type PcdFormat = 'ascii' | 'binary' | 'binary_compressed'

export interface PcdField {
  readonly name: string
  readonly type: ElementType
  /** Numbers of each point; 1 but for such as histograms. */
  readonly count: number
  /** Of one point after the other. */
  readonly values: ElementArray
}

export interface Pcd {
  readonly format: PcdFormat
  /** Columns of an organised cloud, or the number of points. */
  readonly width: number
  /** Rows, 1 where the cloud has no order. */
  readonly height: number
  /** Where it was taken from: translation x, y, z and quaternion w, x, y, z. */
  readonly viewpoint: readonly number[]
  /** Padding (`_`) is left out. */
  readonly fields: readonly PcdField[]
}

interface FieldHeader {
  readonly name: string
  readonly type: ElementType
  readonly count: number
}

interface Header {
  readonly format: PcdFormat
  readonly width: number
  readonly height: number
  readonly points: number
  readonly viewpoint: readonly number[]
  readonly fields: readonly FieldHeader[]
}

const FORMATS: readonly PcdFormat[] = ['ascii', 'binary', 'binary_compressed']
const STILL: readonly number[] = [0, 0, 0, 1, 0, 0, 0]
const MOST_LINES = 1000

/**
 * Reads a PCD file with all of its fields in their types.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the line or byte and the field, before anything is allocated for points that are not there
 */
export async function readPcd(source: Source): Promise<Pcd> {
  const { name, bytes } = await readSource(source, 'readPcd')
  return decodePcd(name, bytes)
}

/** @param name by which errors call the file */
export function decodePcd(name: string, bytes: Uint8Array): Pcd {
  const lines = new TextLines(name, bytes)
  const header = readHeader(lines)
  const { format, width, height, viewpoint } = header
  const read = format === 'ascii' ? readText : format === 'binary' ? readBinary : readCompressed
  const fields = read(header, lines).filter((field) => field.name !== '_')
  return { format, width, height, viewpoint, fields }
}

// ---- Header ---------------------------------------------------------------------------------------------------------

function readHeader(lines: TextLines): Header {
  const entries = new Map<string, readonly string[]>()
  while (!entries.has('DATA')) {
    const text = lines.next()
    if (text === undefined || lines.line > MOST_LINES) {
      throw new FormatError(`${lines.name}: the header has no line 'DATA'; it is no PCD file, or cut off`)
    }
    const [keyword, ...words] = wordsOf(text.startsWith('#') ? '' : text)
    if (keyword === undefined) continue
    if (!KEYWORDS.includes(keyword)) {
      throw new FormatError(
        `${lines.place}: '${keyword.slice(0, 40)}' is no word of a PCD header; it has ${KEYWORDS.join(', ')}`,
      )
    }
    entries.set(keyword, words)
  }
  const whole = (keyword: string, text: string | undefined): number => {
    if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text)
    throw new FormatError(`${lines.name}: ${keyword} is '${text ?? ''}'; it is a whole number`)
  }
  const format = FORMATS.find((known) => known === entries.get('DATA')?.[0])
  if (format === undefined) {
    throw new FormatError(`${lines.place}: DATA is '${entries.get('DATA')?.join(' ')}'; it is ${FORMATS.join(', ')}`)
  }
  const names = entries.get('FIELDS') ?? entries.get('COLUMNS') ?? []
  if (names.length === 0) throw new FormatError(`${lines.name}: the header has no line 'FIELDS'`)
  const perField = (keyword: string, fallback?: string): readonly string[] => {
    const words = entries.get(keyword) ?? (fallback === undefined ? [] : names.map(() => fallback))
    if (words.length === names.length) return words
    throw new FormatError(`${lines.name}: ${keyword} has ${words.length} entries for ${names.length} fields`)
  }
  const [sizes, types, counts] = [perField('SIZE'), perField('TYPE'), perField('COUNT', '1')]
  const fields = names.map((name, i) => ({
    name,
    type: typeOf(lines, name, types[i] ?? '', sizes[i] ?? ''),
    count: whole(`COUNT of '${name}'`, counts[i]),
  }))
  const width = whole('WIDTH', entries.get('WIDTH')?.[0])
  const height = whole('HEIGHT', entries.get('HEIGHT')?.[0] ?? '1')
  const points = whole('POINTS', entries.get('POINTS')?.[0] ?? String(width * height))
  if (points !== width * height) {
    throw new FormatError(`${lines.name}: POINTS is ${points}, WIDTH · HEIGHT is ${width} · ${height}; they are equal`)
  }
  const viewpoint = (entries.get('VIEWPOINT') ?? STILL.map(String)).map((text, i) =>
    parseElement(text, 'float64', () => `${lines.name}: number ${i} of VIEWPOINT`),
  )
  if (viewpoint.length !== 7) throw new FormatError(`${lines.name}: VIEWPOINT has ${viewpoint.length} numbers, not 7`)
  return { format, width, height, points, viewpoint, fields }
}

const KEYWORDS = [
  ...['VERSION', 'FIELDS', 'COLUMNS', 'SIZE', 'TYPE', 'COUNT', 'WIDTH', 'HEIGHT', 'VIEWPOINT', 'POINTS', 'DATA'],
]
const TYPES: ReadonlyMap<string, ElementType> = new Map([
  ['I1', 'int8'],
  ['U1', 'uint8'],
  ['I2', 'int16'],
  ['U2', 'uint16'],
  ['I4', 'int32'],
  ['U4', 'uint32'],
  ['F4', 'float32'],
  ['F8', 'float64'],
])

function typeOf(lines: TextLines, name: string, letter: string, size: string): ElementType {
  const type = TYPES.get(`${letter}${size}`)
  if (type !== undefined) return type
  throw new FormatError(
    `${lines.name}: field '${name}' is of type ${letter} and size ${size}; known are ${[...TYPES.keys()].join(', ')}`,
  )
}

// ---- Data -----------------------------------------------------------------------------------------------------------

const bytesOf = ({ type, count }: FieldHeader) => ELEMENTS[type].bytes * count

function checkRoom({ points }: Header, lines: TextLines, needed: number, there: number): void {
  if (needed <= there) return
  throw new FormatError(
    `${lines.name} states ${points} points, which take ${needed} bytes; ${there} are there: it is truncated, or its header wrong`,
  )
}

function readText(header: Header, lines: TextLines): PcdField[] {
  const { fields, points } = header
  const numbers = fields.reduce((sum, { count }) => sum + count, 0)
  checkRoom(header, lines, points * Math.max(1, 2 * numbers), lines.remaining + 1)
  const columns = fields.map((field) => ({ ...field, values: ELEMENTS[field.type].make(points * field.count) }))
  for (let point = 0; point < points; ) {
    const text = lines.next()
    if (text === undefined) {
      throw new FormatError(`${lines.name} ends after ${point} of ${points} points; it is truncated`)
    }
    const words = wordsOf(text)
    if (words.length === 0 && numbers > 0) continue
    if (words.length !== numbers) {
      throw new FormatError(`${lines.place} has ${words.length} numbers; the fields of a point are ${numbers}`)
    }
    let next = 0
    for (const { name, type, count, values } of columns) {
      for (let i = 0; i < count; i++) {
        values[point * count + i] = parseElement(words[next++], type, () => `${lines.place}: field '${name}'`)
      }
    }
    point++
  }
  return columns
}

function readBinary(header: Header, lines: TextLines): PcdField[] {
  const { fields, points } = header
  const stride = fields.reduce((sum, field) => sum + bytesOf(field), 0)
  checkRoom(header, lines, points * stride, lines.remaining)
  const data = lines.bytes.subarray(lines.position)
  let offset = 0
  return fields.map((field) => {
    const column = readColumn(data, field, points, offset, stride)
    offset += bytesOf(field)
    return column
  })
}

/** All of one field, then all of the next. */
function readCompressed(header: Header, lines: TextLines): PcdField[] {
  const { fields, points } = header
  const { name, bytes, position } = lines
  if (lines.remaining < 8) throw new FormatError(`${name} ends before the sizes of its compressed data`)
  const view = new DataView(bytes.buffer, bytes.byteOffset + position)
  const [compressed, size] = [view.getUint32(0, true), view.getUint32(4, true)]
  checkRoom(header, lines, compressed, lines.remaining - 8)
  const expected = points * fields.reduce((sum, field) => sum + bytesOf(field), 0)
  if (size !== expected) {
    throw new FormatError(`${name}: ${points} points take ${expected} bytes; the compressed data states ${size}`)
  }
  const data = lzfDecompress(bytes.subarray(position + 8, position + 8 + compressed), size, name)
  let offset = 0
  return fields.map((field) => {
    const column = readColumn(data, field, points, offset, bytesOf(field))
    offset += points * bytesOf(field)
    return column
  })
}

function readColumn(data: Uint8Array, field: FieldHeader, points: number, offset: number, stride: number): PcdField {
  const { type, count } = field
  const { bytes, make, read } = ELEMENTS[type]
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const values = make(points * count)
  for (let point = 0, at = 0; point < points; point++) {
    for (let i = 0; i < count; i++) values[at++] = read(view, offset + point * stride + i * bytes, true)
  }
  return { ...field, values }
}

// ---- Writing --------------------------------------------------------------------------------------------------------

/** What is written; by default in binary, from the origin, in one row. */
export type PcdContent = Pick<Pcd, 'fields'> & Partial<Pcd>

/**
 * Writes a PCD file, whole or not at all.
 *
 * @throws ArgumentError when the content contradicts itself, or the path cannot be written
 */
export async function writePcd(path: string, content: PcdContent): Promise<void> {
  await writeFileAtomic(path, inTurn(pcdChunks(content)), 'writePcd')
}

/** The bytes of a PCD file. @throws ArgumentError when the content contradicts itself */
export function encodePcd(content: PcdContent): Uint8Array {
  return Buffer.concat([...pcdChunks(content)])
}

function* pcdChunks(content: PcdContent): Generator<Uint8Array> {
  const { fields, format = 'binary', viewpoint = STILL } = content
  const points = pointsOf(content)
  const { width = points, height = 1 } = content
  yield* textChunks([
    '# .PCD v0.7 - Point Cloud Data file format',
    'VERSION 0.7',
    `FIELDS ${fields.map(({ name }) => name).join(' ')}`,
    `SIZE ${fields.map(({ type }) => ELEMENTS[type].bytes).join(' ')}`,
    `TYPE ${fields.map(({ type }) => letterOf(type)).join(' ')}`,
    `COUNT ${fields.map(({ count }) => count).join(' ')}`,
    `WIDTH ${width}`,
    `HEIGHT ${height}`,
    `VIEWPOINT ${viewpoint.join(' ')}`,
    `POINTS ${points}`,
    `DATA ${format}`,
  ])
  if (format === 'ascii') {
    yield* textChunks(pointLines(fields, points))
    return
  }
  const bytes = packed(fields, points, format === 'binary')
  if (format === 'binary') {
    yield bytes
    return
  }
  const compressed = lzfCompress(bytes)
  const sizes = new DataView(new ArrayBuffer(8))
  sizes.setUint32(0, compressed.byteLength, true)
  sizes.setUint32(4, bytes.byteLength, true)
  yield new Uint8Array(sizes.buffer)
  yield compressed
}

function letterOf(type: ElementType): string {
  return type.startsWith('float') ? 'F' : type.startsWith('uint') ? 'U' : 'I'
}

function* pointLines(fields: readonly PcdField[], points: number): Generator<string> {
  for (let point = 0; point < points; point++) {
    const words = fields.flatMap(({ type, count, values }) =>
      Array.from(values.subarray(point * count, (point + 1) * count), (value) => printElement(value, type)),
    )
    yield words.join(' ')
  }
}

function packed(fields: readonly PcdField[], points: number, interleaved: boolean): Uint8Array {
  const total = fields.reduce((sum, field) => sum + bytesOf(field), 0)
  const bytes = new Uint8Array(total * points)
  const view = new DataView(bytes.buffer)
  let offset = 0
  for (const field of fields) {
    const { bytes: size, write } = ELEMENTS[field.type]
    const stride = interleaved ? total : bytesOf(field)
    for (let point = 0, from = 0; point < points; point++) {
      for (let i = 0; i < field.count; i++) {
        write(view, offset + point * stride + i * size, field.values[from++] ?? 0, true)
      }
    }
    offset += interleaved ? bytesOf(field) : bytesOf(field) * points
  }
  return bytes
}

function pointsOf({ fields, format = 'binary', width, height, viewpoint }: PcdContent): number {
  const [first] = fields
  if (first === undefined) throw new ArgumentError('writePcd: there are no fields; give x, y and z')
  const points = first.values.length / first.count
  for (const { name, type, count, values } of fields) {
    if (!/^\S+$/.test(name)) throw new ArgumentError(`writePcd: '${name}' is no name; names have no blanks`)
    if (typeOfElements(values) !== type || values.length !== points * count || count < 1) {
      throw new ArgumentError(
        `writePcd: field '${name}' (${type}, ${count} a point) has ${values.length} values of ${typeOfElements(values)}; there are ${points} points`,
      )
    }
  }
  if (!FORMATS.includes(format)) {
    throw new ArgumentError(`writePcd: format is '${String(format)}'; it is ${FORMATS.join(', ')}`)
  }
  if ((width ?? points) * (height ?? 1) !== points) {
    throw new ArgumentError(`writePcd: width ${width} · height ${height} are not the ${points} points`)
  }
  if (viewpoint !== undefined && viewpoint.length !== 7) {
    throw new ArgumentError(`writePcd: viewpoint has ${viewpoint.length} numbers; it is x, y, z and w, x, y, z`)
  }
  return points
}
