// The two trainings, on whatever pictures: of a data set, or those that are to be enhanced.
import { Adam } from '../../../optim'
import type { Tensor } from '../../../tensor'
import { Trainer, type TrainerOptions } from '../../../train'
import type { FusionSample } from './data'
import { exposureLoss, fusionLoss, smoothnessLoss } from './loss'
import type { LowLightNetworks } from './model'

/** Options of the trainer that do not depend on the stage. */
export type StageOptions = Pick<
  TrainerOptions<unknown>,
  'folder' | 'progress' | 'seed' | 'onRecord' | 'logEvery' | 'curves'
> & {
  readonly learningRate: number
}

/** Trains the brightness network on batches `[B, 3, H, W]` of dark pictures. */
export function brightnessTrainer(
  model: LowLightNetworks,
  { learningRate: lr, ...options }: StageOptions,
): Trainer<Tensor> {
  const { exposure: wanted, exposureNorm, smoothness: weight, weightDecay, clipNorm } = model.config.training.brightness
  return new Trainer({
    ...options,
    model: model.brightness,
    optimizer: new Adam(model.brightness.parameters(), { lr, weightDecay }),
    clipNorm,
    loss: (image: Tensor) => {
      const { value, maps } = model.brighten(image)
      const exposure = exposureLoss(value, wanted, exposureNorm)
      const smoothness = smoothnessLoss(maps)
      return { loss: exposure.add(smoothness.mul(weight)), exposure, smoothness }
    },
  })
}

/** Trains the fusion network on batches of brightened pictures and guides. */
export function fusionTrainer(
  model: LowLightNetworks,
  { learningRate: lr, ...options }: StageOptions,
): Trainer<FusionSample> {
  const weights = model.config.training.fusion
  return new Trainer({
    ...options,
    model: model.fusion,
    optimizer: new Adam(model.fusion.parameters(), { lr }),
    loss: ({ noisy, guide, patterns }: FusionSample) => {
      const { reconstruction, regularisation } = fusionLoss(model.fusion, noisy, guide, patterns)
      const loss = reconstruction.mul(weights.reconstruction).add(regularisation.mul(weights.regularisation))
      return { loss, reconstruction, regularisation }
    },
  })
}
