// Regional similarity consistency, Eqs. 3 and 4: coarse self-similarity over time, the same in both streams.
import { functional as F } from '../../../nn'
import { stack, type Tensor } from '../../../tensor'

/** Added to every difference by the released code; it keeps the gradient of the norm finite where the two agree. */
const EPS = 1e-6

export interface ConsistencyOptions {
  /** H; 4 unless stated. */
  readonly regions?: number
  /** `'rows'` (default): mean distance of rows, as the released code; `'eq4'`: the text's, the norm of all entries by H². */
  readonly form?: 'rows' | 'eq4'
}

/**
 * Segments of each region: ⌈L ∕ H⌉, the last fewer. There are fewer regions than H where that leaves none for the last,
 * as for 9 segments in 4.
 */
export function regionSizes(length: number, regions: number): readonly number[] {
  const size = Math.ceil(length / regions)
  return Array.from({ length: Math.ceil(length / size) }, (_, h) => Math.min(size, length - h * size))
}

/** Similarities of the regions of a video, M: `[B, L, D]` → `[B, H, H]`. A region of zeros is similar to none. */
export function regionalSimilarity(features: Tensor, regions: number): Tensor {
  const means = features
    .split([...regionSizes(features.size(1), regions)], { dim: 1 })
    .map((part) => part.mean({ dim: [1] }))
  const unit = F.normalize(stack(means, { dim: 1 }), { dim: -1 })
  return unit.matmul(unit.transpose(1, 2))
}

/**
 * How much the similarities of regions in one stream differ from those in the other, a 0-dimensional tensor.
 *
 * @param projected `[B, L, D]`, the features that learn
 * @param reference `[B, L, D]`, the features that they follow; no gradient goes there unless they ask for one
 */
export function regionalConsistency(
  projected: Tensor,
  reference: Tensor,
  { regions = 4, form = 'rows' }: ConsistencyOptions = {},
): Tensor {
  const difference = regionalSimilarity(projected, regions).sub(regionalSimilarity(reference, regions))
  if (form === 'rows') return difference.add(EPS).norm(-1).mean()
  const total = difference.size(1) ** 2
  // The subgradient at no difference is 0, where that of a root would be NaN.
  return difference.norm([1, 2], { p: 2 }).div(total).mean()
}
