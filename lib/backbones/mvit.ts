// Multiscale vision transformers with torchvision's names; PyTorchVideo's are the same network (layouts/mvit.ts).
import { ArgumentError, ShapeError } from '../native/errors'
import {
  Conv3d,
  Dropout,
  functional as F,
  GELU,
  init,
  type Layer,
  LayerNorm,
  Linear,
  MaxPool3d,
  Module,
  ModuleList,
  type Parameter,
  parameter,
  Sequential,
  StochasticDepth,
} from '../nn'
import { arange, cat, constantPadNd, einsum, empty, type Tensor } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'

/** Frames, height and width. */
type Extent = readonly [number, number, number]

export interface MViTOptions {
  /** Default 400. */
  readonly numClasses?: number
  /** Frames of a clip. Default 16. */
  readonly frames?: number
  /** Side of the square frames. Default 224. */
  readonly imageSize?: number
  /** Before the classifier. Default 0.5. */
  readonly dropout?: number
  /** Within the blocks. Default 0. */
  readonly attentionDropout?: number
  /** Probability of leaving out the last block, in training; it grows from 0. Default 0.2. */
  readonly stochasticDepthProb?: number
  /** Makes the layer norms. Default: with an eps of 1e-6. */
  readonly normLayer?: (channels: number) => Layer
}

/** One block: its channels, and by how much queries, and keys and values, are pooled. */
interface BlockShape {
  readonly heads: number
  readonly from: number
  readonly to: number
  readonly kernelQ: Extent | null
  readonly strideQ: Extent | null
  readonly kernelKv: Extent
  readonly strideKv: Extent
}

interface BlockOptions {
  /** V2 (Li et al., CVPR 2022): learnt offsets, residual pooling, and channels that change in the attention. */
  readonly version: 1 | 2
  readonly dropout: number
  readonly stochasticDepth: number
  readonly norm: (channels: number) => Layer
}

const volume = (size: Extent) => size[0] * size[1] * size[2]
const halfOf = (size: Extent): Extent => [Math.floor(size[0] / 2), Math.floor(size[1] / 2), Math.floor(size[2] / 2)]
const over = (size: Extent, stride: Extent | null): Extent =>
  stride ? [Math.floor(size[0] / stride[0]), Math.floor(size[1] / stride[1]), Math.floor(size[2] / stride[2])] : size

/** Pools tokens over time and space; the class token, the first, stays. Shape: `[N, heads, 1 + T · H · W, C]`. */
class TokenPool extends Module {
  readonly pool: Conv3d | MaxPool3d
  readonly normAct: Sequential | null

  constructor(pool: Conv3d | MaxPool3d, norm: Layer | null) {
    super()
    this.pool = pool
    this.normAct = norm && new Sequential(norm)
  }

  forward(input: Tensor, size: Extent): [tokens: Tensor, size: Extent] {
    const [batch = 0, heads = 0, count = 0, channels = 0] = input.shape
    const video = input
      .narrow(2, 1, count - 1)
      .transpose(2, 3)
      .reshape([batch * heads, channels, ...size])
    const pooled = this.pool.forward(video)
    const [frames = 0, height = 0, width = 0] = pooled.shape.slice(2)
    const tokens = pooled.reshape([batch, heads, channels, -1]).transpose(2, 3)
    const all = cat([input.narrow(2, 0, 1), tokens], { dim: 2 })
    return [this.normAct?.forward(all) ?? all, [frames, height, width]]
  }
}

/** Attention whose queries, keys and values are pooled (Fan et al. 2021, Fig. 3). */
export class MultiscaleAttention extends Module {
  readonly relPosH: Parameter | null
  readonly relPosW: Parameter | null
  readonly relPosT: Parameter | null
  readonly qkv: Linear
  readonly project: Sequential
  readonly poolQ: TokenPool | null
  readonly poolK: TokenPool
  readonly poolV: TokenPool

