// Precision over recall, of all pictures together.
import type { Matches } from './coco-match'

/** The curve of one category, size and number of detections, by threshold. */
export interface Curve {
  /** Best precision at each recall of the grid or above. */
  readonly precision: readonly (readonly number[])[]
  /** Share of the objects that were found. */
  readonly recall: readonly number[]
}

/**
 * @param pictures the matches in each picture, in the order of their numbers, so that ties fall the same way each time
 * @param most detections of a picture that count
 * @param grid recalls at which precision is read
 * @returns undefined when there is no object to find
 */
export function precisionRecall(
  pictures: readonly Matches[],
  thresholds: number,
  most: number,
  grid: readonly number[],
): Curve | undefined {
  const wanted = pictures.reduce((sum, picture) => sum + picture.wanted, 0)
  if (wanted === 0) return undefined
  const ranked = pictures
    .flatMap((picture) => picture.scores.slice(0, most).map((score, d) => ({ score, d, picture })))
    .sort((a, b) => b.score - a.score)
  const precision: number[][] = []
  const recall: number[] = []
  for (let t = 0; t < thresholds; t++) {
    const recalls: number[] = []
    const precisions: number[] = []
    let [hits, misses] = [0, 0]
    for (const { d, picture } of ranked) {
      if (!picture.ignored[t]?.[d]) {
        if (picture.matched[t]?.[d]) hits++
        else misses++
      }
      recalls.push(hits / wanted)
      precisions.push(hits / (misses + hits + Number.EPSILON))
    }
    for (let i = precisions.length - 1; i > 0; i--) {
      precisions[i - 1] = Math.max(precisions[i - 1] ?? 0, precisions[i] ?? 0)
    }
    let at = 0
    precision.push(
      grid.map((level) => {
        while (at < recalls.length && (recalls[at] ?? 0) < level) at++
        return precisions[at] ?? 0
      }),
    )
    recall.push(recalls.at(-1) ?? 0)
  }
  return { precision, recall }
}
