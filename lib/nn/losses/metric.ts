import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { withDefaults } from '../options'
import { checkSameShape, Loss, MEAN, reduce, reductionCode } from './loss'
import type { MarginOptions } from './margin'

/** Losses that pull embeddings of like things together and push those of unlike things apart. */

/**
 * Cosine embedding loss, as `torch.nn.functional.cosine_embedding_loss`: `1 − cos(a, b)` where `y = 1`,
 * `max(0, cos(a, b) − margin)` where `y = −1`. Default margin: 0.
 *
 * @param first `[N, D]` or `[D]`, as `second`
 * @param target `[N]` or `[]`
 */
export function cosineEmbeddingLoss(
  first: Tensor,
  second: Tensor,
  target: Tensor,
  options: MarginOptions = {},
): Tensor {
  const { reduction, margin } = withDefaults('cosineEmbeddingLoss', { reduction: MEAN, margin: 0 }, options)
  const code = reductionCode('cosineEmbeddingLoss', reduction)
  return ops.cosineEmbeddingLoss(first, second, target, { margin, reduction: code })
}

/** `cosineEmbeddingLoss` as a module, as `torch.nn.CosineEmbeddingLoss`. */
export class CosineEmbeddingLoss extends Loss<MarginOptions> {
  forward(first: Tensor, second: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(first, second, target, this.options)
  }
}

export interface TripletMarginLossOptions extends MarginOptions {
  /** Degree of the norm. Default: 2. */
  readonly p?: number | undefined
  /** Added to differences, so that the norm has a gradient at 0. Default: 1e-6. */
  readonly eps?: number | undefined
  /** Takes the positive instead of the anchor where it is nearer to the negative (Balntas et al. 2016). Default: false. */
  readonly swap?: boolean | undefined
}

/**
 * Triplet loss (Balntas et al. 2016; Schroff et al. 2015), as `torch.nn.functional.triplet_margin_loss`:
 * `max(0, ‖a − p‖ − ‖a − n‖ + margin)`. Default margin: 1.
 *
 * @param anchor `[N, D]` or `[D]`, as `positive` and `negative`
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Tensor {
  const defaults = { reduction: MEAN, margin: 1, p: 2, eps: 1e-6, swap: false }
  const { reduction, ...rest } = withDefaults('tripletMarginLoss', defaults, options)
  const code = reductionCode('tripletMarginLoss', reduction)
  return ops.tripletMarginLoss(anchor, positive, negative, { ...rest, reduction: code })
}

/** `tripletMarginLoss` as a module, as `torch.nn.TripletMarginLoss`. */
export class TripletMarginLoss extends Loss<TripletMarginLossOptions> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginLoss(anchor, positive, negative, this.options)
  }
}

/** How far apart two batches of embeddings `[N, D]` are: `[N]`. */
export type Distance = (a: Tensor, b: Tensor) => Tensor

export interface TripletMarginWithDistanceLossOptions extends MarginOptions {
  /** Default: the Euclidean `pairwiseDistance`. */
  readonly distance?: Distance | undefined
  /** Takes the positive instead of the anchor where it is nearer to the negative. Default: false. */
  readonly swap?: boolean | undefined
}

/**
 * Triplet loss with a distance of your own, as `torch.nn.functional.triplet_margin_with_distance_loss`:
 * `max(0, d(a, p) − d(a, n) + margin)`. Default margin: 1.
 */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceLossOptions = {},
): Tensor {
  const euclidean: Distance = (a, b) => ops.pairwiseDistance(a, b)
  const { reduction, margin, distance, swap } = withDefaults(
    'tripletMarginWithDistanceLoss',
    { reduction: MEAN, margin: 1, distance: euclidean, swap: false },
    options,
  )
  return ops.tidy(() => {
    const near = distance(anchor, positive)
    const far = distance(anchor, negative)
    const farthest = swap ? far.minimum(distance(positive, negative)) : far
    return reduce('tripletMarginWithDistanceLoss', near.sub(farthest).add(margin).clampMin(0), reduction)
  })
}

/** `tripletMarginWithDistanceLoss` as a module, as `torch.nn.TripletMarginWithDistanceLoss`. */
export class TripletMarginWithDistanceLoss extends Loss<TripletMarginWithDistanceLossOptions> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginWithDistanceLoss(anchor, positive, negative, this.options)
  }
}

/**
 * Contrastive loss of pairs (Hadsell, Chopra, LeCun 2006, eq. 4): with `d = ‖a − b‖`,
 * `(1 − y) d² / 2 + y max(0, margin − d)² / 2`. Default margin: 1.
 *
 * @param first embeddings `[N, D]`, as `second`
 * @param target `[N]`, the paper's Y: 0 for a similar pair, 1 for a dissimilar one
 * @throws ShapeError when the shapes do not fit
 */
export function contrastiveLoss(first: Tensor, second: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const { reduction, margin } = withDefaults('contrastiveLoss', { reduction: MEAN, margin: 1 }, options)
  checkSameShape('contrastiveLoss', { first, second })
  return ops.tidy(() => {
    const difference = first.sub(second)
    const similar = difference.square().sum({ dim: [-1] })
    checkSameShape('contrastiveLoss', { distances: similar, target })
    // Not the root of the line above, whose gradient is infinite for equal embeddings; the norm's is 0 there.
    const distance = ops.linalgVectorNorm(difference, { dim: [-1] })
    const dissimilar = distance.neg().add(margin).clampMin(0).square()
    const losses = ops.rsub(target, 1).mul(similar).add(target.mul(dissimilar)).mul(0.5)
    return reduce('contrastiveLoss', losses, reduction)
  })
}

/** `contrastiveLoss` as a module. */
export class ContrastiveLoss extends Loss<MarginOptions> {
  forward(first: Tensor, second: Tensor, target: Tensor): Tensor {
    return contrastiveLoss(first, second, target, this.options)
  }
}
