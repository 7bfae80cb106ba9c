// The lower branch: the dark picture without its noise.
import { bm3dAsync } from '../../../ops'
import type { Tensor } from '../../../tensor'
import type { AsyncCallOptions } from '../../../tensor/call'
import { tidy, tidyAsync } from '../../../tensor/scope'
import type { Config } from './config'

/**
 * Standard deviation of a picture's noise: the median of the finest diagonal Haar coefficients of the channels' mean,
 * times √3, since a mean of three has so much less of it.
 *
 * @param image `[3, H, W]` in 0–1
 * @returns in 0–1, kept within 1/255 and 50/255
 */
export function estimateNoise(image: Tensor): number {
  return tidy(() => {
    const mean = image.mean({ dim: 0 })
    const [rows, columns] = [Math.floor(mean.size(0) / 2), Math.floor(mean.size(1) / 2)]
    if (rows === 0 || columns === 0) return 1 / 255
    const cells = mean
      .narrow(0, 0, 2 * rows)
      .narrow(1, 0, 2 * columns)
      .reshape([rows, 2, columns, 2])
    const at = (row: number, column: number) => cells.select(1, row).select(2, column)
    const diagonal = at(0, 0).sub(at(0, 1)).sub(at(1, 0)).add(at(1, 1)).div(2)
    const median = diagonal.abs().flatten().quantile(0.5).item() as number
    return Math.min(50, Math.max(1, (255 * Math.sqrt(3) * median) / 0.6745)) / 255
  })
}

/** The picture without noise, and how much noise was taken for. */
export interface Guide {
  /** `[3, H, W]` in 0–1. */
  readonly guide: Tensor
  readonly sigma: number
}

/** The picture `[3, H, W]` filtered by BM3D, off the event loop. */
export function denoisedGuide(image: Tensor, { denoising }: Config, watch: AsyncCallOptions = {}): Promise<Guide> {
  return tidyAsync(async () => {
    const sigma = denoising.sigma ?? estimateNoise(image)
    return { guide: (await bm3dAsync(image, { sigma, ...watch })).clamp({ min: 0, max: 1 }), sigma }
  })
}
