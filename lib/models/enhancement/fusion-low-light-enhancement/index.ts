// Fusion-Based Low-Light Image Enhancement (MMM 2023).
import { defineSystem } from '../../../pipeline'
import { cat, type Tensor } from '../../../tensor'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { LowLightNetworks } from './model'
import { LowLightEnhancer } from './pipeline'
import { syntheticPicture } from './synthetic'
import { train } from './train'

export { BrightnessNetwork, brightnessCurve } from './brightness'
export { card } from './card'
export { Config } from './config'
export { type Fused, GuidedFusion } from './fusion'
export { denoisedGuide, estimateNoise, type Guide } from './guide'
export { Inception, InceptionTrunk } from './inception'
export { exposureLoss, type FusionLoss, fusionLoss, smoothnessLoss } from './loss'
export { type Brightened, LowLightNetworks } from './model'
export { type Enhanced, PictureEnhancer } from './picture-enhancer'
export { LowLightEnhancer } from './pipeline'
export { type AdjustedSaturation, adjustSaturation, saturationRatio } from './saturation'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: (config: Config) => new LowLightNetworks(config),
  probe: (model) => ({
    inputs: [syntheticPicture(0, 24).dark.unsqueeze(0)],
    run: (image: Tensor) => {
      const { value, maps } = model.brighten(image)
      return cat([value, maps, model.fusion.forward(image, image).q], { dim: 1 })
    },
  }),
  train,
  evaluate,
  load: LowLightEnhancer.load,
})
