// Models of tokenizer.json: a piece of text to tokens.
import { FormatError } from '../native/errors'
import { shown } from '../native/shown'
import { utf8 } from './byte-level'
import { field, type Part, partOf, unknownType, whole } from './part'

export interface TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>
  /** The tokens of a piece, by number. */
  tokenize(piece: string): readonly number[]
}

const REMEMBERED = 10_000

/** Remembers the tokens of short pieces, which come again. */
function remembering(tokenize: (piece: string) => readonly number[]): (piece: string) => readonly number[] {
  const seen = new Map<string, readonly number[]>()
  return (piece) => {
    const known = seen.get(piece)
    if (known) return known
    const tokens = tokenize(piece)
    if (seen.size < REMEMBERED && piece.length < 256) seen.set(piece, tokens)
    return tokens
  }
}

const MODELS: Readonly<Record<string, (part: Part, path: string) => TokenModel>> = {
  BPE: bytePairEncoding,
  WordPiece: wordPiece,
  Unigram: unigram,
}

export function modelOf(value: unknown, path = 'model'): TokenModel {
  const part = partOf(value, path)
  // Old files leave the type out.
  const guess = 'merges' in part ? 'BPE' : 'continuing_subword_prefix' in part ? 'WordPiece' : 'Unigram'
  const type = field(part, 'type', 'string', path, guess)
  const build = Object.hasOwn(MODELS, type) ? MODELS[type] : undefined
  if (build) return build(part, path)
  throw unknownType(type, path, Object.keys(MODELS))
}

function vocabularyOf(part: Part, path: string): Map<string, number> {
  const entries = Object.entries(field(part, 'vocab', 'object', path))
  const wrong = entries.find(([, id]) => !Number.isSafeInteger(id) || (id as number) < 0)
  if (wrong) throw new FormatError(`${path}.vocab: the number of '${wrong[0]}' is ${shown(wrong[1])}; it must be whole`)
  return new Map(entries as [string, number][])
}

/** Numbers of the byte tokens `<0x41>` of a text, if there are all. */
function byteTokens(text: string, vocabulary: ReadonlyMap<string, number>): number[] | undefined {
  const ids = Array.from(utf8(text), (byte) =>
    vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  )
  return ids.every((id) => id !== undefined) ? ids : undefined
}

/** Joins the pair of neighbours that was joined earliest in training, again and again (Sennrich et al. 2016). */
function bytePairEncoding(part: Part, path: string): TokenModel {
  const vocabulary = vocabularyOf(part, path)
  const ranks = new Map<string, number>()
  for (const [i, merge] of field(part, 'merges', 'list', path).entries()) {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((token) => typeof token === 'string'))
      throw new FormatError(`${path}.merges[${i}] is no pair of tokens`)
    ranks.set(pair.join('\0'), i)
  }
  const prefix = field(part, 'continuing_subword_prefix', 'string', path, '')
  const suffix = field(part, 'end_of_word_suffix', 'string', path, '')
  const unknown =
    part.unk_token === null || part.unk_token === undefined ? undefined : vocabulary.get(String(part.unk_token))
  const fuses = field(part, 'fuse_unk', 'boolean', path, false)
  const byteFallback = field(part, 'byte_fallback', 'boolean', path, false)
  const ignoreMerges = field(part, 'ignore_merges', 'boolean', path, false)

  const tokenize = (piece: string): readonly number[] => {
    const whole = vocabulary.get(piece)
    if (ignoreMerges && whole !== undefined) return [whole]
    const letters = Array.from(piece)
    const symbols = letters.map(
      (letter, i) => (i > 0 ? prefix : '') + letter + (i === letters.length - 1 ? suffix : ''),
    )
    return merged(knownSymbols(symbols, letters))
  }
  /** Symbols that are tokens; the others are written as bytes, as the unknown token, or not at all. */
  const knownSymbols = (symbols: readonly string[], letters: readonly string[]): (string | number)[] => {
    const known: (string | number)[] = []
    for (const [i, symbol] of symbols.entries()) {
      if (vocabulary.has(symbol)) known.push(symbol)
      else {
        const bytes = byteFallback ? byteTokens(letters[i] ?? '', vocabulary) : undefined
        if (bytes) known.push(...bytes)
        else if (unknown !== undefined && !(fuses && known.at(-1) === unknown)) known.push(unknown)
      }
    }
    return known
  }
  const merged = (symbols: (string | number)[]): number[] => {
    while (symbols.length > 1) {
      let best = -1
      let lowest = Number.POSITIVE_INFINITY
      for (let i = 0; i + 1 < symbols.length; i++) {
        const [a, b] = [symbols[i], symbols[i + 1]]
        if (typeof a !== 'string' || typeof b !== 'string') continue
        const rank = ranks.get(`${a}\0${b}`)
        if (rank !== undefined && rank < lowest) [best, lowest] = [i, rank]
      }
      if (best < 0) break
      const [a, b] = [String(symbols[best]), String(symbols[best + 1])]
      symbols.splice(best, 2, a + b.slice(prefix.length))
    }
    return symbols.map((symbol) => (typeof symbol === 'number' ? symbol : (vocabulary.get(symbol) ?? 0)))
  }
  return { vocabulary, tokenize: remembering(tokenize) }
}

