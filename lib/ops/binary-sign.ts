import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { BinaryEstimator } from './binary-conv3d'

/**
 * The sign of each value, −1 or 1 and 1 at 0, with a gradient: that of a slope from −1 to 1, as `binConv3d` has it for
 * its input. NaN stays NaN.
 *
 * @param x floating point, any shape
 * @param estimator default `quadratic`
 */
export function binarySign(x: Tensor, estimator: BinaryEstimator = 'quadratic'): Tensor {
  return tidy(() => {
    const clipped = x.clamp({ min: -1, max: 1 })
    // 2c − c|c| has the slope 2 − 2|c|.
    const slope = estimator === 'clip' ? clipped : clipped.mul(2).sub(clipped.mul(clipped.abs()))
    const sign = x.detach().ge(0).to(x.dtype).mul(2).sub(1)
    // What is added is exactly 0; it brings the gradient.
    return sign.add(slope.sub(slope.detach()))
  })
}
