import { Conv2d, Module } from '../../../nn'
import { affineApply } from '../../../ops'
import { cat, type Tensor } from '../../../tensor'
import { InceptionTrunk } from './inception'

const WIDTH = 32

/** What the fusion gives. */
export interface Fused {
  /** `[B, 3, H, W]`, the factor of the guide. */
  readonly a: Tensor
  /** `[B, 3, H, W]`, added to it. */
  readonly b: Tensor
  /** `[B, 3, H, W]`, not clipped. */
  readonly q: Tensor
}

/**
 * The trainable guided filter: a network predicts for each pixel the coefficients of Eq. 4, `q = a·guide + b`. There is
 * no window and no division.
 */
export class GuidedFusion extends Module {
  readonly trunk = new InceptionTrunk(6, WIDTH)
  readonly head = new Conv2d(WIDTH, 6, 3, { padding: 1 })

  /**
   * @param noisy `[B, 3, H, W]`, bright and noisy
   * @param guide `[B, 3, H, W]`, dark and clean
   */
  forward(noisy: Tensor, guide: Tensor): Fused {
    const [a, b] = this.head.forward(this.trunk.forward(cat([noisy, guide], { dim: 1 }))).split(3, { dim: 1 }) as [
      Tensor,
      Tensor,
    ]
    return { a, b, q: affineApply(a, b, guide) }
  }
}
