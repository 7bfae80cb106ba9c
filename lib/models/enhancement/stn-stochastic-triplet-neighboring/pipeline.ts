import {
  ImageResult,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  type SelfTraining,
  SelfTrainingPipeline,
} from '../../../pipeline'
import type { Tensor } from '../../../tensor'
import { rgbToGrey } from '../../../vision'
import { adapt } from './adapt'
import { card } from './card'
import { Config } from './config'
import { denoiserOf } from './denoise'
import { DenoisingUNet } from './model'

const networks = { card, config: Config, create: (config: Config) => new DenoisingUNet(config.network) }

const method: SelfTraining<typeof Config, DenoisingUNet> = {
  caller: 'SelfSupervisedDenoiser',
  planes: (image, { network }) => (network.channels === 1 ? rgbToGrey(image) : image),
  adapt,
  runner: (model, config) => {
    const denoise = denoiserOf(model, config)
    return {
      run: async (image, options) => {
        const clean = (await denoise(image.unsqueeze(0), options)).squeeze(0).clamp({ min: 0, max: 1 })
        // What was taken away tells how strong the noise was taken for.
        const removed = 255 * image.sub(clean).square().mean().sqrt().toNumber()
        return new ImageResult(clean as Tensor<'float32'>, { removed })
      },
      [Symbol.dispose]: () => denoise[Symbol.dispose](),
    }
  },
}

/**
 * Removes noise from photographs (Stochastic Triplet Neighboring, MMM 2023).
 *
 * With weights it runs the network that `train` made. Without, it trains one on the pictures it is given, which takes
 * minutes; `batch` trains on all of its pictures together, which is better where they are alike in noise.
 *
 * @example
 * using denoiser = await SelfSupervisedDenoiser.load()
 * const clean = await denoiser.batch(['1.png', '2.png', '3.png'])
 * await clean[0]?.toFile('1-clean.png')
 */
export class SelfSupervisedDenoiser extends SelfTrainingPipeline<typeof Config, DenoisingUNet> {
  private constructor(loaded: LoadedNetworks<typeof Config, DenoisingUNet>, adapts: boolean) {
    super(method, loaded, adapts)
  }

  /** @throws ConfigError when the weights are another system's, ShapeError when they are of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<SelfSupervisedDenoiser> {
    const loaded = await loadNetworks(networks, options)
    return new SelfSupervisedDenoiser(loaded, options.weights === undefined)
  }
}
