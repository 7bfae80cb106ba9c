import { ArgumentError } from '../native/errors'
import { gelu, relu, type Tensor } from '../tensor'
import { describe } from '../tensor/call'
import { type AttentionOptions, MultiheadAttention } from './attention'
import { ModuleList } from './containers'
import { Dropout } from './dropout'
import * as init from './init'
import { Linear } from './linear'
import { Module } from './module'
import { LayerNorm } from './norm-layer'
import { FACTORY, type FactoryOptions, oneOf, wholeNumber, withDefaults } from './options'

/** The function between the two linear layers. */
export type Activation = 'relu' | 'gelu' | ((x: Tensor) => Tensor)

export interface TransformerLayerOptions extends FactoryOptions {
  /** Features between the two linear layers. Default: 2048. */
  readonly dimFeedforward?: number | undefined
  /** Default: 0.1. */
  readonly dropout?: number | undefined
  /** Default: `relu`. */
  readonly activation?: Activation | undefined
  /** Default: 1e-5. */
  readonly layerNormEps?: number | undefined
  /** The batch is the first dimension. Default: false, the second. */
  readonly batchFirst?: boolean | undefined
  /** Normalises before attention and linear layers instead of after them (Xiong et al. 2020). Default: false. */
  readonly normFirst?: boolean | undefined
  /** Default: true. */
  readonly bias?: boolean | undefined
}

const DEFAULTS: Required<TransformerLayerOptions> = {
  dimFeedforward: 2048,
  dropout: 0.1,
  activation: 'relu',
  layerNormEps: 1e-5,
  batchFirst: false,
  normFirst: false,
  bias: true,
  ...FACTORY,
}

export interface EncoderOptions {
  /** What a position may not see: `attnMask` of `MultiheadAttention`. */
  readonly mask?: Tensor | null | undefined
  /** Positions to leave out: `keyPaddingMask` of `MultiheadAttention`. */
  readonly srcKeyPaddingMask?: Tensor | null | undefined
  /** No position sees a later one; `mask` may then be left out. Default: false. */
  readonly isCausal?: boolean | undefined
}

/**
 * Self-attention and a feed-forward network, each with a residual and layer norm (Vaswani et al. 2017, section 3.1), as
 * `torch.nn.TransformerEncoderLayer`.
 *
 * Shapes: `[T, N, dModel]`, `[N, T, dModel]` with `batchFirst`, or `[T, dModel]`; kept.
 */
export class TransformerEncoderLayer extends Module {
  readonly selfAttn: MultiheadAttention
  readonly linear1: Linear
  readonly dropout: Dropout
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly dropout1: Dropout
  readonly dropout2: Dropout
  readonly normFirst: boolean
  readonly activation: (x: Tensor) => Tensor

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super()
    const all = withDefaults('TransformerEncoderLayer', DEFAULTS, options)
    const parts = layerParts(dModel, nhead, all)
    this.selfAttn = parts.attention()
    this.linear1 = new Linear(dModel, all.dimFeedforward, parts.linear)
    this.dropout = parts.dropout()
    this.linear2 = new Linear(all.dimFeedforward, dModel, parts.linear)
    this.norm1 = parts.norm()
    this.norm2 = parts.norm()
    this.dropout1 = parts.dropout()
    this.dropout2 = parts.dropout()
    this.normFirst = all.normFirst
    this.activation = activationOf('TransformerEncoderLayer', all.activation)
  }

  forward(src: Tensor, options: EncoderOptions = {}): Tensor {
    const { norm1, norm2 } = this
    const attend = (x: Tensor) => this.#attend(x, options)
    const feed = (x: Tensor) => this.#feed(x)
    if (this.normFirst) {
      const x = src.add(attend(norm1.forward(src)))
      return x.add(feed(norm2.forward(x)))
    }
    const x = norm1.forward(src.add(attend(src)))
    return norm2.forward(x.add(feed(x)))
  }

  #attend(x: Tensor, { mask, srcKeyPaddingMask, isCausal }: EncoderOptions): Tensor {
    const options = { attnMask: mask, keyPaddingMask: srcKeyPaddingMask, isCausal, needWeights: false }
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, options)[0])
  }

  #feed(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.activation(this.linear1.forward(x)))
    return this.dropout2.forward(this.linear2.forward(hidden))
  }
}

export interface DecoderOptions {
  /** What a target position may not see of the target. */
  readonly tgtMask?: Tensor | null | undefined
  /** What a target position may not see of the memory. */
  readonly memoryMask?: Tensor | null | undefined
  /** Target positions to leave out. */
  readonly tgtKeyPaddingMask?: Tensor | null | undefined
  /** Memory positions to leave out. */
  readonly memoryKeyPaddingMask?: Tensor | null | undefined
  /** No target position sees a later one; `tgtMask` may then be left out. Default: false. */
  readonly tgtIsCausal?: boolean | undefined
  /** No target position sees a later one of the memory. Default: false. */
  readonly memoryIsCausal?: boolean | undefined
}

