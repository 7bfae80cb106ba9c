// What the server counts, as Prometheus reads it (text exposition format 0.0.4).

type Labels = Readonly<Record<string, string>>

/** A sum that only grows, one for each set of labels. */
export class Counter {
  readonly #values = new Map<string, number>()

  constructor(
    readonly name: string,
    readonly help: string,
  ) {}

  add(labels: Labels = {}, by = 1): void {
    const key = labelText(labels)
    this.#values.set(key, (this.#values.get(key) ?? 0) + by)
  }

  get(labels: Labels = {}): number {
    return this.#values.get(labelText(labels)) ?? 0
  }

  toString(): string {
    return block(
      this,
      'counter',
      [...this.#values].map(([labels, value]) => `${this.name}${labels} ${value}`),
    )
  }
}

/** How many of what was observed is at most each bound. */
export class Histogram {
  readonly #counts: number[]
  #sum = 0
  #count = 0

  /** @param bounds in rising order */
  constructor(
    readonly name: string,
    readonly help: string,
    readonly bounds: readonly number[],
  ) {
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count++
    for (const [index, bound] of this.bounds.entries()) {
      if (value <= bound) this.#counts[index] = (this.#counts[index] ?? 0) + 1
    }
  }

  toString(): string {
    const buckets = this.bounds.map((bound, index) => `${this.name}_bucket{le="${bound}"} ${this.#counts[index]}`)
    const all = [`${this.name}_bucket{le="+Inf"} ${this.#count}`]
    return block(this, 'histogram', [
      ...buckets,
      ...all,
      `${this.name}_sum ${this.#sum}`,
      `${this.name}_count ${this.#count}`,
    ])
  }
}

/** A figure that is read when it is asked for, one for each set of labels. */
export class Gauge {
  constructor(
    readonly name: string,
    readonly help: string,
    readonly read: () => number | readonly (readonly [Labels, number])[],
  ) {}

  toString(): string {
    const now = this.read()
    const values = typeof now === 'number' ? [[{}, now] as const] : now
    return block(
      this,
      'gauge',
      values.map(([labels, value]) => `${this.name}${labelText(labels)} ${value}`),
    )
  }
}

function block({ name, help }: { name: string; help: string }, type: string, lines: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n')
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return pairs.length === 0 ? '' : `{${pairs.join()}}`
}
