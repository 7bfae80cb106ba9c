import { ArgumentError } from '../native/errors'
import { checkSeed, RandomStream, Stream } from './random'
import { checkCount, type Sampler, type Sized } from './samplers'

export interface DistributedSamplerOptions {
  /** How many processes train together. */
  readonly numReplicas: number
  /** Which of them this one is, from 0. */
  readonly rank: number
  /** True unless stated. */
  readonly shuffle?: boolean | undefined
  /** The same in all processes; 0 unless stated. */
  readonly seed?: number | undefined
  /** Leave out the samples that do not divide evenly; otherwise the first ones are taken twice. */
  readonly dropLast?: boolean | undefined
  /**
   * False: no sample is taken twice, and parts may differ by one in length. For evaluation; in training a process that
   * has a batch less leaves the others waiting. True unless stated.
   */
  readonly pad?: boolean | undefined
}

/**
 * The part of a data set that one of several processes trains on: of the common order, every numReplicas-th sample from
 * the rank on. All parts have the same length, unless `pad` is false. Call `setEpoch` before each epoch (a `DataLoader` does), or every epoch
 * has the same order. Semantics of `torch.utils.data.DistributedSampler`.
 */
export class DistributedSampler implements Sampler {
  readonly length: number
  readonly numReplicas: number
  readonly rank: number
  readonly shuffle: boolean
  readonly seed: number
  readonly dropLast: boolean
  readonly pad: boolean
  #epoch = 0

  /** @throws ArgumentError when the rank is not below numReplicas */
  constructor(
    readonly source: Sized,
    { numReplicas, rank, shuffle = true, seed = 0, dropLast = false, pad = true }: DistributedSamplerOptions,
  ) {
    this.numReplicas = checkCount(numReplicas, 'DistributedSampler: numReplicas', 1)
    this.rank = checkCount(rank, 'DistributedSampler: rank', 0)
    if (rank >= numReplicas) {
      throw new ArgumentError(`DistributedSampler: rank ${rank} is not below numReplicas, ${numReplicas}`)
    }
    this.shuffle = shuffle
    this.seed = checkSeed(seed)
    this.dropLast = dropLast
    this.pad = pad
    this.length = Math.ceil(Math.max(0, this.totalSize - rank) / numReplicas)
  }

  /** Samples of all parts together. */
  get totalSize(): number {
    const { source, numReplicas, dropLast, pad } = this
    if (dropLast) return numReplicas * Math.floor(source.length / numReplicas)
    return pad ? numReplicas * Math.ceil(source.length / numReplicas) : source.length
  }

  get epoch(): number {
    return this.#epoch
  }

  setEpoch(epoch: number): void {
    this.#epoch = checkCount(epoch, 'setEpoch: epoch', 0)
  }

  *[Symbol.iterator](): Iterator<number> {
    const n = this.source.length
    const order = this.shuffle ? new RandomStream(this.seed, this.#epoch, Stream.Order).permutation(n) : undefined
    for (let place = this.rank; place < this.totalSize; place += this.numReplicas) {
      yield order ? (order[place % n] as number) : place % n
    }
  }
}
