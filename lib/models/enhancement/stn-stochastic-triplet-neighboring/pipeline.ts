import {
  type ImageInput,
  ImageResult,
  imageOf,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  Pipeline,
  type RunOptions,
} from '../../../pipeline'
import { type Tensor, tidyAsync } from '../../../tensor'
import { rgbToGrey } from '../../../vision'
import { adapt } from './adapt'
import { card } from './card'
import { Config } from './config'
import { denoiserOf } from './denoise'
import { DenoisingUNet } from './model'

const networks = { card, config: Config, create: (config: Config) => new DenoisingUNet(config.network) }

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
export class SelfSupervisedDenoiser extends Pipeline<ImageInput, ImageResult> {
  private constructor(
    private readonly loaded: LoadedNetworks<typeof Config, DenoisingUNet>,
    private readonly adapts: boolean,
  ) {
    super()
  }

  /** @throws ConfigError when the weights are another system's, ShapeError when they are of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<SelfSupervisedDenoiser> {
    const loaded = await loadNetworks(networks, options)
    return new SelfSupervisedDenoiser(loaded, options.weights === undefined)
  }

  /** @throws the errors of `readImage`; CancelledError */
  async run(input: ImageInput, options: RunOptions = {}): Promise<ImageResult> {
    const [result] = await this.batch([input], options)
    return result as ImageResult
  }

  override async batch(inputs: readonly ImageInput[], options: RunOptions = {}): Promise<ImageResult[]> {
    const { device, config, model } = this.loaded
    return tidyAsync(async () => {
      const images = await Promise.all(inputs.map((input) => imageOf(input, device, 'SelfSupervisedDenoiser')))
      const planes = config.network.channels === 1 ? images.map((image) => rgbToGrey(image)) : images
      if (!this.adapts) return denoiseAll(model, config, planes, options)
      using adapted = await adapt(config, planes, { ...options, device })
      return await denoiseAll(adapted, config, planes, options)
    })
  }

  dispose(): void {
    this.loaded.model.dispose()
  }
}

async function denoiseAll(
  model: DenoisingUNet,
  config: Config,
  images: readonly Tensor[],
  options: RunOptions,
): Promise<ImageResult[]> {
  using denoise = denoiserOf(model, config)
  const results: ImageResult[] = []
  for (const image of images) {
    const clean = (await denoise(image.unsqueeze(0), options)).squeeze(0).clamp({ min: 0, max: 1 })
    // What was taken away tells how strong the noise was taken for.
    const removed = 255 * image.sub(clean).square().mean().sqrt().toNumber()
    results.push(new ImageResult(clean as Tensor<'float32'>, { removed }))
  }
  return results
}
