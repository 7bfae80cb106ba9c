// ResNet, ResNeXt and Wide ResNet with torchvision's names.
import { ArgumentError } from '../native/errors'
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  init,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '../nn'
import type { Tensor } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'

/** A layer of so many channels that stands where batch norm does. */
export type NormLayer = (channels: number) => Layer

export interface ResNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** First values of zero for the last norm of each block, so that blocks begin as the identity (Goyal et al. 2017). */
  readonly zeroInitResidual?: boolean
  /** Groups of the 3×3 convolutions; more than one is ResNeXt. Bottlenecks only. */
  readonly groups?: number
  /** Width of a group at 64 channels. Bottlenecks only. */
  readonly widthPerGroup?: number
  /** Which of the last three stages dilate instead of striding. Bottlenecks only. */
  readonly replaceStrideWithDilation?: readonly [boolean, boolean, boolean]
  /** The first block of a stage that dilates does so too, as in segmentation_models_pytorch; default false. */
  readonly dilateFirstBlock?: boolean
  /** Of the last three stages, where they do not dilate; default 2 each. */
  readonly stageStrides?: readonly [number, number, number]
  /** Channels of the stem and the first stage, of which the others have multiples; default 64. */
  readonly stemChannels?: number
  readonly normLayer?: NormLayer
  /** Channels of the images; default 3. */
  readonly inChannels?: number
  /** Stands after the last norm of each block, such as squeeze-and-excitation. Bottlenecks only. */
  readonly attention?: NormLayer
}

/** What a block is made with, beside its channels. */
export interface ResNetBlockOptions {
  readonly stride: number
  readonly groups: number
  readonly baseWidth: number
  readonly dilation: number
  readonly norm: NormLayer
  readonly attention?: NormLayer | undefined
}

/** A class of residual blocks: `channels` within, `channels · expansion` out. */
export interface ResNetBlock {
  readonly expansion: number
  new (inChannels: number, channels: number, options: ResNetBlockOptions): ResidualBlock
}

export interface ResidualBlock extends Layer {
  /** Of what is added to the shortcut. */
  readonly lastNorm: Layer
}

function isResidual(module: Module): module is ResidualBlock {
  return 'lastNorm' in module
}

const conv3x3 = (from: number, to: number, stride: number, groups = 1, dilation = 1) =>
  new Conv2d(from, to, 3, { stride, padding: dilation, groups, dilation, bias: false })
const conv1x1 = (from: number, to: number, stride = 1) => new Conv2d(from, to, 1, { stride, bias: false })

/** Two 3×3 convolutions beside a shortcut (He et al. 2016, Fig. 5 left). */
export class BasicBlock extends Module {
  static readonly expansion = 1
  readonly conv1: Conv2d
  readonly bn1: Layer
  readonly relu = new ReLU({ inplace: true })
  readonly conv2: Conv2d
  readonly bn2: Layer
  readonly downsample: Sequential | null

  constructor(inChannels: number, channels: number, options: ResNetBlockOptions) {
    super()
    const { stride, groups, baseWidth, dilation, norm } = options
    if (groups !== 1 || baseWidth !== 64 || dilation > 1 || options.attention) {
      throw new ArgumentError(
        `ResNet: groups ${groups}, widthPerGroup ${baseWidth}, dilation ${dilation} and attention need bottleneck blocks, as in resnet50; blocks of two convolutions have 1, 64, 1 and none`,
      )
    }
    this.conv1 = conv3x3(inChannels, channels, stride)
    this.bn1 = norm(channels)
    this.conv2 = conv3x3(channels, channels, 1)
    this.bn2 = norm(channels)
    this.downsample = shortcut(inChannels, channels, stride, norm)
  }

  get lastNorm(): Layer {
    return this.bn2
  }

  forward(input: Tensor): Tensor {
    const y = this.relu.forward(this.bn1.forward(this.conv1.forward(input)))
    return this.relu.forward(this.bn2.forward(this.conv2.forward(y)).add(this.downsample?.forward(input) ?? input))
  }
}

