// Pairs of images to learn from: half of each batch of one eye, half of two.
import { type Dataset, type Sampler, sampleGenerator } from '../../../data'
import { RandomStream, Stream } from '../../../data/random'
import { ArgumentError } from '../../../native/errors'
import { randint, type Tensor, tensor, tidy } from '../../../tensor'
import type { Eye, IrisSample } from './protocol'
import type { StripSource, Strips } from './strips'

/** A pair of strips. */
export interface PairSample {
  /** `[H, W]` uint8, of the first domain. */
  readonly first: Tensor
  /** The same of the second. */
  readonly second: Tensor
  /** int64: 1 when both are of one eye. */
  readonly label: Tensor
}

/**
 * Pairs: sample 2 i is image i of the first domain with one of another eye, sample 2 i + 1 with one of the same. The
 * partner is drawn anew each time, any image of the second domain; both strips are turned by up to `shift` columns.
 */
export class IrisPairs implements Dataset<PairSample> {
  readonly length: number
  readonly #firsts: readonly { readonly image: IrisSample<StripSource>; readonly eye: number }[]

  /** @throws ArgumentError when there are fewer than two eyes */
  constructor(
    readonly eyes: readonly Eye<StripSource>[],
    readonly strips: Strips,
    readonly shift: number,
  ) {
    if (eyes.length < 2) {
      throw new ArgumentError(
        `iris-transformer-capsule: there are ${eyes.length} eyes with images of both domains for training; at least two are needed`,
      )
    }
    this.#firsts = eyes.flatMap(({ images: [own] }, eye) => own.map((image) => ({ image, eye })))
    this.length = 2 * this.#firsts.length
  }

  get(index: number): PairSample {
    const label = index % 2
    const { image, eye } = this.#firsts[Math.floor(index / 2)] as { image: IrisSample<StripSource>; eye: number }
    const other = label === 1 ? eye : (eye + 1 + drawn(this.eyes.length - 1)) % this.eyes.length
    const partners = this.eyes[other]?.images[1] ?? []
    const partner = partners[drawn(partners.length)] as IrisSample<StripSource>
    return tidy(() => ({ first: this.#turned(image), second: this.#turned(partner), label: tensor(BigInt(label)) }))
  }

  #turned({ source }: IrisSample<StripSource>): Tensor {
    const strip = this.strips.get(source)
    return this.shift === 0 ? strip : strip.roll([drawn(2 * this.shift + 1) - this.shift], { dims: [1] })
  }
}

/** A number from 0 to `count − 1` of the sample's own random numbers. */
function drawn(count: number): number {
  return Number(randint(0, count, [1], { generator: sampleGenerator() }).item())
}

/**
 * The numbers of `IrisPairs` in batches: each image of the first domain once an epoch, in random order; a random half of
 * each batch with its own eye. A last batch of a single pair is left out.
 */
export class HalfGenuineBatches implements Sampler<readonly number[]> {
  readonly length: number
  #epoch = 0

  /** @param count images of the first domain */
  constructor(
    readonly count: number,
    readonly batchSize: number,
    readonly seed: number,
  ) {
    this.length = Math.floor(count / batchSize) + (count % batchSize > 1 ? 1 : 0)
  }

  setEpoch(epoch: number): void {
    this.#epoch = epoch
  }

  *[Symbol.iterator](): Iterator<readonly number[]> {
    const random = new RandomStream(this.seed, this.#epoch, Stream.Order)
    const order = random.permutation(this.count)
    for (let batch = 0; batch < this.length; batch++) {
      const images = order.slice(batch * this.batchSize, (batch + 1) * this.batchSize)
      const labels = random.shuffle(images.map((_, i) => (i < Math.floor(images.length / 2) ? 1 : 0)))
      yield images.map((image, i) => 2 * image + (labels[i] ?? 0))
    }
  }
}
