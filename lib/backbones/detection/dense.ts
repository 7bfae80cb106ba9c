// What detectors have in common that say something of every place of their maps.
import { batchedNms } from '../../ops'
import { cat, nonzero, type Tensor } from '../../tensor'
import { clipBoxesToImage, type ImageSize } from '../../vision'
import type { Detection } from './types'

export interface DenseOptions {
  /** Detections have a higher score than this. */
  readonly scoreThreshold?: number
  readonly nmsThreshold?: number
  /** The most that is found in an image. */
  readonly detectionsPerImage?: number
  /** The most that suppression begins with, of each map (RetinaNet, FCOS) or class (SSD). */
  readonly topk?: number
}

/** What a head says of a map's places. */
export interface Level {
  /** `[A, numClasses]` in 0–1. */
  readonly scores: Tensor
  /** Boxes of some places. */
  readonly boxesAt: (places: Tensor) => Tensor
}

/** The best of each map, less what overlaps better ones of its class. */
export function detectOnLevels(levels: readonly Level[], size: ImageSize, options: Required<DenseOptions>): Detection {
  const found = levels.map(({ scores, boxesAt }) => {
    const flat = scores.flatten()
    const sure = nonzero(flat.gt(options.scoreThreshold)).squeeze(1)
    const [best, order] = flat.indexSelect(0, sure).topk(Math.min(options.topk, sure.size(0)))
    const chosen = sure.indexSelect(0, order)
    const classes = scores.size(1)
    return {
      boxes: clipBoxesToImage(boxesAt(chosen.floorDivide(classes)), size),
      scores: best,
      labels: chosen.remainder(classes),
    }
  })
  return suppressed(
    cat(found.map((each) => each.boxes)),
    cat(found.map((each) => each.scores)),
    cat(found.map((each) => each.labels)),
    options,
  )
}

/** Non-maximum suppression within classes, and the best of what stays. */
export function suppressed(
  boxes: Tensor,
  scores: Tensor,
  labels: Tensor,
  { nmsThreshold, detectionsPerImage }: Required<DenseOptions>,
): Detection {
  const kept = batchedNms(boxes, scores, labels, nmsThreshold)
  const best = kept.narrow(0, 0, Math.min(kept.size(0), detectionsPerImage))
  return { boxes: boxes.indexSelect(0, best), labels: labels.indexSelect(0, best), scores: scores.indexSelect(0, best) }
}

/** The bias of a layer whose sigmoids begin at 1 %, so that background does not drown the first steps (Lin et al., ICCV 2017). */
export const PRIOR_BIAS = -Math.log((1 - 0.01) / 0.01)
