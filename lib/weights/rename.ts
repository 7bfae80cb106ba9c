// Names of tensors by a table of rules that can be read both ways.
import { ArgumentError } from '../native/errors'
import { NamePattern } from '../nn/name-pattern'

/**
 * How names change: `*` stands for any run of characters, and both sides have as many of them, which follow in order:
 * `['module.*', '*']`, `['blocks.*.attn.*', 'layers.*.attention.*']`.
 */
export type RenameRule = readonly [from: string, to: string]

interface Compiled {
  readonly from: NamePattern
  readonly to: NamePattern
}

/**
 * Renames by a table: the first rule that a name fits changes it, others stay as they are.
 *
 * The table must be reversible for these names, so that a file can be turned back: what is refused is two names that
 * become one, and a name that the table read backwards would not restore.
 *
 * @returns the same values under their new names, in the same order
 * @throws ArgumentError for a rule that cannot be read both ways, a collision, or a name that would not come back
 */
export function renameState<T>(state: ReadonlyMap<string, T>, rules: readonly RenameRule[]): Map<string, T> {
  const forward = rules.map(compile)
  const backward = rules.map(([from, to]) => compile([to, from]))
  const renamed = new Map<string, T>()
  const origin = new Map<string, string>()
  for (const [name, value] of state) {
    const target = apply(forward, name)
    const other = origin.get(target)
    if (other !== undefined) {
      throw new ArgumentError(
        `rename: '${other}' and '${name}' would both become '${target}'; make the rules tell them apart`,
      )
    }
    const back = apply(backward, target)
    if (back !== name) {
      throw new ArgumentError(
        `rename: '${name}' becomes '${target}', which the rules read backwards turn into '${back}'; put the narrower rule first, or name the tensors more closely`,
      )
    }
    origin.set(target, name)
    renamed.set(target, value)
  }
  return renamed
}

/** The table that undoes a table. */
export function reverseRules(rules: readonly RenameRule[]): RenameRule[] {
  return rules.map(([from, to]) => [to, from])
}

/** Reads `from=to`, as the command line has it. @throws ArgumentError when it is something else */
export function parseRenameRule(text: string): RenameRule {
  const parts = text.split('=')
  const [from, to] = parts
  if (parts.length !== 2 || from === undefined || to === undefined || from === '' || to === '') {
    throw new ArgumentError(`rename: '${text}' is no rule; write FROM=TO, such as 'module.*=*'`)
  }
  compile([from, to])
  return [from, to]
}

function compile([first, second]: RenameRule): Compiled {
  const [from, to] = [new NamePattern(first), new NamePattern(second)]
  if (from.gaps === to.gaps) return { from, to }
  throw new ArgumentError(`rename: '${first}' has ${from.gaps} of *, '${second}' ${to.gaps}; both sides need as many`)
}

function apply(rules: readonly Compiled[], name: string): string {
  for (const { from, to } of rules) {
    const held = from.match(name)
    if (held) return to.write(held)
  }
  return name
}
