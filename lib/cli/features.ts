import { existsSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { type BackboneName, backboneEntry, extractFeatures, type Network } from '../backbones'
import { writeSafetensors } from '../io'
import { CancelledError, VisionNativeError } from '../native/errors'
import { skipInit } from '../nn'
import { tidyAsync } from '../tensor/scope'
import { type CommonOptions, type Context, EXIT, note, printJson, UsageError } from './command'
import { loadNetworkWeights, weightsFile } from './network-weights'
import { withProgress } from './progress'

/** Options of `vision-native features`. */
export interface FeaturesOptions extends CommonOptions {
  readonly model: string
  /** A file, a name of the weights table, or `random`. */
  readonly weights?: string
  readonly layer?: string
  readonly output: string
  readonly batchSize: number
}

/** `vision-native features`: features of photographs by a network, as a safetensors file. */
export async function features(
  images: readonly string[],
  options: FeaturesOptions,
  { signal }: Context,
): Promise<number> {
  checkOutput(options.output)
  const entry = usage(() => backboneEntry(options.model as BackboneName))
  const { input } = entry
  if (input.kind !== 'image') {
    throw new UsageError(`features --model: ${options.model} takes ${input.kind}, not images; name a network of images`)
  }
  const random = options.weights === 'random'
  // Looked for before the network is made, which takes a while.
  const weights = random ? 'random' : await weightsFile(options.model, options.weights, 'features')
  return tidyAsync(async () => {
    const started = performance.now()
    if (random) note('features: the weights are random, as asked; the features mean nothing')
    const model = (random ? entry.create() : skipInit(() => entry.create())) as Network
    const layout = random ? undefined : await loadNetworkWeights(options.model, model, weights, 'features')
    const layer = options.layer ?? entry.features
    const result = await withProgress(!options.json, (onProgress) =>
      extractFeatures(model, images, { layer, input, batchSize: options.batchSize, signal, onProgress }),
    ).catch((error: unknown) => {
      throw signal.aborted
        ? new CancelledError('features: cancelled; nothing was written', { cause: signal.reason })
        : error
    })
    const metadata = { model: options.model, weights, layer: layer ?? '', images: JSON.stringify(images) }
    await writeSafetensors(options.output, { features: result }, { metadata })

    const seconds = (performance.now() - started) / 1000
    const summary = {
      model: options.model,
      weights,
      layout,
      layer,
      images,
      shape: result.shape,
      output: options.output,
      seconds,
    }
    if (options.json) printJson(summary)
    else {
      console.log(`${images.length} images by ${options.model}, ${layer ?? 'its output'}: ${seconds.toFixed(2)} s`)
      console.log(`features [${result.shape.join(', ')}]: ${options.output}`)
    }
    return EXIT.ok
  })
}

function checkOutput(path: string): void {
  if (extname(path).toLowerCase() !== '.safetensors') {
    throw new UsageError(`features --output: ${path} is to end in .safetensors, which is what is written`)
  }
  if (!existsSync(dirname(path))) {
    throw new UsageError(`features: ${path} cannot be written: there is no folder ${dirname(path)}; make it first`)
  }
}

/** What the command line names wrongly is wrong usage. */
function usage<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (VisionNativeError.is(cause, 'Argument')) throw new UsageError(cause.message, { cause })
    throw cause
  }
}
