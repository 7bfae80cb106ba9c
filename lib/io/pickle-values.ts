/** What a pickle holds besides strings, numbers, bytes and lists, which are JavaScript's own. */

/** A tuple, told from a list because Python cares. */
export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A dict or one of its subclasses, with the attributes that were set on it. */
export class PickleDict {
  readonly entries = new Map<unknown, unknown>()
  attributes: PickleDict | undefined

  constructor(readonly type: 'dict' | 'OrderedDict' | 'defaultdict' | 'Counter' = 'dict') {}
}

export class PickleSet {
  readonly items = new Set<unknown>()
}

/** What a name in the pickle stands for: nothing is ever looked up, a table says what each name makes. */
export class PickleGlobal {
  /**
   * @param name as Python writes it
   * @param construct what calling it gives; absent for what is only named
   */
  constructor(
    readonly name: string,
    readonly construct?: (args: readonly unknown[], context: PickleContext) => unknown,
  ) {}
}

/** An object whose attributes a pickle may set after making it. */
export interface Buildable {
  build(state: unknown, context: PickleContext): void
}

/** How constructors complain, and how they account for what they copy. */
export interface PickleContext {
  fail(problem: string): Error
  /** Takes note of items or bytes that were copied out of the memo; too many are a bomb. */
  charge(items: number): void
}

export function isBuildable(value: unknown): value is Buildable {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Buildable>).build === 'function'
}

/** What a value is, for messages, in Python's words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return 'a bool'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`
  if (value instanceof PickleDict) return `a ${value.type}`
  if (value instanceof PickleSet) return 'a set'
  if (value instanceof PickleGlobal) return value.name
  return `a ${(value as object)?.constructor?.name ?? typeof value}`
}
