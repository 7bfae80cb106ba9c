// BLIP with transformers' names: captions, and answers to questions, about a picture.
import { ArgumentError, ShapeError } from '../native/errors'
import {
  Conv2d,
  functional as F,
  GELU,
  init,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
  type Parameter,
  parameter,
  Sequential,
} from '../nn'
import { cat, empty, type Tensor } from '../tensor'
import { BertModel } from './bert'
import { BertLMPredictionHead, type BertOptions } from './bert-blocks'
import { CLIP_224 } from './clip'
import { type GeneratedText, type GenerateOptions, generateFromEncoder, type SequenceToSequence } from './generate'
import type { NetworkEntry } from './network'
import { patchMultiple } from './vit'
import { attendHeads } from './vit-hf'

export interface BlipVisionOptions {
  /** Side of the square images that the positions are for. Default 384. */
  readonly imageSize?: number
  /** Default 16. */
  readonly patchSize?: number
  /** Default 768. */
  readonly hiddenSize?: number
  /** Default 12. */
  readonly numHiddenLayers?: number
  /** Default 12. */
  readonly numAttentionHeads?: number
  /** Default 3072. */
  readonly intermediateSize?: number
  /** Takes images of other sizes, with positions resampled bicubically; without, they are errors. Default false. */
  readonly interpolatePositions?: boolean
}

export interface BlipOptions {
  readonly vision?: BlipVisionOptions
  readonly text?: BertOptions
}

class BlipAttention extends Module {
  readonly qkv: Linear
  readonly projection: Linear

  constructor(
    width: number,
    readonly heads: number,
  ) {
    super()
    this.qkv = new Linear(width, 3 * width)
    this.projection = new Linear(width, width)
  }

  forward(tokens: Tensor): Tensor {
    const [q, k, v] = this.qkv.forward(tokens).chunk(3, { dim: -1 }) as [Tensor, Tensor, Tensor]
    return this.projection.forward(attendHeads(q, k, v, this.heads))
  }
}

class BlipEncoderLayer extends Module {
  static override readonly stateNames = { layerNorm1: 'layer_norm1', layerNorm2: 'layer_norm2' }
  readonly selfAttn: BlipAttention
  readonly layerNorm1: LayerNorm
  readonly mlp: Sequential
  readonly layerNorm2: LayerNorm

  constructor(width: number, heads: number, hidden: number) {
    super()
    this.selfAttn = new BlipAttention(width, heads)
    this.layerNorm1 = new LayerNorm(width)
    this.mlp = new Sequential({ fc1: new Linear(width, hidden), act: new GELU(), fc2: new Linear(hidden, width) })
    this.layerNorm2 = new LayerNorm(width)
  }

  forward(tokens: Tensor): Tensor {
    const x = tokens.add(this.selfAttn.forward(this.layerNorm1.forward(tokens)))
    return x.add(this.mlp.forward(this.layerNorm2.forward(x)))
  }
}

class BlipVisionEmbeddings extends Module {
  readonly classEmbedding: Parameter
  readonly positionEmbedding: Parameter
  readonly patchEmbedding: Conv2d
  readonly side: number

  constructor(
    readonly imageSize: number,
    readonly patchSize: number,
    width: number,
    readonly interpolates: boolean,
  ) {
    super()
    this.side = patchMultiple('BLIP', imageSize, patchSize) / patchSize
    this.classEmbedding = parameter(init.truncNormal_(empty([1, 1, width]), { std: 0.02 }))
    this.positionEmbedding = parameter(init.truncNormal_(empty([1, this.side ** 2 + 1, width]), { std: 0.02 }))
    this.patchEmbedding = new Conv2d(3, width, patchSize, { stride: patchSize })
  }

  forward(images: Tensor): Tensor {
    const patches = this.patchEmbedding.forward(images)
    const first = this.classEmbedding.expand([images.size(0), -1, -1])
    const tokens = cat([first, patches.flatten({ startDim: 2 }).transpose(1, 2)], { dim: 1 })
    return tokens.add(this.#positions(images))
  }

  #positions(images: Tensor): Tensor {
    const { imageSize, patchSize, positionEmbedding: all, side } = this
    const [height = 0, width = 0] = images.shape.slice(-2)
    if (height === imageSize && width === imageSize) return all
    if (!this.interpolates) {
      throw new ShapeError(
        `BLIP: the images are ${height} × ${width}; its positions are for ${imageSize} × ${imageSize}: resize them, or make it with { vision: { interpolatePositions: true } }`,
      )
    }
    const size = [Math.floor(height / patchSize), Math.floor(width / patchSize)]
    const grid = all
      .narrow(1, 1, side * side)
      .transpose(1, 2)
      .unflatten(2, [side, side])
    const fitted = F.interpolate(grid, { size, mode: 'bicubic', alignCorners: false }).flatten({ startDim: 2 })
    return cat([all.narrow(1, 0, 1), fitted.transpose(1, 2)], { dim: 1 })
  }
}

