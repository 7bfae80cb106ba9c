// Pascal VOC's average precision (Everingham et al. 2010).
import { ArgumentError } from '../../native/errors'

/** Corners of a box: left, top, right, bottom. */
export type VocBox = readonly [xmin: number, ymin: number, xmax: number, ymax: number]

export interface VocObject {
  readonly image: string | number
  readonly label: string | number
  readonly box: VocBox
  /** Found or not, it counts neither way. */
  readonly difficult?: boolean
}

export interface VocDetection extends Omit<VocObject, 'difficult'> {
  readonly score: number
}

export interface VocOptions {
  /** Overlap from which an object is found; 0.5 unless stated. */
  readonly threshold?: number
  /**
   * `'all-points'` (default, VOC 2010 and later): the area under the curve of the best precision at each recall or
   * above; `'11-points'` (VOC 2007): its mean at recalls of 0, 0.1, …, 1.
   */
  readonly interpolation?: 'all-points' | '11-points'
  /** VOC's boxes include their last pixel, so that a box is xmax − xmin + 1 wide; true unless stated. */
  readonly inclusive?: boolean
}

export interface VocSummary {
  /** Mean over the labels that have objects; NaN where there are none. */
  readonly map: number
  readonly ap: ReadonlyMap<string | number, number>
}

/**
 * VOC's mean average precision. Detections, best first, take the object of their label and picture that they overlap
 * most; a second one of the same object is false.
 *
 * @throws ArgumentError for a threshold outside 0–1 or a score that is NaN
 */
export function evaluateVoc(
  objects: readonly VocObject[],
  detections: readonly VocDetection[],
  options: VocOptions = {},
): VocSummary {
  const { threshold = 0.5, interpolation = 'all-points', inclusive = true } = options
  if (!(threshold >= 0 && threshold <= 1))
    throw new ArgumentError(`evaluateVoc: threshold is ${threshold}; it is from 0 to 1`)
  const broken = detections.findIndex(({ score }) => Number.isNaN(score))
  if (broken >= 0) throw new ArgumentError(`evaluateVoc: the score of detection ${broken} is NaN`)
  const labels = [...new Set(objects.map(({ label }) => label))]
  const ap = new Map<string | number, number>()
  for (const label of labels) {
    const wanted = objects.filter((object) => object.label === label)
    const found = detections.filter((detection) => detection.label === label)
    const { recall, precision } = curveOf(wanted, found, threshold, inclusive ? 1 : 0)
    ap.set(label, interpolation === '11-points' ? elevenPoints(recall, precision) : allPoints(recall, precision))
  }
  const map = [...ap.values()].reduce((sum, value) => sum + value, 0) / ap.size
  return { map, ap }
}

interface VocCurve {
  readonly recall: readonly number[]
  readonly precision: readonly number[]
}

function curveOf(
  objects: readonly VocObject[],
  detections: readonly VocDetection[],
  threshold: number,
  edge: number,
): VocCurve {
  const count = objects.filter(({ difficult }) => !difficult).length
  const taken = new Set<VocObject>()
  const recall: number[] = []
  const precision: number[] = []
  let [hits, misses] = [0, 0]
  for (const { image, box } of [...detections].sort((a, b) => b.score - a.score)) {
    let [best, most]: [VocObject | undefined, number] = [undefined, Number.NEGATIVE_INFINITY]
    for (const object of objects) {
      const overlap = object.image === image ? overlapOf(box, object.box, edge) : Number.NEGATIVE_INFINITY
      if (overlap > most) [best, most] = [object, overlap]
    }
    if (best === undefined || most < threshold) misses++
    else if (best.difficult) {
      // Neither way, but the curve has a point.
    } else if (taken.has(best)) misses++
    else {
      taken.add(best)
      hits++
    }
    recall.push(hits / count)
    precision.push(hits / Math.max(hits + misses, Number.EPSILON))
  }
  return { recall, precision }
}

function overlapOf(a: VocBox, b: VocBox, edge: number): number {
  const [left, top, right, bottom] = a
  const [left2, top2, right2, bottom2] = b
  const width = Math.max(Math.min(right, right2) - Math.max(left, left2) + edge, 0)
  const height = Math.max(Math.min(bottom, bottom2) - Math.max(top, top2) + edge, 0)
  const areaOf = ([x, y, x2, y2]: VocBox) => (x2 - x + edge) * (y2 - y + edge)
  return (width * height) / (areaOf(a) + areaOf(b) - width * height)
}

function elevenPoints(recall: readonly number[], precision: readonly number[]): number {
  let sum = 0
  for (let point = 0; point <= 10; point++) {
    const level = point / 10
    sum += Math.max(0, ...precision.filter((_, i) => (recall[i] ?? 0) >= level))
  }
  return sum / 11
}

function allPoints(recall: readonly number[], precision: readonly number[]): number {
  let [area, best] = [0, 0]
  for (let i = recall.length - 1; i >= 0; i--) {
    best = Math.max(best, precision[i] ?? 0)
    area += ((recall[i] ?? 0) - (recall[i - 1] ?? 0)) * best
  }
  return area
}
