// SentencePiece's table of replacements: a trie of UTF-8 (Aoe's double array, as darts-clone packs it) and what its keys become.
import { FormatError } from '../native/errors'
import { utf8 } from './byte-level'
import type { Normalize } from './normalizers'

/** Longer clusters of characters are looked up one character at a time. */
const LONGEST_CLUSTER = 6

/** @param charsmap base64: length of the trie in bytes, the trie, the replacements ended by zeros */
export function precompiledNormalizer(charsmap: string, path: string): Normalize {
  const bytes = Buffer.from(charsmap, 'base64')
  const size = bytes.length >= 4 ? bytes.readUInt32LE(0) : 0
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) {
    throw new FormatError(`${path}.precompiled_charsmap has ${bytes.length} bytes, which is no table of replacements`)
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i))
  const texts = bytes.subarray(4 + size)
  const replacement = (text: string): string | undefined => {
    const start = shortestPrefix(units, utf8(text))
    if (start === undefined) return undefined
    const end = texts.indexOf(0, start)
    return texts.toString('utf8', start, end < 0 ? texts.length : end)
  }
  const clusters = new Intl.Segmenter('en', { granularity: 'grapheme' })
  return (text) => {
    let result = ''
    for (const { segment } of clusters.segment(text)) {
      const whole = utf8(segment).length < LONGEST_CLUSTER ? replacement(segment) : undefined
      result += whole ?? Array.from(segment, (c) => replacement(c) ?? c).join('')
    }
    return result
  }
}

/** The value of the shortest key with which the bytes begin. */
function shortestPrefix(units: Uint32Array, bytes: Uint8Array): number | undefined {
  const at = (i: number) => units[i] ?? 0
  const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6)
  let place = offset(at(0))
  for (const byte of bytes) {
    if (byte === 0) return undefined
    place ^= byte
    const unit = at(place)
    // The label of a leaf has its highest bit set, and so equals no byte.
    if ((unit & 0x800000ff) >>> 0 !== byte) return undefined
    place ^= offset(unit)
    if ((unit >>> 8) & 1) return at(place) & 0x7fffffff
  }
  return undefined
}
