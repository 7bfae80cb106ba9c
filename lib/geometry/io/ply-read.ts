import { readSource, type Source } from '../../io/source'
import { FormatError } from '../../native/errors'
import { ELEMENTS, type ElementArray, GrowingElements, parseElement } from './elements'
import {
  type Ply,
  type PlyElement,
  type PlyElementHeader,
  type PlyHeader,
  type PlyProperty,
  type PlyPropertyHeader,
  readPlyHeader,
} from './ply-header'
import { type TextLines, wordsOf } from './text-lines'

/**
 * Reads a PLY file, text or binary of either byte order, with all of its elements and properties in their types.
 *
 * Nothing is allocated for items that the file is too short to hold.
 *
 * @param source a path, a `file:` URL, or bytes
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the line or byte, the element and the property
 */
export async function readPly(source: Source): Promise<Ply> {
  const { name, bytes } = await readSource(source, 'readPly')
  return decodePly(name, bytes)
}

/** @param name by which errors call the file */
export function decodePly(name: string, bytes: Uint8Array): Ply {
  const header = readPlyHeader(name, bytes)
  const { format, comments, objInfo } = header
  return { format, comments, objInfo, elements: format === 'ascii' ? readText(header) : readBinary(header) }
}

/** What is read into, column by column. */
interface Column {
  readonly header: PlyPropertyHeader
  readonly values: ElementArray | GrowingElements
  readonly starts: Uint32Array
}

function columnsOf({ count, properties }: PlyElementHeader): Column[] {
  return properties.map((header) => ({
    header,
    values: header.countType === undefined ? ELEMENTS[header.type].make(count) : new GrowingElements(header.type),
    starts: new Uint32Array(header.countType === undefined ? 0 : count + 1),
  }))
}

function finished({ name, count }: PlyElementHeader, columns: readonly Column[]): PlyElement {
  const properties = columns.map(({ header, values, starts }): PlyProperty => {
    const { name, type, countType } = header
    if (values instanceof GrowingElements) {
      return { kind: 'list', name, type, countType: countType ?? 'uint8', starts, values: values.finish() }
    }
    return { kind: 'scalar', name, type, values }
  })
  return { name, count, properties }
}

/** The first error of a header that claims more than there is. */
function checkRoom(lines: TextLines, element: PlyElementHeader, leastBytes: number, remaining: number): void {
  if (element.count * leastBytes <= remaining) return
  throw new FormatError(
    `${lines.name} states ${element.count} of element '${element.name}', which take ${element.count * leastBytes} bytes or more; ${remaining} are left: it is truncated, or its header wrong`,
  )
}

// ---- Text -----------------------------------------------------------------------------------------------------------

function readText({ elements, lines }: PlyHeader): PlyElement[] {
  return elements.map((element) => {
    // A digit and a blank for each property, the end of a line where there is none; the last may lack its end.
    checkRoom(lines, element, Math.max(1, 2 * element.properties.length), lines.remaining + 1)
    const columns = columnsOf(element)
    for (let item = 0; item < element.count; item++) readTextItem(lines, element, columns, item)
    return finished(element, columns)
  })
}

function readTextItem(lines: TextLines, element: PlyElementHeader, columns: readonly Column[], item: number): void {
  let words: string[] = []
  // Blank lines are no items, unless an item has nothing.
  while (words.length === 0) {
    const text = lines.next()
    if (text === undefined) {
      throw new FormatError(
        `${lines.name} ends after ${item} of ${element.count} of element '${element.name}'; it is truncated`,
      )
    }
    words = wordsOf(text)
    if (columns.length === 0) return
  }
  let next = 0
  for (const { header, values, starts } of columns) {
    const place = () => `${lines.place}: property '${header.name}' of element '${element.name}'`
    if (values instanceof GrowingElements) {
      const length = parseElement(words[next++], header.countType ?? 'uint8', place)
      if (length < 0 || length > words.length - next) {
        throw new FormatError(`${place()} states ${length} entries; ${words.length - next} follow on its line`)
      }
      for (let i = 0; i < length; i++) values.push(parseElement(words[next++], header.type, place))
      starts[item + 1] = values.length
    } else {
      values[item] = parseElement(words[next++], header.type, place)
    }
  }
  if (next < words.length) {
    throw new FormatError(
      `${lines.place}: an item of element '${element.name}' has ${words.length} numbers; its properties are ${next}`,
    )
  }
}

// ---- Binary ---------------------------------------------------------------------------------------------------------

function readBinary({ elements, lines, format }: PlyHeader): PlyElement[] {
  const { bytes } = lines
  const little = format === 'binary_little_endian'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = lines.position
  return elements.map((element) => {
    const least = element.properties.reduce((sum, { type, countType }) => sum + ELEMENTS[countType ?? type].bytes, 0)
    checkRoom(lines, element, least, bytes.byteLength - at)
    const columns = columnsOf(element)
    const short = ({ header }: Column, item: number): never => {
      throw new FormatError(
        `${lines.name}, byte ${at}: property '${header.name}' of item ${item} of element '${element.name}' goes beyond the end of ${bytes.byteLength} bytes; the file is truncated`,
      )
    }
    for (let item = 0; columns.length > 0 && item < element.count; item++) {
      for (const column of columns) {
        const { header, values, starts } = column
        const { bytes: size, read } = ELEMENTS[header.type]
        if (!(values instanceof GrowingElements)) {
          if (at + size > bytes.byteLength) short(column, item)
          values[item] = read(view, at, little)
          at += size
          continue
        }
        const count = ELEMENTS[header.countType ?? 'uint8']
        if (at + count.bytes > bytes.byteLength) short(column, item)
        const length = count.read(view, at, little)
        if (length < 0) {
          throw new FormatError(
            `${lines.name}, byte ${at}: property '${header.name}' of item ${item} of element '${element.name}' states ${length} entries`,
          )
        }
        at += count.bytes
        if (at + length * size > bytes.byteLength) short(column, item)
        for (let i = 0; i < length; i++, at += size) values.push(read(view, at, little))
        starts[item + 1] = values.length
      }
    }
    return finished(element, columns)
  })
}
