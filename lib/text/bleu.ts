import { ArgumentError } from '../native/errors'
import { countRuns, pairsOf, type Words } from './caption-words'

export interface BleuOptions {
  /** Longest runs of words; default 4. */
  readonly maxOrder?: number
  /** For runs that never match: nothing (`'none'`, default), or half as much for each (`'exp'`, as sacreBLEU by default). */
  readonly smoothing?: 'none' | 'exp'
}

export interface BleuScore {
  /** BLEU-1, BLEU-2, … in 0–1. */
  readonly scores: readonly number[]
  /** Share of the runs of each length that match. */
  readonly precisions: readonly number[]
  readonly brevityPenalty: number
  readonly length: number
  /** Of the references nearest in length. */
  readonly referenceLength: number
}

/**
 * BLEU of a set of texts (Papineni et al., ACL 2002), against the nearest reference's length, the shorter of two.
 *
 * @param references one list for each text
 * @throws ArgumentError when texts and references do not go together
 */
export function bleu(
  candidates: readonly Words[],
  references: readonly (readonly Words[])[],
  { maxOrder = 4, smoothing = 'none' }: BleuOptions = {},
): BleuScore {
  if (!Number.isInteger(maxOrder) || maxOrder < 1)
    throw new ArgumentError(`bleu: maxOrder is ${maxOrder}; it must be 1 or more`)
  const orders = Array.from({ length: maxOrder }, (_, i) => i + 1)
  const matches = orders.map(() => 0)
  const totals = orders.map(() => 0)
  let [length, referenceLength] = [0, 0]
  for (const { candidate, references: own } of pairsOf('bleu', candidates, references)) {
    length += candidate.length
    referenceLength += nearestLength(candidate.length, own)
    for (const n of orders) {
      const most = new Map<string, number>()
      for (const reference of own) {
        for (const [run, count] of countRuns(reference, n)) most.set(run, Math.max(count, most.get(run) ?? 0))
      }
      for (const [run, count] of countRuns(candidate, n)) {
        matches[n - 1] = (matches[n - 1] ?? 0) + Math.min(count, most.get(run) ?? 0)
        totals[n - 1] = (totals[n - 1] ?? 0) + count
      }
    }
  }
  let halving = 1
  const precisions = orders.map((n) => {
    const [match, total] = [matches[n - 1] ?? 0, totals[n - 1] ?? 0]
    if (match > 0 || total === 0) return total === 0 ? 0 : match / total
    halving *= 2
    return smoothing === 'exp' ? 1 / (halving * total) : 0
  })
  const brevityPenalty = length === 0 ? 0 : length < referenceLength ? Math.exp(1 - referenceLength / length) : 1
  const scores = orders.map((n) => {
    const logs = precisions.slice(0, n).reduce((sum, precision) => sum + Math.log(precision), 0)
    return brevityPenalty * Math.exp(logs / n)
  })
  return { scores, precisions, brevityPenalty, length, referenceLength }
}

function nearestLength(length: number, references: readonly (readonly string[])[]): number {
  const distance = (other: number) => Math.abs(other - length)
  return references
    .map((reference) => reference.length)
    .reduce((best, other) =>
      distance(other) < distance(best) || (distance(other) === distance(best) && other < best) ? other : best,
    )
}
