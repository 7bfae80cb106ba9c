// Decoders of FPN, PSPNet and DeepLab v3+ with the names of segmentation_models_pytorch 0.6.
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout2d,
  GroupNorm,
  Identity,
  type Layer,
  Module,
  ModuleList,
  ReLU,
  Sequential,
  Upsample,
} from '../../nn'
import { interpolate } from '../../nn/functional'
import { cat, type Tensor } from '../../tensor'
import { ConvNorm } from '../conv-norm'
import { ASPP } from './torchvision'

/** So many times the size, as the package resizes logits and maps. */
export function enlarge(scaleFactor: number): Upsample {
  return new Upsample({ scaleFactor, mode: 'bilinear', alignCorners: true })
}

function twice(map: Tensor): Tensor {
  return interpolate(map, { scaleFactor: 2, mode: 'nearest' })
}

/** A convolution with group norm, and twice the size where asked. */
class GroupNormBlock extends Module {
  readonly block: Sequential
  readonly #up: Layer

  constructor(inChannels: number, outChannels: number, up: boolean) {
    super()
    const norm = (channels: number) => new GroupNorm(32, channels)
    this.block = new ConvNorm(inChannels, outChannels, { norm })
    this.#up = up ? enlarge(2) : new Identity()
  }

  forward(input: Tensor): Tensor {
    return this.#up.forward(this.block.forward(input))
  }
}

/** A pyramid's map brought to a quarter of the image's size. */
class SegmentationBlock extends Module {
  readonly block: Sequential

  constructor(inChannels: number, outChannels: number, doublings: number) {
    super()
    const rest = Array.from(
      { length: Math.max(0, doublings - 1) },
      () => new GroupNormBlock(outChannels, outChannels, true),
    )
    this.block = new Sequential(new GroupNormBlock(inChannels, outChannels, doublings > 0), ...rest)
  }

  forward(input: Tensor): Tensor {
    return this.block.forward(input)
  }
}

/** What comes down a pyramid and an encoder's map, added. */
class FPNBlock extends Module {
  readonly skipConv: Conv2d

  constructor(channels: number, skipChannels: number) {
    super()
    this.skipConv = new Conv2d(skipChannels, channels, 1)
  }

  forward(above: Tensor, skip: Tensor): Tensor {
    return twice(above).add(this.skipConv.forward(skip))
  }
}

/** The semantic branch on a feature pyramid (Kirillov, Girshick, He, Dollár, CVPR 2019). */
export class FPNDecoder extends Module {
  readonly p5: Conv2d
  readonly p4: FPNBlock
  readonly p3: FPNBlock
  readonly p2: FPNBlock
  readonly segBlocks: ModuleList<SegmentationBlock>
  readonly dropout = new Dropout2d({ p: 0.2 })

  constructor(encoder: readonly number[], pyramid = 256, channels = 128) {
    super()
    const [c2 = 0, c3 = 0, c4 = 0, c5 = 0] = encoder.slice(-4)
    this.p5 = new Conv2d(c5, pyramid, 1)
    this.p4 = new FPNBlock(pyramid, c4)
    this.p3 = new FPNBlock(pyramid, c3)
    this.p2 = new FPNBlock(pyramid, c2)
    this.segBlocks = new ModuleList(
      [3, 2, 1, 0].map((doublings) => new SegmentationBlock(pyramid, channels, doublings)),
    )
  }

  forward(maps: readonly Tensor[]): Tensor {
    const [c2, c3, c4, c5] = maps.slice(-4) as [Tensor, Tensor, Tensor, Tensor]
    const p5 = this.p5.forward(c5)
    const p4 = this.p4.forward(p5, c4)
    const p3 = this.p3.forward(p4, c3)
    const p2 = this.p2.forward(p3, c2)
    const parts = [p5, p4, p3, p2].map((map, i) => this.segBlocks.at(i).forward(map))
    return this.dropout.forward(parts.reduce((sum, part) => sum.add(part)))
  }
}

/** Means over a grid of `size` × `size`. */
class PSPBlock extends Module {
  readonly pool: Sequential

  constructor(inChannels: number, outChannels: number, size: number) {
    super()
    // A single mean has no statistics of its own.
    const norm = size === 1 ? () => new Identity() : (channels: number) => new BatchNorm2d(channels)
    const conv = new ConvNorm(inChannels, outChannels, { kernelSize: 1, norm, bias: size === 1 })
    this.pool = new Sequential(new AdaptiveAvgPool2d(size), conv)
  }

  forward(input: Tensor): Tensor {
    const size = [input.size(-2), input.size(-1)]
    return interpolate(this.pool.forward(input), { size, mode: 'bilinear', alignCorners: true })
  }
}

class PSPModule extends Module {
  readonly blocks: ModuleList<PSPBlock>

  constructor(channels: number, sizes: readonly number[]) {
    super()
    this.blocks = new ModuleList(sizes.map((size) => new PSPBlock(channels, Math.floor(channels / sizes.length), size)))
  }

  forward(input: Tensor): Tensor {
    return cat([...[...this.blocks].map((block) => block.forward(input)), input], { dim: 1 })
  }
}

/** Pyramid pooling (Zhao, Shi, Qi, Wang, Jia, CVPR 2017). */
export class PSPDecoder extends Module {
  readonly psp: PSPModule
  readonly conv: ConvNorm
  readonly dropout = new Dropout2d({ p: 0.2 })

  constructor(encoder: readonly number[], channels = 512) {
    super()
    const from = encoder.at(-1) ?? 0
    this.psp = new PSPModule(from, [1, 2, 3, 6])
    this.conv = new ConvNorm(from * 2, channels, { kernelSize: 1 })
  }

  forward(maps: readonly Tensor[]): Tensor {
    return this.dropout.forward(this.conv.forward(this.psp.forward(maps.at(-1) as Tensor)))
  }
}

/** A depthwise and a 1×1 convolution. */
class SeparableConv2d extends Sequential {
  constructor(from: number, to: number, rate = 1) {
    const depthwise = { padding: rate, dilation: rate, groups: from, bias: false }
    super(new Conv2d(from, from, 3, depthwise), new Conv2d(from, to, 1, { bias: false }))
  }
}

const separable = (from: number, to: number, rate = 1): Layer[] => [
  new SeparableConv2d(from, to, rate),
  new BatchNorm2d(to),
  new ReLU(),
]

/** DeepLab v3+ (Chen, Zhu, Papandreou, Schroff, Adam, ECCV 2018): atrous pooling beside a finer map. */
export class DeepLabV3PlusDecoder extends Module {
  readonly aspp: Sequential
  readonly block1: Sequential
  readonly block2: Sequential
  readonly #up = enlarge(4)

  constructor(encoder: readonly number[], channels = 256) {
    super()
    const pooling = new ASPP(encoder.at(-1) ?? 0, [12, 24, 36], channels, separable)
    this.aspp = new Sequential(pooling, ...separable(channels, channels))
    const fine = new Conv2d(encoder[2] ?? 0, 48, 1, { bias: false })
    this.block1 = new Sequential(fine, new BatchNorm2d(48), new ReLU())
    this.block2 = new Sequential(...separable(48 + channels, channels))
  }

  forward(maps: readonly Tensor[]): Tensor {
    const coarse = this.#up.forward(this.aspp.forward(maps.at(-1) as Tensor))
    return this.block2.forward(cat([coarse, this.block1.forward(maps[2] as Tensor)], { dim: 1 }))
  }
}
