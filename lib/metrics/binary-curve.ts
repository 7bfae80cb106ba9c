/** Samples of both kinds whose score is at least each threshold, from none to all of them. */
export interface BinaryCurve {
  /** +∞, then the distinct scores from high to low. */
  readonly thresholds: readonly number[]
  /** Positives at or above the threshold. */
  readonly truePositives: readonly number[]
  /** Negatives at or above the threshold. */
  readonly falsePositives: readonly number[]
}

/** Sorted apart and merged, the two lists need no order of indices, which would take several times as long. */
export function binaryCurve(positives: Float64Array, negatives: Float64Array): BinaryCurve {
  const [high, low] = [positives.slice().sort(), negatives.slice().sort()]
  let [p, n] = [high.length, low.length]
  const thresholds = [Number.POSITIVE_INFINITY]
  const [truePositives, falsePositives] = [[0], [0]]
  while (p > 0 || n > 0) {
    const threshold = Math.max(high[p - 1] ?? Number.NEGATIVE_INFINITY, low[n - 1] ?? Number.NEGATIVE_INFINITY)
    while (p > 0 && (high[p - 1] as number) >= threshold) p--
    while (n > 0 && (low[n - 1] as number) >= threshold) n--
    thresholds.push(threshold)
    truePositives.push(high.length - p)
    falsePositives.push(low.length - n)
  }
  return { thresholds, truePositives, falsePositives }
}

/** Area below the ROC curve: P(positive above negative) + P(equal) / 2. NaN without both kinds. */
export function areaOf({ truePositives, falsePositives }: BinaryCurve): number {
  let area = 0
  for (let i = 1; i < truePositives.length; i++) {
    const [t0, t1] = [truePositives[i - 1] as number, truePositives[i] as number]
    area += ((falsePositives[i] as number) - (falsePositives[i - 1] as number)) * (t0 + t1)
  }
  return area / (2 * (truePositives.at(-1) as number) * (falsePositives.at(-1) as number))
}

/** Σ (Rᵢ − Rᵢ₋₁)·Pᵢ over the thresholds. NaN without positives. */
export function averagePrecisionOf({ truePositives, falsePositives }: BinaryCurve): number {
  let sum = 0
  for (let i = 1; i < truePositives.length; i++) {
    const hits = truePositives[i] as number
    sum += (hits - (truePositives[i - 1] as number)) * (hits / (hits + (falsePositives[i] as number)))
  }
  return sum / (truePositives.at(-1) as number)
}

/** Where the line through the ROC points crosses FPR = 1 − TPR. NaN without both kinds. */
export function equalErrorRateOf({ truePositives, falsePositives }: BinaryCurve): number {
  const [positives, negatives] = [truePositives.at(-1) as number, falsePositives.at(-1) as number]
  if (positives === 0 || negatives === 0) return Number.NaN
  const accepted = (i: number) => (falsePositives[i] as number) / negatives
  const rejected = (i: number) => 1 - (truePositives[i] as number) / positives
  // At the first point FAR is 0 and FRR 1, at the last the other way round, so there is a crossing.
  let i = 1
  while (accepted(i) < rejected(i)) i++
  const [before, after] = [rejected(i - 1) - accepted(i - 1), accepted(i) - rejected(i)]
  return accepted(i - 1) + (before / (before + after)) * (accepted(i) - accepted(i - 1))
}
