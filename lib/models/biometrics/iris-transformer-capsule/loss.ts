import { functional as F } from '../../../nn'
import { marginLoss } from '../../../ops'
import { arange, type Tensor } from '../../../tensor'
import type { StepOutput } from '../../../train'
import { CapsuleMatcher } from './matcher'
import type { Comparison, TransCapsIris } from './model'

/** Eq. 10 over the batch: lengths `[B, 2]` of imposter and genuine, labels `[B]`, 1 for genuine. */
export function pairMarginLoss(lengths: Tensor, label: Tensor, absentWeight = 0.5): Tensor {
  const targets = label.unsqueeze(1).eq(arange(2, { dtype: label.dtype, device: label.device }))
  return marginLoss(lengths, targets, { absentWeight, reduction: 'mean' })
}

/** The difference as the capsule of the true class makes it: capsules `[B, 2, 16]`, labels `[B]` int64. */
export function reconstructionOf(matcher: CapsuleMatcher, capsules: Tensor, label: Tensor): Tensor {
  const index = label.reshape([-1, 1, 1]).expand([-1, 1, capsules.size(2)])
  return matcher.reconstruction.forward(capsules.gather(1, index).squeeze(1))
}

/** Eq. 12 (without capsules the cross-entropy) of pairs with labels `[B]` int64, 1 for genuine. */
export function irisLoss(
  model: TransCapsIris,
  { sureness, capsules, logits, difference }: Comparison,
  label: Tensor,
): StepOutput {
  const { absentWeight, reconstruction: weight } = model.config.training
  const { matcher } = model
  if (!(matcher instanceof CapsuleMatcher) || capsules === undefined) {
    return { loss: F.crossEntropy(logits ?? sureness.log(), label) }
  }
  const margin = pairMarginLoss(sureness, label, absentWeight)
  // The target is cut off, or the network would shrink the difference to please the decoder.
  const reconstruction = F.mseLoss(reconstructionOf(matcher, capsules, label), difference.detach())
  return { loss: margin.add(reconstruction.mul(weight)), margin, reconstruction }
}
