// Normalizers of tokenizer.json: text to text, before it is split.
import { field, type Part, partOf, unknownType } from './part'
import { patternOf } from './pattern'
import { precompiledNormalizer } from './precompiled'

export type Normalize = (text: string) => string

/** Letter by letter: JavaScript would write a sigma at a word's end otherwise. */
const lowercase: Normalize = (text) => Array.from(text, (letter) => letter.toLowerCase()).join('')
const stripMarks: Normalize = (text) => text.replace(/\p{Mn}/gu, '')

const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu

const SIMPLE: Readonly<Record<string, Normalize>> = {
  Lowercase: lowercase,
  NFC: (text) => text.normalize('NFC'),
  NFD: (text) => text.normalize('NFD'),
  NFKC: (text) => text.normalize('NFKC'),
  NFKD: (text) => text.normalize('NFKD'),
  StripAccents: stripMarks,
}

const BUILT: Readonly<Record<string, (part: Part, path: string) => Normalize>> = {
  BertNormalizer: bertNormalizer,
  Sequence: (part, path) => {
    const steps = field(part, 'normalizers', 'list', path).map((step, i) =>
      normalizerOf(step, `${path}.normalizers[${i}]`),
    )
    return (text) => steps.reduce((value, step) => step(value), text)
  },
  Replace: (part, path) => {
    const pattern = patternOf(part.pattern, `${path}.pattern`)
    const content = field(part, 'content', 'string', path)
    return (text) => text.replace(pattern, () => content)
  },
  Prepend: (part, path) => {
    const prefix = field(part, 'prepend', 'string', path)
    return (text) => (text === '' ? text : prefix + text)
  },
  Strip: (part, path) => {
    const left = field(part, 'strip_left', 'boolean', path, true)
    const right = field(part, 'strip_right', 'boolean', path, true)
    return (text) => {
      const cut = left ? text.replace(/^\p{White_Space}+/u, '') : text
      return right ? cut.replace(/\p{White_Space}+$/u, '') : cut
    }
  },
  Precompiled: (part, path) => precompiledNormalizer(field(part, 'precompiled_charsmap', 'string', path), path),
}

export function normalizerOf(value: unknown, path = 'normalizer'): Normalize {
  if (value === null || value === undefined) return (text) => text
  const part = partOf(value, path)
  const type = field(part, 'type', 'string', path)
  const simple = Object.hasOwn(SIMPLE, type) ? SIMPLE[type] : undefined
  if (simple) return simple
  const build = Object.hasOwn(BUILT, type) ? BUILT[type] : undefined
  if (build) return build(part, path)
  throw unknownType(type, path, [...Object.keys(SIMPLE), ...Object.keys(BUILT)])
}

function bertNormalizer(part: Part, path: string): Normalize {
  const clean = field(part, 'clean_text', 'boolean', path, true)
  const spaceChinese = field(part, 'handle_chinese_chars', 'boolean', path, true)
  const lower = field(part, 'lowercase', 'boolean', path, true)
  const strip = field(part, 'strip_accents', 'boolean', path, lower)
  return (text) => {
    let value = clean ? cleanText(text) : text
    if (spaceChinese) value = value.replace(CHINESE, ' $& ')
    if (strip) value = stripMarks(value.normalize('NFD'))
    return lower ? lowercase(value) : value
  }
}

function cleanText(text: string): string {
  return text.replace(/[\p{C}\ufffd]/gu, (c) => (/[\t\n\r]/.test(c) ? ' ' : '')).replace(/\p{White_Space}/gu, ' ')
}
