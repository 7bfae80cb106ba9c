// COCO's evaluation of detections (Lin et al. 2014; cocodataset.org), equal to pycocotools.
import { ArgumentError } from '../../native/errors'
import { type Curve, precisionRecall } from './coco-curve'
import { type Matches, matchScene, type Scene } from './coco-match'
import type { CocoDetection, CocoObject, CocoPicture, CocoSegmentation, CocoTruth } from './coco-types'
import { boxOverlap, COCO_SIGMAS, keypointSimilarity, maskOverlap } from './overlap'
import { maskOfPolygons } from './polygon'
import { type CocoRle, countsOf, maskArea } from './rle'

/** What is compared. */
export type CocoKind = 'boxes' | 'masks' | 'keypoints'

export interface CocoOptions {
  /** Detections of a picture and category that count, ascending; 1, 10, 100 unless stated, for keypoints 20. */
  readonly maxDetections?: readonly number[]
  /** Spread of each keypoint; COCO's 17 of a person unless stated. */
  readonly sigmas?: readonly number[]
}

/** Average precision and recall; −1 where there is no object to find. */
export interface CocoSummary {
  /** Mean over overlaps of 0.5, 0.55, …, 0.95; at 0.5; at 0.75. */
  readonly ap: number
  readonly ap50: number
  readonly ap75: number
  /** Objects below 32², between, and above 96² pixels. Keypoints have no small ones. */
  readonly apSmall?: number
  readonly apMedium: number
  readonly apLarge: number
  /** Recall with the most detections, */
  readonly ar: number
  readonly ar50: number
  readonly ar75: number
  /** and with fewer: for each number of `maxDetections`. */
  readonly arByDetections: readonly number[]
  readonly arSmall?: number
  readonly arMedium: number
  readonly arLarge: number
  /** `ap` of each category by its id. */
  readonly apByCategory: ReadonlyMap<number, number>
  /** The numbers in the order in which pycocotools prints them: twelve, or ten for keypoints. */
  readonly stats: readonly number[]
}

/** As `numpy.linspace`, whose roundings decide ties. */
function linspace(from: number, to: number, count: number): number[] {
  const step = (to - from) / (count - 1)
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? to : i * step + from))
}

const THRESHOLDS = linspace(0.5, 0.95, 10)
const RECALLS = linspace(0, 1, 101)
const [AT_50, AT_75] = [0, 5]
const SIZES = { all: [0, 1e10], small: [0, 1024], medium: [1024, 9216], large: [9216, 1e10] } as const

type SizeName = keyof typeof SIZES

/**
 * COCO's average precision and recall, as `COCOeval` of pycocotools gives them.
 *
 * @param truth what a file of instances or keypoints says; `readCoco` of `@lab/vision-native/datasets` reads it
 * @param detections of a category that the truth does not have are left out, as there
 * @throws ArgumentError for a detection of an unknown picture, without what is compared, or with a score that is NaN
 */
export function evaluateCoco(
  truth: CocoTruth,
  detections: readonly CocoDetection[],
  kind: CocoKind = 'boxes',
  options: CocoOptions = {},
): CocoSummary {
  const maxDetections = [...(options.maxDetections ?? (kind === 'keypoints' ? [20] : [1, 10, 100]))].sort(
    (a, b) => a - b,
  )
  const most = maxDetections.at(-1)
  if (most === undefined || !maxDetections.every((n) => Number.isInteger(n) && n > 0)) {
    throw new ArgumentError(`evaluateCoco: maxDetections is [${maxDetections}]; it holds whole numbers from 1`)
  }
  const sizes: readonly SizeName[] =
    kind === 'keypoints' ? ['all', 'medium', 'large'] : ['all', 'small', 'medium', 'large']
  const scenes = scenesOf(truth, detections, kind, most, options.sigmas ?? COCO_SIGMAS)

  const curves = new Map<string, Curve>()
  for (const [category, pictures] of scenes) {
    for (const size of sizes) {
      const matches: Matches[] = pictures.map((scene) => matchScene(scene, THRESHOLDS, SIZES[size]))
      for (const count of maxDetections) {
        const curve = precisionRecall(matches, THRESHOLDS.length, count, RECALLS)
        if (curve) curves.set(`${category} ${size} ${count}`, curve)
      }
    }
  }
  return summarise(curves, [...scenes.keys()], kind, maxDetections)
}

// ---- Scenes ---------------------------------------------------------------------------------------------------------

/** By category, the scenes of its pictures; categories and pictures in the order of their numbers. */
function scenesOf(
  truth: CocoTruth,
  detections: readonly CocoDetection[],
  kind: CocoKind,
  most: number,
  sigmas: readonly number[],
): ReadonlyMap<number, readonly Scene[]> {
  const pictures = new Map(truth.images.map((picture) => [picture.id, picture]))
  for (const [i, { image_id, score }] of detections.entries()) {
    if (!pictures.has(image_id)) {
      throw new ArgumentError(`evaluateCoco: detection ${i} is in picture ${image_id}, which the truth does not have`)
    }
    if (Number.isNaN(score)) throw new ArgumentError(`evaluateCoco: the score of detection ${i} is NaN`)
  }
  const key = ({ image_id, category_id }: CocoObject | CocoDetection) => `${image_id} ${category_id}`
  const objectsAt = groupBy(truth.annotations, key)
  const detectionsAt = groupBy(detections, key)
  const ascending = (ids: Iterable<number>) => [...new Set(ids)].sort((a, b) => a - b)
  const imageIds = ascending(pictures.keys())

  const scenes = new Map<number, readonly Scene[]>()
  for (const category of ascending(truth.categories.map(({ id }) => id))) {
    const found = imageIds.flatMap((id) => {
      const [objects = [], candidates = []] = [
        objectsAt.get(`${id} ${category}`),
        detectionsAt.get(`${id} ${category}`),
      ]
      const picture = pictures.get(id)
      if (picture === undefined || objects.length + candidates.length === 0) return []
      return [sceneOf(picture, objects, candidates, kind, most, sigmas)]
    })
    scenes.set(category, found)
  }
  return scenes
}

