// Res2Net and SE-ResNet with timm's names, which are ResNet's.
import { AvgPool2d, Conv2d, type Layer, Module, ModuleList, ReLU, type Sequential } from '../nn'
import { cat, type Tensor } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'
import { Bottleneck, ResNet, type ResNetBlockOptions, type ResNetOptions, shortcut } from './resnet'
import { SqueezeExcitation } from './squeeze-excitation'

/** Groups of channels that the 3×3 convolutions work on one after the other: the paper's s. */
const SCALE = 4

/** A bottleneck whose 3×3 convolution is a row of small ones, each of which also sees the one before (Fig. 2b). */
export class Res2NetBlock extends Module {
  static readonly expansion = 4
  readonly conv1: Conv2d
  readonly bn1: Layer
  readonly convs: ModuleList<Conv2d>
  readonly bns: ModuleList<Layer>
  readonly pool: AvgPool2d | null
  readonly conv3: Conv2d
  readonly bn3: Layer
  readonly relu = new ReLU({ inplace: true })
  readonly downsample: Sequential | null

  constructor(inChannels: number, channels: number, options: ResNetBlockOptions) {
    super()
    const { stride, groups, baseWidth, dilation, norm } = options
    const width = Math.floor(channels * (baseWidth / 64)) * groups
    const outChannels = channels * Res2NetBlock.expansion
    this.conv1 = new Conv2d(inChannels, width * SCALE, 1, { bias: false })
    this.bn1 = norm(width * SCALE)
    const places = Array.from({ length: SCALE - 1 })
    const geometry = { stride, padding: dilation, dilation, groups, bias: false }
    this.convs = new ModuleList(places.map(() => new Conv2d(width, width, 3, geometry)))
    this.bns = new ModuleList(places.map(() => norm(width)))
    this.conv3 = new Conv2d(width * SCALE, outChannels, 1, { bias: false })
    this.bn3 = norm(outChannels)
    this.downsample = shortcut(inChannels, outChannels, stride, norm)
    // Where sizes change, groups stay apart, and the one that no convolution works on is pooled.
    this.pool = this.downsample ? new AvgPool2d(3, { stride, padding: 1 }) : null
  }

  get lastNorm(): Layer {
    return this.bn3
  }

  forward(input: Tensor): Tensor {
    const x = this.relu.forward(this.bn1.forward(this.conv1.forward(input)))
    const done: Tensor[] = []
    for (const [i, group] of x.chunk(SCALE, { dim: 1 }).entries()) {
      if (i === SCALE - 1) done.push(this.pool?.forward(group) ?? group)
      else {
        const before = this.pool ? undefined : done.at(-1)
        const z = this.convs.at(i).forward(before?.add(group) ?? group)
        done.push(this.relu.forward(this.bns.at(i).forward(z)))
      }
    }
    const joined = cat(done, { dim: 1 })
    const y = this.bn3.forward(this.conv3.forward(joined))
    return this.relu.forward(y.add(this.downsample?.forward(input) ?? input))
  }
}

const attention = (channels: number) => new SqueezeExcitation(channels, channels / 16)

/** Res2Net (Gao et al., TPAMI 2021): four groups 26 channels wide. Blocks begin as their shortcut, as timm has it. */
export const res2net50_26w4s = (options?: ResNetOptions) =>
  new ResNet(Res2NetBlock, [3, 4, 6, 3], { widthPerGroup: 26, zeroInitResidual: true, ...options })
export const res2net101_26w4s = (options?: ResNetOptions) =>
  new ResNet(Res2NetBlock, [3, 4, 23, 3], { widthPerGroup: 26, zeroInitResidual: true, ...options })
/** ResNet with squeeze-and-excitation (Hu, Shen, Sun, CVPR 2018). */
export const seresnet50 = (options?: ResNetOptions) =>
  new ResNet(Bottleneck, [3, 4, 6, 3], { attention, zeroInitResidual: true, ...options })

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'avgpool' } as const

export const RES2NETS = {
  res2net50_26w_4s: { create: res2net50_26w4s, ...classifier },
  res2net101_26w_4s: { create: res2net101_26w4s, ...classifier },
  seresnet50: { create: seresnet50, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<ResNetOptions>>>
