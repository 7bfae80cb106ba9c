// Whisper with the names of the transformers package.
import { ShapeError } from '../native/errors'
import { Conv1d, Dropout, Embedding, init, LayerNorm, Linear, Module, ModuleList } from '../nn'
import { withDefaults } from '../nn/options'
import { arange, cat, gelu, noGrad, type Tensor, tidy } from '../tensor'
import { type GeneratedText, type GenerateOptions, generateFromEncoder } from './generate'
import type { NetworkEntry } from './network'
import {
  appendKeyValues,
  causalMask,
  checkTokens,
  initNormal,
  type LayerCache,
  ProjectedAttention,
  TiedLinear,
} from './text-blocks'

export interface WhisperOptions {
  readonly vocabSize?: number
  readonly numMelBins?: number
  readonly dModel?: number
  readonly encoderLayers?: number
  readonly encoderAttentionHeads?: number
  readonly encoderFfnDim?: number
  readonly decoderLayers?: number
  readonly decoderAttentionHeads?: number
  readonly decoderFfnDim?: number
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly activationDropout?: number
  /** Frames after the convolutions: half of those of the spectrogram; 1500 are 30 s. */
  readonly maxSourcePositions?: number
  readonly maxTargetPositions?: number
  readonly padTokenId?: number
  readonly eosTokenId?: number
  readonly initStd?: number
}

const WHISPER_BASE = {
  vocabSize: 51865,
  numMelBins: 80,
  dModel: 512,
  encoderLayers: 6,
  encoderAttentionHeads: 8,
  encoderFfnDim: 2048,
  decoderLayers: 6,
  decoderAttentionHeads: 8,
  decoderFfnDim: 2048,
  dropout: 0,
  attentionDropout: 0,
  activationDropout: 0,
  maxSourcePositions: 1500,
  maxTargetPositions: 448,
  padTokenId: 50256,
  eosTokenId: 50256,
  initStd: 0.02,
} as const satisfies Required<WhisperOptions>

type Config = Required<WhisperOptions>

/** Two linear layers with dropout after each. */
function feedForward(x: Tensor, fc1: Linear, fc2: Linear, inner: Dropout, outer: Dropout): Tensor {
  return outer.forward(fc2.forward(inner.forward(gelu(fc1.forward(x)))))
}

class WhisperEncoderLayer extends Module {
  readonly selfAttn: ProjectedAttention
  readonly selfAttnLayerNorm: LayerNorm
  readonly fc1: Linear
  readonly fc2: Linear
  readonly finalLayerNorm: LayerNorm
  readonly dropout: Dropout
  readonly activationDropout: Dropout

  constructor(config: Config) {
    super()
    const { dModel } = config
    this.selfAttn = new ProjectedAttention('Whisper', dModel, {
      heads: config.encoderAttentionHeads,
      dropout: config.attentionDropout,
      keyBias: false,
    })
    this.selfAttnLayerNorm = new LayerNorm(dModel)
    this.fc1 = new Linear(dModel, config.encoderFfnDim)
    this.fc2 = new Linear(config.encoderFfnDim, dModel)
    this.finalLayerNorm = new LayerNorm(dModel)
    this.dropout = new Dropout({ p: config.dropout })
    this.activationDropout = new Dropout({ p: config.activationDropout })
  }

  forward(x: Tensor): Tensor {
    const normed = this.selfAttnLayerNorm.forward(x)
    const hidden = x.add(this.dropout.forward(this.selfAttn.forward(normed, this.selfAttn.keyValues(normed), null)))
    const y = feedForward(this.finalLayerNorm.forward(hidden), this.fc1, this.fc2, this.activationDropout, this.dropout)
    return hidden.add(y)
  }
}

class WhisperDecoderLayer extends Module {
  readonly selfAttn: ProjectedAttention
  readonly selfAttnLayerNorm: LayerNorm
  readonly encoderAttn: ProjectedAttention
  readonly encoderAttnLayerNorm: LayerNorm
  readonly fc1: Linear
  readonly fc2: Linear
  readonly finalLayerNorm: LayerNorm
  readonly dropout: Dropout
  readonly activationDropout: Dropout

