import type { Tensor } from '../../../tensor'

/** What the saturation adjustment gives. */
export interface AdjustedSaturation {
  /** `[B, 1, H, W]` in 0–1. */
  readonly saturation: Tensor
  /** `[B]`: share of the pixels whose saturation would be below 0. */
  readonly clamped: Tensor
}

/**
 * Saturation of the picture whose channels' largest and smallest values are brought to one mean (Eq. 2):
 * `S' = 1 − (1 − S)·(mean of the maxima / mean of the minima)ᵗ`, cut off at 0. The means are over the whole picture.
 *
 * Read literally, the equation takes colour away from ordinary pictures; `exponent` t below 1 weakens it, and 0 leaves
 * colours as they are.
 *
 * @param image `[B, 3, H, W]` in 0–1
 */
export function adjustSaturation(image: Tensor, exponent = 1): AdjustedSaturation {
  const largest = image.amax({ dim: 1, keepdim: true })
  const smallest = image.amin({ dim: 1, keepdim: true })
  const mean = (x: Tensor) => x.to('float64').mean({ dim: [1, 2, 3], keepdim: true })
  const ratio = mean(largest).div(mean(smallest).clampMin(1e-6)).pow(exponent).to(image.dtype)
  // 1 − S is the smallest over the largest channel; black has no colour.
  const grey = smallest.div(largest.where(largest.gt(0), 1)).where(largest.gt(0), 1)
  const unclamped = grey.mul(ratio).neg().add(1)
  return {
    saturation: unclamped.clampMin(0),
    clamped: unclamped
      .lt(0)
      .to('float32')
      .mean({ dim: [1, 2, 3] }),
  }
}
