// Labels of YOLO: one text file a picture, a line an object, lengths as shares of the picture's.
import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError } from '../native/errors'
import { linesOf, Place, readText } from './text-file'

/** A box: its centre and its size, from 0 to 1. */
export interface YoloBox {
  readonly kind: 'box'
  readonly category: number
  readonly box: readonly [x: number, y: number, width: number, height: number]
  /** Of a detection. */
  readonly score?: number
}

/** An outline: x and y of three corners or more. */
export interface YoloPolygon {
  readonly kind: 'polygon'
  readonly category: number
  readonly polygon: readonly number[]
}

/** A box with points. */
export interface YoloPose {
  readonly kind: 'pose'
  readonly category: number
  readonly box: YoloBox['box']
  /** x and y of each point, with visibility where `dimensions` is 3. */
  readonly keypoints: readonly number[]
}

export type YoloObject = YoloBox | YoloPolygon | YoloPose

export interface YoloOptions {
  /** What the lines hold; `'detect'` unless stated. */
  readonly task?: 'detect' | 'segment' | 'pose'
  /** Of `'pose'`: how many points, and numbers of each; 17 of 3 unless stated. */
  readonly keypoints?: readonly [points: number, dimensions: 2 | 3]
  /** Names of the categories; a number beyond them is an error. */
  readonly names?: readonly string[]
}

/**
 * Reads the labels of a picture. An empty file is a picture without objects.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the file, the line and the field that is wrong, such as a length outside 0–1
 */
export async function readYolo(path: string, options: YoloOptions = {}): Promise<YoloObject[]> {
  return parseYolo(await readText(path, 'readYolo'), options, path)
}

/** As `readYolo`, of a text. @param name what errors call it */
export function parseYolo(text: string, options: YoloOptions = {}, name = 'the text'): YoloObject[] {
  const place = new Place('readYolo', name)
  return [...linesOf(text)].map(([number, line]) => objectOf(line.trim().split(/\s+/), options, place.line(number)))
}

function objectOf(fields: readonly string[], options: YoloOptions, at: Place): YoloObject {
  const { task = 'detect', names, keypoints: [points, dimensions] = [17, 3] } = options
  const category = at.field('category').numeral(fields[0])
  if (!Number.isInteger(category) || category < 0)
    throw at.field('category').error(`${category} is no whole number from 0`)
  if (names !== undefined && category >= names.length) {
    throw at.field('category').error(`there is no category ${category}; there are ${names.length}`)
  }
  const share = (i: number, field: string) => {
    const value = at.field(field).numeral(fields[i])
    if (value < 0 || value > 1)
      throw at.field(field).error(`${value} is not from 0 to 1; lengths are shares of the picture's`)
    return value
  }
  if (task === 'segment') {
    const values = fields.slice(1)
    if (values.length < 6 || values.length % 2 !== 0) {
      throw at.error(`has ${values.length} numbers after the category; a polygon is x and y of three corners or more`)
    }
    return {
      kind: 'polygon',
      category,
      polygon: values.map((_, i) => share(i + 1, `${i % 2 === 0 ? 'x' : 'y'}${(i >> 1) + 1}`)),
    }
  }
  const most = task === 'pose' ? 5 + points * dimensions : 6
  if (fields.length < 5 || fields.length > most || (task === 'pose' && fields.length !== most)) {
    const layout = task === 'pose' ? `, then ${points} points of ${dimensions}` : ', and a score where it was detected'
    throw at.error(`has ${fields.length} fields; an object is category, x, y, width, height${layout}`)
  }
  const box = [share(1, 'x'), share(2, 'y'), share(3, 'width'), share(4, 'height')] as const
  if (task === 'detect') {
    return {
      kind: 'box',
      category,
      box,
      ...(fields[5] !== undefined && { score: at.field('score').numeral(fields[5]) }),
    }
  }
  const keypoints = fields.slice(5).map((_, i) => {
    const axis = i % dimensions
    const field = `${'xyv'[axis]}${Math.floor(i / dimensions) + 1}`
    return axis === 2 ? at.field(field).numeral(fields[i + 5]) : share(i + 5, field)
  })
  return { kind: 'pose', category, box, keypoints }
}

/** Writes the labels of a picture, whole or not at all. @throws ArgumentError for numbers that the format does not take */
export async function writeYolo(path: string, objects: readonly YoloObject[]): Promise<void> {
  await writeFileAtomic(path, Buffer.from(formatYolo(objects)), 'writeYolo')
}

/** The text that `writeYolo` writes. */
export function formatYolo(objects: readonly YoloObject[]): string {
  return objects.map((object) => `${numbersOf(object).join(' ')}\n`).join('')
}

function numbersOf(object: YoloObject): readonly number[] {
  const { category, kind } = object
  const lengths = kind === 'polygon' ? object.polygon : object.box
  const wrong = lengths.find((value) => !(value >= 0 && value <= 1))
  if (wrong !== undefined || !Number.isInteger(category) || category < 0) {
    throw new ArgumentError(
      `writeYolo: category ${category} with ${wrong ?? 'its lengths'}: categories are whole numbers from 0, lengths shares from 0 to 1`,
    )
  }
  if (kind === 'polygon') return [category, ...lengths]
  if (kind === 'pose') return [category, ...lengths, ...object.keypoints]
  return object.score === undefined ? [category, ...lengths] : [category, ...lengths, object.score]
}
