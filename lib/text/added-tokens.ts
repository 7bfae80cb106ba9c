// Tokens that are found in a text before anything else, such as [MASK].
import type { Normalize } from './normalizers'
import { field, partOf, whole } from './part'

export interface AddedToken {
  readonly id: number
  readonly content: string
  /** As it stands in the text where it is looked for. */
  readonly pattern: string
  /** Only where no letter or digit is beside it. */
  readonly singleWord: boolean
  /** With the white space before it, or after it. */
  readonly lstrip: boolean
  readonly rstrip: boolean
  /** Looked for in the normalized text. */
  readonly normalized: boolean
  readonly special: boolean
}

export function addedTokensOf(value: unknown, normalize: Normalize): AddedToken[] {
  if (value === null || value === undefined) return []
  return field({ added_tokens: value }, 'added_tokens', 'list', 'tokenizer').map((each, i) => {
    const path = `added_tokens[${i}]`
    const part = partOf(each, path)
    const content = field(part, 'content', 'string', path)
    const special = field(part, 'special', 'boolean', path, false)
    const normalized = field(part, 'normalized', 'boolean', path, !special)
    return {
      id: whole(part.id, `${path}.id`),
      content,
      pattern: normalized ? normalize(content) : content,
      singleWord: field(part, 'single_word', 'boolean', path, false),
      lstrip: field(part, 'lstrip', 'boolean', path, false),
      rstrip: field(part, 'rstrip', 'boolean', path, false),
      normalized,
      special,
    }
  })
}

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u

/** The texts between added tokens, and the numbers of those; of several at a place the longest. */
export function splitAtTokens(text: string, tokens: readonly AddedToken[]): (string | number)[] {
  const candidates = tokens.filter(({ pattern }) => pattern !== '')
  if (candidates.length === 0) return text === '' ? [] : [text]
  const parts: (string | number)[] = []
  let begin = 0
  for (let place = 0; place < text.length; ) {
    const found = longestAt(text, place, candidates)
    if (!found) {
      place++
      continue
    }
    let [start, end] = [place, place + found.pattern.length]
    if (found.lstrip) while (start > begin && /\p{White_Space}/u.test(text.charAt(start - 1))) start--
    if (found.rstrip) while (end < text.length && /\p{White_Space}/u.test(text.charAt(end))) end++
    if (start > begin) parts.push(text.slice(begin, start))
    parts.push(found.id)
    begin = end
    place = end
  }
  if (begin < text.length) parts.push(text.slice(begin))
  return parts
}

function longestAt(text: string, place: number, tokens: readonly AddedToken[]): AddedToken | undefined {
  let longest: AddedToken | undefined
  for (const token of tokens) {
    if (!text.startsWith(token.pattern, place) || token.pattern.length <= (longest?.pattern.length ?? 0)) continue
    const after = text.slice(place + token.pattern.length)
    const inWord = WORD.test(text.slice(0, place).at(-1) ?? '') || WORD.test(after.at(0) ?? '')
    if (!token.singleWord || !inWord) longest = token
  }
  return longest
}
