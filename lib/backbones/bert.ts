// BERT with the names of the transformers package; BLIP's text networks are made of its parts.
import { ArgumentError, ShapeError } from '../native/errors'
import { Dropout, Embedding, LayerNorm, Linear, Module, ModuleList, type Parameter, parameter } from '../nn'
import { withDefaults } from '../nn/options'
import { arange, type Tensor, zeros } from '../tensor'
import type { NetworkEntry } from './network'
import {
  type ActivationName,
  activationOf,
  addMasks,
  appendKeyValues,
  attend,
  causalMask,
  checkTokens,
  headWidth,
  initNormal,
  type KeyValues,
  type LayerCache,
  paddingMask,
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

type Config = Required<BertOptions>

/** Which positions tokens have, where the caller does not say; `past` tokens were seen before. */
export type PositionRule = (tokens: Tensor, past: number) => Tensor

/** 0, 1, 2, … */
const countPositions: PositionRule = (tokens, past) =>
  arange(past, past + (tokens.shape[1] ?? 0), { dtype: 'int64', device: tokens.device }).unsqueeze(0)

/** Sum of three tables, normalised (Devlin et al. 2019, Fig. 2). */
export class BertEmbeddings extends Module {
  readonly wordEmbeddings: Embedding
  readonly positionEmbeddings: Embedding
  readonly tokenTypeEmbeddings: Embedding | null
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(
    config: Config,
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
    { tokenTypeIds, positionIds, past = 0 }: Pick<BertInputs, 'tokenTypeIds' | 'positionIds'> & { past?: number } = {},
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

  constructor(config: Config, keyWidth: number) {
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

  constructor(from: number, config: Pick<Config, 'hiddenSize' | 'layerNormEps' | 'hiddenDropoutProb'>) {
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

  constructor(config: Config, keyWidth: number = config.hiddenSize) {
    super()
    this.self = new BertSelfAttention(config, keyWidth)
    this.output = new BertOutput(config.hiddenSize, config)
  }

  forward(x: Tensor, seen: KeyValues, mask: Tensor | null): Tensor {
    return this.output.forward(this.self.forward(x, seen, mask), x)
  }
}

class BertIntermediate extends Module {
  readonly dense: Linear
  readonly activation: (x: Tensor) => Tensor

  constructor(config: Config) {
    super()
    this.dense = new Linear(config.hiddenSize, config.intermediateSize)
    this.activation = activationOf(config.hiddenAct)
  }

  forward(x: Tensor): Tensor {
    return this.activation(this.dense.forward(x))
  }
}

/** What a layer attends to besides the tokens themselves. */
interface LayerContext {
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

  constructor(config: Config) {
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

  constructor(config: Config) {
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

export interface BertInputs {
  /** 1 for tokens and 0 for padding, `[N, L]`, tokens of the cache included; default all ones. */
  readonly attentionMask?: Tensor | null
  /** Which kind each token is, `[N, L]`; default 0. */
  readonly tokenTypeIds?: Tensor | null
  readonly positionIds?: Tensor | null
  /** What layers with cross-attention attend to: `[N, M, encoderHiddenSize]`, */
  readonly encoderHiddenStates?: Tensor | null
  /** and which of it: `[N, M]`. */
  readonly encoderAttentionMask?: Tensor | null
  /** What an earlier call gave, so that only new tokens are computed; for decoders. */
  readonly cache?: readonly LayerCache[] | null
  /** Whether the result holds a cache; default false. */
  readonly useCache?: boolean
}

export interface BertOutputs {
  /** `[N, L, D]`. */
  readonly lastHiddenState: Tensor
  /** `[N, D]`, where the network has a pooler. */
  readonly poolerOutput: Tensor | null
  readonly cache: readonly LayerCache[] | null
}

/**
 * BERT (Devlin, Chang, Lee, Toutanova, NAACL 2019): a stack of transformer encoder layers over word pieces.
 *
 * Shapes: token numbers int64 `[N, L]` → `lastHiddenState` `[N, L, hiddenSize]`.
 */
export class BertModel extends Module {
  readonly embeddings: BertEmbeddings
  readonly encoder: BertEncoder
  readonly pooler: BertPooler | null
  readonly config: Readonly<Config>
  /** How many tokens there are positions for. */
  readonly #positions: number

  constructor(options: BertOptions = {}, positions?: { readonly rule: PositionRule; readonly padding: number }) {
    super()
    const config = withDefaults<Config>('BERT', BERT_BASE, options)
    this.config = config
    this.#positions = config.maxPositionEmbeddings - (positions ? positions.padding + 1 : 0)
    this.embeddings = new BertEmbeddings(config, positions?.rule, positions?.padding)
    this.encoder = new BertEncoder(config)
    this.pooler = config.pooling ? new BertPooler(config.hiddenSize) : null
    initNormal(this, config.initializerRange)
  }

  /** @throws ShapeError for more tokens than there are positions, or masks of another shape */
  forward(tokens: Tensor, inputs: BertInputs = {}): BertOutputs {
    const { attentionMask, encoderHiddenStates: encoder = null, encoderAttentionMask, cache = null } = inputs
    const { tokenTypeIds, positionIds, useCache = false } = inputs
    const past = cache?.[0]?.self.key.shape[2] ?? 0
    const [batch, length] = checkTokens('BERT', tokens, this.#positions, past)
    if ((cache || useCache) && !this.config.isDecoder) {
      throw new ArgumentError(
        'BERT: a cache is for decoders, whose tokens do not see later ones; make it with isDecoder',
      )
    }
    const x = this.embeddings.forward(tokens, { tokenTypeIds, positionIds, past })
    const { hidden, cache: next } = this.encoder.forward(
      x,
      this.#context(x, batch, length, past, { attentionMask, encoder, encoderAttentionMask }),
      cache,
    )
    return {
      lastHiddenState: hidden,
      poolerOutput: this.pooler?.forward(hidden) ?? null,
      cache: useCache ? next : null,
    }
  }

  #context(
    x: Tensor,
    batch: number,
    length: number,
    past: number,
    given: { attentionMask?: Tensor | null; encoder: Tensor | null; encoderAttentionMask?: Tensor | null },
  ): Omit<LayerContext, 'cache'> {
    const { attentionMask, encoder, encoderAttentionMask } = given
    const { encoderHiddenSize, isDecoder } = this.config
    if (encoder && encoderHiddenSize === null) {
      throw new ArgumentError(
        'BERT: encoderHiddenStates for a network without cross-attention; make it with encoderHiddenSize',
      )
    }
    if (encoder && (encoder.ndim !== 3 || encoder.shape[2] !== encoderHiddenSize)) {
      throw new ShapeError(
        `BERT: encoderHiddenStates is [${encoder.shape.join(', ')}]; it must be [N, M, ${encoderHiddenSize}]`,
      )
    }
    const padding = attentionMask ? paddingMask(attentionMask, batch, past + length, x.dtype) : null
    const causal = isDecoder && length > 1 ? causalMask(length, past + length, x) : null
    const encoderMask =
      encoder && encoderAttentionMask ? paddingMask(encoderAttentionMask, batch, encoder.shape[1] ?? 0, x.dtype) : null
    return { mask: addMasks(padding, causal), encoder, encoderMask }
  }
}

class BertPredictionTransform extends Module {
  readonly dense: Linear
  readonly LayerNorm: LayerNorm
  readonly activation: (x: Tensor) => Tensor

  constructor(config: Config) {
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

  constructor(config: Config, words: Embedding) {
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

/** Heads of pretraining: masked words, and whether the second text follows the first. */
class BertPreTrainingHeads extends Module {
  readonly predictions: BertLMPredictionHead
  readonly seqRelationship: Linear

  constructor(config: Config, words: Embedding) {
    super()
    this.predictions = new BertLMPredictionHead(config, words)
    this.seqRelationship = new Linear(config.hiddenSize, 2)
    initNormal(this, config.initializerRange)
  }

  forward(hidden: Tensor, pooled: Tensor): { predictionLogits: Tensor; seqRelationshipLogits: Tensor } {
    return {
      predictionLogits: this.predictions.forward(hidden),
      seqRelationshipLogits: this.seqRelationship.forward(pooled),
    }
  }
}

/** BERT with the heads of its pretraining: `predictionLogits` `[N, L, vocabSize]`, `seqRelationshipLogits` `[N, 2]`. */
export class BertForPreTraining extends Module {
  readonly bert: BertModel
  readonly cls: BertPreTrainingHeads

  constructor(options: BertOptions = {}) {
    super()
    this.bert = new BertModel({ ...options, pooling: true })
    this.cls = new BertPreTrainingHeads(this.bert.config, this.bert.embeddings.wordEmbeddings)
  }

  forward(tokens: Tensor, inputs: BertInputs = {}): { predictionLogits: Tensor; seqRelationshipLogits: Tensor } {
    const { lastHiddenState, poolerOutput } = this.bert.forward(tokens, inputs)
    if (!poolerOutput) throw new ArgumentError('BertForPreTraining: the network has lost its pooler')
    return this.cls.forward(lastHiddenState, poolerOutput)
  }
}

export const bertBaseUncased = (options?: BertOptions) => new BertModel(options)
export const bertLargeUncased = (options?: BertOptions) =>
  new BertModel({ hiddenSize: 1024, numHiddenLayers: 24, numAttentionHeads: 16, intermediateSize: 4096, ...options })
export const bertBaseUncasedPretraining = (options?: BertOptions) => new BertForPreTraining(options)

const text = { task: 'text', input: { kind: 'text' } } as const

export const BERTS = {
  bert_base_uncased: { create: bertBaseUncased, ...text, features: 'pooler' },
  bert_large_uncased: { create: bertLargeUncased, ...text, features: 'pooler' },
  bert_base_uncased_pretraining: { create: bertBaseUncasedPretraining, ...text, features: 'bert.pooler' },
} as const satisfies Readonly<Record<string, NetworkEntry<BertOptions>>>