class BlipEncoder extends Module {
  readonly layers: ModuleList<BlipEncoderLayer>

  constructor(depth: number, make: () => BlipEncoderLayer) {
    super()
    this.layers = new ModuleList(Array.from({ length: depth }, make))
  }

  forward(tokens: Tensor): Tensor {
    let x = tokens
    for (const layer of this.layers) x = layer.forward(x)
    return x
  }
}

/** BLIP's ViT. Shapes: `[N, 3, imageSize, imageSize]` → tokens `[N, 1 + patches, hiddenSize]`, the class token first. */
export class BlipVisionModel extends Module {
  readonly embeddings: BlipVisionEmbeddings
  readonly encoder: BlipEncoder
  readonly postLayernorm: LayerNorm
  readonly hiddenSize: number

  constructor(options: BlipVisionOptions = {}) {
    super()
    const { imageSize = 384, patchSize = 16, hiddenSize = 768, numHiddenLayers = 12, numAttentionHeads = 12 } = options
    const { intermediateSize = 3072, interpolatePositions = false } = options
    this.hiddenSize = hiddenSize
    this.embeddings = new BlipVisionEmbeddings(imageSize, patchSize, hiddenSize, interpolatePositions)
    const make = () => new BlipEncoderLayer(hiddenSize, numAttentionHeads, intermediateSize)
    this.encoder = new BlipEncoder(numHiddenLayers, make)
    this.postLayernorm = new LayerNorm(hiddenSize)
    for (const module of this.modules()) {
      if (!(module instanceof Linear || module instanceof Conv2d)) continue
      init.normal_(module.weight, { std: 0.02 })
      if (module.bias) init.zeros_(module.bias)
    }
  }

  forward(images: Tensor): Tensor {
    return this.postLayernorm.forward(this.encoder.forward(this.embeddings.forward(images)))
  }
}

const TEXT = { vocabSize: 30524, typeVocabSize: 0, pooling: false } as const satisfies BertOptions

class BlipHeads extends Module {
  readonly predictions: BertLMPredictionHead

  constructor(text: BertModel) {
    super()
    this.predictions = new BertLMPredictionHead(text.config, text.embeddings.wordEmbeddings)
  }

  forward(hidden: Tensor): Tensor {
    return this.predictions.forward(hidden)
  }
}

/** What a `BlipTextDecoder` reads beside its tokens. */
export interface BlipTextInputs {
  /** 1 for tokens and 0 for padding, `[N, L]`. Default: no padding. */
  readonly attentionMask?: Tensor | null
  /** Which of what it attends to is there, `[N, M]`. Default: all. */
  readonly encoderAttentionMask?: Tensor | null
}

/** Scores of the next word, given the words before it and what is attended to: `[N, L]` → `[N, L, vocabSize]`. */
export class BlipTextDecoder extends Module {
  readonly bert: BertModel
  readonly cls: BlipHeads

  constructor(options: BertOptions, encoderHiddenSize: number) {
    super()
    this.bert = new BertModel({ ...TEXT, ...options, isDecoder: true, encoderHiddenSize })
    this.cls = new BlipHeads(this.bert)
  }

  forward(tokens: Tensor, encoderHiddenStates: Tensor, inputs: BlipTextInputs = {}): Tensor {
    return this.cls.forward(this.bert.forward(tokens, { ...inputs, encoderHiddenStates }).lastHiddenState)
  }

  /** Scores of the word after the last, and a cache of those before it. */
  step(...[tokens, inputs]: Parameters<SequenceToSequence['decode']>): ReturnType<SequenceToSequence['decode']> {
    const { lastHiddenState, cache } = this.bert.forward(tokens, { ...inputs, useCache: true })
    return { logits: this.cls.forward(lastHiddenState.select(1, -1)), cache: cache ?? [] }
  }
}

export interface BlipGenerateOptions extends GenerateOptions {
  /** The token that stands before every text; default 30522, `[DEC]`. */
  readonly bosTokenId?: number
}

/** Tokens of BLIP's tokenizer: BERT's `[SEP]`, and one of its own. */
const TOKENS = { sep: 102, dec: 30522 } as const

/**
 * BLIP for captions (Li, Li, Xiong, Hoi, ICML 2022), as transformers' `BlipForConditionalGeneration`.
 *
 * Shapes: images `[N, 3, imageSize, imageSize]` and the caption's tokens so far `[N, L]` → `[N, L, vocabSize]`.
 */
export class BlipForConditionalGeneration extends Module {
  readonly visionModel: BlipVisionModel
  readonly textDecoder: BlipTextDecoder

