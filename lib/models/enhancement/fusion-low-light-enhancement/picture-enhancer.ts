import type { RunOptions } from '../../../pipeline'
import { capture, cat, noGrad, type Tensor, tidy, tidyAsync } from '../../../tensor'
import { mapTiles } from '../../../vision'
import { MULTIPLE, padToMultiple } from './brightness'
import { denoisedGuide } from './guide'
import type { LowLightNetworks } from './model'
import { saturationRatio } from './saturation'

/** Side of the tiles, and how far the networks see: the brightness network 5 inception modules at an eighth of the size. */
const TILE = 512
const BRIGHTNESS_HALO = 96
const FUSION_HALO = 8
/** Of pictures smaller than a tile, each size has its own. */
const KEPT = { maxGraphs: 16 }

/** What a picture becomes. */
export interface Enhanced {
  /** `[1, 3, H, W]` in 0–1. */
  readonly image: Tensor
  /** Of the noise that the guide was made without, in 0–1. */
  readonly sigma: number
  /** Share of the pixels that lost their colour. */
  readonly greyed: number
}

/**
 * Runs the whole method on pictures of any size, tile by tile beside the event loop: a tile's size is captured by the
 * first picture that has it. The saturation's means are those of the whole picture.
 */
export class PictureEnhancer implements Disposable {
  readonly #maps = capture((image: Tensor) => noGrad(() => this.model.curveMaps(image)), KEPT)
  readonly #fuse = capture(
    (noisy: Tensor, guide: Tensor) => noGrad(() => this.model.fusion.forward(noisy, guide).q.clamp({ min: 0, max: 1 })),
    KEPT,
  )
  readonly #brighten = capture(
    (image: Tensor, maps: Tensor, ratio: Tensor) =>
      noGrad(() => {
        const { image: bright, clamped } = this.model.upperBranch(image, maps, ratio)
        return cat([bright, clamped], { dim: 1 })
      }),
    KEPT,
  )

  constructor(readonly model: LowLightNetworks) {}

  /** @param image `[1, 3, H, W]` in 0–1, on the device of the networks */
  run(image: Tensor, options: RunOptions = {}): Promise<Enhanced> {
    return tidyAsync(async () => {
      const { config } = this.model
      const { bright, greyed } = await this.#upperBranch(image, options)
      if (config.ablation === 'noFM') return { image: bright.clamp({ min: 0, max: 1 }), sigma: 0, greyed }
      const { guide, sigma } =
        config.ablation === 'cascade'
          ? { guide: bright.squeeze(0), sigma: 0 }
          : await denoisedGuide(image.squeeze(0), config, options)
      const tiles = { ...options, tile: TILE, halo: FUSION_HALO }
      const fused = await mapTiles([bright, guide.unsqueeze(0)], tiles, (...inputs) =>
        this.#fuse.run(inputs as [Tensor, Tensor], options),
      )
      return { image: fused, sigma, greyed }
    })
  }

  async #upperBranch(image: Tensor, options: RunOptions): Promise<{ bright: Tensor; greyed: number }> {
    const [, , height = 0, width = 0] = image.shape
    const wide = { ...options, tile: TILE, halo: BRIGHTNESS_HALO, multiple: MULTIPLE }
    const maps = await mapTiles([padToMultiple(image)], wide, (tile) => this.#maps.run([tile], options))
    const own = maps.narrow(2, 0, height).narrow(3, 0, width)
    const ratio = tidy(() => saturationRatio(image, this.model.config.saturationExponent))
    const planes = await mapTiles([image, own], { ...options, tile: TILE, halo: 0 }, (tile, part) =>
      this.#brighten.run([tile, part, ratio], options),
    )
    const [bright, clamped] = planes.split([3, 1], { dim: 1 }) as [Tensor, Tensor]
    return { bright, greyed: clamped.mean().item() as number }
  }

  [Symbol.dispose](): void {
    for (const captured of [this.#maps, this.#fuse, this.#brighten]) captured.dispose()
  }
}
