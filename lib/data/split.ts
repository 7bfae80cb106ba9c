import { ArgumentError } from '../native/errors'
import type { Dataset } from './dataset'
import { Subset } from './datasets'
import { RandomStream, Stream } from './random'

export interface SplitOptions {
  /** 0 unless stated, so that a program splits alike each time it runs. */
  readonly seed?: number | undefined
}

/** One part for each number. */
export type Parts<T, P extends readonly number[]> = { -readonly [K in keyof P]: Subset<T> }

/**
 * Divides a data set at random into parts without common samples.
 *
 * @param parts how many samples each has, summing to all; or fractions that sum to 1, where what rounding leaves over
 *   goes to the parts in turn
 * @throws ArgumentError when the parts do not sum to the whole
 */
export function randomSplit<T, const P extends readonly number[]>(
  dataset: Dataset<T>,
  parts: P,
  { seed = 0 }: SplitOptions = {},
): Parts<T, P> {
  const lengths = partLengths(parts, dataset.length)
  const order = new RandomStream(seed, 0, Stream.Split).permutation(dataset.length)
  let start = 0
  return lengths.map((length) => {
    start += length
    return new Subset(dataset, order.slice(start - length, start))
  }) as Parts<T, P>
}

function partLengths(parts: readonly number[], total: number): readonly number[] {
  const sum = parts.reduce((a, b) => a + b, 0)
  if (parts.every((part) => Number.isInteger(part) && part >= 0) && sum === total) return parts
  checkFractions(parts, `randomSplit of ${total} samples`)
  const lengths = parts.map((fraction) => wholePart(fraction * total))
  const left = total - lengths.reduce((a, b) => a + b, 0)
  return lengths.map((length, i) => length + Math.floor((left - i + parts.length - 1) / parts.length))
}

/**
 * Divides a data set at random so that each part has its fraction of every class, up to one sample.
 *
 * @param labels the class of each sample
 * @param options `fractions` that sum to 1, such as `[0.8, 0.2]`
 * @returns the parts, each in the order of the data set
 * @throws ArgumentError when there is not one label for each sample, or the fractions do not sum to 1
 */
export function stratifiedSplit<T, const P extends readonly number[]>(
  dataset: Dataset<T>,
  labels: Iterable<string | number | bigint | boolean>,
  { fractions, seed = 0 }: SplitOptions & { readonly fractions: P },
): Parts<T, P> {
  checkFractions(fractions, 'stratifiedSplit')
  const classes = new Map<unknown, number[]>()
  let count = 0
  for (const label of labels) {
    const members = classes.get(label)
    if (members) members.push(count)
    else classes.set(label, [count])
    count += 1
  }
  if (count !== dataset.length) {
    throw new ArgumentError(`stratifiedSplit: ${count} labels for ${dataset.length} samples; each sample has one`)
  }
  const random = new RandomStream(seed, 0, Stream.Split)
  const parts: number[][] = fractions.map(() => [])
  let seen = 0
  for (const members of classes.values()) {
    seen += members.length
    const sizes = shares(
      fractions,
      members.length,
      (part) => (fractions[part] as number) * seen - (parts[part]?.length ?? 0),
    )
    random.shuffle(members)
    for (const [part, size] of sizes.entries()) parts[part]?.push(...members.splice(0, size))
  }
  return parts.map(
    (part) =>
      new Subset(
        dataset,
        part.sort((a, b) => a - b),
      ),
  ) as Parts<T, P>
}

/** How many of a class's samples each part takes; what rounding leaves over goes to those that lack most so far. */
function shares(fractions: readonly number[], total: number, wanted: (part: number) => number): number[] {
  const sizes = fractions.map((fraction) => wholePart(fraction * total))
  const left = total - sizes.reduce((a, b) => a + b, 0)
  const lacking = fractions
    .map((fraction, part) => ({ part, size: sizes[part] as number, exact: fraction * total }))
    .filter(({ size, exact }) => exact - size > 1e-9)
    .sort((a, b) => wanted(b.part) - b.size - (wanted(a.part) - a.size) || a.part - b.part)
  for (const { part } of lacking.slice(0, left)) sizes[part] = (sizes[part] as number) + 1
  return sizes
}

/** Rounded down, where 0.7 × 10 is 7 whatever the last bit of the product says. */
function wholePart(value: number): number {
  return Math.floor(value + 1e-9)
}

function checkFractions(fractions: readonly number[], what: string): void {
  const sum = fractions.reduce((a, b) => a + b, 0)
  if (fractions.length > 0 && fractions.every((part) => part >= 0) && Math.abs(sum - 1) < 1e-6) return
  throw new ArgumentError(
    `${what}: parts [${fractions.join(', ')}] sum to ${sum}; give sizes that sum to all samples, or fractions that sum to 1`,
  )
}