  constructor(config: Config) {
    super()
    const { dModel, decoderAttentionHeads: heads, attentionDropout } = config
    this.selfAttn = new ProjectedAttention('Whisper', dModel, { heads, dropout: attentionDropout, keyBias: false })
    this.selfAttnLayerNorm = new LayerNorm(dModel)
    this.encoderAttn = new ProjectedAttention('Whisper', dModel, { heads, dropout: attentionDropout, keyBias: false })
    this.encoderAttnLayerNorm = new LayerNorm(dModel)
    this.fc1 = new Linear(dModel, config.decoderFfnDim)
    this.fc2 = new Linear(config.decoderFfnDim, dModel)
    this.finalLayerNorm = new LayerNorm(dModel)
    this.dropout = new Dropout({ p: config.dropout })
    this.activationDropout = new Dropout({ p: config.activationDropout })
  }

  forward(
    x: Tensor,
    encoder: Tensor,
    mask: Tensor | null,
    past: LayerCache | undefined,
  ): { hidden: Tensor; cache: LayerCache } {
    const normed = this.selfAttnLayerNorm.forward(x)
    const { key, value } = this.selfAttn.keyValues(normed)
    const self = appendKeyValues(past?.self, key, value)
    const cross = past?.cross ?? this.encoderAttn.keyValues(encoder)
    let hidden = x.add(this.dropout.forward(this.selfAttn.forward(normed, self, mask)))
    hidden = hidden.add(
      this.dropout.forward(this.encoderAttn.forward(this.encoderAttnLayerNorm.forward(hidden), cross, null)),
    )
    const y = feedForward(this.finalLayerNorm.forward(hidden), this.fc1, this.fc2, this.activationDropout, this.dropout)
    return { hidden: hidden.add(y), cache: { self, cross } }
  }
}

/** Sines and cosines of positions, `[length, channels]`, at wavelengths from 2π to 10000 · 2π. */
function sinusoids(length: number, channels: number): Tensor {
  return tidy(() => {
    const half = channels / 2
    const rates = arange(half)
      .mul(-Math.log(10000) / (half - 1))
      .exp()
    const angles = arange(length).unsqueeze(1).mul(rates)
    return cat([angles.sin(), angles.cos()], { dim: 1 })
  })
}

class WhisperEncoder extends Module {
  readonly conv1: Conv1d
  readonly conv2: Conv1d
  readonly embedPositions: Embedding
  readonly layers: ModuleList<WhisperEncoderLayer>
  readonly layerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(readonly config: Readonly<Config>) {
    super()
    const { dModel, numMelBins, maxSourcePositions } = config
    this.conv1 = new Conv1d(numMelBins, dModel, 3, { padding: 1 })
    this.conv2 = new Conv1d(dModel, dModel, 3, { stride: 2, padding: 1 })
    this.embedPositions = new Embedding(maxSourcePositions, dModel).freeze()
    this.layers = new ModuleList(Array.from({ length: config.encoderLayers }, () => new WhisperEncoderLayer(config)))
    this.layerNorm = new LayerNorm(dModel)
    this.dropout = new Dropout({ p: config.dropout })
  }

  forward(features: Tensor): Tensor {
    const { numMelBins, maxSourcePositions } = this.config
    const [, bands, frames] = features.shape
    if (features.ndim !== 3 || bands !== numMelBins || frames !== 2 * maxSourcePositions) {
      throw new ShapeError(
        `Whisper: the spectrogram is [${features.shape.join(', ')}]; it must be [N, ${numMelBins}, ${2 * maxSourcePositions}]: pad or cut the sound, as whisperFeatures does`,
      )
    }
    const x = gelu(this.conv2.forward(gelu(this.conv1.forward(features))))
    let hidden = this.dropout.forward(x.transpose(1, 2).add(this.embedPositions.weight))
    for (const layer of this.layers) hidden = layer.forward(hidden)
    return this.layerNorm.forward(hidden)
  }
}

class WhisperDecoder extends Module {
  readonly embedTokens: Embedding
  readonly embedPositions: Embedding
  readonly layers: ModuleList<WhisperDecoderLayer>
  readonly layerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(readonly config: Readonly<Config>) {
    super()
    const { dModel, vocabSize, padTokenId, maxTargetPositions } = config
    this.embedTokens = new Embedding(vocabSize, dModel, { paddingIdx: padTokenId })
    this.embedPositions = new Embedding(maxTargetPositions, dModel)
    this.layers = new ModuleList(Array.from({ length: config.decoderLayers }, () => new WhisperDecoderLayer(config)))
    this.layerNorm = new LayerNorm(dModel)
    this.dropout = new Dropout({ p: config.dropout })
  }

