// SlowOnly, C2D, I3D, CSN and R(2+1)D on ResNet's plan, with PyTorchVideo's names.
import { type Layer, MaxPool3d, Module, ModuleList } from '../nn'
import type { Tensor } from '../tensor'
import type { NetworkEntry } from './network'
import {
  FactoredConv,
  paddedConv,
  resetVideoNetwork,
  type StagePlan,
  spatialConv,
  type Triple,
  VideoHead,
  videoStage,
  videoStem,
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
  readonly middle: StagePlan['middle']
  readonly headPool: Triple
}

const separated = (channels: number, stride: Triple): Layer =>
  paddedConv(channels, channels, [3, 3, 3], stride, channels)
const factored = (channels: number, [time, height, width]: Triple): Layer =>
  new FactoredConv(
    paddedConv(channels, channels, [3, 1, 1], [time, 1, 1]),
    paddedConv(channels, channels, [1, 3, 3], [1, height, width]),
  )

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
    this.blocks = new ModuleList<Layer>([videoStem(3, 64, plan.stemKernel, plan.stemPool)])
    for (const [i, depth] of plan.depths.entries()) {
      const step = plan.spaceStrides[i] ?? 1
      const stride = [plan.timeStrides[i] ?? 1, step, step] as const
      const [inner, from] = [64 * 2 ** i, i === 0 ? 64 : 128 * 2 ** i]
      this.blocks.append(
        videoStage({ depth, from, inner, timeKernels: plan.timeKernels[i] ?? [1], stride, middle: plan.middle }),
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

const R50 = [3, 4, 6, 3]
const SPACE = [1, 2, 2, 2]
const STILL = [1, 1, 1, 1]

/** SlowOnly: the slow pathway of SlowFast alone, 8 frames. */
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
      middle: spatialConv,
      headPool: [8, 7, 7],
    },
    options,
  )

/** SlowOnly of 4 frames, 16 apart: the tensors of `slowR50`. */
export const slowR50_4x16 = (options?: VideoBottleneckNetOptions) =>
  slowR50({ headPoolKernelSize: [4, 7, 7], ...options })

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
      middle: spatialConv,
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
      middle: spatialConv,
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

const task = 'video-classification' as const

export const VIDEO_BOTTLENECKS = {
  slow_r50: { create: slowR50, task, input: kineticsClips(8, 8, 256) },
  slow_r50_4x16: { create: slowR50_4x16, task, input: kineticsClips(4, 16, 256) },
  c2d_r50: { create: c2dR50, task, input: kineticsClips(8, 8, 256) },
  i3d_r50: { create: i3dR50, task, input: kineticsClips(8, 8, 256) },
  csn_r101: { create: csnR101, task, input: kineticsClips(32, 2, 256) },
  r2plus1d_r50: { create: r2plus1dR50, task, input: kineticsClips(16, 4, 256) },
} as const satisfies Readonly<Record<string, NetworkEntry<VideoBottleneckNetOptions>>>
