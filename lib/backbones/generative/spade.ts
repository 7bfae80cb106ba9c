// SPADE: normalisation whose scale and shift come from a segmentation, and the generator made of it (GauGAN).
import { ArgumentError, ShapeError } from '../../native/errors'
import {
  BatchNorm2d,
  Conv2d,
  InstanceNorm2d,
  type Layer,
  Linear,
  Module,
  ReLU,
  Sequential,
  spectralNorm,
} from '../../nn'
import { interpolate, leakyRelu } from '../../nn/functional'
import { oneOf } from '../../nn/options'
import type { Tensor } from '../../tensor'
import type { NetworkEntry } from '../network'
import { checkCounts, initialiseXavier } from './gan-layers'

export interface SpadeOptions {
  /** The norm under it; default `'batch'`. */
  readonly norm?: 'batch' | 'instance'
  /** Default 3. */
  readonly kernelSize?: number
  /** Channels between segmentation and scale; default 128. */
  readonly hidden?: number
}

/**
 * Spatially-adaptive normalisation (Park, Liu, Wang, Zhu, "Semantic Image Synthesis with Spatially-Adaptive
 * Normalization", CVPR 2019): `γ(s)` and `β(s)` for every place of the segmentation s.
 *
 * Shapes: x `[N, channels, H, W]`, segmentation `[N, semanticChannels, …]` of any size → x's.
 */
export class SPADE extends Module {
  readonly paramFreeNorm: Layer
  readonly mlpShared: Sequential
  readonly mlpGamma: Conv2d
  readonly mlpBeta: Conv2d

  constructor(
    readonly channels: number,
    readonly semanticChannels: number,
    { norm = 'batch', kernelSize = 3, hidden = 128 }: SpadeOptions = {},
  ) {
    super()
    checkCounts('SPADE', { channels, semanticChannels, kernelSize, hidden })
    oneOf('SPADE: norm', norm, ['batch', 'instance'])
    const shape = { padding: Math.floor(kernelSize / 2) }
    this.paramFreeNorm = norm === 'batch' ? new BatchNorm2d(channels, { affine: false }) : new InstanceNorm2d(channels)
    this.mlpShared = new Sequential(new Conv2d(semanticChannels, hidden, kernelSize, shape), new ReLU())
    this.mlpGamma = new Conv2d(hidden, channels, kernelSize, shape)
    this.mlpBeta = new Conv2d(hidden, channels, kernelSize, shape)
  }

  forward(x: Tensor, segmentation: Tensor): Tensor {
    const map = this.mlpShared.forward(interpolate(segmentation, { size: x.shape.slice(2), mode: 'nearest' }))
    const normalized = this.paramFreeNorm.forward(x)
    return normalized.mul(this.mlpGamma.forward(map).add(1)).add(this.mlpBeta.forward(map))
  }
}

export interface SpadeBlockOptions extends SpadeOptions {
  /** Spectral norm of the convolutions; default true. */
  readonly spectral?: boolean
}

/** Residual block whose norms see the segmentation. Shapes as `SPADE`'s, with `outChannels` at the end. */
export class SPADEResnetBlock extends Module {
  readonly conv_0: Conv2d
  readonly conv_1: Conv2d
  readonly conv_s: Conv2d | null
  readonly norm_0: SPADE
  readonly norm_1: SPADE
  readonly norm_s: SPADE | null

  constructor(
    inChannels: number,
    outChannels: number,
    semanticChannels: number,
    { spectral = true, ...spade }: SpadeBlockOptions = {},
  ) {
    super()
    const middle = Math.min(inChannels, outChannels)
    const learnt = inChannels !== outChannels
    const normed = (conv: Conv2d) => (spectral ? spectralNorm(conv) : conv)
    this.conv_0 = normed(new Conv2d(inChannels, middle, 3, { padding: 1 }))
    this.conv_1 = normed(new Conv2d(middle, outChannels, 3, { padding: 1 }))
    this.conv_s = learnt ? normed(new Conv2d(inChannels, outChannels, 1, { bias: false })) : null
    this.norm_0 = new SPADE(inChannels, semanticChannels, spade)
    this.norm_1 = new SPADE(middle, semanticChannels, spade)
    this.norm_s = learnt ? new SPADE(inChannels, semanticChannels, spade) : null
  }

  forward(x: Tensor, segmentation: Tensor): Tensor {
    const shortcut = this.conv_s && this.norm_s ? this.conv_s.forward(this.norm_s.forward(x, segmentation)) : x
    const y = this.conv_0.forward(active(this.norm_0.forward(x, segmentation)))
    return shortcut.add(this.conv_1.forward(active(this.norm_1.forward(y, segmentation))))
  }
}

const active = (x: Tensor) => leakyRelu(x, { negativeSlope: 0.2 })

/** How often each choice doubles the size. */
const DOUBLINGS = { normal: 5, more: 6, most: 7 } as const

export interface SPADEGeneratorOptions extends SpadeBlockOptions {
  /** Channels of the segmentation: one for each label, and one of instance borders where they are known. */
  readonly semanticChannels?: number
  /** Channels of the last block; default 64. */
  readonly width?: number
  /** Width of the images; default 256. */
  readonly size?: number
  /** Width over height; default 1. */
  readonly aspectRatio?: number
  /** Doublings of the size: 5, 6 or 7. Default `'normal'`. */
  readonly upsampling?: keyof typeof DOUBLINGS
  /** Length of a latent vector from which painting begins, in place of the small segmentation; none unless stated. */
  readonly zDim?: number | null
}

/**
 * The generator of SPADE, known as GauGAN.
 *
 * Shapes: segmentation `[N, semanticChannels, H, W]` (and z `[N, zDim]`) → images `[N, 3, size / aspectRatio, size]` in
 * [−1, 1].
 */
