import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { withDefaults } from '../options'
import { Loss, type LossOptions, MEAN, reductionCode } from './loss'

export interface CTCLossOptions extends LossOptions {
  /** The class that stands for no label. Default: 0. */
  readonly blank?: number | undefined
  /** Infinite losses, of targets that are too long for their input, and their gradients become 0. Default: false. */
  readonly zeroInfinity?: boolean | undefined
}

/** How long each sequence is. */
export type Lengths = Tensor | readonly number[]

/**
 * Connectionist temporal classification (Graves et al. 2006), as `torch.nn.functional.ctc_loss`: `−log p(target)`, summed
 * over all alignments of the target to the input. `mean` first divides each loss by its target's length.
 *
 * @param logProbs log probabilities `[T, N, C]`, or `[T, C]`
 * @param targets classes, int64: `[N, S]` padded, or all in one row `[Σ lengths]`
 * @param inputLengths `[N]`, T at most
 * @param targetLengths `[N]`
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: CTCLossOptions = {},
): Tensor {
  const defaults = { reduction: MEAN, blank: 0, zeroInfinity: false }
  const { reduction, ...rest } = withDefaults('ctcLoss', defaults, options)
  const settings = { ...rest, reduction: reductionCode('ctcLoss', reduction) }
  // LibTorch 2.11 reads the wrong labels from a strided row: it finds a sequence's start as if labels were neighbours.
  return ops.tidy(() =>
    ops.ctcLoss(logProbs, targets.contiguous(), asTensor(inputLengths), asTensor(targetLengths), settings),
  )
}

function asTensor(lengths: Lengths): Tensor {
  return ops.isTensor(lengths) ? lengths : ops.tensor(lengths, { dtype: 'int64' })
}

/** `ctcLoss` as a module, as `torch.nn.CTCLoss`. */
export class CTCLoss extends Loss<CTCLossOptions> {
  forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options)
  }
}
