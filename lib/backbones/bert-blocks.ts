// What BERT is built of, with the names of the transformers package; MPNet and BLIP's text networks are made of it too.
import { ArgumentError } from '../native/errors'
import { Dropout, Embedding, LayerNorm, Linear, Module, ModuleList, type Parameter, parameter } from '../nn'
import { arange, type Tensor, zeros } from '../tensor'
import {
  type ActivationName,
  activationOf,
  appendKeyValues,
  attend,
  headWidth,
  initNormal,
  type KeyValues,
  type LayerCache,
  splitHeads,
  TiedLinear,
} from './text-blocks'

export interface BertOptions {
  readonly vocabSize?: number
  readonly hiddenSize?: number
  readonly numHiddenLayers?: number
  readonly numAttentionHeads?: number
  readonly intermediateSize?: number
  readonly hiddenAct?: ActivationName
  readonly hiddenDropoutProb?: number
  readonly attentionProbsDropoutProb?: number
  readonly maxPositionEmbeddings?: number
  /** Kinds of tokens; 0 leaves their table out. */
  readonly typeVocabSize?: number
  readonly layerNormEps?: number
  readonly padTokenId?: number
  readonly initializerRange?: number
  /** A `pooler` over the first token. */
  readonly pooling?: boolean
  /** Tokens see only those before them. */
  readonly isDecoder?: boolean
  /** Width of what each layer also attends to, as BLIP's do to an image; null for none. */
  readonly encoderHiddenSize?: number | null
}

export const BERT_BASE = {
  vocabSize: 30522,
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  intermediateSize: 3072,
  hiddenAct: 'gelu',
  hiddenDropoutProb: 0.1,
  attentionProbsDropoutProb: 0.1,
  maxPositionEmbeddings: 512,
  typeVocabSize: 2,
  layerNormEps: 1e-12,
  padTokenId: 0,
  initializerRange: 0.02,
  pooling: true,
  isDecoder: false,
  encoderHiddenSize: null,
} as const satisfies Required<BertOptions>

/** Every option of a network. */
export type BertConfig = Required<BertOptions>

/** Which positions tokens have, where the caller does not say; `past` tokens were seen before. */
export type PositionRule = (tokens: Tensor, past: number) => Tensor

/** 0, 1, 2, … */
const countPositions: PositionRule = (tokens, past) =>
  arange(past, past + (tokens.shape[1] ?? 0), { dtype: 'int64', device: tokens.device }).unsqueeze(0)

/** What tokens are, besides words. */
export interface BertPlaces {
  /** Which kind each token is, `[N, L]`; default 0. */
  readonly tokenTypeIds?: Tensor | null
  readonly positionIds?: Tensor | null
}

/** Sum of three tables, normalised (Devlin et al. 2019, Fig. 2). */
export class BertEmbeddings extends Module {
  readonly wordEmbeddings: Embedding
  readonly positionEmbeddings: Embedding
  readonly tokenTypeEmbeddings: Embedding | null
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(
    config: BertConfig,
    readonly positionsOf: PositionRule = countPositions,
    positionPadding: number | null = null,
  ) {
    super()
    const { hiddenSize, typeVocabSize } = config
    this.wordEmbeddings = new Embedding(config.vocabSize, hiddenSize, { paddingIdx: config.padTokenId })
    this.positionEmbeddings = new Embedding(config.maxPositionEmbeddings, hiddenSize, { paddingIdx: positionPadding })
    this.tokenTypeEmbeddings = typeVocabSize > 0 ? new Embedding(typeVocabSize, hiddenSize) : null
    this.LayerNorm = new LayerNorm(hiddenSize, { eps: config.layerNormEps })
    this.dropout = new Dropout({ p: config.hiddenDropoutProb })
  }

  /** @param past how many tokens were seen before these */
  forward(
    tokens: Tensor,
    { tokenTypeIds, positionIds, past = 0 }: BertPlaces & { readonly past?: number } = {},
  ): Tensor {
    let sum = this.wordEmbeddings.forward(tokens)
    if (this.tokenTypeEmbeddings) {
      const types = tokenTypeIds ?? zeros(tokens.shape, { dtype: 'int64', device: tokens.device })
      sum = sum.add(this.tokenTypeEmbeddings.forward(types))
    } else if (tokenTypeIds) {
      throw new ArgumentError('BERT: tokenTypeIds for a network without kinds of tokens; make it with typeVocabSize')
    }
    sum = sum.add(this.positionEmbeddings.forward(positionIds ?? this.positionsOf(tokens, past)))
    return this.dropout.forward(this.LayerNorm.forward(sum))
  }
}

class BertSelfAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly heads: number
  readonly dropout: number

  constructor(config: BertConfig, keyWidth: number) {
    super()
    this.heads = config.numAttentionHeads
    headWidth('BERT', config.hiddenSize, this.heads)
    this.dropout = config.attentionProbsDropoutProb
    this.query = new Linear(config.hiddenSize, config.hiddenSize)
    this.key = new Linear(keyWidth, config.hiddenSize)
    this.value = new Linear(keyWidth, config.hiddenSize)
  }

  keyValues(x: Tensor): KeyValues {
    return { key: splitHeads(this.key.forward(x), this.heads), value: splitHeads(this.value.forward(x), this.heads) }
  }

  forward(x: Tensor, seen: KeyValues, mask: Tensor | null): Tensor {
    const query = splitHeads(this.query.forward(x), this.heads)
    return attend(query, seen, { mask, dropout: this.training ? this.dropout : 0 })
  }
}

