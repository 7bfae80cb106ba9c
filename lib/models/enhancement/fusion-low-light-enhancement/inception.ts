import { Conv2d, functional as F, init, Module } from '../../../nn'
import { cat, type Tensor, tensor } from '../../../tensor'

/** ∂/∂x; its transpose is ∂/∂y. */
const SOBEL = [
  [-1, 0, 1],
  [-2, 0, 2],
  [-1, 0, 1],
].map((row) => row.map((value) => value / 8))

/**
 * Inception module of the paper's Fig. 2: a 1×1 and a 3×3 convolution beside 1×1 convolutions whose result passes a
 * fixed horizontal or vertical Sobel operator, a quarter of the channels each, with replicated borders.
 *
 * The four branches are linear, so the module computes the one 3×3 convolution that they add up to. `[B, Cin, H, W]` →
 * `[B, channels, H, W]`.
 */
export class Inception extends Module {
  readonly pointwise: Conv2d
  readonly square: Conv2d
  readonly horizontal: Conv2d
  readonly vertical: Conv2d

  /** @param channels a multiple of 4 */
  constructor(inChannels: number, channels: number) {
    super()
    const quarter = channels / 4
    this.pointwise = new Conv2d(inChannels, quarter, 1)
    this.square = new Conv2d(inChannels, quarter, 3)
    this.horizontal = new Conv2d(inChannels, quarter, 1)
    this.vertical = new Conv2d(inChannels, quarter, 1)
    for (const { weight, bias } of [this.pointwise, this.square, this.horizontal, this.vertical]) {
      init.normal_(weight, { std: 0.02 })
      if (bias) init.zeros_(bias)
    }
  }

  forward(x: Tensor): Tensor {
    const { weight, bias } = this.folded()
    return F.conv2d(F.pad(x, [1, 1, 1, 1], { mode: 'replicate' }), weight, { bias })
  }

  /** The one convolution: `[channels, Cin, 3, 3]`. The bias of a Sobel branch stands after the operator. */
  folded(): { weight: Tensor; bias: Tensor } {
    const sobel = tensor(SOBEL, { device: this.square.weight.device }).to(this.square.weight.dtype)
    const weight = cat([
      F.pad(this.pointwise.weight, [1, 1, 1, 1]),
      this.square.weight,
      this.horizontal.weight.mul(sobel),
      this.vertical.weight.mul(sobel.t()),
    ])
    const biases = [this.pointwise, this.square, this.horizontal, this.vertical].map(({ bias }) => bias as Tensor)
    return { weight, bias: cat(biases) }
  }
}

/** Five inception modules with ReLU; all but the first are added to what they take. */
export class InceptionTrunk extends Module {
  readonly first: Inception
  readonly second: Inception
  readonly third: Inception
  readonly fourth: Inception
  readonly fifth: Inception

  constructor(inChannels: number, channels: number) {
    super()
    this.first = new Inception(inChannels, channels)
    this.second = new Inception(channels, channels)
    this.third = new Inception(channels, channels)
    this.fourth = new Inception(channels, channels)
    this.fifth = new Inception(channels, channels)
  }

  forward(input: Tensor): Tensor {
    return [this.second, this.third, this.fourth, this.fifth].reduce(
      (x, layer) => x.add(layer.forward(x).relu()),
      this.first.forward(input).relu(),
    )
  }
}
