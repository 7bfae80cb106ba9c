// Xception with the names of the first PyTorch release.
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

export interface XceptionOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Before the last layer; default 0. */
  readonly dropout?: number
}

/** A 3×3 convolution of each channel, then a 1×1 across them, without anything between (Fig. 4). */
export class SeparableConv2d extends Module {
  readonly conv1: Conv2d
  readonly pointwise: Conv2d

  constructor(inChannels: number, outChannels: number) {
    super()
    this.conv1 = new Conv2d(inChannels, inChannels, 3, { padding: 1, groups: inChannels, bias: false })
    this.pointwise = new Conv2d(inChannels, outChannels, 1, { bias: false })
  }

  forward(input: Tensor): Tensor {
    return this.pointwise.forward(this.conv1.forward(input))
  }
}

interface BlockOptions {
  readonly stride?: number
  /** The first convolution has a ReLU before it; default true. */
  readonly startWithReLU?: boolean
}

/** Separable convolutions beside a shortcut (Fig. 5). */
export class XceptionBlock extends Module {
  readonly skip: Conv2d | null
  readonly skipbn: BatchNorm2d | null
  readonly rep: Sequential

  /** @param widths channels before, between and after the convolutions */
  constructor(widths: readonly number[], { stride = 1, startWithReLU = true }: BlockOptions = {}) {
    super()
    const [from = 0, ...outputs] = widths
    const to = outputs.at(-1) ?? from
    const resized = from !== to || stride !== 1
    this.skip = resized ? new Conv2d(from, to, 1, { stride, bias: false }) : null
    this.skipbn = resized ? new BatchNorm2d(to) : null
    const layers: Layer[] = []
    for (const [i, width] of outputs.entries()) {
      // The block's input is needed by the shortcut too, so the first ReLU leaves it alone.
      if (i > 0 || startWithReLU) layers.push(new ReLU({ inplace: i > 0 }))
      layers.push(new SeparableConv2d(widths[i] ?? from, width), new BatchNorm2d(width))
    }
    if (stride !== 1) layers.push(new MaxPool2d(3, { stride, padding: 1 }))
    this.rep = new Sequential(...layers)
  }

  forward(input: Tensor): Tensor {
    const shortcut = this.skip && this.skipbn ? this.skipbn.forward(this.skip.forward(input)) : input
    return this.rep.forward(input).add(shortcut)
  }
}

const middle = () => new XceptionBlock([728, 728, 728, 728])

/**
 * Deep learning with depthwise separable convolutions (Chollet, CVPR 2017).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 32 or more, 299 in the paper.
 */
export class Xception extends Module {
  readonly conv1 = new Conv2d(3, 32, 3, { stride: 2, bias: false })
  readonly bn1 = new BatchNorm2d(32)
  readonly act1 = new ReLU({ inplace: true })
  readonly conv2 = new Conv2d(32, 64, 3, { bias: false })
  readonly bn2 = new BatchNorm2d(64)
  readonly act2 = new ReLU({ inplace: true })
  readonly block1 = new XceptionBlock([64, 128, 128], { stride: 2, startWithReLU: false })
  readonly block2 = new XceptionBlock([128, 256, 256], { stride: 2 })
  readonly block3 = new XceptionBlock([256, 728, 728], { stride: 2 })
  readonly block4 = middle()
  readonly block5 = middle()
  readonly block6 = middle()
  readonly block7 = middle()
  readonly block8 = middle()
  readonly block9 = middle()
  readonly block10 = middle()
  readonly block11 = middle()
  readonly block12 = new XceptionBlock([728, 728, 1024], { stride: 2 })
  readonly conv3 = new SeparableConv2d(1024, 1536)
  readonly bn3 = new BatchNorm2d(1536)
  readonly act3 = new ReLU({ inplace: true })
  readonly conv4 = new SeparableConv2d(1536, 2048)
  readonly bn4 = new BatchNorm2d(2048)
  readonly act4 = new ReLU({ inplace: true })
  readonly globalPool = new AdaptiveAvgPool2d(1)
  readonly dropout: Dropout
  readonly fc: Linear

  constructor({ numClasses = 1000, dropout: p = 0 }: XceptionOptions = {}) {
    super()
    this.dropout = new Dropout({ p })
    this.fc = new Linear(2048, numClasses)
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
    }
  }

  forward(input: Tensor): Tensor {
    checkImageSize('Xception', input, 32)
    const entry = [
      this.conv1,
      this.bn1,
      this.act1,
      this.conv2,
      this.bn2,
      this.act2,
      this.block1,
      this.block2,
      this.block3,
    ]
    const first = [this.block4, this.block5, this.block6, this.block7]
    const second = [this.block8, this.block9, this.block10, this.block11]
    const exit = [this.block12, this.conv3, this.bn3, this.act3, this.conv4, this.bn4, this.act4, this.globalPool]
    const layers: readonly Layer[] = [...entry, ...first, ...second, ...exit]
    const x = layers.reduce((y, layer) => layer.forward(y), input)
    return this.fc.forward(this.dropout.forward(x.flatten({ startDim: 1 })))
  }
}

export const xception = (options?: XceptionOptions) => new Xception(options)

export const SYMMETRIC_299 = {
  ...IMAGENET_224,
  resize: 333,
  crop: [299, 299],
  interpolation: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
} as const

export const XCEPTIONS = {
  xception: { create: xception, task: 'image-classification', input: SYMMETRIC_299, features: 'global_pool' },
} as const satisfies Readonly<Record<string, NetworkEntry<XceptionOptions>>>
