// TimeSformer with transformers' names.
import { ShapeError } from '../native/errors'
import { Conv2d, functional as F, LayerNorm, Linear, Module, type Parameter, parameter } from '../nn'
import { cat, type Tensor, zeros } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'
import {
  attendHeads,
  type EncoderOutput,
  learntTokens,
  PatchProjection,
  resetAsHf,
  type SelfAttention,
  ViTAttention,
  type ViTConfig,
  ViTEncoder,
  ViTLayer,
  type ViTSize,
  vitConfig,
} from './vit-hf'

export interface TimesformerOptions extends ViTSize {
  /** Side of the square frames that the positions are for. Default 224. */
  readonly imageSize?: number
  /** Default 16. */
  readonly patchSize?: number
  /** Frames that the positions in time are for. Default 8. */
  readonly numFrames?: number
}

/** One projection for queries, keys and values. */
class JoinedSelfAttention extends Module implements SelfAttention {
  readonly qkv: Linear

  constructor(readonly config: ViTConfig) {
    super()
    this.qkv = new Linear(config.hiddenSize, 3 * config.hiddenSize)
  }

  forward(tokens: Tensor): Tensor {
    const { numAttentionHeads, attentionDropout } = this.config
    const [q, k, v] = this.qkv.forward(tokens).chunk(3, { dim: -1 }) as [Tensor, Tensor, Tensor]
    return attendHeads(q, k, v, numAttentionHeads, this.training ? attentionDropout : 0)
  }
}

/** Attention in time, then in space (Bertasius et al. 2021, Fig. 2, "divided"). */
class TimesformerLayer extends ViTLayer {
  readonly temporalLayernorm: LayerNorm
  readonly temporalAttention: ViTAttention
  readonly temporalDense: Linear

  constructor(config: ViTConfig) {
    const makeAttention = (each: ViTConfig) => new JoinedSelfAttention(each)
    super(config, makeAttention)
    this.temporalLayernorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    this.temporalAttention = new ViTAttention(config, makeAttention(config))
    this.temporalDense = new Linear(config.hiddenSize, config.hiddenSize)
  }

  /** @param tokens the class token, then for each place its frames: `[N, 1 + places · frames, width]` */
  attendVideo(tokens: Tensor, frames: number): Tensor {
    const [batch, width] = [tokens.size(0), tokens.size(2)]
    const first = tokens.narrow(1, 0, 1)
    const rest = tokens.narrow(1, 1, tokens.size(1) - 1)

    const overTime = this.temporalLayernorm.forward(rest.reshape([-1, frames, width]))
    const seen = this.temporalAttention.forward(overTime).reshape(rest.shape)
    const moved = rest.add(this.temporalDense.forward(seen))

    const byFrame = moved
      .reshape([batch, -1, frames, width])
      .transpose(1, 2)
      .reshape([batch * frames, -1, width])
    const firsts = first.expand([-1, frames, -1]).reshape([batch * frames, 1, width])
    const overSpace = this.layernormBefore.forward(cat([firsts, byFrame], { dim: 1 }))
    const looked = this.attention.forward(overSpace)
    // Each frame gives the class token an answer of its own.
    const answer = looked.select(1, 0).reshape([batch, frames, width]).mean({ dim: 1, keepdim: true })
    const places = looked.narrow(1, 1, looked.size(1) - 1).reshape([batch, frames, -1, width])
    const back = places.transpose(1, 2).reshape(rest.shape)
    const x = cat([first.add(answer), moved.add(back)], { dim: 1 })
    return x.add(this.feed(x))
  }
}

class TimesformerEmbeddings extends Module {
  readonly clsToken: Parameter
  readonly positionEmbeddings: Parameter
  readonly timeEmbeddings: Parameter
  readonly patchEmbeddings: PatchProjection

  constructor(
    { hiddenSize }: ViTConfig,
    readonly side: number,
    patchSize: number,
    frames: number,
  ) {
    super()
    this.clsToken = learntTokens(1, hiddenSize)
    this.positionEmbeddings = learntTokens(side * side + 1, hiddenSize)
    this.timeEmbeddings = parameter(zeros([1, frames, hiddenSize]))
    this.patchEmbeddings = new PatchProjection(new Conv2d(3, hiddenSize, patchSize, { stride: patchSize }))
  }

