// GhostNet with timm's names.
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Hardsigmoid,
  Identity,
  type Layer,
  Linear,
  Module,
  ReLU,
  Sequential,
} from '../nn'
import { cat, type Tensor } from '../tensor'
import { makeDivisible } from './make-divisible'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface GhostNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Factor of all widths; default 1. */
  readonly width?: number
  /** Before the last layer; default 0.2. */
  readonly dropout?: number
}

const conv = (from: number, to: number, kernel: number, stride = 1, groups = 1) =>
  new Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, groups, bias: false })

/** Half of the channels by a convolution, the other half from these by a cheap one (Fig. 1b). */
export class GhostModule extends Module {
  readonly primaryConv: Sequential
  readonly cheapOperation: Sequential

  constructor(
    inChannels: number,
    readonly outChannels: number,
    relu: boolean,
  ) {
    super()
    const half = Math.ceil(outChannels / 2)
    const act = () => (relu ? new ReLU({ inplace: true }) : new Identity())
    this.primaryConv = new Sequential(conv(inChannels, half, 1), new BatchNorm2d(half), act())
    this.cheapOperation = new Sequential(conv(half, half, 3, 1, half), new BatchNorm2d(half), act())
  }

  forward(input: Tensor): Tensor {
    const primary = this.primaryConv.forward(input)
    return cat([primary, this.cheapOperation.forward(primary)], { dim: 1 }).narrow(1, 0, this.outChannels)
  }
}

/** Squeeze-and-excitation with the names that timm gives it in mobile networks. */
class SqueezeExcite extends Module {
  readonly convReduce: Conv2d
  readonly act1 = new ReLU({ inplace: true })
  readonly convExpand: Conv2d
  readonly gate = new Hardsigmoid()

  constructor(channels: number, squeezed: number) {
    super()
    this.convReduce = new Conv2d(channels, squeezed, 1)
    this.convExpand = new Conv2d(squeezed, channels, 1)
  }

  forward(input: Tensor): Tensor {
    const mean = input.mean({ dim: [2, 3], keepdim: true })
    return this.gate.forward(this.convExpand.forward(this.act1.forward(this.convReduce.forward(mean)))).mul(input)
  }
}

interface BottleneckOptions {
  readonly kernel: number
  readonly expanded: number
  readonly channels: number
  readonly stride: number
  readonly se: boolean
}

/** A ghost module widens, another narrows; between them a strided convolution where the size changes (Fig. 3). */
export class GhostBottleneck extends Module {
  readonly ghost1: GhostModule
  readonly convDw: Conv2d | null
  readonly bnDw: BatchNorm2d | null
  readonly se: SqueezeExcite | null
  readonly ghost2: GhostModule
  readonly shortcut: Sequential

  constructor(inChannels: number, { kernel, expanded, channels, stride, se }: BottleneckOptions) {
    super()
    this.ghost1 = new GhostModule(inChannels, expanded, true)
    this.convDw = stride > 1 ? conv(expanded, expanded, kernel, stride, expanded) : null
    this.bnDw = stride > 1 ? new BatchNorm2d(expanded) : null
    this.se = se ? new SqueezeExcite(expanded, makeDivisible(expanded / 4, 4)) : null
    this.ghost2 = new GhostModule(expanded, channels, false)
    this.shortcut =
      stride === 1 && inChannels === channels
        ? new Sequential()
        : new Sequential(
            conv(inChannels, inChannels, kernel, stride, inChannels),
            new BatchNorm2d(inChannels),
            conv(inChannels, channels, 1),
            new BatchNorm2d(channels),
          )
  }

  forward(input: Tensor): Tensor {
    let x = this.ghost1.forward(input)
    if (this.convDw && this.bnDw) x = this.bnDw.forward(this.convDw.forward(x))
    x = this.se?.forward(x) ?? x
    return this.ghost2.forward(x).add(this.shortcut.forward(input))
  }
}

/** Convolution, norm and activation under the names conv and bn1. */
class ConvBnAct extends Module {
  readonly conv: Conv2d
  readonly bn1: BatchNorm2d
  readonly act = new ReLU({ inplace: true })

  constructor(from: number, to: number) {
    super()
    this.conv = conv(from, to, 1)
    this.bn1 = new BatchNorm2d(to)
  }

  forward(input: Tensor): Tensor {
    return this.act.forward(this.bn1.forward(this.conv.forward(input)))
  }
}

type Row = readonly [kernel: number, expanded: number, channels: number, se: boolean, stride: number]

/** Table 1: stages of kernel, expansion, channels, squeeze-and-excitation, stride. */
const STAGES: readonly (readonly Row[])[] = [
  [[3, 16, 16, false, 1]],
  [[3, 48, 24, false, 2]],
  [[3, 72, 24, false, 1]],
  [[5, 72, 40, true, 2]],
  [[5, 120, 40, true, 1]],
  [[3, 240, 80, false, 2]],
  [
    [3, 200, 80, false, 1],
    [3, 184, 80, false, 1],
    [3, 184, 80, false, 1],
    [3, 480, 112, true, 1],
    [3, 672, 112, true, 1],
  ],
  [[5, 672, 160, true, 2]],
  [
    [5, 960, 160, false, 1],
    [5, 960, 160, true, 1],
    [5, 960, 160, false, 1],
    [5, 960, 160, true, 1],
  ],
]

/**
 * More features from cheap operations (Han et al., CVPR 2020).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class GhostNet extends Module {
  readonly convStem: Conv2d
  readonly bn1: BatchNorm2d
  readonly act1 = new ReLU({ inplace: true })
  readonly blocks: Sequential
  readonly globalPool = new AdaptiveAvgPool2d(1)
  readonly convHead: Conv2d
  readonly act2 = new ReLU({ inplace: true })
  readonly dropout: Dropout
  readonly classifier: Linear

  constructor({ numClasses = 1000, width = 1, dropout: p = 0.2 }: GhostNetOptions = {}) {
    super()
    const adjust = (channels: number) => makeDivisible(channels * width, 4)
    let inChannels = adjust(16)
    this.convStem = conv(3, inChannels, 3, 2)
    this.bn1 = new BatchNorm2d(inChannels)
    const stages: Layer[] = STAGES.map((rows) => {
      const row = rows.map(([kernel, expanded, out, se, stride]) => {
        const channels = adjust(out)
        const block = new GhostBottleneck(inChannels, { kernel, expanded: adjust(expanded), channels, stride, se })
        inChannels = channels
        return block
      })
      return new Sequential(...row)
    })
    const last = adjust(960)
    this.blocks = new Sequential(...stages, new Sequential(new ConvBnAct(inChannels, last)))
    this.convHead = new Conv2d(last, 1280, 1)
    this.dropout = new Dropout({ p })
    this.classifier = new Linear(1280, numClasses)
  }

  forward(input: Tensor): Tensor {
    const x = this.blocks.forward(this.act1.forward(this.bn1.forward(this.convStem.forward(input))))
    const y = this.act2.forward(this.convHead.forward(this.globalPool.forward(x)))
    return this.classifier.forward(this.dropout.forward(y.flatten({ startDim: 1 })))
  }
}

export const ghostnet100 = (options?: GhostNetOptions) => new GhostNet(options)

const input = { ...IMAGENET_224, interpolation: 'bicubic' } as const

export const GHOSTNETS = {
  ghostnet_100: { create: ghostnet100, task: 'image-classification', input, features: 'blocks' },
} as const satisfies Readonly<Record<string, NetworkEntry<GhostNetOptions>>>
