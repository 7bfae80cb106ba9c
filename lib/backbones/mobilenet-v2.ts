// MobileNet v2 with torchvision's names.
import { BatchNorm2d, Conv2d, Dropout, type Layer, Linear, Module, ReLU6, Sequential } from '../nn'
import { adaptiveAvgPool2d, type Tensor } from '../tensor'
import { ConvNorm } from './conv-norm'
import { makeDivisible } from './make-divisible'
import { resetMobileNet } from './mobilenet-init'
import { IMAGENET_224, type NetworkEntry } from './network'
import type { NormLayer } from './resnet'

/** A row of the paper's Table 2: expansion, channels, repetitions, stride of the first. */
export type InvertedResidualStage = readonly [expansion: number, channels: number, blocks: number, stride: number]

export interface MobileNetV2Options {
  /** Default 1000. */
  readonly numClasses?: number
  /** Factor of all widths; default 1. */
  readonly widthMult?: number
  readonly stages?: readonly InvertedResidualStage[]
  /** Widths are multiples of this; default 8. */
  readonly roundNearest?: number
  readonly normLayer?: NormLayer
  /** Before the last layer; default 0.2. */
  readonly dropout?: number
}

const STAGES: readonly InvertedResidualStage[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
]

const activation = () => new ReLU6({ inplace: true })

/** Widens by 1×1, filters each channel by 3×3, narrows linearly; a shortcut joins the narrow ends (Fig. 4d). */
export class InvertedResidual extends Module {
  readonly conv: Sequential
  readonly #shortcut: boolean

  constructor(
    inChannels: number,
    outChannels: number,
    options: { stride: number; expansion: number; norm: NormLayer },
  ) {
    super()
    const { stride, expansion, norm } = options
    const wide = Math.round(inChannels * expansion)
    const widen = expansion === 1 ? [] : [new ConvNorm(inChannels, wide, { kernelSize: 1, norm, activation })]
    this.conv = new Sequential(
      ...widen,
      new ConvNorm(wide, wide, { stride, groups: wide, norm, activation }),
      new Conv2d(wide, outChannels, 1, { bias: false }),
      norm(outChannels),
    )
    this.#shortcut = stride === 1 && inChannels === outChannels
  }

  forward(input: Tensor): Tensor {
    const y = this.conv.forward(input)
    return this.#shortcut ? input.add(y) : y
  }
}

/**
 * Inverted residuals and linear bottlenecks (Sandler et al., CVPR 2018).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class MobileNetV2 extends Module {
  readonly features: Sequential
  readonly classifier: Sequential

  constructor(options: MobileNetV2Options = {}) {
    super()
    const { numClasses = 1000, widthMult = 1, stages = STAGES, roundNearest = 8, dropout: p = 0.2 } = options
    const { normLayer: norm = (channels: number) => new BatchNorm2d(channels) } = options
    let channels = makeDivisible(32 * widthMult, roundNearest)
    const layers: Layer[] = [new ConvNorm(3, channels, { stride: 2, norm, activation })]
    for (const [expansion, width, blocks, stride] of stages) {
      const outChannels = makeDivisible(width * widthMult, roundNearest)
      for (let i = 0; i < blocks; i++) {
        layers.push(new InvertedResidual(channels, outChannels, { stride: i === 0 ? stride : 1, expansion, norm }))
        channels = outChannels
      }
    }
    // The last convolution never gets narrower than the paper's, so that small networks keep their features.
    const last = makeDivisible(1280 * Math.max(1, widthMult), roundNearest)
    layers.push(new ConvNorm(channels, last, { kernelSize: 1, norm, activation }))
    this.features = new Sequential(...layers)
    this.classifier = new Sequential(new Dropout({ p }), new Linear(last, numClasses))
    resetMobileNet(this)
  }

  forward(input: Tensor): Tensor {
    const x = adaptiveAvgPool2d(this.features.forward(input), [1, 1])
    return this.classifier.forward(x.flatten({ startDim: 1 }))
  }
}

export const mobilenetV2 = (options?: MobileNetV2Options) => new MobileNetV2(options)

export const MOBILENETS_V2 = {
  mobilenet_v2: { create: mobilenetV2, task: 'image-classification', input: IMAGENET_224, features: 'features' },
} as const satisfies Readonly<Record<string, NetworkEntry<MobileNetV2Options>>>
