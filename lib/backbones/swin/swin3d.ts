// Video Swin with torchvision's names.
import { ShapeError } from '../../native/errors'
import { AdaptiveAvgPool3d, Conv3d, Dropout, type Layer, LayerNorm, Linear, Module, Sequential } from '../../nn'
import { constantPadNd, type Tensor } from '../../tensor'
import { IMAGENET_224, type NetworkEntry } from '../network'
import { PatchMerging, resetSwin, SwinBlock } from './blocks'
import type { SwinOptions, SwinSize } from './swin'
import type { Extent } from './windows'

export interface Swin3dOptions extends Omit<SwinOptions, 'windowSize'> {
  /** Frames, height and width of the windows, in patches. Default [8, 7, 7]. */
  readonly windowSize?: readonly [frames: number, height: number, width: number]
  /** Frames, height and width of a patch. Default [2, 4, 4]. */
  readonly patchSize?: readonly [frames: number, height: number, width: number]
}

/** Patches of a video, filled up at its ends: `[N, 3, T, H, W]` → `[N, T', H', W', C]`. */
export class PatchEmbed3d extends Module {
  readonly proj: Conv3d
  readonly norm: Layer

  constructor(
    readonly patchSize: readonly [number, number, number],
    channels: number,
    norm: (channels: number) => Layer,
  ) {
    super()
    this.proj = new Conv3d(3, channels, [...patchSize], { stride: [...patchSize] })
    this.norm = norm(channels)
  }

  forward(input: Tensor): Tensor {
    if (input.ndim !== 5) {
      throw new ShapeError(
        `SwinTransformer3d: the input is [${input.shape.join(', ')}]; expected videos [N, 3, T, H, W]`,
      )
    }
    const [t, h, w] = this.patchSize.map((length, i) => (length - (input.size(i + 2) % length)) % length)
    const filled = t || h || w ? constantPadNd(input, [0, w ?? 0, 0, h ?? 0, 0, t ?? 0]) : input
    return this.norm.forward(this.proj.forward(filled).permute([0, 2, 3, 4, 1]))
  }
}

/**
 * Video Swin Transformer (Liu et al., CVPR 2022).
 *
 * Shapes: `[N, 3, T, H, W]` of any size → `[N, numClasses]`.
 */
export class SwinTransformer3d extends Module {
  readonly patchEmbed: PatchEmbed3d
  readonly posDrop: Dropout
  readonly features: Sequential
  readonly norm: Layer
  readonly avgpool = new AdaptiveAvgPool3d(1)
  readonly head: Linear

  constructor({ channels, depths, heads }: SwinSize, options: Swin3dOptions = {}) {
    super()
    const { numClasses = 400, mlpRatio = 4, dropout = 0, attentionDropout = 0, stochasticDepthProb = 0.1 } = options
    const { windowSize = [8, 7, 7], patchSize = [2, 4, 4] } = options
    const { normLayer: norm = (width) => new LayerNorm(width) } = options
    const window: Extent = windowSize
    const shared = { window, mlpRatio, dropout, attentionDropout, norm, version: 1 } as const
    const blocks = depths.reduce((sum, depth) => sum + depth, 0)
    this.patchEmbed = new PatchEmbed3d(patchSize, channels, norm)
    this.posDrop = new Dropout({ p: dropout })
    this.features = new Sequential()
    let made = 0
    for (const [stage, depth] of depths.entries()) {
      const width = channels * 2 ** stage
      if (stage > 0) this.features.append(new PatchMerging(width / 2, norm, 1))
      const layers = Array.from({ length: depth }, (_, i) => {
        const shift = window.map((length) => (i % 2 === 0 ? 0 : Math.floor(length / 2)))
        const stochasticDepth = (stochasticDepthProb * made++) / (blocks - 1)
        return new SwinBlock(width, heads[stage] ?? 1, { ...shared, shift, stochasticDepth })
      })
      this.features.append(new Sequential(...layers))
    }
    const width = channels * 2 ** (depths.length - 1)
    this.norm = norm(width)
    this.head = new Linear(width, numClasses)
    resetSwin(this)
  }

  forward(input: Tensor): Tensor {
    const x = this.features.forward(this.posDrop.forward(this.patchEmbed.forward(input)))
    const pooled = this.avgpool.forward(this.norm.forward(x).permute([0, 4, 1, 2, 3]))
    return this.head.forward(pooled.flatten({ startDim: 1 }))
  }
}

const make =
  (size: SwinSize) =>
  (options?: Swin3dOptions): SwinTransformer3d =>
    new SwinTransformer3d(size, options)

export const swin3dT = make({ channels: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24] })
export const swin3dS = make({ channels: 96, depths: [2, 2, 18, 2], heads: [3, 6, 12, 24] })
export const swin3dB = make({ channels: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32] })

const classifier = {
  task: 'video-classification',
  input: { ...IMAGENET_224, kind: 'video', frames: 32, frameStep: 2 },
  features: 'avgpool',
} as const

export const SWINS_3D = {
  swin3d_t: { create: swin3dT, ...classifier },
  swin3d_s: { create: swin3dS, ...classifier },
  swin3d_b: { create: swin3dB, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<Swin3dOptions>>>
