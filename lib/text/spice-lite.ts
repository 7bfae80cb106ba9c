import { meanOf, pairsOf, type Words } from './caption-words'
import { porterStem } from './porter'

/** Words that name neither thing, quality nor relation. */
const EMPTY = new Set(
  'a an the this that these those is are was were be been being am it its there here and or of to has have had do does did he she they his her their him them i you we'.split(
    ' ',
  ),
)

/**
 * What SPICE (Anderson et al., ECCV 2016) measures, without its parser: the F-measure of the things a caption says.
 * In place of a scene graph's objects, attributes and relations stand the stems of its content words, and each pair of
 * content words that are neighbours once the others are left out. Numbers are not those of SPICE; captions are ordered
 * in a similar way.
 *
 * @param references what any of them says counts
 */
export function spiceLite(candidate: Words, references: readonly Words[]): number {
  const [pair] = pairsOf('spiceLite', [candidate], [references])
  const said = propositions(pair?.candidate ?? [])
  const known = new Set((pair?.references ?? []).flatMap((reference) => [...propositions(reference)]))
  const both = [...said].filter((each) => known.has(each)).length
  if (both === 0) return 0
  const [precision, recall] = [both / said.size, both / known.size]
  return (2 * precision * recall) / (precision + recall)
}

/** Mean of `spiceLite` over a set of captions. */
export function corpusSpiceLite(candidates: readonly Words[], references: readonly (readonly Words[])[]): number {
  const pairs = pairsOf('corpusSpiceLite', candidates, references)
  return meanOf(pairs.map(({ candidate, references: own }) => spiceLite(candidate, own)))
}

function propositions(words: readonly string[]): Set<string> {
  const stems = words.filter((word) => !EMPTY.has(word.toLowerCase())).map(porterStem)
  return new Set([...stems, ...stems.slice(1).map((stem, i) => `${stems[i]} ${stem}`)])
}
