// ViT with transformers' names, and the blocks that its relatives for sound, video and text share.
import { ShapeError } from '../native/errors'
import {
  Conv2d,
  Conv3d,
  Dropout,
  functional as F,
  init,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
  type Parameter,
  parameter,
} from '../nn'
import { cat, empty, type Tensor, zeros } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'
import { patchMultiple } from './vit'

export interface ViTSize {
  /** Default 768. */
  readonly hiddenSize?: number
  /** Default 12. */
  readonly numHiddenLayers?: number
  /** Default 12. */
  readonly numAttentionHeads?: number
  /** Default 3072. */
  readonly intermediateSize?: number
  /** Default 0. */
  readonly hiddenDropout?: number
  /** Of the attention weights. Default 0. */
  readonly attentionDropout?: number
  readonly layerNormEps?: number
}

export type ViTConfig = Required<ViTSize>

export function vitConfig(options: ViTSize, layerNormEps = 1e-12): ViTConfig {
  const { hiddenSize = 768, numHiddenLayers = 12, numAttentionHeads = 12, intermediateSize = 3072 } = options
  const { hiddenDropout = 0, attentionDropout = 0 } = options
  const sizes = { hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize, hiddenDropout, attentionDropout }
  return { ...sizes, layerNormEps: options.layerNormEps ?? layerNormEps }
}

/** Attention over heads that are parts of the width: `[N, tokens, width]` each. */
export function attendHeads(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  heads: number,
  dropoutP = 0,
  mask?: Tensor | null,
): Tensor {
  const split = (x: Tensor) => x.unflatten(-1, [heads, -1]).transpose(1, 2)
  const attended = F.scaledDotProductAttention(split(q), split(k), split(v), { attnMask: mask ?? null, dropoutP })
  return attended.transpose(1, 2).flatten({ startDim: 2 })
}

/** What turns tokens into what they see of each other; the projection after it is the caller's. */
export interface SelfAttention extends Module {
  forward(tokens: Tensor, mask?: Tensor | null): Tensor
}

/** Projections of their own for queries, keys and values. */
export class ViTSelfAttention extends Module implements SelfAttention {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear

  constructor(readonly config: ViTConfig) {
    super()
    const { hiddenSize } = config
    this.query = new Linear(hiddenSize, hiddenSize)
    this.key = new Linear(hiddenSize, hiddenSize)
    this.value = new Linear(hiddenSize, hiddenSize)
  }

  forward(tokens: Tensor, mask?: Tensor | null): Tensor {
    const { numAttentionHeads, attentionDropout } = this.config
    const [q, k, v] = [this.query.forward(tokens), this.key.forward(tokens), this.value.forward(tokens)]
    return attendHeads(q, k, v, numAttentionHeads, this.training ? attentionDropout : 0, mask)
  }
}

/** A linear layer that transformers keeps in a module of its own. */
export class DenseOutput extends Module {
  readonly dense: Linear
  readonly dropout: Dropout

  constructor(from: number, to: number, dropout = 0) {
    super()
    this.dense = new Linear(from, to)
    this.dropout = new Dropout({ p: dropout })
  }

  forward(input: Tensor): Tensor {
    return this.dropout.forward(this.dense.forward(input))
  }
}

/** Attention and the projection after it. */
export class ViTAttention extends Module {
  readonly attention: SelfAttention
  readonly output: DenseOutput

  constructor(config: ViTConfig, attention: SelfAttention) {
    super()
    this.attention = attention
    this.output = new DenseOutput(config.hiddenSize, config.hiddenSize, config.hiddenDropout)
  }

  forward(tokens: Tensor, mask?: Tensor | null): Tensor {
    return this.output.forward(this.attention.forward(tokens, mask))
  }
}

/** Makes the attention of a layer. */
export type MakeAttention = (config: ViTConfig) => SelfAttention

/** Attention and MLP, each normalised before and added to its input. */
export class ViTLayer extends Module {
  readonly attention: ViTAttention
  readonly intermediate: DenseOutput
  readonly output: DenseOutput
  readonly layernormBefore: LayerNorm
  readonly layernormAfter: LayerNorm

  constructor(config: ViTConfig, makeAttention: MakeAttention) {
    super()
    const { hiddenSize, intermediateSize, hiddenDropout, layerNormEps: eps } = config
    this.attention = new ViTAttention(config, makeAttention(config))
    this.intermediate = new DenseOutput(hiddenSize, intermediateSize)
    this.output = new DenseOutput(intermediateSize, hiddenSize, hiddenDropout)
    this.layernormBefore = new LayerNorm(hiddenSize, { eps })
    this.layernormAfter = new LayerNorm(hiddenSize, { eps })
  }

  forward(tokens: Tensor, mask?: Tensor | null): Tensor {
    const x = tokens.add(this.attention.forward(this.layernormBefore.forward(tokens), mask))
    return x.add(this.feed(x))
  }

  /** The MLP of the normalised tokens. */
  protected feed(tokens: Tensor): Tensor {
    return this.output.forward(F.gelu(this.intermediate.forward(this.layernormAfter.forward(tokens))))
  }
}

export class ViTEncoder<Block extends ViTLayer = ViTLayer> extends Module {
  readonly layer: ModuleList<Block>

  constructor(config: ViTConfig, makeLayer: () => Block) {
    super()
    this.layer = new ModuleList(Array.from({ length: config.numHiddenLayers }, makeLayer))
  }

