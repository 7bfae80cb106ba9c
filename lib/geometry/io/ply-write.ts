import { writeFileAtomic } from '../../native/atomic-file'
import { ArgumentError } from '../../native/errors'
import { ELEMENTS, printElement, typeOfElements } from './elements'
import { PLY_FORMATS, type Ply, type PlyElement, type PlyFormat, type PlyProperty } from './ply-header'
import { textChunks } from './text-lines'

/** What is written: `comments` and `objInfo` may be left out, and the format, which is binary and little-endian then. */
export type PlyContent = Pick<Ply, 'elements'> & Partial<Pick<Ply, 'format' | 'comments' | 'objInfo'>>

/**
 * Writes a PLY file, whole or not at all.
 *
 * @throws ArgumentError when the content contradicts itself, or the path cannot be written
 */
export async function writePly(path: string, content: PlyContent): Promise<void> {
  checkContent(content)
  await writeFileAtomic(path, inTurn(plyChunks(content)), 'writePly')
}

/** The bytes of a PLY file. @throws ArgumentError when the content contradicts itself */
export function encodePly(content: PlyContent): Uint8Array {
  checkContent(content)
  return Buffer.concat([...plyChunks(content)])
}

export async function* inTurn(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks
}

function* plyChunks(content: PlyContent): Generator<Uint8Array> {
  const { format = 'binary_little_endian', elements } = content
  yield* textChunks(headerLines(content, format))
  for (const element of elements) {
    if (format === 'ascii') yield* textChunks(itemLines(element))
    else yield* itemBytes(element, format === 'binary_little_endian')
  }
}

const NAMES = {
  ...{ int8: 'char', uint8: 'uchar', int16: 'short', uint16: 'ushort' },
  ...{ int32: 'int', uint32: 'uint', float32: 'float', float64: 'double' },
} as const

function* headerLines({ comments = [], objInfo = [], elements }: PlyContent, format: PlyFormat): Generator<string> {
  yield 'ply'
  yield `format ${format} 1.0`
  for (const comment of comments) yield `comment ${comment}`
  for (const info of objInfo) yield `obj_info ${info}`
  for (const { name, count, properties } of elements) {
    yield `element ${name} ${count}`
    for (const property of properties) {
      const list = property.kind === 'list' ? `list ${NAMES[property.countType]} ` : ''
      yield `property ${list}${NAMES[property.type]} ${property.name}`
    }
  }
  yield 'end_header'
}

function* itemLines({ count, properties }: PlyElement): Generator<string> {
  for (let item = 0; item < count; item++) {
    const words = properties.flatMap((property) => {
      const { type, values } = property
      if (property.kind === 'scalar') return [printElement(values[item] ?? 0, type)]
      const entries = values.subarray(property.starts[item], property.starts[item + 1])
      return [String(entries.length), ...Array.from(entries, (value) => printElement(value, type))]
    })
    yield words.join(' ')
  }
}

/** A block of items at a time. */
function* itemBytes({ count, properties }: PlyElement, little: boolean): Generator<Uint8Array> {
  const block = 4096
  for (let first = 0; first < count; first += block) {
    const end = Math.min(first + block, count)
    const bytes = new Uint8Array(properties.reduce((sum, property) => sum + sizeOf(property, first, end), 0))
    const view = new DataView(bytes.buffer)
    let at = 0
    for (let item = first; item < end; item++) {
      for (const property of properties) {
        const { bytes: size, write } = ELEMENTS[property.type]
        let [from, to] = [item, item + 1]
        if (property.kind === 'list') {
          ;[from, to] = [property.starts[item] ?? 0, property.starts[item + 1] ?? 0]
          const counted = ELEMENTS[property.countType]
          counted.write(view, at, to - from, little)
          at += counted.bytes
        }
        for (let i = from; i < to; i++, at += size) write(view, at, property.values[i] ?? 0, little)
      }
    }
    yield bytes
  }
}

function sizeOf(property: PlyProperty, first: number, end: number): number {
  const { bytes } = ELEMENTS[property.type]
  if (property.kind === 'scalar') return (end - first) * bytes
  const entries = (property.starts[end] ?? 0) - (property.starts[first] ?? 0)
  return entries * bytes + (end - first) * ELEMENTS[property.countType].bytes
}

function checkContent({ format, comments = [], objInfo = [], elements }: PlyContent): void {
  if (format !== undefined && !PLY_FORMATS.includes(format)) {
    throw new ArgumentError(`writePly: format is '${String(format)}'; it is ${PLY_FORMATS.join(', ')}`)
  }
  const broken = [...comments, ...objInfo].find((text) => /[\r\n]/.test(text))
  if (broken !== undefined) throw new ArgumentError(`writePly: the comment '${broken}' has more than one line`)
  for (const { name, count, properties } of elements) {
    for (const word of [name, ...properties.map((property) => property.name)]) {
      if (!/^\S+$/.test(word)) throw new ArgumentError(`writePly: '${word}' is no name; names have no blanks`)
    }
    for (const property of properties) checkProperty(`element '${name}', property '${property.name}'`, count, property)
  }
}

function checkProperty(what: string, count: number, property: PlyProperty): void {
  const type = typeOfElements(property.values)
  if (type !== property.type) {
    throw new ArgumentError(`writePly: ${what} is ${property.type}, its values are ${type}`)
  }
  if (property.kind === 'scalar') {
    if (property.values.length === count) return
    throw new ArgumentError(`writePly: ${what} has ${property.values.length} values for ${count} items`)
  }
  const { starts, values, countType } = property
  const most = ELEMENTS[countType].range?.[1] ?? 0
  let rising = starts.length === count + 1 && starts[0] === 0 && starts[count] === values.length
  for (let i = 0; rising && i < count; i++) rising = (starts[i + 1] ?? 0) >= (starts[i] ?? 0)
  if (!rising) {
    throw new ArgumentError(
      `writePly: starts of ${what} are ${count + 1} rising numbers from 0 to the ${values.length} values`,
    )
  }
  for (let i = 0; i < count; i++) {
    const length = (starts[i + 1] ?? 0) - (starts[i] ?? 0)
    if (length > most) throw new ArgumentError(`writePly: item ${i} of ${what} has ${length} entries, over ${most}`)
  }
}
