// Tsinghua-Tencent 100K: traffic signs on pictures of 2048 × 2048 (Zhu et al., CVPR 2016).
import { Place, parseJson, readText } from './text-file'

/** The classes that are usually kept, those of 100 signs or more; a class is its place here. */
export const TT100K_CLASSES: readonly string[] = [
  ...['i2', 'i4', 'i5', 'il100', 'il60', 'il80', 'io', 'ip', 'p10', 'p11', 'p12', 'p19', 'p23', 'p26', 'p27', 'p3'],
  ...['p5', 'p6', 'pg', 'ph4', 'ph4.5', 'ph5', 'pl100', 'pl120', 'pl20', 'pl30', 'pl40', 'pl5', 'pl50', 'pl60', 'pl70'],
  ...['pl80', 'pm20', 'pm30', 'pm55', 'pn', 'pne', 'po', 'pr40', 'w13', 'w32', 'w55', 'w57', 'w59', 'wo'],
]

export interface Tt100kObject {
  readonly category: string
  /** Edges in pixels. */
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number]
}

export interface Tt100kPicture {
  readonly id: string
  /** Such as `train/10056.jpg`, from the folder of the file. */
  readonly path: string
  readonly objects: readonly Tt100kObject[]
}

export interface Tt100kOptions {
  /** Folder that paths begin with: `train`, `test` or `other`; all unless stated. */
  readonly part?: string
  /** The classes to keep, `TT100K_CLASSES` unless stated; `null` keeps all. */
  readonly classes?: readonly string[] | null
  /** Keeps pictures on which nothing is left; not unless stated. */
  readonly keepEmpty?: boolean
}

/**
 * Reads `annotations.json`.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the file and the field that is missing or wrong, such as a box without area
 */
export async function readTt100k(
  path: string,
  { part, classes = TT100K_CLASSES, keepEmpty = false }: Tt100kOptions = {},
): Promise<Tt100kPicture[]> {
  const place = new Place('readTt100k', path)
  const root = place.record(parseJson(await readText(path, 'readTt100k'), place))
  const at = place.field('imgs')
  const kept = classes === null ? null : new Set(classes)
  return Object.entries(at.record(root.imgs)).flatMap(([id, value]) => {
    const here = at.field(id)
    const entry = here.record(value)
    const file = here.field('path').text(entry.path)
    if (part !== undefined && !file.startsWith(`${part}/`)) return []
    const objects = here
      .field('objects')
      .list(entry.objects)
      .map((object, i) => objectOf(object, here.field('objects').field(i)))
      .filter(({ category }) => kept === null || kept.has(category))
    return objects.length > 0 || keepEmpty ? [{ id, path: file, objects }] : []
  })
}

function objectOf(value: unknown, at: Place): Tt100kObject {
  const entry = at.record(value)
  const box = at.field('bbox').record(entry.bbox)
  const edge = (name: string) => at.field('bbox').field(name).number(box[name])
  const [x1, y1, x2, y2] = [edge('xmin'), edge('ymin'), edge('xmax'), edge('ymax')]
  if (x2 <= x1 || y2 <= y1) throw at.field('bbox').error(`is ${x2 - x1} wide and ${y2 - y1} high; a sign has an area`)
  return { category: at.field('category').text(entry.category), box: [x1, y1, x2, y2] }
}
