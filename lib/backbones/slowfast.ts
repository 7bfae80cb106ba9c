// SlowFast, SlowOnly, C2D, I3D, CSN and R(2+1)D on ResNet's plan, with PyTorchVideo's names.
import { ShapeError } from '../native/errors'
import { BatchNorm3d, type Conv3d, type Layer, MaxPool3d, Module, ModuleList, ReLU } from '../nn'
import { arange, cat, type Tensor, tidy } from '../tensor'
import type { NetworkEntry } from './network'
import {
  FactoredConv,
  paddedConv,
  resetVideoNetwork,
  type Triple,
  VideoBottleneck,
  VideoHead,
  VideoStage,
  VideoStem,
  windowMean,
} from './video-bottleneck'
import { kineticsClips } from './video-input'

export interface VideoBottleneckNetOptions {
  /** Default 400. */
  readonly numClasses?: number
  /** Share of the values that are dropped before the classifier in training; default 0.5, for CSN 0. */
  readonly dropout?: number
  /** Window of the last pool: time, height, width; that of the published network unless given. */
  readonly headPoolKernelSize?: Triple
}

/** What distinguishes the networks of a single pathway. */
interface Plan {
  readonly depths: readonly number[]
  readonly stemKernel: Triple
  readonly stemPool: boolean
  /** Halves time after the first stage. */
  readonly timePool: boolean
  /** Kernel of each stage's first convolutions in time, repeated along its blocks. */
  readonly timeKernels: readonly (readonly number[])[]
  readonly timeStrides: readonly number[]
  readonly spaceStrides: readonly number[]
  readonly middle: (channels: number, stride: Triple) => Layer
  readonly headPool: Triple
}

const spatial = (channels: number, stride: Triple): Layer => paddedConv(channels, channels, [1, 3, 3], stride)
const separated = (channels: number, stride: Triple): Layer =>
  paddedConv(channels, channels, [3, 3, 3], stride, channels)
const factored = (channels: number, [time, height, width]: Triple): Layer =>
  new FactoredConv(
    paddedConv(channels, channels, [3, 1, 1], [time, 1, 1]),
    paddedConv(channels, channels, [1, 3, 3], [1, height, width]),
  )

const spatialPool = () => new MaxPool3d([1, 3, 3], { stride: [1, 2, 2], padding: [0, 1, 1] })

function stem(from: number, to: number, kernel: Triple, pools: boolean): VideoStem {
  return new VideoStem(paddedConv(from, to, kernel, [1, 2, 2]), to, pools ? spatialPool() : null)
}

interface StagePlan {
  readonly depth: number
  readonly from: number
  readonly inner: number
  readonly timeKernels: readonly number[]
  readonly stride: Triple
  readonly middle: Plan['middle']
}

