// Vision Transformer with torchvision's names; timm's ViT and DeiT are the same network (layouts/vit.ts).
import { ShapeError } from '../native/errors'
import {
  Conv2d,
  Dropout,
  functional as F,
  GELU,
  init,
  type Layer,
  LayerNorm,
  Linear,
  Module,
  MultiheadAttention,
  type Parameter,
  parameter,
  Sequential,
  Tanh,
} from '../nn'
import { cat, empty, type Tensor, zeros } from '../tensor'
import { IMAGENET_224, type ImageInput, type NetworkEntry } from './network'

export interface VisionTransformerOptions {
  /** Side of the square images, a multiple of the patch size. Default 224. */
  readonly imageSize?: number
  /** Default 1000. */
  readonly numClasses?: number
  /** Default 0. */
  readonly dropout?: number
  /** Of the attention weights. Default 0. */
  readonly attentionDropout?: number
  /** Width of a layer with tanh before the classifier, as in pre-training. Default null, none. */
  readonly representationSize?: number | null
  /** Makes the layer norms. Default: with an eps of 1e-6. */
  readonly normLayer?: (width: number) => Layer
  /** A second token and classifier that learn from a teacher (DeiT, Touvron et al., ICML 2021). Default false. */
  readonly distilled?: boolean
  /** First values as torchvision draws them, or as timm does. Default `'torchvision'`. */
  readonly firstValues?: 'torchvision' | 'timm'
}

/** What the letters S, B, L … stand for. */
export interface VisionTransformerSize {
  readonly patchSize: number
  readonly depth: number
  readonly heads: number
  readonly width: number
  /** Width within the MLP. */
  readonly mlpWidth: number
}

interface BlockOptions {
  readonly dropout: number
  readonly attentionDropout: number
  readonly norm: (width: number) => Layer
}

/** Attention and MLP, each normalised before and added to its input (Dosovitskiy et al. 2021, Fig. 1 right). */
export class VisionTransformerBlock extends Module {
  static override readonly stateNames = { ln1: 'ln_1', ln2: 'ln_2' }
  readonly ln1: Layer
  readonly selfAttention: MultiheadAttention
  readonly dropout: Dropout
  readonly ln2: Layer
  readonly mlp: Sequential

  constructor({ width, heads, mlpWidth }: VisionTransformerSize, { dropout, attentionDropout, norm }: BlockOptions) {
    super()
    this.ln1 = norm(width)
    this.selfAttention = new MultiheadAttention(width, heads, { dropout: attentionDropout, batchFirst: true })
    this.dropout = new Dropout({ p: dropout })
    this.ln2 = norm(width)
    const [fc1, fc2] = [new Linear(width, mlpWidth), new Linear(mlpWidth, width)]
    this.mlp = new Sequential(fc1, new GELU(), new Dropout({ p: dropout }), fc2, new Dropout({ p: dropout }))
    for (const { weight, bias } of [fc1, fc2]) {
      init.xavierUniform_(weight)
      if (bias) init.normal_(bias, { std: 1e-6 })
    }
  }

  forward(input: Tensor): Tensor {
    const x = this.ln1.forward(input)
    const attended = this.selfAttention.forward(x, x, x, { needWeights: false })[0]
    const y = input.add(this.dropout.forward(attended))
    return y.add(this.mlp.forward(this.ln2.forward(y)))
  }
}

/** Positions, blocks and the last norm. Shapes: `[N, tokens, width]`, kept. */
export class VisionTransformerEncoder extends Module {
  readonly posEmbedding: Parameter
  readonly dropout: Dropout
  readonly layers: Sequential<readonly VisionTransformerBlock[]>
  readonly ln: Layer

  constructor(tokens: number, size: VisionTransformerSize, options: BlockOptions) {
    super()
    this.posEmbedding = parameter(init.normal_(empty([1, tokens, size.width]), { std: 0.02 }))
    this.dropout = new Dropout({ p: options.dropout })
    const blocks = Array.from(
      { length: size.depth },
      (_, i) => [`encoder_layer_${i}`, new VisionTransformerBlock(size, options)] as const,
    )
    this.layers = new Sequential(Object.fromEntries(blocks))
    this.ln = options.norm(size.width)
  }

  forward(tokens: Tensor): Tensor {
    return this.ln.forward(this.layers.forward(this.dropout.forward(tokens.add(this.posEmbedding))))
  }
}

/**
 * Vision Transformer (Dosovitskiy et al., ICLR 2021), and DeiT (Touvron et al., ICML 2021) with `distilled`.
 *
 * Shapes: `[N, 3, imageSize, imageSize]` → `[N, numClasses]`; distilled, the mean of both classifiers.
 */
