// Training on the very pictures that are to be denoised, where there are no weights.
import { ConfigError } from '../../../native/errors'
import { Adam, MultiStepLR } from '../../../optim'
import type { RunOptions } from '../../../pipeline'
import { type Device, dispose, manualSeed, type Tensor, tidyAsync } from '../../../tensor'
import { Trainer } from '../../../train'
import type { Config } from './config'
import { RandomCrops } from './crops'
import { DenoisingUNet } from './model'
import { needsTarget, objectiveOf } from './objective'
import { milestones } from './schedule'

/**
 * A network trained on noisy pictures `[C, H, W]`, all together.
 *
 * @throws ConfigError for methods that learn from pairs
 * @throws CancelledError
 */
export function adapt(
  config: Config,
  images: readonly Tensor[],
  { device, signal, onProgress }: RunOptions & { readonly device: Device },
): Promise<DenoisingUNet> {
  if (needsTarget(config.method)) {
    throw new ConfigError(
      `method ${config.method} learns from pairs of pictures, and there is one of each; use stn or nb2nb, or weights of a training`,
    )
  }
  const { steps, learningRate, crop, batchSize, initScale } = config.adaptation
  const { seed, regularisation } = config.training
  return tidyAsync(async () => {
    manualSeed(seed)
    const model = new DenoisingUNet({ ...config.network, initScale }).to(device)
    const optimizer = new Adam(model.parameters(), { lr: learningRate })
    const trainer = new Trainer({
      model,
      optimizer,
      loss: objectiveOf(model, config),
      schedule: { scheduler: new MultiStepLR(optimizer, { milestones: milestones(steps), gamma: 0.5 }), every: 'step' },
      seed,
      progress: false,
      logEvery: Math.min(5, steps),
      onRecord: ({ kind, step }) => {
        if (kind === 'step') onProgress?.({ stage: 'training', done: step, total: steps })
      },
    })
    try {
      await trainer.fit(new RandomCrops(images, { steps, crop, batchSize, seed, regularisation }), { steps, signal })
      return model.eval()
    } catch (error) {
      dispose([model, optimizer])
      throw error
    }
  })
}
