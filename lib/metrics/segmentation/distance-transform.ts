/**
 * The squared distance of each place to the nearest of some, exactly (Felzenszwalb and Huttenlocher, Theory of Computing
 * 2012): along each axis in turn the lower envelope of parabolas.
 *
 * @param seeds 1 where the distance is 0, row by row
 * @param shape of the grid
 * @param spacing of the places along each axis
 * @returns ∞ everywhere when there are no seeds
 */
export function squaredDistances(
  seeds: Uint8Array,
  shape: readonly number[],
  spacing: readonly number[],
): Float64Array {
  const field = Float64Array.from(seeds, (seed) => (seed === 0 ? Number.POSITIVE_INFINITY : 0))
  const longest = Math.max(1, ...shape)
  const line = new Float64Array(longest)
  const apex = new Int32Array(longest)
  const border = new Float64Array(longest + 1)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1
    for (let start = 0; start < field.length; start++) {
      if (Math.floor(start / stride) % length !== 0) continue
      for (let i = 0; i < length; i++) line[i] = field[start + i * stride] ?? 0
      const count = envelope(line, length, (spacing[axis] ?? 1) ** 2, apex, border)
      if (count === 0) continue
      for (let i = 0, part = 0; i < length; i++) {
        while (part + 1 < count && (border[part + 1] ?? 0) < i) part++
        const at = apex[part] ?? 0
        field[start + i * stride] = (spacing[axis] ?? 1) ** 2 * (i - at) ** 2 + (line[at] ?? 0)
      }
    }
    stride *= length
  }
  return field
}

/** Which parabolas are lowest somewhere, and from where on each is. @returns how many */
function envelope(line: Float64Array, length: number, scale: number, apex: Int32Array, border: Float64Array): number {
  let count = 0
  for (let i = 0; i < length; i++) {
    const height = line[i] ?? 0
    if (height === Number.POSITIVE_INFINITY) continue
    let from = Number.NEGATIVE_INFINITY
    while (count > 0) {
      const last = apex[count - 1] ?? 0
      from = (height - (line[last] ?? 0) + scale * (i * i - last * last)) / (2 * scale * (i - last))
      if (from > (border[count - 1] ?? 0)) break
      count--
      from = Number.NEGATIVE_INFINITY
    }
    apex[count] = i
    border[count] = from
    count++
  }
  return count
}
