import { ArgumentError } from '../native/errors'
import { checkSeed, RandomStream, Stream } from './random'

/**
 * The numbers of samples in the order they are loaded, or of batches of them. A sampler is walked again for each epoch;
 * those that are random draw the same order for the same seed and epoch, on every machine.
 */
export interface Sampler<T = number> extends Iterable<T> {
  /** How many there are in an epoch. */
  readonly length: number
  /** Chooses the epoch whose order is walked next; 0 before it is called. */
  setEpoch?(epoch: number): void
}

/** Anything with as many samples. */
export interface Sized {
  readonly length: number
}

/** A sampler whose order follows from its seed and the epoch. */
abstract class SeededSampler implements Sampler {
  #epoch = 0

  constructor(readonly seed: number) {
    checkSeed(seed)
  }

  abstract readonly length: number
  abstract [Symbol.iterator](): Iterator<number>

  get epoch(): number {
    return this.#epoch
  }

  setEpoch(epoch: number): void {
    this.#epoch = checkCount(epoch, 'setEpoch: epoch', 0)
  }

  protected random(): RandomStream {
    return new RandomStream(this.seed, this.#epoch, Stream.Order)
  }
}

/** 0, 1, 2 and so on. */
export class SequentialSampler implements Sampler {
  constructor(readonly source: Sized) {}

  get length(): number {
    return this.source.length
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.source.length; i++) yield i
  }
}

export interface RandomSamplerOptions {
  /** Draw each anew, so that one may come twice; false unless stated. */
  readonly replacement?: boolean | undefined
  /** How many to draw; as many as there are unless stated. Without replacement, more than that begin a new order. */
  readonly numSamples?: number | undefined
  readonly seed?: number | undefined
}

/** All samples in random order, or random ones of them. */
export class RandomSampler extends SeededSampler {
  readonly length: number
  readonly replacement: boolean

  /** @throws ArgumentError when there are no samples, or numSamples is not 1 or more */
  constructor(
    readonly source: Sized,
    { replacement = false, numSamples, seed = 0 }: RandomSamplerOptions = {},
  ) {
    super(seed)
    if (source.length === 0) throw new ArgumentError('RandomSampler: the data set is empty; there is nothing to draw')
    this.length = checkCount(numSamples ?? source.length, 'RandomSampler: numSamples', 1)
    this.replacement = replacement
  }

  *[Symbol.iterator](): Iterator<number> {
    const random = this.random()
    const n = this.source.length
    if (this.replacement) {
      for (let i = 0; i < this.length; i++) yield random.below(n)
      return
    }
    for (let left = this.length; left > 0; left -= n) {
      const order = random.permutation(n)
      yield* left < n ? order.slice(0, left) : order
    }
  }
}

/** Given samples, in random order. */
export class SubsetRandomSampler extends SeededSampler {
  readonly indices: readonly number[]

  constructor(indices: Iterable<number>, { seed = 0 }: { readonly seed?: number | undefined } = {}) {
    super(seed)
    this.indices = [...indices]
  }

  get length(): number {
    return this.indices.length
  }

  *[Symbol.iterator](): Iterator<number> {
    yield* this.random().shuffle([...this.indices])
  }
}

export interface WeightedRandomSamplerOptions {
  /** True unless stated: each draw sees all samples. Otherwise a sample that was drawn is out. */
  readonly replacement?: boolean | undefined
  readonly seed?: number | undefined
}

/** Samples by weight: sample i is drawn with probability wᵢ / Σw. For classes of unequal size, give 1 / size of its class. */
export class WeightedRandomSampler extends SeededSampler {
  readonly weights: readonly number[]
  readonly length: number
  readonly replacement: boolean

  /**
   * @param weights 0 or more each; they need not sum to one
   * @param numSamples how many to draw in an epoch
   * @throws ArgumentError for weights that are negative, not finite or all 0, and when more samples are to be drawn
   *   without replacement than have a weight
   */
  constructor(
    weights: Iterable<number>,
    numSamples: number,
    { replacement = true, seed = 0 }: WeightedRandomSamplerOptions = {},
  ) {
    super(seed)
    this.weights = [...weights]
    this.length = checkCount(numSamples, 'WeightedRandomSampler: numSamples', 1)
    this.replacement = replacement
    const wrong = this.weights.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)))
    if (wrong >= 0) {
      throw new ArgumentError(
        `WeightedRandomSampler: weight ${wrong} is ${this.weights[wrong]}; weights are finite and 0 or more`,
      )
    }
    const possible = this.weights.filter((weight) => weight > 0).length
    if (possible === 0) throw new ArgumentError('WeightedRandomSampler: no weight is above 0; there is nothing to draw')
    if (!replacement && numSamples > possible) {
      throw new ArgumentError(
        `WeightedRandomSampler: ${numSamples} samples without replacement, but only ${possible} weights are above 0`,
      )
    }
  }

  [Symbol.iterator](): Iterator<number> {
    return (this.replacement ? this.#drawAgain() : this.#drawOnce())[Symbol.iterator]()
  }

  /** Where a random point of the line falls on which the weights lie end to end. */
  *#drawAgain(): Iterable<number> {
    const random = this.random()
    const ends: number[] = []
    let total = 0
    let last = 0
    for (const [i, weight] of this.weights.entries()) {
      total += weight
      ends.push(total)
      if (weight > 0) last = i
    }
    for (let i = 0; i < this.length; i++) yield Math.min(firstAbove(ends, random.uniform() * total), last)
  }

  /** The first of exponential waiting times with rates w: Efraimidis and Spirakis, Information Processing Letters 2006. */
  #drawOnce(): Iterable<number> {
    const random = this.random()
    const times = this.weights.map((weight, index) => ({ index, time: -Math.log(1 - random.uniform()) / weight }))
    return times
      .filter(({ index }) => (this.weights[index] as number) > 0)
      .sort((a, b) => a.time - b.time || a.index - b.index)
      .slice(0, this.length)
      .map(({ index }) => index)
  }
}

/** The first place whose value is above `x`, in values that ascend. */
function firstAbove(values: readonly number[], x: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) > x) high = middle
    else low = middle + 1
  }
  return low
}

/** The numbers of another sampler, in batches. */
export class BatchSampler implements Sampler<number[]> {
  /**
   * @param sampler what to take from
   * @param batchSize 1 or more
   * @param dropLast leave out a last batch that is smaller
   */
  constructor(
    readonly sampler: Sampler,
    readonly batchSize: number,
    readonly dropLast = false,
  ) {
    checkCount(batchSize, 'BatchSampler: batchSize', 1)
  }

  get length(): number {
    const batches = this.sampler.length / this.batchSize
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  setEpoch(epoch: number): void {
    this.sampler.setEpoch?.(epoch)
  }

  *[Symbol.iterator](): Iterator<number[]> {
    let batch: number[] = []
    for (const index of this.sampler) {
      batch.push(index)
      if (batch.length < this.batchSize) continue
      yield batch
      batch = []
    }
    if (batch.length > 0 && !this.dropLast) yield batch
  }
}

/** @throws ArgumentError unless it is a whole number of `least` or more */
export function checkCount(value: number, name: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new ArgumentError(`${name} is ${String(value)}; it must be a whole number of ${least} or more`)
}
