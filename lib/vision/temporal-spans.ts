// Spans of time: where a curve is high, and which of many that overlap stay.
import { type TimeSpan, temporalIoU } from '../metrics'
import { ArgumentError } from '../native/errors'

/** A span with its score. */
export interface ScoredSpan {
  readonly span: TimeSpan
  readonly score: number
}

/** Runs of neighbouring samples above a threshold, as first and last of each. */
export function runsAbove(values: ArrayLike<number>, threshold: number): (readonly [first: number, last: number])[] {
  const runs: (readonly [number, number])[] = []
  let first = -1
  for (let i = 0; i <= values.length; i++) {
    const high = i < values.length && (values[i] as number) > threshold
    if (high && first < 0) first = i
    else if (!high && first >= 0) {
      runs.push([first, i - 1])
      first = -1
    }
  }
  return runs
}

/**
 * Soft non-maximum suppression in time (Bodla et al., ICCV 2017), Gaussian: the surest span is taken, and the scores of
 * all others fall by exp(−IoU² ∕ σ), again and again. None is dropped.
 *
 * @param edge added to every length, as `temporalIoU`
 * @returns the spans by descending score
 */
export function temporalSoftNms<S extends ScoredSpan>(
  spans: readonly S[],
  { sigma = 0.5, edge = 0 }: { readonly sigma?: number; readonly edge?: number } = {},
): S[] {
  if (!(sigma > 0)) throw new ArgumentError(`temporalSoftNms: sigma is ${sigma}; it is above 0`)
  const left = [...spans]
  const scores = left.map(({ score }) => score)
  const kept: S[] = []
  while (left.length > 0) {
    let best = 0
    for (let i = 1; i < left.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i
    const [chosen] = left.splice(best, 1) as [S]
    const [score] = scores.splice(best, 1)
    kept.push({ ...chosen, score })
    for (const [i, { span }] of left.entries()) {
      const overlap = temporalIoU(span, chosen.span, edge)
      scores[i] = (scores[i] as number) * Math.exp(-(overlap ** 2) / sigma)
    }
  }
  return kept
}

/**
 * Non-maximum suppression in time: spans by descending score, without those that overlap one taken before by `overlap`
 * or more.
 *
 * @param edge added to every length, as `temporalIoU`
 */
export function temporalNms<S extends ScoredSpan>(
  spans: readonly S[],
  { overlap, edge = 0 }: { readonly overlap: number; readonly edge?: number },
): S[] {
  const kept: S[] = []
  for (const each of [...spans].sort((a, b) => b.score - a.score)) {
    if (kept.every(({ span }) => temporalIoU(span, each.span, edge) < overlap)) kept.push(each)
  }
  return kept
}
