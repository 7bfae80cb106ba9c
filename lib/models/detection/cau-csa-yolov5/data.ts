// Data sets of objects in pictures: YOLO's and COCO's folders, TT-100K, and a made-up one.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  DataProblems,
  hasYoloPart,
  readCoco,
  readTt100k,
  readYoloFolder,
  type SettleOptions,
  TT100K_CLASSES,
  uprightSize,
} from '../../../datasets'
import { readImage } from '../../../io'
import { ArgumentError, ConfigError } from '../../../native/errors'
import { type DataOptions, SYNTHETIC } from '../../../pipeline'
import type { Config } from './config'
import type { DetectionData, LabelledObject, LabelledPicture } from './labelled'
import { syntheticData } from './synthetic'

export type Part = 'train' | 'val'

type Request = Pick<DataOptions, 'data' | 'skipBroken' | 'note'>

/**
 * A part of a data set, in whichever layout its folder is.
 *
 * @throws ArgumentError for a folder in no known layout; FormatError naming all files that cannot be used, unless they
 *   are to be skipped; ConfigError when the classes are not those of the config
 */
export async function detectionData(part: Part, request: Request, config: Config): Promise<DetectionData> {
  const found = await readPart(part, request, config)
  checkClasses(found.classes, config, request.data)
  return found
}

/** Whether a data set has a part for validation. */
export function hasValidation({ data }: Request): boolean {
  if (data === SYNTHETIC || isTt100k(data)) return true
  return hasYoloPart(data, 'val') || cocoFile(data, 'val') !== undefined
}

async function readPart(part: Part, { data, ...settle }: Request, config: Config): Promise<DetectionData> {
  if (data === SYNTHETIC) return syntheticData(part, config.size)
  const coco = cocoFile(data, part)
  if (coco !== undefined) return cocoData(data, coco, part, settle)
  if (isTt100k(data)) return tt100kData(data, part, settle)
  if (existsSync(join(data, 'images')) || hasYoloPart(data, part)) return yoloData(data, part, settle)
  throw new ArgumentError(
    `cau-csa-yolov5: ${data} is in no layout that is read: YOLO (images/${part}, labels/${part}, data.yaml), COCO (annotations/instances_${part}*.json) or TT-100K (annotations.json); see \`vision-native info cau-csa-yolov5\``,
  )
}

function checkClasses(found: readonly string[], { classes }: Config, data: string): void {
  if (classes === undefined) return
  const fits =
    typeof classes === 'number' ? classes === found.length : JSON.stringify(classes) === JSON.stringify(found)
  if (fits) return
  const known = typeof classes === 'number' ? `${classes} classes` : `the classes ${classes.join(', ')}`
  throw new ConfigError(`cau-csa-yolov5: the network has ${known}; ${data} has ${found.length}: ${found.join(', ')}`)
}

const reading = (path: string) => () => readImage(path, { dtype: 'float32' })

const areaOf = ([x1, y1, x2, y2]: LabelledObject['box']) => (x2 - x1) * (y2 - y1)

// ---- YOLO -----------------------------------------------------------------------------------------------------------

async function yoloData(data: string, part: Part, settle: SettleOptions): Promise<DetectionData> {
  const { names, pictures } = await readYoloFolder(data, part, settle)
  return {
    classes: names,
    pictures: pictures.map(({ path, height, width, objects }) => ({
      ...{ name: path, height, width, read: reading(path) },
      objects: objects.map(({ category, box: [x, y, w, h] }) => {
        const box = [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height] as const
        return { category, box, area: areaOf(box), crowd: false }
      }),
    })),
  }
}

// ---- COCO -----------------------------------------------------------------------------------------------------------

/** The file of a part: `instances_train2017.json`, or of another year or none. */
function cocoFile(data: string, part: Part): string | undefined {
  return ['2017', '2014', '']
    .map((year) => join(data, 'annotations', `instances_${part}${year}.json`))
    .find((path) => existsSync(path))
}

async function cocoData(data: string, file: string, part: Part, settle: SettleOptions): Promise<DetectionData> {
  const { images, categories, annotations } = await readCoco(file)
  const split = basename(file, '.json').replace('instances_', '')
  const folders = [join('images', split), split, join('images', part), 'images', '.'].map((folder) =>
    join(data, folder),
  )
  const ordered = [...categories].sort((a, b) => a.id - b.id)
  const places = new Map(ordered.map(({ id }, place) => [id, place]))
  const objects = new Map<number, LabelledObject[]>(images.map(({ id }) => [id, []]))
  for (const { image_id, category_id, bbox, area, iscrowd } of annotations) {
    const [x, y, w, h] = bbox
    const category = places.get(category_id) ?? 0
    objects.get(image_id)?.push({ category, box: [x, y, x + w, y + h], area, crowd: iscrowd === 1 })
  }
  const problems = new DataProblems(`readCoco: ${file}`)
  const pictures: LabelledPicture[] = []
  for (const { id, file_name, height, width } of images) {
    const path = folders.map((folder) => join(folder, file_name)).find((each) => existsSync(each))
    if (path === undefined) problems.add(file_name, `is not in ${folders.slice(0, 2).join(' or ')}`)
    else if (await hasSize(path, height, width, problems)) {
      pictures.push({ name: path, height, width, objects: objects.get(id) ?? [], read: reading(path) })
    }
  }
  problems.settle(images.length, settle)
  return { classes: ordered.map(({ name }) => name), pictures }
}

async function hasSize(path: string, height: number, width: number, problems: DataProblems): Promise<boolean> {
  const size = await problems.try(path, () => uprightSize(path))
  if (size === undefined) return false
  if (size[0] === height && size[1] === width) return true
  problems.add(path, `is ${size[1]} × ${size[0]} pixels, and ${width} × ${height} by its annotation`)
  return false
}

// ---- TT-100K --------------------------------------------------------------------------------------------------------

const isTt100k = (data: string) => existsSync(join(data, 'annotations.json'))

async function tt100kData(data: string, part: Part, settle: SettleOptions): Promise<DetectionData> {
  const file = join(data, 'annotations.json')
  const found = await readTt100k(file, { part: part === 'train' ? 'train' : 'test' })
  const problems = new DataProblems(`readTt100k: ${file}`)
  const pictures: LabelledPicture[] = []
  for (const { path: name, objects } of found) {
    const path = join(data, name)
    const size = await problems.try(path, () => uprightSize(path))
    if (size === undefined) continue
    pictures.push({
      ...{ name: path, height: size[0], width: size[1], read: reading(path) },
      objects: objects.map(({ category, box }) => {
        return { category: TT100K_CLASSES.indexOf(category), box, area: areaOf(box), crowd: false }
      }),
    })
  }
  problems.settle(found.length, settle)
  if (pictures.length === 0) throw new ArgumentError(`cau-csa-yolov5: ${file} has no pictures for ${part}`)
  return { classes: TT100K_CLASSES, pictures }
}
