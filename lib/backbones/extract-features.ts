// Features of many images, read ahead and computed off the event loop.
import { readImage, type Source } from '../io'
import { ArgumentError, CancelledError, ShapeError } from '../native/errors'
import { capture, cat, dispose, noGrad, type Progress, stack, Tensor, tidy, tidyAsync, zeros } from '../tensor'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import { FeatureExtractor, type Network } from './feature-extractor'
import { IMAGENET_224, type ImageInput } from './network'
import { prepareImage } from './prepare-image'

export interface ExtractFeaturesOptions {
  /** Dotted name of the part whose output is taken; the network's own output unless stated. */
  readonly layer?: string | undefined
  /** How images are prepared; ImageNet's preparation at 224 unless stated. */
  readonly input?: ImageInput | undefined
  /** Images that run at a time; 16 unless stated. */
  readonly batchSize?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Told the number of images done. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * Features of images by a network in evaluation behaviour, without gradients.
 *
 * The network is captured: but for the first batch it runs beside the event loop, while the images of the next batch
 * are read.
 *
 * @param model any network of one batch of images; on whatever device its parameters are
 * @param images files (paths, `file:` URLs, bytes), or tensors `[3, H, W]` as `readImage` gives them
 * @returns `[N, …]` on the CPU in the order of the images; trailing dimensions of length 1, as pooling leaves them, are
 *   dropped
 * @throws ArgumentError when there are no images, or there is no such layer
 * @throws ShapeError when images differ in size after preparation; give an `input` with a `crop`
 * @throws CancelledError when `signal` is aborted
 */
export async function extractFeatures(
  model: Network,
  images: readonly (Source | Tensor)[],
  options: ExtractFeaturesOptions = {},
): Promise<Tensor> {
  const { layer, input = IMAGENET_224, batchSize = 16, signal, onProgress } = options
  if (images.length === 0) throw new ArgumentError('extractFeatures: there are no images; pass one or more')
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ArgumentError(`extractFeatures: batchSize is ${batchSize}; it is a whole number from 1`)
  }
  const extractor = layer === undefined ? undefined : new FeatureExtractor(model, [layer])
  const behaviour = [...model.modules()].map((module) => [module, module.training] as const)
  const captured = capture((batch: Tensor) =>
    noGrad(() => outputOf(extractor ? extractor.forward(batch)[layer ?? ''] : model.forward(batch as never))),
  )
  model.eval()
  try {
    return await tidyAsync(async () => {
      const parts: Tensor[] = []
      const size = Math.min(batchSize, images.length)
      let next = readBatch(images.slice(0, size), input)
      try {
        for (let start = 0; start < images.length; start += size) {
          const batch = await next
          next = readBatch(images.slice(start + size, start + 2 * size), input)
          // Awaited a turn later: a failure must not count as unhandled before.
          next.catch(() => {})
          if (signal?.aborted) throw cancelled(signal)
          parts.push(await runBatch(captured, model, batch, size, signal))
          dispose(batch)
          onProgress?.({ stage: 'features', done: Math.min(start + size, images.length), total: images.length })
        }
        return tidy(() => dropTrailingOnes(cat(parts)))
      } finally {
        // The scope must not end before what is read into it.
        await next.catch(() => {})
      }
    })
  } finally {
    captured.dispose()
    for (const [module, training] of behaviour) module.training = training
  }
}

async function readBatch(images: readonly (Source | Tensor)[], input: ImageInput): Promise<Tensor | undefined> {
  if (images.length === 0) return undefined
  return tidyAsync(async () => {
    const prepared = await Promise.all(
      images.map(async (image) => prepareImage(isTensor(image) ? (image as Tensor) : await readImage(image), input)),
    )
    const [first] = prepared
    const other = prepared.findIndex(({ shape }) => String(shape) !== String(first?.shape))
    if (other >= 0) {
      throw new ShapeError(
        `extractFeatures: ${nameOf(images[0])} is [${first?.shape}] after preparation, ${nameOf(images[other])} [${prepared[other]?.shape}]; give an input with a crop, or a batchSize of 1`,
      )
    }
    return stack(prepared)
  })
}

/** Runs a batch with as many images as the first one had, so that one graph serves for all. */
async function runBatch(
  captured: ReturnType<typeof capture<[batch: Tensor], Tensor>>,
  model: Network,
  batch: Tensor | undefined,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Tensor> {
  if (batch === undefined) throw new ArgumentError('extractFeatures: a batch is empty')
  const [parameter] = model.parameters()
  const { device = 'cpu', dtype = 'float32' } = parameter ?? {}
  return tidyAsync(async () => {
    const images = batch.shape[0] ?? 0
    const full = images === size ? batch : cat([batch, zeros([size - images, ...batch.shape.slice(1)])])
    const features = await captured.run([full.to({ device, dtype })], { signal })
    if (features.shape[0] !== size) {
      throw new ShapeError(
        `extractFeatures: ${size} images gave features [${features.shape}]; their first dimension is to be the images'`,
      )
    }
    return features.narrow(0, 0, images).to('cpu').clone()
  })
}

function outputOf(output: unknown): Tensor {
  if (output instanceof Tensor) return output
  throw new ArgumentError(
    `extractFeatures: the network gives ${describe(output)}, not one Tensor; name a layer with { layer }`,
  )
}

function dropTrailingOnes(features: Tensor): Tensor {
  const shape = [...features.shape]
  while (shape.length > 2 && shape.at(-1) === 1) shape.pop()
  return features.reshape(shape)
}

function nameOf(image: Source | Tensor | undefined): string {
  return typeof image === 'string' || image instanceof URL ? String(image) : 'an image'
}

function cancelled(signal: AbortSignal): CancelledError {
  return new CancelledError('extractFeatures: cancelled by its AbortSignal', { cause: signal.reason })
}
