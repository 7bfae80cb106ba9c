// Wav2Vec2 with the names of the transformers package.
import { ArgumentError, ShapeError } from '../native/errors'
import {
  Conv1d,
  Dropout,
  GroupNorm,
  init,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
  type Parameter,
  parameter,
  weightNorm,
} from '../nn'
import { withDefaults } from '../nn/options'
import { empty, gelu, type Tensor } from '../tensor'
import type { NetworkEntry } from './network'
import { initNormal, ProjectedAttention } from './text-blocks'

export interface Wav2Vec2Options {
  readonly hiddenSize?: number
  readonly numHiddenLayers?: number
  readonly numAttentionHeads?: number
  readonly intermediateSize?: number
  readonly hiddenDropout?: number
  readonly attentionDropout?: number
  readonly activationDropout?: number
  readonly featProjDropout?: number
  readonly layerNormEps?: number
  readonly initializerRange?: number
  /** Channels of the convolutions over samples, */
  readonly convDim?: readonly number[]
  readonly convStride?: readonly number[]
  readonly convKernel?: readonly number[]
  /** Kernel of the convolution that gives positions. */
  readonly numConvPosEmbeddings?: number
  readonly numConvPosEmbeddingGroups?: number
}

const WAV2VEC2_BASE = {
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  intermediateSize: 3072,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  activationDropout: 0.1,
  featProjDropout: 0,
  layerNormEps: 1e-5,
  initializerRange: 0.02,
  convDim: [512, 512, 512, 512, 512, 512, 512],
  convStride: [5, 2, 2, 2, 2, 2, 2],
  convKernel: [10, 3, 3, 3, 3, 2, 2],
  numConvPosEmbeddings: 128,
  numConvPosEmbeddingGroups: 16,
} as const satisfies Required<Wav2Vec2Options>

type Config = Required<Wav2Vec2Options>

/** Convolution over samples; the first is normalised channel by channel. */
class ConvLayer extends Module {
  readonly conv: Conv1d
  readonly layerNorm: GroupNorm | null

  constructor(from: number, to: number, kernel: number, stride: number, normalised: boolean) {
    super()
    this.conv = new Conv1d(from, to, kernel, { stride, bias: false })
    this.layerNorm = normalised ? new GroupNorm(to, to) : null
    init.kaimingNormal_(this.conv.weight)
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x)
    return gelu(this.layerNorm?.forward(y) ?? y)
  }
}

class FeatureEncoder extends Module {
  readonly convLayers: ModuleList<ConvLayer>
  /** Samples that one frame sees. */
  readonly reach: number

  constructor({ convDim, convKernel, convStride }: Config) {
    super()
    if (convKernel.length !== convDim.length || convStride.length !== convDim.length || convDim.length === 0) {
      throw new ArgumentError(
        `Wav2Vec2: ${convDim.length} widths, ${convKernel.length} kernels and ${convStride.length} strides; there must be one of each for every convolution`,
      )
    }
    this.convLayers = new ModuleList(
      convDim.map((to, i) => new ConvLayer(convDim[i - 1] ?? 1, to, convKernel[i] ?? 1, convStride[i] ?? 1, i === 0)),
    )
    let [reach, jump] = [1, 1]
    for (const [i, kernel] of convKernel.entries()) {
      reach += (kernel - 1) * jump
      jump *= convStride[i] ?? 1
    }
    this.reach = reach
  }

  /** `[N, samples]` → `[N, convDim, frames]`. */
  forward(waveform: Tensor): Tensor {
    const [, samples] = waveform.shape
    if (waveform.ndim !== 2 || samples === undefined || samples < this.reach) {
      throw new ShapeError(
        `Wav2Vec2: the waveform is [${waveform.shape.join(', ')}]; it must be [N, samples] with ${this.reach} samples or more`,
      )
    }
    let x = waveform.unsqueeze(1)
    for (const layer of this.convLayers) x = layer.forward(x)
    return x
  }
}

class FeatureProjection extends Module {
  readonly layerNorm: LayerNorm
  readonly projection: Linear
  readonly dropout: Dropout

  constructor(config: Config) {
    super()
    const width = config.convDim.at(-1) ?? 0
    this.layerNorm = new LayerNorm(width, { eps: config.layerNormEps })
    this.projection = new Linear(width, config.hiddenSize)
    this.dropout = new Dropout({ p: config.featProjDropout })
  }

  forward(x: Tensor): { hidden: Tensor; normed: Tensor } {
    const normed = this.layerNorm.forward(x)
    return { hidden: this.dropout.forward(this.projection.forward(normed)), normed }
  }
}

/** Positions by a wide convolution of groups, as long as its input. */
class PositionalConvEmbedding extends Module {
  readonly conv: Conv1d
  readonly surplus: number

  constructor({ hiddenSize, numConvPosEmbeddings: kernel, numConvPosEmbeddingGroups: groups }: Config) {
    super()
    const conv = new Conv1d(hiddenSize, hiddenSize, kernel, { padding: Math.floor(kernel / 2), groups })
    init.normal_(conv.weight, { std: 2 * Math.sqrt(1 / (kernel * hiddenSize)) })
    if (conv.bias) init.zeros_(conv.bias)
    this.conv = weightNorm(conv, { name: 'weight', dim: 2 })
    this.surplus = kernel % 2 === 0 ? 1 : 0
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x.transpose(1, 2))
    return gelu(y.narrow(2, 0, (y.shape[2] ?? 0) - this.surplus)).transpose(1, 2)
  }
}

