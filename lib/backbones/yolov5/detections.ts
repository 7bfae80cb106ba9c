// From a detector's predictions to objects: thresholds, classes, suppression of doubles.
import { ArgumentError, ShapeError } from '../../native/errors'
import { batchedNms, nms } from '../../ops'
import { type Tensor, tidy } from '../../tensor'
import { boxConvert } from '../../vision'

export interface DetectionsOptions {
  /** Least probability of an object of its class; default 0.25 (0.001 for average precision). */
  readonly scoreThreshold?: number
  /** Overlap above which the less probable of two boxes is dropped; default 0.45 (0.6 for average precision). */
  readonly iouThreshold?: number
  /** Gives a box all classes above the threshold instead of the most probable one; default false (true for average precision). */
  readonly multiLabel?: boolean
  /** Boxes suppress those of other classes too; default false. */
  readonly agnostic?: boolean
  /** Only these classes. */
  readonly classes?: readonly number[]
  /** Objects of an image, at most; default 300. */
  readonly maxDetections?: number
}

/** The objects of an image, the most probable first. */
export interface Detections {
  /** `[K, 4]` as (x1, y1, x2, y2) in pixels. */
  readonly boxes: Tensor
  /** `[K]` */
  readonly scores: Tensor
  /** `[K]` int64 */
  readonly labels: Tensor
}

/** Boxes of an image that suppression looks at; the least probable beyond are dropped before. */
const MAX_CANDIDATES = 30_000

/**
 * Objects from the predictions of YOLOv5.
 *
 * @param predictions `[N, boxes, 5 + classes]`: centre x and y, width, height, objectness and classes as probabilities
 * @throws ShapeError for another shape; ArgumentError for thresholds outside 0–1
 */
export function suppressPredictions(predictions: Tensor, options: DetectionsOptions = {}): Detections[] {
  const { scoreThreshold = 0.25, iouThreshold = 0.45 } = options
  if (predictions.ndim !== 3 || predictions.size(2) < 6) {
    throw new ShapeError(
      `suppressPredictions: predictions have shape [${predictions.shape.join(', ')}]; it must be [N, boxes, 5 + classes]`,
    )
  }
  for (const [name, value] of Object.entries({ scoreThreshold, iouThreshold })) {
    if (!(value >= 0 && value <= 1))
      throw new ArgumentError(`suppressPredictions: ${name} is ${value}; it must be from 0 to 1`)
  }
  return tidy(() =>
    predictions
      .detach()
      .unbind()
      .map((image) => suppressImage(image, { ...options, scoreThreshold, iouThreshold })),
  )
}

interface Settings extends DetectionsOptions {
  readonly scoreThreshold: number
  readonly iouThreshold: number
}

function suppressImage(image: Tensor, settings: Settings): Detections {
  const { iouThreshold, agnostic = false, maxDetections = 300 } = settings
  const found = mostProbable(candidates(image, settings))
  const kept = agnostic
    ? nms(found.boxes, found.scores, iouThreshold)
    : batchedNms(found.boxes, found.scores, found.labels, iouThreshold)
  return pick(found, kept.narrow(0, 0, Math.min(maxDetections, kept.size(0))))
}

/** Every box and class above the threshold. */
function candidates(image: Tensor, { scoreThreshold, multiLabel = false, classes }: Settings): Detections {
  const likely = image.at(image.select(1, 4).gt(scoreThreshold))
  const [place, objectness, classOdds] = likely.split([4, 1, image.size(1) - 5], { dim: 1 }) as [Tensor, Tensor, Tensor]
  const boxes = boxConvert(place, 'cxcywh', 'xyxy')
  const scores = classOdds.mul(objectness)
  const all = multiLabel ? everyClass(boxes, scores, scoreThreshold) : bestClass(boxes, scores, scoreThreshold)
  if (!classes) return all
  const wanted = classes.reduce((mask, label) => mask.logicalOr(all.labels.eq(label)), all.labels.lt(0))
  return pick(all, wanted.nonzero().squeeze(1))
}

function everyClass(boxes: Tensor, scores: Tensor, threshold: number): Detections {
  const [rows, labels] = scores.gt(threshold).nonzero().unbind({ dim: 1 }) as [Tensor, Tensor]
  return { boxes: boxes.indexSelect(0, rows), scores: scores.at(rows, labels), labels }
}

function bestClass(boxes: Tensor, scores: Tensor, threshold: number): Detections {
  const [best, labels] = scores.max(1)
  return pick({ boxes, scores: best, labels }, best.gt(threshold).nonzero().squeeze(1))
}

function mostProbable(found: Detections): Detections {
  if (found.scores.size(0) <= MAX_CANDIDATES) return found
  return pick(found, found.scores.argsort({ descending: true }).narrow(0, 0, MAX_CANDIDATES))
}

function pick({ boxes, scores, labels }: Detections, rows: Tensor): Detections {
  return { boxes: boxes.indexSelect(0, rows), scores: scores.indexSelect(0, rows), labels: labels.indexSelect(0, rows) }
}
