// BEiT with timm's names.

import { ShapeError } from '../native/errors'
import {
  type Buffer,
  buffer,
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
  StochasticDepth,
} from '../nn'
import { cat, empty, full, type Tensor, tensor, zeros } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'
import { relativeIndex } from './swin/windows'
import { patchMultiple } from './vit'

export interface BeitOptions {
  /** Side of the square images. Default 224. */
  readonly imageSize?: number
  /** Default 1000. */
  readonly numClasses?: number
  /** Probability of leaving out the last block, in training; it grows from 0. Default 0. */
  readonly stochasticDepthProb?: number
  /** First values of the scales after attention and MLP. Default 0.1. */
  readonly layerScale?: number
}

export interface BeitSize {
  readonly patchSize: number
  readonly width: number
  readonly depth: number
  readonly heads: number
}

/** Attention with a learnt bias for the offset of two patches; keys have no bias of their own. */
export class BeitAttention extends Module {
  static override readonly stateNames = { qBias: 'q_bias', vBias: 'v_bias' }
  readonly qBias: Parameter
  readonly vBias: Parameter
  readonly relativePositionBiasTable: Parameter
  readonly qkv: Linear
  readonly proj: Linear
  readonly index: Buffer

  constructor(
    readonly width: number,
    readonly heads: number,
    side: number,
  ) {
    super()
    this.qBias = parameter(zeros([width]))
    this.vBias = parameter(zeros([width]))
    // Three more for pairs with the class token: it to patches, patches to it, it to itself.
    this.relativePositionBiasTable = parameter(zeros([(2 * side - 1) ** 2 + 3, heads]))
    this.qkv = new Linear(width, 3 * width, { bias: false })
    this.proj = new Linear(width, width)
    this.index = buffer(tensor(indexWithClass(side)), { persistent: false })
  }

  forward(input: Tensor): Tensor {
    const [batch = 0, count = 0] = input.shape
    const bias = cat([this.qBias, zeros([this.width], { dtype: input.dtype, device: input.device }), this.vBias])
    const qkv = F.linear(input, this.qkv.weight, { bias }).reshape([batch, count, 3, this.heads, -1])
    const [q, k, v] = qkv.permute([2, 0, 3, 1, 4]).unbind() as [Tensor, Tensor, Tensor]
    const offsets = this.relativePositionBiasTable.indexSelect(0, this.index).reshape([1, count, count, this.heads])
    const attended = F.scaledDotProductAttention(q, k, v, { attnMask: offsets.permute([0, 3, 1, 2]) })
    return this.proj.forward(attended.transpose(1, 2).flatten({ startDim: 2 }))
  }
}

/** Rows of the table for each pair of tokens, the class token first: `(side² + 1)²` numbers. */
function indexWithClass(side: number): BigInt64Array {
  const patches = side * side
  const between = relativeIndex([side, side])
  const rows = BigInt((2 * side - 1) ** 2)
  const pick = (a: number, b: number) => {
    if (a > 0 && b > 0) return between[(a - 1) * patches + b - 1] ?? 0n
    return a === 0 && b === 0 ? rows + 2n : a === 0 ? rows : rows + 1n
  }
  const tokens = patches + 1
  return BigInt64Array.from({ length: tokens * tokens }, (_, i) => pick(Math.floor(i / tokens), i % tokens))
}

/** Attention and MLP, each normalised before, scaled for each channel and added to its input. */
export class BeitBlock extends Module {
  static override readonly stateNames = { gamma1: 'gamma_1', gamma2: 'gamma_2' }
  readonly gamma1: Parameter
  readonly gamma2: Parameter
  readonly norm1: LayerNorm
  readonly attn: BeitAttention
  readonly norm2: LayerNorm
  readonly mlp: Sequential
  readonly stochasticDepth: StochasticDepth

  constructor({ width, heads }: BeitSize, side: number, options: { layerScale: number; stochasticDepth: number }) {
    super()
    this.gamma1 = parameter(full([width], options.layerScale))
    this.gamma2 = parameter(full([width], options.layerScale))
    this.norm1 = new LayerNorm(width, { eps: 1e-6 })
    this.attn = new BeitAttention(width, heads, side)
    this.norm2 = new LayerNorm(width, { eps: 1e-6 })
    this.mlp = new Sequential({ fc1: new Linear(width, 4 * width), act: new GELU(), fc2: new Linear(4 * width, width) })
    this.stochasticDepth = new StochasticDepth(options.stochasticDepth, 'row')
  }

