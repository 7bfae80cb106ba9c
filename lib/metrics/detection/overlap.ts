// How much a detection agrees with an object: boxes, masks, keypoints. Against a crowd, it is the share of the detection
// that lies in it.
import { ArgumentError } from '../../native/errors'
import { type CocoBox, type CocoRle, checkSameSize, countsOf, eachCommonRun, maskArea, maskBox } from './rle'

/** Intersection over union of two boxes. */
export function boxOverlap(detection: CocoBox, object: CocoBox, crowd = false): number {
  const [x, y, w, h] = detection
  const [x2, y2, w2, h2] = object
  const width = Math.min(x + w, x2 + w2) - Math.max(x, x2)
  const height = Math.min(y + h, y2 + h2) - Math.max(y, y2)
  if (width <= 0 || height <= 0) return 0
  const shared = width * height
  return shared / (crowd ? w * h : w * h + w2 * h2 - shared)
}

/** Intersection over union of two masks of one picture. */
export function maskOverlap(detection: CocoRle, object: CocoRle, crowd = false): number {
  checkSameSize('maskOverlap', detection, object)
  if (boxOverlap(maskBox(detection), maskBox(object)) === 0) return 0
  let shared = 0
  eachCommonRun(countsOf(detection), countsOf(object), (length, a, b) => {
    if (a && b) shared += length
  })
  if (shared === 0) return 0
  const own = maskArea(detection)
  return shared / (crowd ? own : own + maskArea(object) - shared)
}

/** What similarity of keypoints depends on besides the points. */
export interface KeypointObject {
  /** x, y and visibility (0 not marked, 1 hidden, 2 visible) of each point in turn. */
  readonly keypoints: readonly number[]
  readonly bbox: CocoBox
  readonly area: number
}

/** Spread of each of COCO's 17 points of a person, from the nose to the ankles. */
export const COCO_SIGMAS: readonly number[] = [
  0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
]

/**
 * Object keypoint similarity: the mean over marked points of exp(−d² ∕ (2 area (2σ)²)). Where no point is marked, d is
 * how far a point lies outside twice the object's box.
 *
 * @param keypoints of the detection, three numbers a point
 * @throws ArgumentError when points and sigmas differ in number
 */
export function keypointSimilarity(
  keypoints: readonly number[],
  { keypoints: marked, bbox: [x, y, w, h], area }: KeypointObject,
  sigmas: readonly number[] = COCO_SIGMAS,
): number {
  for (const points of [keypoints, marked]) {
    if (points.length === 3 * sigmas.length) continue
    throw new ArgumentError(
      `keypointSimilarity: ${points.length} numbers for ${sigmas.length} points; a point has three`,
    )
  }
  const isMarked = (k: number) => (marked[3 * k + 2] ?? 0) > 0
  const anyMarked = sigmas.some((_, k) => isMarked(k))
  const outside = (at: number, from: number, length: number) =>
    Math.max(0, from - length - at) + Math.max(0, at - (from + length * 2))
  let [sum, count] = [0, 0]
  for (const [k, sigma] of sigmas.entries()) {
    if (anyMarked && !isMarked(k)) continue
    const [px = 0, py = 0, mx = 0, my = 0] = [keypoints[3 * k], keypoints[3 * k + 1], marked[3 * k], marked[3 * k + 1]]
    const dx = anyMarked ? px - mx : outside(px, x, w)
    const dy = anyMarked ? py - my : outside(py, y, h)
    sum += Math.exp(-((dx ** 2 + dy ** 2) / (sigma * 2) ** 2 / (area + Number.EPSILON) / 2))
    count++
  }
  return sum / count
}
