// Curves over time as plain numbers: what proposals are cut from.
import { ArgumentError } from '../../../native/errors'

/** Values of every class at every sample. */
export interface ClassCurves {
  /** One a class. */
  readonly classes: readonly Float64Array[]
  readonly length: number
}

/** The first `count` classes of `[L, …]` values, row after row. */
export function classCurves(values: ArrayLike<number>, columns: number, count: number): ClassCurves {
  const length = values.length / columns
  if (!Number.isInteger(length)) throw new ArgumentError(`classCurves: ${values.length} values in rows of ${columns}`)
  const classes = Array.from({ length: count }, (_, c) =>
    Float64Array.from({ length }, (_, l) => values[l * columns + c] ?? 0),
  )
  return { classes, length }
}

/**
 * A curve from 0 to 1: its ends, where they are not below 0, go there; one that does not rise stays at 0.
 */
export function minMax(curve: Float64Array): Float64Array {
  const [low, high] = [Math.max(0, Math.min(...curve)), Math.max(0, Math.max(...curve))]
  const range = high > low ? high - low : 1
  return curve.map((value) => Math.min(1, Math.max(0, (value - low) / range)))
}

/**
 * A curve with `scale` samples for each, by straight lines: sample j is the value at j ∕ scale. Past the last sample the
 * last line goes on.
 */
export function upsampleCurve(curve: Float64Array, scale: number): Float64Array {
  const last = curve.length - 1
  return Float64Array.from({ length: curve.length * scale }, (_, j) => {
    const at = Math.min(Math.floor(j / scale), Math.max(0, last - 1))
    const [from, to] = [curve[at] ?? 0, curve[Math.min(at + 1, last)] ?? 0]
    return from + (j / scale - at) * (to - from)
  })
}

/** Evenly spaced numbers, both ends included. */
export function linspace(from: number, to: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => from + (i * (to - from)) / (count - 1))
}
