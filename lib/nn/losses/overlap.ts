import { ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { withDefaults } from '../options'
import { checkSameShape, Loss, type LossOptions, MEAN, reduce } from './loss'

/**
 * Segmentation losses over regions: how far a predicted region and the true one overlap. All take probabilities `p` and
 * a one-hot (or soft) target `g`, both `[N, C, d…]`; softmax or sigmoid is the caller's. Sums run over the pixels.
 */

export interface OverlapOptions extends LossOptions {
  /** ε, added to numerator and denominator: a class that is absent in both has loss 0. Default: 1e-5. */
  readonly smooth?: number | undefined
}

export interface DiceLossOptions extends OverlapOptions {
  /** Squares `p` and `g` in the denominator, as V-Net does. Default: false. */
  readonly squared?: boolean | undefined
}

/**
 * Dice loss (Milletari et al., V-Net, 2016): `1 − (2 Σ p g + ε) / (Σ p + Σ g + ε)` for each sample and class.
 *
 * @returns with `none` `[N, C]`
 * @throws ShapeError when the shapes differ or have no channels
 */
export function diceLoss(probabilities: Tensor, target: Tensor, options: DiceLossOptions = {}): Tensor {
  const defaults = { reduction: MEAN, smooth: 1e-5, squared: false }
  const { reduction, smooth, squared } = withDefaults('diceLoss', defaults, options)
  return ops.tidy(() => {
    const [p, g] = regions('diceLoss', probabilities, target)
    const size = (region: Tensor) => pixels(squared ? region.square() : region)
    const dice = pixels(p.mul(g))
      .mul(2)
      .add(smooth)
      .div(size(p).add(size(g)).add(smooth))
    return reduce('diceLoss', ops.rsub(dice, 1), reduction)
  })
}

/** `diceLoss` as a module. */
export class DiceLoss extends Loss<DiceLossOptions> {
  forward(probabilities: Tensor, target: Tensor): Tensor {
    return diceLoss(probabilities, target, this.options)
  }
}

/**
 * Generalised Dice loss (Sudre et al. 2017): `1 − (2 Σ_c w_c Σ p g + ε) / (Σ_c w_c Σ (p + g) + ε)` for each sample, with
 * `w_c = 1 / (Σ g)²`, so that small classes count as large ones. A class that is absent from the target, for which the
 * paper's weight is infinite, gets the largest weight of those present.
 *
 * @returns with `none` `[N]`
 * @throws ShapeError when the shapes differ or have no channels
 */
export function generalizedDiceLoss(probabilities: Tensor, target: Tensor, options: OverlapOptions = {}): Tensor {
  const { reduction, smooth } = withDefaults('generalizedDiceLoss', { reduction: MEAN, smooth: 1e-5 }, options)
  return ops.tidy(() => {
    const [p, g] = regions('generalizedDiceLoss', probabilities, target)
    const weights = inverseSquares(pixels(g))
    const both = pixels(p.mul(g))
      .mul(weights)
      .sum({ dim: [1] })
    const either = pixels(p.add(g))
      .mul(weights)
      .sum({ dim: [1] })
    return reduce('generalizedDiceLoss', ops.rsub(both.mul(2).add(smooth).div(either.add(smooth)), 1), reduction)
  })
}

/** `1 / sizes²`; where a size is 0, the largest of the row's others. */
function inverseSquares(sizes: Tensor): Tensor {
  const absent = sizes.eq(0)
  const present = sizes.square().reciprocal().maskedFill(absent, 0)
  return ops.where(absent, present.amax({ dim: [1], keepdim: true }), present)
}

/** `generalizedDiceLoss` as a module. */
export class GeneralizedDiceLoss extends Loss<OverlapOptions> {
  forward(probabilities: Tensor, target: Tensor): Tensor {
    return generalizedDiceLoss(probabilities, target, this.options)
  }
}

export interface TverskyLossOptions extends OverlapOptions {
  /** Weight of false positives. Default: 0.3. */
  readonly alpha?: number | undefined
  /** Weight of false negatives. Default: 0.7. */
  readonly beta?: number | undefined
}

/**
 * Tversky loss (Salehi et al. 2017): `1 − (Σ p g + ε) / (Σ p g + α Σ p (1 − g) + β Σ (1 − p) g + ε)` for each sample and
 * class. `α = β = 0.5` is the Dice loss; the defaults are the paper's best, which favour recall.
 *
 * @returns with `none` `[N, C]`
 * @throws ShapeError when the shapes differ or have no channels
 */
export function tverskyLoss(probabilities: Tensor, target: Tensor, options: TverskyLossOptions = {}): Tensor {
  const defaults = { reduction: MEAN, smooth: 1e-5, alpha: 0.3, beta: 0.7 }
  const { reduction, smooth, alpha, beta } = withDefaults('tverskyLoss', defaults, options)
  return ops.tidy(() => {
    const [p, g] = regions('tverskyLoss', probabilities, target)
    const hits = pixels(p.mul(g))
    const falsePositives = pixels(p).sub(hits)
    const falseNegatives = pixels(g).sub(hits)
    const all = hits.add(falsePositives.mul(alpha)).add(falseNegatives.mul(beta))
    return reduce('tverskyLoss', ops.rsub(hits.add(smooth).div(all.add(smooth)), 1), reduction)
  })
}

/** `tverskyLoss` as a module. */
export class TverskyLoss extends Loss<TverskyLossOptions> {
  forward(probabilities: Tensor, target: Tensor): Tensor {
    return tverskyLoss(probabilities, target, this.options)
  }
}

/** Both as `[N, C, pixels]`, the target as the probabilities' dtype. */
function regions(name: string, probabilities: Tensor, target: Tensor): [p: Tensor, g: Tensor] {
  checkSameShape(name, { probabilities, target })
  if (probabilities.ndim < 3) {
    throw new ShapeError(`${name}: probabilities are [N, C, d…], got [${probabilities.shape.join(', ')}]`)
  }
  return [probabilities.flatten({ startDim: 2 }), target.to(probabilities.dtype).flatten({ startDim: 2 })]
}

function pixels(values: Tensor): Tensor {
  return values.sum({ dim: [2] })
}
