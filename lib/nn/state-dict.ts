import { ShapeError } from '../native/errors'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'

/** Tensors by name, as a checkpoint holds them. */
export type StateDict = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>

/** Names that a state dict lacks, and names that the module does not know. */
export interface StateDictReport {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
}

/** Compares a state dict with a module's own: what to copy where, or an error that lists everything that is wrong. */
export function checkStateDict(
  name: string,
  own: ReadonlyMap<string, Tensor>,
  given: StateDict,
  strict: boolean,
): { report: StateDictReport; matched: [target: Tensor, source: Tensor][] } {
  const entries = new Map(given instanceof Map ? given : Object.entries(given))
  const missing = [...own.keys()].filter((key) => !entries.has(key))
  const unexpected = [...entries.keys()].filter((key) => !own.has(key))
  const misshaped: string[] = []
  const matched: [Tensor, Tensor][] = []
  for (const [key, target] of own) {
    const source = entries.get(key)
    if (source === undefined) continue
    // The type says it is a tensor; plain JavaScript may have passed anything.
    if (!isTensor(source as unknown)) misshaped.push(`${key}: is no tensor`)
    else if (String(source.shape) !== String(target.shape)) {
      misshaped.push(`${key}: [${source.shape.join(', ')}], expected [${target.shape.join(', ')}]`)
    } else matched.push([target, source])
  }
  if (misshaped.length > 0 || (strict && missing.length + unexpected.length > 0)) {
    throw new ShapeError(
      [
        `${name}.loadStateDict: the state dict does not fit; nothing was changed`,
        list('missing', strict ? missing : []),
        list('unexpected', strict ? unexpected : []),
        list('of another shape', misshaped),
        strict && misshaped.length === 0 ? 'Pass { strict: false } to load the names that agree.' : '',
      ]
        .filter(Boolean)
        .join('\n'),
    )
  }
  return { report: { missing, unexpected }, matched }
}

function list(title: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${names.length} ${title}:\n${names.map((name) => `  ${name}`).join('\n')}`
}
