// MLP-Mixer with timm's names.
import { GELU, init, LayerNorm, Linear, Module, ModuleList, Sequential } from '../nn'
import type { Tensor } from '../tensor'
import { checkSquare, PatchEmbed } from './beit'
import { IMAGENET_224, type NetworkEntry } from './network'
import { patchMultiple } from './vit'

export interface MixerOptions {
  /** Side of the square images. Default 224. */
  readonly imageSize?: number
  /** Default 1000. */
  readonly numClasses?: number
}

export interface MixerSize {
  readonly patchSize: number
  readonly width: number
  readonly depth: number
}

const mlp = (width: number, hidden: number) =>
  new Sequential({ fc1: new Linear(width, hidden), act: new GELU(), fc2: new Linear(hidden, width) })

/** Mixes patches, then channels (Tolstikhin et al. 2021, Fig. 1). */
export class MixerBlock extends Module {
  readonly norm1: LayerNorm
  readonly mlpTokens: Sequential
  readonly norm2: LayerNorm
  readonly mlpChannels: Sequential

  constructor(width: number, patches: number) {
    super()
    this.norm1 = new LayerNorm(width, { eps: 1e-6 })
    this.mlpTokens = mlp(patches, width / 2)
    this.norm2 = new LayerNorm(width, { eps: 1e-6 })
    this.mlpChannels = mlp(width, 4 * width)
  }

  forward(input: Tensor): Tensor {
    const x = input.add(this.mlpTokens.forward(this.norm1.forward(input).transpose(1, 2)).transpose(1, 2))
    return x.add(this.mlpChannels.forward(this.norm2.forward(x)))
  }
}

/**
 * MLP-Mixer (Tolstikhin et al., NeurIPS 2021): linear layers over patches and over channels in turn.
 *
 * Shapes: `[N, 3, imageSize, imageSize]` → `[N, numClasses]`.
 */
export class MlpMixer extends Module {
  readonly stem: PatchEmbed
  readonly blocks: ModuleList<MixerBlock>
  readonly norm: LayerNorm
  readonly head: Linear
  readonly imageSize: number

  constructor(
    readonly size: MixerSize,
    options: MixerOptions = {},
  ) {
    super()
    const { imageSize = 224, numClasses = 1000 } = options
    const { patchSize, width, depth } = size
    this.imageSize = patchMultiple('MlpMixer', imageSize, patchSize)
    this.stem = new PatchEmbed(patchSize, width)
    const patches = (imageSize / patchSize) ** 2
    this.blocks = new ModuleList(Array.from({ length: depth }, () => new MixerBlock(width, patches)))
    this.norm = new LayerNorm(width, { eps: 1e-6 })
    this.head = new Linear(width, numClasses)
    for (const module of this.modules()) {
      if (!(module instanceof Linear)) continue
      init.xavierUniform_(module.weight)
      if (module.bias) init.normal_(module.bias, { std: 1e-6 })
    }
    init.zeros_(this.head.weight)
    if (this.head.bias) init.zeros_(this.head.bias)
    const { weight, bias } = this.stem.proj
    // The deviation of a normal that is cut off at two deviations is 0.8796 of the normal's.
    const std = Math.sqrt(1 / init.calculateFanInAndFanOut(weight).fanIn) / 0.87962566103423978
    init.truncNormal_(weight, { std, a: -2 * std, b: 2 * std })
    if (bias) init.zeros_(bias)
  }

  forward(images: Tensor): Tensor {
    checkSquare('MlpMixer', images, this.imageSize)
    let x = this.stem.forward(images)
    for (const block of this.blocks) x = block.forward(x)
    return this.head.forward(this.norm.forward(x).mean({ dim: 1 }))
  }
}

export const mixerB16_224 = (options?: MixerOptions) => new MlpMixer({ patchSize: 16, width: 768, depth: 12 }, options)

const HALVES = { resize: 256, interpolation: 'bicubic', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const

export const MIXERS = {
  mixer_b16_224: {
    create: mixerB16_224,
    task: 'image-classification',
    input: { ...IMAGENET_224, ...HALVES },
    features: 'norm',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<MixerOptions>>>