class FeedForward extends Module {
  readonly intermediateDense: Linear
  readonly outputDense: Linear
  readonly intermediateDropout: Dropout
  readonly outputDropout: Dropout

  constructor({ hiddenSize, intermediateSize, activationDropout, hiddenDropout }: Config) {
    super()
    this.intermediateDense = new Linear(hiddenSize, intermediateSize)
    this.outputDense = new Linear(intermediateSize, hiddenSize)
    this.intermediateDropout = new Dropout({ p: activationDropout })
    this.outputDropout = new Dropout({ p: hiddenDropout })
  }

  forward(x: Tensor): Tensor {
    const inner = this.intermediateDropout.forward(gelu(this.intermediateDense.forward(x)))
    return this.outputDropout.forward(this.outputDense.forward(inner))
  }
}

class EncoderLayer extends Module {
  readonly attention: ProjectedAttention
  readonly dropout: Dropout
  readonly layerNorm: LayerNorm
  readonly feedForward: FeedForward
  readonly finalLayerNorm: LayerNorm

  constructor(config: Config) {
    super()
    this.attention = new ProjectedAttention('Wav2Vec2', config.hiddenSize, {
      heads: config.numAttentionHeads,
      dropout: config.attentionDropout,
    })
    this.dropout = new Dropout({ p: config.hiddenDropout })
    this.layerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    this.feedForward = new FeedForward(config)
    this.finalLayerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
  }

  forward(x: Tensor): Tensor {
    const seen = this.layerNorm.forward(x.add(this.dropout.forward(this.attention.forward(x))))
    return this.finalLayerNorm.forward(seen.add(this.feedForward.forward(seen)))
  }
}

class Encoder extends Module {
  readonly posConvEmbed: PositionalConvEmbedding
  readonly layerNorm: LayerNorm
  readonly dropout: Dropout
  readonly layers: ModuleList<EncoderLayer>

  constructor(config: Config) {
    super()
    this.posConvEmbed = new PositionalConvEmbedding(config)
    this.layerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    this.dropout = new Dropout({ p: config.hiddenDropout })
    this.layers = new ModuleList(Array.from({ length: config.numHiddenLayers }, () => new EncoderLayer(config)))
  }

  forward(x: Tensor): Tensor {
    let hidden = this.dropout.forward(this.layerNorm.forward(x.add(this.posConvEmbed.forward(x))))
    for (const layer of this.layers) hidden = layer.forward(hidden)
    return hidden
  }
}

/**
 * wav2vec 2.0 (Baevski, Zhou, Mohamed, Auli, NeurIPS 2020): convolutions over samples, then a transformer encoder.
 *
 * Shapes: sound at 16 kHz of mean 0 and variance 1, `[N, samples]` → `lastHiddenState` `[N, frames, hiddenSize]`, and
 * `extractFeatures` `[N, frames, convDim]` before the transformer; a frame every 20 ms.
 */
export class Wav2Vec2Model extends Module {
  /** What stands where frames are masked. */
  readonly maskedSpecEmbed: Parameter
  readonly featureExtractor: FeatureEncoder
  readonly featureProjection: FeatureProjection
  readonly encoder: Encoder
  readonly config: Readonly<Config>

  constructor(options: Wav2Vec2Options = {}) {
    super()
    const config = withDefaults<Config>('Wav2Vec2', WAV2VEC2_BASE, options)
    this.config = config
    this.maskedSpecEmbed = parameter(empty([config.hiddenSize]))
    init.uniform_(this.maskedSpecEmbed)
    this.featureExtractor = new FeatureEncoder(config)
    this.featureProjection = new FeatureProjection(config)
    this.encoder = new Encoder(config)
    initNormal(this, config.initializerRange)
    const { projection } = this.featureProjection
    const bound = Math.sqrt(1 / projection.inFeatures)
    init.uniform_(projection.weight, { a: -bound, b: bound })
    if (projection.bias) init.uniform_(projection.bias, { a: -bound, b: bound })
  }

  /** @param options `maskTimeIndices` bool `[N, frames]`: which frames pretraining hides */
  forward(
    waveform: Tensor,
    { maskTimeIndices }: { readonly maskTimeIndices?: Tensor | null } = {},
  ): { lastHiddenState: Tensor; extractFeatures: Tensor } {
    const features = this.featureExtractor.forward(waveform).transpose(1, 2)
    const { hidden, normed } = this.featureProjection.forward(features)
    const x = maskTimeIndices ? this.maskedSpecEmbed.where(maskTimeIndices.unsqueeze(2), hidden) : hidden
    return { lastHiddenState: this.encoder.forward(x), extractFeatures: normed }
  }
}

export const wav2vec2Base = (options?: Wav2Vec2Options) => new Wav2Vec2Model(options)

export const WAV2VEC2S = {
  wav2vec2_base: { create: wav2vec2Base, task: 'speech', input: { kind: 'audio' }, features: 'encoder' },
} as const satisfies Readonly<Record<string, NetworkEntry<Wav2Vec2Options>>>
