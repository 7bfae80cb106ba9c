// MobileNet v3, large and small, with torchvision's names.
import { BatchNorm2d, Dropout, Hardsigmoid, Hardswish, type Layer, Linear, Module, ReLU, Sequential } from '../nn'
import { adaptiveAvgPool2d, type Tensor } from '../tensor'
import { ConvNorm } from './conv-norm'
import { makeDivisible } from './make-divisible'
import { resetMobileNet } from './mobilenet-init'
import { IMAGENET_224, type NetworkEntry } from './network'
import type { NormLayer } from './resnet'
import { SqueezeExcitation } from './squeeze-excitation'

export interface MobileNetV3Options {
  /** Default 1000. */
  readonly numClasses?: number
  /** Factor of all widths; default 1. */
  readonly widthMult?: number
  /** Halves the channels of the last stage, for detection and segmentation (Sec. 6.3, 6.4); default false. */
  readonly reducedTail?: boolean
  /** The last stage dilates instead of striding, for segmentation; default false. */
  readonly dilated?: boolean
  readonly normLayer?: NormLayer
  /** Before the last layer; default 0.2. */
  readonly dropout?: number
}

/** A row of the paper's Tables 1 and 2; `tail` rows are those of the last stage. */
interface Row {
  readonly kernel: number
  readonly expanded: number
  readonly out: number
  readonly se: boolean
  readonly hs: boolean
  readonly stride: number
  readonly tail?: boolean
}

const row = (kernel: number, expanded: number, out: number, kind: string, stride: number): Row => ({
  kernel,
  expanded,
  out,
  se: kind.includes('SE'),
  hs: kind.includes('HS'),
  stride,
  tail: kind.includes('tail'),
})

const LARGE: readonly Row[] = [
  row(3, 16, 16, 'RE', 1),
  row(3, 64, 24, 'RE', 2),
  row(3, 72, 24, 'RE', 1),
  row(5, 72, 40, 'SE RE', 2),
  row(5, 120, 40, 'SE RE', 1),
  row(5, 120, 40, 'SE RE', 1),
  row(3, 240, 80, 'HS', 2),
  row(3, 200, 80, 'HS', 1),
  row(3, 184, 80, 'HS', 1),
  row(3, 184, 80, 'HS', 1),
  row(3, 480, 112, 'SE HS', 1),
  row(3, 672, 112, 'SE HS', 1),
  row(5, 672, 160, 'SE HS tail', 2),
  row(5, 960, 160, 'SE HS tail', 1),
  row(5, 960, 160, 'SE HS tail', 1),
]

const SMALL: readonly Row[] = [
  row(3, 16, 16, 'SE RE', 2),
  row(3, 72, 24, 'RE', 2),
  row(3, 88, 24, 'RE', 1),
  row(5, 96, 40, 'SE HS', 2),
  row(5, 240, 40, 'SE HS', 1),
  row(5, 240, 40, 'SE HS', 1),
  row(5, 120, 48, 'SE HS', 1),
  row(5, 144, 48, 'SE HS', 1),
  row(5, 288, 96, 'SE HS tail', 2),
  row(5, 576, 96, 'SE HS tail', 1),
  row(5, 576, 96, 'SE HS tail', 1),
]

interface BlockOptions extends Omit<Row, 'tail'> {
  readonly dilation: number
  readonly norm: NormLayer
}

/** MobileNet v2's block with squeeze-and-excitation in the wide part (Fig. 4). */
export class MobileNetV3Block extends Module {
  readonly block: Sequential
  readonly #shortcut: boolean

  constructor(inChannels: number, options: BlockOptions) {
    super()
    const { kernel, expanded, out, se, hs, stride, dilation, norm } = options
    const activation = (): Layer => (hs ? new Hardswish({ inplace: true }) : new ReLU({ inplace: true }))
    const layers: Layer[] = []
    if (expanded !== inChannels) layers.push(new ConvNorm(inChannels, expanded, { kernelSize: 1, norm, activation }))
    const depthwise = { kernelSize: kernel, stride: dilation > 1 ? 1 : stride, dilation, groups: expanded }
    layers.push(new ConvNorm(expanded, expanded, { ...depthwise, norm, activation }))
    if (se) {
      const scaleActivation = () => new Hardsigmoid()
      layers.push(new SqueezeExcitation(expanded, makeDivisible(Math.floor(expanded / 4)), { scaleActivation }))
    }
    layers.push(new ConvNorm(expanded, out, { kernelSize: 1, norm, activation: null }))
    this.block = new Sequential(...layers)
    this.#shortcut = stride === 1 && inChannels === out
  }

  forward(input: Tensor): Tensor {
    const y = this.block.forward(input)
    return this.#shortcut ? y.add(input) : y
  }
}

/**
 * Searching for MobileNetV3 (Howard et al., ICCV 2019).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class MobileNetV3 extends Module {
  readonly features: Sequential
  readonly classifier: Sequential

  /** @param lastChannels of the layer before the last */
  constructor(rows: readonly Row[], lastChannels: number, options: MobileNetV3Options = {}) {
    super()
    const { numClasses = 1000, widthMult = 1, reducedTail = false, dilated = false, dropout: p = 0.2 } = options
    const { normLayer: norm = (channels: number) => new BatchNorm2d(channels, { eps: 1e-3, momentum: 0.01 }) } = options
    const activation = () => new Hardswish({ inplace: true })
    const adjust = (channels: number) => makeDivisible(channels * widthMult)
    const part = reducedTail ? 0.5 : 1

    let channels = adjust(16)
    const layers: Layer[] = [new ConvNorm(3, channels, { stride: 2, norm, activation })]
    let inTail = false
    for (const { tail = false, ...each } of rows) {
      // The first block of the tail has the wide part of the stage before it.
      const expanded = adjust(each.expanded * (inTail ? part : 1))
      const out = adjust(each.out * (tail ? part : 1))
      layers.push(new MobileNetV3Block(channels, { ...each, expanded, out, dilation: tail && dilated ? 2 : 1, norm }))
      channels = out
      inTail ||= tail
    }
    layers.push(new ConvNorm(channels, 6 * channels, { kernelSize: 1, norm, activation }))
    this.features = new Sequential(...layers)
    const last = adjust(lastChannels * part)
    this.classifier = new Sequential(
      new Linear(6 * channels, last),
      activation(),
      new Dropout({ p, inplace: true }),
      new Linear(last, numClasses),
    )
    resetMobileNet(this)
  }

  forward(input: Tensor): Tensor {
    const x = adaptiveAvgPool2d(this.features.forward(input), [1, 1])
    return this.classifier.forward(x.flatten({ startDim: 1 }))
  }
}

export const mobilenetV3Large = (options?: MobileNetV3Options) => new MobileNetV3(LARGE, 1280, options)
export const mobilenetV3Small = (options?: MobileNetV3Options) => new MobileNetV3(SMALL, 1024, options)

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'classifier.1' } as const

export const MOBILENETS_V3 = {
  mobilenet_v3_large: { create: mobilenetV3Large, ...classifier },
  mobilenet_v3_small: { create: mobilenetV3Small, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<MobileNetV3Options>>>
