// Convolution, norm and activation in a row, the unit that most networks of images are made of.
import { BatchNorm2d, Conv2d, type Layer, ReLU, Sequential, type Size } from '../nn'
import { pad, type Tensor } from '../tensor'

/** A layer of so many channels that stands where batch norm does. */
type Norm = (channels: number) => Layer

export interface ConvNormOptions {
  /** Default 3. */
  readonly kernelSize?: number
  readonly stride?: number
  /** By default as much as keeps the size at stride 1; `'tensorflow'` gives an odd row to the far end. */
  readonly padding?: number | 'tensorflow'
  readonly dilation?: number
  readonly groups?: number
  /** Of the convolution; by default where no norm follows. */
  readonly bias?: boolean
  /** Default batch norm; null for none. */
  readonly norm?: Norm | null
  /** Default ReLU; null for none. */
  readonly activation?: (() => Layer) | null
}

/** The three with the state names 0 and 1, as torchvision's `Conv2dNormActivation`. */
export class ConvNorm extends Sequential {
  constructor(inChannels: number, outChannels: number, options: ConvNormOptions = {}) {
    const { kernelSize = 3, stride = 1, dilation = 1, groups = 1 } = options
    const { norm = (channels: number) => new BatchNorm2d(channels), activation = () => new ReLU({ inplace: true }) } =
      options
    const { padding = ((kernelSize - 1) / 2) * dilation, bias = norm === null } = options
    const shape = { stride, dilation, groups, bias }
    const conv =
      padding === 'tensorflow'
        ? new TensorFlowConv2d(inChannels, outChannels, kernelSize, shape)
        : new Conv2d(inChannels, outChannels, kernelSize, { ...shape, padding })
    super(...[conv, norm?.(outChannels), activation?.()].filter((layer) => layer !== undefined))
  }
}

/**
 * Convolution with TensorFlow's "SAME" padding: ⌈size / stride⌉ outputs, and where the padding is odd one more row at
 * the bottom and one more column at the right. Weights trained there need it: with a stride of 2 and an even size
 * PyTorch's symmetric padding looks one pixel further up and left.
 */
export class TensorFlowConv2d extends Conv2d {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size<2>,
    options: { stride?: number; dilation?: number; groups?: number; bias?: boolean } = {},
  ) {
    super(inChannels, outChannels, kernelSize, options)
  }

  override forward(input: Tensor): Tensor {
    const [top, bottom] = this.#ends(input.size(-2), 0)
    const [left, right] = this.#ends(input.size(-1), 1)
    const padded = top + bottom + left + right === 0 ? input : pad(input, [left, right, top, bottom])
    return super.forward(padded)
  }

  #ends(size: number, d: number): [before: number, after: number] {
    const [stride = 1, kernel = 1, dilation = 1] = [this.stride[d], this.kernelSize[d], this.dilation[d]]
    const needed = (Math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size
    const total = Math.max(0, needed)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  }
}
