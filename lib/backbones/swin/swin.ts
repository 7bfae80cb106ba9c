// Swin and Swin V2 for images, with torchvision's names; timm's are the same network (layouts/swin.ts).
import { AdaptiveAvgPool2d, Conv2d, type Layer, LayerNorm, Linear, Module, Sequential } from '../../nn'
import type { Tensor } from '../../tensor'
import { IMAGENET_224, type NetworkEntry } from '../network'
import { PatchMerging, resetSwin, SwinBlock } from './blocks'

export interface SwinOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Side of the windows, in patches. Default 7, 8 for V2. */
  readonly windowSize?: number
  /** Width of the MLP over the channels. Default 4. */
  readonly mlpRatio?: number
  /** Default 0. */
  readonly dropout?: number
  /** Of the attention weights. Default 0. */
  readonly attentionDropout?: number
  /** Probability of leaving out the last block, in training; it grows from 0. Default: as published. */
  readonly stochasticDepthProb?: number
  /** Makes the layer norms. Default: with an eps of 1e-5. */
  readonly normLayer?: (channels: number) => Layer
}

export interface SwinSize {
  readonly channels: number
  readonly depths: readonly number[]
  readonly heads: readonly number[]
}

/** Pictures `[N, C, H, W]` with the channels last. */
class ChannelsLast extends Module {
  forward(input: Tensor): Tensor {
    return input.permute([0, 2, 3, 1])
  }
}

/**
 * Swin Transformer (Liu et al., ICCV 2021; V2 Liu et al., CVPR 2022).
 *
 * Shapes: `[N, 3, H, W]` of any size → `[N, numClasses]`; `features` gives `[N, ⌈H / 32⌉, ⌈W / 32⌉, channels]`.
 */
export class SwinTransformer extends Module {
  readonly features: Sequential
  readonly norm: Layer
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly head: Linear

  constructor(
    readonly version: 1 | 2,
    { channels, depths, heads }: SwinSize,
    options: SwinOptions = {},
  ) {
    super()
    const { numClasses = 1000, windowSize = version === 1 ? 7 : 8, mlpRatio = 4, stochasticDepthProb = 0 } = options
    const { dropout = 0, attentionDropout = 0, normLayer: norm = (width) => new LayerNorm(width) } = options
    const shared = { window: [windowSize, windowSize], mlpRatio, dropout, attentionDropout, norm, version }
    const blocks = depths.reduce((sum, depth) => sum + depth, 0)
    const stem = new Sequential(new Conv2d(3, channels, 4, { stride: 4 }), new ChannelsLast(), norm(channels))
    this.features = new Sequential(stem)
    let made = 0
    for (const [stage, depth] of depths.entries()) {
      const width = channels * 2 ** stage
      if (stage > 0) this.features.append(new PatchMerging(width / 2, norm, version))
      const layers = Array.from({ length: depth }, (_, i) => {
        const shift = i % 2 === 0 ? 0 : Math.floor(windowSize / 2)
        const stochasticDepth = (stochasticDepthProb * made++) / (blocks - 1)
        return new SwinBlock(width, heads[stage] ?? 1, { ...shared, shift: [shift, shift], stochasticDepth })
      })
      this.features.append(new Sequential(...layers))
    }
    const width = channels * 2 ** (depths.length - 1)
    this.norm = norm(width)
    this.head = new Linear(width, numClasses)
    resetSwin(this)
  }

  forward(input: Tensor): Tensor {
    const x = this.norm.forward(this.features.forward(input)).permute([0, 3, 1, 2])
    return this.head.forward(this.avgpool.forward(x).flatten({ startDim: 1 }))
  }
}

const TINY = { channels: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24] }
const SMALL = { channels: 96, depths: [2, 2, 18, 2], heads: [3, 6, 12, 24] }
const BASE = { channels: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32] }

const make =
  (version: 1 | 2, size: SwinSize, stochasticDepthProb: number) =>
  (options?: SwinOptions): SwinTransformer =>
    new SwinTransformer(version, size, { stochasticDepthProb, ...options })

export const swinT = make(1, TINY, 0.2)
export const swinS = make(1, SMALL, 0.3)
export const swinB = make(1, BASE, 0.5)
export const swinV2T = make(2, TINY, 0.2)
export const swinV2S = make(2, SMALL, 0.3)
export const swinV2B = make(2, BASE, 0.5)
/** timm trains them with less stochastic depth. */
export const swinTinyPatch4Window7_224 = make(1, TINY, 0.1)
export const swinBasePatch4Window7_224 = make(1, BASE, 0.1)

const input = (resize: number, side: number) =>
  ({ ...IMAGENET_224, resize, crop: [side, side], interpolation: 'bicubic' }) as const
const classifier = { task: 'image-classification', features: 'avgpool' } as const

export const SWINS = {
  swin_t: { create: swinT, ...classifier, input: input(232, 224) },
  swin_s: { create: swinS, ...classifier, input: input(246, 224) },
  swin_b: { create: swinB, ...classifier, input: input(238, 224) },
  swin_v2_t: { create: swinV2T, ...classifier, input: input(260, 256) },
  swin_v2_s: { create: swinV2S, ...classifier, input: input(260, 256) },
  swin_v2_b: { create: swinV2B, ...classifier, input: input(272, 256) },
  swin_tiny_patch4_window7_224: { create: swinTinyPatch4Window7_224, ...classifier, input: input(248, 224) },
  swin_base_patch4_window7_224: { create: swinBasePatch4Window7_224, ...classifier, input: input(248, 224) },
} as const satisfies Readonly<Record<string, NetworkEntry<SwinOptions>>>