export class VisionTransformer extends Module {
  readonly classToken: Parameter
  /** DeiT's distillation token. */
  readonly distToken: Parameter | null
  readonly convProj: Conv2d
  readonly encoder: VisionTransformerEncoder
  readonly heads: Sequential
  readonly headDist: Linear | null
  readonly imageSize: number

  /** @throws ShapeError when patches do not fill the image */
  constructor(
    readonly size: VisionTransformerSize,
    options: VisionTransformerOptions = {},
  ) {
    super()
    const { imageSize = 224, numClasses = 1000, dropout = 0, attentionDropout = 0, representationSize = null } = options
    const { normLayer: norm = (width) => new LayerNorm(width, { eps: 1e-6 }), distilled = false } = options
    const { patchSize, width } = size
    this.imageSize = patchMultiple('VisionTransformer', imageSize, patchSize)
    this.classToken = parameter(zeros([1, 1, width]))
    this.distToken = distilled ? parameter(init.truncNormal_(empty([1, 1, width]), { std: 0.02 })) : null
    this.convProj = new Conv2d(3, width, patchSize, { stride: patchSize })
    const tokens = (imageSize / patchSize) ** 2 + (distilled ? 2 : 1)
    this.encoder = new VisionTransformerEncoder(tokens, size, { dropout, attentionDropout, norm })
    this.heads = new Sequential(
      representationSize === null
        ? { head: new Linear(width, numClasses) }
        : {
            pre_logits: new Linear(width, representationSize),
            act: new Tanh(),
            head: new Linear(representationSize, numClasses),
          },
    )
    this.headDist = distilled ? new Linear(width, numClasses) : null
    if (options.firstValues === 'timm') this.#resetAsTimm()
    else this.#reset()
  }

  #reset(): void {
    const { weight, bias } = this.convProj
    init.truncNormal_(weight, { std: Math.sqrt(1 / init.calculateFanInAndFanOut(weight).fanIn) })
    if (bias) init.zeros_(bias)
    for (const [name, head] of [...this.heads.namedChildren(), ['head', this.headDist] as const]) {
      if (!(head instanceof Linear)) continue
      if (name === 'head') init.zeros_(head.weight)
      else init.truncNormal_(head.weight, { std: Math.sqrt(1 / head.inFeatures) })
      if (head.bias) init.zeros_(head.bias)
    }
  }

  #resetAsTimm(): void {
    init.normal_(this.classToken, { std: 1e-6 })
    init.truncNormal_(this.encoder.posEmbedding, { std: 0.02 })
    for (const module of this.modules()) {
      if (module instanceof MultiheadAttention && module.inProjWeight)
        init.truncNormal_(module.inProjWeight, { std: 0.02 })
      if (!(module instanceof Linear)) continue
      init.truncNormal_(module.weight, { std: 0.02 })
      if (module.bias) init.zeros_(module.bias)
    }
  }

  /** The normalised tokens `[N, tokens, width]`: class, distillation where there is one, then patches by rows. */
  forwardFeatures(input: Tensor): Tensor {
    const [height, width] = input.shape.slice(-2)
    if (height !== this.imageSize || width !== this.imageSize) {
      throw new ShapeError(
        `VisionTransformer: the images are ${height} × ${width}; its positions are for ${this.imageSize} × ${this.imageSize}: resize them, or make it with { imageSize } and load its weights with resizePositions`,
      )
    }
    const patches = this.convProj.forward(input).flatten({ startDim: 2 }).transpose(1, 2)
    const first = [this.classToken, ...(this.distToken ? [this.distToken] : [])]
    const tokens = first.map((token) => token.expand([input.size(0), -1, -1]))
    return this.encoder.forward(cat([...tokens, patches], { dim: 1 }))
  }

  /** Logits of the classifier and, where it is distilled, of the one that learns from a teacher. */
  forwardHeads(input: Tensor): readonly [logits: Tensor, distilled: Tensor | null] {
    const tokens = this.forwardFeatures(input)
    return [this.heads.forward(tokens.select(1, 0)), this.headDist?.forward(tokens.select(1, 1)) ?? null]
  }

  forward(input: Tensor): Tensor {
    const [logits, distilled] = this.forwardHeads(input)
    return distilled ? logits.add(distilled).div(2) : logits
  }
}

/** @throws ShapeError unless `imageSize` is a multiple of `patchSize` */
export function patchMultiple(network: string, imageSize: number, patchSize: number): number {
  if (Number.isInteger(imageSize) && imageSize > 0 && imageSize % patchSize === 0) return imageSize
  throw new ShapeError(
    `${network}: imageSize is ${imageSize}; it must be a multiple of the patch size, ${patchSize}, such as ${Math.max(1, Math.round(imageSize / patchSize) || 1) * patchSize}`,
  )
}

