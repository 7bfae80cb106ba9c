// The blocks of YOLOv5, release 6 and later, with its names.
import { BatchNorm2d, Conv2d, MaxPool2d, Module, Sequential, SiLU } from '../../nn'
import { cat, type Tensor } from '../../tensor'

/** Convolution, batch norm, SiLU. */
export class ConvBlock extends Module {
  readonly conv: Conv2d
  readonly bn: BatchNorm2d
  readonly act = new SiLU({ inplace: true })

  constructor(from: number, to: number, kernel = 1, stride = 1, padding = Math.floor(kernel / 2), groups = 1) {
    super()
    this.conv = new Conv2d(from, to, kernel, { stride, padding, groups, bias: false })
    this.bn = new BatchNorm2d(to, { eps: 1e-3, momentum: 0.03 })
  }

  forward(input: Tensor): Tensor {
    return this.act.forward(this.bn.forward(this.conv.forward(input)))
  }
}

/** 1×1 and 3×3, added to the input where `shortcut` says so. */
export class DarknetBottleneck extends Module {
  readonly cv1: ConvBlock
  readonly cv2: ConvBlock

  constructor(
    channels: number,
    readonly shortcut: boolean,
  ) {
    super()
    this.cv1 = new ConvBlock(channels, channels)
    this.cv2 = new ConvBlock(channels, channels, 3)
  }

  forward(input: Tensor): Tensor {
    const y = this.cv2.forward(this.cv1.forward(input))
    return this.shortcut ? input.add(y) : y
  }
}

/** Cross-stage partial block: half of the channels pass `depth` bottlenecks, half pass by (Wang et al., CVPRW 2020). */
export class C3 extends Module {
  readonly cv1: ConvBlock
  readonly cv2: ConvBlock
  readonly cv3: ConvBlock
  readonly m: Sequential

  constructor(from: number, to: number, depth: number, { shortcut = true } = {}) {
    super()
    const half = Math.floor(to / 2)
    this.cv1 = new ConvBlock(from, half)
    this.cv2 = new ConvBlock(from, half)
    this.cv3 = new ConvBlock(2 * half, to)
    this.m = new Sequential(...Array.from({ length: depth }, () => new DarknetBottleneck(half, shortcut)))
  }

  forward(input: Tensor): Tensor {
    return this.cv3.forward(cat([this.m.forward(this.cv1.forward(input)), this.cv2.forward(input)], { dim: 1 }))
  }
}

/** Pools of 5, 9 and 13 pixels side by side, each made from the one before (after He et al., TPAMI 2015). */
export class SPPF extends Module {
  readonly cv1: ConvBlock
  readonly cv2: ConvBlock
  readonly m = new MaxPool2d(5, { stride: 1, padding: 2 })

  constructor(from: number, to: number) {
    super()
    const half = Math.floor(from / 2)
    this.cv1 = new ConvBlock(from, half)
    this.cv2 = new ConvBlock(half * 4, to)
  }

  forward(input: Tensor): Tensor {
    const x = this.cv1.forward(input)
    const five = this.m.forward(x)
    const nine = this.m.forward(five)
    return this.cv2.forward(cat([x, five, nine, this.m.forward(nine)], { dim: 1 }))
  }
}
