// Wavefront OBJ: vertices, texture places, normals and polygons. Curves, lines, points and smoothing groups are passed over.
import { readSource, type Source } from '../../io/source'
import { writeFileAtomic } from '../../native/atomic-file'
import { ArgumentError, FormatError } from '../../native/errors'
import { GrowingElements, parseElement, printElement } from './elements'
import { inTurn } from './ply-write'
import { TextLines, textChunks, wordsOf } from './text-lines'

/** Polygon f has corners `starts[f]` to `starts[f + 1]`. Numbers count from 0; −1 where a corner has none. */
export interface ObjFaces {
  readonly starts: Uint32Array
  readonly vertices: Int32Array
  readonly texcoords: Int32Array
  readonly normals: Int32Array
  /** The number of its group in `groups`, object in `objects`, material in `materials`, −1 for none; one for each polygon. */
  readonly group: Int32Array
  readonly object: Int32Array
  readonly material: Int32Array
}

export interface Obj {
  /** x, y, z of each. */
  readonly vertices: Float64Array
  /** r, g, b of each vertex, where the file gives them all. */
  readonly colours: Float64Array | undefined
  /** u, v of each. */
  readonly texcoords: Float64Array
  /** x, y, z of each. */
  readonly normals: Float64Array
  readonly faces: ObjFaces
  readonly groups: readonly string[]
  readonly objects: readonly string[]
  /** Names after `usemtl`. */
  readonly materials: readonly string[]
  /** Files after `mtllib`; they are not opened. */
  readonly materialLibraries: readonly string[]
}

/**
 * Reads an OBJ file.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the line and what is wrong with it
 */
export async function readObj(source: Source): Promise<Obj> {
  const { name, bytes } = await readSource(source, 'readObj')
  return decodeObj(name, bytes)
}

/** @param name by which errors call the file */
export function decodeObj(name: string, bytes: Uint8Array): Obj {
  const lines = new TextLines(name, bytes)
  const reader = new ObjReader(lines)
  for (let text = lines.next(); text !== undefined; text = lines.next()) {
    while (text.endsWith('\\')) text = `${text.slice(0, -1)} ${lines.next() ?? ''}`
    const comment = text.indexOf('#')
    reader.line(wordsOf(comment < 0 ? text : text.slice(0, comment)))
  }
  return reader.finish()
}

/** Names in the order in which they first come. */
class Names {
  readonly #numbers = new Map<string, number>()

  number(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.#numbers.size)
    return this.#numbers.size - 1
  }

  get list(): string[] {
    return [...this.#numbers.keys()]
  }
}

class ObjReader {
  readonly #vertices = new GrowingElements('float64')
  readonly #colours = new GrowingElements('float64')
  readonly #texcoords = new GrowingElements('float64')
  readonly #normals = new GrowingElements('float64')
  readonly #starts = new GrowingElements('uint32')
  readonly #corners = [0, 1, 2].map(() => new GrowingElements('int32')) as [
    GrowingElements,
    GrowingElements,
    GrowingElements,
  ]
  readonly #labels = [0, 1, 2].map(() => new GrowingElements('int32'))
  readonly #names = { group: new Names(), object: new Names(), material: new Names() }
  readonly #current = [-1, -1, -1]
  readonly #libraries: string[] = []

  constructor(readonly lines: TextLines) {
    this.#starts.push(0)
  }

  line([keyword, ...words]: readonly string[]): void {
    if (keyword === 'v') this.#vertex(words)
    else if (keyword === 'vt') this.#numbers(words, this.#texcoords, 'vt', ['u', 'v'], 1)
    else if (keyword === 'vn') this.#numbers(words, this.#normals, 'vn', ['x', 'y', 'z'], 3)
    else if (keyword === 'f' || keyword === 'fo') this.#face(words)
    else if (keyword === 'g') this.#current[0] = this.#names.group.number(words.join(' ') || 'default')
    else if (keyword === 'o') this.#current[1] = this.#names.object.number(words.join(' '))
    else if (keyword === 'usemtl') this.#current[2] = this.#names.material.number(words.join(' '))
    else if (keyword === 'mtllib') this.#libraries.push(words.join(' '))
  }