  forward(input: Tensor): Tensor {
    const attended = this.attn.forward(this.norm1.forward(input)).mul(this.gamma1)
    const x = input.add(this.stochasticDepth.forward(attended))
    const fed = this.mlp.forward(this.norm2.forward(x)).mul(this.gamma2)
    return x.add(this.stochasticDepth.forward(fed))
  }
}

/** The convolution that makes tokens of patches: `[N, 3, H, W]` → `[N, patches, width]`. */
export class PatchEmbed extends Module {
  readonly proj: Conv2d

  constructor(patchSize: number, width: number) {
    super()
    this.proj = new Conv2d(3, width, patchSize, { stride: patchSize })
  }

  forward(images: Tensor): Tensor {
    return this.proj.forward(images).flatten({ startDim: 2 }).transpose(1, 2)
  }
}

/** @throws ShapeError unless the images are square ones of this side */
export function checkSquare(network: string, images: Tensor, side: number): void {
  const [height, width] = images.shape.slice(-2)
  if (height === side && width === side) return
  throw new ShapeError(
    `${network}: the images are ${height} × ${width}; it is made for ${side} × ${side}: resize them, or make it with { imageSize }`,
  )
}

/**
 * BEiT (Bao, Dong, Piao, Wei, ICLR 2022) as it is fine-tuned: relative positions, the mean of all patches classified.
 *
 * Shapes: `[N, 3, imageSize, imageSize]` → `[N, numClasses]`.
 */
export class Beit extends Module {
  readonly clsToken: Parameter
  readonly patchEmbed: PatchEmbed
  readonly blocks: ModuleList<BeitBlock>
  readonly fcNorm: LayerNorm
  readonly head: Linear
  readonly imageSize: number

  constructor(
    readonly size: BeitSize,
    options: BeitOptions = {},
  ) {
    super()
    const { imageSize = 224, numClasses = 1000, stochasticDepthProb = 0, layerScale = 0.1 } = options
    const { patchSize, width, depth } = size
    this.imageSize = patchMultiple('Beit', imageSize, patchSize)
    this.clsToken = parameter(init.truncNormal_(empty([1, 1, width]), { std: 0.02 }))
    this.patchEmbed = new PatchEmbed(patchSize, width)
    const make = (_: unknown, i: number) =>
      new BeitBlock(size, imageSize / patchSize, {
        layerScale,
        stochasticDepth: (stochasticDepthProb * i) / Math.max(1, depth - 1),
      })
    this.blocks = new ModuleList(Array.from({ length: depth }, make))
    this.fcNorm = new LayerNorm(width, { eps: 1e-6 })
    this.head = new Linear(width, numClasses)
    this.#reset()
  }

  /** The deeper a block, the smaller it begins; so does the classifier. */
  #reset(): void {
    for (const module of this.modules()) {
      if (!(module instanceof Linear)) continue
      init.truncNormal_(module.weight, { std: 0.02 })
      if (module.bias) init.zeros_(module.bias)
    }
    for (const [i, { attn, mlp }] of [...this.blocks].entries()) {
      const fc2 = [...mlp].at(-1)
      const std = 0.02 / Math.sqrt(2 * (i + 1))
      init.normal_(attn.proj.weight, { std })
      if (fc2 instanceof Linear) init.normal_(fc2.weight, { std })
    }
    init.normal_(this.head.weight, { std: 0.02 * 0.001 })
  }

  forward(images: Tensor): Tensor {
    checkSquare('Beit', images, this.imageSize)
    let x = cat([this.clsToken.expand([images.size(0), -1, -1]), this.patchEmbed.forward(images)], { dim: 1 })
    for (const block of this.blocks) x = block.forward(x)
    return this.head.forward(this.fcNorm.forward(x.narrow(1, 1, x.size(1) - 1).mean({ dim: 1 })))
  }
}

export const beitBasePatch16_224 = (options?: BeitOptions) =>
  new Beit({ patchSize: 16, width: 768, depth: 12, heads: 12 }, options)

const HALVES = { resize: 248, interpolation: 'bicubic', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const
const classifier = {
  task: 'image-classification',
  input: { ...IMAGENET_224, ...HALVES },
  features: 'fc_norm',
} as const

export const BEITS = {
  beit_base_patch16_224: { create: beitBasePatch16_224, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<BeitOptions>>>
