import { ArgumentError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { withDefaults } from '../options'
import { checkSameShape, Loss, type LossOptions, type Reduction, reduce } from './loss'

export interface SigmoidFocalLossOptions {
  /** Default: `none`, as in torchvision. */
  readonly reduction?: LossOptions['reduction']
  /** Weight of positives in 0–1, `1 − α` that of negatives; −1 for no weights. Default: 0.25. */
  readonly alpha?: number | undefined
  /** How little well-classified elements count; 0 is cross entropy. Default: 2. */
  readonly gamma?: number | undefined
}

/**
 * Focal loss (Lin et al. 2017, eq. 5), as `torchvision.ops.sigmoid_focal_loss`: `−α_t (1 − p_t)^γ log p_t`, where
 * `p_t = σ(x)` for positives and `1 − σ(x)` for negatives.
 *
 * @param input logits
 * @param target 0 and 1, of the same shape
 * @throws ShapeError when the shapes differ
 * @throws ArgumentError when alpha is neither in 0–1 nor −1
 */
export function sigmoidFocalLoss(input: Tensor, target: Tensor, options: SigmoidFocalLossOptions = {}): Tensor {
  const defaults = { reduction: 'none' as Reduction, alpha: 0.25, gamma: 2 }
  const { reduction, alpha, gamma } = withDefaults('sigmoidFocalLoss', defaults, options)
  checkSameShape('sigmoidFocalLoss', { input, target })
  if (!(alpha >= 0 && alpha <= 1) && alpha !== -1) {
    throw new ArgumentError(`sigmoidFocalLoss: alpha is ${alpha}; it is a weight from 0 to 1, or −1 for no weights`)
  }
  return ops.tidy(() => {
    const p = input.sigmoid()
    const crossEntropy = ops.binaryCrossEntropyWithLogits(input, target, { reduction: 0 })
    // 1 − p_t
    const miss = p.add(target).sub(p.mul(target).mul(2))
    const losses = crossEntropy.mul(miss.pow(gamma))
    const weighted = alpha < 0 ? losses : losses.mul(target.mul(2 * alpha - 1).add(1 - alpha))
    return reduce('sigmoidFocalLoss', weighted, reduction)
  })
}

/** `sigmoidFocalLoss` as a module. */
export class SigmoidFocalLoss extends Loss<SigmoidFocalLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return sigmoidFocalLoss(input, target, this.options)
  }
}
