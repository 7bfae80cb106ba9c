import { meanOf, pairsOf, type Words } from './caption-words'
import { porterStem } from './porter'

export interface MeteorOptions {
  /** How much more recall counts than precision; default 0.9. */
  readonly alpha?: number
  /** Exponent of the penalty for scattered matches; default 3. */
  readonly beta?: number
  /** The largest penalty; default 0.5. */
  readonly gamma?: number
}

/**
 * METEOR of a text (Lavie and Agarwal 2007), with words matched as they are and by their stem; without synonyms, whose
 * table is not part of this package. Of several references the best counts.
 */
export function meteor(candidate: Words, references: readonly Words[], options: MeteorOptions = {}): number {
  const [pair] = pairsOf('meteor', [candidate], [references])
  const words = (pair?.candidate ?? []).map((word) => word.toLowerCase())
  return Math.max(
    ...(pair?.references ?? []).map((reference) =>
      single(
        words,
        reference.map((word) => word.toLowerCase()),
        options,
      ),
    ),
  )
}

/** Mean METEOR of a set of texts. */
export function corpusMeteor(
  candidates: readonly Words[],
  references: readonly (readonly Words[])[],
  options: MeteorOptions = {},
): number {
  const pairs = pairsOf('corpusMeteor', candidates, references)
  return meanOf(pairs.map(({ candidate, references: own }) => meteor(candidate, own, options)))
}

function single(words: readonly string[], reference: readonly string[], options: MeteorOptions): number {
  const { alpha = 0.9, beta = 3, gamma = 0.5 } = options
  const matches = match(words, reference)
  if (matches.length === 0) return 0
  const precision = matches.length / words.length
  const recall = matches.length / reference.length
  const mean = (precision * recall) / (alpha * precision + (1 - alpha) * recall)
  return (1 - gamma * (chunks(matches) / matches.length) ** beta) * mean
}

type Match = readonly [word: number, reference: number]

/** Each word with one of the reference's, as it is or by its stem, from the last to the first. */
function match(words: readonly string[], reference: readonly string[]): Match[] {
  const matches: Match[] = []
  const taken = new Set<number>()
  const matched = new Set<number>()
  for (const form of [(word: string) => word, porterStem]) {
    const places = new Map<string, number[]>()
    for (const [j, word] of reference.entries()) {
      if (!taken.has(j)) places.set(form(word), [...(places.get(form(word)) ?? []), j])
    }
    for (let i = words.length - 1; i >= 0; i--) {
      if (matched.has(i)) continue
      const j = places.get(form(words[i] ?? ''))?.pop()
      if (j === undefined) continue
      matches.push([i, j])
      matched.add(i)
      taken.add(j)
    }
  }
  return matches.sort(([a], [b]) => a - b)
}

/** Runs of matches that follow one another in both texts. */
function chunks(matches: readonly Match[]): number {
  return matches.filter(([word, reference], i) => {
    const before = matches[i - 1]
    return !before || before[0] + 1 !== word || before[1] + 1 !== reference
  }).length
}
