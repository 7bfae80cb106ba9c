// CLIP's ResNet: three convolutions first, pooling instead of strides, attention instead of the last average.
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  functional as F,
  init,
  Linear,
  Module,
  type Parameter,
  parameter,
  ReLU,
  Sequential,
} from '../../nn'
import { cat, empty, type Tensor } from '../../tensor'
import { checkImages } from './transformer'

const conv = (from: number, to: number, kernel: 1 | 3, stride = 1) =>
  new Conv2d(from, to, kernel, { stride, padding: kernel === 3 ? 1 : 0, bias: false })

/** Pooling, then a 1×1 convolution. */
class PooledShortcut extends Module {
  static override readonly stateNames = { conv: '0', norm: '1' }
  readonly conv: Conv2d
  readonly norm: BatchNorm2d

  constructor(
    from: number,
    to: number,
    readonly stride: number,
  ) {
    super()
    this.conv = conv(from, to, 1)
    this.norm = new BatchNorm2d(to)
  }

  forward(input: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(this.stride > 1 ? F.avgPool2d(input, this.stride) : input))
  }
}

class PooledBottleneck extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly relu = new ReLU({ inplace: true })
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  readonly downsample: PooledShortcut | null

  constructor(
    from: number,
    channels: number,
    readonly stride: number,
  ) {
    super()
    this.conv1 = conv(from, channels, 1)
    this.bn1 = new BatchNorm2d(channels)
    this.conv2 = conv(channels, channels, 3)
    this.bn2 = new BatchNorm2d(channels)
    this.conv3 = conv(channels, 4 * channels, 1)
    this.bn3 = new BatchNorm2d(4 * channels)
    this.downsample = stride > 1 || from !== 4 * channels ? new PooledShortcut(from, 4 * channels, stride) : null
    // Blocks begin as the identity.
    if (this.bn3.weight) init.zeros_(this.bn3.weight)
  }

  forward(input: Tensor): Tensor {
    let x = this.relu.forward(this.bn1.forward(this.conv1.forward(input)))
    x = this.relu.forward(this.bn2.forward(this.conv2.forward(x)))
    if (this.stride > 1) x = F.avgPool2d(x, this.stride)
    return this.relu.forward(this.bn3.forward(this.conv3.forward(x)).add(this.downsample?.forward(input) ?? input))
  }
}

/** The mean of all places asks them all (Radford et al. 2021, section 2.4): `[N, C, side, side]` → `[N, outChannels]`. */
export class AttentionPool2d extends Module {
  readonly positionalEmbedding: Parameter
  readonly kProj: Linear
  readonly qProj: Linear
  readonly vProj: Linear
  readonly cProj: Linear

  constructor(
    side: number,
    channels: number,
    readonly heads: number,
    outChannels: number,
  ) {
    super()
    const std = channels ** -0.5
    this.positionalEmbedding = parameter(init.normal_(empty([side * side + 1, channels]), { std }))
    this.kProj = new Linear(channels, channels)
    this.qProj = new Linear(channels, channels)
    this.vProj = new Linear(channels, channels)
    this.cProj = new Linear(channels, outChannels)
    for (const { weight } of [this.kProj, this.qProj, this.vProj, this.cProj]) init.normal_(weight, { std })
  }

  forward(input: Tensor): Tensor {
    const places = input.flatten({ startDim: 2 }).transpose(1, 2)
    const tokens = cat([places.mean({ dim: 1, keepdim: true }), places], { dim: 1 }).add(this.positionalEmbedding)
    const split = (x: Tensor) => x.unflatten(-1, [this.heads, -1]).transpose(1, 2)
    const q = split(this.qProj.forward(tokens.narrow(1, 0, 1)))
    const [k, v] = [split(this.kProj.forward(tokens)), split(this.vProj.forward(tokens))]
    return this.cProj.forward(F.scaledDotProductAttention(q, k, v).transpose(1, 2).flatten({ startDim: 1 }))
  }
}

export interface ClipResNetSize {
  readonly imageSize: number
  readonly blocks: readonly [number, number, number, number]
  readonly width: number
}

/** CLIP's ResNet. Shapes: `[N, 3, imageSize, imageSize]` → `[N, embedDim]`. */
export class ClipResNet extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  readonly relu = new ReLU({ inplace: true })
  readonly avgpool = new AvgPool2d(2)
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential
  readonly attnpool: AttentionPool2d

  constructor(
    readonly size: ClipResNetSize,
    embedDim: number,
  ) {
    super()
    const { imageSize, blocks, width } = size
    this.conv1 = conv(3, width / 2, 3, 2)
    this.bn1 = new BatchNorm2d(width / 2)
    this.conv2 = conv(width / 2, width / 2, 3)
    this.bn2 = new BatchNorm2d(width / 2)
    this.conv3 = conv(width / 2, width, 3)
    this.bn3 = new BatchNorm2d(width)
    const stage = (i: number) => {
      const channels = width * 2 ** i
      const from = i === 0 ? width : 2 * channels
      const make = (_: unknown, k: number) =>
        new PooledBottleneck(k === 0 ? from : 4 * channels, channels, k === 0 && i > 0 ? 2 : 1)
      return new Sequential(...Array.from({ length: blocks[i] ?? 0 }, make))
    }
    this.layer1 = stage(0)
    this.layer2 = stage(1)
    this.layer3 = stage(2)
    this.layer4 = stage(3)
    const channels = 32 * width
    this.attnpool = new AttentionPool2d(Math.floor(imageSize / 32), channels, channels / 64, embedDim)
  }

  forward(images: Tensor): Tensor {
    checkImages(images, this.size.imageSize)
    let x = this.relu.forward(this.bn1.forward(this.conv1.forward(images)))
    x = this.relu.forward(this.bn2.forward(this.conv2.forward(x)))
    x = this.avgpool.forward(this.relu.forward(this.bn3.forward(this.conv3.forward(x))))
    x = this.layer4.forward(this.layer3.forward(this.layer2.forward(this.layer1.forward(x))))
    return this.attnpool.forward(x)
  }
}
