// Highlights of the lamp on the eye: found, and filled from around them.
import { functional as F } from '../../../nn'
import { cat, type Tensor, tidy } from '../../../tensor'
import { gaussianFilter } from '../../../vision'

/** Share of the pixels that is not brighter than highlights are. */
const PERCENTILE = 0.99
/** Highlights are at least this bright, and so much brighter than what is around: the white of the eye is bright, too. */
const LEAST = 0.6
const LEAST_CONTRAST = 0.15

/** Pixels of highlights and those next to them. @param grey `[H, W]` in 0–1 @returns `[H, W]` bool */
export function specularMask(grey: Tensor): Tensor {
  return tidy(() => {
    const [height = 0, width = 0] = grey.shape
    // Of a mean, or the noise of a bright field would be highlights.
    const smooth = gaussianFilter(grey.unsqueeze(0), { sigma: 1, edge: 'replicate' }).squeeze(0)
    const [threshold] = smooth.flatten().kthvalue(Math.ceil(PERCENTILE * height * width))
    const sigma = Math.max(2, Math.min(height, width) / 24)
    const contrast = smooth.sub(gaussianFilter(smooth.unsqueeze(0), { sigma, edge: 'replicate' }).squeeze(0))
    const bright = smooth.ge(threshold.clampMin(LEAST)).logicalAnd(contrast.gt(LEAST_CONTRAST))
    const plane = bright.to('float32').reshape([1, 1, height, width])
    return F.maxPool2d(plane, 5, { stride: 1, padding: 2 }).reshape([height, width]).gt(0)
  })
}

/**
 * Fills masked pixels with means of those that are not masked, the nearest counting most: first with what a narrow
 * window sees, and where it sees nothing with what wider ones do.
 *
 * @param grey `[H, W]`
 * @param mask `[H, W]`, 1 where to fill
 */
export function fillSpecular(grey: Tensor, mask: Tensor): Tensor {
  return tidy(() => {
    const known = mask.neg().add(1)
    let filled = grey.mul(known)
    let weight = known
    for (const sigma of [2, 4, 8, 16]) {
      const planes = cat([grey.mul(known).unsqueeze(0), known.unsqueeze(0)])
      const [sum, share] = gaussianFilter(planes, { sigma }).unbind() as [Tensor, Tensor]
      const seen = share.gt(1e-3).to(grey.dtype).mul(weight.eq(0).to(grey.dtype))
      filled = filled.add(sum.div(share.clampMin(1e-6)).mul(seen))
      weight = weight.add(seen)
    }
    return filled.add(weight.eq(0).to(grey.dtype).mul(grey))
  })
}
