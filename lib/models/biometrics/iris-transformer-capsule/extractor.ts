// What is compared: maps of each image, made to see the other image through a handful of tokens.
import { RESNET_LAYERS, ResNetStages } from '../../../backbones'
import { Conv2d, functional as F, init, Module, ModuleList, type Parameter, parameter } from '../../../nn'
import { cat, randn, type Tensor } from '../../../tensor'
import { TransformerLayer } from './attention'
import type { Config } from './config'

/** What is known of one image before another is there to be compared. */
export interface IrisFeatures {
  /** `[B, C, H, W]`. */
  readonly maps: Tensor
  /** `[B, L, C]`; none where there is no transformer. */
  readonly tokens: Tensor | undefined
}

/** Eq. 1: tokens are means of the pixels, weighted by a softmax over all positions. `[B, C, H, W]` → `[B, L, C]`. */
export class TokenGenerator extends Module {
  readonly conv: Conv2d

  constructor(channels: number, tokens: number) {
    super()
    this.conv = new Conv2d(channels, tokens, 1, { bias: false })
  }

  forward(maps: Tensor): Tensor {
    const weights = this.conv.forward(maps).flatten({ startDim: 2 }).softmax(-1)
    return weights.matmul(maps.flatten({ startDim: 2 }).transpose(1, 2))
  }
}

/** The ablation without learnt tokens: means of √L × √L chunks of the picture. `[B, C, H, W]` → `[B, L, C]`. */
export class ChunkTokens extends Module {
  readonly side: number

  constructor(tokens: number) {
    super()
    this.side = Math.round(Math.sqrt(tokens))
  }

  forward(maps: Tensor): Tensor {
    return F.adaptiveAvgPool2d(maps, [this.side, this.side]).flatten({ startDim: 2 }).transpose(1, 2)
  }
}

/** Tokens of both images together, and of pixels to tokens. */
export class TokenTransformer extends Module {
  /** `[2 L, C]`: the tokens of the first image, then those of the second. */
  readonly positions: Parameter
  readonly encoder: ModuleList<TransformerLayer>
  readonly decoder: ModuleList<TransformerLayer>

  constructor({ channels, heads, headDim, tokens, encoderLayers, decoderLayers }: Config['network']) {
    super()
    const layers = (count: number) =>
      new ModuleList(Array.from({ length: count }, () => new TransformerLayer({ channels, heads, headDim })))
    this.positions = parameter(randn([2 * tokens, channels]))
    this.encoder = layers(encoderLayers)
    this.decoder = layers(decoderLayers)
  }

  /** Tokens of each image that know the other's. */
  encode(first: Tensor, second: Tensor): [Tensor, Tensor] {
    let tokens = cat([first, second], { dim: 1 }).add(this.positions)
    for (const layer of this.encoder) tokens = layer.forward(tokens)
    return tokens.split(first.size(1), { dim: 1 }) as [Tensor, Tensor]
  }

  /** Maps of an image refined by its tokens, `[B, C, H, W]`. */
  decode(maps: Tensor, tokens: Tensor): Tensor {
    let pixels = maps.flatten({ startDim: 2 }).transpose(1, 2)
    for (const layer of this.decoder) pixels = layer.forward(pixels, tokens)
    return pixels.transpose(1, 2).reshape(maps.shape)
  }
}

/** CNN, token generator and transformer (Fig. 2): two images → maps that can be subtracted. */
export class IrisExtractor extends Module {
  readonly trunk: ResNetStages
  readonly reduce: Conv2d
  readonly tokenizer: TokenGenerator | ChunkTokens | null
  readonly transformer: TokenTransformer | null

  constructor(config: Config) {
    super()
    const { network } = config
    const [block, blocks] = RESNET_LAYERS[network.trunk]
    const { stages, stemChannels, channels, features, tokens } = network
    this.trunk = new ResNetStages(
      block,
      blocks.map((count, stage) => (stage < stages ? count : 0)),
      { stemChannels, stageStrides: [2, 1, 1] },
    )
    this.reduce = new Conv2d(this.trunk.stageChannels[stages - 1] ?? 0, channels, 1)
    if (this.reduce.bias) init.zeros_(this.reduce.bias)
    this.tokenizer = {
      tokens: () => new TokenGenerator(channels, tokens),
      chunks: () => new ChunkTokens(tokens),
      none: () => null,
    }[features]()
    this.transformer = features === 'none' ? null : new TokenTransformer(network)
  }

  /** What the image says by itself. @param images `[B, 3, S, S]`, standardised */
  describe(images: Tensor): IrisFeatures {
    const [, , , last] = this.trunk.forward(images)
    const reduced = this.reduce.forward(last)
    const side = images.size(-1) / 4
    const maps =
      reduced.size(-1) === side
        ? reduced
        : F.interpolate(reduced, { size: [side, side], mode: 'bilinear', alignCorners: false })
    return { maps, tokens: this.tokenizer?.forward(maps) }
  }

  /** Maps of both images, refined by what each shows of the other. */
  relate(first: IrisFeatures, second: IrisFeatures): [Tensor, Tensor] {
    const { transformer } = this
    if (transformer === null || first.tokens === undefined || second.tokens === undefined) {
      return [first.maps, second.maps]
    }
    const [mine, other] = transformer.encode(first.tokens, second.tokens)
    return [transformer.decode(first.maps, mine), transformer.decode(second.maps, other)]
  }

  forward(first: Tensor, second: Tensor): [Tensor, Tensor] {
    // One call each: in training, batch norm takes the statistics of one domain at a time.
    return this.relate(this.describe(first), this.describe(second))
  }
}