/**
 * Self-attention, attention to the encoder's output and a feed-forward network (Vaswani et al. 2017, section 3.1), as
 * `torch.nn.TransformerDecoderLayer`.
 *
 * Shapes: target `[T, N, dModel]` and memory `[S, N, dModel]`, with N first with `batchFirst`, or without N; the
 * target's is kept.
 */
export class TransformerDecoderLayer extends Module {
  readonly selfAttn: MultiheadAttention
  readonly multiheadAttn: MultiheadAttention
  readonly linear1: Linear
  readonly dropout: Dropout
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly norm3: LayerNorm
  readonly dropout1: Dropout
  readonly dropout2: Dropout
  readonly dropout3: Dropout
  readonly normFirst: boolean
  readonly activation: (x: Tensor) => Tensor

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super()
    const all = withDefaults('TransformerDecoderLayer', DEFAULTS, options)
    const parts = layerParts(dModel, nhead, all)
    this.selfAttn = parts.attention()
    this.multiheadAttn = parts.attention()
    this.linear1 = new Linear(dModel, all.dimFeedforward, parts.linear)
    this.dropout = parts.dropout()
    this.linear2 = new Linear(all.dimFeedforward, dModel, parts.linear)
    this.norm1 = parts.norm()
    this.norm2 = parts.norm()
    this.norm3 = parts.norm()
    this.dropout1 = parts.dropout()
    this.dropout2 = parts.dropout()
    this.dropout3 = parts.dropout()
    this.normFirst = all.normFirst
    this.activation = activationOf('TransformerDecoderLayer', all.activation)
  }

  forward(tgt: Tensor, memory: Tensor, options: DecoderOptions = {}): Tensor {
    const { norm1, norm2, norm3 } = this
    const attend = (x: Tensor) => this.#attend(x, options)
    const look = (x: Tensor) => this.#look(x, memory, options)
    const feed = (x: Tensor) => this.#feed(x)
    if (this.normFirst) {
      const x = tgt.add(attend(norm1.forward(tgt)))
      const y = x.add(look(norm2.forward(x)))
      return y.add(feed(norm3.forward(y)))
    }
    const x = norm1.forward(tgt.add(attend(tgt)))
    const y = norm2.forward(x.add(look(x)))
    return norm3.forward(y.add(feed(y)))
  }

  #attend(x: Tensor, { tgtMask, tgtKeyPaddingMask, tgtIsCausal }: DecoderOptions): Tensor {
    const options: AttentionOptions = { attnMask: tgtMask, keyPaddingMask: tgtKeyPaddingMask, isCausal: tgtIsCausal }
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, { ...options, needWeights: false })[0])
  }

  /** Attention to the memory. */
  #look(x: Tensor, memory: Tensor, { memoryMask, memoryKeyPaddingMask, memoryIsCausal }: DecoderOptions): Tensor {
    const options = { attnMask: memoryMask, keyPaddingMask: memoryKeyPaddingMask, isCausal: memoryIsCausal }
    return this.dropout2.forward(this.multiheadAttn.forward(x, memory, memory, { ...options, needWeights: false })[0])
  }

  #feed(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.activation(this.linear1.forward(x)))
    return this.dropout3.forward(this.linear2.forward(hidden))
  }
}

export interface TransformerStackOptions {
  /** Normalises the last layer's output. */
  readonly norm?: LayerNorm | null | undefined
}

/**
 * A stack of encoder layers, as `torch.nn.TransformerEncoder`.
 *
 * PyTorch copies one layer, first values and all; here a function makes each layer:
 * `new TransformerEncoder(() => new TransformerEncoderLayer(256, 4), 6)`.
 */
export class TransformerEncoder extends Module {
  readonly layers: ModuleList<TransformerEncoderLayer>
  readonly norm: LayerNorm | null

  constructor(
    makeLayer: (index: number) => TransformerEncoderLayer,
    numLayers: number,
    options: TransformerStackOptions = {},
  ) {
    super()
    this.layers = stack('TransformerEncoder', makeLayer, numLayers)
    this.norm = withDefaults('TransformerEncoder', { norm: null as LayerNorm | null }, options).norm
  }

  forward(src: Tensor, options: EncoderOptions = {}): Tensor {
    let x = src
    for (const layer of this.layers) x = layer.forward(x, options)
    return this.norm ? this.norm.forward(x) : x
  }
}

