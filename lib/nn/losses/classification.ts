import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { oneOf, withDefaults } from '../options'
import { type Buffer, buffer } from '../roles'
import {
  checkSameShape,
  Loss,
  type LossOptions,
  MEAN,
  NO_TENSOR,
  type Reduction,
  reductionCode,
  WeightedLoss,
} from './loss'

/** Losses between predicted classes or probabilities and the true ones. */

export interface CrossEntropyLossOptions extends LossOptions {
  /** `[C]`: a factor for each class; `mean` then divides by the sum of the targets' factors. */
  readonly weight?: Tensor | undefined
  /** Elements whose class this is count for nothing. Default: −100. */
  readonly ignoreIndex?: number | undefined
  /** `s` in 0–1: the target becomes `(1 − s) y + s / C` (Szegedy et al. 2016). Default: 0. */
  readonly labelSmoothing?: number | undefined
}

/**
 * Cross entropy of logits, as `torch.nn.functional.cross_entropy`: `−Σ_c w_c y_c log softmax(x)_c`.
 *
 * @param input logits `[C]`, `[N, C]` or `[N, C, d…]`
 * @param target classes, int64 `[]`, `[N]` or `[N, d…]`; or probabilities of the input's shape
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyLossOptions = {}): Tensor {
  const { reduction, ...rest } = withDefaults(
    'crossEntropy',
    { reduction: MEAN, weight: NO_TENSOR, ignoreIndex: -100, labelSmoothing: 0 },
    options,
  )
  return ops.crossEntropyLoss(input, target, { ...rest, reduction: reductionCode('crossEntropy', reduction) })
}

/** `crossEntropy` as a module, as `torch.nn.CrossEntropyLoss`. */
export class CrossEntropyLoss extends WeightedLoss<CrossEntropyLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, this.options)
  }
}

export interface NLLLossOptions extends LossOptions {
  /** `[C]`: a factor for each class; `mean` then divides by the sum of the targets' factors. */
  readonly weight?: Tensor | undefined
  /** Elements whose class this is count for nothing. Default: −100. */
  readonly ignoreIndex?: number | undefined
}

/**
 * Negative log likelihood, as `torch.nn.functional.nll_loss`: `−w_y x_y` for log probabilities `x`.
 *
 * @param input log probabilities `[C]`, `[N, C]` or `[N, C, d…]`
 * @param target classes, int64 `[]`, `[N]` or `[N, d…]`
 */
export function nllLoss(input: Tensor, target: Tensor, options: NLLLossOptions = {}): Tensor {
  const { reduction, ...rest } = withDefaults(
    'nllLoss',
    { reduction: MEAN, weight: NO_TENSOR, ignoreIndex: -100 },
    options,
  )
  return ops.nllLossNd(input, target, { ...rest, reduction: reductionCode('nllLoss', reduction) })
}

/** `nllLoss` as a module, as `torch.nn.NLLLoss`. */
export class NLLLoss extends WeightedLoss<NLLLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, this.options)
  }
}

export interface BCELossOptions extends LossOptions {
  /** A factor for each element, broadcast to the input. */
  readonly weight?: Tensor | undefined
}

/**
 * Binary cross entropy of probabilities, as `torch.nn.functional.binary_cross_entropy`:
 * `−w (y log x + (1 − y) log(1 − x))`, with logarithms no smaller than −100.
 *
 * @param input probabilities, 0–1
 * @throws ShapeError when input and target differ
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: BCELossOptions = {}): Tensor {
  const { reduction, weight } = withDefaults('binaryCrossEntropy', { reduction: MEAN, weight: NO_TENSOR }, options)
  checkSameShape('binaryCrossEntropy', { input, target })
  return ops.tidy(() =>
    ops.binaryCrossEntropy(input, target, {
      weight: weight?.expand(input.shape),
      reduction: reductionCode('binaryCrossEntropy', reduction),
    }),
  )
}

/** `binaryCrossEntropy` as a module, as `torch.nn.BCELoss`. */
export class BCELoss extends WeightedLoss<BCELossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, this.options)
  }
}

export interface BCEWithLogitsLossOptions extends BCELossOptions {
  /** A factor for the positive targets of each class, broadcast to the input: above 1 raises recall. */
  readonly posWeight?: Tensor | undefined
}

/**
 * Binary cross entropy of logits, as `torch.nn.functional.binary_cross_entropy_with_logits`:
 * `−w (p y log σ(x) + (1 − y) log(1 − σ(x)))`, computed without overflow.
 *
 * @throws ShapeError when input and target differ
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BCEWithLogitsLossOptions = {},
): Tensor {
  const { reduction, ...rest } = withDefaults(
    'binaryCrossEntropyWithLogits',
    { reduction: MEAN, weight: NO_TENSOR, posWeight: NO_TENSOR },
    options,
  )
  checkSameShape('binaryCrossEntropyWithLogits', { input, target })
  const code = reductionCode('binaryCrossEntropyWithLogits', reduction)
  return ops.binaryCrossEntropyWithLogits(input, target, { ...rest, reduction: code })
}

/** `binaryCrossEntropyWithLogits` as a module, as `torch.nn.BCEWithLogitsLoss`. */
export class BCEWithLogitsLoss extends WeightedLoss<BCEWithLogitsLossOptions> {
  readonly posWeight: Buffer | undefined

  constructor(options?: BCEWithLogitsLossOptions) {
    super(options)
    this.posWeight = this.options.posWeight && buffer(this.options.posWeight)
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(input, target, this.options)
  }
}

export interface KLDivLossOptions {
  /** `batchmean` divides the sum by the batch size, which is the divergence's definition. Default: `mean`. */
  readonly reduction?: Reduction | 'batchmean' | undefined
  /** The target is a logarithm too. Default: false. */
  readonly logTarget?: boolean | undefined
}

/**
 * Kullback-Leibler divergence, as `torch.nn.functional.kl_div`: `y (log y − x)` for log probabilities `x`.
 *
 * @param input log probabilities
 * @param target probabilities, or their logarithms with `logTarget`
 * @throws ShapeError when input and target differ
 */
export function klDiv(input: Tensor, target: Tensor, options: KLDivLossOptions = {}): Tensor {
  const defaults = { reduction: MEAN as Reduction | 'batchmean', logTarget: false }
  const { reduction, logTarget } = withDefaults('klDiv', defaults, options)
  oneOf('klDiv: reduction', reduction, ['none', 'mean', 'sum', 'batchmean'])
  checkSameShape('klDiv', { input, target })
  if (reduction !== 'batchmean') {
    return ops.klDiv(input, target, { reduction: reductionCode('klDiv', reduction), logTarget })
  }
  return ops.tidy(() =>
    ops.klDiv(input, target, { reduction: reductionCode('klDiv', 'sum'), logTarget }).div(input.size(0)),
  )
}

/** `klDiv` as a module, as `torch.nn.KLDivLoss`. */
export class KLDivLoss extends Loss<KLDivLossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, this.options)
  }
}