  constructor(
    size: Extent,
    readonly shape: BlockShape,
    channels: number,
    readonly options: BlockOptions,
  ) {
    super()
    const { heads, from, kernelQ, strideQ, kernelKv, strideKv } = shape
    const { version, dropout, norm } = options
    const width = channels / heads
    const pool = (kernel: Extent, stride: Extent) => {
      const conv = new Conv3d(width, width, kernel, { stride, padding: halfOf(kernel), groups: width, bias: false })
      return new TokenPool(conv, norm(width))
    }
    const side = Math.max(size[1], size[2])
    const offsets = 2 * Math.max(Math.floor(side / (strideQ?.[1] ?? 1)), Math.floor(side / strideKv[1])) - 1
    const table = (rows: number) =>
      version === 2 ? parameter(init.truncNormal_(empty([rows, width]), { std: 0.02 })) : null
    this.relPosH = table(offsets)
    this.relPosW = table(offsets)
    this.relPosT = table(2 * size[0] - 1)
    this.qkv = new Linear(from, 3 * channels)
    this.project = new Sequential(new Linear(channels, channels), ...(dropout > 0 ? [new Dropout({ p: dropout })] : []))
    this.poolQ = kernelQ && strideQ && pool(kernelQ, strideQ)
    this.poolK = pool(kernelKv, strideKv)
    this.poolV = pool(kernelKv, strideKv)
  }

  forward(input: Tensor, size: Extent): [tokens: Tensor, size: Extent] {
    const [batch = 0, count = 0] = input.shape
    const { heads } = this.shape
    const qkv = this.qkv.forward(input).reshape([batch, count, 3, heads, -1]).permute([2, 0, 3, 1, 4])
    const [k, sizeK] = this.poolK.forward(qkv.select(0, 1), size)
    const [v] = this.poolV.forward(qkv.select(0, 2), size)
    const [q, sizeQ] = this.poolQ?.forward(qkv.select(0, 0), size) ?? [qkv.select(0, 0), size]
    let x = F.scaledDotProductAttention(q, k, v, { attnMask: this.#offsets(q, sizeQ, sizeK) })
    if (this.options.version === 2) {
      const places = q.size(2) - 1
      const pooled = x.narrow(2, 1, places).add(q.narrow(2, 1, places))
      x = cat([x.narrow(2, 0, 1), pooled], { dim: 2 })
    }
    return [this.project.forward(x.transpose(1, 2).flatten({ startDim: 2 })), sizeQ]
  }

  /** What the offset of query and key adds to their score, along each of the three axes; nothing for the class token. */
  #offsets(q: Tensor, sizeQ: Extent, sizeK: Extent): Tensor | null {
    const { relPosH, relPosW, relPosT } = this
    if (!relPosH || !relPosW || !relPosT) return null
    const [batch = 0, heads = 0, count = 0, width = 0] = q.shape
    const places = q.narrow(2, 1, count - 1).reshape([batch, heads, ...sizeQ, width])
    const time = einsum('nathwc,tkc->nathwk', [places, rowsOf(relPosT, sizeQ[0], sizeK[0])])
    const rows = einsum('nathwc,hkc->nathwk', [places, rowsOf(relPosH, sizeQ[1], sizeK[1])])
    const columns = einsum('nathwc,wkc->nathwk', [places, rowsOf(relPosW, sizeQ[2], sizeK[2])])
    const sum = rows
      .unsqueeze(5)
      .unsqueeze(-1)
      .add(columns.unsqueeze(5).unsqueeze(5))
      .add(time.unsqueeze(-1).unsqueeze(-1))
    return constantPadNd(sum.reshape([batch, heads, volume(sizeQ), volume(sizeK)]), [1, 0, 1, 0])
  }
}

/** The rows of a table of offsets for each pair of `queries` and `keys` along one axis: `[queries, keys, width]`. */
function rowsOf(table: Tensor, queries: number, keys: number): Tensor {
  const offsets = 2 * Math.max(queries, keys) - 1
  const fitted =
    table.size(0) === offsets
      ? table
      : F.interpolate(table.t().unsqueeze(0), { size: offsets, mode: 'linear' }).squeeze(0).t()
  const { device } = table
  const query = arange(queries, { dtype: 'float32', device })
    .mul(Math.max(keys / queries, 1))
    .unsqueeze(1)
  const key = arange(keys, { dtype: 'float32', device })
    .add(1 - keys)
    .mul(Math.max(queries / keys, 1))
  return fitted.at(query.sub(key).to('int64'))
}

/** Pooling attention and MLP beside shortcuts, normalised before each. */
export class MultiscaleBlock extends Module {
  readonly poolSkip: TokenPool | null
  readonly norm1: Layer
  readonly norm2: Layer
  readonly attn: MultiscaleAttention
  readonly mlp: Sequential
  readonly stochasticDepth: StochasticDepth
  readonly project: Linear | null

