import { readNativeFunctions } from './native-functions'
import { type Candidate, candidate, compareCandidates, DROPPED } from './overloads'
import { placeOf, type Surface } from './public-set'
import { parseSchema } from './schema'

/** A function of the table: one name, its overloads in the order in which they are tried. */
export interface OperatorFunction {
  readonly id: number
  readonly name: string
  readonly surface: Surface
  readonly candidates: readonly Candidate[]
}

/** An overload that the surface does not have, and why. */
export interface LeftOut {
  readonly key: string
  readonly reason: string
}

export interface OperatorSurface {
  readonly functions: readonly OperatorFunction[]
  readonly leftOut: readonly LeftOut[]
}

/** Chooses, groups and orders the operators; ids are places in the sorted list of names. */
export function buildSurface(schemaTexts: readonly string[], yamlText: string): OperatorSurface {
  const natives = readNativeFunctions(yamlText)
  const groups = new Map<string, { surface: Surface; candidates: Candidate[] }>()
  const leftOut: LeftOut[] = []

  for (const text of [...schemaTexts].sort()) {
    const key = text.slice(text.indexOf('::') + 2, text.indexOf('('))
    const native = text.startsWith('aten::') ? natives.get(key) : undefined
    if (!native) continue
    const schema = parseSchema(text)
    const place = droppedOr(key, () => placeOf(schema, native))
    if (typeof place !== 'string') {
      leftOut.push({ key, reason: place.leftOut })
      continue
    }
    const group = groups.get(schema.name) ?? { surface: place, candidates: [] }
    group.candidates.push(candidate(schema, native))
    groups.set(schema.name, group)
  }

  const functions = [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, group], id) => ({
      id,
      name,
      surface: group.surface,
      candidates: group.candidates.sort(compareCandidates),
    }))
  return { functions, leftOut }
}

function droppedOr<T>(key: string, otherwise: () => T): T | { readonly leftOut: string } {
  const reason = DROPPED.get(key)
  return reason ? { leftOut: reason } : otherwise()
}
