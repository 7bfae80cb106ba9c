// Pre-tokenizers of tokenizer.json: a text to the pieces within which tokens are looked for.
import { toByteSymbols } from './byte-level'
import { field, type Part, partOf, unknownType } from './part'
import { behaviorOf, patternOf, splitAt } from './pattern'

/** @param first whether the piece begins the text */
export type PreTokenize = (text: string, first: boolean) => string[]

const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu
const SPACE = /\p{White_Space}+/gu
/** ASCII's symbols count as punctuation too. */
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu
/** Runs of letters, marks, digits and connectors, and runs of what is neither those nor white space. */
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu

const BUILT: Readonly<Record<string, (part: Part, path: string) => PreTokenize>> = {
  ByteLevel: (part, path) => {
    const prefix = field(part, 'add_prefix_space', 'boolean', path, true)
    const splits = field(part, 'use_regex', 'boolean', path, true)
    return (text) => {
      const spaced = prefix && !/^\p{White_Space}/u.test(text) ? ` ${text}` : text
      return (splits ? splitAt(spaced, GPT2, 'isolated') : [spaced]).map(toByteSymbols)
    }
  },
  Sequence: (part, path) => {
    const steps = field(part, 'pretokenizers', 'list', path).map((step, i) =>
      preTokenizerOf(step, `${path}.pretokenizers[${i}]`),
    )
    return (text, first) =>
      steps.reduce((pieces, step) => pieces.flatMap((piece, i) => step(piece, first && i === 0)), [text])
  },
  Whitespace: () => (text) => splitAt(text, WORDS, 'removed', true),
  WhitespaceSplit: () => (text) => splitAt(text, SPACE, 'removed'),
  BertPreTokenizer: () => (text) =>
    splitAt(text, SPACE, 'removed').flatMap((piece) => splitAt(piece, PUNCTUATION, 'isolated')),
  Punctuation: (part, path) => {
    const behavior = behaviorOf(part, path)
    return (text) => splitAt(text, PUNCTUATION, behavior)
  },
  Digits: (part, path) => {
    const single = field(part, 'individual_digits', 'boolean', path, false)
    return (text) => splitAt(text, /\p{N}/gu, single ? 'isolated' : 'contiguous')
  },
  Split: (part, path) => {
    const pattern = patternOf(part.pattern, `${path}.pattern`)
    const behavior = behaviorOf(part, path)
    const invert = field(part, 'invert', 'boolean', path, false)
    return (text) => splitAt(text, pattern, behavior, invert)
  },
  Metaspace: metaspace,
}

export function preTokenizerOf(value: unknown, path = 'pre_tokenizer'): PreTokenize {
  if (value === null || value === undefined) return (text) => [text]
  const part = partOf(value, path)
  const type = field(part, 'type', 'string', path)
  const build = Object.hasOwn(BUILT, type) ? BUILT[type] : undefined
  if (build) return build(part, path)
  throw unknownType(type, path, Object.keys(BUILT))
}

function metaspace(part: Part, path: string): PreTokenize {
  const mark = field(part, 'replacement', 'string', path, '▁')
  const scheme = metaspaceScheme(part, path)
  const splits = field(part, 'split', 'boolean', path, true)
  const pattern = patternOf(mark, path)
  return (text, first) => {
    const marked = text.replaceAll(' ', mark)
    const begins = scheme === 'always' || (scheme === 'first' && first)
    const whole = begins && !marked.startsWith(mark) ? mark + marked : marked
    return splits ? splitAt(whole, pattern, 'mergedWithNext') : [whole]
  }
}

/** Where a mark is put before the text; older files say it with `add_prefix_space`. */
export function metaspaceScheme(part: Part, path: string): string {
  const prefix = field(part, 'add_prefix_space', 'boolean', path, true)
  return field(part, 'prepend_scheme', 'string', path, prefix ? 'always' : 'never')
}
