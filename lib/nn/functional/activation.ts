import { type Tensor, tanh, zerosLike } from '../../tensor'
import { tidy } from '../../tensor/scope'

/** Softmax of the negated input: the smallest value gets the largest share. */
export function softmin(input: Tensor, dim: number): Tensor {
  return tidy(() => input.neg().softmax(dim))
}

/** `x / (1 + |x|)` */
export function softsign(input: Tensor): Tensor {
  return tidy(() => input.div(input.abs().add(1)))
}

/** `x − tanh(x)` */
export function tanhshrink(input: Tensor): Tensor {
  return tidy(() => input.sub(tanh(input)))
}

export interface GumbelSoftmaxOptions {
  /** Temperature; default 1. */
  readonly tau?: number
  /** Returns one-hot vectors whose gradient is that of the soft ones; default false. */
  readonly hard?: boolean
  /** Default −1. */
  readonly dim?: number
}

/** A differentiable sample of a categorical distribution given by logits (Jang et al. 2017). */
export function gumbelSoftmax(logits: Tensor, { tau = 1, hard = false, dim = -1 }: GumbelSoftmaxOptions = {}): Tensor {
  return tidy(() => {
    const gumbel = zerosLike(logits, { memoryFormat: 'contiguous_format' }).exponential_().log().neg()
    const soft = logits.add(gumbel).div(tau).softmax(dim)
    if (!hard) return soft
    const oneHot = zerosLike(soft).scatter_(dim, soft.argmax({ dim, keepdim: true }), 1)
    return oneHot.sub(soft.detach()).add(soft)
  })
}