/**
 * Learnt positions of a square of patches for another square, resampled bicubically; the first `extraTokens`, which
 * have no place in the image, are kept.
 *
 * @param positions `[1, tokens, width]`
 * @returns `[1, extraTokens + side², width]`
 * @throws ShapeError when the patches form no square
 */
export function resizePositions(
  positions: Tensor,
  side: number,
  { extraTokens = 1 }: { extraTokens?: number } = {},
): Tensor {
  const count = positions.size(1) - extraTokens
  const from = Math.round(Math.sqrt(count))
  if (from * from !== count) {
    throw new ShapeError(
      `resizePositions: ${positions.size(1)} positions less ${extraTokens} are ${count}, which form no square; pass extraTokens`,
    )
  }
  const grid = positions.narrow(1, extraTokens, count).transpose(1, 2).reshape([1, -1, from, from])
  const resized = F.interpolate(grid, { size: [side, side], mode: 'bicubic', alignCorners: true })
  return cat([positions.narrow(1, 0, extraTokens), resized.flatten({ startDim: 2 }).transpose(1, 2)], { dim: 1 })
}

const TINY = { depth: 12, heads: 3, width: 192, mlpWidth: 768 } as const
const SMALL = { depth: 12, heads: 6, width: 384, mlpWidth: 1536 } as const
const BASE = { depth: 12, heads: 12, width: 768, mlpWidth: 3072 } as const
const LARGE = { depth: 24, heads: 16, width: 1024, mlpWidth: 4096 } as const
const HUGE = { depth: 32, heads: 16, width: 1280, mlpWidth: 5120 } as const

type Make = (options?: VisionTransformerOptions) => VisionTransformer
const make =
  (size: VisionTransformerSize, defaults: VisionTransformerOptions = {}): Make =>
  (options) =>
    new VisionTransformer(size, { ...defaults, ...options })
const timm = { firstValues: 'timm' } as const

export const vitB16 = make({ ...BASE, patchSize: 16 })
export const vitB32 = make({ ...BASE, patchSize: 32 })
export const vitL16 = make({ ...LARGE, patchSize: 16 })
export const vitL32 = make({ ...LARGE, patchSize: 32 })
export const vitH14 = make({ ...HUGE, patchSize: 14 })
export const vitTinyPatch16_224 = make({ ...TINY, patchSize: 16 }, timm)
export const vitSmallPatch16_224 = make({ ...SMALL, patchSize: 16 }, timm)
export const vitBasePatch16_224 = make({ ...BASE, patchSize: 16 }, timm)
export const vitBasePatch32_224 = make({ ...BASE, patchSize: 32 }, timm)
export const deitTinyPatch16_224 = make({ ...TINY, patchSize: 16 }, timm)
export const deitSmallPatch16_224 = make({ ...SMALL, patchSize: 16 }, timm)
export const deitBasePatch16_224 = make({ ...BASE, patchSize: 16 }, timm)
export const deitBaseDistilledPatch16_224 = make({ ...BASE, patchSize: 16 }, { ...timm, distilled: true })

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'encoder.ln' } as const
/** timm's ViTs were trained with Google's preparation. */
const HALVES = {
  ...IMAGENET_224,
  resize: 248,
  interpolation: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
} as const
const halves = { ...classifier, input: HALVES satisfies ImageInput } as const
const bicubic = { ...classifier, input: { ...IMAGENET_224, resize: 248, interpolation: 'bicubic' } } as const

export const VITS = {
  vit_b_16: { create: vitB16, ...classifier },
  vit_b_32: { create: vitB32, ...classifier },
  vit_l_16: { create: vitL16, ...classifier },
  vit_l_32: { create: vitL32, ...classifier },
  vit_h_14: { create: vitH14, ...classifier },
  vit_tiny_patch16_224: { create: vitTinyPatch16_224, ...halves },
  vit_small_patch16_224: { create: vitSmallPatch16_224, ...halves },
  vit_base_patch16_224: { create: vitBasePatch16_224, ...halves },
  vit_base_patch32_224: { create: vitBasePatch32_224, ...halves },
  deit_tiny_patch16_224: { create: deitTinyPatch16_224, ...bicubic },
  deit_small_patch16_224: { create: deitSmallPatch16_224, ...bicubic },
  deit_base_patch16_224: { create: deitBasePatch16_224, ...bicubic },
  deit_base_distilled_patch16_224: { create: deitBaseDistilledPatch16_224, ...bicubic },
} as const satisfies Readonly<Record<string, NetworkEntry<VisionTransformerOptions>>>
