// A network of images whose graphs are recorded for a few sizes of batches, and nothing else, before the first request.
import { extname } from 'node:path'
import {
  type CapturedFunction,
  capture,
  cat,
  type Device,
  manualSeed,
  noGrad,
  resolveDevice,
  stack,
  type Tensor,
  tidy,
  tidyAsync,
  zeros,
} from '@lab/vision-native'
import {
  type BackboneName,
  backboneEntry,
  type ImageInput,
  type Network,
  prepareImage,
} from '@lab/vision-native/backbones'
import { loadPth, readImage, readSafetensors, stateDictOf } from '@lab/vision-native/io'
import { skipInit } from '@lab/vision-native/nn'

export interface ClassifierOptions {
  /** Any network of image classification of the registry; resnet18 unless stated. */
  readonly network?: string
  /** A `.safetensors` or PyTorch file; first values drawn with `seed` unless stated, whose answers mean nothing. */
  readonly weights?: string | undefined
  readonly seed?: number
  readonly device?: Device | 'auto'
  /** Images that run together at most; 8 unless stated. */
  readonly maxBatch?: number
}

/** Sizes of images whose preparation is recorded; others take the place of those unused for longest. */
const MAX_SIZES = 32

/** The network's output for one image before the softmax, a number a class. */
export type Logits = Float32Array

/** An image network ready to serve; `load` makes it. */
export class Classifier {
  /** Batches are padded to one of these sizes, so that there are as many graphs. */
  readonly buckets: readonly number[]
  readonly #network: Network
  readonly #run: CapturedFunction<[batch: Tensor], Tensor>
  readonly #prepare: CapturedFunction<[image: Tensor], Tensor>

  private constructor(
    readonly name: string,
    readonly weights: string,
    readonly device: Device,
    readonly maxBatch: number,
    network: Network,
    readonly input: ImageInput & { readonly crop: readonly [number, number] },
  ) {
    this.#network = network
    this.buckets = bucketsUpTo(maxBatch)
    this.#run = capture((batch) => noGrad(() => network.forward(batch as never) as Tensor), { optimize: true })
    this.#prepare = capture((image) => prepareImage(image, input), { maxGraphs: MAX_SIZES })
  }

  /** Makes the network, and records a graph for each size of batch. */
  static async load({
    network: name = 'resnet18',
    weights,
    seed = 0,
    device = 'auto',
    maxBatch = 8,
  }: ClassifierOptions = {}): Promise<Classifier> {
    const { create, task, input } = backboneEntry(name as BackboneName)
    if (task !== 'image-classification' || input.kind !== 'image' || input.crop === null) {
      throw new Error(`--network ${name} is of ${task}; name one of image classification, such as resnet18`)
    }
    manualSeed(seed)
    const network = (weights === undefined ? create() : skipInit(() => create())) as Network
    if (weights !== undefined) await tidyAsync(async () => network.loadStateDict(await readState(weights)))
    const where = resolveDevice(device).device
    network.to(where).eval()
    const from = weights ?? `random (seed ${seed}): answers mean nothing`
    const classifier = new Classifier(name, from, where, maxBatch, network, { ...input, crop: input.crop })
    await classifier.#warmUp()
    return classifier
  }

  /** Graphs of the network: as many as there are sizes of batches. */
  get graphs(): number {
    return this.#run.graphCount
  }

  /**
   * A picture as the network takes it, `[3, H, W]`.
   *
   * @throws FormatError when it is no picture, or larger than `maxPixels`
   */
  async prepare(bytes: Uint8Array, maxPixels?: number): Promise<Tensor> {
    return tidyAsync(async () => this.#prepare(await readImage(bytes, { maxPixels })))
  }

  /** Logits of up to `maxBatch` prepared images. */
  async classify(images: readonly Tensor[], signal?: AbortSignal): Promise<Logits[]> {
    return tidyAsync(async () => {
      const bucket = this.buckets.find((size) => size >= images.length) ?? this.maxBatch
      const batch = tidy(() => {
        const [height, width] = this.input.crop
        const real = stack(images)
        const missing = bucket - images.length
        const padded = missing === 0 ? real : cat([real, zeros([missing, 3, height, width])])
        return padded.to(this.device)
      })
      const logits = await this.#run.run([batch], { signal })
      return rowsOf((await logits.data()) as Float32Array, bucket).slice(0, images.length)
    })
  }

  /** The same for one image, by the network itself: no batch, no graph, nothing fused. For checks. */
  async classifyAlone(image: Tensor): Promise<Logits> {
    return tidyAsync(async () => {
      const logits = noGrad(() => this.#network.forward(image.unsqueeze(0).to(this.device) as never) as Tensor)
      return (await logits.data()) as Float32Array
    })
  }

  dispose(): void {
    this.#run.dispose()
    this.#prepare.dispose()
    this.#network.dispose()
  }

  /** Recording holds the event loop, so it is done before there are requests. */
  async #warmUp(): Promise<void> {
    const [height, width] = this.input.crop
    // On a GPU a graph becomes a CUDA graph after three runs.
    const runs = this.device === 'cpu' ? 2 : 4
    for (const size of this.buckets) {
      for (let run = 0; run < runs; run++) {
        await tidyAsync(() => this.classify(Array.from({ length: size }, () => zeros([3, height, width]))))
      }
    }
  }
}

/** Probability of each class. */
export function softmax(logits: Logits): Logits {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = logits.map((value) => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

/** Powers of two, and the largest batch itself. */
function bucketsUpTo(most: number): number[] {
  const sizes: number[] = []
  for (let size = 1; size < most; size *= 2) sizes.push(size)
  return [...sizes, most]
}

function rowsOf(values: Float32Array, rows: number): Float32Array[] {
  const columns = values.length / rows
  return Array.from({ length: rows }, (_, row) => values.slice(row * columns, (row + 1) * columns))
}

async function readState(path: string): Promise<ReadonlyMap<string, Tensor>> {
  return extname(path).toLowerCase() === '.safetensors' ? readSafetensors(path) : stateDictOf(await loadPth(path))
}