/** Projection, dropout and a norm over the sum with what came in. */
export class BertOutput extends Module {
  readonly dense: Linear
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(from: number, config: Pick<BertConfig, 'hiddenSize' | 'layerNormEps' | 'hiddenDropoutProb'>) {
    super()
    this.dense = new Linear(from, config.hiddenSize)
    this.LayerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    this.dropout = new Dropout({ p: config.hiddenDropoutProb })
  }

  forward(x: Tensor, residual: Tensor): Tensor {
    return this.LayerNorm.forward(this.dropout.forward(this.dense.forward(x)).add(residual))
  }
}

class BertAttention extends Module {
  readonly self: BertSelfAttention
  readonly output: BertOutput

  constructor(config: BertConfig, keyWidth: number = config.hiddenSize) {
    super()
    this.self = new BertSelfAttention(config, keyWidth)
    this.output = new BertOutput(config.hiddenSize, config)
  }

  forward(x: Tensor, seen: KeyValues, mask: Tensor | null): Tensor {
    return this.output.forward(this.self.forward(x, seen, mask), x)
  }
}

export class BertIntermediate extends Module {
  readonly dense: Linear
  readonly activation: (x: Tensor) => Tensor

  constructor(config: Pick<BertConfig, 'hiddenSize' | 'intermediateSize' | 'hiddenAct'>) {
    super()
    this.dense = new Linear(config.hiddenSize, config.intermediateSize)
    this.activation = activationOf(config.hiddenAct)
  }

  forward(x: Tensor): Tensor {
    return this.activation(this.dense.forward(x))
  }
}

/** What a layer attends to besides the tokens themselves. */
export interface LayerContext {
  readonly mask: Tensor | null
  readonly encoder: Tensor | null
  readonly encoderMask: Tensor | null
  readonly cache: LayerCache | undefined
}

export class BertLayer extends Module {
  readonly attention: BertAttention
  readonly crossattention: BertAttention | null
  readonly intermediate: BertIntermediate
  readonly output: BertOutput

  constructor(config: BertConfig) {
    super()
    const { encoderHiddenSize } = config
    this.attention = new BertAttention(config)
    this.crossattention = encoderHiddenSize === null ? null : new BertAttention(config, encoderHiddenSize)
    this.intermediate = new BertIntermediate(config)
    this.output = new BertOutput(config.intermediateSize, config)
  }

  forward(x: Tensor, { mask, encoder, encoderMask, cache }: LayerContext): { hidden: Tensor; cache: LayerCache } {
    const { key, value } = this.attention.self.keyValues(x)
    const self = appendKeyValues(cache?.self, key, value)
    let hidden = this.attention.forward(x, self, mask)
    const cross = cache?.cross ?? (encoder && this.crossattention ? this.crossattention.self.keyValues(encoder) : null)
    if (cross && this.crossattention) hidden = this.crossattention.forward(hidden, cross, encoderMask)
    hidden = this.output.forward(this.intermediate.forward(hidden), hidden)
    return { hidden, cache: { self, cross } }
  }
}

export class BertEncoder extends Module {
  readonly layer: ModuleList<BertLayer>

  constructor(config: BertConfig) {
    super()
    this.layer = new ModuleList(Array.from({ length: config.numHiddenLayers }, () => new BertLayer(config)))
  }

  forward(
    x: Tensor,
    context: Omit<LayerContext, 'cache'>,
    cache: readonly LayerCache[] | null,
  ): { hidden: Tensor; cache: LayerCache[] } {
    let hidden = x
    const next: LayerCache[] = []
    for (const [i, layer] of [...this.layer].entries()) {
      const out = layer.forward(hidden, { ...context, cache: cache?.[i] })
      hidden = out.hidden
      next.push(out.cache)
    }
    return { hidden, cache: next }
  }
}

export class BertPooler extends Module {
  readonly dense: Linear

  constructor(width: number) {
    super()
    this.dense = new Linear(width, width)
  }

  /** `[N, L, D]` → `[N, D]`: of the first token. */
  forward(hidden: Tensor): Tensor {
    return this.dense.forward(hidden.select(1, 0)).tanh()
  }
}

class BertPredictionTransform extends Module {
  readonly dense: Linear
  readonly LayerNorm: LayerNorm
  readonly activation: (x: Tensor) => Tensor

  constructor(config: BertConfig) {
    super()
    this.dense = new Linear(config.hiddenSize, config.hiddenSize)
    this.activation = activationOf(config.hiddenAct)
    this.LayerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
  }

  forward(hidden: Tensor): Tensor {
    return this.LayerNorm.forward(this.activation(this.dense.forward(hidden)))
  }
}

/** Scores of every word for each token, with the weight of the word table. */
export class BertLMPredictionHead extends Module {
  readonly bias: Parameter
  readonly transform: BertPredictionTransform
  readonly decoder: TiedLinear

  constructor(config: BertConfig, words: Embedding) {
    super()
    this.transform = new BertPredictionTransform(config)
    this.bias = parameter(zeros([config.vocabSize]))
    this.decoder = new TiedLinear(words.weight, this.bias)
    initNormal(this, config.initializerRange)
  }

  forward(hidden: Tensor): Tensor {
    return this.decoder.forward(this.transform.forward(hidden))
  }
}
