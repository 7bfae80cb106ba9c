import {
  ImageResult,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  type SelfTraining,
  SelfTrainingPipeline,
} from '../../../pipeline'
import type { Tensor } from '../../../tensor'
import { adapt } from './adapt'
import { card } from './card'
import { Config } from './config'
import { LowLightNetworks } from './model'
import { PictureEnhancer } from './picture-enhancer'

const networks = { card, config: Config, create: (config: Config) => new LowLightNetworks(config) }

const method: SelfTraining<typeof Config, LowLightNetworks> = {
  caller: 'LowLightEnhancer',
  adapt,
  runner: (model) => {
    const enhancer = new PictureEnhancer(model)
    return {
      run: async (picture, options) => {
        const { image, sigma, greyed } = await enhancer.run(picture.unsqueeze(0), options)
        return new ImageResult(image.squeeze(0) as Tensor<'float32'>, { sigma: 255 * sigma, greyed })
      },
      [Symbol.dispose]: () => enhancer[Symbol.dispose](),
    }
  },
}

/**
 * Brightens dark photographs (Fusion-Based Low-Light Image Enhancement, MMM 2023).
 *
 * With weights it runs the networks that `train` made. Without, it trains them on the pictures it is given, which takes
 * a minute or two; `batch` trains on all of its pictures together.
 *
 * @example
 * using enhancer = await LowLightEnhancer.load({ weights: 'low-light.safetensors' })
 * using bright = await enhancer.run('night.jpg')
 * await bright.toFile('day.png')
 */
export class LowLightEnhancer extends SelfTrainingPipeline<typeof Config, LowLightNetworks> {
  private constructor(loaded: LoadedNetworks<typeof Config, LowLightNetworks>, adapts: boolean) {
    super(method, loaded, adapts)
  }

  /** @throws ConfigError when the weights are another system's, ShapeError when they are of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<LowLightEnhancer> {
    const loaded = await loadNetworks(networks, options)
    return new LowLightEnhancer(loaded, options.weights === undefined)
  }
}
