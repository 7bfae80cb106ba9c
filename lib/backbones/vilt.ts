// ViLT with transformers' names: one transformer for words and patches.
import { ShapeError } from '../native/errors'
import { Conv2d, Embedding, functional as F, init, LayerNorm, Module, type Parameter } from '../nn'
import { arange, cat, constantPadNd, type Tensor, zeros } from '../tensor'
import type { NetworkEntry } from './network'
import { paddingMask } from './text-blocks'
import { patchMultiple } from './vit'
import {
  type EncoderOutput,
  learntTokens,
  PatchProjection,
  resetAsHf,
  ViTEncoder,
  ViTLayer,
  ViTPooler,
  ViTSelfAttention,
  type ViTSize,
  vitConfig,
} from './vit-hf'

export interface ViltOptions extends ViTSize {
  /** Side of the square images that the positions are for. Default 384. */
  readonly imageSize?: number
  /** Default 32. */
  readonly patchSize?: number
  /** Default 30522. */
  readonly vocabSize?: number
  /** Longest text, in tokens. Default 40. */
  readonly maxPositionEmbeddings?: number
}

/** What goes with the texts and images. */
export interface ViltInputs {
  /** 1 for tokens and 0 for padding, `[N, L]`. Default: no padding. */
  readonly attentionMask?: Tensor | null
  /** Which part of a text each token belongs to, `[N, L]`. Default 0. */
  readonly tokenTypeIds?: Tensor | null
  /** Height and width of what each image shows, in pixels, from its upper left; the rest is padding. Default: all. */
  readonly imageSizes?: readonly (readonly [height: number, width: number])[]
}

class ViltTextEmbeddings extends Module {
  static override readonly stateNames = { layerNorm: 'LayerNorm' }
  readonly wordEmbeddings: Embedding
  readonly positionEmbeddings: Embedding
  readonly tokenTypeEmbeddings: Embedding
  readonly layerNorm: LayerNorm

  constructor(vocabSize: number, positions: number, width: number, eps: number) {
    super()
    this.wordEmbeddings = new Embedding(vocabSize, width, { paddingIdx: 0 })
    this.positionEmbeddings = new Embedding(positions, width)
    this.tokenTypeEmbeddings = new Embedding(2, width)
    this.layerNorm = new LayerNorm(width, { eps })
  }

  forward(tokens: Tensor, types: Tensor | null): Tensor {
    const { device } = tokens
    const kinds = types ?? zeros(tokens.shape, { dtype: 'int64', device })
    const places = arange(tokens.size(1), { dtype: 'int64', device })
    const sum = this.wordEmbeddings.forward(tokens).add(this.tokenTypeEmbeddings.forward(kinds))
    return this.layerNorm.forward(sum.add(this.positionEmbeddings.forward(places)))
  }
}

class ViltEmbeddings extends Module {
  readonly clsToken: Parameter
  readonly positionEmbeddings: Parameter
  readonly textEmbeddings: ViltTextEmbeddings
  readonly patchEmbeddings: PatchProjection
  /** 0 for words, 1 for patches. */
  readonly tokenTypeEmbeddings: Embedding

  constructor(
    readonly side: number,
    readonly patchSize: number,
    { width, eps, vocabSize, positions }: { width: number; eps: number; vocabSize: number; positions: number },
  ) {
    super()
    this.clsToken = learntTokens(1, width)
    this.positionEmbeddings = learntTokens(side * side + 1, width)
    this.textEmbeddings = new ViltTextEmbeddings(vocabSize, positions, width, eps)
    this.patchEmbeddings = new PatchProjection(new Conv2d(3, width, patchSize, { stride: patchSize }))
    this.tokenTypeEmbeddings = new Embedding(2, width)
  }

  /** Words, then the picture's own token, then its patches by rows. */
  forward(tokens: Tensor, images: Tensor, inputs: ViltInputs): Tensor {
    const words = this.textEmbeddings.forward(tokens, inputs.tokenTypeIds ?? null)
    const patches = this.patchEmbeddings.forward(images)
    const all = this.positionEmbeddings
    const seen = cat(
      this.extents(images, inputs).map((extent) => this.#positions(extent, images)),
      { dim: 0 },
    )
    const first = this.clsToken.add(all.narrow(1, 0, 1)).expand([images.size(0), -1, -1])
    const picture = cat([first, patches.add(seen)], { dim: 1 })
    const [word, patch] = this.tokenTypeEmbeddings.weight.unbind() as [Tensor, Tensor]
    return cat([words.add(word), picture.add(patch)], { dim: 1 })
  }

  /** Rows and columns of patches that each image shows. */
  extents(images: Tensor, { imageSizes }: ViltInputs): (readonly [rows: number, columns: number])[] {
    const { patchSize } = this
    const [count = 0, , height = 0, width = 0] = images.shape
    const sizes = imageSizes ?? Array.from({ length: count }, () => [height, width] as const)
    if (sizes.length !== count) {
      throw new ShapeError(
        `ViltModel: there are ${count} images and ${sizes.length} imageSizes; give one for each image`,
      )
    }
    return sizes.map(([h, w]) => {
      if (h > height || w > width || h < patchSize || w < patchSize) {
        throw new ShapeError(
          `ViltModel: an image shows ${h} × ${w} of ${height} × ${width} pixels; it must show a part of them that holds a patch of ${patchSize}`,
        )
      }
      return [Math.floor(h / patchSize), Math.floor(w / patchSize)] as const
    })
  }

  /** Positions fitted to one image, zeros beyond it: `[1, patches, width]`. */
  #positions([rows, columns]: readonly [number, number], images: Tensor): Tensor {
    const { positionEmbeddings, side, patchSize } = this
    const [height = 0, width = 0] = images.shape.slice(-2)
    const grid = positionEmbeddings
      .narrow(1, 1, side * side)
      .transpose(1, 2)
      .unflatten(2, [side, side])
    const fitted = F.interpolate(grid, { size: [rows, columns], mode: 'bilinear', alignCorners: true })
    const beyond = [0, Math.floor(width / patchSize) - columns, 0, Math.floor(height / patchSize) - rows]
    return constantPadNd(fitted, beyond).flatten({ startDim: 2 }).transpose(1, 2)
  }
}

