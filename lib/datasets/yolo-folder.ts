// A folder of pictures with YOLO's labels beside them, as annotation tools export it.
import { existsSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { ArgumentError } from '../native/errors'
import { listImages } from './image-list'
import { uprightSize } from './image-size'
import { DataProblems, type SettleOptions } from './problems'
import { readYolo, type YoloBox } from './yolo'
import { readYoloNames } from './yolo-names'

/** A picture and its labels. */
export interface YoloPicture {
  readonly path: string
  readonly height: number
  readonly width: number
  readonly objects: readonly YoloBox[]
}

export interface YoloFolder {
  readonly names: readonly string[]
  readonly pictures: readonly YoloPicture[]
}

/** Names that folders of a part have. */
const PARTS = { train: ['train'], val: ['val', 'valid', 'validation'], test: ['test'] } as const

export type YoloPart = keyof typeof PARTS

/**
 * Reads a part of a folder: `images/train` with `labels/train`, or `train/images` with `train/labels`. A picture without
 * a file of labels is one without objects.
 *
 * @throws ArgumentError when the part or the names of the classes are not there; FormatError naming all files that cannot
 *   be used, unless they are to be skipped
 */
export async function readYoloFolder(root: string, part: YoloPart, settle: SettleOptions = {}): Promise<YoloFolder> {
  const place = yoloPart(root, part)
  if (place === undefined) {
    throw new ArgumentError(
      `readYoloFolder: ${root} has neither images/${PARTS[part][0]} nor ${PARTS[part][0]}/images; put the pictures there, and their labels into labels/${PARTS[part][0]}`,
    )
  }
  const names = await readYoloNames(root)
  const problems = new DataProblems(`readYoloFolder: ${place.images}`)
  const paths = await listImages(place.images)
  const pictures: YoloPicture[] = []
  let unlabelled = 0
  for (const path of paths) {
    const within = relative(place.images, path)
    const label = join(place.labels, `${within.slice(0, within.length - extname(within).length)}.txt`)
    const picture = await problems.try(path, async () => {
      const [height, width] = await uprightSize(path)
      const objects = existsSync(label) ? await readYolo(label, { names }) : []
      return { path, height, width, objects: objects.filter((object) => object.kind === 'box') }
    })
    if (picture === undefined) continue
    if (!existsSync(label)) unlabelled++
    pictures.push(picture)
  }
  problems.settle(paths.length, settle)
  if (unlabelled === pictures.length) {
    throw new ArgumentError(
      `readYoloFolder: none of the ${unlabelled} pictures of ${place.images} has a file in ${place.labels}`,
    )
  }
  if (unlabelled > 0)
    settle.note?.(`${unlabelled} of ${pictures.length} pictures of ${place.images} have no labels: nothing is on them`)
  return { names, pictures }
}

/** Whether a folder has a part in this layout. */
export function hasYoloPart(root: string, part: YoloPart): boolean {
  return yoloPart(root, part) !== undefined
}

function yoloPart(root: string, part: YoloPart): { readonly images: string; readonly labels: string } | undefined {
  return PARTS[part]
    .flatMap((name) => [
      { images: join(root, 'images', name), labels: join(root, 'labels', name) },
      { images: join(root, name, 'images'), labels: join(root, name, 'labels') },
    ])
    .find(({ images }) => existsSync(images))
}
