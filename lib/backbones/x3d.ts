// X3D with PyTorchVideo's names.
import { BatchNorm3d, Conv3d, Identity, type Layer, Module, ModuleList, ReLU, Sequential, Sigmoid, SiLU } from '../nn'
import type { Tensor } from '../tensor'
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

export interface X3DOptions {
  /** Default 400. */
  readonly numClasses?: number
  /** Share of the values that are dropped before the classifier in training; default 0.5. */
  readonly dropout?: number
  /** Frames of the clips: those of the published network unless given. */
  readonly inputClipLength?: number
  /** Side of the frames in pixels: that of the published network unless given. */
  readonly inputCropSize?: number
  /** By which the stages' depths 1, 2, 5 and 3 are multiplied, and rounded up; default 2.2. */
  readonly depthFactor?: number
}

/** Weighs channels by what all places together say (Hu et al., CVPR 2018). */
class SqueezeExcitation3d extends Module {
  readonly block: Sequential

  constructor(channels: number) {
    super()
    const reduced = roundToEight(channels / 16)
    this.block = new Sequential(
      new Conv3d(channels, reduced, 1),
      new ReLU(),
      new Conv3d(reduced, channels, 1),
      new Sigmoid(),
    )
  }

  forward(clip: Tensor): Tensor {
    return clip.mul(this.block.forward(clip.mean({ dim: [2, 3, 4], keepdim: true })))
  }
}

/** The nearest multiple of eight, at least eight, but not a tenth less than the width itself. */
function roundToEight(width: number): number {
  const rounded = Math.max(8, Math.floor((width + 4) / 8) * 8)
  return rounded < 0.9 * width ? rounded + 8 : rounded
}

/** Widened before the pool, and again after it. */
class ProjectedPool extends Module {
  readonly preConv: Conv3d
  readonly preNorm: BatchNorm3d
  readonly preAct = new ReLU()
  readonly pool: Layer
  readonly postConv: Conv3d
  readonly postAct = new ReLU()

  constructor(from: number, inner: number, to: number, window: Triple) {
    super()
    this.preConv = paddedConv(from, inner, [1, 1, 1])
    this.preNorm = new BatchNorm3d(inner)
    this.pool = windowMean(window)
    this.postConv = paddedConv(inner, to, [1, 1, 1])
  }

  forward(clip: Tensor): Tensor {
    const x = this.preAct.forward(this.preNorm.forward(this.preConv.forward(clip)))
    return this.postAct.forward(this.postConv.forward(this.pool.forward(x)))
  }
}

/** Channels of the four stages, and the depths of the smallest network, before they are multiplied (Table 3). */
const STAGES = [
  { to: 24, depth: 1 },
  { to: 48, depth: 2 },
  { to: 96, depth: 5 },
  { to: 192, depth: 3 },
] as const

/**
 * Expanded 3D network (Feichtenhofer, CVPR 2020).
 *
 * Shapes: `[N, 3, T, H, W]`, T and H and W at least those of the options → logits `[N, numClasses]`.
 */
export class X3D extends Module {
  readonly blocks: ModuleList<Layer>

  constructor(options: Required<Pick<X3DOptions, 'inputClipLength' | 'inputCropSize'>> & X3DOptions) {
    super()
    const { numClasses = 400, dropout = 0.5, inputClipLength, inputCropSize, depthFactor = 2.2 } = options
    const stemConv = new FactoredConv(
      paddedConv(3, 24, [1, 3, 3], [1, 2, 2]),
      paddedConv(24, 24, [5, 1, 1], [1, 1, 1], 24),
      { norm: false },
    )
    this.blocks = new ModuleList<Layer>([new VideoStem(stemConv, 24, null)])
    let from = 24
    for (const { to, depth } of STAGES) {
      const first = from
      const length = Math.ceil(depth * depthFactor)
      this.blocks.append(new VideoStage(Array.from({ length }, (_, i) => block(i === 0 ? first : to, to, i))))
      from = to
    }
    const side = Math.ceil(inputCropSize / 32)
    const pool = new ProjectedPool(192, 432, 2048, [inputClipLength, side, side])
    this.blocks.append(new VideoHead(2048, numClasses, dropout, pool))
    resetVideoNetwork(this)
  }

  forward(clip: Tensor): Tensor {
    let x = clip
    for (const layer of this.blocks) x = layer.forward(x)
    return x
  }
}

/** Convolutions of each channel by itself; every second block weighs channels. */
function block(from: number, to: number, index: number): VideoBottleneck {
  const inner = Math.trunc(2.25 * to)
  const stride: Triple = index === 0 ? [1, 2, 2] : [1, 1, 1]
  const weighs = index % 2 === 0 ? new SqueezeExcitation3d(inner) : new Identity()
  const plan = {
    from,
    inner,
    to,
    kernelA: [1, 1, 1] as const,
    convB: paddedConv(inner, inner, [3, 3, 3], stride, inner),
    normB: new Sequential(new BatchNorm3d(inner), weighs),
    actB: new SiLU(),
  }
  return new VideoBottleneck(plan, stride)
}

/** 4 frames of 160 × 160. */
export const x3dXs = (options?: X3DOptions) => new X3D({ inputClipLength: 4, inputCropSize: 160, ...options })
/** 13 frames of 160 × 160. */
export const x3dS = (options?: X3DOptions) => new X3D({ inputClipLength: 13, inputCropSize: 160, ...options })
/** 16 frames of 224 × 224. */
export const x3dM = (options?: X3DOptions) => new X3D({ inputClipLength: 16, inputCropSize: 224, ...options })
/** 16 frames of 312 × 312, more than twice as deep as the others. */
export const x3dL = (options?: X3DOptions) =>
  new X3D({ inputClipLength: 16, inputCropSize: 312, depthFactor: 5, ...options })

export const X3DS = {
  x3d_xs: { create: x3dXs, task: 'video-classification', input: kineticsClips(4, 12, 182) },
  x3d_s: { create: x3dS, task: 'video-classification', input: kineticsClips(13, 6, 182) },
  x3d_m: { create: x3dM, task: 'video-classification', input: kineticsClips(16, 5, 256) },
  x3d_l: { create: x3dL, task: 'video-classification', input: kineticsClips(16, 5, 356) },
} as const satisfies Readonly<Record<string, NetworkEntry<X3DOptions>>>
