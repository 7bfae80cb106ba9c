// Annotations of DOTA: one text file a picture, a line an oriented object (Xia et al., CVPR 2018).

import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError } from '../native/errors'
import { linesOf, Place, readText } from './text-file'

/** x and y of four corners, clockwise as seen in the picture, in pixels. */
export type DotaCorners = readonly [number, number, number, number, number, number, number, number]

export interface DotaObject {
  readonly corners: DotaCorners
  readonly name: string
  /** 0, 1, or 2 for objects that were too small to be sure of. */
  readonly difficult: number
}

export interface DotaAnnotation {
  readonly imageSource?: string
  /** Metres a pixel on the ground; absent where it is not known. */
  readonly gsd?: number
  readonly objects: readonly DotaObject[]
}

/**
 * Reads the annotation of a picture: `imagesource:` and `gsd:` lines, then eight numbers, a name and a difficulty.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the file, the line and the field that is wrong
 */
export async function readDota(path: string): Promise<DotaAnnotation> {
  return parseDota(await readText(path, 'readDota'), path)
}

const CORNERS = ['x1', 'y1', 'x2', 'y2', 'x3', 'y3', 'x4', 'y4'] as const

/** As `readDota`, of a text. @param name what errors call it */
export function parseDota(text: string, name = 'the text'): DotaAnnotation {
  const place = new Place('readDota', name)
  const objects: DotaObject[] = []
  let header: Omit<DotaAnnotation, 'objects'> = {}
  for (const [number, line] of linesOf(text)) {
    const at = place.line(number)
    const [, key, value = ''] = /^(imagesource|gsd)\s*:\s*(.*)$/i.exec(line.trim()) ?? []
    if (key !== undefined) {
      if (objects.length > 0) throw at.error(`'${key}' comes before the objects`)
      if (key.toLowerCase() === 'imagesource') header = { ...header, imageSource: value }
      else if (!/^(null|none|nan)?$/i.test(value)) header = { ...header, gsd: at.field('gsd').numeral(value) }
      continue
    }
    const fields = line.trim().split(/\s+/)
    if (fields.length < 9 || fields.length > 10) {
      throw at.error(`has ${fields.length} fields; an object is x1 y1 x2 y2 x3 y3 x4 y4 name difficult`)
    }
    const corners = CORNERS.map((corner, i) => at.field(corner).numeral(fields[i])) as unknown as DotaCorners
    const difficult = fields[9] === undefined ? 0 : at.field('difficult').numeral(fields[9])
    if (![0, 1, 2].includes(difficult)) throw at.field('difficult').error(`${difficult} is neither 0, 1 nor 2`)
    objects.push({ corners, name: fields[8] ?? '', difficult })
  }
  return { ...header, objects }
}

/**
 * Writes the annotation of a picture, whole or not at all.
 *
 * @throws ArgumentError for a name with spaces, which the format has no place for, or a path that cannot be written
 */
export async function writeDota(path: string, annotation: DotaAnnotation): Promise<void> {
  await writeFileAtomic(path, Buffer.from(formatDota(annotation)), 'writeDota')
}

/** The text that `writeDota` writes. */
export function formatDota({ imageSource, gsd, objects }: DotaAnnotation): string {
  const lines = [`imagesource:${imageSource ?? ''}`, `gsd:${gsd ?? 'null'}`]
  for (const { corners, name, difficult } of objects) {
    if (/\s/.test(name) || name === '')
      throw new ArgumentError(`writeDota: the name '${name}' is empty or has spaces; write it with '-'`)
    lines.push(
      [...corners.map((value) => (Number.isInteger(value) ? value.toFixed(1) : value)), name, difficult].join(' '),
    )
  }
  return `${lines.join('\n')}\n`
}
