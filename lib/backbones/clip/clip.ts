// CLIP with the names of OpenAI's release; transformers' are in layouts/clip.ts.
import { ShapeError } from '../../native/errors'
import { Embedding, functional as F, init, type Layer, LayerNorm, Module, type Parameter, parameter } from '../../nn'
import { empty, full, type Tensor } from '../../tensor'
import type { NetworkEntry } from '../network'
import { ClipResNet, type ClipResNetSize } from './resnet'
import { ClipTransformer, type ClipVisionSize, ClipVisionTransformer } from './transformer'

export interface ClipOptions {
  /** Side of the square images. Default 224. */
  readonly imageSize?: number
  /** Longest text, in tokens. Default 77. */
  readonly contextLength?: number
  /** Default 49408. */
  readonly vocabSize?: number
}

export interface ClipSize {
  readonly embedDim: number
  readonly vision: Omit<ClipVisionSize, 'imageSize'> | Omit<ClipResNetSize, 'imageSize'>
  readonly textWidth: number
  readonly textHeads: number
  readonly textDepth: number
}

/** What pictures and texts have in common. */
export interface ClipOutput {
  /** `[images, texts]`: cosines times the learnt scale. */
  readonly logitsPerImage: Tensor
  /** `[texts, images]` */
  readonly logitsPerText: Tensor
  /** `[images, embedDim]`, of length 1. */
  readonly imageEmbeds: Tensor
  /** `[texts, embedDim]`, of length 1. */
  readonly textEmbeds: Tensor
}

/**
 * Contrastive language-image pre-training (Radford et al., ICML 2021).
 *
 * Shapes: images `[N, 3, imageSize, imageSize]` and tokens `[M, length]` of int64 → cosines of all pairs.
 */
export class CLIP extends Module {
  readonly positionalEmbedding: Parameter
  readonly textProjection: Parameter
  readonly logitScale: Parameter
  readonly visual: Layer
  readonly transformer: ClipTransformer
  readonly tokenEmbedding: Embedding
  readonly lnFinal: LayerNorm
  readonly contextLength: number

  constructor({ embedDim, vision, textWidth, textHeads, textDepth }: ClipSize, options: ClipOptions = {}) {
    super()
    const { imageSize = 224, contextLength = 77, vocabSize = 49408 } = options
    this.contextLength = contextLength
    this.positionalEmbedding = parameter(init.normal_(empty([contextLength, textWidth]), { std: 0.01 }))
    this.textProjection = parameter(init.normal_(empty([textWidth, embedDim]), { std: textWidth ** -0.5 }))
    this.logitScale = parameter(full([], Math.log(1 / 0.07)))
    this.visual =
      'patchSize' in vision
        ? new ClipVisionTransformer({ ...vision, imageSize }, embedDim)
        : new ClipResNet({ ...vision, imageSize }, embedDim)
    this.transformer = new ClipTransformer(textWidth, textDepth, textHeads, { causal: true })
    this.tokenEmbedding = new Embedding(vocabSize, textWidth)
    this.lnFinal = new LayerNorm(textWidth)
    init.normal_(this.tokenEmbedding.weight, { std: 0.02 })
    this.transformer.resetAsText()
  }

  /** `[N, 3, imageSize, imageSize]` → `[N, embedDim]`, of any length. */
  encodeImage(images: Tensor): Tensor {
    return this.visual.forward(images)
  }

  /**
   * Tokens `[N, length]` → `[N, embedDim]`, of any length: what the last token, the one with the largest number, holds.
   *
   * @throws ShapeError for texts longer than the positions
   */
  encodeText(tokens: Tensor): Tensor {
    const length = tokens.size(-1)
    if (tokens.ndim !== 2 || length > this.contextLength) {
      throw new ShapeError(
        `CLIP: the tokens are [${tokens.shape.join(', ')}]; they must be [N, length] with at most ${this.contextLength} tokens: cut longer texts`,
      )
    }
    const embedded = this.tokenEmbedding.forward(tokens).add(this.positionalEmbedding.narrow(0, 0, length))
    const read = this.lnFinal.forward(this.transformer.forward(embedded))
    const end = tokens
      .argmax({ dim: 1 })
      .reshape([-1, 1, 1])
      .expand([-1, 1, read.size(2)])
    return read.gather(1, end).squeeze(1).matmul(this.textProjection)
  }

  forward(images: Tensor, tokens: Tensor): ClipOutput {
    const imageEmbeds = F.normalize(this.encodeImage(images), { dim: -1 })
    const textEmbeds = F.normalize(this.encodeText(tokens), { dim: -1 })
    const logitsPerImage = imageEmbeds.matmul(textEmbeds.t()).mul(this.logitScale.exp())
    return { logitsPerImage, logitsPerText: logitsPerImage.t(), imageEmbeds, textEmbeds }
  }
}

const TEXT = { textWidth: 512, textHeads: 8, textDepth: 12 } as const
const VIT_B = { width: 768, depth: 12, heads: 12 } as const
const B_32: ClipSize = { embedDim: 512, vision: { ...VIT_B, patchSize: 32 }, ...TEXT }
const B_16: ClipSize = { embedDim: 512, vision: { ...VIT_B, patchSize: 16 }, ...TEXT }
const L_14: ClipSize = {
  embedDim: 768,
  vision: { width: 1024, depth: 24, heads: 16, patchSize: 14 },
  textWidth: 768,
  textHeads: 12,
  textDepth: 12,
}
const RN_50: ClipSize = { embedDim: 1024, vision: { blocks: [3, 4, 6, 3], width: 64 }, ...TEXT }
const RN_101: ClipSize = { embedDim: 512, vision: { blocks: [3, 4, 23, 3], width: 64 }, ...TEXT }

export const clipVitB32 = (options?: ClipOptions) => new CLIP(B_32, options)
export const clipVitB16 = (options?: ClipOptions) => new CLIP(B_16, options)
export const clipVitL14 = (options?: ClipOptions) => new CLIP(L_14, options)
export const clipRn50 = (options?: ClipOptions) => new CLIP(RN_50, options)
export const clipRn101 = (options?: ClipOptions) => new CLIP(RN_101, options)

/** How CLIP's photographs are prepared. */
export const CLIP_224 = {
  kind: 'image',
  resize: 224,
  crop: [224, 224],
  interpolation: 'bicubic',
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const

const both = { task: 'image-text', input: CLIP_224, features: 'visual' } as const

export const CLIPS = {
  clip_vit_b_32: { create: clipVitB32, ...both },
  clip_vit_b_16: { create: clipVitB16, ...both },
  clip_vit_l_14: { create: clipVitL14, ...both },
  clip_rn50: { create: clipRn50, ...both },
  clip_rn101: { create: clipRn101, ...both },
} as const satisfies Readonly<Record<string, NetworkEntry<ClipOptions>>>
