// Xception as DeepLab v3+ has it, with timm's names.
import { AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, type Layer, Linear, Module, ReLU, Sequential } from '../nn'
import type { Tensor } from '../tensor'
import { BasicConv2d } from './basic-conv'
import { checkImageSize } from './image-size'
import type { NetworkEntry } from './network'
import { SYMMETRIC_299, type XceptionOptions } from './xception'

/** Depthwise and pointwise convolution, each with batch norm, and with ReLU where none stands before them. */
export class AlignedSeparableConv extends Module {
  readonly convDw: Conv2d
  readonly bnDw: BatchNorm2d
  readonly actDw: ReLU | null
  readonly convPw: Conv2d
  readonly bnPw: BatchNorm2d
  readonly actPw: ReLU | null

  constructor(inChannels: number, outChannels: number, stride: number, relu: boolean) {
    super()
    const act = () => (relu ? new ReLU({ inplace: true }) : null)
    this.convDw = new Conv2d(inChannels, inChannels, 3, { stride, padding: 1, groups: inChannels, bias: false })
    this.bnDw = new BatchNorm2d(inChannels, { eps: 1e-3 })
    this.actDw = act()
    this.convPw = new Conv2d(inChannels, outChannels, 1, { bias: false })
    this.bnPw = new BatchNorm2d(outChannels, { eps: 1e-3 })
    this.actPw = act()
  }

  forward(input: Tensor): Tensor {
    const x = this.bnDw.forward(this.convDw.forward(input))
    const y = this.bnPw.forward(this.convPw.forward(this.actDw?.forward(x) ?? x))
    return this.actPw?.forward(y) ?? y
  }
}

interface AlignedBlockOptions {
  readonly stride?: number
  /** The last block of the network has no shortcut, and its activations stand after the convolutions. */
  readonly last?: boolean
}

/** Three separable convolutions, the stride in the third, beside a shortcut. */
export class AlignedBlock extends Module {
  readonly shortcut: BasicConv2d | null
  readonly stack: Sequential
  readonly #last: boolean

  /** @param widths channels before, between and after the convolutions */
  constructor(
    widths: readonly [number, number, number, number],
    { stride = 1, last = false }: AlignedBlockOptions = {},
  ) {
    super()
    const [from, , , to] = widths
    const resized = !last && (from !== to || stride !== 1)
    this.shortcut = resized ? new BasicConv2d(from, to, 1, { stride, relu: false }) : null
    const layers: Record<string, Layer> = {}
    for (const [i, width] of widths.slice(1).entries()) {
      if (!last) layers[`act${i + 1}`] = new ReLU({ inplace: i > 0 })
      layers[`conv${i + 1}`] = new AlignedSeparableConv(widths[i] ?? from, width, i === 2 ? stride : 1, last)
    }
    this.stack = new Sequential(layers)
    this.#last = last
  }

  forward(input: Tensor): Tensor {
    const y = this.stack.forward(input)
    return this.#last ? y : y.add(this.shortcut?.forward(input) ?? input)
  }
}

/** What the features are pooled by and classified. */
class Head extends Module {
  readonly globalPool = new AdaptiveAvgPool2d(1)
  readonly drop: Dropout
  readonly fc: Linear

  constructor(channels: number, numClasses: number, p: number) {
    super()
    this.drop = new Dropout({ p })
    this.fc = new Linear(channels, numClasses)
  }

  forward(input: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(this.globalPool.forward(input).flatten({ startDim: 1 })))
  }
}

/** Widths and strides of the entry flow's blocks, and how many blocks the middle flow has. */
interface Architecture {
  readonly entry: readonly (readonly [channels: number, stride: number])[]
  readonly middle: number
}

/**
 * Xception with strided convolutions instead of pooling and more norms (Chen et al., ECCV 2018, Fig. 4).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 32 or more.
 */
export class AlignedXception extends Module {
  readonly stem = new Sequential(
    new BasicConv2d(3, 32, 3, { stride: 2, padding: 1 }),
    new BasicConv2d(32, 64, 3, { padding: 1 }),
  )
  readonly blocks: Sequential
  readonly head: Head

  constructor({ entry, middle }: Architecture, { numClasses = 1000, dropout = 0 }: XceptionOptions = {}) {
    super()
    let from = 64
    const entryFlow = entry.map(([channels, stride]) => {
      const block = new AlignedBlock([from, channels, channels, channels], { stride })
      from = channels
      return block
    })
    const middleFlow = Array.from({ length: middle }, () => new AlignedBlock([728, 728, 728, 728]))
    const exitFlow = [
      new AlignedBlock([728, 728, 1024, 1024], { stride: 2 }),
      new AlignedBlock([1024, 1536, 1536, 2048], { last: true }),
    ]
    this.blocks = new Sequential(...entryFlow, ...middleFlow, ...exitFlow)
    this.head = new Head(2048, numClasses, dropout)
  }

  forward(input: Tensor): Tensor {
    checkImageSize('AlignedXception', input, 32)
    return this.head.forward(this.blocks.forward(this.stem.forward(input)))
  }
}

const ENTRY = [
  [128, 2],
  [256, 2],
  [728, 2],
] as const
const LONG_ENTRY = [
  [128, 2],
  [256, 1],
  [256, 2],
  [728, 1],
  [728, 2],
] as const

const make = (architecture: Architecture) => (options?: XceptionOptions) => new AlignedXception(architecture, options)

export const xception41 = make({ entry: ENTRY, middle: 8 })
export const xception65 = make({ entry: ENTRY, middle: 16 })
export const xception71 = make({ entry: LONG_ENTRY, middle: 16 })

const classifier = {
  task: 'image-classification',
  input: { ...SYMMETRIC_299, resize: 331 },
  features: 'blocks',
} as const

export const ALIGNED_XCEPTIONS = {
  xception41: { create: xception41, ...classifier },
  xception65: { create: xception65, ...classifier },
  xception71: { create: xception71, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<XceptionOptions>>>
