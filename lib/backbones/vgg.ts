// VGG, plain and with batch norm, with torchvision's names.
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  init,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '../nn'
import type { Tensor } from '../tensor'
import { checkImageSize } from './image-size'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface VGGOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** After the first two fully connected layers; default 0.5. */
  readonly dropout?: number
}

/** How many convolutions each of the five stages has, by the paper's name of the configuration (Table 1). */
const STAGES = {
  A: [1, 1, 2, 2, 2],
  B: [2, 2, 2, 2, 2],
  D: [2, 2, 3, 3, 3],
  E: [2, 2, 4, 4, 4],
} as const

const WIDTHS = [64, 128, 256, 512, 512] as const

/** The convolutional part of a configuration: the pooled stages one after the other. */
export function vggFeatures(configuration: keyof typeof STAGES, batchNorm = false): Sequential {
  const layers: Layer[] = []
  let inChannels = 3
  for (const [stage, convolutions] of STAGES[configuration].entries()) {
    const channels = WIDTHS[stage] ?? 512
    for (let i = 0; i < convolutions; i++) {
      layers.push(new Conv2d(inChannels, channels, 3, { padding: 1 }))
      if (batchNorm) layers.push(new BatchNorm2d(channels))
      layers.push(new ReLU({ inplace: true }))
      inChannels = channels
    }
    layers.push(new MaxPool2d(2, { stride: 2 }))
  }
  return new Sequential(...layers)
}

/**
 * Very deep network of 3×3 convolutions (Simonyan, Zisserman, ICLR 2015).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 32 or more.
 */
export class VGG extends Module {
  readonly features: Sequential
  readonly avgpool = new AdaptiveAvgPool2d(7)
  readonly classifier: Sequential

  constructor(features: Sequential, { numClasses = 1000, dropout: p = 0.5 }: VGGOptions = {}) {
    super()
    this.features = features
    this.classifier = new Sequential(
      new Linear(512 * 7 * 7, 4096),
      new ReLU({ inplace: true }),
      new Dropout({ p }),
      new Linear(4096, 4096),
      new ReLU({ inplace: true }),
      new Dropout({ p }),
      new Linear(4096, numClasses),
    )
    this.#reset()
  }

  #reset(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
      else if (module instanceof Linear) init.normal_(module.weight, { std: 0.01 })
      else continue
      if (module.bias) init.zeros_(module.bias)
    }
  }

  forward(input: Tensor): Tensor {
    checkImageSize('VGG', input, 32)
    return this.classifier.forward(this.avgpool.forward(this.features.forward(input)).flatten({ startDim: 1 }))
  }
}

export const vgg11 = (options?: VGGOptions) => new VGG(vggFeatures('A'), options)
export const vgg11_bn = (options?: VGGOptions) => new VGG(vggFeatures('A', true), options)
export const vgg13 = (options?: VGGOptions) => new VGG(vggFeatures('B'), options)
export const vgg13_bn = (options?: VGGOptions) => new VGG(vggFeatures('B', true), options)
export const vgg16 = (options?: VGGOptions) => new VGG(vggFeatures('D'), options)
export const vgg16_bn = (options?: VGGOptions) => new VGG(vggFeatures('D', true), options)
export const vgg19 = (options?: VGGOptions) => new VGG(vggFeatures('E'), options)
export const vgg19_bn = (options?: VGGOptions) => new VGG(vggFeatures('E', true), options)

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'classifier.4' } as const

export const VGGS = {
  vgg11: { create: vgg11, ...classifier },
  vgg11_bn: { create: vgg11_bn, ...classifier },
  vgg13: { create: vgg13, ...classifier },
  vgg13_bn: { create: vgg13_bn, ...classifier },
  vgg16: { create: vgg16, ...classifier },
  vgg16_bn: { create: vgg16_bn, ...classifier },
  vgg19: { create: vgg19, ...classifier },
  vgg19_bn: { create: vgg19_bn, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<VGGOptions>>>