/** The longest token with which the rest of a word begins, again and again (Wu et al. 2016). */
function wordPiece(part: Part, path: string): TokenModel {
  const vocabulary = vocabularyOf(part, path)
  const prefix = field(part, 'continuing_subword_prefix', 'string', path, '##')
  const longest = field(part, 'max_input_chars_per_word', 'number', path, 100)
  const unknownToken = field(part, 'unk_token', 'string', path, '[UNK]')
  const unknown = vocabulary.get(unknownToken)
  if (unknown === undefined)
    throw new FormatError(`${path}.unk_token is '${unknownToken}', which is not in the vocabulary`)
  const tokenize = (piece: string): readonly number[] => {
    const letters = Array.from(piece)
    if (letters.length > longest) return [unknown]
    const ids: number[] = []
    for (let start = 0; start < letters.length; ) {
      let end = letters.length
      let id: number | undefined
      for (; end > start; end--) {
        id = vocabulary.get((start > 0 ? prefix : '') + letters.slice(start, end).join(''))
        if (id !== undefined) break
      }
      if (id === undefined) return [unknown]
      ids.push(id)
      start = end
    }
    return ids
  }
  return { vocabulary, tokenize: remembering(tokenize) }
}

/** How much worse an unknown character is than the worst token, as a logarithm. */
const UNKNOWN_PENALTY = 10

/** The likeliest tokens, each independent of the others (Kudo 2018), by Viterbi's algorithm. */
function unigram(part: Part, path: string): TokenModel {
  const entries = field(part, 'vocab', 'list', path).map((entry, i): [string, number] => {
    if (Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number')
      return [entry[0], entry[1]]
    throw new FormatError(`${path}.vocab[${i}] is not a token and its score`)
  })
  const vocabulary = new Map(entries.map(([token], i) => [token, i]))
  const scores = new Map(entries)
  const unknown = typeof part.unk_id === 'number' ? whole(part.unk_id, `${path}.unk_id`) : undefined
  const byteFallback = field(part, 'byte_fallback', 'boolean', path, false)
  const longest = Math.max(0, ...entries.map(([token]) => Array.from(token).length))
  const unknownScore = Math.min(...entries.map(([, score]) => score)) - UNKNOWN_PENALTY

  const segment = (letters: readonly string[]): string[] => {
    const best: { score: number; start: number; known: boolean }[] = [{ score: 0, start: 0, known: true }]
    for (let start = 0; start < letters.length; start++) {
      const so = best[start]?.score ?? 0
      const reach = (end: number, score: number, known: boolean) => {
        const there = best[end]
        if (!there || so + score > there.score) best[end] = { score: so + score, start, known }
      }
      let token = ''
      let single = false
      for (let end = start + 1; end <= Math.min(letters.length, start + longest); end++) {
        token += letters[end - 1]
        const score = scores.get(token)
        if (score === undefined) continue
        reach(end, score, true)
        single ||= end === start + 1
      }
      if (!single) reach(start + 1, unknownScore, false)
    }
    const pieces: string[] = []
    let unknownRun = ''
    for (let end = letters.length; end > 0; ) {
      const { start, known } = best[end] ?? { start: end - 1, known: false }
      const text = letters.slice(start, end).join('')
      if (known) {
        if (unknownRun) pieces.unshift(unknownRun)
        unknownRun = ''
        pieces.unshift(text)
      } else unknownRun = text + unknownRun
      end = start
    }
    return unknownRun ? [unknownRun, ...pieces] : pieces
  }
  const idsOf = (token: string): readonly number[] => {
    const id = vocabulary.get(token)
    if (id !== undefined) return [id]
    const bytes = byteFallback ? byteTokens(token, vocabulary) : undefined
    if (bytes) return bytes
    if (unknown !== undefined) return [unknown]
    throw new FormatError(`the tokenizer knows no '${token}', and has no token for what it does not know`)
  }
  return { vocabulary, tokenize: remembering((piece) => segment(Array.from(piece)).flatMap(idsOf)) }
}
