// COCO's files: instances, keypoints, captions, and results of detectors (cocodataset.org/#format-data).

import type { CocoBox, CocoDetection, CocoObject, CocoPicture, CocoRle, CocoSegmentation } from '../metrics'
import { unpackCounts } from '../metrics'
import { writeFileAtomic } from '../native/atomic-file'
import { Place, parseJson, readText } from './text-file'

/** A picture of the data set. */
export interface CocoImage extends CocoPicture {
  readonly file_name: string
  readonly [extra: string]: unknown
}

export interface CocoCategory {
  readonly id: number
  readonly name: string
  readonly supercategory?: string
  /** Names of the points, and pairs of points, from 1, that a line joins. */
  readonly keypoints?: readonly string[]
  readonly skeleton?: readonly (readonly [from: number, to: number])[]
}

/** An annotated object with its number. */
export interface CocoAnnotation extends CocoObject {
  readonly id: number
  readonly iscrowd: number
}

/** A sentence about a picture. */
export interface CocoCaption {
  readonly id: number
  readonly image_id: number
  readonly caption: string
}

/** Objects, with keypoints where the file has them; what `evaluateCoco` takes. */
export interface CocoDataset {
  readonly info?: unknown
  readonly licenses?: unknown
  readonly images: readonly CocoImage[]
  readonly categories: readonly CocoCategory[]
  readonly annotations: readonly CocoAnnotation[]
}

export interface CocoCaptions {
  readonly images: readonly CocoImage[]
  readonly annotations: readonly CocoCaption[]
}

/**
 * Reads objects of COCO: a file of instances or of keypoints.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the file and the field that is missing or wrong: also an annotation of a picture or a
 * category that the file does not have, and numbers that are used twice
 */
export async function readCoco(path: string): Promise<CocoDataset> {
  const place = new Place('readCoco', path)
  const root = place.record(parseJson(await readText(path, 'readCoco'), place))
  const images = imagesOf(root, place)
  const categories = each(root, 'categories', place, categoryOf)
  checkUnique(categories, place.field('categories'))
  const [imageIds, categoryIds] = [idsOf(images), new Map(categories.map((category) => [category.id, category]))]
  const annotations = each(root, 'annotations', place, (value, at) => {
    const annotation = annotationOf(value, at)
    const picture = imageIds.get(annotation.image_id)
    if (picture === undefined) throw at.field('image_id').error(`there is no image ${annotation.image_id}`)
    const category = categoryIds.get(annotation.category_id)
    if (category === undefined) throw at.field('category_id').error(`there is no category ${annotation.category_id}`)
    const points = category.keypoints?.length
    if (points !== undefined && annotation.keypoints !== undefined && annotation.keypoints.length !== 3 * points) {
      throw at
        .field('keypoints')
        .error(`has ${annotation.keypoints.length} numbers; ${category.name} has ${points} points of three`)
    }
    return annotation
  })
  checkUnique(annotations, place.field('annotations'))
  const { info, licenses } = root
  return {
    ...(info !== undefined && { info }),
    ...(licenses !== undefined && { licenses }),
    images,
    categories,
    annotations,
  }
}

/** Reads captions of COCO. @throws as `readCoco` */
export async function readCocoCaptions(path: string): Promise<CocoCaptions> {
  const place = new Place('readCocoCaptions', path)
  const root = place.record(parseJson(await readText(path, 'readCocoCaptions'), place))
  const images = imagesOf(root, place)
  const known = idsOf(images)
  const annotations = each(root, 'annotations', place, (value, at): CocoCaption => {
    const entry = at.record(value)
    const image_id = at.field('image_id').whole(entry.image_id)
    if (!known.has(image_id)) throw at.field('image_id').error(`there is no image ${image_id}`)
    return { id: at.field('id').whole(entry.id), image_id, caption: at.field('caption').text(entry.caption) }
  })
  return { images, annotations }
}

/** Reads what a detector found: a list of results as COCO's server takes it. @throws as `readCoco` */
export async function readCocoResults(path: string): Promise<CocoDetection[]> {
  const place = new Place('readCocoResults', path)
  const list = place.list(parseJson(await readText(path, 'readCocoResults'), place))
  return list.map((value, i) => {
    const at = place.field(i)
    const entry = at.record(value)
    const { bbox, segmentation, keypoints } = entry
    return {
      image_id: at.field('image_id').whole(entry.image_id),
      category_id: at.field('category_id').whole(entry.category_id),
      score: at.field('score').number(entry.score),
      ...(bbox !== undefined && { bbox: boxOf(bbox, at.field('bbox')) }),
      ...(segmentation !== undefined && { segmentation: segmentationOf(segmentation, at.field('segmentation')) }),
      ...(keypoints !== undefined && { keypoints: pointsOf(keypoints, at.field('keypoints')) }),
    }
  })
}

