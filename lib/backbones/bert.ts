// BERT with the names of the transformers package.
import { ArgumentError, ShapeError } from '../native/errors'
import { type Embedding, Linear, Module } from '../nn'
import { withDefaults } from '../nn/options'
import type { Tensor } from '../tensor'
import {
  BERT_BASE,
  type BertConfig,
  BertEmbeddings,
  BertEncoder,
  BertLMPredictionHead,
  type BertOptions,
  type BertPlaces,
  BertPooler,
  type LayerContext,
  type PositionRule,
} from './bert-blocks'
import type { NetworkEntry } from './network'
import { addMasks, causalMask, checkTokens, initNormal, type LayerCache, paddingMask } from './text-blocks'

export interface BertInputs extends BertPlaces {
  /** 1 for tokens and 0 for padding, `[N, L]`, tokens of the cache included; default all ones. */
  readonly attentionMask?: Tensor | null
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
  readonly config: Readonly<BertConfig>
  /** How many tokens there are positions for. */
  readonly #positions: number

  constructor(options: BertOptions = {}, positions?: { readonly rule: PositionRule; readonly padding: number }) {
    super()
    const config = withDefaults<BertConfig>('BERT', BERT_BASE, options)
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

/** Heads of pretraining: masked words, and whether the second text follows the first. */
class BertPreTrainingHeads extends Module {
  readonly predictions: BertLMPredictionHead
  readonly seqRelationship: Linear

  constructor(config: BertConfig, words: Embedding) {
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
