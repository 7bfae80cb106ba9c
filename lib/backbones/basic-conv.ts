// What the Inception networks share.
import { BatchNorm2d, Conv2d, type ConvOptions, Module, ReLU, type Size } from '../nn'
import { cat, type Tensor } from '../tensor'

interface BasicConvOptions extends Pick<ConvOptions<2>, 'stride' | 'padding'> {
  /** Default true. */
  readonly relu?: boolean
}

/** Convolution, batch norm, ReLU: what the Inception papers call a convolution. */
export class BasicConv2d extends Module {
  readonly conv: Conv2d
  readonly bn: BatchNorm2d
  readonly relu: ReLU | null

  constructor(from: number, to: number, kernelSize: Size<2>, { relu = true, ...options }: BasicConvOptions = {}) {
    super()
    this.conv = new Conv2d(from, to, kernelSize, { bias: false, ...options })
    this.bn = new BatchNorm2d(to, { eps: 1e-3 })
    this.relu = relu ? new ReLU({ inplace: true }) : null
  }

  forward(input: Tensor): Tensor {
    const x = this.bn.forward(this.conv.forward(input))
    return this.relu?.forward(x) ?? x
  }
}

/** A convolution that keeps the image's size. */
export function sameConv(from: number, to: number, kernelSize: readonly [height: number, width: number]): BasicConv2d {
  const [height, width] = kernelSize
  return new BasicConv2d(from, to, kernelSize, { padding: [(height - 1) / 2, (width - 1) / 2] })
}

/** Channels normalised as ImageNet's, normalised to −1–1 instead: what weights that came from TensorFlow expect. */
export function imageNetToSymmetric(input: Tensor): Tensor {
  const channels = [
    [0.485, 0.229],
    [0.456, 0.224],
    [0.406, 0.225],
  ].map(([mean = 0, std = 1], i) =>
    input
      .narrow(1, i, 1)
      .mul(std / 0.5)
      .add((mean - 0.5) / 0.5),
  )
  return cat(channels, { dim: 1 })
}