  constructor({ vision, text }: BlipOptions = {}) {
    super()
    this.visionModel = new BlipVisionModel(vision)
    this.textDecoder = new BlipTextDecoder(text ?? {}, this.visionModel.hiddenSize)
  }

  forward(images: Tensor, tokens: Tensor, inputs: Pick<BlipTextInputs, 'attentionMask'> = {}): Tensor {
    checkPairs('BlipForConditionalGeneration', images, tokens)
    return this.textDecoder.forward(tokens, this.visionModel.forward(images), inputs)
  }

  /**
   * Writes a caption for each image, until `[SEP]`.
   *
   * @param options as `generate` takes them, and `prompt`: tokens with which each caption begins, such as those of "a
   * picture of", which the results leave out
   */
  generate(
    images: Tensor,
    {
      prompt = [],
      bosTokenId = TOKENS.dec,
      ...options
    }: BlipGenerateOptions & { readonly prompt?: readonly number[] } = {},
  ): Promise<GeneratedText[]> {
    return generateFromEncoder(
      {
        encode: () => this.visionModel.forward(images),
        decode: (tokens, inputs) => this.textDecoder.step(tokens, inputs),
      },
      { rows: images.shape[0] ?? 0, start: [bosTokenId, ...prompt], device: images.device },
      { eosTokenId: TOKENS.sep, ...options },
    )
  }
}

/**
 * BLIP for questions (Li, Li, Xiong, Hoi, ICML 2022), as transformers' `BlipForQuestionAnswering`: the question is read
 * beside the picture, the answer written beside the question.
 *
 * Shapes: images `[N, 3, imageSize, imageSize]`, the question's tokens `[N, L]` and the answer's so far `[N, M]` →
 * `[N, M, vocabSize]`.
 */
export class BlipForQuestionAnswering extends Module {
  readonly visionModel: BlipVisionModel
  readonly textEncoder: BertModel
  readonly textDecoder: BlipTextDecoder

  constructor({ vision, text = {} }: BlipOptions = {}) {
    super()
    this.visionModel = new BlipVisionModel(vision)
    this.textEncoder = new BertModel({ ...TEXT, ...text, encoderHiddenSize: this.visionModel.hiddenSize })
    this.textDecoder = new BlipTextDecoder(text, this.textEncoder.config.hiddenSize)
  }

  forward(images: Tensor, question: Tensor, answer: Tensor, { attentionMask }: BlipTextInputs = {}): Tensor {
    const asked = this.#ask(images, question, attentionMask)
    return this.textDecoder.forward(answer, asked, { encoderAttentionMask: attentionMask })
  }

  /**
   * Writes the answer to each question about its image, until `[SEP]`.
   *
   * @param options as `generate` takes them, and `attentionMask`: 1 for the question's tokens and 0 for padding
   */
  generate(
    images: Tensor,
    question: Tensor,
    {
      attentionMask,
      bosTokenId = TOKENS.dec,
      ...options
    }: BlipGenerateOptions & Pick<BlipTextInputs, 'attentionMask'> = {},
  ): Promise<GeneratedText[]> {
    return generateFromEncoder(
      {
        encode: () => this.#ask(images, question, attentionMask),
        decode: (tokens, inputs) => this.textDecoder.step(tokens, inputs),
      },
      { rows: images.shape[0] ?? 0, start: [bosTokenId], attentionMask, device: images.device },
      { eosTokenId: TOKENS.sep, ...options },
    )
  }

  /** The question read beside the picture. */
  #ask(images: Tensor, question: Tensor, attentionMask: Tensor | null | undefined): Tensor {
    checkPairs('BlipForQuestionAnswering', images, question)
    const encoderHiddenStates = this.visionModel.forward(images)
    return this.textEncoder.forward(question, { attentionMask, encoderHiddenStates }).lastHiddenState
  }
}

function checkPairs(name: string, images: Tensor, tokens: Tensor): void {
  if (images.size(0) === tokens.size(0)) return
  throw new ArgumentError(
    `${name}: there are ${images.size(0)} images and ${tokens.size(0)} texts; give one text for each image`,
  )
}

export const blipImageCaptioningBase = (options?: BlipOptions) => new BlipForConditionalGeneration(options)
export const blipVqaBase = (options?: BlipOptions) => new BlipForQuestionAnswering(options)

const both = {
  task: 'image-text',
  input: { ...CLIP_224, resize: 384, crop: [384, 384] },
  features: 'vision_model',
} as const

export const BLIPS = {
  blip_image_captioning_base: { create: blipImageCaptioningBase, ...both },
  blip_vqa_base: { create: blipVqaBase, ...both },
} as const satisfies Readonly<Record<string, NetworkEntry<BlipOptions>>>
