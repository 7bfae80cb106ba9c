// T5 with the names of the transformers package.
import { ShapeError } from '../native/errors'
import { Dropout, Embedding, init, Linear, Module, ModuleList, RMSNorm } from '../nn'
import { withDefaults } from '../nn/options'
import type { Tensor } from '../tensor'
import { type GeneratedText, type GenerateOptions, generateFromEncoder } from './generate'
import type { NetworkEntry } from './network'
import { relativeBuckets } from './relative-positions'
import {
  type ActivationName,
  activationOf,
  appendKeyValues,
  attendLearnt,
  causalMask,
  checkTokens,
  type KeyValues,
  type LayerCache,
  paddingMask,
  splitHeads,
  TiedLinear,
} from './text-blocks'

export interface T5Options {
  readonly vocabSize?: number
  readonly dModel?: number
  /** Width of a head. */
  readonly dKv?: number
  readonly dFf?: number
  readonly numLayers?: number
  /** Of the decoder; null for as many as the encoder's. */
  readonly numDecoderLayers?: number | null
  readonly numHeads?: number
  readonly relativeAttentionNumBuckets?: number
  readonly relativeAttentionMaxDistance?: number
  readonly dropoutRate?: number
  readonly layerNormEpsilon?: number
  readonly denseActFn?: ActivationName
  /** Scales first values. */
  readonly initializerFactor?: number
  /** With which decoding begins. */
  readonly decoderStartTokenId?: number
  readonly eosTokenId?: number
}

const T5_BASE = {
  vocabSize: 32128,
  dModel: 768,
  dKv: 64,
  dFf: 3072,
  numLayers: 12,
  numDecoderLayers: null,
  numHeads: 12,
  relativeAttentionNumBuckets: 32,
  relativeAttentionMaxDistance: 128,
  dropoutRate: 0.1,
  layerNormEpsilon: 1e-6,
  denseActFn: 'relu',
  initializerFactor: 1,
  decoderStartTokenId: 0,
  eosTokenId: 1,
} as const satisfies Required<T5Options>

type Config = Required<T5Options>

const linear = (from: number, to: number) => new Linear(from, to, { bias: false })
const norm = (config: Config) => new RMSNorm(config.dModel, { eps: config.layerNormEpsilon })

/** Attention whose scores are not scaled; the queries' first values are small in place of that. */
class T5Attention extends Module {
  readonly q: Linear
  readonly k: Linear
  readonly v: Linear
  readonly o: Linear
  readonly relativeAttentionBias: Embedding | null
  readonly heads: number
  readonly dropout: number

  constructor(config: Config, hasBias: boolean) {
    super()
    const { dModel, dKv, numHeads, initializerFactor: factor } = config
    const inner = dKv * numHeads
    this.heads = numHeads
    this.dropout = config.dropoutRate
    this.q = linear(dModel, inner)
    this.k = linear(dModel, inner)
    this.v = linear(dModel, inner)
    this.o = linear(inner, dModel)
    this.relativeAttentionBias = hasBias ? new Embedding(config.relativeAttentionNumBuckets, numHeads) : null
    init.normal_(this.q.weight, { std: factor * (dModel * dKv) ** -0.5 })
    init.normal_(this.k.weight, { std: factor * dModel ** -0.5 })
    init.normal_(this.v.weight, { std: factor * dModel ** -0.5 })
    init.normal_(this.o.weight, { std: factor * inner ** -0.5 })
    if (this.relativeAttentionBias) init.normal_(this.relativeAttentionBias.weight, { std: factor * dModel ** -0.5 })
  }

  keyValues(x: Tensor): KeyValues {
    return { key: splitHeads(this.k.forward(x), this.heads), value: splitHeads(this.v.forward(x), this.heads) }
  }

  forward(x: Tensor, seen: KeyValues, mask: Tensor | null): Tensor {
    const query = splitHeads(this.q.forward(x), this.heads)
    return this.o.forward(attendLearnt(query, seen, mask, { scale: 1, dropout: this.training ? this.dropout : 0 }))
  }
}

class T5LayerSelfAttention extends Module {
  readonly SelfAttention: T5Attention
  readonly layerNorm: RMSNorm
  readonly dropout: Dropout

