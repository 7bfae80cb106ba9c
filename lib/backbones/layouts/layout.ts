// One network's weights under the names of several publishers.
import { FormatError } from '../../native/errors'
import { nearestNames } from '../../native/nearest'
import type { Module, StateDict } from '../../nn'
import { NamePattern } from '../../nn/name-pattern'
import { cat, type Tensor } from '../../tensor'

/** What is done to a tensor of ours for a publisher, and back. */
export interface LayoutChange {
  readonly toPublished: (own: Tensor) => Tensor
  readonly fromPublished: (published: Tensor) => Tensor
}

export const TRANSPOSED: LayoutChange = { toPublished: (own) => own.t(), fromPublished: (published) => published.t() }

/** The publisher has so many dimensions of size 1 before ours. */
export function leading(count: number): LayoutChange {
  return {
    toPublished: (own) => own.reshape([...Array.from({ length: count }, () => 1), ...own.shape]),
    fromPublished: (published) => published.reshape(published.shape.slice(count)),
  }
}

/**
 * How one tensor is called here and by a publisher; `*` stands for a number that both names have.
 *
 * - a name: the same tensor, changed where a change is given
 * - several names: their rows, one under the other, are ours
 * - null: the publisher leaves it out, as it follows from the network's options
 */
export type LayoutRule =
  | readonly [own: string, published: string, change?: LayoutChange]
  | readonly [own: string, published: readonly string[]]
  | readonly [own: string, published: null]

/** Weight and bias of a layer under one rule; `separator` stands before them in our name. */
export function layer(own: string, published: string | readonly string[], separator: '.' | '_' = '.'): LayoutRule[] {
  return ['weight', 'bias'].map((end): LayoutRule => {
    const name = `${own}${separator}${end}`
    return typeof published === 'string' ? [name, `${published}.${end}`] : [name, published.map((p) => `${p}.${end}`)]
  })
}

interface Compiled {
  readonly own: NamePattern
  readonly parts: readonly NamePattern[]
  readonly change: LayoutChange | undefined
}

/** Names of a network's tensors as another publisher writes them, both ways. */
export class Layout {
  readonly #rules: readonly Compiled[]

  constructor(
    readonly name: string,
    rules: readonly LayoutRule[],
  ) {
    this.#rules = rules.map(([own, published, change]) => ({
      own: numbered(own),
      parts: (published === null ? [] : typeof published === 'string' ? [published] : published).map(numbered),
      change,
    }))
  }

  /**
   * The tensors of a network under the publisher's names: views of the same memory.
   *
   * @throws FormatError naming what this layout does not know
   */
  toPublished(own: StateDict): Map<string, Tensor> {
    return new Map(
      entries(own).flatMap(([name, tensor]) => {
        const [rule, numbers] = this.#find(name, ({ own }) => own.match(name))
        const views =
          rule.parts.length > 1 ? tensor.chunk(rule.parts.length) : [rule.change?.toPublished(tensor) ?? tensor]
        return rule.parts.map((part, i): [string, Tensor] => [part.write(numbers), views[i] as Tensor])
      }),
    )
  }

  /**
   * Published tensors under our names.
   *
   * @throws FormatError naming what this layout does not know, or what is missing beside a part of a tensor
   */
  fromPublished(published: StateDict): Map<string, Tensor> {
    const parts = new Map<string, { readonly rule: Compiled; readonly tensors: (Tensor | undefined)[] }>()
    for (const [name, tensor] of entries(published)) {
      let place = -1
      const [rule, numbers] = this.#find(name, (each) => {
        place = each.parts.findIndex((part) => part.match(name))
        return each.parts[place]?.match(name)
      })
      const own = rule.own.write(numbers)
      const found = parts.get(own) ?? { rule, tensors: rule.parts.map(() => undefined) }
      found.tensors[place] = tensor
      parts.set(own, found)
    }
    return new Map([...parts].map(([own, { rule, tensors }]) => [own, this.#join(own, rule, tensors)]))
  }

  /** Whether the publisher leaves a tensor of ours out. */
  leavesOut(own: string): boolean {
    return this.#rules.some((rule) => rule.parts.length === 0 && rule.own.match(own))
  }

  #find(name: string, match: (rule: Compiled) => readonly string[] | undefined): [Compiled, readonly string[]] {
    for (const rule of this.#rules) {
      const numbers = match(rule)
      if (numbers) return [rule, numbers]
    }
    const known = this.#rules.flatMap(({ own, parts }) => [own, ...parts]).map(({ text }) => text)
    throw new FormatError(
      `layout '${this.name}': there is no tensor '${name}'; the nearest names are ${nearestNames(name, known).join(', ')}`,
    )
  }

  #join(own: string, rule: Compiled, tensors: readonly (Tensor | undefined)[]): Tensor {
    const given = tensors.filter((tensor) => tensor !== undefined)
    const [first] = given
    if (first === undefined || given.length < tensors.length) {
      const names = rule.parts.map(({ text }) => text).join(', ')
      throw new FormatError(`layout '${this.name}': ${own} is made of ${names}; ${given.length} of them are given`)
    }
    if (given.length > 1) return cat(given)
    return rule.change?.fromPublished(first) ?? first
  }
}

/**
 * Loads weights with a publisher's names into a network. Tensors that the publisher leaves out stay as they are.
 *
 * @throws ShapeError listing every name that is missing, unexpected or of another shape; nothing is changed then
 */
export function loadPublished(network: Module, published: StateDict, layout: Layout): void {
  const state = layout.fromPublished(published)
  for (const [name, tensor] of network.stateDict()) if (layout.leavesOut(name)) state.set(name, tensor)
  network.loadStateDict(state)
}

/** A name with numbers in it. */
const numbered = (text: string) => new NamePattern(text, true)

function entries(state: StateDict): [string, Tensor][] {
  return state instanceof Map ? [...state] : Object.entries(state)
}