/** A stack of decoder layers, as `torch.nn.TransformerDecoder`; a function makes each, as for `TransformerEncoder`. */
export class TransformerDecoder extends Module {
  readonly layers: ModuleList<TransformerDecoderLayer>
  readonly norm: LayerNorm | null

  constructor(
    makeLayer: (index: number) => TransformerDecoderLayer,
    numLayers: number,
    options: TransformerStackOptions = {},
  ) {
    super()
    this.layers = stack('TransformerDecoder', makeLayer, numLayers)
    this.norm = withDefaults('TransformerDecoder', { norm: null as LayerNorm | null }, options).norm
  }

  forward(tgt: Tensor, memory: Tensor, options: DecoderOptions = {}): Tensor {
    let x = tgt
    for (const layer of this.layers) x = layer.forward(x, memory, options)
    return this.norm ? this.norm.forward(x) : x
  }
}

export interface TransformerOptions extends TransformerLayerOptions {
  /** Default: 512. */
  readonly dModel?: number | undefined
  /** Default: 8. */
  readonly nhead?: number | undefined
  /** Default: 6. */
  readonly numEncoderLayers?: number | undefined
  /** Default: 6. */
  readonly numDecoderLayers?: number | undefined
}

export interface TransformerForwardOptions extends DecoderOptions {
  /** What a source position may not see of the source. */
  readonly srcMask?: Tensor | null | undefined
  /** Source positions that the encoder leaves out; for the decoder too, pass them as `memoryKeyPaddingMask`. */
  readonly srcKeyPaddingMask?: Tensor | null | undefined
  /** No source position sees a later one; `srcMask` may then be left out. Default: false. */
  readonly srcIsCausal?: boolean | undefined
}

/**
 * Encoder and decoder (Vaswani et al. 2017), as `torch.nn.Transformer`; embeddings and positions are the caller's.
 *
 * Shapes: source `[S, N, dModel]`, target `[T, N, dModel]`, with N first with `batchFirst`, or without N → the target's.
 */
export class Transformer extends Module {
  readonly encoder: TransformerEncoder
  readonly decoder: TransformerDecoder

  constructor(options: TransformerOptions = {}) {
    super()
    const sizes = { dModel: 512, nhead: 8, numEncoderLayers: 6, numDecoderLayers: 6 }
    const all = withDefaults<Required<TransformerOptions>>('Transformer', { ...sizes, ...DEFAULTS }, options)
    const { dModel, nhead, numEncoderLayers, numDecoderLayers, ...layer } = all
    const { norm } = layerParts(dModel, nhead, layer)
    this.encoder = new TransformerEncoder(() => new TransformerEncoderLayer(dModel, nhead, layer), numEncoderLayers, {
      norm: norm(),
    })
    this.decoder = new TransformerDecoder(() => new TransformerDecoderLayer(dModel, nhead, layer), numDecoderLayers, {
      norm: norm(),
    })
    this.resetParameters()
  }

  /** Draws new first values of all matrices: Xavier's. */
  resetParameters(): void {
    for (const p of this.parameters()) if (p.ndim > 1) init.xavierUniform_(p)
  }

  forward(src: Tensor, tgt: Tensor, options: TransformerForwardOptions = {}): Tensor {
    const { srcMask, srcKeyPaddingMask, srcIsCausal, ...decoding } = options
    const memory = this.encoder.forward(src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal })
    return this.decoder.forward(tgt, memory, decoding)
  }
}

function stack<M extends Module>(name: string, makeLayer: (index: number) => M, numLayers: number): ModuleList<M> {
  // The type says that it is a function; plain JavaScript may pass a layer, as in PyTorch.
  if (typeof (makeLayer as unknown) !== 'function') {
    throw new ArgumentError(
      `${name}: makeLayer is ${describe(makeLayer)}; pass a function that makes a layer, () => new ${name}Layer(…)`,
    )
  }
  return new ModuleList(Array.from({ length: wholeNumber(`${name}: numLayers`, numLayers, 0) }, (_, i) => makeLayer(i)))
}

/** What the two kinds of layers are made of. */
function layerParts(dModel: number, nhead: number, all: Required<TransformerLayerOptions>) {
  const { dropout, layerNormEps, batchFirst, bias, dtype, device } = all
  return {
    linear: { bias, dtype, device },
    attention: () => new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias, dtype, device }),
    norm: () => new LayerNorm(dModel, { eps: layerNormEps, bias, dtype, device }),
    dropout: () => new Dropout({ p: dropout }),
  }
}

function activationOf(name: string, activation: Activation): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation
  return oneOf(`${name}: activation`, activation, ['relu', 'gelu']) === 'relu' ? relu : (x) => gelu(x)
}
