// SlowFast with PyTorchVideo's names.
import { ArgumentError, ShapeError } from '../native/errors'
import { BatchNorm3d, type Conv3d, type Layer, Module, ModuleList } from '../nn'
import { arange, cat, type Tensor, tidy } from '../tensor'
import type { NetworkEntry } from './network'
import {
  paddedConv,
  resetVideoNetwork,
  spatialConv,
  type Triple,
  VideoHead,
  videoStage,
  videoStem,
  windowMean,
} from './video-bottleneck'
import { kineticsClips } from './video-input'

/** Brings the fast pathway's features to the slow one: a convolution in time, as far apart as the slow one's frames. */
class FastToSlow extends Module {
  readonly convFastToSlow: Conv3d
  readonly norm: BatchNorm3d
  readonly ratio: number

  constructor(channels: number, kernel: number, ratio: number) {
    super()
    const to = 2 * channels
    this.convFastToSlow = paddedConv(channels, to, [kernel, 1, 1], [ratio, 1, 1])
    this.norm = new BatchNorm3d(to)
    this.ratio = ratio
  }

  forward(slow: Tensor, fast: Tensor): Tensor {
    const lateral = this.norm.forward(this.convFastToSlow.forward(fast)).relu()
    if (lateral.size(2) !== slow.size(2)) {
      throw new ShapeError(
        `SlowFast: the slow pathway has ${slow.size(2)} frames, the fast one ${fast.size(2)}; the fast one must have ${this.ratio} times as many: see packPathways`,
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
  /** Windows of the last pools of both pathways; those of the published network unless given, such as 8 × 7 × 7 and 32 × 7 × 7. */
  readonly headPoolKernelSizes?: readonly [slow: Triple, fast: Triple]
}

/** What distinguishes the published networks. */
export interface SlowFastPlan {
  /** Blocks of the four stages. */
  readonly depths: readonly number[]
  /** Frames of a clip for the slow pathway. */
  readonly frames: number
  /** How many times as many the fast one has (the paper's α). */
  readonly ratio: number
  /** Frames that a value of the fast pathway gathers on its way to the slow one. */
  readonly fusionKernel: number
  /** Kernels in time of each stage's blocks, repeated along them, of the slow pathway and of the fast one. */
  readonly timeKernels: readonly [slow: readonly (readonly number[])[], fast: readonly (readonly number[])[]]
}

/**
 * Two pathways, one with few frames and many channels, one the other way round (Feichtenhofer, Fan, Malik, He, ICCV 2019).
 *
 * Shapes: slow `[N, 3, T, H, W]`, fast `[N, 3, ratio · T, H, W]` → logits `[N, numClasses]`.
 */
export class SlowFast extends Module {
  readonly blocks: ModuleList
  readonly #pathways: readonly Pathways[]
  readonly #pools: readonly [Layer, Layer]
  readonly #head: VideoHead

  constructor({ depths, frames, ratio, fusionKernel, timeKernels }: SlowFastPlan, options: SlowFastOptions = {}) {
    super()
    const { numClasses = 400, dropout = 0.5, headPoolKernelSizes } = options
    const fusion = (channels: number) => new FastToSlow(channels, fusionKernel, ratio)
    const stems = new Pathways(videoStem(3, 64, [1, 7, 7], true), videoStem(3, 8, [5, 7, 7], true), fusion(8))
    const stages = depths.map((depth, i) => {
      const step = i === 0 ? 1 : 2
      const stride = [1, step, step] as const
      const [inner, from] = [64 * 2 ** i, i === 0 ? 64 : 128 * 2 ** i]
      const plan = { depth, stride, middle: spatialConv }
      const [slow, fast] = [timeKernels[0][i] ?? [1], timeKernels[1][i] ?? [1]]
      return new Pathways(
        videoStage({ ...plan, from: from + from / 4, inner, timeKernels: slow }),
        videoStage({ ...plan, from: from / 8, inner: inner / 8, timeKernels: fast }),
        i === depths.length - 1 ? null : fusion(inner / 2),
      )
    })
    this.#pathways = [stems, ...stages]
    const [slowWindow, fastWindow] = headPoolKernelSizes ?? [
      [frames, 7, 7],
      [frames * ratio, 7, 7],
    ]
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

/**
 * A clip `[N, 3, T, H, W]` as the two pathways take it: one frame of `ratio`, evenly spread from first to last, and all.
 *
 * @param ratio the network's; default 4, and 8 for `slowfastR50_4x16`
 */
export function packPathways(clip: Tensor, ratio = 4): [slow: Tensor, fast: Tensor] {
  if (!Number.isInteger(ratio) || ratio < 1) {
    throw new ArgumentError(`packPathways: the ratio is ${ratio}; it must be a whole number of 1 or more`)
  }
  if (clip.ndim !== 5 || clip.size(2) < ratio) {
    throw new ShapeError(
      `packPathways: the clip has shape [${clip.shape.join(', ')}]; it must be [N, 3, T, H, W] with ${ratio} frames or more`,
    )
  }
  const frames = clip.size(2)
  const count = Math.floor(frames / ratio)
  const slow = tidy(() => {
    const step = count > 1 ? (frames - 1) / (count - 1) : 0
    const places = arange(count, { device: clip.device, dtype: 'float64' }).mul(step).floor().to('int64')
    return clip.indexSelect(2, places)
  })
  return [slow, clip]
}

const R50 = [3, 4, 6, 3]
const R101 = [3, 4, 23, 3]
const KERNELS = [
  [[1], [1], [3], [3]],
  [[3], [3], [3], [3]],
] as const
/** The third stage of 23 blocks looks along time in its first 6 only, like the network of 50 layers that it began from. */
const FIRST_SIX = Array.from({ length: 23 }, (_, i) => (i < 6 ? 3 : 1))
const KERNELS_50_50 = [
  [[1], [1], FIRST_SIX, [3]],
  [[3], [3], FIRST_SIX, [3]],
] as const

/** SlowFast 8 × 8. */
export const slowfastR50 = (options?: SlowFastOptions) =>
  new SlowFast({ depths: R50, frames: 8, ratio: 4, fusionKernel: 7, timeKernels: KERNELS }, options)
/** SlowFast 4 × 16: 4 frames for the slow pathway, 32 for the fast one. */
export const slowfastR50_4x16 = (options?: SlowFastOptions) =>
  new SlowFast({ depths: R50, frames: 4, ratio: 8, fusionKernel: 5, timeKernels: KERNELS }, options)
/** SlowFast 8 × 8 of 101 layers. */
export const slowfastR101 = (options?: SlowFastOptions) =>
  new SlowFast({ depths: R101, frames: 8, ratio: 4, fusionKernel: 5, timeKernels: KERNELS }, options)
/** SlowFast 16 × 8 of 101 layers. */
export const slowfast16x8R101_50_50 = (options?: SlowFastOptions) =>
  new SlowFast({ depths: R101, frames: 16, ratio: 4, fusionKernel: 5, timeKernels: KERNELS_50_50 }, options)

const task = 'video-classification' as const

export const SLOWFASTS = {
  slowfast_r50: { create: slowfastR50, task, input: kineticsClips(32, 2, 256) },
  slowfast_r50_4x16: { create: slowfastR50_4x16, task, input: kineticsClips(32, 2, 256) },
  slowfast_r101: { create: slowfastR101, task, input: kineticsClips(32, 2, 256) },
  slowfast_16x8_r101_50_50: { create: slowfast16x8R101_50_50, task, input: kineticsClips(64, 2, 256) },
} as const satisfies Readonly<Record<string, NetworkEntry<SlowFastOptions>>>
