// ConvNeXt with torchvision's names; timm's layout is in layouts/.
import {
  AdaptiveAvgPool2d,
  Conv2d,
  Flatten,
  GELU,
  init,
  type Layer,
  LayerNorm,
  Linear,
  Module,
  type Parameter,
  parameter,
  Sequential,
  StochasticDepth,
} from '../nn'
import { full, type Tensor } from '../tensor'
import { checkImageSize } from './image-size'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface ConvNeXtOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Of the last block, in training; earlier ones have less in proportion. */
  readonly stochasticDepthProb?: number
  /** First value of the factors of each block's channels; default 1e-6. */
  readonly layerScale?: number
}

/** Layer norm over the channels of each pixel. Shape: `[N, C, H, W]`, kept. */
export class LayerNorm2d extends LayerNorm {
  override forward(input: Tensor): Tensor {
    return super.forward(input.permute([0, 2, 3, 1])).permute([0, 3, 1, 2])
  }
}

/** Dimensions in another order. */
class Permute extends Module {
  constructor(readonly dims: readonly number[]) {
    super()
  }

  forward(input: Tensor): Tensor {
    return input.permute(this.dims)
  }
}

/** Depthwise 7×7, norm, and a perceptron of each pixel, beside a shortcut (Fig. 4). */
export class ConvNeXtBlock extends Module {
  readonly layerScale: Parameter
  readonly block: Sequential
  readonly stochasticDepth: StochasticDepth

  constructor(channels: number, layerScale: number, drop: number) {
    super()
    this.layerScale = parameter(full([channels, 1, 1], layerScale))
    this.block = new Sequential(
      new Conv2d(channels, channels, 7, { padding: 3, groups: channels }),
      new Permute([0, 2, 3, 1]),
      new LayerNorm(channels, { eps: 1e-6 }),
      new Linear(channels, 4 * channels),
      new GELU(),
      new Linear(4 * channels, channels),
      new Permute([0, 3, 1, 2]),
    )
    this.stochasticDepth = new StochasticDepth(drop, 'row')
  }

  forward(input: Tensor): Tensor {
    return this.stochasticDepth.forward(this.block.forward(input).mul(this.layerScale)).add(input)
  }
}

/** Channels and blocks of the four stages, and the stochastic depth of the paper's training. */
interface Architecture {
  readonly channels: number
  readonly blocks: readonly [number, number, number, number]
  readonly drop: number
}

/**
 * A ConvNet for the 2020s (Liu et al., CVPR 2022).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 32 or more.
 */
export class ConvNeXt extends Module {
  readonly features: Sequential
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly classifier: Sequential

  constructor({ channels: first, blocks, drop }: Architecture, options: ConvNeXtOptions = {}) {
    super()
    const { numClasses = 1000, stochasticDepthProb = drop, layerScale = 1e-6 } = options
    const total = blocks.reduce((sum, count) => sum + count, 0)
    const norm = (channels: number) => new LayerNorm2d(channels, { eps: 1e-6 })
    const layers: Layer[] = []
    let [channels, place] = [first, 0]
    for (const [stage, count] of blocks.entries()) {
      if (stage === 0) layers.push(new Sequential(new Conv2d(3, channels, 4, { stride: 4 }), norm(channels)))
      else {
        layers.push(new Sequential(norm(channels), new Conv2d(channels, 2 * channels, 2, { stride: 2 })))
        channels *= 2
      }
      const row = Array.from({ length: count }, () => {
        return new ConvNeXtBlock(channels, layerScale, (stochasticDepthProb * place++) / (total - 1))
      })
      layers.push(new Sequential(...row))
    }
    this.features = new Sequential(...layers)
    this.classifier = new Sequential(norm(channels), new Flatten(), new Linear(channels, numClasses))
    this.#reset()
  }

  #reset(): void {
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d || module instanceof Linear)) continue
      init.truncNormal_(module.weight, { std: 0.02 })
      if (module.bias) init.zeros_(module.bias)
    }
  }

  forward(input: Tensor): Tensor {
    checkImageSize('ConvNeXt', input, 32)
    return this.classifier.forward(this.avgpool.forward(this.features.forward(input)))
  }
}

const make = (architecture: Architecture) => (options?: ConvNeXtOptions) => new ConvNeXt(architecture, options)

export const convnextTiny = make({ channels: 96, blocks: [3, 3, 9, 3], drop: 0.1 })
export const convnextSmall = make({ channels: 96, blocks: [3, 3, 27, 3], drop: 0.4 })
export const convnextBase = make({ channels: 128, blocks: [3, 3, 27, 3], drop: 0.5 })
export const convnextLarge = make({ channels: 192, blocks: [3, 3, 27, 3], drop: 0.5 })

const from = (resize: number) =>
  ({ task: 'image-classification', input: { ...IMAGENET_224, resize }, features: 'avgpool' }) as const

export const CONVNEXTS = {
  convnext_tiny: { create: convnextTiny, ...from(236) },
  convnext_small: { create: convnextSmall, ...from(230) },
  convnext_base: { create: convnextBase, ...from(232) },
  convnext_large: { create: convnextLarge, ...from(232) },
} as const satisfies Readonly<Record<string, NetworkEntry<ConvNeXtOptions>>>
