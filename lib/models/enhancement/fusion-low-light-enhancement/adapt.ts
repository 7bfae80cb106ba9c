// Training on the very pictures that are to be enhanced, where there are no weights.
import { DataLoader } from '../../../data'
import type { RunOptions } from '../../../pipeline'
import { type Device, manualSeed, type Tensor, tidyAsync } from '../../../tensor'
import type { Config } from './config'
import { brightAndGuide, Crops, cropFor, FusionCrops, type Picture } from './data'
import { LowLightNetworks } from './model'
import { brightnessTrainer, fusionTrainer, type StageOptions } from './stages'

/**
 * Networks trained on pictures `[3, H, W]`, by steps in place of epochs and with more of a step each: both objectives
 * need no truth, so the pictures themselves do.
 *
 * @throws CancelledError
 */
export function adapt(
  config: Config,
  images: readonly Tensor[],
  { device, signal, onProgress }: RunOptions & { readonly device: Device },
): Promise<LowLightNetworks> {
  return tidyAsync(async () => {
    const { brightnessSteps, fusionSteps, learningRate, crop, batchSize } = config.adaptation
    const { seed } = config.training
    manualSeed(seed)
    const model = new LowLightNetworks(config).to(device)
    const pictures = images.map(
      (image, index): Picture => ({ name: `picture ${index}`, read: async () => image.clone() as Tensor<'float32'> }),
    )
    const size = await cropFor(pictures, crop)
    const options = (stage: string, total: number): StageOptions => ({
      ...{ learningRate, seed, progress: false, logEvery: 5 },
      onRecord: ({ step }) => onProgress?.({ stage, done: step, total }),
    })
    // An epoch as long as the training, so that there is one order of samples.
    const repeats = (steps: number) => Math.ceil((steps * batchSize) / pictures.length)

    if (config.ablation !== 'noBAB') {
      const loader = new DataLoader(new Crops(pictures, size, repeats(brightnessSteps)), {
        batchSize,
        shuffle: true,
        seed,
      })
      await brightnessTrainer(model, options('brightness', brightnessSteps)).fit(loader, {
        steps: brightnessSteps,
        signal,
      })
    }
    if (config.ablation !== 'noFM') {
      const stacked: Picture[] = []
      for (const [index, image] of images.entries()) {
        const planes = await brightAndGuide(model, image, signal)
        stacked.push({ name: `picture ${index}`, read: async () => planes.clone() as Tensor<'float32'> })
      }
      const loader = new DataLoader(new FusionCrops(stacked, size, repeats(fusionSteps)), {
        batchSize,
        shuffle: true,
        seed,
      })
      await fusionTrainer(model, options('fusion', fusionSteps)).fit(loader, { steps: fusionSteps, signal })
    }
    return model.eval()
  })
}