export class SPADEGenerator extends Module {
  readonly fc: Conv2d | Linear
  readonly head_0: SPADEResnetBlock
  readonly G_middle_0: SPADEResnetBlock
  readonly G_middle_1: SPADEResnetBlock
  readonly up_0: SPADEResnetBlock
  readonly up_1: SPADEResnetBlock
  readonly up_2: SPADEResnetBlock
  readonly up_3: SPADEResnetBlock
  readonly up_4: SPADEResnetBlock | null
  readonly conv_img: Conv2d
  readonly semanticChannels: number
  readonly upsampling: keyof typeof DOUBLINGS
  /** Of the smallest maps. */
  readonly start: readonly [height: number, width: number]

  constructor(options: SPADEGeneratorOptions = {}) {
    super()
    const {
      semanticChannels = 184,
      width = 64,
      size = 256,
      aspectRatio = 1,
      upsampling = 'normal',
      zDim = null,
    } = options
    const { norm, kernelSize, hidden, spectral } = options
    checkCounts('SPADEGenerator', { semanticChannels, width, size, ...(zDim !== null && { zDim }) })
    oneOf('SPADEGenerator: upsampling', upsampling, ['normal', 'more', 'most'])
    this.semanticChannels = semanticChannels
    this.upsampling = upsampling
    this.start = startOf(size, aspectRatio, upsampling)
    const block = (inChannels: number, outChannels: number) =>
      new SPADEResnetBlock(inChannels, outChannels, semanticChannels, { norm, kernelSize, hidden, spectral })
    const [height, across] = this.start
    this.fc =
      zDim === null
        ? new Conv2d(semanticChannels, 16 * width, 3, { padding: 1 })
        : new Linear(zDim, 16 * width * height * across)
    this.head_0 = block(16 * width, 16 * width)
    this.G_middle_0 = block(16 * width, 16 * width)
    this.G_middle_1 = block(16 * width, 16 * width)
    this.up_0 = block(16 * width, 8 * width)
    this.up_1 = block(8 * width, 4 * width)
    this.up_2 = block(4 * width, 2 * width)
    this.up_3 = block(2 * width, width)
    const last = upsampling === 'most' ? Math.floor(width / 2) : width
    this.up_4 = upsampling === 'most' ? block(width, last) : null
    this.conv_img = new Conv2d(last, 3, 3, { padding: 1 })
    initialiseXavier(this)
  }

  /** @throws ShapeError for a segmentation of other channels, or a latent vector missing or of another length */
  forward(segmentation: Tensor, z: Tensor | null = null): Tensor {
    if (segmentation.ndim !== 4 || segmentation.size(1) !== this.semanticChannels) {
      throw new ShapeError(
        `SPADEGenerator: the segmentation has shape [${segmentation.shape}]; it must be [N, ${this.semanticChannels}, H, W]: one channel for each label, 1 where it is`,
      )
    }
    const { upsampling } = this
    let x = this.head_0.forward(this.#begin(segmentation, z), segmentation)
    x = this.G_middle_0.forward(doubled(x), segmentation)
    x = this.G_middle_1.forward(upsampling === 'normal' ? x : doubled(x), segmentation)
    for (const block of [this.up_0, this.up_1, this.up_2, this.up_3, this.up_4]) {
      if (block) x = block.forward(doubled(x), segmentation)
    }
    return this.conv_img.forward(active(x)).tanh()
  }

  #begin(segmentation: Tensor, z: Tensor | null): Tensor {
    const { fc, start } = this
    if (fc instanceof Conv2d) return fc.forward(interpolate(segmentation, { size: start, mode: 'nearest' }))
    if (z?.ndim === 2 && z.size(0) === segmentation.size(0) && z.size(1) === fc.inFeatures) {
      return fc.forward(z).reshape([z.size(0), -1, ...start])
    }
    throw new ShapeError(
      `SPADEGenerator: z ${z ? `has shape [${z.shape}]` : 'is not given'}; it must be [${segmentation.size(0)}, ${fc.inFeatures}]`,
    )
  }
}

const doubled = (x: Tensor) => interpolate(x, { scaleFactor: 2, mode: 'nearest' })

function startOf(size: number, aspectRatio: number, upsampling: keyof typeof DOUBLINGS): readonly [number, number] {
  const across = size / 2 ** DOUBLINGS[upsampling]
  const down = across / aspectRatio
  if (Number.isInteger(across) && Number.isInteger(down) && down > 0) return [down, across]
  throw new ArgumentError(
    `SPADEGenerator: images of ${size} × ${size / aspectRatio} do not divide by ${2 ** DOUBLINGS[upsampling]}, as upsampling '${upsampling}' needs; choose another size`,
  )
}

export const spadeCoco = (options: SPADEGeneratorOptions = {}) =>
  new SPADEGenerator({ semanticChannels: 184, ...options })
export const spadeAde20k = (options: SPADEGeneratorOptions = {}) =>
  new SPADEGenerator({ semanticChannels: 151, ...options })
export const spadeCityscapes = (options: SPADEGeneratorOptions = {}) =>
  new SPADEGenerator({ semanticChannels: 36, size: 512, aspectRatio: 2, upsampling: 'more', ...options })

export const SPADES = {
  spade_coco: { create: spadeCoco, task: 'image-generation', input: { kind: 'segmentation' } },
  spade_ade20k: { create: spadeAde20k, task: 'image-generation', input: { kind: 'segmentation' } },
  spade_cityscapes: { create: spadeCityscapes, task: 'image-generation', input: { kind: 'segmentation' } },
} as const satisfies Readonly<Record<string, NetworkEntry<SPADEGeneratorOptions>>>