function stage({ depth, from, inner, timeKernels, stride, middle }: StagePlan): VideoStage {
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

/**
 * ResNet's bottlenecks over clips, one pathway.
 *
 * Shapes: `[N, 3, T, H, W]` → logits `[N, numClasses]`. T, H and W must leave the head's pool its window.
 */
export class VideoBottleneckNet extends Module {
  readonly blocks: ModuleList<Layer>

  constructor(plan: Plan, options: VideoBottleneckNetOptions = {}) {
    super()
    const { numClasses = 400, dropout = 0.5, headPoolKernelSize = plan.headPool } = options
    this.blocks = new ModuleList<Layer>([stem(3, 64, plan.stemKernel, plan.stemPool)])
    for (const [i, depth] of plan.depths.entries()) {
      const step = plan.spaceStrides[i] ?? 1
      const stride = [plan.timeStrides[i] ?? 1, step, step] as const
      const [inner, from] = [64 * 2 ** i, i === 0 ? 64 : 128 * 2 ** i]
      this.blocks.append(
        stage({ depth, from, inner, timeKernels: plan.timeKernels[i] ?? [1], stride, middle: plan.middle }),
      )
      if (i === 0 && plan.timePool) this.blocks.append(new MaxPool3d([2, 1, 1]))
    }
    this.blocks.append(new VideoHead(2048, numClasses, dropout, windowMean(headPoolKernelSize)))
    resetVideoNetwork(this)
  }

  forward(clip: Tensor): Tensor {
    let x = clip
    for (const block of this.blocks) x = block.forward(x)
    return x
  }
}

/** Brings the fast pathway's features to the slow one: a convolution in time, as far apart as the slow one's frames. */
class FastToSlow extends Module {
  readonly convFastToSlow: Conv3d
  readonly norm: BatchNorm3d

  constructor(channels: number) {
    super()
    const to = 2 * channels
    this.convFastToSlow = paddedConv(channels, to, [7, 1, 1], [4, 1, 1])
    this.norm = new BatchNorm3d(to)
  }

  forward(slow: Tensor, fast: Tensor): Tensor {
    const lateral = this.norm.forward(this.convFastToSlow.forward(fast)).relu()
    if (lateral.size(2) !== slow.size(2)) {
      throw new ShapeError(
        `SlowFast: the slow pathway has ${slow.size(2)} frames, the fast one ${fast.size(2)}; the fast one must have 4 times as many: see packPathways`,
      )
    }
    return cat([slow, lateral], { dim: 1 })
  }
}

/** A layer of each pathway, then their fusion. */
class Pathways extends Module {
  readonly multipathwayBlocks: ModuleList<Layer>
  readonly multipathwayFusion: FastToSlow | null

  constructor(slow: Layer, fast: Layer, fusion: FastToSlow | null) {
    super()
    this.multipathwayBlocks = new ModuleList<Layer>([slow, fast])
    this.multipathwayFusion = fusion
  }

  forward(slow: Tensor, fast: Tensor): [slow: Tensor, fast: Tensor] {
    const s = this.multipathwayBlocks.at(0).forward(slow)
    const f = this.multipathwayBlocks.at(1).forward(fast)
    return [this.multipathwayFusion?.forward(s, f) ?? s, f]
  }
}

export interface SlowFastOptions {
  /** Default 400. */
  readonly numClasses?: number
  /** Share of the values that are dropped before the classifier in training; default 0.5. */
  readonly dropout?: number
  /** Windows of the last pools of both pathways; default 8 × 7 × 7 and 32 × 7 × 7. */
  readonly headPoolKernelSizes?: readonly [slow: Triple, fast: Triple]
}

/**
 * Two pathways, one with few frames and many channels, one the other way round (Feichtenhofer, Fan, Malik, He, ICCV 2019).
 *
 * Shapes: slow `[N, 3, T, H, W]`, fast `[N, 3, 4 · T, H, W]` → logits `[N, numClasses]`.
 */
export class SlowFast extends Module {
  readonly blocks: ModuleList
  readonly #pathways: readonly Pathways[]
  readonly #pools: readonly [Layer, Layer]
  readonly #head: VideoHead

  constructor(depths: readonly number[], options: SlowFastOptions = {}) {
    super()
    const { numClasses = 400, dropout = 0.5, headPoolKernelSizes } = options
    const [slowWindow, fastWindow] =
      headPoolKernelSizes ??
      ([
        [8, 7, 7],
        [32, 7, 7],
      ] as const)
    const stems = new Pathways(stem(3, 64, [1, 7, 7], true), stem(3, 8, [5, 7, 7], true), new FastToSlow(8))
    const stages = depths.map((depth, i) => {
      const step = i === 0 ? 1 : 2
      const stride = [1, step, step] as const
      const [inner, from] = [64 * 2 ** i, i === 0 ? 64 : 128 * 2 ** i]
      const slowKernel = i < 2 ? 1 : 3
      return new Pathways(
        stage({ depth, from: from + from / 4, inner, timeKernels: [slowKernel], stride, middle: spatial }),
        stage({ depth, from: from / 8, inner: inner / 8, timeKernels: [3], stride, middle: spatial }),
        i === depths.length - 1 ? null : new FastToSlow(inner / 2),
      )
    })
    this.#pathways = [stems, ...stages]
    this.#pools = [windowMean(slowWindow), windowMean(fastWindow)]
    this.#head = new VideoHead(2048 + 256, numClasses, dropout, null)
    this.blocks = new ModuleList<Module>([...this.#pathways, new ModuleList(this.#pools), this.#head])
    resetVideoNetwork(this)
  }

  forward(slow: Tensor, fast: Tensor): Tensor {
    let pair: readonly [Tensor, Tensor] = [slow, fast]
    for (const pathways of this.#pathways) pair = pathways.forward(...pair)
    const pooled = [this.#pools[0].forward(pair[0]), this.#pools[1].forward(pair[1])]
    return this.#head.forward(cat(pooled, { dim: 1 }))
  }
}

/** A clip `[N, 3, T, H, W]` as the two pathways take it: every fourth frame, evenly spread from first to last, and all. */
export function packPathways(clip: Tensor): [slow: Tensor, fast: Tensor] {
  const frames = clip.size(2)
  if (clip.ndim !== 5 || frames < 4) {
    throw new ShapeError(
      `packPathways: the clip has shape [${clip.shape.join(', ')}]; it must be [N, 3, T, H, W] with 4 frames or more`,
    )
  }
  const count = Math.floor(frames / 4)
  const slow = tidy(() => {
    const step = count > 1 ? (frames - 1) / (count - 1) : 0
    const places = arange(count, { device: clip.device, dtype: 'float64' }).mul(step).floor().to('int64')
    return clip.indexSelect(2, places)
  })
  return [slow, clip]
}

const R50 = [3, 4, 6, 3]
const SPACE = [1, 2, 2, 2]
const STILL = [1, 1, 1, 1]

/** The slow pathway alone. */
export const slowR50 = (options?: VideoBottleneckNetOptions) =>
  new VideoBottleneckNet(
    {
      depths: R50,
      stemKernel: [1, 7, 7],
      stemPool: true,
      timePool: false,
      timeKernels: [[1], [1], [3], [3]],
      timeStrides: STILL,
      spaceStrides: SPACE,
      middle: spatial,
      headPool: [8, 7, 7],
    },
    options,
  )

/** ResNet-50 frame by frame, time only pooled. */
export const c2dR50 = (options?: VideoBottleneckNetOptions) =>
  new VideoBottleneckNet(
    {
      depths: R50,
      stemKernel: [1, 7, 7],
      stemPool: true,
      timePool: true,
      timeKernels: [[1], [1], [1], [1]],
      timeStrides: STILL,
      spaceStrides: SPACE,
      middle: spatial,
      headPool: [4, 7, 7],
    },
    options,
  )

/** ResNet-50 inflated in time (Carreira and Zisserman, CVPR 2017; Wang et al., CVPR 2018). */
export const i3dR50 = (options?: VideoBottleneckNetOptions) =>
  new VideoBottleneckNet(
    {
      depths: R50,
      stemKernel: [5, 7, 7],
      stemPool: true,
      timePool: true,
      timeKernels: [[3], [3, 1], [3, 1], [1, 3]],
      timeStrides: STILL,
      spaceStrides: SPACE,
      middle: spatial,
      headPool: [4, 7, 7],
    },
    options,
  )

/** Channel-separated convolutions (Tran, Wang, Torresani, Feiszli, ICCV 2019). */
export const csnR101 = (options?: VideoBottleneckNetOptions) =>
  new VideoBottleneckNet(
    {
      depths: [3, 4, 23, 3],
      stemKernel: [3, 7, 7],
      stemPool: true,
      timePool: false,
      timeKernels: [[1], [1], [1], [1]],
      timeStrides: SPACE,
      spaceStrides: SPACE,
      middle: separated,
      headPool: [4, 7, 7],
    },
    { dropout: 0, ...options },
  )

/** Time, then space, in bottlenecks (after Tran et al., CVPR 2018). */
export const r2plus1dR50 = (options?: VideoBottleneckNetOptions) =>
  new VideoBottleneckNet(
    {
      depths: R50,
      stemKernel: [1, 7, 7],
      stemPool: false,
      timePool: false,
      timeKernels: [[1], [1], [1], [1]],
      timeStrides: [1, 1, 2, 2],
      spaceStrides: [2, 2, 2, 2],
      middle: factored,
      headPool: [4, 7, 7],
    },
    options,
  )

/** SlowFast 8 × 8. */
export const slowfastR50 = (options?: SlowFastOptions) => new SlowFast(R50, options)

const task = 'video-classification' as const

export const VIDEO_BOTTLENECKS = {
  slow_r50: { create: slowR50, task, input: kineticsClips(8, 8, 256) },
  c2d_r50: { create: c2dR50, task, input: kineticsClips(8, 8, 256) },
  i3d_r50: { create: i3dR50, task, input: kineticsClips(8, 8, 256) },
  csn_r101: { create: csnR101, task, input: kineticsClips(32, 2, 256) },
  r2plus1d_r50: { create: r2plus1dR50, task, input: kineticsClips(16, 4, 256) },
} as const satisfies Readonly<Record<string, NetworkEntry<VideoBottleneckNetOptions>>>

export const SLOWFASTS = {
  slowfast_r50: { create: slowfastR50, task, input: kineticsClips(32, 2, 256) },
} as const satisfies Readonly<Record<string, NetworkEntry<SlowFastOptions>>>