/**
 * Vision-and-language transformer without convolutions or regions (Kim, Son, Kim, ICML 2021), as transformers'
 * `ViltModel`.
 *
 * Shapes: tokens `[N, L]` and images `[N, 3, H, W]`, H and W multiples of the patch size → tokens
 * `[N, L + 1 + patches, hiddenSize]`, pooled `[N, hiddenSize]`. Patches keep their order; transformers shuffles them.
 */
export class ViltModel extends Module {
  readonly embeddings: ViltEmbeddings
  readonly encoder: ViTEncoder
  readonly layernorm: LayerNorm
  readonly pooler: ViTPooler
  readonly patchSize: number
  readonly maxPositionEmbeddings: number

  constructor(options: ViltOptions = {}) {
    super()
    const config = vitConfig(options)
    const { imageSize = 384, patchSize = 32, vocabSize = 30522, maxPositionEmbeddings = 40 } = options
    const { hiddenSize: width, layerNormEps: eps } = config
    this.patchSize = patchSize
    this.maxPositionEmbeddings = maxPositionEmbeddings
    const side = patchMultiple('ViltModel', imageSize, patchSize) / patchSize
    this.embeddings = new ViltEmbeddings(side, patchSize, { width, eps, vocabSize, positions: maxPositionEmbeddings })
    this.encoder = new ViTEncoder(config, () => new ViTLayer(config, (each) => new ViTSelfAttention(each)))
    this.layernorm = new LayerNorm(width, { eps })
    this.pooler = new ViTPooler(width)
    resetAsHf(this)
    for (const module of this.modules()) if (module instanceof Embedding) init.normal_(module.weight, { std: 0.02 })
  }

  /** @throws ShapeError for texts that are too long, and images that patches do not fill */
  forward(tokens: Tensor, images: Tensor, inputs: ViltInputs = {}): EncoderOutput {
    const [height = 0, width = 0] = images.shape.slice(-2)
    if (images.ndim !== 4 || height % this.patchSize !== 0 || width % this.patchSize !== 0) {
      throw new ShapeError(
        `ViltModel: the images are [${images.shape.join(', ')}]; expected [N, 3, H, W] with H and W multiples of ${this.patchSize}: pad them`,
      )
    }
    if (tokens.ndim !== 2 || tokens.size(1) > this.maxPositionEmbeddings) {
      throw new ShapeError(
        `ViltModel: the tokens are [${tokens.shape.join(', ')}]; expected [N, length] with at most ${this.maxPositionEmbeddings} tokens: cut longer texts`,
      )
    }
    const embedded = this.embeddings.forward(tokens, images, inputs)
    const read = this.encoder.forward(embedded, this.#mask(tokens, images, inputs, embedded))
    const lastHiddenState = this.layernorm.forward(read)
    return { lastHiddenState, poolerOutput: this.pooler.forward(lastHiddenState) }
  }

  /** What is padding, in words and patches; null where nothing is. */
  #mask(tokens: Tensor, images: Tensor, inputs: ViltInputs, { shape, dtype, device }: Tensor): Tensor | null {
    const { attentionMask, imageSizes } = inputs
    if (!attentionMask && !imageSizes) return null
    const [batch = 0, count = 0] = shape
    const whole = { dtype: 'int64', device } as const
    const words = attentionMask?.to('int64') ?? zeros(tokens.shape, whole).add(1)
    const [rows, columns] = images.shape.slice(-2).map((length) => length / this.patchSize) as [number, number]
    const patches = this.embeddings.extents(images, inputs).map(([h, w]) => {
      const shown = constantPadNd(zeros([1, h, w], whole).add(1), [0, columns - w, 0, rows - h])
      return shown.reshape([1, rows * columns])
    })
    const picture = cat([zeros([batch, 1], whole).add(1), cat(patches)], { dim: 1 })
    return paddingMask(cat([words, picture], { dim: 1 }), batch, count, dtype)
  }
}

export const viltB32 = (options?: ViltOptions) => new ViltModel(options)

export const VILTS = {
  vilt_b32: { create: viltB32, task: 'image-text', input: { kind: 'image-text' }, features: 'pooler' },
} as const satisfies Readonly<Record<string, NetworkEntry<ViltOptions>>>