  constructor(
    size: Extent,
    shape: BlockShape,
    readonly options: BlockOptions,
  ) {
    super()
    const { from, to, strideQ } = shape
    const { version, dropout, norm } = options
    this.poolSkip = strideQ && volume(strideQ) > 1 ? new TokenPool(skipPool(strideQ), null) : null
    const channels = version === 2 ? to : from
    this.norm1 = norm(from)
    this.norm2 = norm(channels)
    this.attn = new MultiscaleAttention(size, shape, channels, options)
    const [fc1, fc2] = [new Linear(channels, 4 * channels), new Linear(4 * channels, to)]
    this.mlp = new Sequential(fc1, new GELU(), new Dropout({ p: dropout }), fc2, new Dropout({ p: dropout }))
    this.stochasticDepth = new StochasticDepth(options.stochasticDepth, 'row')
    this.project = from === to ? null : new Linear(from, to)
  }

  forward(input: Tensor, size: Extent): [tokens: Tensor, size: Extent] {
    const { version } = this.options
    const x = this.norm1.forward(input)
    const [attended, newSize] = this.attn.forward(x, size)
    const wide = version === 2 && this.project ? this.project.forward(x) : input
    const skip = this.poolSkip ? this.poolSkip.forward(wide.unsqueeze(1), size)[0].squeeze(1) : wide
    const y = skip.add(this.stochasticDepth.forward(attended))
    const z = this.norm2.forward(y)
    const passed = version === 1 && this.project ? this.project.forward(z) : y
    return [passed.add(this.stochasticDepth.forward(this.mlp.forward(z))), newSize]
  }
}

function skipPool(stride: Extent): MaxPool3d {
  const wider = (step: number) => (step > 1 ? step + 1 : step)
  const kernel: Extent = [wider(stride[0]), wider(stride[1]), wider(stride[2])]
  return new MaxPool3d(kernel, { stride, padding: halfOf(kernel) })
}

/** The class token, and in V1 learnt positions in space and time. */
export class MViTPositions extends Module {
  readonly classToken: Parameter
  readonly spatialPos: Parameter | null
  readonly temporalPos: Parameter | null
  readonly classPos: Parameter | null

  constructor(width: number, size: Extent, learnt: boolean) {
    super()
    const make = (...shape: number[]) => parameter(init.truncNormal_(empty(shape), { std: 0.02 }))
    this.classToken = make(width)
    this.spatialPos = learnt ? make(size[1] * size[2], width) : null
    this.temporalPos = learnt ? make(size[0], width) : null
    this.classPos = learnt ? make(width) : null
  }

  forward(input: Tensor): Tensor {
    const tokens = cat([this.classToken.expand([input.size(0), 1, -1]), input], { dim: 1 })
    const { spatialPos, temporalPos, classPos } = this
    if (!spatialPos || !temporalPos || !classPos) return tokens
    const places = temporalPos.unsqueeze(1).add(spatialPos).flatten({ endDim: 1 })
    return tokens.add(cat([classPos.unsqueeze(0), places]))
  }
}

/**
 * Multiscale vision transformer (Fan et al., ICCV 2021; V2 Li et al., CVPR 2022).
 *
 * Shapes: `[N, 3, frames, imageSize, imageSize]` → `[N, numClasses]`.
 */
export class MViT extends Module {
  readonly convProj: Conv3d
  readonly posEncoding: MViTPositions
  readonly blocks: ModuleList<MultiscaleBlock>
  readonly norm: Layer
  readonly head: Sequential
  readonly frames: number
  readonly imageSize: number

