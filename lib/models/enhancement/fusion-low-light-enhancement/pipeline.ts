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
import { capture, noGrad, type Tensor, tidy, tidyAsync } from '../../../tensor'
import type { AsyncCallOptions } from '../../../tensor/call'
import { mapTiles } from '../../../vision'
import { adapt } from './adapt'
import { MULTIPLE, padToMultiple } from './brightness'
import { card } from './card'
import { Config } from './config'
import { denoisedGuide } from './guide'
import { LowLightNetworks } from './model'

const networks = { card, config: Config, create: (config: Config) => new LowLightNetworks(config) }

/** Side of the tiles, and how far the networks see: the brightness network 5 inception modules at an eighth of the size. */
const TILE = 512
const BRIGHTNESS_HALO = 96
const FUSION_HALO = 8

/** What a picture becomes on the way. */
export interface Enhanced {
  /** `[1, 3, H, W]` in 0–1. */
  readonly image: Tensor
  readonly sigma: number
  readonly clamped: number
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
export class LowLightEnhancer extends Pipeline<ImageInput, ImageResult> {
  private constructor(
    private readonly loaded: LoadedNetworks<typeof Config, LowLightNetworks>,
    private readonly adapts: boolean,
  ) {
    super()
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
    const { device, config, model } = this.loaded
    return tidyAsync(async () => {
      const images = await Promise.all(inputs.map((input) => imageOf(input, device, 'LowLightEnhancer')))
      if (!this.adapts) return enhanceAll(model, images, options)
      using adapted = await adapt(config, images, { ...options, device })
      return await enhanceAll(adapted, images, options)
    })
  }

  dispose(): void {
    this.loaded.model.dispose()
  }
}

async function enhanceAll(
  model: LowLightNetworks,
  images: readonly Tensor[],
  options: RunOptions,
): Promise<ImageResult[]> {
  const results: ImageResult[] = []
  for (const image of images) {
    const { image: bright, sigma, clamped } = await enhance(model, image.unsqueeze(0), options)
    results.push(new ImageResult(bright.squeeze(0) as Tensor<'float32'>, { sigma: 255 * sigma, greyed: clamped }))
  }
  return results
}

/**
 * The whole method on a picture `[1, 3, H, W]`, off the event loop; the networks run tile by tile, and the saturation's
 * means are those of the whole picture.
 */
export function enhance(model: LowLightNetworks, image: Tensor, options: RunOptions = {}): Promise<Enhanced> {
  return tidyAsync(async () => {
    const { config } = model
    const upper = await upperBranch(model, image, options)
    const clamped = upper.clamped.item() as number
    if (config.ablation === 'noFM') return { image: upper.image.clamp({ min: 0, max: 1 }), sigma: 0, clamped }
    const needsGuide = config.ablation !== 'cascade'
    const { guide, sigma } = needsGuide
      ? await denoisedGuide(image.squeeze(0), config, options)
      : { guide: upper.image.squeeze(0), sigma: 0 }
    using fuse = capture((noisy: Tensor, clean: Tensor) =>
      noGrad(() => model.fusion.forward(noisy, clean).q.clamp({ min: 0, max: 1 })),
    )
    const fused = await mapTiles(
      [upper.image, guide.unsqueeze(0)],
      { ...options, tile: TILE, halo: FUSION_HALO },
      (noisy, clean) => fuse.run([noisy, clean], options),
    )
    return { image: fused, sigma, clamped }
  })
}

/** Brightness and saturation of a picture of any size. */
async function upperBranch(model: LowLightNetworks, image: Tensor, options: AsyncCallOptions) {
  const { config } = model
  if (config.ablation === 'noBAB') return noGrad(() => model.upperBranch(image))
  using estimate = capture((picture: Tensor) => noGrad(() => model.curveMaps(picture)))
  const [, , height = 0, width = 0] = image.shape
  const maps = await mapTiles(
    [padToMultiple(image)],
    { ...options, tile: TILE, halo: BRIGHTNESS_HALO, multiple: MULTIPLE },
    (tile) => estimate.run([tile], options),
  )
  return tidy(() => noGrad(() => model.upperBranch(image, maps.narrow(2, 0, height).narrow(3, 0, width))))
}
