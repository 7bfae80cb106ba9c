// Scores of whole videos from those of segments, and the losses of multiple-instance learning.
import { cat, onesLike, type Tensor, zerosLike } from '../../../tensor'

/**
 * Mean of the k largest values over time, k = max(1, ⌊L ∕ ratio⌋): Eq. 1.
 *
 * @param activation `[B, L, C]`
 * @returns `[B, C]`
 */
export function topKMean(activation: Tensor, ratio: number): Tensor {
  const k = Math.max(1, Math.floor(activation.size(1) / ratio))
  return activation.topk(k, { dim: 1 })[0].mean({ dim: [1] })
}

/**
 * Cross entropy of the videos' scores against their labels, which are made to sum to one: Eq. 2.
 *
 * @param activation `[B, L, C + 1]`, the background last
 * @param labels `[B, C]` of 0 and 1
 * @param background whether the background is among a video's labels
 */
export function videoLoss(activation: Tensor, labels: Tensor, ratio: number, background: boolean): Tensor {
  const [first] = labels.split([1, labels.size(1) - 1], { dim: 1 }) as [Tensor]
  const all = cat([labels, background ? onesLike(first) : zerosLike(first)], { dim: 1 })
  const shares = all.div(all.sum({ dim: [1], keepdim: true }).add(1e-4))
  return shares
    .mul(topKMean(activation, ratio).logSoftmax(1))
    .sum({ dim: [1] })
    .neg()
    .mean()
}

/** Activation weighted by attention: none leaves the least of a segment's classes (`fill`), or 0. */
export function attended(activation: Tensor, attention: Tensor, { fill }: { readonly fill: boolean }): Tensor {
  if (!fill) return attention.mul(activation)
  const least = activation.amin({ dim: [-1], keepdim: true })
  return attention.mul(activation.sub(least)).add(least)
}

/** Mean of |1 − attention − probability of the background|: attention is where the background is not. */
export function guideLoss(activation: Tensor, attention: Tensor): Tensor {
  const background = activation.softmax(-1).narrow(2, activation.size(2) - 1, 1)
  return attention.neg().add(1).sub(background).abs().mean()
}
