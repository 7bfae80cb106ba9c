import { countRuns, meanOf, pairsOf, type Words } from './caption-words'

export interface CiderScore {
  /** Mean over the texts; 10 is the most for CIDEr-D of one that equals its references. */
  readonly score: number
  readonly scores: readonly number[]
}

const ORDERS = [1, 2, 3, 4]

/** Width in words within which texts count as equally long. */
const SIGMA = 6

interface Weighted {
  readonly weights: readonly ReadonlyMap<string, number>[]
  readonly norms: readonly number[]
  readonly length: number
}

/**
 * CIDEr of a set of captions (Vedantam, Zitnick, Parikh, CVPR 2015): mean cosine of the runs of one to four words,
 * weighted by how few images' references have them, times 10. Words are compared as given: stem them first to follow the
 * paper to the letter.
 *
 * @param references one list for each caption; their runs give the weights, so that one image alone scores 0
 */
export function cider(candidates: readonly Words[], references: readonly (readonly Words[])[]): CiderScore {
  return compare('cider', candidates, references, (a, b, n) => cosine(a, b, n, false))
}

/** CIDEr-D: runs count as often as the reference has them, and captions of another length count less. As `cider`. */
export function ciderD(candidates: readonly Words[], references: readonly (readonly Words[])[]): CiderScore {
  return compare('ciderD', candidates, references, (a, b, n) => {
    const difference = a.length - b.length
    return cosine(a, b, n, true) * Math.exp(-(difference ** 2) / (2 * SIGMA ** 2))
  })
}

function compare(
  name: string,
  candidates: readonly Words[],
  references: readonly (readonly Words[])[],
  similarity: (a: Weighted, b: Weighted, n: number) => number,
): CiderScore {
  const pairs = pairsOf(name, candidates, references)
  const images = ORDERS.map((n) => {
    const counts = new Map<string, number>()
    for (const { references: own } of pairs) {
      const runs = new Set(own.flatMap((reference) => [...countRuns(reference, n).keys()]))
      for (const run of runs) counts.set(run, (counts.get(run) ?? 0) + 1)
    }
    return counts
  })
  const weigh = (words: readonly string[]): Weighted => {
    const weights = ORDERS.map((n, i) => {
      const rarity = (run: string) => Math.log(pairs.length) - Math.log(Math.max(1, images[i]?.get(run) ?? 0))
      return new Map([...countRuns(words, n)].map(([run, count]) => [run, count * rarity(run)]))
    })
    const norms = weights.map((each) => Math.hypot(...each.values()))
    // The published evaluation measures length in pairs of words.
    return { weights, norms, length: Math.max(0, words.length - 1) }
  }
  const scores = pairs.map(({ candidate, references: own }) => {
    const vector = weigh(candidate)
    const each = own.map((reference) => {
      const other = weigh(reference)
      return meanOf(ORDERS.map((_, i) => similarity(vector, other, i)))
    })
    return 10 * meanOf(each)
  })
  return { score: meanOf(scores), scores }
}

function cosine(a: Weighted, b: Weighted, order: number, clipped: boolean): number {
  const [norm, other] = [a.norms[order] ?? 0, b.norms[order] ?? 0]
  if (norm === 0 || other === 0) return 0
  let sum = 0
  for (const [run, weight] of a.weights[order] ?? []) {
    const there = b.weights[order]?.get(run) ?? 0
    sum += (clipped ? Math.min(weight, there) : weight) * there
  }
  return sum / (norm * other)
}
