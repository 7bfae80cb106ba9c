import type { Tensor } from '../../../tensor'

/** What the saturation adjustment gives. */
export interface AdjustedSaturation {
  /** `[B, 1, H, W]` in 0–1. */
  readonly saturation: Tensor
  /** `[B, 1, H, W]`: 1 where the saturation would be below 0. */
  readonly clamped: Tensor
}

/**
 * By how much a picture is to be greyed (Eq. 2): the mean of its channels' largest values over the mean of the smallest,
 * to the power of `exponent`. The means are over the whole picture.
 *
 * @param image `[B, 3, H, W]` in 0–1
 * @returns `[B, 1, 1, 1]`
 */
export function saturationRatio(image: Tensor, exponent = 1): Tensor {
  const mean = (x: Tensor) => x.mean({ dim: [1, 2, 3], keepdim: true, dtype: 'float64' })
  const largest = mean(image.amax({ dim: 1, keepdim: true }))
  const smallest = mean(image.amin({ dim: 1, keepdim: true }))
  return largest.div(smallest.clampMin(1e-6)).pow(exponent).to(image.dtype)
}

/**
 * Saturation of the picture whose channels' largest and smallest values are brought to one mean (Eq. 2):
 * `S' = 1 − (1 − S)·ratio`, cut off at 0.
 *
 * Read literally, the equation takes colour away from ordinary pictures; an exponent of the ratio below 1 weakens it, and
 * 0 leaves colours as they are.
 *
 * @param image `[B, 3, H, W]` in 0–1
 * @param ratio of the whole picture, where `image` is a part of it
 */
export function adjustSaturation(image: Tensor, ratio: Tensor = saturationRatio(image)): AdjustedSaturation {
  const largest = image.amax({ dim: 1, keepdim: true })
  const smallest = image.amin({ dim: 1, keepdim: true })
  // 1 − S is the smallest over the largest channel; black has no colour.
  const grey = smallest.div(largest.where(largest.gt(0), 1)).where(largest.gt(0), 1)
  const unclamped = grey.mul(ratio).neg().add(1)
  return { saturation: unclamped.clampMin(0), clamped: unclamped.lt(0).to(image.dtype) }
}
