// Which segments of a video are seen, and which videos make a batch.
import type { Sampler } from '../../../data'
import { RandomStream, Stream } from '../../../data/random'
import { FormatError } from '../../../native/errors'
import { PAIRS } from './co2-net'

/**
 * Random perturbed sampling: `samples` segments of `length` evenly, each moved at random up to the next. Shorter videos
 * give segments several times.
 */
export function perturbedIndices(length: number, samples: number, random: RandomStream): number[] {
  if (length === samples) return Array.from({ length }, (_, i) => i)
  const floor = (i: number) => Math.floor((i * length) / samples)
  return Array.from({ length: samples }, (_, i) => {
    const [first, last] = [floor(i), i === samples - 1 ? length - 1 : floor(i + 1)]
    return first < last ? first + random.below(last - first + 1) : first
  })
}

/** Evenly spaced segments, without chance, where a video has more than `samples`; otherwise all. */
export function evenIndices(length: number, samples: number): number[] {
  const count = Math.min(length, samples)
  return Array.from({ length: count }, (_, i) => Math.floor((i * length) / count))
}

/** Batches that begin with three pairs of videos that share a class, as CO2-Net's co-activity needs them. */
export class PairedBatches implements Sampler<readonly number[]> {
  #epoch = 0
  readonly #byClass: readonly (readonly number[])[]

  /**
   * @param labels classes of each video
   * @param length batches of an epoch
   * @throws FormatError when no class has two videos
   */
  constructor(
    readonly labels: readonly (readonly number[])[],
    readonly batchSize: number,
    readonly length: number,
    readonly seed: number,
  ) {
    const classes = [...new Set(labels.flat())].sort((a, b) => a - b)
    const videos = classes.map((label) => labels.flatMap((own, i) => (own.includes(label) ? [i] : [])))
    this.#byClass = videos.filter((all) => all.length > 1)
    if (this.#byClass.length === 0) {
      throw new FormatError('rsc-wtal: CO2-Net learns from pairs of videos, and no class has two')
    }
  }

  setEpoch(epoch: number): void {
    this.#epoch = epoch
  }

  *[Symbol.iterator](): Iterator<readonly number[]> {
    const random = new RandomStream(this.seed, this.#epoch, Stream.Order)
    for (let i = 0; i < this.length; i++) yield this.#batch(random)
  }

  #batch(random: RandomStream): readonly number[] {
    const order = random.permutation(this.#byClass.length)
    const pairs = Array.from({ length: PAIRS }, (_, i) => {
      const videos = this.#byClass[order[i % order.length] ?? 0] ?? []
      const [first = 0, second = 0] = random.permutation(videos.length)
      return [videos[first] ?? 0, videos[second] ?? 0]
    })
    const others = random.permutation(this.labels.length)
    const rest = Math.max(0, this.batchSize - 2 * PAIRS)
    return [...pairs.flat(), ...Array.from({ length: rest }, (_, i) => others[i % others.length] ?? 0)]
  }
}