  constructor(config: Config, hasBias: boolean) {
    super()
    this.SelfAttention = new T5Attention(config, hasBias)
    this.layerNorm = norm(config)
    this.dropout = new Dropout({ p: config.dropoutRate })
  }

  forward(x: Tensor, mask: Tensor, past: KeyValues | undefined): { hidden: Tensor; seen: KeyValues } {
    const normed = this.layerNorm.forward(x)
    const { key, value } = this.SelfAttention.keyValues(normed)
    const seen = appendKeyValues(past, key, value)
    return { hidden: x.add(this.dropout.forward(this.SelfAttention.forward(normed, seen, mask))), seen }
  }
}

class T5LayerCrossAttention extends Module {
  readonly EncDecAttention: T5Attention
  readonly layerNorm: RMSNorm
  readonly dropout: Dropout

  constructor(config: Config) {
    super()
    this.EncDecAttention = new T5Attention(config, false)
    this.layerNorm = norm(config)
    this.dropout = new Dropout({ p: config.dropoutRate })
  }

  forward(x: Tensor, seen: KeyValues, mask: Tensor | null): Tensor {
    return x.add(this.dropout.forward(this.EncDecAttention.forward(this.layerNorm.forward(x), seen, mask)))
  }
}

class T5DenseActDense extends Module {
  readonly wi: Linear
  readonly wo: Linear
  readonly dropout: Dropout
  readonly activation: (x: Tensor) => Tensor

  constructor({ dModel, dFf, dropoutRate, denseActFn, initializerFactor: factor }: Config) {
    super()
    this.wi = linear(dModel, dFf)
    this.wo = linear(dFf, dModel)
    this.dropout = new Dropout({ p: dropoutRate })
    this.activation = activationOf(denseActFn)
    init.normal_(this.wi.weight, { std: factor * dModel ** -0.5 })
    init.normal_(this.wo.weight, { std: factor * dFf ** -0.5 })
  }

  forward(x: Tensor): Tensor {
    return this.wo.forward(this.dropout.forward(this.activation(this.wi.forward(x))))
  }
}

class T5LayerFF extends Module {
  readonly DenseReluDense: T5DenseActDense
  readonly layerNorm: RMSNorm
  readonly dropout: Dropout

  constructor(config: Config) {
    super()
    this.DenseReluDense = new T5DenseActDense(config)
    this.layerNorm = norm(config)
    this.dropout = new Dropout({ p: config.dropoutRate })
  }

  forward(x: Tensor): Tensor {
    return x.add(this.dropout.forward(this.DenseReluDense.forward(this.layerNorm.forward(x))))
  }
}

interface BlockContext {
  readonly mask: Tensor
  readonly encoder: Tensor | null
  readonly encoderMask: Tensor | null
}

class T5Block extends Module {
  readonly layer: ModuleList
  readonly attention: () => T5LayerSelfAttention
  readonly cross: () => T5LayerCrossAttention | null
  readonly ff: () => T5LayerFF

  constructor(config: Config, isDecoder: boolean, hasBias: boolean) {
    super()
    const attention = new T5LayerSelfAttention(config, hasBias)
    const cross = isDecoder ? new T5LayerCrossAttention(config) : null
    const ff = new T5LayerFF(config)
    this.layer = new ModuleList(cross ? [attention, cross, ff] : [attention, ff])
    // Functions, so that the parts have one name each, their place in the list.
    this.attention = () => attention
    this.cross = () => cross
    this.ff = () => ff
  }

  forward(
    x: Tensor,
    { mask, encoder, encoderMask }: BlockContext,
    past: LayerCache | undefined,
  ): { hidden: Tensor; cache: LayerCache } {
    const { hidden, seen } = this.attention().forward(x, mask, past?.self)
    const cross = this.cross()
    const other = past?.cross ?? (cross && encoder ? cross.EncDecAttention.keyValues(encoder) : null)
    const attended = cross && other ? cross.forward(hidden, other, encoderMask) : hidden
    return { hidden: this.ff().forward(attended), cache: { self: seen, cross: other } }
  }
}

export interface T5StackInputs {
  /** 1 for tokens and 0 for padding, `[N, L]`, tokens of the cache included; default all ones. */
  readonly attentionMask?: Tensor | null
  /** What a decoder attends to, `[N, M, dModel]`, */
  readonly encoderHiddenStates?: Tensor | null
  /** and which of it, `[N, M]`. */
  readonly encoderAttentionMask?: Tensor | null
  readonly cache?: readonly LayerCache[] | null
}

