// STN: Stochastic Triplet Neighboring Approach to Self-supervised Denoising from Limited Noisy Images (MMM 2023).
import { defineSystem } from '../../../pipeline'
import type { Tensor } from '../../../tensor'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { DenoisingUNet } from './model'
import { SelfSupervisedDenoiser } from './pipeline'
import { syntheticScene } from './synthetic'
import { train } from './train'

export { card } from './card'
export { Config, METHODS, type Method, MIXING_RANGES } from './config'
export { denoiserOf, quantise } from './denoise'
export { type StnLoss, stnLoss } from './loss'
export { DenoisingUNet, type DenoisingUNetOptions } from './model'
export { type DenoisingBatch, objectiveOf } from './objective'
export { SelfSupervisedDenoiser } from './pipeline'
export { comparison, type ImageScores, scoreCrops } from './scores'
export { drawMixing, type Mixing, mixNeighbours, type StnTarget, stnTarget } from './target'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: ({ network }: Config) => new DenoisingUNet(network),
  probe: (model, { network }) => ({
    inputs: [syntheticScene(0, 0, 64).narrow(0, 0, network.channels).unsqueeze(0)],
    run: (picture: Tensor) => model.forward(picture),
  }),
  train,
  evaluate,
  load: SelfSupervisedDenoiser.load,
})
