// Average precision of segments of time, as ActivityNet and THUMOS count it.
import { ArgumentError } from '../../native/errors'

/** Beginning and end, in any unit of time. */
export type TimeSpan = readonly [start: number, end: number]

/** An action that is in a video. */
export interface TemporalTruth {
  readonly video: string
  readonly label: string | number
  readonly segment: TimeSpan
}

/** An action that was found. */
export interface TemporalDetection extends TemporalTruth {
  readonly score: number
}

export interface TemporalSummary {
  /** Mean over the labels of the truth, for each threshold; NaN without truth. */
  readonly map: readonly number[]
  /** Mean of `map`. */
  readonly average: number
  /** For each label of the truth, at each threshold. */
  readonly ap: ReadonlyMap<string | number, readonly number[]>
}

/**
 * Intersection over union of two spans of time; 0 where both are empty.
 *
 * @param edge added to every length: 1 for spans of whole samples whose last one is included
 */
export function temporalIoU([start, end]: TimeSpan, [from, to]: TimeSpan, edge = 0): number {
  const shared = Math.max(0, Math.min(end, to) - Math.max(start, from) + edge)
  const union = end - start + edge + (to - from + edge) - shared
  return union > 0 ? shared / union : 0
}

/**
 * Mean average precision of detections (Heilbron et al., "ActivityNet", CVPR 2015). Detections, best first and of equal
 * scores in their order, take the segment of their label and video that they overlap most and that none took before; the
 * area is below the curve of the best precision at each recall or above. Labels that are not in the truth do not count.
 *
 * @param thresholds overlaps from which a segment is found
 * @throws ArgumentError for a threshold outside 0–1, a score that is NaN, and a segment that ends before it begins
 */
export function evaluateTemporal(
  truth: readonly TemporalTruth[],
  detections: readonly TemporalDetection[],
  thresholds: readonly number[],
): TemporalSummary {
  for (const threshold of thresholds) {
    if (threshold >= 0 && threshold <= 1) continue
    throw new ArgumentError(`evaluateTemporal: threshold is ${threshold}; it is from 0 to 1`)
  }
  check(truth, 'segment of the truth')
  check(detections, 'detection')
  const broken = detections.findIndex(({ score }) => Number.isNaN(score))
  if (broken >= 0) throw new ArgumentError(`evaluateTemporal: the score of detection ${broken} is NaN`)
  const ap = new Map<string | number, readonly number[]>()
  for (const label of new Set(truth.map((each) => each.label))) {
    const wanted = byVideo(truth.filter((each) => each.label === label))
    const found = detections.filter((each) => each.label === label).sort((a, b) => b.score - a.score)
    ap.set(
      label,
      thresholds.map((threshold) => averagePrecisionOf(wanted, found, threshold)),
    )
  }
  const map = thresholds.map((_, t) => mean([...ap.values()].map((values) => values[t] ?? 0)))
  return { map, average: mean(map), ap }
}

function check(segments: readonly TemporalTruth[], what: string): void {
  const wrong = segments.findIndex(({ segment: [start, end] }) => !(start <= end))
  if (wrong < 0) return
  const { video, segment } = segments[wrong] as TemporalTruth
  throw new ArgumentError(
    `evaluateTemporal: ${what} ${wrong}, of ${video}, is [${segment}]; its end is not before its start`,
  )
}

function byVideo(truth: readonly TemporalTruth[]): ReadonlyMap<string, readonly TimeSpan[]> {
  const spans = new Map<string, TimeSpan[]>()
  for (const { video, segment } of truth) {
    const known = spans.get(video)
    if (known) known.push(segment)
    else spans.set(video, [segment])
  }
  return spans
}

function averagePrecisionOf(
  wanted: ReadonlyMap<string, readonly TimeSpan[]>,
  found: readonly TemporalDetection[],
  threshold: number,
): number {
  const total = [...wanted.values()].reduce((sum, spans) => sum + spans.length, 0)
  const taken = new Set<TimeSpan>()
  const curve: { readonly recall: number; readonly precision: number }[] = []
  for (const { video, segment } of found) {
    const match = bestFree(wanted.get(video) ?? [], segment, threshold, taken)
    if (match) taken.add(match)
    curve.push({ recall: taken.size / total, precision: taken.size / (curve.length + 1) })
  }
  let [area, best] = [0, 0]
  for (let i = curve.length - 1; i >= 0; i--) {
    const { recall, precision } = curve[i] as { recall: number; precision: number }
    best = Math.max(best, precision)
    area += best * (recall - (curve[i - 1]?.recall ?? 0))
  }
  return area
}

function bestFree(
  spans: readonly TimeSpan[],
  segment: TimeSpan,
  threshold: number,
  taken: ReadonlySet<TimeSpan>,
): TimeSpan | undefined {
  let [best, most]: [TimeSpan | undefined, number] = [undefined, -1]
  for (const span of spans) {
    if (taken.has(span)) continue
    const overlap = temporalIoU(segment, span)
    if (overlap >= threshold && overlap > most) [best, most] = [span, overlap]
  }
  return best
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
