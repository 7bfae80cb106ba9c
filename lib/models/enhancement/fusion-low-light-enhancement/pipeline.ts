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
import { adapt } from './adapt'
import { card } from './card'
import { Config } from './config'
import { LowLightNetworks } from './model'
import { PictureEnhancer } from './picture-enhancer'

const networks = { card, config: Config, create: (config: Config) => new LowLightNetworks(config) }

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
export class LowLightEnhancer extends Pipeline<ImageInput, ImageResult> {
  readonly #enhancer: PictureEnhancer

  private constructor(
    private readonly loaded: LoadedNetworks<typeof Config, LowLightNetworks>,
    private readonly adapts: boolean,
  ) {
    super()
    this.#enhancer = new PictureEnhancer(loaded.model)
  }

  /** @throws ConfigError when the weights are another system's, ShapeError when they are of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<LowLightEnhancer> {
    const loaded = await loadNetworks(networks, options)
    return new LowLightEnhancer(loaded, options.weights === undefined)
  }

  /** @throws the errors of `readImage`; CancelledError */
  async run(input: ImageInput, options: RunOptions = {}): Promise<ImageResult> {
    const [result] = await this.batch([input], options)
    return result as ImageResult
  }

  override async batch(inputs: readonly ImageInput[], options: RunOptions = {}): Promise<ImageResult[]> {
    const { device, config } = this.loaded
    return tidyAsync(async () => {
      const images = await Promise.all(inputs.map((input) => imageOf(input, device, 'LowLightEnhancer')))
      if (!this.adapts) return enhanceAll(this.#enhancer, images, options)
      using adapted = await adapt(config, images, { ...options, device })
      using enhancer = new PictureEnhancer(adapted)
      return await enhanceAll(enhancer, images, options)
    })
  }

  dispose(): void {
    this.#enhancer[Symbol.dispose]()
    this.loaded.model.dispose()
  }
}

async function enhanceAll(
  enhancer: PictureEnhancer,
  images: readonly Tensor[],
  options: RunOptions,
): Promise<ImageResult[]> {
  const results: ImageResult[] = []
  for (const image of images) {
    const { image: bright, sigma, greyed } = await enhancer.run(image.unsqueeze(0), options)
    results.push(new ImageResult(bright.squeeze(0) as Tensor<'float32'>, { sigma: 255 * sigma, greyed }))
  }
  return results
}
