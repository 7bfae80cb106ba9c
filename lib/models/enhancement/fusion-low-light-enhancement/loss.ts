import { functional as F } from '../../../nn'
import { noGrad, type Tensor } from '../../../tensor'
import { neighbourPair } from '../../../vision'
import type { GuidedFusion } from './fusion'

const REGION = 16

/**
 * Exposure (Eq. 6): how far the means of 16 × 16 regions are from the wanted one. Rows and columns that make no whole
 * region are left out.
 *
 * @param value `[B, 1, H, W]`
 */
export function exposureLoss(value: Tensor, wanted: number, norm: 'absolute' | 'square' = 'absolute'): Tensor {
  const distance = F.avgPool2d(value, REGION).sub(wanted)
  return (norm === 'absolute' ? distance.abs() : distance.square()).mean()
}

/**
 * Total variation of the curve maps (Eq. 7 as in the work it cites): mean over the pixels of (|∇x| + |∇y|)², where the
 * print squares the signed sum, for which a diagonal ramp costs nothing.
 *
 * @param maps `[B, T, H, W]`
 */
export function smoothnessLoss(maps: Tensor): Tensor {
  const [, , height = 0, width = 0] = maps.shape
  const corner = maps.narrow(2, 0, height - 1).narrow(3, 0, width - 1)
  const right = maps.narrow(2, 0, height - 1).narrow(3, 1, width - 1)
  const below = maps.narrow(2, 1, height - 1).narrow(3, 0, width - 1)
  return right.sub(corner).abs().add(below.sub(corner).abs()).square().mean()
}

/** The two terms of the fusion network's objective, each a mean. */
export interface FusionLoss {
  /** Eq. 5: one noisy sub-image is to be made of its neighbour. */
  readonly reconstruction: Tensor
  /** Eq. 9: sub-images of the result are to differ as the result of a sub-image does from its neighbour. */
  readonly regularisation: Tensor
}

/**
 * Neighbour2Neighbour with a guide (Eqs. 5 and 9): only the result of the sub-image has a gradient.
 *
 * The sum of both is no criterion to choose by: it is the same for a perfect denoiser and for one that does nothing.
 *
 * @param noisy `[B, 3, H, W]`
 * @param guide `[B, 3, H, W]`
 * @param patterns `[B, ⌊H / 2⌋, ⌊W / 2⌋]` of `drawNeighbourPatterns`
 */
export function fusionLoss(network: GuidedFusion, noisy: Tensor, guide: Tensor, patterns: Tensor): FusionLoss {
  const [first, second] = neighbourPair(noisy, patterns)
  const [guideFirst] = neighbourPair(guide, patterns)
  const [wholeFirst, wholeSecond] = noGrad(() => neighbourPair(network.forward(noisy, guide).q, patterns))
  const error = network.forward(first, guideFirst).q.sub(second)
  return {
    reconstruction: error.square().mean(),
    regularisation: error.sub(wholeFirst.sub(wholeSecond)).square().mean(),
  }
}
