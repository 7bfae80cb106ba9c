// Patterns of tokenizer.json as regular expressions, and the ways of splitting at them.
import { FormatError } from '../native/errors'
import { field, kindOf, type Part } from './part'

export type SplitBehavior = 'removed' | 'isolated' | 'mergedWithPrevious' | 'mergedWithNext' | 'contiguous'

/** A pattern of the file: `{ String }` or `{ Regex }`. @throws FormatError for one that JavaScript has not */
export function patternOf(value: unknown, path: string): RegExp {
  const part = value as { readonly String?: unknown; readonly Regex?: unknown }
  if (typeof value === 'string') return new RegExp(literally(value), 'gu')
  if (typeof part?.String === 'string') return new RegExp(literally(part.String), 'gu')
  if (typeof part?.Regex === 'string') return regularExpression(part.Regex, path)
  throw new FormatError(`${path} is ${kindOf(value)}; it must be a pattern, { String } or { Regex }`)
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function regularExpression(source: string, path: string): RegExp {
  // White space is Unicode's in these files, and a little different in JavaScript.
  const portable = source.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}')
  const insensitive = portable.startsWith('(?i)')
  try {
    return new RegExp(insensitive ? portable.slice(4) : portable, insensitive ? 'giu' : 'gu')
  } catch (cause) {
    throw new FormatError(`${path}: the pattern ${source} cannot be read (${(cause as Error).message})`, { cause })
  }
}

const BEHAVIORS: Readonly<Record<string, SplitBehavior>> = {
  Removed: 'removed',
  Isolated: 'isolated',
  MergedWithPrevious: 'mergedWithPrevious',
  MergedWithNext: 'mergedWithNext',
  Contiguous: 'contiguous',
}

export function behaviorOf(part: Part, path: string): SplitBehavior {
  const name = field(part, 'behavior', 'string', path, 'Isolated')
  const behavior = BEHAVIORS[name]
  if (behavior) return behavior
  throw new FormatError(`${path}.behavior is '${name}'; it must be one of ${Object.keys(BEHAVIORS).join(', ')}`)
}

/** The pieces of a text between and at the matches; empty ones are left out. */
export function splitAt(text: string, pattern: RegExp, behavior: SplitBehavior, invert = false): string[] {
  const runs: { text: string; match: boolean }[] = []
  let end = 0
  for (const found of text.matchAll(pattern)) {
    if (found[0] === '') continue
    if (found.index > end) runs.push({ text: text.slice(end, found.index), match: invert })
    runs.push({ text: found[0], match: !invert })
    end = found.index + found[0].length
  }
  if (end < text.length) runs.push({ text: text.slice(end), match: invert })
  return join(runs, behavior)
}

function join(runs: readonly { text: string; match: boolean }[], behavior: SplitBehavior): string[] {
  if (behavior === 'isolated') return runs.map(({ text }) => text)
  if (behavior === 'removed') return runs.filter(({ match }) => !match).map(({ text }) => text)
  const pieces: string[] = []
  let before: boolean | undefined
  if (behavior === 'mergedWithNext') {
    for (const { text, match } of [...runs].reverse()) {
      if (match && before === false) pieces[0] = text + (pieces[0] ?? '')
      else pieces.unshift(text)
      before = match
    }
    return pieces
  }
  for (const { text, match } of runs) {
    const joins = behavior === 'contiguous' ? match === before : match && before === false
    if (joins && pieces.length > 0) pieces[pieces.length - 1] += text
    else pieces.push(text)
    before = match
  }
  return pieces
}