/** Encoder or decoder: blocks that share the positions of the first. */
class T5Stack extends Module {
  readonly embedTokens: Embedding
  readonly block: ModuleList<T5Block>
  readonly finalLayerNorm: RMSNorm
  readonly dropout: Dropout

  constructor(
    readonly config: Readonly<Config>,
    readonly isDecoder: boolean,
    words: Embedding,
  ) {
    super()
    this.embedTokens = words
    const layers = isDecoder ? (config.numDecoderLayers ?? config.numLayers) : config.numLayers
    this.block = new ModuleList(Array.from({ length: layers }, (_, i) => new T5Block(config, isDecoder, i === 0)))
    this.finalLayerNorm = norm(config)
    this.dropout = new Dropout({ p: config.dropoutRate })
  }

  forward(tokens: Tensor, inputs: T5StackInputs): { hidden: Tensor; cache: LayerCache[] } {
    const { attentionMask, encoderHiddenStates: encoder = null, encoderAttentionMask, cache = null } = inputs
    const past = cache?.[0]?.self.key.shape[2] ?? 0
    const [batch, length] = checkTokens('T5', tokens, Number.MAX_SAFE_INTEGER)
    const { dModel } = this.config
    if (encoder && (encoder.ndim !== 3 || encoder.shape[0] !== batch || encoder.shape[2] !== dModel)) {
      throw new ShapeError(
        `T5: what the decoder attends to is [${encoder.shape.join(', ')}]; it must be [${batch}, M, ${dModel}]`,
      )
    }
    let hidden = this.dropout.forward(this.embedTokens.forward(tokens))
    const padding = attentionMask ? paddingMask(attentionMask, batch, past + length, hidden.dtype) : null
    const encoderMask =
      encoder && encoderAttentionMask
        ? paddingMask(encoderAttentionMask, batch, encoder.shape[1] ?? 0, hidden.dtype)
        : null
    const context = { mask: this.#mask(hidden, length, past + length, padding), encoder, encoderMask }
    const next: LayerCache[] = []
    for (const [i, block] of [...this.block].entries()) {
      const out = block.forward(hidden, context, cache?.[i])
      hidden = out.hidden
      next.push(out.cache)
    }
    return { hidden: this.dropout.forward(this.finalLayerNorm.forward(hidden)), cache: next }
  }

  /** Positions of the first block, with what is hidden. */
  #mask(x: Tensor, queries: number, keys: number, padding: Tensor | null): Tensor {
    const { relativeAttentionNumBuckets: buckets, relativeAttentionMaxDistance: maxDistance } = this.config
    const table = this.block.at(0).attention().SelfAttention.relativeAttentionBias as Embedding
    const places = relativeBuckets(queries, keys, {
      buckets,
      maxDistance,
      bidirectional: !this.isDecoder,
      device: x.device,
    })
    let mask = table.forward(places).permute([2, 0, 1]).unsqueeze(0)
    if (this.isDecoder && queries > 1) mask = mask.add(causalMask(queries, keys, x))
    return padding ? mask.add(padding) : mask
  }
}

export interface T5Inputs {
  /** 1 for the encoder's tokens and 0 for padding, `[N, M]`; default all ones. */
  readonly attentionMask?: Tensor | null
  readonly decoderAttentionMask?: Tensor | null
}

/** The words that encoder and decoder share. */
function sharedWords({ vocabSize, dModel, initializerFactor }: Config): Embedding {
  const words = new Embedding(vocabSize, dModel)
  init.normal_(words.weight, { std: initializerFactor })
  return words
}

/**
 * The encoder of T5 (Raffel et al., JMLR 2020).
 *
 * Shapes: token numbers int64 `[N, M]` → `[N, M, dModel]`.
 */
export class T5EncoderModel extends Module {
  readonly shared: Embedding
  readonly encoder: T5Stack
  readonly config: Readonly<Config>

  constructor(options: T5Options = {}) {
    super()
    this.config = withDefaults<Config>('T5', T5_BASE, options)
    this.shared = sharedWords(this.config)
    this.encoder = new T5Stack(this.config, false, this.shared)
  }

