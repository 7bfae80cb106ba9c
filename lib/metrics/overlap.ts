import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { meanOf } from './average'
import { measure } from './base'
import { ClassCountMetric, type ClassCounts } from './class-counts'
import type { LabelOptions } from './labels'

/**
 * How the values of the classes become one: `'macro'` is their mean, `'micro'` puts all pixels together, `'weighted'`
 * weighs by the pixels of the class, `'none'` leaves the list.
 */
export type OverlapAverage = 'macro' | 'micro' | 'weighted' | 'none'
/** `'generalized'` weighs by 1 / pixels², so that small structures count as much as large ones (Sudre et al. 2017). */
export type DiceAverage = OverlapAverage | 'generalized'
type Overlapped<A extends DiceAverage> = A extends 'none' ? readonly number[] : number

export interface OverlapOptions<A extends DiceAverage = 'macro'> extends LabelOptions {
  /** With more than two classes, or to measure class 0 too. Without it the value is that of class 1 of a binary mask. */
  readonly numClasses?: number | undefined
  readonly average?: A | undefined
  /** The classes whose values are averaged or listed; all unless stated. */
  readonly classes?: readonly number[] | undefined
  /**
   * `'dataset'` (default): from the counts of all samples together; `'sample'`: each sample for itself, then the mean
   * over the samples. Predictions and targets are then `[N, …]`.
   */
  readonly reduction?: 'dataset' | 'sample' | undefined
  /** The value of a class that is neither predicted nor there: NaN, which leaves it out of means, unless stated. */
  readonly zeroDivision?: 0 | 1 | typeof Number.NaN | undefined
}

interface Resolved extends LabelOptions {
  readonly average: DiceAverage
  readonly classes: readonly number[]
  readonly reduction: 'dataset' | 'sample'
  readonly zeroDivision: number
}

type Fraction = (hits: number, sizes: number) => readonly [numerator: number, denominator: number]

abstract class OverlapMetric<A extends DiceAverage> extends ClassCountMetric<Overlapped<A>, Resolved> {
  constructor(
    name: string,
    { numClasses, ignoreIndex, threshold, average, classes, reduction = 'dataset', zeroDivision }: OverlapOptions<A>,
    averages: readonly DiceAverage[],
    private readonly fraction: Fraction,
  ) {
    const chosen = classes ?? (numClasses === undefined ? [1] : Array.from({ length: numClasses }, (_, index) => index))
    const resolved: DiceAverage = average ?? 'macro'
    if (!averages.includes(resolved)) {
      throw new ArgumentError(`${name}: average is '${resolved}'; use ${averages.map((a) => `'${a}'`).join(', ')}`)
    }
    if (reduction !== 'dataset' && reduction !== 'sample') {
      throw new ArgumentError(`${name}: reduction is '${String(reduction)}'; use 'dataset' or 'sample'`)
    }
    const least = chosen.find((index) => !(Number.isInteger(index) && index >= 0 && index < (numClasses ?? 2)))
    if (least !== undefined || chosen.length === 0) {
      throw new ArgumentError(`${name}: classes are [${chosen}]; name at least one of 0 to ${(numClasses ?? 2) - 1}`)
    }
    const options = { numClasses, ignoreIndex, threshold, average: resolved, classes: chosen, reduction }
    super(name, { ...options, zeroDivision: zeroDivision ?? Number.NaN }, reduction === 'sample')
  }

  protected override score(counts: readonly ClassCounts[]): Overlapped<A> {
    const { average, classes } = this.options
    if (average === 'none') {
      const rows = counts.map((row) =>
        classes.map((index) => {
          const [hits, sizes] = sizesOf(row, index)
          return this.#ratio(hits, sizes)
        }),
      )
      return classes.map((_, index) =>
        meanOf(rows.map((row) => row[index] as number)),
      ) as readonly number[] as Overlapped<A>
    }
    return meanOf(counts.map((row) => this.#averaged(row))) as Overlapped<A>
  }

  /** One sample's value, or that of all together. */
  #averaged(counts: ClassCounts): number {
    const { average, classes } = this.options
    const sizes = classes.map((index) => sizesOf(counts, index))
    if (average === 'micro' || average === 'generalized') {
      let [hits, both] = [0, 0]
      for (const [hit, size, actual] of sizes) {
        // A class without pixels would weigh infinitely; what is predicted of it has nothing to overlap with.
        const weight = average === 'micro' ? 1 : actual === 0 ? 0 : 1 / actual ** 2
        hits += weight * hit
        both += weight * size
      }
      return this.#ratio(hits, both)
    }
    const values = sizes.map(([hit, size]) => this.#ratio(hit, size))
    return average === 'macro'
      ? meanOf(values)
      : meanOf(
          values,
          sizes.map(([, , actual]) => actual),
        )
  }

  #ratio(hits: number, sizes: number): number {
    const [numerator, denominator] = this.fraction(hits, sizes)
    return denominator === 0 ? this.options.zeroDivision : numerator / denominator
  }
}

/** Pixels in both, the sum of the two areas, and the actual area. */
function sizesOf({ hits, predicted, actual }: ClassCounts, index: number): [number, number, number] {
  const area = actual[index] as number
  return [hits[index] as number, (predicted[index] as number) + area, area]
}

/**
 * Mean intersection over union (Jaccard index) of segmentations: TP / (TP + FP + FN) for each class.
 *
 * Predictions are scores `[N, C, …]` for targets `[N, …]`, labels of the targets' shape, or scores of class 1 of the
 * targets' shape (binary). A class that occurs in neither is left out of the mean.
 */
export class MeanIoU<A extends OverlapAverage = 'macro'> extends OverlapMetric<A> {
  constructor(options: OverlapOptions<A> = {}) {
    super('MeanIoU', options, ['macro', 'micro', 'weighted', 'none'], (hits, sizes) => [hits, sizes - hits])
  }
}

/**
 * Dice score of segmentations: 2·TP / (2·TP + FP + FN) for each class (Dice 1945). Predictions, targets and absent
 * classes as of `MeanIoU`.
 */
export class DiceScore<A extends DiceAverage = 'macro'> extends OverlapMetric<A> {
  constructor(options: OverlapOptions<A> = {}) {
    const averages = ['macro', 'micro', 'weighted', 'none', 'generalized'] as const
    super('DiceScore', options, averages, (hits, sizes) => [2 * hits, sizes])
  }
}

/** See `MeanIoU`. */
export function meanIoU<A extends OverlapAverage = 'macro'>(
  predictions: Tensor,
  targets: Tensor,
  options: OverlapOptions<A> = {},
): Overlapped<A> {
  return measure(new MeanIoU(options), predictions, targets)
}

/** See `DiceScore`. */
export function diceScore<A extends DiceAverage = 'macro'>(
  predictions: Tensor,
  targets: Tensor,
  options: OverlapOptions<A> = {},
): Overlapped<A> {
  return measure(new DiceScore(options), predictions, targets)
}
