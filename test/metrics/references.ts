import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readSafetensors } from '../../lib/io'
import type { Metric } from '../../lib/metrics'
import * as metrics from '../../lib/metrics'
import type { Tensor } from '../../lib/tensor'

/** One case of tools/reference/metrics.py. */
export interface MetricCase {
  readonly metric: string
  readonly options: Readonly<Record<string, unknown>>
  readonly args: readonly string[]
  readonly expected: unknown
  readonly source: string
  readonly tolerance: number
}

const path = (name: string) => fileURLToPath(new URL(`../fixtures/metrics/${name}`, import.meta.url))
const SPECIAL: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

export const CASES: readonly MetricCase[] = JSON.parse(
  readFileSync(path('cases.json'), 'utf8'),
  (_, value) => SPECIAL.get(value) ?? value,
)
export const readInputs = (): Promise<Map<string, Tensor>> => readSafetensors(path('inputs.safetensors'))

/** The classes among the exports: all that a case can name. */
export const METRICS = new Map(
  Object.entries(metrics).filter(
    ([name, value]) =>
      /^[A-Z]/.test(name) && typeof value === 'function' && !['BaseMetric', 'MetricCollection'].includes(name),
  ),
) as ReadonlyMap<string, unknown>

type Constructor = new (options: unknown) => Metric<readonly unknown[], unknown> & Disposable

export function metricOf({ metric, options }: MetricCase): Metric<readonly unknown[], unknown> & Disposable {
  return new (METRICS.get(metric) as Constructor)(options)
}

/**
 * Largest difference of the numbers in a result and the expected one, relative for numbers above 1; Infinity when the
 * two are not alike.
 */
export function difference(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') {
    return Object.is(a, b) || a === b ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(b))
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length ? Math.max(0, ...a.map((item, i) => difference(item, b[i]))) : Number.POSITIVE_INFINITY
  }
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const [p, q] = [Object.entries(a), new Map(Object.entries(b))]
    return p.length === q.size
      ? Math.max(0, ...p.map(([key, value]) => difference(value, q.get(key))))
      : Number.POSITIVE_INFINITY
  }
  return Number.POSITIVE_INFINITY
}
