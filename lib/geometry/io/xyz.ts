// Points as lines of numbers, between blanks, commas or semicolons (XYZ, TXT, CSV).
import { readSource, type Source } from '../../io/source'
import { writeFileAtomic } from '../../native/atomic-file'
import { ArgumentError, FormatError } from '../../native/errors'
import { GrowingElements, parseElement, parseNumber, printElement } from './elements'
import { inTurn } from './ply-write'
import { TextLines, textChunks } from './text-lines'

export interface PointTable {
  /** Of the first line where it is no numbers; else x, y, z and column3, column4 … */
  readonly names: readonly string[]
  /** One for each name, equally long. */
  readonly columns: readonly Float64Array[]
}

/**
 * Reads lines of numbers. Blank lines and those that begin with `#` or `//` are passed over.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the line and the column
 */
export async function readXyz(source: Source): Promise<PointTable> {
  const { name, bytes } = await readSource(source, 'readXyz')
  return decodeXyz(name, bytes)
}

/** @param name by which errors call the file */
export function decodeXyz(name: string, bytes: Uint8Array): PointTable {
  const lines = new TextLines(name, bytes)
  let names: readonly string[] | undefined
  let columns: GrowingElements[] = []
  for (let text = lines.next(); text !== undefined; text = lines.next()) {
    const words = text.trim().split(/\s*[,;]\s*|\s+/)
    if (text.trim() === '' || text.startsWith('#') || text.startsWith('//')) continue
    if (names === undefined) {
      const titled = words.every((word) => parseNumber(word) === undefined)
      names = titled ? words : words.map((_, i) => ['x', 'y', 'z'][i] ?? `column${i}`)
      if (names.length < 3) {
        throw new FormatError(`${lines.place} has ${names.length} columns; points have three or more`)
      }
      columns = names.map(() => new GrowingElements('float64'))
      if (titled) continue
    }
    if (words.length !== columns.length) {
      throw new FormatError(`${lines.place} has ${words.length} numbers; the lines before have ${columns.length}`)
    }
    for (const [i, column] of columns.entries()) {
      column.push(parseElement(words[i], 'float64', () => `${lines.place}: column '${names?.[i]}'`))
    }
  }
  if (names === undefined) throw new FormatError(`${name} has no points`)
  return { names, columns: columns.map((column) => Float64Array.from(column.finish())) }
}

export interface WriteXyzOptions {
  /** Between numbers; a blank unless stated. */
  readonly separator?: ' ' | ',' | ';'
  /** Writes the names as the first line; default false. */
  readonly header?: boolean
}

/** Writes lines of numbers, whole or not at all. @throws ArgumentError when columns differ in length */
export async function writeXyz(path: string, table: PointTable, options: WriteXyzOptions = {}): Promise<void> {
  const lengths = new Set(table.columns.map((column) => column.length))
  if (lengths.size > 1 || table.columns.length !== table.names.length || table.columns.length === 0) {
    throw new ArgumentError(
      `writeXyz: ${table.names.length} names with ${table.columns.length} columns of ${[...lengths].join(', ')} numbers; give one column a name, equally long`,
    )
  }
  await writeFileAtomic(path, inTurn(textChunks(tableLines(table, options))), 'writeXyz')
}

function* tableLines({ names, columns }: PointTable, { separator = ' ', header = false }: WriteXyzOptions) {
  if (header) yield names.join(separator)
  const count = columns[0]?.length ?? 0
  for (let i = 0; i < count; i++) {
    yield columns.map((column) => printElement(column[i] ?? 0, 'float64')).join(separator)
  }
}
