// DistilBERT with the names of the transformers package.
import { Dropout, Embedding, LayerNorm, Linear, Module, ModuleList } from '../nn'
import { withDefaults } from '../nn/options'
import { arange, type Tensor } from '../tensor'
import type { NetworkEntry } from './network'
import {
  type ActivationName,
  activationOf,
  attend,
  checkTokens,
  headWidth,
  initNormal,
  paddingMask,
  splitHeads,
} from './text-blocks'

export interface DistilBertOptions {
  readonly vocabSize?: number
  readonly dim?: number
  readonly nLayers?: number
  readonly nHeads?: number
  readonly hiddenDim?: number
  readonly activation?: ActivationName
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly maxPositionEmbeddings?: number
  readonly padTokenId?: number
  readonly initializerRange?: number
}

const DISTILBERT_BASE = {
  vocabSize: 30522,
  dim: 768,
  nLayers: 6,
  nHeads: 12,
  hiddenDim: 3072,
  activation: 'gelu',
  dropout: 0.1,
  attentionDropout: 0.1,
  maxPositionEmbeddings: 512,
  padTokenId: 0,
  initializerRange: 0.02,
} as const satisfies Required<DistilBertOptions>

type Config = Required<DistilBertOptions>

const EPS = 1e-12

class Embeddings extends Module {
  readonly wordEmbeddings: Embedding
  readonly positionEmbeddings: Embedding
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(config: Config) {
    super()
    this.wordEmbeddings = new Embedding(config.vocabSize, config.dim, { paddingIdx: config.padTokenId })
    this.positionEmbeddings = new Embedding(config.maxPositionEmbeddings, config.dim)
    this.LayerNorm = new LayerNorm(config.dim, { eps: EPS })
    this.dropout = new Dropout({ p: config.dropout })
  }

  forward(tokens: Tensor): Tensor {
    const positions = arange(tokens.shape[1] ?? 0, { dtype: 'int64', device: tokens.device })
    const sum = this.wordEmbeddings.forward(tokens).add(this.positionEmbeddings.forward(positions))
    return this.dropout.forward(this.LayerNorm.forward(sum))
  }
}

class SelfAttention extends Module {
  readonly qLin: Linear
  readonly kLin: Linear
  readonly vLin: Linear
  readonly outLin: Linear
  readonly heads: number
  readonly dropout: number

  constructor({ dim, nHeads, attentionDropout }: Config) {
    super()
    headWidth('DistilBERT', dim, nHeads)
    this.heads = nHeads
    this.dropout = attentionDropout
    this.qLin = new Linear(dim, dim)
    this.kLin = new Linear(dim, dim)
    this.vLin = new Linear(dim, dim)
    this.outLin = new Linear(dim, dim)
  }

  forward(x: Tensor, mask: Tensor | null): Tensor {
    const [query, key, value] = [this.qLin, this.kLin, this.vLin].map((layer) =>
      splitHeads(layer.forward(x), this.heads),
    ) as [Tensor, Tensor, Tensor]
    return this.outLin.forward(attend(query, { key, value }, { mask, dropout: this.training ? this.dropout : 0 }))
  }
}

class FeedForward extends Module {
  readonly dropout: Dropout
  readonly lin1: Linear
  readonly lin2: Linear
  readonly activation: (x: Tensor) => Tensor

  constructor({ dim, hiddenDim, dropout, activation }: Config) {
    super()
    this.dropout = new Dropout({ p: dropout })
    this.lin1 = new Linear(dim, hiddenDim)
    this.lin2 = new Linear(hiddenDim, dim)
    this.activation = activationOf(activation)
  }

  forward(x: Tensor): Tensor {
    return this.dropout.forward(this.lin2.forward(this.activation(this.lin1.forward(x))))
  }
}

class TransformerBlock extends Module {
  readonly attention: SelfAttention
  readonly saLayerNorm: LayerNorm
  readonly ffn: FeedForward
  readonly outputLayerNorm: LayerNorm

  constructor(config: Config) {
    super()
    this.attention = new SelfAttention(config)
    this.saLayerNorm = new LayerNorm(config.dim, { eps: EPS })
    this.ffn = new FeedForward(config)
    this.outputLayerNorm = new LayerNorm(config.dim, { eps: EPS })
  }

  forward(x: Tensor, mask: Tensor | null): Tensor {
    const seen = this.saLayerNorm.forward(this.attention.forward(x, mask).add(x))
    return this.outputLayerNorm.forward(this.ffn.forward(seen).add(seen))
  }
}

class Transformer extends Module {
  readonly layer: ModuleList<TransformerBlock>

  constructor(config: Config) {
    super()
    this.layer = new ModuleList(Array.from({ length: config.nLayers }, () => new TransformerBlock(config)))
  }

  forward(x: Tensor, mask: Tensor | null): Tensor {
    let hidden = x
    for (const block of this.layer) hidden = block.forward(hidden, mask)
    return hidden
  }
}

/**
 * DistilBERT (Sanh, Debut, Chaumond, Wolf 2019): half of BERT's layers, without kinds of tokens and pooler.
 *
 * Shapes: token numbers int64 `[N, L]` → `[N, L, dim]`.
 */
export class DistilBertModel extends Module {
  readonly embeddings: Embeddings
  readonly transformer: Transformer
  readonly config: Readonly<Config>

  constructor(options: DistilBertOptions = {}) {
    super()
    this.config = withDefaults<Config>('DistilBERT', DISTILBERT_BASE, options)
    this.embeddings = new Embeddings(this.config)
    this.transformer = new Transformer(this.config)
    initNormal(this, this.config.initializerRange)
  }

  /** @param inputs `attentionMask` `[N, L]`: 1 for tokens, 0 for padding; default all ones */
  forward(tokens: Tensor, { attentionMask }: { readonly attentionMask?: Tensor | null } = {}): Tensor {
    const [batch, length] = checkTokens('DistilBERT', tokens, this.config.maxPositionEmbeddings)
    const x = this.embeddings.forward(tokens)
    return this.transformer.forward(x, attentionMask ? paddingMask(attentionMask, batch, length, x.dtype) : null)
  }
}

export const distilbertBaseUncased = (options?: DistilBertOptions) => new DistilBertModel(options)

export const DISTILBERTS = {
  distilbert_base_uncased: {
    create: distilbertBaseUncased,
    task: 'text',
    input: { kind: 'text' },
    features: 'transformer',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<DistilBertOptions>>>
