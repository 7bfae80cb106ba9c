import { isTensor, manualSeed, tidy, VisionNativeError } from '../../lib'
import { DTYPE_OF_CODE } from '../../lib/tensor/types'
import type { Schema } from '../../tools/generate-ops/schema'
import type { OperatorFunction } from '../../tools/generate-ops/surface'
import { validCall } from './generate'
import { call, freeFunction, methodFunction, publicForm } from './invoke'
import { materialise } from './materialise'
import { expected } from './oracles'
import { Random } from './random'
import { difference, type Snapshot, snapshot } from './results'
import { type CallSpec, describeCall, type ValueSpec } from './spec'

/** What was checked of an operator's results, and what was wrong. */
export interface Verdict {
  readonly checks: readonly string[]
  readonly failures: readonly string[]
}

/** Operators that have no valid call here, and why. */
export const NO_VALID_CALL: ReadonlyMap<string, string> = new Map([
  ['pin_memory', 'memory is pinned for a CUDA device, and tests need none'],
])

/** LibTorch gives another shape on Meta than on the CPU: `isin(3, x)` has shape [0] there. */
const WRONG_ON_META = /^isin$/

/** Results that are memory which nobody wrote. */
const UNWRITTEN = /^(empty_like|new_empty|empty_strided|new_empty_strided|empty_permuted)$/

/** One call twice may differ in the last digit: vector and scalar loops meet where the memory is aligned otherwise. */
const AGAIN = 1e-5
const TRIES = 40
const CHECKED_CALLS = 4

/** Checks the results of the first few valid calls: the same by every way to call, on Meta, and by an oracle. */
export function checkOperator(fn: OperatorFunction, seed: number): Verdict {
  const checks = new Set<string>()
  const failures: string[] = []
  let checked = 0
  for (let i = 0; i < TRIES && checked < CHECKED_CALLS; i++) {
    const spec = validCall(fn, new Random(seed, fn.name, i, 'check'))
    const verdict = tidy(() => new Check(fn, spec, seed + i).run())
    if (!verdict) continue
    checked += 1
    for (const check of verdict.checks) checks.add(check)
    failures.push(...verdict.failures.map((failure) => `${describeCall(spec)}: ${failure}`))
  }
  return { checks: [...checks], failures }
}

class Check {
  readonly #checks: string[] = []
  readonly #failures: string[] = []

  constructor(
    readonly fn: OperatorFunction,
    readonly spec: CallSpec,
    readonly seed: number,
  ) {}

  /** Undefined when the call is not valid after all. */
  run(): Verdict | undefined {
    const { name } = this.fn
    const values = this.#values()
    const result = attempt(() => this.#seeded(() => publicForm(name)(...values)))
    if (result instanceof VisionNativeError) return undefined
    const taken = snapshot(result, !UNWRITTEN.test(name))

    this.#checkRawCall(taken)
    this.#checkMethod(taken)
    this.#checkMeta(taken)
    this.#checkInPlace(result, values)
    this.#checkOracle(taken)
    return { checks: this.#checks, failures: this.#failures }
  }

  /** Fresh values, always the same: an in-place operator changes what it is given. */
  #values(spec: CallSpec = this.spec): unknown[] {
    return materialise(spec, new Random(this.seed, this.fn.name, 'check values'))
  }

  #seeded<T>(body: () => T): T {
    manualSeed(this.seed)
    return body()
  }