  forward(
    tokens: Tensor,
    encoder: Tensor,
    cache: readonly LayerCache[] | null = null,
  ): { hidden: Tensor; cache: LayerCache[] } {
    const past = cache?.[0]?.self.key.shape[2] ?? 0
    const [, length] = checkTokens('Whisper', tokens, this.config.maxTargetPositions, past)
    const x = this.embedTokens.forward(tokens).add(this.embedPositions.weight.narrow(0, past, length))
    let hidden = this.dropout.forward(x)
    const mask = length > 1 ? causalMask(length, past + length, x) : null
    const next: LayerCache[] = []
    for (const [i, layer] of [...this.layers].entries()) {
      const out = layer.forward(hidden, encoder, mask, cache?.[i])
      hidden = out.hidden
      next.push(out.cache)
    }
    return { hidden: this.layerNorm.forward(hidden), cache: next }
  }
}

/**
 * Whisper (Radford et al., ICML 2023): an encoder of speech, and a decoder that writes what was said.
 *
 * Shapes: log-mel spectrograms `[N, 80, 3000]` (`whisperFeatures`) and tokens int64 `[N, L]` → `lastHiddenState`
 * `[N, L, dModel]`, `encoderLastHiddenState` `[N, 1500, dModel]`.
 */
export class WhisperModel extends Module {
  readonly encoder: WhisperEncoder
  readonly decoder: WhisperDecoder
  readonly config: Readonly<Config>

  constructor(options: WhisperOptions = {}) {
    super()
    this.config = withDefaults<Config>('Whisper', WHISPER_BASE, options)
    this.encoder = new WhisperEncoder(this.config)
    this.decoder = new WhisperDecoder(this.config)
    const { initStd: std, maxSourcePositions, dModel } = this.config
    initNormal(this, std)
    for (const conv of [this.encoder.conv1, this.encoder.conv2]) {
      init.normal_(conv.weight, { std })
      if (conv.bias) init.zeros_(conv.bias)
    }
    noGrad(() => tidy(() => this.encoder.embedPositions.weight.copy_(sinusoids(maxSourcePositions, dModel))))
  }

  forward(features: Tensor, tokens: Tensor): { lastHiddenState: Tensor; encoderLastHiddenState: Tensor } {
    const encoded = this.encoder.forward(features)
    return { lastHiddenState: this.decoder.forward(tokens, encoded).hidden, encoderLastHiddenState: encoded }
  }
}

/** Whisper with scores of every word for the token after each: `logits` `[N, L, vocabSize]`. */
export class WhisperForConditionalGeneration extends Module {
  readonly model: WhisperModel
  readonly projOut: TiedLinear

  constructor(options: WhisperOptions = {}) {
    super()
    this.model = new WhisperModel(options)
    this.projOut = new TiedLinear(this.model.decoder.embedTokens.weight)
  }

  forward(features: Tensor, tokens: Tensor): { logits: Tensor; encoderLastHiddenState: Tensor } {
    const { lastHiddenState, encoderLastHiddenState } = this.model.forward(features, tokens)
    return { logits: this.projOut.forward(lastHiddenState), encoderLastHiddenState }
  }

  /** Writes what is said. @param start tokens with which every text begins: start, language, task and the like */
  generate(features: Tensor, start: readonly number[], options: GenerateOptions = {}): Promise<GeneratedText[]> {
    const { encoder, decoder, config } = this.model
    return generateFromEncoder(
      {
        encode: () => encoder.forward(features),
        decode: (tokens, { encoderHiddenStates, cache }) => {
          const out = decoder.forward(tokens, encoderHiddenStates, cache)
          return { logits: this.projOut.forward(out.hidden.select(1, -1)), cache: out.cache }
        },
      },
      { rows: features.shape[0] ?? 0, start, device: features.device },
      { eosTokenId: config.eosTokenId, ...options },
    )
  }
}

export const whisperBase = (options?: WhisperOptions) => new WhisperModel(options)
export const whisperBaseLm = (options?: WhisperOptions) => new WhisperForConditionalGeneration(options)

const speech = { task: 'speech', input: { kind: 'audio' } } as const

export const WHISPERS = {
  whisper_base: { create: whisperBase, ...speech, features: 'encoder' },
  whisper_base_lm: { create: whisperBaseLm, ...speech, features: 'model.encoder' },
} as const satisfies Readonly<Record<string, NetworkEntry<WhisperOptions>>>
