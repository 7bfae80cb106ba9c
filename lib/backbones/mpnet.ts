// MPNet with the names of the transformers package.
import { Dropout, Embedding, LayerNorm, Linear, Module, ModuleList } from '../nn'
import { withDefaults } from '../nn/options'
import type { Tensor } from '../tensor'
import { BertIntermediate, BertOutput, BertPooler } from './bert-blocks'
import type { NetworkEntry } from './network'
import { relativeBuckets } from './relative-positions'
import { positionsAfter } from './roberta'
import {
  type ActivationName,
  attendLearnt,
  checkTokens,
  headWidth,
  initNormal,
  paddingMask,
  splitHeads,
} from './text-blocks'

export interface MPNetOptions {
  readonly vocabSize?: number
  readonly hiddenSize?: number
  readonly numHiddenLayers?: number
  readonly numAttentionHeads?: number
  readonly intermediateSize?: number
  readonly hiddenAct?: ActivationName
  readonly hiddenDropoutProb?: number
  readonly attentionProbsDropoutProb?: number
  readonly maxPositionEmbeddings?: number
  readonly layerNormEps?: number
  readonly padTokenId?: number
  readonly initializerRange?: number
  readonly relativeAttentionNumBuckets?: number
  /** A `pooler` over the first token; default true. */
  readonly pooling?: boolean
}

const MPNET_BASE = {
  vocabSize: 30527,
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  intermediateSize: 3072,
  hiddenAct: 'gelu',
  hiddenDropoutProb: 0.1,
  attentionProbsDropoutProb: 0.1,
  maxPositionEmbeddings: 512,
  layerNormEps: 1e-12,
  padTokenId: 1,
  initializerRange: 0.02,
  relativeAttentionNumBuckets: 32,
  pooling: true,
} as const satisfies Required<MPNetOptions>

type Config = Required<MPNetOptions>

class MPNetEmbeddings extends Module {
  readonly wordEmbeddings: Embedding
  readonly positionEmbeddings: Embedding
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout
  readonly positionsOf: (tokens: Tensor) => Tensor

  constructor(config: Config) {
    super()
    const { hiddenSize, padTokenId } = config
    this.wordEmbeddings = new Embedding(config.vocabSize, hiddenSize, { paddingIdx: padTokenId })
    this.positionEmbeddings = new Embedding(config.maxPositionEmbeddings, hiddenSize, { paddingIdx: padTokenId })
    this.LayerNorm = new LayerNorm(hiddenSize, { eps: config.layerNormEps })
    this.dropout = new Dropout({ p: config.hiddenDropoutProb })
    const rule = positionsAfter(padTokenId)
    this.positionsOf = (tokens) => rule(tokens, 0)
  }

  forward(tokens: Tensor): Tensor {
    const sum = this.wordEmbeddings.forward(tokens).add(this.positionEmbeddings.forward(this.positionsOf(tokens)))
    return this.dropout.forward(this.LayerNorm.forward(sum))
  }
}

class MPNetSelfAttention extends Module {
  readonly q: Linear
  readonly k: Linear
  readonly v: Linear
  readonly o: Linear
  readonly heads: number
  readonly dropout: number

  constructor({ hiddenSize: width, numAttentionHeads, attentionProbsDropoutProb }: Config) {
    super()
    headWidth('MPNet', width, numAttentionHeads)
    this.heads = numAttentionHeads
    this.dropout = attentionProbsDropoutProb
    this.q = new Linear(width, width)
    this.k = new Linear(width, width)
    this.v = new Linear(width, width)
    this.o = new Linear(width, width)
  }

  forward(x: Tensor, mask: Tensor): Tensor {
    const query = splitHeads(this.q.forward(x), this.heads)
    const seen = { key: splitHeads(this.k.forward(x), this.heads), value: splitHeads(this.v.forward(x), this.heads) }
    return this.o.forward(attendLearnt(query, seen, mask, { dropout: this.training ? this.dropout : 0 }))
  }
}

