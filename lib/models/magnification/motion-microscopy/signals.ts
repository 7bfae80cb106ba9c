// Arithmetic of displacement signals.

/** Root of the mean square about the mean. */
export function rootMeanSquare(values: ArrayLike<number>): number {
  const centred = aboutMean(values)
  return Math.sqrt(dot(centred, centred) / Math.max(1, values.length))
}

/** Pearson's correlation; 0 where a signal does not change. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [aboutMean(a), aboutMean(b)]
  const scale = Math.sqrt(dot(x, x) * dot(y, y))
  return scale === 0 ? 0 : dot(x, y) / scale
}

export function aboutMean(values: ArrayLike<number>): Float64Array {
  const copy = Float64Array.from(values)
  const mean = copy.reduce((sum, value) => sum + value, 0) / Math.max(1, copy.length)
  return copy.map((value) => value - mean)
}

export function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}