/** 1×1, 3×3, 1×1 beside a shortcut, the stride in the 3×3: torchvision's "ResNet v1.5" (He et al. 2016, Fig. 5 right). */
export class Bottleneck extends Module {
  static readonly expansion = 4
  readonly conv1: Conv2d
  readonly bn1: Layer
  readonly conv2: Conv2d
  readonly bn2: Layer
  readonly conv3: Conv2d
  readonly bn3: Layer
  readonly se: Layer | null
  readonly relu = new ReLU({ inplace: true })
  readonly downsample: Sequential | null

  constructor(inChannels: number, channels: number, options: ResNetBlockOptions) {
    super()
    const { stride, groups, baseWidth, dilation, norm } = options
    const width = Math.trunc(channels * (baseWidth / 64)) * groups
    const outChannels = channels * Bottleneck.expansion
    this.conv1 = conv1x1(inChannels, width)
    this.bn1 = norm(width)
    this.conv2 = conv3x3(width, width, stride, groups, dilation)
    this.bn2 = norm(width)
    this.conv3 = conv1x1(width, outChannels)
    this.bn3 = norm(outChannels)
    this.se = options.attention?.(outChannels) ?? null
    this.downsample = shortcut(inChannels, outChannels, stride, norm)
  }

  get lastNorm(): Layer {
    return this.bn3
  }

  forward(input: Tensor): Tensor {
    let y = this.relu.forward(this.bn1.forward(this.conv1.forward(input)))
    y = this.relu.forward(this.bn2.forward(this.conv2.forward(y)))
    y = this.bn3.forward(this.conv3.forward(y))
    y = this.se?.forward(y) ?? y
    return this.relu.forward(y.add(this.downsample?.forward(input) ?? input))
  }
}

/** A projection where sizes change; the input itself elsewhere. */
export function shortcut(from: number, to: number, stride: number, norm: NormLayer): Sequential | null {
  return stride === 1 && from === to ? null : new Sequential(conv1x1(from, to, stride), norm(to))
}

/** What of `ResNetOptions` the convolutional part takes. */
export type ResNetTrunkOptions = Omit<ResNetOptions, 'numClasses'>

/** The convolutional part of a residual network: a stem and four stages, of strides 4, 8, 16 and 32 unless stated. */
export abstract class ResNetTrunk extends Module {
  readonly conv1: Conv2d
  readonly bn1: Layer
  readonly relu = new ReLU({ inplace: true })
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 })
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential
  /** Channels of the four stages. */
  readonly stageChannels: readonly number[]

  /** @param blocks how many blocks each of the four stages has */
  constructor(block: ResNetBlock, blocks: readonly number[], options: ResNetTrunkOptions = {}) {
    super()
    const {
      zeroInitResidual = false,
      groups = 1,
      widthPerGroup: baseWidth = 64,
      inChannels: colours = 3,
      dilateFirstBlock = false,
      stageStrides = [2, 2, 2],
      stemChannels = 64,
    } = options
    const { attention } = options
    const {
      replaceStrideWithDilation = [false, false, false],
      normLayer: norm = (channels) => new BatchNorm2d(channels),
    } = options
    this.conv1 = new Conv2d(colours, stemChannels, 7, { stride: 2, padding: 3, bias: false })
    this.bn1 = norm(stemChannels)

    const shared = { groups, baseWidth, norm, attention }
    let [inChannels, dilation] = [stemChannels, 1]
    const stage = (index: number): Sequential => {
      const channels = stemChannels * 2 ** index
      const dilates = index > 0 && replaceStrideWithDilation[index - 1]
      const stride = index === 0 || dilates ? 1 : (stageStrides[index - 1] ?? 2)
      const layers: Layer[] = []
      const before = dilation
      if (dilates) dilation *= 2
      for (let i = 0; i < (blocks[index] ?? 0); i++) {
        // In torchvision the first block of a stage that dilates still has the dilation of the stage before.
        const own = i === 0 && !dilateFirstBlock ? before : dilation
        layers.push(new block(inChannels, channels, { ...shared, stride: i === 0 ? stride : 1, dilation: own }))
        inChannels = channels * block.expansion
      }
      return new Sequential(...layers)
    }
    this.layer1 = stage(0)
    this.layer2 = stage(1)
    this.layer3 = stage(2)
    this.layer4 = stage(3)
    this.stageChannels = [1, 2, 4, 8].map((width) => stemChannels * width * block.expansion)
    this.#reset(zeroInitResidual)
  }

  #reset(zeroInitResidual: boolean): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
      const last = isResidual(module) ? module.lastNorm : undefined
      if (zeroInitResidual && last instanceof BatchNorm2d && last.weight) init.zeros_(last.weight)
    }
  }

  /** The stem before its pooling, of stride 2. */
  protected stem(input: Tensor): Tensor {
    return this.relu.forward(this.bn1.forward(this.conv1.forward(input)))
  }

  /** What the four stages give for what the stem gave. */
  protected stages(stem: Tensor): [Tensor, Tensor, Tensor, Tensor] {
    const first = this.layer1.forward(this.maxpool.forward(stem))
    const second = this.layer2.forward(first)
    const third = this.layer3.forward(second)
    return [first, second, third, this.layer4.forward(third)]
  }
}

