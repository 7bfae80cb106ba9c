// The part of XML that annotation files are written in: elements, text, comments; attributes are passed over.
import type { Place } from './text-file'

export interface XmlElement {
  readonly name: string
  /** Where it begins, from 1. */
  readonly line: number
  readonly children: readonly XmlElement[]
  /** What stands in it besides elements, without spaces around it. */
  readonly text: string
}

interface Open {
  readonly name: string
  readonly line: number
  readonly children: XmlElement[]
  text: string
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
/** A comment, an instruction, a declaration, literal text, a tag, or what stands between them. */
const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<![^>]*>|<(\/?)([^\s/<>]+)(?=[\s/>])((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>|[^<]+|</g

/** The outermost element of a file. @throws FormatError with the line where elements do not close one another */
export function parseXml(source: string, place: Place): XmlElement {
  const open: Open[] = []
  let root: XmlElement | undefined
  let line = 1
  for (const match of source.replace(/^\uFEFF/, '').matchAll(TOKEN)) {
    const [token, literal, slash, name, , selfClosing] = match
    const here = line
    line += token.split('\n').length - 1
    const parent = open.at(-1)
    if (name === undefined) {
      const text = literal ?? (token.startsWith('<') ? '' : decode(token, place.line(here)))
      if (token === '<') throw place.line(here).error('a tag does not end')
      if (text.trim() === '') continue
      if (parent === undefined)
        throw place.line(here).error(`'${text.trim().slice(0, 40)}' stands outside of the elements`)
      parent.text += text
    } else if (slash === '/') {
      const closed = open.pop()
      if (closed?.name !== name) {
        const what = closed === undefined ? 'nothing is open' : `<${closed.name}> of line ${closed.line} is open`
        throw place.line(here).error(`</${name}> closes an element while ${what}`)
      }
      root = finish(closed, open, root, place)
    } else {
      const opened: Open = { name, line: here, children: [], text: '' }
      if (selfClosing === '/') root = finish(opened, open, root, place)
      else open.push(opened)
    }
  }
  const unclosed = open.at(-1)
  if (unclosed !== undefined)
    throw place.line(line).error(`the file ends, but <${unclosed.name}> of line ${unclosed.line} is open`)
  if (root === undefined) throw place.error('there is no element in the file')
  return root
}

function finish(
  element: Open,
  open: readonly Open[],
  root: XmlElement | undefined,
  place: Place,
): XmlElement | undefined {
  const { name, line, children, text } = element
  const done: XmlElement = { name, line, children, text: text.trim() }
  const parent = open.at(-1)
  if (parent !== undefined) {
    parent.children.push(done)
    return root
  }
  if (root !== undefined) throw place.line(line).error(`<${name}> is a second outermost element`)
  return done
}

function decode(text: string, place: Place): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);?/gi, (all, entity: string) => {
    const known = ENTITIES[entity]
    if (known !== undefined) return known
    const code = /^#x/i.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1))
    if (entity.startsWith('#') && code <= 0x10ffff) return String.fromCodePoint(code)
    throw place.error(`'${all}' is no character of XML`)
  })
}

/** Text as XML holds it. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (character) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[character] ?? character)
}
