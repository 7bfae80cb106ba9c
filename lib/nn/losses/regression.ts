import { ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { withDefaults } from '../options'
import { checkSameShape, Loss, type LossOptions, MEAN, reduce, reductionCode } from './loss'

/** Losses between numbers and the numbers that they should be. All take an `input` and a `target` of one shape. */

/**
 * Absolute error, `|x − y|`, as `torch.nn.functional.l1_loss`.
 *
 * @throws ShapeError when the shapes differ
 */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const { reduction } = withDefaults('l1Loss', { reduction: MEAN }, options)
  checkSameShape('l1Loss', { input, target })
  return ops.l1Loss(input, target, { reduction: reductionCode('l1Loss', reduction) })
}

/** `l1Loss` as a module, as `torch.nn.L1Loss`. */
export class L1Loss extends Loss<LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options)
  }
}

/**
 * Squared error, `(x − y)²`, as `torch.nn.functional.mse_loss`.
 *
 * @throws ShapeError when the shapes differ
 */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const { reduction } = withDefaults('mseLoss', { reduction: MEAN }, options)
  checkSameShape('mseLoss', { input, target })
  return ops.mseLoss(input, target, { reduction: reductionCode('mseLoss', reduction) })
}

/** `mseLoss` as a module, as `torch.nn.MSELoss`. */
export class MSELoss extends Loss<LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options)
  }
}

export interface HuberLossOptions extends LossOptions {
  /** The difference above which the loss grows linearly; above 0. Default: 1. */
  readonly delta?: number | undefined
}

/**
 * Huber loss (Huber 1964), as `torch.nn.functional.huber_loss`: with `d = |x − y|`, `d² / 2` where `d ≤ δ`, and
 * `δ (d − δ / 2)` beyond.
 *
 * @throws ShapeError when the shapes differ
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  const { reduction, delta } = withDefaults('huberLoss', { reduction: MEAN, delta: 1 }, options)
  checkSameShape('huberLoss', { input, target })
  return ops.huberLoss(input, target, { reduction: reductionCode('huberLoss', reduction), delta })
}

/** `huberLoss` as a module, as `torch.nn.HuberLoss`. */
export class HuberLoss extends Loss<HuberLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.options)
  }
}

export interface SmoothL1LossOptions extends LossOptions {
  /** The difference above which the loss is absolute; with 0 it is `l1Loss`. Default: 1. */
  readonly beta?: number | undefined
}

/**
 * Smooth L1 loss (Girshick, Fast R-CNN, 2015), as `torch.nn.functional.smooth_l1_loss`: with `d = |x − y|`,
 * `d² / 2β` where `d < β`, and `d − β / 2` beyond.
 *
 * @throws ShapeError when the shapes differ
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Tensor {
  const { reduction, beta } = withDefaults('smoothL1Loss', { reduction: MEAN, beta: 1 }, options)
  checkSameShape('smoothL1Loss', { input, target })
  return ops.smoothL1Loss(input, target, { reduction: reductionCode('smoothL1Loss', reduction), beta })
}

/** `smoothL1Loss` as a module, as `torch.nn.SmoothL1Loss`. */
export class SmoothL1Loss extends Loss<SmoothL1LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, this.options)
  }
}

export interface PoissonNLLLossOptions extends LossOptions {
  /** The input is the logarithm of the rate. Default: true. */
  readonly logInput?: boolean | undefined
  /** Adds Stirling's approximation of `log y!` where `y > 1`. Default: false. */
  readonly full?: boolean | undefined
  /** Added to a rate before its logarithm is taken. Default: 1e-8. */
  readonly eps?: number | undefined
}

/**
 * Negative log likelihood of counts of a Poisson distribution, as `torch.nn.functional.poisson_nll_loss`: `eˣ − y x`,
 * or `x − y log(x + ε)` without `logInput`.
 *
 * @throws ShapeError when the shapes differ
 */
export function poissonNllLoss(input: Tensor, target: Tensor, options: PoissonNLLLossOptions = {}): Tensor {
  const defaults = { reduction: MEAN, logInput: true, full: false, eps: 1e-8 }
  const { reduction, logInput, full, eps } = withDefaults('poissonNllLoss', defaults, options)
  checkSameShape('poissonNllLoss', { input, target })
  return ops.poissonNllLoss(input, target, logInput, full, eps, reductionCode('poissonNllLoss', reduction))
}

/** `poissonNllLoss` as a module, as `torch.nn.PoissonNLLLoss`. */
export class PoissonNLLLoss extends Loss<PoissonNLLLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return poissonNllLoss(input, target, this.options)
  }
}

export interface GaussianNLLLossOptions extends LossOptions {
  /** Adds the constant `log(2π) / 2`. Default: false. */
  readonly full?: boolean | undefined
  /** Smaller variances count as this. Default: 1e-6. */
  readonly eps?: number | undefined
}

/**
 * Negative log likelihood of a Gaussian with its own variance for each element or row (Nix and Weigend 1994), as
 * `torch.nn.functional.gaussian_nll_loss`: `(log v + (x − y)² / v) / 2` with `v = max(variance, ε)`. As in PyTorch the
 * gradient passes that maximum unchanged, so a variance that became too small can recover.
 *
 * @param variance of the input's shape; or without its last dimension, or with 1 there, for one variance a row
 * @throws ShapeError when the shapes do not fit
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianNLLLossOptions = {},
): Tensor {
  const { reduction, full, eps } = withDefaults('gaussianNllLoss', { reduction: MEAN, full: false, eps: 1e-6 }, options)
  checkSameShape('gaussianNllLoss', { input, target })
  return ops.tidy(() => {
    const v = perElement(input, variance).clone()
    ops.noGrad(() => v.clamp_({ min: eps }))
    const losses = v.log().add(input.sub(target).square().div(v)).mul(0.5)
    return reduce('gaussianNllLoss', full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, reduction)
  })
}

/** The variance in a shape that broadcasts to the input's. */
function perElement(input: Tensor, variance: Tensor): Tensor {
  const [shape, given] = [input.shape, variance.shape]
  const rows = String(shape.slice(0, -1))
  if (String(given) === String(shape)) return variance
  if (given.length === shape.length - 1 && String(given) === rows) return variance.unsqueeze(-1)
  if (given.length === shape.length && given.at(-1) === 1 && String(given.slice(0, -1)) === rows) return variance
  throw new ShapeError(
    `gaussianNllLoss: variance [${given.join(', ')}] does not fit input [${shape.join(', ')}]; it has the same shape, or one number for each row`,
  )
}

/** `gaussianNllLoss` as a module, as `torch.nn.GaussianNLLLoss`. */
export class GaussianNLLLoss extends Loss<GaussianNLLLossOptions> {
  forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return gaussianNllLoss(input, target, variance, this.options)
  }
}