/** Writes a data set or results of COCO, whole or not at all. @throws ArgumentError when the path cannot be written */
export async function writeCoco(
  path: string,
  value: CocoDataset | CocoCaptions | readonly CocoDetection[],
): Promise<void> {
  await writeFileAtomic(path, Buffer.from(`${JSON.stringify(value)}\n`), 'writeCoco')
}

// ---- Parts ----------------------------------------------------------------------------------------------------------

function each<T>(
  root: Readonly<Record<string, unknown>>,
  name: string,
  place: Place,
  read: (value: unknown, at: Place) => T,
): T[] {
  const at = place.field(name)
  return at.list(root[name]).map((value, i) => read(value, at.field(i)))
}

function imagesOf(root: Readonly<Record<string, unknown>>, place: Place): CocoImage[] {
  const images = each(root, 'images', place, (value, at): CocoImage => {
    const entry = at.record(value)
    return {
      ...entry,
      id: at.field('id').whole(entry.id),
      file_name: at.field('file_name').text(entry.file_name),
      width: at.field('width').whole(entry.width),
      height: at.field('height').whole(entry.height),
    }
  })
  checkUnique(images, place.field('images'))
  return images
}

function categoryOf(value: unknown, at: Place): CocoCategory {
  const entry = at.record(value)
  const { supercategory, keypoints, skeleton } = entry
  return {
    id: at.field('id').whole(entry.id),
    name: at.field('name').text(entry.name),
    ...(supercategory !== undefined && { supercategory: at.field('supercategory').text(supercategory) }),
    ...(keypoints !== undefined && {
      keypoints: at
        .field('keypoints')
        .list(keypoints)
        .map((name, i) => at.field('keypoints').field(i).text(name)),
    }),
    ...(skeleton !== undefined && {
      skeleton: at
        .field('skeleton')
        .list(skeleton)
        .map((pair, i) => {
          const [from = 0, to = 0] = at.field('skeleton').field(i).numbers(pair, 2)
          return [from, to] as const
        }),
    }),
  }
}

function annotationOf(value: unknown, at: Place): CocoAnnotation {
  const entry = at.record(value)
  const { segmentation, keypoints, num_keypoints, iscrowd } = entry
  return {
    id: at.field('id').whole(entry.id),
    image_id: at.field('image_id').whole(entry.image_id),
    category_id: at.field('category_id').whole(entry.category_id),
    bbox: boxOf(entry.bbox, at.field('bbox')),
    area: at.field('area').number(entry.area),
    iscrowd: iscrowd === undefined ? 0 : at.field('iscrowd').whole(iscrowd),
    ...(segmentation !== undefined && { segmentation: segmentationOf(segmentation, at.field('segmentation')) }),
    ...(keypoints !== undefined && { keypoints: pointsOf(keypoints, at.field('keypoints')) }),
    ...(num_keypoints !== undefined && { num_keypoints: at.field('num_keypoints').whole(num_keypoints) }),
  }
}

function boxOf(value: unknown, at: Place): CocoBox {
  const [x = 0, y = 0, width = 0, height = 0] = at.numbers(value, 4)
  if (width < 0 || height < 0)
    throw at.error(`is ${width} wide and ${height} high; a box is x, y, width, height from 0`)
  return [x, y, width, height]
}

function pointsOf(value: unknown, at: Place): number[] {
  const points = at.numbers(value)
  if (points.length % 3 !== 0) throw at.error(`has ${points.length} numbers; each point has x, y and visibility`)
  return points
}

/** Polygons, or run lengths as numbers or as a string. */
function segmentationOf(value: unknown, at: Place): CocoSegmentation {
  if (Array.isArray(value)) {
    return value.map((polygon, i) => {
      const values = at.field(i).numbers(polygon)
      if (values.length >= 6 && values.length % 2 === 0) return values
      throw at.field(i).error(`has ${values.length} numbers; a polygon is x and y of three corners or more`)
    })
  }
  const entry = at.record(value)
  const [height = 0, width = 0] = at.field('size').numbers(entry.size, 2)
  const { counts } = entry
  const size: CocoRle['size'] = [height, width]
  const runs = typeof counts === 'string' ? runsOf(counts, at.field('counts')) : at.field('counts').numbers(counts)
  const covered = runs.reduce((sum, run) => sum + run, 0)
  if (covered !== height * width) {
    throw at
      .field('counts')
      .error(`the runs cover ${covered} pixels; the size ${height} × ${width} has ${height * width}`)
  }
  return { size, counts: typeof counts === 'string' ? counts : runs }
}

function runsOf(text: string, at: Place): number[] {
  try {
    return unpackCounts(text)
  } catch (cause) {
    throw at.error((cause as Error).message)
  }
}

function idsOf<T extends { readonly id: number }>(items: readonly T[]): ReadonlyMap<number, T> {
  return new Map(items.map((item) => [item.id, item]))
}

function checkUnique(items: readonly { readonly id: number }[], place: Place): void {
  const seen = new Set<number>()
  for (const [i, { id }] of items.entries()) {
    if (seen.has(id)) throw place.field(i).field('id').error(`${id} is the id of another one too`)
    seen.add(id)
  }
}
