// Names of tensors with gaps in them, as tables of renaming write them.

/** A name in which each `*` stands for a run of characters. */
export class NamePattern {
  readonly #regexp: RegExp

  /** @param gap what a `*` stands for, as the source of a regular expression; default: as few characters as fit */
  constructor(
    readonly text: string,
    gap = '.*?',
  ) {
    const parts = text.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    this.#regexp = new RegExp(`^${parts.join(`(${gap})`)}$`, 's')
  }

  /** How many `*` there are. */
  get gaps(): number {
    return this.text.split('*').length - 1
  }

  /** What the gaps of a name hold; undefined when it does not fit. */
  match(name: string): readonly string[] | undefined {
    return this.#regexp.exec(name)?.slice(1)
  }

  /** The name with these in its gaps. */
  write(held: readonly string[]): string {
    const [first = '', ...rest] = this.text.split('*')
    return rest.reduce((name, part, i) => name + (held[i] ?? '*') + part, first)
  }
}
