// Decoders of tokenizer.json: tokens back to text.
import { decodeBytes, fromByteSymbols } from './byte-level'
import { field, type Part, partOf, unknownType } from './part'
import { patternOf } from './pattern'
import { metaspaceScheme } from './pre-tokenizers'

/** What each token is in the text. */
export type DecodeTokens = (tokens: readonly string[]) => string[]

const BUILT: Readonly<Record<string, (part: Part, path: string) => DecodeTokens>> = {
  ByteLevel: () => (tokens) => [fromByteSymbols(tokens.join(''))],
  WordPiece: (part, path) => {
    const prefix = field(part, 'prefix', 'string', path, '##')
    const cleans = field(part, 'cleanup', 'boolean', path, true)
    return (tokens) =>
      tokens.map((token, i) => {
        const text = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
        return cleans ? cleanUp(text) : text
      })
  },
  Metaspace: (part, path) => {
    const mark = field(part, 'replacement', 'string', path, '▁')
    const prefixed = metaspaceScheme(part, path) !== 'never'
    return (tokens) =>
      tokens.map((token, i) => {
        const text = token.replaceAll(mark, ' ')
        return i === 0 && prefixed && text.startsWith(' ') ? text.slice(1) : text
      })
  },
  BPEDecoder: (part, path) => {
    const suffix = field(part, 'suffix', 'string', path, '</w>')
    return (tokens) => tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? '' : ' '))
  },
  Replace: (part, path) => {
    const pattern = patternOf(part.pattern, `${path}.pattern`)
    const content = field(part, 'content', 'string', path)
    return (tokens) => tokens.map((token) => token.replace(pattern, () => content))
  },
  Fuse: () => (tokens) => [tokens.join('')],
  Strip: (part, path) => {
    const content = field(part, 'content', 'string', path, ' ')
    const start = field(part, 'start', 'number', path, 0)
    const stop = field(part, 'stop', 'number', path, 0)
    return (tokens) => tokens.map((token) => strip(token, content, start, stop))
  },
  ByteFallback: () => joinBytes,
  Sequence: (part, path) => {
    const steps = field(part, 'decoders', 'list', path).map((step, i) => decoderOf(step, `${path}.decoders[${i}]`))
    return (tokens) => steps.reduce<string[]>((value, step) => step(value), [...tokens])
  },
}

export function decoderOf(value: unknown, path = 'decoder'): DecodeTokens {
  if (value === null || value === undefined) return (tokens) => [tokens.join(' ')]
  const part = partOf(value, path)
  const type = field(part, 'type', 'string', path)
  const build = Object.hasOwn(BUILT, type) ? BUILT[type] : undefined
  if (build) return build(part, path)
  throw unknownType(type, path, Object.keys(BUILT))
}

/** Takes away the spaces that English has not. */
function cleanUp(text: string): string {
  return text
    .replaceAll(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(/ (n't|'m|'s|'ve|'re)/g, '$1')
    .replaceAll(' do not', " don't")
}

function strip(token: string, content: string, start: number, stop: number): string {
  let [from, to] = [0, token.length]
  for (let i = 0; i < start && token.startsWith(content, from); i++) from += content.length
  for (
    let i = 0;
    i < stop &&
    to - content.length >= from &&
    token.endsWith(content) &&
    token.slice(to - content.length, to) === content;
    i++
  ) {
    to -= content.length
  }
  return token.slice(from, to)
}

/** Runs of `<0x41>` are UTF-8; bytes that are none become U+FFFD each. */
function joinBytes(tokens: readonly string[]): string[] {
  const result: string[] = []
  let bytes: number[] = []
  const flush = () => {
    if (bytes.length === 0) return
    const text = decodeBytes(bytes)
    result.push(...(text.includes('\ufffd') ? bytes.map(() => '\ufffd') : [text]))
    bytes = []
  }
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1]
    if (byte) bytes.push(Number.parseInt(byte, 16))
    else {
      flush()
      result.push(token)
    }
  }
  flush()
  return result
}
