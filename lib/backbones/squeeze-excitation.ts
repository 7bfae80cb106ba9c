import { AdaptiveAvgPool2d, Conv2d, type Layer, Module, ReLU, Sigmoid } from '../nn'
import type { Tensor } from '../tensor'

export interface SqueezeExcitationOptions {
  /** Between the two layers; default ReLU. */
  readonly activation?: () => Layer
  /** Makes the weights of the channels; default sigmoid. */
  readonly scaleActivation?: () => Layer
}

/**
 * Weights each channel by what the whole image holds (Hu, Shen, Sun, CVPR 2018), as torchvision's `SqueezeExcitation`.
 * Shape: `[N, channels, H, W]`, kept.
 */
export class SqueezeExcitation extends Module {
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly fc1: Conv2d
  readonly fc2: Conv2d
  readonly activation: Layer
  readonly scaleActivation: Layer

  constructor(channels: number, squeezed: number, options: SqueezeExcitationOptions = {}) {
    super()
    const { activation = () => new ReLU(), scaleActivation = () => new Sigmoid() } = options
    this.fc1 = new Conv2d(channels, squeezed, 1)
    this.fc2 = new Conv2d(squeezed, channels, 1)
    this.activation = activation()
    this.scaleActivation = scaleActivation()
  }

  forward(input: Tensor): Tensor {
    const squeezed = this.activation.forward(this.fc1.forward(this.avgpool.forward(input)))
    return this.scaleActivation.forward(this.fc2.forward(squeezed)).mul(input)
  }
}
