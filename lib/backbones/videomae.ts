// VideoMAE's encoder with transformers' names.
import { ShapeError } from '../native/errors'
import { type Buffer, buffer, Conv3d, functional as F, Linear, Module, type Parameter } from '../nn'
import { type Tensor, tensor } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'
import {
  attendHeads,
  type EncoderOutput,
  PatchProjection,
  resetAsHf,
  type SelfAttention,
  type ViTConfig,
  ViTEncoder,
  ViTLayer,
  type ViTSize,
  vitConfig,
  zeroBias,
} from './vit-hf'

export interface VideoMAEOptions extends ViTSize {
  /** Side of the square frames. Default 224. */
  readonly imageSize?: number
  /** Default 16. */
  readonly patchSize?: number
  /** Frames of a clip. Default 16. */
  readonly numFrames?: number
  /** Frames of a patch. Default 2. */
  readonly tubeletSize?: number
}

/** Queries and values have a bias, keys have none. */
class VideoMAESelfAttention extends Module implements SelfAttention {
  static override readonly stateNames = { qBias: 'q_bias', vBias: 'v_bias' }
  readonly qBias: Parameter
  readonly vBias: Parameter
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear

  constructor(readonly config: ViTConfig) {
    super()
    const { hiddenSize } = config
    this.qBias = zeroBias(hiddenSize)
    this.vBias = zeroBias(hiddenSize)
    this.query = new Linear(hiddenSize, hiddenSize, { bias: false })
    this.key = new Linear(hiddenSize, hiddenSize, { bias: false })
    this.value = new Linear(hiddenSize, hiddenSize, { bias: false })
  }

  forward(tokens: Tensor): Tensor {
    const { numAttentionHeads, attentionDropout } = this.config
    const q = F.linear(tokens, this.query.weight, { bias: this.qBias })
    const v = F.linear(tokens, this.value.weight, { bias: this.vBias })
    return attendHeads(q, this.key.forward(tokens), v, numAttentionHeads, this.training ? attentionDropout : 0)
  }
}

class VideoMAEEmbeddings extends Module {
  readonly patchEmbeddings: PatchProjection
  /** Sines and cosines; they are not learnt. */
  readonly positions: Buffer

  constructor(hiddenSize: number, tokens: number, kernel: readonly [number, number, number]) {
    super()
    this.patchEmbeddings = new PatchProjection(new Conv3d(3, hiddenSize, kernel, { stride: kernel }))
    this.positions = buffer(sinusoids(tokens, hiddenSize), { persistent: false })
  }

  forward(clips: Tensor, visible: Tensor | null): Tensor {
    const tokens = this.patchEmbeddings.forward(clips.transpose(1, 2)).add(this.positions)
    if (visible === null) return tokens
    return tokens.gather(1, visible.unsqueeze(-1).expand([-1, -1, tokens.size(2)]))
  }
}

/** Positions of Vaswani et al. (2017): `[1, count, width]`, sines at even places, cosines at odd ones. */
function sinusoids(count: number, width: number): Tensor {
  const values = Float32Array.from({ length: count * width }, (_, i) => {
    const [position, place] = [Math.floor(i / width), i % width]
    const angle = position / 10000 ** ((2 * Math.floor(place / 2)) / width)
    return place % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  return tensor(values, { shape: [1, count, width] })
}

/**
 * Masked autoencoder for video (Tong et al., NeurIPS 2022), its encoder, as transformers' `VideoMAEModel`.
 *
 * Shapes: clips `[N, frames, 3, imageSize, imageSize]` → tokens `[N, patches or visible ones, hiddenSize]`.
 */
export class VideoMAEModel extends Module {
  readonly embeddings: VideoMAEEmbeddings
  readonly encoder: ViTEncoder
  readonly clip: readonly [frames: number, imageSize: number]

  /** @throws ShapeError when patches do not fill the clip */
  constructor(options: VideoMAEOptions = {}) {
    super()
    const config = vitConfig(options)
    const { imageSize = 224, patchSize = 16, numFrames = 16, tubeletSize = 2 } = options
    if (imageSize % patchSize !== 0 || numFrames % tubeletSize !== 0) {
      throw new ShapeError(
        `VideoMAEModel: clips have ${numFrames} frames of ${imageSize} × ${imageSize}; they must be multiples of the patches' ${tubeletSize} and ${patchSize}`,
      )
    }
    this.clip = [numFrames, imageSize]
    const tokens = (imageSize / patchSize) ** 2 * (numFrames / tubeletSize)
    this.embeddings = new VideoMAEEmbeddings(config.hiddenSize, tokens, [tubeletSize, patchSize, patchSize])
    this.encoder = new ViTEncoder(config, () => new ViTLayer(config, (each) => new VideoMAESelfAttention(each)))
    resetAsHf(this)
  }

  /**
   * @param visible int64 `[N, visible]`: which patches are seen, in rising order, for training with most of them hidden
   * @throws ShapeError for clips of another size than the positions are for
   */
  forward(clips: Tensor, visible: Tensor | null = null): EncoderOutput {
    const [frames, side] = this.clip
    if (clips.ndim !== 5 || String(clips.shape.slice(1)) !== String([frames, 3, side, side])) {
      throw new ShapeError(
        `VideoMAEModel: the clips are [${clips.shape.join(', ')}]; expected [N, ${frames}, 3, ${side}, ${side}]: resize them, or make it with { numFrames, imageSize }`,
      )
    }
    return { lastHiddenState: this.encoder.forward(this.embeddings.forward(clips, visible)) }
  }
}

export const videomaeBase = (options?: VideoMAEOptions) => new VideoMAEModel(options)

export const VIDEOMAES = {
  videomae_base: {
    create: videomaeBase,
    task: 'features',
    input: { ...IMAGENET_224, kind: 'video', resize: 224, frames: 16, frameStep: 4 },
    features: 'encoder',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<VideoMAEOptions>>>
