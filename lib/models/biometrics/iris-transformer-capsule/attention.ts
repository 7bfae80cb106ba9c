// Attention with heads of a width of their own, and the transformer layers made of it.
import { functional as F, LayerNorm, Linear, Module } from '../../../nn'
import type { Tensor } from '../../../tensor'

/** Sizes of the transformer. */
export interface AttentionSizes {
  readonly channels: number
  readonly heads: number
  readonly headDim: number
}

/** Eq. 2 to 4: `softmax(Q Kᵀ / √d) V` for each head, then one matrix over all heads. Nothing has a bias. */
export class HeadAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly output: Linear

  constructor(readonly sizes: AttentionSizes) {
    super()
    const { channels, heads, headDim } = sizes
    const inner = heads * headDim
    this.query = new Linear(channels, inner, { bias: false })
    this.key = new Linear(channels, inner, { bias: false })
    this.value = new Linear(channels, inner, { bias: false })
    this.output = new Linear(inner, channels, { bias: false })
  }

  /** @param queries `[B, N, C]` @param tokens `[B, M, C]`, keys and values @returns `[B, N, C]` */
  forward(queries: Tensor, tokens: Tensor): Tensor {
    const { heads, headDim } = this.sizes
    const split = (x: Tensor) => x.reshape([x.size(0), x.size(1), heads, headDim]).transpose(1, 2)
    const attended = F.scaledDotProductAttention(
      split(this.query.forward(queries)),
      split(this.key.forward(tokens)),
      split(this.value.forward(tokens)),
    )
    return this.output.forward(attended.transpose(1, 2).flatten({ startDim: 2 }))
  }
}

/** Two linear layers with GELU between them, twice as wide within. */
export class FeedForward extends Module {
  readonly inner: Linear
  readonly outer: Linear

  constructor(channels: number) {
    super()
    this.inner = new Linear(channels, 2 * channels)
    this.outer = new Linear(2 * channels, channels)
  }

  forward(x: Tensor): Tensor {
    return this.outer.forward(F.gelu(this.inner.forward(x)))
  }
}

/**
 * A transformer layer that normalises first: attention and two linear layers, each with a residual. Without tokens the
 * input attends to itself (encoder); with them pixels attend to tokens, both normalised alike (decoder).
 */
export class TransformerLayer extends Module {
  readonly norm1: LayerNorm
  readonly attention: HeadAttention
  readonly norm2: LayerNorm
  readonly mlp: FeedForward

  constructor(sizes: AttentionSizes) {
    super()
    this.norm1 = new LayerNorm(sizes.channels)
    this.attention = new HeadAttention(sizes)
    this.norm2 = new LayerNorm(sizes.channels)
    this.mlp = new FeedForward(sizes.channels)
  }

  forward(x: Tensor, tokens?: Tensor): Tensor {
    const queries = this.norm1.forward(x)
    const seen = tokens === undefined ? queries : this.norm1.forward(tokens)
    const y = x.add(this.attention.forward(queries, seen))
    return y.add(this.mlp.forward(this.norm2.forward(y)))
  }
}
