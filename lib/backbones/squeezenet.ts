// SqueezeNet 1.0 and 1.1 with torchvision's names.
import { AdaptiveAvgPool2d, Conv2d, Dropout, init, type Layer, MaxPool2d, Module, ReLU, Sequential } from '../nn'
import { cat, type Tensor } from '../tensor'
import { checkImageSize } from './image-size'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface SqueezeNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Before the last convolution; default 0.5. */
  readonly dropout?: number
}

const relu = () => new ReLU({ inplace: true })
const pool = () => new MaxPool2d(3, { stride: 2, ceilMode: true })

/** Squeezes the channels by 1×1 convolutions, then expands them by 1×1 and 3×3 ones side by side (Fig. 1). */
export class Fire extends Module {
  readonly squeeze: Conv2d
  readonly squeezeActivation = relu()
  readonly expand1x1: Conv2d
  readonly expand1x1Activation = relu()
  readonly expand3x3: Conv2d
  readonly expand3x3Activation = relu()

  /** @param expanded channels of each of the two expansions */
  constructor(inChannels: number, squeezed: number, expanded: number) {
    super()
    this.squeeze = new Conv2d(inChannels, squeezed, 1)
    this.expand1x1 = new Conv2d(squeezed, expanded, 1)
    this.expand3x3 = new Conv2d(squeezed, expanded, 3, { padding: 1 })
  }

  forward(input: Tensor): Tensor {
    const x = this.squeezeActivation.forward(this.squeeze.forward(input))
    const pointwise = this.expand1x1Activation.forward(this.expand1x1.forward(x))
    return cat([pointwise, this.expand3x3Activation.forward(this.expand3x3.forward(x))], { dim: 1 })
  }
}

/** Squeezed and expanded channels of the eight fire modules, fire2 to fire9 (Table 1). */
const FIRES = [
  [16, 64],
  [16, 64],
  [32, 128],
  [32, 128],
  [48, 192],
  [48, 192],
  [64, 256],
  [64, 256],
] as const

/** The first convolution, the places of fire modules that a pooling stands before, the smallest image. */
const VERSIONS = {
  '1_0': { channels: 96, kernel: 7, pools: [0, 3, 7], least: 21 },
  '1_1': { channels: 64, kernel: 3, pools: [0, 2, 4], least: 17 },
} as const

/**
 * AlexNet's accuracy with a fiftieth of its parameters (Iandola et al. 2016); 1.1 needs 2.4 times less work than 1.0.
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 21 or more, 17 for version 1.1.
 */
export class SqueezeNet extends Module {
  readonly features: Sequential
  readonly classifier: Sequential
  readonly #least: number

  constructor(version: keyof typeof VERSIONS, { numClasses = 1000, dropout: p = 0.5 }: SqueezeNetOptions = {}) {
    super()
    const { channels, kernel, pools, least } = VERSIONS[version]
    this.#least = least
    const layers: Layer[] = [new Conv2d(3, channels, kernel, { stride: 2 }), relu()]
    let inChannels: number = channels
    for (const [i, [squeezed, expanded]] of FIRES.entries()) {
      if (pools.some((place) => place === i)) layers.push(pool())
      layers.push(new Fire(inChannels, squeezed, expanded))
      inChannels = 2 * expanded
    }
    this.features = new Sequential(...layers)
    const last = new Conv2d(inChannels, numClasses, 1)
    this.classifier = new Sequential(new Dropout({ p }), last, relu(), new AdaptiveAvgPool2d(1))
    this.#reset(last)
  }

  #reset(last: Conv2d): void {
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d)) continue
      if (module === last) init.normal_(module.weight, { std: 0.01 })
      else init.kaimingUniform_(module.weight)
      if (module.bias) init.zeros_(module.bias)
    }
  }

  forward(input: Tensor): Tensor {
    checkImageSize('SqueezeNet', input, this.#least)
    return this.classifier.forward(this.features.forward(input)).flatten({ startDim: 1 })
  }
}

export const squeezenet1_0 = (options?: SqueezeNetOptions) => new SqueezeNet('1_0', options)
export const squeezenet1_1 = (options?: SqueezeNetOptions) => new SqueezeNet('1_1', options)

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'features' } as const

export const SQUEEZENETS = {
  squeezenet1_0: { create: squeezenet1_0, ...classifier },
  squeezenet1_1: { create: squeezenet1_1, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<SqueezeNetOptions>>>
