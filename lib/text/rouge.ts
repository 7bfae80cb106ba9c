import { meanOf, pairsOf, type Words } from './caption-words'

export interface RougeScore {
  /** Share of the text's words in the longest common subsequence; of several references the best. */
  readonly precision: number
  /** Share of the reference's words. */
  readonly recall: number
  readonly fMeasure: number
}

/**
 * ROUGE-L of a text (Lin 2004): its longest common subsequence with each reference.
 *
 * @param options `beta`: how much more recall counts than precision; 1.2 as the COCO caption evaluation by default, 1
 *   for the balanced measure of summaries
 */
export function rougeL(
  candidate: Words,
  references: readonly Words[],
  { beta = 1.2 }: { readonly beta?: number } = {},
): RougeScore {
  const [pair] = pairsOf('rougeL', [candidate], [references])
  const words = pair?.candidate ?? []
  const common = (pair?.references ?? []).map((reference) => ({ reference, length: commonLength(words, reference) }))
  const precision = words.length === 0 ? 0 : Math.max(...common.map(({ length }) => length)) / words.length
  const recall = Math.max(
    ...common.map(({ reference, length }) => (reference.length === 0 ? 0 : length / reference.length)),
  )
  const weight = beta * beta
  const fMeasure = precision > 0 && recall > 0 ? ((1 + weight) * precision * recall) / (recall + weight * precision) : 0
  return { precision, recall, fMeasure }
}

/** Mean ROUGE-L F-measure of a set of texts. Options as `rougeL`. */
export function corpusRougeL(
  candidates: readonly Words[],
  references: readonly (readonly Words[])[],
  options: { readonly beta?: number } = {},
): number {
  const pairs = pairsOf('corpusRougeL', candidates, references)
  return meanOf(pairs.map(({ candidate, references: own }) => rougeL(candidate, own, options).fMeasure))
}

/** Length of the longest sequence of words that both have in this order. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const word of a) {
    const next = [0]
    for (const [j, other] of b.entries()) {
      next.push(word === other ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
