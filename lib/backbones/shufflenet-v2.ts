// ShuffleNet v2 with torchvision's names.
import { BatchNorm2d, Conv2d, Linear, MaxPool2d, Module, ReLU, Sequential } from '../nn'
import { cat, type Tensor } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface ShuffleNetV2Options {
  /** Default 1000. */
  readonly numClasses?: number
}

const pointwise = (from: number, to: number) => [
  new Conv2d(from, to, 1, { bias: false }),
  new BatchNorm2d(to),
  new ReLU({ inplace: true }),
]
const depthwise = (channels: number, stride: number) => [
  new Conv2d(channels, channels, 3, { stride, padding: 1, groups: channels, bias: false }),
  new BatchNorm2d(channels),
]

/** Deals the channels of two halves out in turn, so that the next unit's branches see both. */
function shuffleHalves(x: Tensor): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = x.shape
  return x
    .reshape([n, 2, c / 2, h, w])
    .transpose(1, 2)
    .reshape([n, c, h, w])
}

/** The basic unit, and with a stride of 2 the unit for spatial down-sampling (Fig. 3c, d). */
export class ShuffleUnit extends Module {
  readonly branch1: Sequential
  readonly branch2: Sequential

  constructor(
    inChannels: number,
    outChannels: number,
    readonly stride: number,
  ) {
    super()
    const half = outChannels / 2
    this.branch1 =
      stride > 1 ? new Sequential(...depthwise(inChannels, stride), ...pointwise(inChannels, half)) : new Sequential()
    this.branch2 = new Sequential(
      ...pointwise(stride > 1 ? inChannels : half, half),
      ...depthwise(half, stride),
      ...pointwise(half, half),
    )
  }

  forward(input: Tensor): Tensor {
    if (this.stride > 1)
      return shuffleHalves(cat([this.branch1.forward(input), this.branch2.forward(input)], { dim: 1 }))
    const half = input.size(1) / 2
    const [kept, worked] = [input.narrow(1, 0, half), input.narrow(1, half, half)]
    return shuffleHalves(cat([kept, this.branch2.forward(worked)], { dim: 1 }))
  }
}

/** Units of stages 2 to 4 (Table 5). */
const UNITS = [4, 8, 4] as const

/**
 * Practical guidelines for efficient CNN architecture design (Ma, Zhang, Zheng, Sun, ECCV 2018).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class ShuffleNetV2 extends Module {
  readonly conv1: Sequential
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 })
  readonly stage2: Sequential
  readonly stage3: Sequential
  readonly stage4: Sequential
  readonly conv5: Sequential
  readonly fc: Linear

  /** @param widths output channels of stages 2 to 4 and of the last convolution */
  constructor(widths: readonly [number, number, number, number], { numClasses = 1000 }: ShuffleNetV2Options = {}) {
    super()
    const [second, third, fourth, last] = widths
    const stem = new Conv2d(3, 24, 3, { stride: 2, padding: 1, bias: false })
    this.conv1 = new Sequential(stem, new BatchNorm2d(24), new ReLU({ inplace: true }))
    const stage = (units: number, from: number, to: number) =>
      new Sequential(
        ...Array.from({ length: units }, (_, i) => new ShuffleUnit(i === 0 ? from : to, to, i === 0 ? 2 : 1)),
      )
    this.stage2 = stage(UNITS[0], 24, second)
    this.stage3 = stage(UNITS[1], second, third)
    this.stage4 = stage(UNITS[2], third, fourth)
    this.conv5 = new Sequential(...pointwise(fourth, last))
    this.fc = new Linear(last, numClasses)
  }

  forward(input: Tensor): Tensor {
    let x = this.maxpool.forward(this.conv1.forward(input))
    x = this.stage4.forward(this.stage3.forward(this.stage2.forward(x)))
    return this.fc.forward(this.conv5.forward(x).mean({ dim: [2, 3] }))
  }
}

export const shufflenetV2_x0_5 = (options?: ShuffleNetV2Options) => new ShuffleNetV2([48, 96, 192, 1024], options)
export const shufflenetV2_x1_0 = (options?: ShuffleNetV2Options) => new ShuffleNetV2([116, 232, 464, 1024], options)
export const shufflenetV2_x1_5 = (options?: ShuffleNetV2Options) => new ShuffleNetV2([176, 352, 704, 1024], options)
export const shufflenetV2_x2_0 = (options?: ShuffleNetV2Options) => new ShuffleNetV2([244, 488, 976, 2048], options)

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'conv5' } as const

export const SHUFFLENETS_V2 = {
  shufflenet_v2_x0_5: { create: shufflenetV2_x0_5, ...classifier },
  shufflenet_v2_x1_0: { create: shufflenetV2_x1_0, ...classifier },
  shufflenet_v2_x1_5: { create: shufflenetV2_x1_5, ...classifier },
  shufflenet_v2_x2_0: { create: shufflenetV2_x2_0, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<ShuffleNetV2Options>>>
