// Samples to learn from: parts of volumes, changed at random, with what the network is to say of them.
import type { Dataset, SampleContext } from '../../../data'
import { RandomStream, Stream } from '../../../data/random'
import {
  hasLabelledVolumes,
  type LabelledVolume,
  readLabelledVolumes,
  readMirrored,
  type Triple,
  tensorVolume,
  type VolumePart,
  type VolumeSource,
} from '../../../datasets'
import { ArgumentError } from '../../../native/errors'
import { type DataOptions, SYNTHETIC } from '../../../pipeline'
import { dispose, keep, type Tensor, tidyAsync } from '../../../tensor'
import { type EmSample, emAugment, sampleSize } from './augment'
import type { Config } from './config'
import { syntheticVolume } from './synthetic'
import { emTargets, erodeContacts } from './targets'

/** A sample as the network is trained on it. */
export interface TrainingSample {
  /** `[1, D, H, W]` float32 in 0–1. */
  readonly image: Tensor
  /** `[C, D, H, W]` float32 of 0 and 1. */
  readonly targets: Tensor
}

const SYNTHETIC_VOLUMES = { train: 6, val: 2 } as const

/** The volumes of a part of a data set, or made-up ones; those in memory belong to the scope. */
export async function labelledVolumes(
  part: VolumePart,
  { data, ...settle }: Pick<DataOptions, 'data' | 'skipBroken' | 'note'>,
): Promise<LabelledVolume[]> {
  if (data !== SYNTHETIC) return readLabelledVolumes(data, part, settle)
  return Array.from({ length: SYNTHETIC_VOLUMES[part] }, (_, i) => inMemory(part === 'train' ? i : 1000 + i))
}

function inMemory(number: number): LabelledVolume {
  const { image, labels } = syntheticVolume(number)
  const name = `synthetic ${number}`
  return { name, image: tensorVolume(image, name), labels: tensorVolume(labels, name) }
}

/** Whether a data set has volumes to be judged by. */
export function hasValidation({ data }: Pick<DataOptions, 'data'>): boolean {
  return data === SYNTHETIC || hasLabelledVolumes(data, 'val')
}

/** Bytes of a volume of more bits, from its darkest to its brightest voxel; a volume of bytes as it is. */
export async function asBytes(volume: VolumeSource): Promise<VolumeSource> {
  const [depth, height, width] = volume.shape
  let range: readonly [number, number] | undefined
  for (let z = 0; z < depth; z++) {
    range = await tidyAsync(async (): Promise<readonly [number, number] | undefined> => {
      const slice = await volume.read([z, 0, 0], [1, height, width])
      if (slice.dtype === 'uint8') return undefined
      const [least, most] = [Number(slice.amin().item()), Number(slice.amax().item())]
      return [Math.min(least, range?.[0] ?? least), Math.max(most, range?.[1] ?? most)]
    })
    if (range === undefined) return volume
  }
  const [low, high] = range ?? [0, 1]
  const fits = low >= 0 && high <= 255 && high > 1
  return {
    ...volume,
    read: (start, size) =>
      tidyAsync(async () => {
        const values = (await volume.read(start, size)).to('float32')
        const scaled = fits
          ? values
          : values
              .sub(low)
              .div(Math.max(high - low, 1e-12))
              .mul(255)
        return scaled.round().to('uint8')
      }),
  }
}

/** Data sets of fewer voxels are held in memory. */
const MOST_HELD = 2 ** 28

/** A part of a volume that samples are taken from. */
export interface Chunk {
  readonly volume: number
  readonly start: Triple
  readonly size: Triple
}

/** Overlapping parts along an axis: the first and last `2 / (parts + 1)` of it, and those between. */
export function chunkSpans(length: number, parts: number, least: number): [start: number, size: number][] {
  let count = Math.max(1, parts)
  while (count > 1 && Math.floor((2 * length) / (count + 1)) < least) count--
  const bound = (i: number) => Math.floor((i * length) / (count + 1))
  return Array.from({ length: count }, (_, i) => [bound(i), bound(i + 2) - bound(i)])
}

/**
 * Samples of volumes: at random places of all that is in memory, or of one chunk after the other where that is too
 * large; a chunk is read anew for `chunkSteps` steps, and all have been used before one comes again.
 */
export class VolumeSamples implements Dataset<TrainingSample>, Disposable {
  readonly length: number
  readonly #chunks: readonly Chunk[]
  readonly #size: Triple
  readonly #chunked: boolean
  readonly #held = new Map<number, Promise<EmSample>>()

