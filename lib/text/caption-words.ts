// Captions as lists of words, which the metrics compare.
import { ArgumentError } from '../native/errors'

/** A text, split by `captionWords`, or its words. */
export type Words = string | readonly string[]

/** What the COCO caption evaluation leaves out. */
const LEFT_OUT = new Set(["''", "'", '``', '`', '.', '?', '!', ',', ':', '-', '--', '...', ';'])

/** Words that belong together without a space, and those that English writes apart: "doesn't" is "does" and "n't". */
const PIECES =
  /\p{L}+(?=n't\b)|n't\b|'(?:s|m|d|re|ve|ll)\b|[\p{L}\p{N}]+(?:[-.,/_'][\p{L}\p{N}]+(?<!n't|'s|'m|'d|'re|'ve|'ll))*|\.{3}|--|[^\p{White_Space}]/gu

/** Words of a caption in lower case without punctuation, much as the COCO caption evaluation splits them. */
export function captionWords(text: string): string[] {
  return (text.toLowerCase().match(PIECES) ?? []).filter((word) => !LEFT_OUT.has(word))
}

export function wordsOf(words: Words): readonly string[] {
  return typeof words === 'string' ? captionWords(words) : words
}

/** Candidates with the references of each, as words. @throws ArgumentError when they are not as many */
export function pairsOf(
  name: string,
  candidates: readonly Words[],
  references: readonly (readonly Words[])[],
): { candidate: readonly string[]; references: readonly (readonly string[])[] }[] {
  if (candidates.length !== references.length || candidates.length === 0) {
    throw new ArgumentError(
      `${name}: ${candidates.length} texts and references for ${references.length}; there must be a list of references for each text, and one text at least`,
    )
  }
  return candidates.map((candidate, i) => {
    const own = references[i] ?? []
    if (own.length === 0) throw new ArgumentError(`${name}: text ${i} has no reference`)
    return { candidate: wordsOf(candidate), references: own.map(wordsOf) }
  })
}

/** How often each run of n words occurs. */
export function countRuns(words: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i + n <= words.length; i++) {
    const run = words.slice(i, i + n).join('\u0001')
    counts.set(run, (counts.get(run) ?? 0) + 1)
  }
  return counts
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
