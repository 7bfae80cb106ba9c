import { ShapeError } from '../../native/errors'
import {
  alphaDropout_,
  alphaDropout as alphaDropoutOperator,
  dropout_,
  dropout as dropoutOperator,
  featureAlphaDropout_,
  featureAlphaDropout as featureAlphaDropoutOperator,
  featureDropout,
  featureDropout_,
  type Tensor,
} from '../../tensor'
import { tidy } from '../../tensor/scope'
import { oneOf, probability, show } from '../options'

export interface DropoutOptions {
  /** Probability that a value becomes zero. */
  readonly p?: number
  /** False passes the input on unchanged; default true, but false for the alpha forms, as in PyTorch. */
  readonly training?: boolean
  /** Changes the input itself; default false. */
  readonly inplace?: boolean
}

type Drop = (input: Tensor, p: number, train: boolean) => Tensor

function drop(name: string, fresh: Drop, inPlace: Drop, input: Tensor, options: DropoutOptions): Tensor {
  const { p = 0.5, training = true, inplace = false } = options
  probability(`${name}: p`, p)
  return (inplace ? inPlace : fresh)(input, p, training)
}

/** Zeroes values with probability `p` and scales the others by 1 / (1 − p) (Srivastava et al. 2014). */
export function dropout(input: Tensor, options: DropoutOptions = {}): Tensor {
  return drop('dropout', dropoutOperator, dropout_, input, options)
}

/** Zeroes whole channels of `[N, C, L]` or `[C, L]`. */
export function dropout1d(input: Tensor, options: DropoutOptions = {}): Tensor {
  return dropChannels('dropout1d', 1, input, options)
}

/** Zeroes whole channels of `[N, C, H, W]`; as in PyTorch three dimensions are `[N, C, L]`. */
export function dropout2d(input: Tensor, options: DropoutOptions = {}): Tensor {
  if (input.ndim !== 3) return dropChannels('dropout2d', 2, input, options)
  return drop('dropout2d', featureDropout, featureDropout_, input, options)
}

/** Zeroes whole channels of `[N, C, D, H, W]` or `[C, D, H, W]`. */
export function dropout3d(input: Tensor, options: DropoutOptions = {}): Tensor {
  return dropChannels('dropout3d', 3, input, options)
}

function dropChannels(name: string, rank: number, input: Tensor, options: DropoutOptions): Tensor {
  const { ndim } = input
  if (ndim === rank + 2) return drop(name, featureDropout, featureDropout_, input, options)
  if (ndim !== rank + 1) {
    throw new ShapeError(
      `${name}: the input has shape ${show(input.shape)}; it must have ${rank + 1} or ${rank + 2} dimensions`,
    )
  }
  return tidy(() => {
    const batch = drop(name, featureDropout, featureDropout_, input.unsqueeze(0), options)
    return options.inplace ? input : batch.squeeze([0])
  })
}

/** Dropout that keeps mean and variance of self-normalising networks (Klambauer et al. 2017). */
export function alphaDropout(input: Tensor, options: DropoutOptions = {}): Tensor {
  // PyTorch's default here is evaluation, other than in `dropout`.
  const { p, training = false, inplace } = options
  return drop('alphaDropout', alphaDropoutOperator, alphaDropout_, input, { p, training, inplace })
}

/** As `alphaDropout`, of whole channels. */
export function featureAlphaDropout(input: Tensor, options: DropoutOptions = {}): Tensor {
  const { p, training = false, inplace } = options
  return drop('featureAlphaDropout', featureAlphaDropoutOperator, featureAlphaDropout_, input, { p, training, inplace })
}

export type StochasticDepthMode = 'batch' | 'row'

/**
 * Zeroes the whole input (`'batch'`) or single samples (`'row'`) with probability `p` and scales the others by
 * 1 / (1 − p) (Huang et al. 2016), as torchvision's `stochastic_depth`.
 */
export function stochasticDepth(
  input: Tensor,
  p: number,
  mode: StochasticDepthMode,
  { training = true }: { training?: boolean } = {},
): Tensor {
  probability('stochasticDepth: p', p)
  oneOf('stochasticDepth: mode', mode, ['batch', 'row'])
  if (!training || p === 0) return input
  const survival = 1 - p
  const size =
    mode === 'row'
      ? [input.size(0), ...new Array<number>(input.ndim - 1).fill(1)]
      : new Array<number>(input.ndim).fill(1)
  return tidy(() => {
    const kept = input.newEmpty(size).bernoulli_({ p: survival })
    return input.mul(survival > 0 ? kept.div_(survival) : kept)
  })
}
