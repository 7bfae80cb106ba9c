import { cosineSimilarity, pairwiseDistance, type Tensor } from '../tensor'
import { Module } from './module'
import { withDefaults } from './options'

export interface CosineSimilarityOptions {
  /** The dimension whose vectors are compared; default 1. */
  readonly dim?: number
  /** Least product of the lengths to divide by; default 1e-8. */
  readonly eps?: number
}

/** Cosine of the angle between vectors along a dimension, as `torch.nn.CosineSimilarity`. */
export class CosineSimilarity extends Module {
  readonly dim: number
  readonly eps: number

  constructor(options: CosineSimilarityOptions = {}) {
    super()
    const { dim, eps } = withDefaults('CosineSimilarity', { dim: 1, eps: 1e-8 }, options)
    this.dim = dim
    this.eps = eps
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, { dim: this.dim, eps: this.eps })
  }
}

export interface PairwiseDistanceOptions {
  /** Exponent of the norm; default 2. */
  readonly p?: number
  /** Added to the difference; default 1e-6. */
  readonly eps?: number
  /** Keeps the last dimension, with size 1; default false. */
  readonly keepdim?: boolean
}

/** p-norm of the difference of vectors, as `torch.nn.PairwiseDistance`. Shapes: `[N, D]` twice → `[N]`. */
export class PairwiseDistance extends Module {
  readonly p: number
  readonly eps: number
  readonly keepdim: boolean

  constructor(options: PairwiseDistanceOptions = {}) {
    super()
    const { p, eps, keepdim } = withDefaults('PairwiseDistance', { p: 2, eps: 1e-6, keepdim: false }, options)
    this.p = p
    this.eps = eps
    this.keepdim = keepdim
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, { p: this.p, eps: this.eps, keepdim: this.keepdim })
  }
}
