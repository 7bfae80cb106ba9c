// What is said of systems that accept or reject claims of identity.
import { ArgumentError } from '../native/errors'
import type { ROCCurve } from './ranking'

/**
 * The share of positives that is accepted where a share of the negatives is, such as GAR at FAR: linear between
 * neighbouring points of the curve (default), and the upper end where it rises straight up; or the last point that
 * accepts no more negatives.
 *
 * @param falsePositiveRate 0–1, not a percentage
 * @throws ArgumentError for a rate outside
 */
export function truePositiveRateAt(
  { falsePositiveRate: rates, truePositiveRate }: Pick<ROCCurve, 'falsePositiveRate' | 'truePositiveRate'>,
  falsePositiveRate: number,
  { interpolation = 'linear' }: { readonly interpolation?: 'linear' | 'step' } = {},
): number {
  if (!(falsePositiveRate >= 0 && falsePositiveRate <= 1)) {
    throw new ArgumentError(
      `truePositiveRateAt: falsePositiveRate is ${falsePositiveRate}; it is a share from 0 to 1, not a percentage`,
    )
  }
  const last = rates.findLastIndex((rate) => rate <= falsePositiveRate)
  const [here, next] = [truePositiveRate[last] ?? Number.NaN, truePositiveRate[last + 1]]
  const [from, to] = [rates[last] ?? Number.NaN, rates[last + 1]]
  if (interpolation === 'step' || next === undefined || to === undefined) return here
  return here + ((falsePositiveRate - from) / (to - from)) * (next - here)
}

/**
 * Decidability d′ of two kinds of scores: the distance of their means in deviations, |μ₁ − μ₂| / √((σ₁² + σ₂²) / 2)
 * (Daugman 2000). NaN without both kinds.
 */
export function decidability(genuine: ArrayLike<number>, imposter: ArrayLike<number>): number {
  const [a, b] = [moments(genuine), moments(imposter)]
  return Math.abs(a.mean - b.mean) / Math.sqrt((a.variance + b.variance) / 2)
}

function moments(values: ArrayLike<number>): { readonly mean: number; readonly variance: number } {
  const all = Array.from(values)
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length
  return { mean, variance: all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length }
}