  #expect(check: string, got: Snapshot, wanted: Snapshot, tolerance = 0): void {
    this.#checks.push(check)
    const wrong = difference(got, wanted, tolerance)
    if (wrong) this.#failures.push(`${check}: ${wrong}`)
  }

  /** The overload that the function took is the first of its list that takes the call when asked for by name. */
  #checkRawCall(taken: Snapshot): void {
    for (const { schema } of this.fn.candidates) {
      const values = this.#values()
      const name = `${schema.qualified}.${schema.overload}`
      const result = attempt(() => this.#seeded(() => call(name, values)))
      if (result instanceof VisionNativeError && /takes|has no option/.test(result.message)) continue
      if (result instanceof VisionNativeError) this.#failures.push(`raw call of ${name}: ${result.message}`)
      else this.#expect('raw call', snapshot(named(schema, result), !UNWRITTEN.test(this.fn.name)), taken, AGAIN)
      return
    }
    this.#failures.push('raw call: no overload took the call')
  }

  #checkMethod(taken: Snapshot): void {
    const [first] = this.fn.candidates
    const self = first?.positional.findIndex((arg) => arg.name === 'self') ?? 0
    const method = methodFunction(this.fn.name, Math.max(self, 0))
    const values = this.#values()
    if (!method || !freeFunction(this.fn.name) || !isTensor(values[self])) return
    const result = attempt(() => this.#seeded(() => method(...values)))
    // Some overloads of a function are no methods (`where(condition, 1, 2)`).
    if (result instanceof VisionNativeError) return
    this.#expect('method', snapshot(result, !UNWRITTEN.test(this.fn.name)), taken, AGAIN)
  }

  /** Shapes and dtypes without data are those with data, where LibTorch can tell them. */
  #checkMeta(taken: Snapshot): void {
    if (WRONG_ON_META.test(this.fn.name)) return
    const meta: CallSpec = {
      ...this.spec,
      positional: this.spec.positional.map(onMeta),
      options: mapValues(this.spec.options, onMeta),
    }
    const result = attempt(() => publicForm(this.fn.name)(...this.#values(meta)))
    if (result instanceof VisionNativeError || !mentionsTensor(taken)) return
    this.#expect('meta', snapshot(result, false), taken)
  }

  /** `add_(x, y)` gives x itself, and the numbers of `add(x, y)`. */
  #checkInPlace(result: unknown, values: readonly unknown[]): void {
    const { name, candidates } = this.fn
    const isInPlace = candidates.every(({ schema }) => schema.results.length === 1 && schema.results[0]?.written)
    if (!isInPlace) return
    this.#checks.push('in place')
    if (result !== values[0]) this.#failures.push('in place: the result is another object than the tensor')
    const functional = freeFunction(name.replace(/_$/, '')) ?? methodFunction(name.replace(/_$/, ''))
    const [self] = this.spec.positional
    // Elements that share memory are written more than once, and random numbers may be drawn in another order.
    if (!functional || /^(normal|bernoulli)_$/.test(name) || (self?.kind === 'tensor' && self.form === 'expanded'))
      return
    const plain = attempt(() => this.#seeded(() => functional(...this.#values())))
    // The plain form may give a wider dtype, which the in-place one converts back.
    if (!isTensor(plain) || !isTensor(result)) return
    const [got, wanted] = [snapshot(result), snapshot(plain)]
    if (got.kind === 'tensor' && wanted.kind === 'tensor' && got.dtype === wanted.dtype) {
      this.#expect('equals its plain form', got, wanted, 1e-5)
    }
  }

  #checkOracle(taken: Snapshot): void {
    const oracle = attempt(() => expected(this.fn.name, this.#values()))
    if (oracle === undefined || oracle instanceof VisionNativeError) return
    this.#expect('oracle', taken, oracle.result, oracle.tolerance)
  }
}

function attempt<T>(body: () => T): T | VisionNativeError {
  try {
    return body()
  } catch (error) {
    if (VisionNativeError.is(error)) return error
    throw error
  }
}

/** A dtype comes out of the dispatcher as its number. */
const named = (schema: Schema, result: unknown) =>
  schema.results[0]?.type.base === 'ScalarType' ? DTYPE_OF_CODE.get(result as number) : result

function onMeta(value: ValueSpec): ValueSpec {
  if (value.kind === 'tensor') return { ...value, form: 'meta' }
  if (value.kind === 'list') return { ...value, items: value.items.map(onMeta) }
  return value
}

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))

const mentionsTensor = (value: Snapshot): boolean =>
  value.kind === 'tensor' || (value.kind === 'list' && value.items.some(mentionsTensor))
