// The modules of Inception v3, by the letters that torchvision gives them.
import { type Layer, MaxPool2d, Module } from '../nn'
import { cat, type Tensor } from '../tensor'
import { BasicConv2d, sameConv } from './basic-conv'

/** One layer after the other. */
function chain(input: Tensor, ...layers: readonly Layer[]): Tensor {
  return layers.reduce((x, layer) => layer.forward(x), input)
}

const joined = (...branches: readonly Tensor[]) => cat(branches, { dim: 1 })

/** 1×1, 5×5, two 3×3, and pooling, at 35 pixels (Szegedy et al. 2016, Fig. 5). */
export class InceptionA extends Module {
  readonly branch1x1: BasicConv2d
  readonly branch5x5_1: BasicConv2d
  readonly branch5x5_2 = sameConv(48, 64, [5, 5])
  readonly branch3x3dbl_1: BasicConv2d
  readonly branch3x3dbl_2 = sameConv(64, 96, [3, 3])
  readonly branch3x3dbl_3 = sameConv(96, 96, [3, 3])
  readonly branch_pool: BasicConv2d

  constructor(
    inChannels: number,
    poolChannels: number,
    readonly pool: Layer,
  ) {
    super()
    this.branch1x1 = new BasicConv2d(inChannels, 64, 1)
    this.branch5x5_1 = new BasicConv2d(inChannels, 48, 1)
    this.branch3x3dbl_1 = new BasicConv2d(inChannels, 64, 1)
    this.branch_pool = new BasicConv2d(inChannels, poolChannels, 1)
  }

  forward(input: Tensor): Tensor {
    return joined(
      this.branch1x1.forward(input),
      chain(input, this.branch5x5_1, this.branch5x5_2),
      chain(input, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      chain(input, this.pool, this.branch_pool),
    )
  }
}

/** From 35 to 17 pixels, by strides and pooling side by side (Fig. 10). */
export class InceptionB extends Module {
  readonly branch3x3: BasicConv2d
  readonly branch3x3dbl_1: BasicConv2d
  readonly branch3x3dbl_2 = sameConv(64, 96, [3, 3])
  readonly branch3x3dbl_3 = new BasicConv2d(96, 96, 3, { stride: 2 })
  readonly pool = new MaxPool2d(3, { stride: 2 })

  constructor(inChannels: number) {
    super()
    this.branch3x3 = new BasicConv2d(inChannels, 384, 3, { stride: 2 })
    this.branch3x3dbl_1 = new BasicConv2d(inChannels, 64, 1)
  }

  forward(input: Tensor): Tensor {
    return joined(
      this.branch3x3.forward(input),
      chain(input, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      this.pool.forward(input),
    )
  }
}

/** 7×7 as 1×7 and 7×1, once and twice, at 17 pixels (Fig. 6). */
export class InceptionC extends Module {
  readonly branch1x1: BasicConv2d
  readonly branch7x7_1: BasicConv2d
  readonly branch7x7_2: BasicConv2d
  readonly branch7x7_3: BasicConv2d
  readonly branch7x7dbl_1: BasicConv2d
  readonly branch7x7dbl_2: BasicConv2d
  readonly branch7x7dbl_3: BasicConv2d
  readonly branch7x7dbl_4: BasicConv2d
  readonly branch7x7dbl_5: BasicConv2d
  readonly branch_pool: BasicConv2d

  /** @param width channels between the factorised convolutions */
  constructor(
    inChannels: number,
    width: number,
    readonly pool: Layer,
  ) {
    super()
    this.branch1x1 = new BasicConv2d(inChannels, 192, 1)
    this.branch7x7_1 = new BasicConv2d(inChannels, width, 1)
    this.branch7x7_2 = sameConv(width, width, [1, 7])
    this.branch7x7_3 = sameConv(width, 192, [7, 1])
    this.branch7x7dbl_1 = new BasicConv2d(inChannels, width, 1)
    this.branch7x7dbl_2 = sameConv(width, width, [7, 1])
    this.branch7x7dbl_3 = sameConv(width, width, [1, 7])
    this.branch7x7dbl_4 = sameConv(width, width, [7, 1])
    this.branch7x7dbl_5 = sameConv(width, 192, [1, 7])
    this.branch_pool = new BasicConv2d(inChannels, 192, 1)
  }

  forward(input: Tensor): Tensor {
    const once = [this.branch7x7_1, this.branch7x7_2, this.branch7x7_3]
    const first = [this.branch7x7dbl_1, this.branch7x7dbl_2, this.branch7x7dbl_3]
    const twice = [...first, this.branch7x7dbl_4, this.branch7x7dbl_5]
    return joined(
      this.branch1x1.forward(input),
      chain(input, ...once),
      chain(input, ...twice),
      chain(input, this.pool, this.branch_pool),
    )
  }
}

/** From 17 to 8 pixels. */
export class InceptionD extends Module {
  readonly branch3x3_1: BasicConv2d
  readonly branch3x3_2 = new BasicConv2d(192, 320, 3, { stride: 2 })
  readonly branch7x7x3_1: BasicConv2d
  readonly branch7x7x3_2 = sameConv(192, 192, [1, 7])
  readonly branch7x7x3_3 = sameConv(192, 192, [7, 1])
  readonly branch7x7x3_4 = new BasicConv2d(192, 192, 3, { stride: 2 })
  readonly pool = new MaxPool2d(3, { stride: 2 })

  constructor(inChannels: number) {
    super()
    this.branch3x3_1 = new BasicConv2d(inChannels, 192, 1)
    this.branch7x7x3_1 = new BasicConv2d(inChannels, 192, 1)
  }

  forward(input: Tensor): Tensor {
    return joined(
      chain(input, this.branch3x3_1, this.branch3x3_2),
      chain(input, this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4),
      this.pool.forward(input),
    )
  }
}

/** 1×3 and 3×1 side by side, for many channels at 8 pixels (Fig. 7). */
export class InceptionE extends Module {
  readonly branch1x1: BasicConv2d
  readonly branch3x3_1: BasicConv2d
  readonly branch3x3_2a = sameConv(384, 384, [1, 3])
  readonly branch3x3_2b = sameConv(384, 384, [3, 1])
  readonly branch3x3dbl_1: BasicConv2d
  readonly branch3x3dbl_2 = sameConv(448, 384, [3, 3])
  readonly branch3x3dbl_3a = sameConv(384, 384, [1, 3])
  readonly branch3x3dbl_3b = sameConv(384, 384, [3, 1])
  readonly branch_pool: BasicConv2d

  constructor(
    inChannels: number,
    readonly pool: Layer,
  ) {
    super()
    this.branch1x1 = new BasicConv2d(inChannels, 320, 1)
    this.branch3x3_1 = new BasicConv2d(inChannels, 384, 1)
    this.branch3x3dbl_1 = new BasicConv2d(inChannels, 448, 1)
    this.branch_pool = new BasicConv2d(inChannels, 192, 1)
  }

  forward(input: Tensor): Tensor {
    const single = this.branch3x3_1.forward(input)
    const double = chain(input, this.branch3x3dbl_1, this.branch3x3dbl_2)
    return joined(
      this.branch1x1.forward(input),
      this.branch3x3_2a.forward(single),
      this.branch3x3_2b.forward(single),
      this.branch3x3dbl_3a.forward(double),
      this.branch3x3dbl_3b.forward(double),
      chain(input, this.pool, this.branch_pool),
    )
  }
}