  constructor(
    readonly version: 1 | 2,
    shapes: readonly BlockShape[],
    options: MViTOptions = {},
  ) {
    super()
    const { numClasses = 400, frames = 16, imageSize = 224, dropout = 0.5, attentionDropout = 0 } = options
    const { stochasticDepthProb = 0.2, normLayer: norm = (channels) => new LayerNorm(channels, { eps: 1e-6 }) } =
      options
    const [first, last] = [shapes[0], shapes.at(-1)]
    if (!first || !last) throw new ArgumentError('MViT: there are no blocks; it needs one or more')
    if (frames % 2 !== 0 || imageSize % 32 !== 0) {
      throw new ShapeError(
        `MViT: clips have ${frames} frames of ${imageSize} × ${imageSize}; frames must be even and their side a multiple of 32`,
      )
    }
    this.frames = frames
    this.imageSize = imageSize
    this.convProj = new Conv3d(3, first.from, [3, 7, 7], { stride: [2, 4, 4], padding: [1, 3, 3] })
    let size: Extent = [frames / 2, imageSize / 4, imageSize / 4]
    this.posEncoding = new MViTPositions(first.from, size, version === 1)
    this.blocks = new ModuleList()
    for (const [i, shape] of shapes.entries()) {
      const stochasticDepth = (stochasticDepthProb * i) / Math.max(1, shapes.length - 1)
      this.blocks.append(
        new MultiscaleBlock(size, shape, { version, dropout: attentionDropout, stochasticDepth, norm }),
      )
      size = over(size, shape.strideQ)
    }
    this.norm = norm(last.to)
    this.head = new Sequential(new Dropout({ p: dropout }), new Linear(last.to, numClasses))
    for (const module of this.modules()) {
      if (!(module instanceof Linear)) continue
      init.truncNormal_(module.weight, { std: 0.02 })
      if (module.bias) init.zeros_(module.bias)
    }
  }

  forward(input: Tensor): Tensor {
    const { frames, imageSize } = this
    if (input.ndim !== 5 || String(input.shape.slice(2)) !== String([frames, imageSize, imageSize])) {
      throw new ShapeError(
        `MViT: the clips are [${input.shape.join(', ')}]; expected [N, 3, ${frames}, ${imageSize}, ${imageSize}]: resize them, or make it with { frames, imageSize }`,
      )
    }
    let tokens = this.posEncoding.forward(this.convProj.forward(input).flatten({ startDim: 2 }).transpose(1, 2))
    let size: Extent = [frames / 2, imageSize / 4, imageSize / 4]
    for (const block of this.blocks) [tokens, size] = block.forward(tokens, size)
    return this.head.forward(this.norm.forward(tokens).select(1, 0))
  }
}

const CUBE: Extent = [3, 3, 3]
const HALF: Extent = [1, 2, 2]
const SAME: Extent = [1, 1, 1]

/** 16 blocks; queries are pooled where `halves` says, keys and values to 7 × 7 everywhere. */
function blocks(version: 1 | 2, changes: readonly number[], halves: readonly number[]): BlockShape[] {
  let [channels, heads, kv] = [96, 1, 8]
  return Array.from({ length: 16 }, (_, i) => {
    const strided = halves.includes(i)
    if (strided) {
      kv /= 2
      heads *= 2
    }
    const from = channels
    if (changes.includes(i)) channels *= 2
    const strideQ = strided ? HALF : version === 2 ? SAME : null
    return { heads, from, to: channels, kernelQ: strideQ && CUBE, strideQ, kernelKv: CUBE, strideKv: [1, kv, kv] }
  })
}

export const mvitV1B = (options?: MViTOptions) => new MViT(1, blocks(1, [0, 2, 13], [1, 3, 14]), options)
export const mvitV2S = (options?: MViTOptions) => new MViT(2, blocks(2, [1, 3, 14], [1, 3, 14]), options)

const classifier = {
  task: 'video-classification',
  input: {
    ...IMAGENET_224,
    kind: 'video',
    frames: 16,
    frameStep: 4,
    mean: [0.45, 0.45, 0.45],
    std: [0.225, 0.225, 0.225],
  },
  features: 'norm',
} as const

export const MVITS = {
  mvit_v1_b: { create: mvitV1B, ...classifier },
  mvit_v2_s: { create: mvitV2S, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<MViTOptions>>>
