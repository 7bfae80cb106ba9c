import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { withDefaults } from '../options'
import { checkSameShape, Loss, type LossOptions, MEAN, NO_TENSOR, reduce, reductionCode, WeightedLoss } from './loss'

/** Losses that ask for scores on the right side of a margin. */

export interface MarginOptions extends LossOptions {
  readonly margin?: number | undefined
}

/**
 * Hinge loss of a distance, as `torch.nn.functional.hinge_embedding_loss`: `x` where `y = 1`, `max(0, margin − x)` where
 * `y = −1`. Default margin: 1.
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const { reduction, margin } = withDefaults('hingeEmbeddingLoss', { reduction: MEAN, margin: 1 }, options)
  checkSameShape('hingeEmbeddingLoss', { input, target })
  return ops.hingeEmbeddingLoss(input, target, { margin, reduction: reductionCode('hingeEmbeddingLoss', reduction) })
}

/** `hingeEmbeddingLoss` as a module, as `torch.nn.HingeEmbeddingLoss`. */
export class HingeEmbeddingLoss extends Loss<MarginOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(input, target, this.options)
  }
}

/**
 * Ranking loss, as `torch.nn.functional.margin_ranking_loss`: `max(0, −y (x₁ − x₂) + margin)`, where `y = 1` says that
 * `x₁` shall rank above `x₂`, and −1 the reverse. Default margin: 0.
 */
export function marginRankingLoss(first: Tensor, second: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const { reduction, margin } = withDefaults('marginRankingLoss', { reduction: MEAN, margin: 0 }, options)
  checkSameShape('marginRankingLoss', { first, second, target })
  const code = reductionCode('marginRankingLoss', reduction)
  return ops.marginRankingLoss(first, second, target, { margin, reduction: code })
}

/** `marginRankingLoss` as a module, as `torch.nn.MarginRankingLoss`. */
export class MarginRankingLoss extends Loss<MarginOptions> {
  forward(first: Tensor, second: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(first, second, target, this.options)
  }
}

/**
 * Two-class logistic loss, as `torch.nn.functional.soft_margin_loss`: `log(1 + exp(−y x))` with `y` 1 or −1.
 */
export function softMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const { reduction } = withDefaults('softMarginLoss', { reduction: MEAN }, options)
  checkSameShape('softMarginLoss', { input, target })
  return ops.softMarginLoss(input, target, { reduction: reductionCode('softMarginLoss', reduction) })
}

/** `softMarginLoss` as a module, as `torch.nn.SoftMarginLoss`. */
export class SoftMarginLoss extends Loss<LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss(input, target, this.options)
  }
}

export interface MultiMarginLossOptions extends MarginOptions {
  /** Power of the hinge: 1 or 2. Default: 1. */
  readonly p?: number | undefined
  /** `[C]`: a factor for each class. */
  readonly weight?: Tensor | undefined
}

/**
 * Multi-class hinge loss (Crammer and Singer 2001), as `torch.nn.functional.multi_margin_loss`:
 * `Σ_{i ≠ y} max(0, w_y (margin − x_y + x_i))ᵖ / C`. Default margin: 1.
 *
 * @param input scores `[N, C]` or `[C]`
 * @param target classes, int64 `[N]` or `[]`
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginLossOptions = {}): Tensor {
  const { reduction, ...rest } = withDefaults(
    'multiMarginLoss',
    { reduction: MEAN, margin: 1, p: 1, weight: NO_TENSOR },
    options,
  )
  return ops.multiMarginLoss(input, target, { ...rest, reduction: reductionCode('multiMarginLoss', reduction) })
}

/** `multiMarginLoss` as a module, as `torch.nn.MultiMarginLoss`. */
export class MultiMarginLoss extends WeightedLoss<MultiMarginLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return multiMarginLoss(input, target, this.options)
  }
}

/**
 * Multi-label hinge loss, as `torch.nn.functional.multilabel_margin_loss`: the sum over the true classes `j` and the
 * others `i` of `max(0, 1 − (x_j − x_i)) / C`.
 *
 * @param input scores `[N, C]` or `[C]`
 * @param target int64 of the same shape: the true classes, ended by −1
 */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const { reduction } = withDefaults('multilabelMarginLoss', { reduction: MEAN }, options)
  checkSameShape('multilabelMarginLoss', { input, target })
  return ops.multilabelMarginLoss(input, target, { reduction: reductionCode('multilabelMarginLoss', reduction) })
}

/** `multilabelMarginLoss` as a module, as `torch.nn.MultiLabelMarginLoss`. */
export class MultiLabelMarginLoss extends Loss<LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(input, target, this.options)
  }
}

export interface MultiLabelSoftMarginLossOptions extends LossOptions {
  /** `[C]`: a factor for each class. */
  readonly weight?: Tensor | undefined
}

/**
 * Multi-label logistic loss, as `torch.nn.functional.multilabel_soft_margin_loss`:
 * `−Σ_c w_c (y_c log σ(x_c) + (1 − y_c) log σ(−x_c)) / C`.
 *
 * @param input scores `[…, C]`
 * @param target 0 and 1, of the same shape
 */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  options: MultiLabelSoftMarginLossOptions = {},
): Tensor {
  const { reduction, weight } = withDefaults(
    'multilabelSoftMarginLoss',
    { reduction: MEAN, weight: NO_TENSOR },
    options,
  )
  checkSameShape('multilabelSoftMarginLoss', { input, target })
  return ops.tidy(() => {
    const negative = ops.rsub(target, 1).mul(ops.logSigmoid(input.neg()))
    const losses = target.mul(ops.logSigmoid(input)).add(negative).neg()
    const weighted = weight === undefined ? losses : losses.mul(weight)
    return reduce('multilabelSoftMarginLoss', weighted.mean({ dim: [-1] }), reduction)
  })
}

/** `multilabelSoftMarginLoss` as a module, as `torch.nn.MultiLabelSoftMarginLoss`. */
export class MultiLabelSoftMarginLoss extends WeightedLoss<MultiLabelSoftMarginLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss(input, target, this.options)
  }
}
