// The transformer of CLIP's two sides, and the one that sees.
import { ShapeError } from '../../native/errors'
import {
  Conv2d,
  init,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
  MultiheadAttention,
  type Parameter,
  parameter,
  Sequential,
} from '../../nn'
import { cat, empty, type Tensor } from '../../tensor'

/** `x σ(1.702 x)`, the approximation of GELU that CLIP was trained with. */
export class QuickGELU extends Module {
  forward(input: Tensor): Tensor {
    return input.mul(input.mul(1.702).sigmoid())
  }
}

/** Attention and MLP beside shortcuts, normalised before each. Shape: `[N, tokens, width]`, kept. */
export class ClipBlock extends Module {
  static override readonly stateNames = { ln1: 'ln_1', ln2: 'ln_2' }
  readonly ln1: LayerNorm
  readonly attn: MultiheadAttention
  readonly ln2: LayerNorm
  readonly mlp: Sequential

  constructor(
    readonly width: number,
    readonly heads: number,
    readonly isCausal: boolean,
  ) {
    super()
    this.ln1 = new LayerNorm(width)
    this.attn = new MultiheadAttention(width, heads, { batchFirst: true })
    this.ln2 = new LayerNorm(width)
    this.mlp = new Sequential({
      c_fc: new Linear(width, 4 * width),
      gelu: new QuickGELU(),
      c_proj: new Linear(4 * width, width),
    })
  }

  forward(input: Tensor): Tensor {
    const x = this.ln1.forward(input)
    const y = input.add(this.attn.forward(x, x, x, { needWeights: false, isCausal: this.isCausal })[0])
    return y.add(this.mlp.forward(this.ln2.forward(y)))
  }
}

/** Blocks one after the other; with `causal`, no token sees a later one. */
export class ClipTransformer extends Module {
  readonly resblocks: ModuleList<ClipBlock>

  constructor(
    readonly width: number,
    readonly depth: number,
    heads: number,
    { causal = false }: { causal?: boolean } = {},
  ) {
    super()
    this.resblocks = new ModuleList(Array.from({ length: depth }, () => new ClipBlock(width, heads, causal)))
  }

  /** First values of the text side: smaller the deeper the network, as in GPT-2. */
  resetAsText(): void {
    const { width, depth } = this
    const into = width ** -0.5 * (2 * depth) ** -0.5
    for (const { attn, mlp } of this.resblocks) {
      if (attn.inProjWeight) init.normal_(attn.inProjWeight, { std: width ** -0.5 })
      init.normal_(attn.outProj.weight, { std: into })
      const [fc, , proj] = mlp
      if (fc instanceof Linear) init.normal_(fc.weight, { std: (2 * width) ** -0.5 })
      if (proj instanceof Linear) init.normal_(proj.weight, { std: into })
    }
  }

  forward(tokens: Tensor): Tensor {
    let x = tokens
    for (const block of this.resblocks) x = block.forward(x)
    return x
  }
}

export interface ClipVisionSize {
  readonly imageSize: number
  readonly patchSize: number
  readonly width: number
  readonly depth: number
  readonly heads: number
}

/** CLIP's ViT. Shapes: `[N, 3, imageSize, imageSize]` → `[N, embedDim]`. */
export class ClipVisionTransformer extends Module {
  readonly classEmbedding: Parameter
  readonly positionalEmbedding: Parameter
  readonly proj: Parameter
  readonly conv1: Conv2d
  readonly lnPre: LayerNorm
  readonly transformer: ClipTransformer
  readonly lnPost: LayerNorm

  constructor(
    readonly size: ClipVisionSize,
    embedDim: number,
  ) {
    super()
    const { imageSize, patchSize, width, depth, heads } = size
    if (imageSize % patchSize !== 0) {
      throw new ShapeError(`CLIP: imageSize is ${imageSize}; it must be a multiple of the patch size, ${patchSize}`)
    }
    const std = width ** -0.5
    this.classEmbedding = parameter(init.normal_(empty([width]), { std }))
    this.positionalEmbedding = parameter(init.normal_(empty([(imageSize / patchSize) ** 2 + 1, width]), { std }))
    this.proj = parameter(init.normal_(empty([width, embedDim]), { std }))
    this.conv1 = new Conv2d(3, width, patchSize, { stride: patchSize, bias: false })
    this.lnPre = new LayerNorm(width)
    this.transformer = new ClipTransformer(width, depth, heads)
    this.lnPost = new LayerNorm(width)
  }

  forward(images: Tensor): Tensor {
    checkImages(images, this.size.imageSize)
    const patches = this.conv1.forward(images).flatten({ startDim: 2 }).transpose(1, 2)
    const first = this.classEmbedding.expand([images.size(0), 1, -1])
    const tokens = cat([first, patches], { dim: 1 }).add(this.positionalEmbedding)
    const seen = this.transformer.forward(this.lnPre.forward(tokens))
    return this.lnPost.forward(seen.select(1, 0)).matmul(this.proj)
  }
}

/** @throws ShapeError unless the images are square ones of this side */
export function checkImages(images: Tensor, imageSize: number): void {
  const [height, width] = images.shape.slice(-2)
  if (images.ndim === 4 && height === imageSize && width === imageSize) return
  throw new ShapeError(
    `CLIP: the images are [${images.shape.join(', ')}]; its positions are for [N, 3, ${imageSize}, ${imageSize}]: resize them`,
  )
}