  forward(clips: Tensor): Tensor {
    const [batch = 0, frames = 0, , height = 0, width = 0] = clips.shape
    const [kernel = 1] = this.patchEmbeddings.projection.kernelSize
    const patches = this.patchEmbeddings.forward(clips.flatten({ endDim: 1 }))
    const [rows, columns] = [Math.floor(height / kernel), Math.floor(width / kernel)]
    const positions = this.#positions(rows, columns)
    const first = this.clsToken.add(positions.narrow(1, 0, 1)).expand([batch, -1, -1])
    const placed = patches.add(positions.narrow(1, 1, rows * columns))
    const byPlace = placed.reshape([batch, frames, rows * columns, -1]).transpose(1, 2)
    const timed = byPlace.add(this.#times(frames).unsqueeze(1))
    return cat([first, timed.flatten({ startDim: 1, endDim: 2 })], { dim: 1 })
  }

  /** The nearest ones where the frames have another size. */
  #positions(rows: number, columns: number): Tensor {
    const { positionEmbeddings, side } = this
    if (rows === side && columns === side) return positionEmbeddings
    const grid = positionEmbeddings
      .narrow(1, 1, side * side)
      .transpose(1, 2)
      .unflatten(2, [side, side])
    const fitted = F.interpolate(grid, { size: [rows, columns], mode: 'nearest' }).flatten({ startDim: 2 })
    return cat([positionEmbeddings.narrow(1, 0, 1), fitted.transpose(1, 2)], { dim: 1 })
  }

  #times(frames: number): Tensor {
    const { timeEmbeddings } = this
    if (timeEmbeddings.size(1) === frames) return timeEmbeddings
    return F.interpolate(timeEmbeddings.transpose(1, 2), { size: frames, mode: 'nearest' }).transpose(1, 2)
  }
}

/**
 * TimeSformer (Bertasius, Wang, Torresani, ICML 2021) with divided attention, as transformers' `TimesformerModel`.
 *
 * Shapes: clips `[N, frames, 3, H, W]` of any size that patches fill → the class token, then for each place its
 * frames, `[N, 1 + places · frames, hiddenSize]`.
 */
export class TimesformerModel extends Module {
  readonly embeddings: TimesformerEmbeddings
  readonly encoder: ViTEncoder<TimesformerLayer>
  readonly layernorm: LayerNorm
  readonly patchSize: number

  constructor(options: TimesformerOptions = {}) {
    super()
    const config = vitConfig(options, 1e-6)
    const { imageSize = 224, patchSize = 16, numFrames = 8 } = options
    this.patchSize = patchSize
    this.embeddings = new TimesformerEmbeddings(config, Math.floor(imageSize / patchSize), patchSize, numFrames)
    this.encoder = new ViTEncoder(config, () => new TimesformerLayer(config))
    this.layernorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    resetAsHf(this)
  }

  /** @throws ShapeError unless the clips are `[N, frames, 3, H, W]` with H and W multiples of the patch size */
  forward(clips: Tensor): EncoderOutput {
    const { patchSize } = this
    const [, frames = 0, channels, height = 0, width = 0] = clips.shape
    if (clips.ndim !== 5 || channels !== 3 || height % patchSize !== 0 || width % patchSize !== 0) {
      throw new ShapeError(
        `TimesformerModel: the clips are [${clips.shape.join(', ')}]; expected [N, frames, 3, H, W] with H and W multiples of ${patchSize}`,
      )
    }
    let tokens = this.embeddings.forward(clips)
    for (const layer of this.encoder.layer) tokens = layer.attendVideo(tokens, frames)
    return { lastHiddenState: this.layernorm.forward(tokens) }
  }
}

export const timesformerBase = (options?: TimesformerOptions) => new TimesformerModel(options)

export const TIMESFORMERS = {
  timesformer_base: {
    create: timesformerBase,
    task: 'features',
    input: {
      ...IMAGENET_224,
      kind: 'video',
      frames: 8,
      frameStep: 32,
      mean: [0.45, 0.45, 0.45],
      std: [0.225, 0.225, 0.225],
    },
    features: 'layernorm',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<TimesformerOptions>>>
