// Names of tensors with gaps in them, as tables of renaming write them.

/** A name in which each `*` stands for a run of characters. */
export class NamePattern {
  readonly #parts: readonly string[]

  /** @param digits whether a `*` stands for the digits of a number; else for any run, as short as fits, none too */
  constructor(
    readonly text: string,
    readonly digits = false,
  ) {
    this.#parts = text.split('*')
  }

  /** How many `*` there are. */
  get gaps(): number {
    return this.#parts.length - 1
  }

  /** What the gaps of a name hold; undefined when it does not fit. */
  match(name: string): readonly string[] | undefined {
    const [first = '', ...rest] = this.#parts
    if (!name.startsWith(first)) return undefined
    const held: string[] = []
    let at = first.length
    for (const [i, part] of rest.entries()) {
      // The first place that fits is right for any run, as a later gap can take up what is left; the last part ends the name.
      const isLast = i === rest.length - 1
      const end = this.digits
        ? at + (/^\d+/.exec(name.slice(at))?.[0].length ?? Number.NaN)
        : isLast
          ? name.length - part.length
          : name.indexOf(part, at)
      if (!(end >= at) || !name.startsWith(part, end)) return undefined
      held.push(name.slice(at, end))
      at = end + part.length
    }
    return at === name.length ? held : undefined
  }

  /** The name with these in its gaps. */
  write(held: readonly string[]): string {
    const [first = '', ...rest] = this.text.split('*')
    return rest.reduce((name, part, i) => name + (held[i] ?? '*') + part, first)
  }
}