class MPNetAttention extends Module {
  readonly attn: MPNetSelfAttention
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(config: Config) {
    super()
    this.attn = new MPNetSelfAttention(config)
    this.LayerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    this.dropout = new Dropout({ p: config.attentionProbsDropoutProb })
  }

  forward(x: Tensor, mask: Tensor): Tensor {
    return this.LayerNorm.forward(this.dropout.forward(this.attn.forward(x, mask)).add(x))
  }
}

class MPNetLayer extends Module {
  readonly attention: MPNetAttention
  readonly intermediate: BertIntermediate
  readonly output: BertOutput

  constructor(config: Config) {
    super()
    this.attention = new MPNetAttention(config)
    this.intermediate = new BertIntermediate(config)
    this.output = new BertOutput(config.intermediateSize, config)
  }

  forward(x: Tensor, mask: Tensor): Tensor {
    const seen = this.attention.forward(x, mask)
    return this.output.forward(this.intermediate.forward(seen), seen)
  }
}

class MPNetEncoder extends Module {
  readonly layer: ModuleList<MPNetLayer>
  readonly relativeAttentionBias: Embedding
  readonly buckets: number

  constructor(config: Config) {
    super()
    this.layer = new ModuleList(Array.from({ length: config.numHiddenLayers }, () => new MPNetLayer(config)))
    this.buckets = config.relativeAttentionNumBuckets
    this.relativeAttentionBias = new Embedding(this.buckets, config.numAttentionHeads)
  }

  forward(x: Tensor, padding: Tensor | null): Tensor {
    const length = x.shape[1] ?? 0
    const buckets = relativeBuckets(length, length, { buckets: this.buckets, device: x.device })
    const bias = this.relativeAttentionBias.forward(buckets).permute([2, 0, 1]).unsqueeze(0)
    const mask = padding ? bias.add(padding) : bias
    let hidden = x
    for (const layer of this.layer) hidden = layer.forward(hidden, mask)
    return hidden
  }
}

/**
 * MPNet (Song, Tan, Qin, Lu, Liu, NeurIPS 2020): BERT's layers with absolute and relative positions.
 *
 * Shapes: token numbers int64 `[N, L]` → `lastHiddenState` `[N, L, hiddenSize]`, `poolerOutput` `[N, hiddenSize]`.
 */
export class MPNetModel extends Module {
  readonly embeddings: MPNetEmbeddings
  readonly encoder: MPNetEncoder
  readonly pooler: BertPooler | null
  readonly config: Readonly<Config>

  constructor(options: MPNetOptions = {}) {
    super()
    const config = withDefaults<Config>('MPNet', MPNET_BASE, options)
    this.config = config
    this.embeddings = new MPNetEmbeddings(config)
    this.encoder = new MPNetEncoder(config)
    this.pooler = config.pooling ? new BertPooler(config.hiddenSize) : null
    initNormal(this, config.initializerRange)
  }

  /** @param inputs `attentionMask` `[N, L]`: 1 for tokens, 0 for padding; default all ones */
  forward(
    tokens: Tensor,
    { attentionMask }: { readonly attentionMask?: Tensor | null } = {},
  ): { lastHiddenState: Tensor; poolerOutput: Tensor | null } {
    const { maxPositionEmbeddings, padTokenId } = this.config
    const [batch, length] = checkTokens('MPNet', tokens, maxPositionEmbeddings - padTokenId - 1)
    const x = this.embeddings.forward(tokens)
    const hidden = this.encoder.forward(x, attentionMask ? paddingMask(attentionMask, batch, length, x.dtype) : null)
    return { lastHiddenState: hidden, poolerOutput: this.pooler?.forward(hidden) ?? null }
  }
}

export const mpnetBase = (options?: MPNetOptions) => new MPNetModel(options)

export const MPNETS = {
  mpnet_base: { create: mpnetBase, task: 'text', input: { kind: 'text' }, features: 'pooler' },
} as const satisfies Readonly<Record<string, NetworkEntry<MPNetOptions>>>
