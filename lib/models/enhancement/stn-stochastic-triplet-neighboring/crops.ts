// Batches of crops: stored ones epoch by epoch, or new ones at random.
import { RandomStream, Stream } from '../../../data/random'
import { ConfigError } from '../../../native/errors'
import { scalarTensor, stack, type Tensor, tidy } from '../../../tensor'
import type { BatchSource } from '../../../train'
import { mirrorPad } from '../../../vision'
import type { DenoisingBatch } from './objective'

/** Crops that differ in size make no batch. */
const SMALLEST = 64

interface Schedule {
  readonly batchSize: number
  readonly seed: number
  /** γ at the end of the training; it grows in proportion. */
  readonly regularisation: number
}

const stepTensors = (iteration: number, weight: number) => ({
  iteration: scalarTensor(iteration, { dtype: 'int64' }),
  weight: scalarTensor(weight, { dtype: 'float32' }),
})

/**
 * One stored crop of each picture, in a new order each epoch; the last incomplete batch is dropped. γ grows with each
 * epoch (Neighbor2Neighbor's ramp).
 */
export class StoredCrops implements BatchSource<DenoisingBatch> {
  readonly length: number
  readonly #batch: number
  #epoch = 0

  /**
   * @param noisy crops `[C, h, w]` of one size
   * @param targets as many, for methods that learn from pairs
   */
  constructor(
    readonly noisy: readonly Tensor[],
    readonly targets: readonly Tensor[] | undefined,
    readonly options: Schedule & { readonly epochs: number },
  ) {
    this.#batch = Math.min(options.batchSize, noisy.length)
    this.length = this.#batch === 0 ? 0 : Math.floor(noisy.length / this.#batch)
  }

  setEpoch(epoch: number): void {
    this.#epoch = epoch
  }

  *[Symbol.iterator](): Iterator<DenoisingBatch> {
    const { seed, regularisation, epochs } = this.options
    const epoch = this.#epoch
    const order = new RandomStream(seed, epoch, Stream.Order).permutation(this.noisy.length)
    for (let batch = 0; batch < this.length; batch++) {
      const chosen = order.slice(batch * this.#batch, (batch + 1) * this.#batch)
      const of = (crops: readonly Tensor[]) => stack(chosen.map((index) => crops[index] as Tensor))
      const iteration = epoch * this.length + batch + 1
      const batchOf = { noisy: of(this.noisy), ...stepTensors(iteration, (regularisation * (epoch + 1)) / epochs) }
      yield this.targets ? { ...batchOf, target: of(this.targets) } : batchOf
    }
  }
}

/**
 * New crops at every step, as many as there are pictures at most; these take turns in a random order. γ grows with each
 * step.
 */
export class RandomCrops implements BatchSource<DenoisingBatch> {
  readonly length: number
  readonly side: number
  readonly #images: readonly Tensor[]

  /** @param images `[C, H, W]` of any sizes; those smaller than a crop are mirrored at their borders */
  constructor(
    images: readonly Tensor[],
    readonly options: Schedule & { readonly steps: number; readonly crop: number },
  ) {
    if (images.length === 0) throw new ConfigError('RandomCrops: there are no pictures')
    const least = Math.min(...images.map((image) => Math.min(image.size(1), image.size(2))))
    this.side = least >= options.crop ? options.crop : Math.max(SMALLEST, least - (least % SMALLEST))
    this.length = options.steps
    this.#images = images
  }

  *[Symbol.iterator](): Iterator<DenoisingBatch> {
    const { seed, steps, regularisation } = this.options
    const batchSize = Math.min(this.options.batchSize, this.#images.length)
    const order = new RandomStream(seed, 0, Stream.Order)
    const places = new RandomStream(seed, 0, Stream.Samples)
    let turns: number[] = []
    for (let step = 1; step <= steps; step++) {
      const crops = Array.from({ length: batchSize }, () => {
        if (turns.length === 0) turns = order.permutation(this.#images.length)
        return this.#crop(this.#images[turns.pop() ?? 0] as Tensor, places)
      })
      yield { noisy: stack(crops), ...stepTensors(step, (regularisation * step) / steps) }
    }
  }

  #crop(image: Tensor, places: RandomStream): Tensor {
    const { side } = this
    const [height, width] = [Math.max(side, image.size(1)), Math.max(side, image.size(2))]
    const [top, left] = [places.below(height - side + 1), places.below(width - side + 1)]
    return tidy(() => mirrorPad(image, height, width).narrow(1, top, side).narrow(2, left, side).contiguous())
  }
}
