// What PyTorchVideo's residual networks over clips are built of, with its names.
import {
  AdaptiveAvgPool3d,
  AvgPool3d,
  BatchNorm3d,
  Conv3d,
  Dropout,
  init,
  type Layer,
  Linear,
  MaxPool3d,
  Module,
  ModuleList,
  ReLU,
} from '../nn'
import type { Tensor } from '../tensor'

export type Triple = readonly [time: number, height: number, width: number]

/** Zeros that keep the size at stride 1. */
export function halves([time, height, width]: Triple): Triple {
  return [Math.floor(time / 2), Math.floor(height / 2), Math.floor(width / 2)]
}

/** Convolution without bias, padded by half its kernel. */
export function paddedConv(from: number, to: number, kernel: Triple, stride: Triple = [1, 1, 1], groups = 1): Conv3d {
  return new Conv3d(from, to, kernel, { stride, padding: halves(kernel), groups, bias: false })
}

/** Two convolutions for one, a norm and ReLU between them where `norm` says so. */
export class FactoredConv extends Module {
  readonly convT: Conv3d
  readonly norm: BatchNorm3d | null
  readonly convXy: Conv3d

  constructor(first: Conv3d, second: Conv3d, { norm = true } = {}) {
    super()
    this.convT = first
    this.norm = norm ? new BatchNorm3d(first.outChannels) : null
    this.convXy = second
  }

  forward(clip: Tensor): Tensor {
    const y = this.convT.forward(clip)
    return this.convXy.forward(this.norm ? this.norm.forward(y).relu() : y)
  }
}

/** Convolution, norm, ReLU, and a pool in space where the network has one. */
export class VideoStem extends Module {
  readonly conv: Layer
  readonly norm: BatchNorm3d
  readonly activation = new ReLU()
  readonly pool: Layer | null

  constructor(conv: Layer, channels: number, pool: Layer | null) {
    super()
    this.conv = conv
    this.norm = new BatchNorm3d(channels)
    this.pool = pool
  }

  forward(clip: Tensor): Tensor {
    const y = this.activation.forward(this.norm.forward(this.conv.forward(clip)))
    return this.pool?.forward(y) ?? y
  }
}

export interface VideoBottleneckPlan {
  readonly from: number
  readonly inner: number
  readonly to: number
  readonly kernelA: Triple
  readonly convB: Layer
  readonly normB: Layer
  readonly actB: Layer
}

class BottleneckBranch extends Module {
  readonly convA: Conv3d
  readonly normA: BatchNorm3d
  readonly actA = new ReLU()
  readonly convB: Layer
  readonly normB: Layer
  readonly actB: Layer
  readonly convC: Conv3d
  readonly normC: BatchNorm3d

  constructor({ from, inner, to, kernelA, convB, normB, actB }: VideoBottleneckPlan) {
    super()
    this.convA = paddedConv(from, inner, kernelA)
    this.normA = new BatchNorm3d(inner)
    this.convB = convB
    this.normB = normB
    this.actB = actB
    this.convC = paddedConv(inner, to, [1, 1, 1])
    this.normC = new BatchNorm3d(to)
  }

  forward(clip: Tensor): Tensor {
    const a = this.actA.forward(this.normA.forward(this.convA.forward(clip)))
    const b = this.actB.forward(this.normB.forward(this.convB.forward(a)))
    return this.normC.forward(this.convC.forward(b))
  }
}

/** Bottleneck beside a shortcut, projected where the size changes. */
export class VideoBottleneck extends Module {
  readonly branch1Conv: Conv3d | null
  readonly branch1Norm: BatchNorm3d | null
  readonly branch2: BottleneckBranch
  readonly activation = new ReLU()

  constructor(plan: VideoBottleneckPlan, stride: Triple) {
    super()
    const { from, to } = plan
    const projects = from !== to || stride.some((step) => step > 1)
    this.branch1Conv = projects ? new Conv3d(from, to, 1, { stride, bias: false }) : null
    this.branch1Norm = from === to ? null : new BatchNorm3d(to)
    this.branch2 = new BottleneckBranch(plan)
  }