  forward(tokens: Tensor, mask?: Tensor | null): Tensor {
    let x = tokens
    for (const layer of this.layer) x = layer.forward(x, mask)
    return x
  }
}

/** The convolution that makes tokens of patches: `[N, C, …]` → `[N, patches, hiddenSize]`. */
export class PatchProjection extends Module {
  readonly projection: Conv2d | Conv3d

  constructor(projection: Conv2d | Conv3d) {
    super()
    this.projection = projection
  }

  forward(input: Tensor): Tensor {
    return this.projection.forward(input).flatten({ startDim: 2 }).transpose(1, 2)
  }
}

/** What the first token says of all: a linear layer and tanh. */
export class ViTPooler extends Module {
  readonly dense: Linear

  constructor(hiddenSize: number) {
    super()
    this.dense = new Linear(hiddenSize, hiddenSize)
  }

  forward(tokens: Tensor): Tensor {
    return this.dense.forward(tokens.select(1, 0)).tanh()
  }
}

/** First values of linear layers and convolutions: truncated normal with a deviation of 0.02, biases 0. */
export function resetAsHf(network: Module): void {
  for (const module of network.modules()) {
    if (!(module instanceof Linear || module instanceof Conv2d || module instanceof Conv3d)) continue
    init.truncNormal_(module.weight, { std: 0.02 })
    if (module.bias) init.zeros_(module.bias)
  }
}

/** A learnt token or table of positions. */
export function learntTokens(count: number, hiddenSize: number): Parameter {
  return parameter(init.truncNormal_(empty([1, count, hiddenSize]), { std: 0.02 }))
}

export interface ViTModelOptions extends ViTSize {
  /** Side of the square images. Default 224. */
  readonly imageSize?: number
  /** Default 16. */
  readonly patchSize?: number
  /** Adds the layer that looks at the first token. Default true. */
  readonly pooling?: boolean
}

class ViTEmbeddings extends Module {
  readonly clsToken: Parameter
  readonly positionEmbeddings: Parameter
  readonly patchEmbeddings: PatchProjection
  readonly dropout: Dropout

  constructor(
    { hiddenSize, hiddenDropout }: ViTConfig,
    readonly imageSize: number,
    patchSize: number,
  ) {
    super()
    this.clsToken = learntTokens(1, hiddenSize)
    this.positionEmbeddings = learntTokens((imageSize / patchSize) ** 2 + 1, hiddenSize)
    this.patchEmbeddings = new PatchProjection(new Conv2d(3, hiddenSize, patchSize, { stride: patchSize }))
    this.dropout = new Dropout({ p: hiddenDropout })
  }

  forward(images: Tensor): Tensor {
    const [height, width] = images.shape.slice(-2)
    if (height !== this.imageSize || width !== this.imageSize) {
      throw new ShapeError(
        `ViTModel: the images are ${height} × ${width}; its positions are for ${this.imageSize} × ${this.imageSize}: resize them, or make it with { imageSize }`,
      )
    }
    const first = this.clsToken.expand([images.size(0), -1, -1])
    const tokens = cat([first, this.patchEmbeddings.forward(images)], { dim: 1 })
    return this.dropout.forward(tokens.add(this.positionEmbeddings))
  }
}

/** Tokens, and what the network says of the whole. */
export interface EncoderOutput {
  /** `[N, tokens, hiddenSize]` */
  readonly lastHiddenState: Tensor
  /** `[N, hiddenSize]`; absent where there is no pooler. */
  readonly poolerOutput?: Tensor
}

/**
 * Vision Transformer (Dosovitskiy et al., ICLR 2021) without a classifier, as transformers' `ViTModel`.
 *
 * Shapes: `[N, 3, imageSize, imageSize]` → tokens `[N, 1 + patches, hiddenSize]`, pooled `[N, hiddenSize]`.
 */
export class ViTModel extends Module {
  readonly embeddings: ViTEmbeddings
  readonly encoder: ViTEncoder
  readonly layernorm: LayerNorm
  readonly pooler: ViTPooler | null

  constructor(options: ViTModelOptions = {}) {
    super()
    const config = vitConfig(options)
    const { imageSize = 224, patchSize = 16, pooling = true } = options
    this.embeddings = new ViTEmbeddings(config, patchMultiple('ViTModel', imageSize, patchSize), patchSize)
    this.encoder = new ViTEncoder(config, () => new ViTLayer(config, (each) => new ViTSelfAttention(each)))
    this.layernorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    this.pooler = pooling ? new ViTPooler(config.hiddenSize) : null
    resetAsHf(this)
  }

  forward(images: Tensor): EncoderOutput {
    const lastHiddenState = this.layernorm.forward(this.encoder.forward(this.embeddings.forward(images)))
    const { pooler } = this
    return pooler ? { lastHiddenState, poolerOutput: pooler.forward(lastHiddenState) } : { lastHiddenState }
  }
}

export const vitBasePatch16_224Hf = (options?: ViTModelOptions) => new ViTModel(options)

export const VITS_HF = {
  vit_base_patch16_224_hf: {
    create: vitBasePatch16_224Hf,
    task: 'features',
    input: {
      ...IMAGENET_224,
      resize: 224,
      interpolation: 'bilinear',
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    features: 'pooler',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<ViTModelOptions>>>

/** Zeros that a checkpoint does not hold. */
export function zeroBias(width: number): Parameter {
  return parameter(zeros([width]))
}