/** As `Map.groupBy`, which Node 20 lacks. */
function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}

function sceneOf(
  picture: CocoPicture,
  objects: readonly CocoObject[],
  candidates: readonly CocoDetection[],
  kind: CocoKind,
  most: number,
  sigmas: readonly number[],
): Scene {
  const best = [...candidates].sort((a, b) => b.score - a.score).slice(0, most)
  const isCrowd = (object: CocoObject) => Boolean(object.iscrowd)
  const described = objects.map((object) => ({
    area: object.area,
    crowd: isCrowd(object),
    ignored: isCrowd(object) || (kind === 'keypoints' && markedPoints(object) === 0),
  }))
  if (kind === 'boxes') {
    const boxes = best.map(({ bbox }) => required(bbox, 'bbox', picture))
    return {
      objects: described,
      detections: best.map(({ score }, d) => ({ score, area: (boxes[d]?.[2] ?? 0) * (boxes[d]?.[3] ?? 0) })),
      overlaps: boxes.map((box) => objects.map((object) => boxOverlap(box, object.bbox, isCrowd(object)))),
    }
  }
  if (kind === 'masks') {
    const maskOf = (segmentation: CocoSegmentation | undefined) =>
      toMask(required(segmentation, 'segmentation', picture), picture)
    const masks = best.map(({ segmentation }) => maskOf(segmentation))
    const truths = objects.map(({ segmentation }) => maskOf(segmentation))
    return {
      objects: described,
      detections: best.map(({ score }, d) => ({ score, area: maskArea(masks[d] as CocoRle) })),
      overlaps: masks.map((mask) => truths.map((other, o) => maskOverlap(mask, other, described[o]?.crowd))),
    }
  }
  const points = best.map(({ keypoints }) => required(keypoints, 'keypoints', picture))
  return {
    objects: described,
    detections: best.map(({ score }, d) => ({ score, area: extentOf(points[d] ?? []) })),
    overlaps: points.map((found) =>
      objects.map(({ keypoints, bbox, area }) => {
        const object = { keypoints: required(keypoints, 'keypoints', picture), bbox, area }
        return keypointSimilarity(found, object, sigmas)
      }),
    ),
  }
}

function required<T>(value: T | undefined, name: string, picture: CocoPicture): T {
  if (value !== undefined) return value
  throw new ArgumentError(`evaluateCoco: an object or a detection in picture ${picture.id} has no ${name}`)
}

function toMask(segmentation: CocoSegmentation, { height, width }: CocoPicture): CocoRle {
  const mask = 'counts' in segmentation ? segmentation : maskOfPolygons(segmentation, height, width)
  // Unpacked once, not for each pair.
  return { size: mask.size, counts: countsOf(mask) }
}

function markedPoints({ num_keypoints, keypoints = [] }: CocoObject): number {
  return num_keypoints ?? keypoints.filter((value, i) => i % 3 === 2 && value > 0).length
}

/** Area of the box around all points of a detection. */
function extentOf(keypoints: readonly number[]): number {
  const side = (axis: number) => {
    const values = keypoints.filter((_, i) => i % 3 === axis)
    return Math.max(...values) - Math.min(...values)
  }
  return side(0) * side(1)
}

// ---- Summary --------------------------------------------------------------------------------------------------------

function summarise(
  curves: ReadonlyMap<string, Curve>,
  categories: readonly number[],
  kind: CocoKind,
  maxDetections: readonly number[],
): CocoSummary {
  const most = maxDetections.at(-1) ?? 0
  const chosen = (size: SizeName, count: number, only?: number) =>
    categories
      .filter((category) => only === undefined || category === only)
      .flatMap((category) => curves.get(`${category} ${size} ${count}`) ?? [])
  const at = <T>(list: readonly T[], index: number | undefined) =>
    index === undefined ? list : list.slice(index, index + 1)
  const precision = (size: SizeName, threshold?: number, category?: number) =>
    mean(chosen(size, most, category).flatMap((curve) => at(curve.precision, threshold).flat()))
  const recall = (size: SizeName, count = most, threshold?: number) =>
    mean(chosen(size, count).flatMap((curve) => at(curve.recall, threshold)))

  const [ap, ap50, ap75] = [precision('all'), precision('all', AT_50), precision('all', AT_75)]
  const [apMedium, apLarge, arMedium, arLarge] = [
    ...[precision('medium'), precision('large')],
    ...[recall('medium'), recall('large')],
  ] as [number, number, number, number]
  const [ar, ar50, ar75] = [recall('all'), recall('all', most, AT_50), recall('all', most, AT_75)]
  const arByDetections = maxDetections.map((count) => recall('all', count))
  const apByCategory = new Map(categories.map((category) => [category, precision('all', undefined, category)]))
  const common = { ap, ap50, ap75, apMedium, apLarge, ar, ar50, ar75, arByDetections, arMedium, arLarge, apByCategory }
  if (kind === 'keypoints') {
    return { ...common, stats: [ap, ap50, ap75, apMedium, apLarge, ar, ar50, ar75, arMedium, arLarge] }
  }
  const [apSmall, arSmall] = [precision('small'), recall('small')]
  const precisions = [ap, ap50, ap75, apSmall, apMedium, apLarge]
  return { ...common, apSmall, arSmall, stats: [...precisions, ...arByDetections, arSmall, arMedium, arLarge] }
}

/** −1 of nothing. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length
}