  forward(clip: Tensor): Tensor {
    const beside = this.branch1Conv?.forward(clip) ?? clip
    const shortcut = this.branch1Norm?.forward(beside) ?? beside
    return this.activation.forward(shortcut.add(this.branch2.forward(clip)))
  }
}

export class VideoStage extends Module {
  readonly resBlocks: ModuleList<VideoBottleneck>

  constructor(blocks: Iterable<VideoBottleneck>) {
    super()
    this.resBlocks = new ModuleList(blocks)
  }

  forward(clip: Tensor): Tensor {
    let x = clip
    for (const block of this.resBlocks) x = block.forward(x)
    return x
  }
}

/** The middle convolution of a bottleneck that looks at one frame at a time. */
export const spatialConv = (channels: number, stride: Triple): Layer =>
  paddedConv(channels, channels, [1, 3, 3], stride)

const spatialPool = () => new MaxPool3d([1, 3, 3], { stride: [1, 2, 2], padding: [0, 1, 1] })

/** First layers of a pathway: a quarter of the pixels, or a sixteenth with the pool. */
export function videoStem(from: number, to: number, kernel: Triple, pools: boolean): VideoStem {
  return new VideoStem(paddedConv(from, to, kernel, [1, 2, 2]), to, pools ? spatialPool() : null)
}

export interface StagePlan {
  readonly depth: number
  readonly from: number
  readonly inner: number
  /** Kernels in time of the blocks' first convolutions, repeated along the blocks. */
  readonly timeKernels: readonly number[]
  readonly stride: Triple
  readonly middle: (channels: number, stride: Triple) => Layer
}

/** A stage of bottlenecks of `4 · inner` channels, the first with the stride. */
export function videoStage({ depth, from, inner, timeKernels, stride, middle }: StagePlan): VideoStage {
  const blocks = Array.from({ length: depth }, (_, i) => {
    const step: Triple = i === 0 ? stride : [1, 1, 1]
    const plan = {
      from: i === 0 ? from : 4 * inner,
      inner,
      to: 4 * inner,
      kernelA: [timeKernels[i % timeKernels.length] ?? 1, 1, 1] as const,
      convB: middle(inner, step),
      normB: new BatchNorm3d(inner),
      actB: new ReLU(),
    }
    return new VideoBottleneck(plan, step)
  })
  return new VideoStage(blocks)
}

/** Logits at every place, then their mean. */
export class VideoHead extends Module {
  readonly pool: Layer | null
  readonly dropout: Dropout
  readonly proj: Linear
  readonly outputPool = new AdaptiveAvgPool3d(1)

  constructor(channels: number, numClasses: number, dropout: number, pool: Layer | null) {
    super()
    this.pool = pool
    this.dropout = new Dropout({ p: dropout })
    this.proj = new Linear(channels, numClasses)
  }

  forward(clip: Tensor): Tensor {
    const x = this.dropout.forward(this.pool?.forward(clip) ?? clip)
    const logits = this.proj.forward(x.permute([0, 2, 3, 4, 1])).permute([0, 4, 1, 2, 3])
    return this.outputPool.forward(logits).flatten({ startDim: 1 })
  }
}

/** Mean over windows of this size, one step apart. */
export function windowMean(kernel: Triple): AvgPool3d {
  return new AvgPool3d(kernel, { stride: 1 })
}

/** First values of PyTorchVideo: blocks begin as their shortcut (Goyal et al. 2017). */
export function resetVideoNetwork(network: Module): void {
  for (const module of network.modules()) {
    if (module instanceof Conv3d) {
      init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
      if (module.bias) init.zeros_(module.bias)
    }
    if (module instanceof BottleneckBranch && module.normC.weight) init.zeros_(module.normC.weight)
    if (module instanceof Linear) {
      init.normal_(module.weight, { std: 0.01 })
      if (module.bias) init.zeros_(module.bias)
    }
  }
}