  finish(): Obj {
    const doubles = (values: GrowingElements) => Float64Array.from(values.finish())
    const integers = (values: GrowingElements | undefined) => Int32Array.from(values?.finish() ?? [])
    const coloured = this.#colours.length > 0 && this.#colours.length === this.#vertices.length
    const [group, object, material] = this.#labels.map(integers) as [Int32Array, Int32Array, Int32Array]
    return {
      vertices: doubles(this.#vertices),
      colours: coloured ? doubles(this.#colours) : undefined,
      texcoords: doubles(this.#texcoords),
      normals: doubles(this.#normals),
      faces: {
        starts: Uint32Array.from(this.#starts.finish()),
        vertices: integers(this.#corners[0]),
        texcoords: integers(this.#corners[1]),
        normals: integers(this.#corners[2]),
        ...{ group, object, material },
      },
      groups: this.#names.group.list,
      objects: this.#names.object.list,
      materials: this.#names.material.list,
      materialLibraries: this.#libraries,
    }
  }

  #numbers(words: readonly string[], into: GrowingElements, keyword: string, names: readonly string[], least: number) {
    for (const [i, name] of names.entries()) {
      const place = () => `${this.lines.place}: ${name} of '${keyword}'`
      into.push(i >= least && words[i] === undefined ? 0 : parseElement(words[i], 'float64', place))
    }
  }

  #vertex(words: readonly string[]): void {
    this.#numbers(words, this.#vertices, 'v', ['x', 'y', 'z'], 3)
    // A fourth number is a weight; three more are a colour, as many programs write it.
    if (words.length >= 6) this.#numbers(words.slice(3), this.#colours, 'v', ['r', 'g', 'b'], 3)
  }

  #face(words: readonly string[]): void {
    if (words.length < 3) {
      throw new FormatError(`${this.lines.place}: a polygon has ${words.length} corners; it needs three or more`)
    }
    const counts = [this.#vertices.length / 3, this.#texcoords.length / 2, this.#normals.length / 3]
    for (const word of words) {
      const parts = word.split('/')
      if (parts.length > 3) throw this.#badCorner(word)
      for (const [i, corners] of this.#corners.entries()) {
        const part = parts[i] ?? ''
        if (part === '' && i > 0) corners.push(-1)
        else corners.push(this.#index(part, counts[i] ?? 0, word))
      }
    }
    this.#starts.push(this.#corners[0].length)
    for (const [i, labels] of this.#labels.entries()) labels.push(this.#current[i] ?? -1)
  }

  #index(text: string, count: number, word: string): number {
    if (!/^[-+]?\d{1,10}$/.test(text)) throw this.#badCorner(word)
    const number = Number(text)
    const index = number > 0 ? number - 1 : count + number
    if (number !== 0 && index >= 0 && index < count) return index
    throw new FormatError(
      `${this.lines.place}: corner '${word}' names number ${number} of ${count}; numbers are 1 to ${count}, or −1 to −${count} from the last`,
    )
  }

  #badCorner(word: string): FormatError {
    return new FormatError(
      `${this.lines.place}: corner '${word.slice(0, 40)}' is not v, v/vt, v//vn or v/vt/vn in whole numbers`,
    )
  }
}

/** What is written; all but vertices and polygons may be left out. */
export type ObjContent = Pick<Obj, 'vertices'> &
  Partial<Omit<Obj, 'vertices' | 'faces'>> & {
    readonly faces: Pick<ObjFaces, 'starts' | 'vertices'> & Partial<ObjFaces>
  }

/**
 * Writes an OBJ file, whole or not at all.
 *
 * @throws ArgumentError when a corner names what is not there, or the path cannot be written
 */
export async function writeObj(path: string, content: ObjContent): Promise<void> {
  checkContent(content)
  await writeFileAtomic(path, inTurn(textChunks(objLines(content))), 'writeObj')
}

/** The bytes of an OBJ file. @throws ArgumentError when a corner names what is not there */
export function encodeObj(content: ObjContent): Uint8Array {
  checkContent(content)
  return Buffer.concat([...textChunks(objLines(content))])
}

function* objLines(content: ObjContent): Generator<string> {
  const { vertices, colours, texcoords = [], normals = [], faces, materialLibraries = [] } = content
  const print = (value: number | undefined) => printElement(value ?? 0, 'float64')
  for (const library of materialLibraries) yield `mtllib ${library}`
  for (let i = 0; i < vertices.length; i += 3) {
    const colour = colours === undefined ? [] : [colours[i], colours[i + 1], colours[i + 2]]
    yield ['v', ...[vertices[i], vertices[i + 1], vertices[i + 2], ...colour].map(print)].join(' ')
  }
  for (let i = 0; i < texcoords.length; i += 2) yield `vt ${print(texcoords[i])} ${print(texcoords[i + 1])}`
  for (let i = 0; i < normals.length; i += 3) {
    yield `vn ${print(normals[i])} ${print(normals[i + 1])} ${print(normals[i + 2])}`
  }
  const labels = [
    ['o', content.objects, faces.object],
    ['g', content.groups, faces.group],
    ['usemtl', content.materials, faces.material],
  ] as const
  const current = [-1, -1, -1]
  for (let face = 0; face + 1 < faces.starts.length; face++) {
    for (const [i, [keyword, names, numbers]] of labels.entries()) {
      const number = numbers?.[face] ?? -1
      if (number === current[i] || number < 0) continue
      current[i] = number
      yield `${keyword} ${names?.[number] ?? ''}`
    }
    const corners: string[] = []
    for (let corner = faces.starts[face] ?? 0; corner < (faces.starts[face + 1] ?? 0); corner++) {
      const [v, t, n] = [faces.vertices, faces.texcoords, faces.normals].map((list) => (list?.[corner] ?? -1) + 1)
      if (!t && !n) corners.push(`${v}`)
      else corners.push(n ? `${v}/${t || ''}/${n}` : `${v}/${t}`)
    }
    yield `f ${corners.join(' ')}`
  }
}

function checkContent({ vertices, colours, texcoords, normals, faces, ...names }: ObjContent): void {
  const lengths = [vertices.length % 3, (texcoords?.length ?? 0) % 2, (normals?.length ?? 0) % 3]
  if (lengths.some((rest) => rest !== 0) || (colours !== undefined && colours.length !== vertices.length)) {
    throw new ArgumentError(
      `writeObj: ${vertices.length} numbers of vertices, ${texcoords?.length ?? 0} of texcoords, ${normals?.length ?? 0} of normals, ${colours?.length ?? 0} of colours; they go by 3, 2, 3, and colours as vertices`,
    )
  }
  const limits = [
    ['vertices', faces.vertices, vertices.length / 3, 0],
    ['texcoords', faces.texcoords, (texcoords?.length ?? 0) / 2, -1],
    ['normals', faces.normals, (normals?.length ?? 0) / 3, -1],
  ] as const
  for (const [what, list, count, least] of limits) {
    const wrong = list?.findIndex((index) => index < least || index >= count) ?? -1
    if (wrong < 0) continue
    throw new ArgumentError(`writeObj: corner ${wrong} names ${list?.[wrong]} of the ${count} ${what}`)
  }
  if ((faces.starts.at(-1) ?? 0) !== faces.vertices.length) {
    throw new ArgumentError(
      `writeObj: the polygons' starts end at ${faces.starts.at(-1)}; there are ${faces.vertices.length} corners`,
    )
  }
  const { groups = [], objects = [], materials = [], materialLibraries = [] } = names
  const broken = [groups, objects, materials, materialLibraries].flat().find((text) => /[\r\n#]/.test(text))
  if (broken !== undefined) throw new ArgumentError(`writeObj: the name '${broken}' has a line end or '#'`)
}
