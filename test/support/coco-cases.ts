// Random scenes for COCO's evaluation, the same here and in tools/reference/coco_eval.py: both draw the same numbers in
// the same order.
import type { CocoDetection, CocoKind, CocoObject, CocoTruth } from '../../lib/metrics'
import { maskOfPolygons } from '../../lib/metrics'
import { hashNumbers } from './hash-weights'

/** Numbers from 0 to 1 in order. */
export class Draw {
  readonly #numbers: Float64Array
  #next = 0

  constructor(name: string) {
    this.#numbers = hashNumbers(name, 65_537)
  }

  /** From 0 to below 1. */
  unit(): number {
    return ((this.#numbers[this.#next++ % 65_537] ?? 0) + 1) / 2
  }

  /** A whole number from `low` to `high`. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1))
  }

  /** In hundredths, between two numbers. */
  between(low: number, high: number): number {
    return Math.floor((low + this.unit() * (high - low)) * 100) / 100
  }
}

export const KINDS: readonly CocoKind[] = ['boxes', 'masks', 'keypoints']

export interface CocoCase {
  readonly kind: CocoKind
  readonly truth: CocoTruth
  readonly detections: readonly CocoDetection[]
}

export function cocoCase(index: number): CocoCase {
  const draw = new Draw(`coco${index}`)
  const kind = KINDS[index % 3] ?? 'boxes'
  const categories = Array.from({ length: draw.whole(1, 3) }, (_, i) => ({ id: i + 1 }))
  const images = Array.from({ length: draw.whole(1, 4) }, (_, i) => ({
    ...{ id: i + 1, width: draw.whole(40, 260), height: draw.whole(40, 260) },
  }))
  const annotations: CocoObject[] = []
  const detections: CocoDetection[] = []
  for (const { id: image_id, width, height } of images) {
    const objects: CocoObject[] = []
    for (let n = draw.whole(0, 6); n > 0; n--) {
      const category_id = draw.whole(1, categories.length)
      const iscrowd = draw.unit() < 0.15 ? 1 : 0
      objects.push({ image_id, category_id, iscrowd, ...shape(draw, kind, width, height) })
    }
    annotations.push(...objects)
    // Now and then more than count.
    const extra = index % 25 === 0 ? 130 : draw.whole(0, 12)
    for (const object of objects) {
      for (let n = draw.whole(0, 2); n > 0; n--) {
        const score = draw.whole(0, 20) / 20
        detections.push({
          image_id,
          category_id: object.category_id,
          score,
          ...jitter(draw, kind, object, width, height),
        })
      }
    }
    for (let n = 0; n < extra; n++) {
      const category_id = draw.whole(1, categories.length)
      const score = draw.whole(0, 20) / 20
      const { bbox, segmentation, keypoints } = shape(draw, kind, width, height)
      const found =
        kind === 'boxes'
          ? { bbox }
          : kind === 'masks'
            ? { segmentation: rle(segmentation, height, width) }
            : { keypoints }
      detections.push({ image_id, category_id, score, ...found } as CocoDetection)
    }
  }
  return { kind, truth: { images, categories, annotations }, detections }
}

function rle(polygons: unknown, height: number, width: number) {
  return maskOfPolygons(polygons as number[][], height, width)
}

function shape(draw: Draw, kind: CocoKind, width: number, height: number) {
  const [x, y] = [draw.between(0, width * 0.8), draw.between(0, height * 0.8)]
  const [w, h] = [draw.between(2, width - x), draw.between(2, height - y)]
  const area = w * h * draw.between(0.4, 1)
  const box = { bbox: [x, y, w, h] as const, area }
  if (kind === 'boxes') return { ...box, segmentation: undefined, keypoints: undefined } as never as typeof box & Parts
  if (kind === 'masks') return { ...box, segmentation: polygons(draw, x, y, w, h) } as typeof box & Parts
  const marked = draw.unit() < 0.8
  const keypoints = Array.from({ length: 17 }, () => {
    const visible = marked ? draw.whole(0, 2) : 0
    return [draw.between(x, x + w), draw.between(y, y + h), visible]
  }).flat()
  const num_keypoints = keypoints.filter((value, i) => i % 3 === 2 && value > 0).length
  return { ...box, keypoints, num_keypoints } as typeof box & Parts
}

interface Parts {
  readonly segmentation?: number[][]
  readonly keypoints?: number[]
  readonly num_keypoints?: number
}

/** One or two polygons whose corners lie anywhere in a box, or beyond it. */
function polygons(draw: Draw, x: number, y: number, w: number, h: number): number[][] {
  return Array.from({ length: draw.whole(1, 2) }, () =>
    Array.from({ length: draw.whole(3, 8) }, () => [
      draw.between(x - 3, x + w + 3),
      draw.between(y - 3, y + h + 3),
    ]).flat(),
  )
}

/** Something near an object. */
function jitter(draw: Draw, kind: CocoKind, object: CocoObject, width: number, height: number) {
  const by = draw.unit() < 0.5 ? 0.02 : 0.15
  const [, , w, h] = object.bbox
  const moved = (value: number, length: number) => value + draw.between(-by, by) * length
  if (kind === 'boxes') {
    const [x, y] = object.bbox
    return { bbox: [moved(x, w), moved(y, h), Math.max(1, moved(w, w)), Math.max(1, moved(h, h))] as const }
  }
  if (kind === 'masks') {
    const parts = object.segmentation as number[][]
    const polygons = parts.map((part) => part.map((value, i) => moved(value, i % 2 === 0 ? w : h)))
    return { segmentation: rle(polygons, height, width) }
  }
  const keypoints = (object.keypoints ?? []).map((value, i) => (i % 3 === 2 ? 1 : moved(value, i % 3 === 0 ? w : h)))
  return { keypoints }
}

/** Polygons of a small picture, some of them outside. */
export function polygonCase(draw: Draw): { polygons: number[][]; height: number; width: number } {
  const [width, height] = [draw.whole(1, 60), draw.whole(1, 60)]
  const [x, y] = [draw.between(-5, width), draw.between(-5, height)]
  const [w, h] = [draw.between(0, 40), draw.between(0, 40)]
  return { polygons: polygons(draw, x, y, w, h), height, width }
}