  constructor(
    readonly volumes: readonly LabelledVolume[],
    readonly config: Config,
    steps: number,
  ) {
    const { training, augmentation } = config
    this.length = steps * training.batchSize
    this.#size = sampleSize(training.window as Triple, augmentation)
    const total = volumes.reduce((sum, { image }) => sum + image.shape.reduce((product, side) => product * side, 1), 0)
    this.#chunked = total > MOST_HELD
    this.#chunks = volumes.flatMap(({ image }, volume) => {
      const [zs = [], ys = [], xs = []] = image.shape.map((length, axis) =>
        chunkSpans(length, this.#chunked ? (training.chunks[axis] ?? 1) : 1, this.#size[axis] ?? 1),
      )
      return zs.flatMap(([z, d]) =>
        ys.flatMap(([y, h]) => xs.map(([x, w]): Chunk => ({ volume, start: [z, y, x], size: [d, h, w] }))),
      )
    })
  }

  get(index: number, context?: SampleContext): Promise<TrainingSample> {
    const { training, augmentation, targets, network } = this.config
    const stream = new RandomStream(context?.seed ?? index, context?.epoch ?? 0, Stream.Samples)
    const draws = {
      uniform: () => stream.uniform(),
      below: (n: number) => stream.below(n),
      generator: context?.generator,
    }
    return tidyAsync(async () => {
      const number = this.#chunked ? this.#chunkOf(index) : this.#drawChunk(draws.uniform())
      const whole = await this.#read(number)
      const sample = await this.#cut(whole, draws.below)
      const { image, labels } = emAugment(sample, training.window as Triple, augmentation, draws)
      return {
        image: image.unsqueeze(0),
        targets: emTargets(labels, network.representation, {
          half: targets.contourHalf,
          background: targets.contourBackground,
        }),
      }
    })
  }

  #chunkOf(index: number): number {
    const { batchSize, chunkSteps, seed } = this.config.training
    const turn = Math.floor(index / (batchSize * chunkSteps))
    const count = this.#chunks.length
    const order = new RandomStream(seed, Math.floor(turn / count), Stream.Split).permutation(count)
    return order[turn % count] ?? 0
  }

  /** Chunks in the share of their voxels. */
  #drawChunk(at: number): number {
    const sizes = this.#chunks.map(({ size }) => size.reduce((product, side) => product * side, 1))
    let left = at * sizes.reduce((sum, each) => sum + each, 0)
    const found = sizes.findIndex((size) => {
      left -= size
      return left < 0
    })
    return Math.max(0, found)
  }

  #read(number: number): Promise<EmSample> {
    const held = this.#held.get(number)
    if (held !== undefined) return held
    if (this.#chunked) this.#forget()
    const reading = this.#load(this.#chunks[number] as Chunk)
    this.#held.set(number, reading)
    return reading
  }

  /** Grey values, and the numbers of objects without the places where they touch. */
  #load({ volume, start, size }: Chunk): Promise<EmSample> {
    return tidyAsync(async () => {
      const { image, labels } = this.volumes[volume] as LabelledVolume
      const bytes = await (await asBytes(image)).read(start, size)
      const numbers = await labels.read(start, size)
      const eroded = erodeContacts(numbers.to('int32'), this.config.targets.erosion)
      return { image: keep(bytes), labels: keep(eroded === numbers ? eroded.clone() : eroded) }
    })
  }

  async #cut({ image, labels }: EmSample, below: (n: number) => number): Promise<EmSample> {
    const start = this.#size.map((side, axis) => {
      const length = image.size(axis)
      // A part that is smaller than a sample lies in its middle.
      return length < side ? Math.floor((length - side) / 2) : below(length - side + 1)
    }) as unknown as Triple
    const read = (x: Tensor) => readMirrored(tensorVolume(x), start, this.#size)
    return { image: (await read(image)).to('float32').div(255), labels: await read(labels) }
  }

  #forget(): void {
    for (const reading of this.#held.values()) void reading.then(dispose)
    this.#held.clear()
  }

  [Symbol.dispose](): void {
    this.#forget()
  }
}

/** @throws ArgumentError when the window's sides do not suit the network */
export function checkWindow(window: readonly number[], name: string): void {
  const [depth = 0, height = 0, width = 0] = window
  if (depth > 0 && height > 0 && width > 0 && height % 16 === 0 && width % 16 === 0) return
  throw new ArgumentError(`mitoem: ${name} is ${window.join(', ')}; rows and columns are multiples of 16 above 0`)
}
