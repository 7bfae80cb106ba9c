// DenseNet with torchvision's names.
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  functional as F,
  init,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ModuleDict,
  ReLU,
  Sequential,
} from '../nn'
import { adaptiveAvgPool2d, cat, relu_, type Tensor } from '../tensor'
import { checkImageSize } from './image-size'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface DenseNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Channels that each layer adds: the paper's k. */
  readonly growthRate?: number
  /** Layers in each dense block. */
  readonly blockConfig?: readonly number[]
  /** Channels of the first convolution. */
  readonly numInitFeatures?: number
  /** Channels between a layer's two convolutions, in growth rates; default 4. */
  readonly bnSize?: number
  /** Dropout of what each layer adds; default 0. */
  readonly dropRate?: number
}

/** Norm, ReLU, 1×1, norm, ReLU, 3×3: the paper's H with a bottleneck (Sec. 3). */
export class DenseLayer extends Module {
  readonly norm1: BatchNorm2d
  readonly relu1 = new ReLU({ inplace: true })
  readonly conv1: Conv2d
  readonly norm2: BatchNorm2d
  readonly relu2 = new ReLU({ inplace: true })
  readonly conv2: Conv2d

  constructor(
    inChannels: number,
    growthRate: number,
    bnSize: number,
    readonly dropRate: number,
  ) {
    super()
    this.norm1 = new BatchNorm2d(inChannels)
    this.conv1 = new Conv2d(inChannels, bnSize * growthRate, 1, { bias: false })
    this.norm2 = new BatchNorm2d(bnSize * growthRate)
    this.conv2 = new Conv2d(bnSize * growthRate, growthRate, 3, { padding: 1, bias: false })
  }

  forward(input: Tensor): Tensor {
    const x = this.conv1.forward(this.relu1.forward(this.norm1.forward(input)))
    const added = this.conv2.forward(this.relu2.forward(this.norm2.forward(x)))
    return this.dropRate > 0 ? F.dropout(added, { p: this.dropRate, training: this.training }) : added
  }
}

/** Layers of which each takes what all before it gave (Fig. 1). */
export class DenseBlock extends ModuleDict<Readonly<Record<string, DenseLayer>>> {
  forward(input: Tensor): Tensor {
    const features = [input]
    for (const [, layer] of this) features.push((layer as DenseLayer).forward(cat(features, { dim: 1 })))
    return cat(features, { dim: 1 })
  }
}

/** Halves the channels and the image between two blocks. */
function transition(channels: number): Sequential {
  return new Sequential({
    norm: new BatchNorm2d(channels),
    relu: new ReLU({ inplace: true }),
    conv: new Conv2d(channels, Math.floor(channels / 2), 1, { bias: false }),
    pool: new AvgPool2d(2, { stride: 2 }),
  })
}

/**
 * Densely connected network (Huang, Liu, van der Maaten, Weinberger, CVPR 2017).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 29 or more.
 */
export class DenseNet extends Module {
  readonly features: Sequential
  readonly classifier: Linear

  constructor(options: DenseNetOptions = {}) {
    super()
    const { numClasses = 1000, growthRate = 32, blockConfig = [6, 12, 24, 16], numInitFeatures = 64 } = options
    const { bnSize = 4, dropRate = 0 } = options
    const features: Record<string, Layer> = {
      conv0: new Conv2d(3, numInitFeatures, 7, { stride: 2, padding: 3, bias: false }),
      norm0: new BatchNorm2d(numInitFeatures),
      relu0: new ReLU({ inplace: true }),
      pool0: new MaxPool2d(3, { stride: 2, padding: 1 }),
    }
    let channels = numInitFeatures
    for (const [i, count] of blockConfig.entries()) {
      const first = channels
      const layers = Array.from({ length: count }, (_, k): [string, DenseLayer] => [
        `denselayer${k + 1}`,
        new DenseLayer(first + k * growthRate, growthRate, bnSize, dropRate),
      ])
      features[`denseblock${i + 1}`] = new DenseBlock(Object.fromEntries(layers))
      channels += count * growthRate
      if (i === blockConfig.length - 1) break
      features[`transition${i + 1}`] = transition(channels)
      channels = Math.floor(channels / 2)
    }
    features.norm5 = new BatchNorm2d(channels)
    this.features = new Sequential(features)
    this.classifier = new Linear(channels, numClasses)
    this.#reset()
  }

  #reset(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight)
      else if (module instanceof Linear && module.bias) init.zeros_(module.bias)
    }
  }

  forward(input: Tensor): Tensor {
    checkImageSize('DenseNet', input, 29)
    const x = adaptiveAvgPool2d(relu_(this.features.forward(input)), [1, 1])
    return this.classifier.forward(x.flatten({ startDim: 1 }))
  }
}

export const densenet121 = (options?: DenseNetOptions) => new DenseNet(options)
export const densenet161 = (options?: DenseNetOptions) =>
  new DenseNet({ growthRate: 48, blockConfig: [6, 12, 36, 24], numInitFeatures: 96, ...options })
export const densenet169 = (options?: DenseNetOptions) => new DenseNet({ blockConfig: [6, 12, 32, 32], ...options })
export const densenet201 = (options?: DenseNetOptions) => new DenseNet({ blockConfig: [6, 12, 48, 32], ...options })

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'features' } as const

export const DENSENETS = {
  densenet121: { create: densenet121, ...classifier },
  densenet161: { create: densenet161, ...classifier },
  densenet169: { create: densenet169, ...classifier },
  densenet201: { create: densenet201, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<DenseNetOptions>>>
