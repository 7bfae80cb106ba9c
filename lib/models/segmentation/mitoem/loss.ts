import { functional as F } from '../../../nn'
import { noGrad, type Tensor, where } from '../../../tensor'
import { type Representation, TARGETS } from './model'

/**
 * Weights that let what is rare count as much as what is common. The rarer of 0 and 1 weighs as many times more as it is
 * rarer, at most 19 times for 1 and 99 for 0; all weights are 1 where a target holds only one of them.
 *
 * @param y targets of 0 and 1, `[B, C, D, H, W]`; a sample's channels are weighted together
 */
export function balanceWeights(y: Tensor): Tensor {
  return noGrad(() => {
    const share = y.mean({ dim: [1, 2, 3, 4], keepdim: true })
    const r = share.clamp({ min: 0.05, max: 0.99 })
    const [odds, inverse] = [r.div(r.neg().add(1)), r.neg().add(1).div(r)]
    const zeros = y.neg().add(1)
    const weights = where(r.gt(0.5), y.add(odds.mul(zeros)), inverse.mul(y).add(zeros))
    return where(share.eq(0).logicalOr(share.eq(1)), y.mul(0).add(1), weights)
  })
}

/** Weighted binary cross-entropy, a mean over all places; logarithms end at −100. */
export function weightedBce(p: Tensor, y: Tensor, weights: Tensor = balanceWeights(y)): Tensor {
  return F.binaryCrossEntropy(p, y, { weight: weights })
}

/** 1 − (2 Σ p y + s) / (Σ p + Σ y + s), a mean over the samples. */
export function softDice(p: Tensor, y: Tensor, smooth = 100): Tensor {
  const sum = (x: Tensor) => x.flatten({ startDim: 1 }).sum({ dim: [1] })
  const [overlap, both] = [sum(p.mul(y)), sum(p).add(sum(y))]
  return overlap.mul(2).add(smooth).div(both.add(smooth)).neg().add(1).mean()
}

/** The objective of a representation: each target's weighted cross-entropy, and `dice` times its soft Dice. */
export function mapLoss(p: Tensor, y: Tensor, representation: Representation, dice = 0): Tensor {
  const sizes = TARGETS[representation].map((target) => (target === 'affinity' ? 3 : 1))
  const terms = sizes.map((size, i) => {
    const start = sizes.slice(0, i).reduce((sum, each) => sum + each, 0)
    const [part, truth] = [p.narrow(1, start, size), y.narrow(1, start, size)]
    const cross = weightedBce(part, truth)
    return dice === 0 ? cross : cross.add(softDice(part, truth).mul(dice))
  })
  return terms.reduce((sum, term) => sum.add(term))
}
