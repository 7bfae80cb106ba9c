/** Pearson's r. NaN for fewer than two samples or when one side is constant. */
export function pearson(x: Float64Array, y: Float64Array): number {
  const [meanX, meanY] = [meanOf(x), meanOf(y)]
  let [xx, yy, xy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [(x[i] as number) - meanX, (y[i] as number) - meanY]
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  }
  // By rounding, samples on a line can be a last digit above 1.
  return xx === 0 || yy === 0 ? Number.NaN : Math.max(-1, Math.min(1, xy / (Math.sqrt(xx) * Math.sqrt(yy))))
}

function meanOf(values: Float64Array): number {
  // A constant is its own mean, which a rounded sum of many might miss.
  if (values.every((value) => value === values[0])) return values[0] ?? Number.NaN
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Ranks from 1; equal values share the mean of theirs. */
export function ranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] as number) - (values[b] as number))
  const result = new Float64Array(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    const value = values[order[start] as number]
    while (end < order.length && values[order[end] as number] === value) end++
    for (let i = start; i < end; i++) result[order[i] as number] = (start + end + 1) / 2
    start = end
  }
  return result
}

/** Kendall's τ-b in O(n log n) (Knight, JASA 1966). NaN for fewer than two samples or when one side is constant. */
export function kendall(x: Float64Array, y: Float64Array): number {
  const order = Uint32Array.from(x.keys()).sort(
    (a, b) => (x[a] as number) - (x[b] as number) || (y[a] as number) - (y[b] as number),
  )
  const sortedX = Float64Array.from(order, (i) => x[i] as number)
  const sortedY = Float64Array.from(order, (i) => y[i] as number)
  const pairs = pairsOf(x.length)
  const tiedX = tiedPairs(x.length, (i) => sortedX[i] === sortedX[i - 1])
  const tiedBoth = tiedPairs(x.length, (i) => sortedX[i] === sortedX[i - 1] && sortedY[i] === sortedY[i - 1])
  const discordant = sortCountingSwaps(sortedY)
  const tiedY = tiedPairs(x.length, (i) => sortedY[i] === sortedY[i - 1])
  if (pairs === tiedX || pairs === tiedY) return Number.NaN
  const difference = pairs - tiedX - tiedY + tiedBoth - 2 * discordant
  return Math.max(-1, Math.min(1, difference / Math.sqrt(pairs - tiedX) / Math.sqrt(pairs - tiedY)))
}

const pairsOf = (count: number): number => (count * (count - 1)) / 2

/** Pairs within runs of equal neighbours. */
function tiedPairs(count: number, equalsPrevious: (i: number) => boolean): number {
  let [pairs, run] = [0, 1]
  for (let i = 1; i <= count; i++) {
    if (i < count && equalsPrevious(i)) run++
    else {
      pairs += pairsOf(run)
      run = 1
    }
  }
  return pairs
}

/** Merge sort in place. @returns how many pairs stood in the wrong order */
function sortCountingSwaps(values: Float64Array): number {
  const spare = new Float64Array(values.length)
  let swaps = 0
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, values.length), Math.min(start + 2 * width, values.length)]
      let [left, right] = [start, middle]
      for (let i = start; i < end; i++) {
        const takeLeft = left < middle && (right >= end || (values[left] as number) <= (values[right] as number))
        if (!takeLeft) swaps += middle - left
        spare[i] = values[takeLeft ? left++ : right++] as number
      }
    }
    values.set(spare)
  }
  return swaps
}
