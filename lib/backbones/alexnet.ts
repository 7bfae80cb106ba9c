// AlexNet in its one-column form, with torchvision's names.
import { AdaptiveAvgPool2d, Conv2d, Dropout, Linear, MaxPool2d, Module, ReLU, Sequential } from '../nn'
import type { Tensor } from '../tensor'
import { checkImageSize } from './image-size'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface AlexNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Before the first two fully connected layers; default 0.5. */
  readonly dropout?: number
  /** Channels of the images; default 3. */
  readonly inChannels?: number
}

const relu = () => new ReLU({ inplace: true })
const pool = () => new MaxPool2d(3, { stride: 2 })

/**
 * Five convolutions and three fully connected layers, with the widths of "One weird trick for parallelizing
 * convolutional neural networks" (Krizhevsky 2014).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 63 or more.
 */
export class AlexNet extends Module {
  readonly features: Sequential
  readonly avgpool = new AdaptiveAvgPool2d(6)
  readonly classifier: Sequential

  constructor({ numClasses = 1000, dropout: p = 0.5, inChannels = 3 }: AlexNetOptions = {}) {
    super()
    this.features = new Sequential(
      new Conv2d(inChannels, 64, 11, { stride: 4, padding: 2 }),
      relu(),
      pool(),
      new Conv2d(64, 192, 5, { padding: 2 }),
      relu(),
      pool(),
      new Conv2d(192, 384, 3, { padding: 1 }),
      relu(),
      new Conv2d(384, 256, 3, { padding: 1 }),
      relu(),
      new Conv2d(256, 256, 3, { padding: 1 }),
      relu(),
      pool(),
    )
    this.classifier = new Sequential(
      new Dropout({ p }),
      new Linear(256 * 6 * 6, 4096),
      relu(),
      new Dropout({ p }),
      new Linear(4096, 4096),
      relu(),
      new Linear(4096, numClasses),
    )
  }

  forward(input: Tensor): Tensor {
    checkImageSize('AlexNet', input, 63)
    return this.classifier.forward(this.avgpool.forward(this.features.forward(input)).flatten({ startDim: 1 }))
  }
}

export const alexnet = (options?: AlexNetOptions) => new AlexNet(options)

export const ALEXNETS = {
  alexnet: { create: alexnet, task: 'image-classification', input: IMAGENET_224, features: 'classifier.5' },
} as const satisfies Readonly<Record<string, NetworkEntry<AlexNetOptions>>>