  forward(tokens: Tensor, { attentionMask }: { readonly attentionMask?: Tensor | null } = {}): Tensor {
    return this.encoder.forward(tokens, { attentionMask }).hidden
  }
}

/**
 * T5 (Raffel et al., JMLR 2020): an encoder, and a decoder that attends to it.
 *
 * Shapes: token numbers int64 `[N, M]` and `[N, L]` → `lastHiddenState` `[N, L, dModel]`, `encoderLastHiddenState`
 * `[N, M, dModel]`.
 */
export class T5Model extends Module {
  readonly shared: Embedding
  readonly encoder: T5Stack
  readonly decoder: T5Stack
  readonly config: Readonly<Config>

  constructor(options: T5Options = {}) {
    super()
    this.config = withDefaults<Config>('T5', T5_BASE, options)
    this.shared = sharedWords(this.config)
    this.encoder = new T5Stack(this.config, false, this.shared)
    this.decoder = new T5Stack(this.config, true, this.shared)
  }

  forward(
    tokens: Tensor,
    decoderTokens: Tensor,
    { attentionMask, decoderAttentionMask }: T5Inputs = {},
  ): { lastHiddenState: Tensor; encoderLastHiddenState: Tensor } {
    const encoded = this.encoder.forward(tokens, { attentionMask }).hidden
    const { hidden } = this.decoder.forward(decoderTokens, {
      attentionMask: decoderAttentionMask,
      encoderHiddenStates: encoded,
      encoderAttentionMask: attentionMask,
    })
    return { lastHiddenState: hidden, encoderLastHiddenState: encoded }
  }
}

/** T5 with scores of every word for the token after each: `logits` `[N, L, vocabSize]`. */
export class T5ForConditionalGeneration extends T5Model {
  readonly lmHead: TiedLinear

  constructor(options: T5Options = {}) {
    super(options)
    this.lmHead = new TiedLinear(this.shared.weight)
  }

  override forward(
    tokens: Tensor,
    decoderTokens: Tensor,
    inputs: T5Inputs = {},
  ): { lastHiddenState: Tensor; encoderLastHiddenState: Tensor; logits: Tensor } {
    const out = super.forward(tokens, decoderTokens, inputs)
    return { ...out, logits: this.logits(out.lastHiddenState) }
  }

  /** The words' table is the head's too, scaled since its first values are large. */
  logits(hidden: Tensor): Tensor {
    return this.lmHead.forward(hidden.mul(this.config.dModel ** -0.5))
  }

  /**
   * Writes an answer to each text `[N, M]`, until the network's end token. Other options as `generate`.
   *
   * @param options `attentionMask` `[N, M]`: 1 for tokens, 0 for padding
   */
  async generate(
    tokens: Tensor,
    { attentionMask, ...options }: GenerateOptions & { readonly attentionMask?: Tensor | null } = {},
  ): Promise<GeneratedText[]> {
    return generateFromEncoder(
      {
        encode: () => this.encoder.forward(tokens, { attentionMask }).hidden,
        decode: (next, inputs) => {
          const { hidden, cache } = this.decoder.forward(next, inputs)
          return { logits: this.logits(hidden.select(1, -1)), cache }
        },
      },
      { rows: tokens.shape[0] ?? 0, start: [this.config.decoderStartTokenId], attentionMask, device: tokens.device },
      { eosTokenId: this.config.eosTokenId, ...options },
    )
  }
}

export const t5Base = (options?: T5Options) => new T5Model(options)
export const t5Small = (options?: T5Options) =>
  new T5Model({ dModel: 512, dFf: 2048, numLayers: 6, numHeads: 8, ...options })
export const t5BaseEncoder = (options?: T5Options) => new T5EncoderModel(options)
export const t5BaseLm = (options?: T5Options) => new T5ForConditionalGeneration(options)

const text = { task: 'text', input: { kind: 'text' }, features: 'encoder' } as const

export const T5S = {
  t5_small: { create: t5Small, ...text },
  t5_base: { create: t5Base, ...text },
  t5_base_encoder: { create: t5BaseEncoder, ...text },
  t5_base_lm: { create: t5BaseLm, ...text },
} as const satisfies Readonly<Record<string, NetworkEntry<T5Options>>>