/** The maps of a residual network's stages, for networks that build on them: `[N, 3, H, W]` → four maps. */
export class ResNetStages extends ResNetTrunk {
  forward(input: Tensor): [Tensor, Tensor, Tensor, Tensor] {
    return this.stages(this.stem(input))
  }
}

/**
 * Deep residual network (He, Zhang, Ren, Sun, CVPR 2016).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class ResNet extends ResNetTrunk {
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly fc: Linear

  /** @param blocks how many blocks each of the four stages has */
  constructor(block: ResNetBlock, blocks: readonly number[], options: ResNetOptions = {}) {
    const { numClasses = 1000, ...trunk } = options
    super(block, blocks, trunk)
    this.fc = new Linear(this.stageChannels[3] ?? 512, numClasses)
  }

  forward(input: Tensor): Tensor {
    const last = this.stages(this.stem(input))[3]
    return this.fc.forward(this.avgpool.forward(last).flatten({ startDim: 1 }))
  }
}

/** Which block a published network has, and how many in each stage. */
export const RESNET_LAYERS = {
  resnet18: [BasicBlock, [2, 2, 2, 2]],
  resnet34: [BasicBlock, [3, 4, 6, 3]],
  resnet50: [Bottleneck, [3, 4, 6, 3]],
  resnet101: [Bottleneck, [3, 4, 23, 3]],
  resnet152: [Bottleneck, [3, 8, 36, 3]],
} as const satisfies Readonly<Record<string, readonly [ResNetBlock, readonly number[]]>>

export const resnet18 = (options?: ResNetOptions) => new ResNet(...RESNET_LAYERS.resnet18, options)
export const resnet34 = (options?: ResNetOptions) => new ResNet(...RESNET_LAYERS.resnet34, options)
export const resnet50 = (options?: ResNetOptions) => new ResNet(...RESNET_LAYERS.resnet50, options)
export const resnet101 = (options?: ResNetOptions) => new ResNet(...RESNET_LAYERS.resnet101, options)
export const resnet152 = (options?: ResNetOptions) => new ResNet(...RESNET_LAYERS.resnet152, options)
/** ResNeXt (Xie et al., CVPR 2017). */
export const resnext50_32x4d = (options?: ResNetOptions) => resnet50({ groups: 32, widthPerGroup: 4, ...options })
export const resnext101_32x8d = (options?: ResNetOptions) => resnet101({ groups: 32, widthPerGroup: 8, ...options })
/** Wide ResNet (Zagoruyko, Komodakis, BMVC 2016): bottlenecks twice as wide within. */
export const wideResnet50_2 = (options?: ResNetOptions) => resnet50({ widthPerGroup: 128, ...options })
export const wideResnet101_2 = (options?: ResNetOptions) => resnet101({ widthPerGroup: 128, ...options })

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'avgpool' } as const

export const RESNETS = {
  resnet18: { create: resnet18, ...classifier },
  resnet34: { create: resnet34, ...classifier },
  resnet50: { create: resnet50, ...classifier },
  resnet101: { create: resnet101, ...classifier },
  resnet152: { create: resnet152, ...classifier },
  resnext50_32x4d: { create: resnext50_32x4d, ...classifier },
  resnext101_32x8d: { create: resnext101_32x8d, ...classifier },
  wide_resnet50_2: { create: wideResnet50_2, ...classifier },
  wide_resnet101_2: { create: wideResnet101_2, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<ResNetOptions>>>
