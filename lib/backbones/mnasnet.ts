// MNASNet with torchvision's names.
import { BatchNorm2d, Conv2d, Dropout, init, type Layer, Linear, Module, ReLU, Sequential } from '../nn'
import type { Tensor } from '../tensor'
import { makeDivisible } from './make-divisible'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface MNASNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Before the last layer; default 0.2. */
  readonly dropout?: number
}

/** A stage: channels, kernel, stride of the first block, expansion, blocks (Fig. 7, without squeeze-and-excitation). */
const STAGES = [
  [24, 3, 2, 3, 3],
  [40, 5, 2, 3, 3],
  [80, 5, 2, 6, 3],
  [96, 3, 1, 6, 2],
  [192, 5, 2, 6, 4],
  [320, 3, 1, 6, 1],
] as const

// The running statistics move as in TensorFlow, by 0.9997 a step.
const norm = (channels: number) => new BatchNorm2d(channels, { momentum: 1 - 0.9997 })
const relu = () => new ReLU({ inplace: true })
const pointwise = (from: number, to: number) => [new Conv2d(from, to, 1, { bias: false }), norm(to)]
const depthwise = (channels: number, kernel: number, stride: number) => [
  new Conv2d(channels, channels, kernel, { stride, padding: (kernel - 1) / 2, groups: channels, bias: false }),
  norm(channels),
  relu(),
]

/** MobileNet v2's inverted residual, its layers in one row. */
export class MNASBlock extends Module {
  readonly layers: Sequential
  readonly #shortcut: boolean

  constructor(inChannels: number, outChannels: number, kernel: number, stride: number, expansion: number) {
    super()
    const wide = inChannels * expansion
    this.layers = new Sequential(
      ...pointwise(inChannels, wide),
      relu(),
      ...depthwise(wide, kernel, stride),
      ...pointwise(wide, outChannels),
    )
    this.#shortcut = stride === 1 && inChannels === outChannels
  }

  forward(input: Tensor): Tensor {
    const y = this.layers.forward(input)
    return this.#shortcut ? y.add(input) : y
  }
}

/**
 * Platform-aware neural architecture search: MnasNet-B1 (Tan et al., CVPR 2019).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class MNASNet extends Module {
  readonly layers: Sequential
  readonly classifier: Sequential

  /** @param alpha factor of all widths but the last convolution's */
  constructor(alpha: number, { numClasses = 1000, dropout: p = 0.2 }: MNASNetOptions = {}) {
    super()
    const width = (channels: number) => makeDivisible(channels * alpha)
    const [stem, first] = [width(32), width(16)]
    const layers: Layer[] = [
      new Conv2d(3, stem, 3, { stride: 2, padding: 1, bias: false }),
      norm(stem),
      relu(),
      ...depthwise(stem, 3, 1),
      ...pointwise(stem, first),
    ]
    let inChannels = first
    for (const [channels, kernel, stride, expansion, blocks] of STAGES) {
      const outChannels = width(channels)
      const stage: Layer[] = []
      for (let i = 0; i < blocks; i++) {
        stage.push(new MNASBlock(inChannels, outChannels, kernel, i === 0 ? stride : 1, expansion))
        inChannels = outChannels
      }
      layers.push(new Sequential(...stage))
    }
    this.layers = new Sequential(...layers, ...pointwise(inChannels, 1280), relu())
    this.classifier = new Sequential(new Dropout({ p, inplace: true }), new Linear(1280, numClasses))
    this.#reset()
  }

  #reset(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
      else if (module instanceof Linear) {
        init.kaimingUniform_(module.weight, { mode: 'fanOut', nonlinearity: 'sigmoid' })
        if (module.bias) init.zeros_(module.bias)
      }
    }
  }

  forward(input: Tensor): Tensor {
    return this.classifier.forward(this.layers.forward(input).mean({ dim: [2, 3] }))
  }
}

export const mnasnet0_5 = (options?: MNASNetOptions) => new MNASNet(0.5, options)
export const mnasnet0_75 = (options?: MNASNetOptions) => new MNASNet(0.75, options)
export const mnasnet1_0 = (options?: MNASNetOptions) => new MNASNet(1, options)
export const mnasnet1_3 = (options?: MNASNetOptions) => new MNASNet(1.3, options)

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'layers' } as const

export const MNASNETS = {
  mnasnet0_5: { create: mnasnet0_5, ...classifier },
  mnasnet0_75: { create: mnasnet0_75, ...classifier },
  mnasnet1_0: { create: mnasnet1_0, ...classifier },
  mnasnet1_3: { create: mnasnet1_3, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<MNASNetOptions>>>
