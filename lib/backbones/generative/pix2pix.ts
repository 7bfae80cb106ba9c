// Generators of pix2pix and CycleGAN, with the names of pytorch-CycleGAN-and-pix2pix.
import { ArgumentError, ShapeError } from '../../native/errors'
import {
  Conv2d,
  ConvTranspose2d,
  Dropout,
  type Layer,
  LeakyReLU,
  Module,
  ReflectionPad2d,
  ReLU,
  Sequential,
  Tanh,
} from '../../nn'
import { cat, type Tensor } from '../../tensor'
import type { NetworkEntry } from '../network'
import { checkCounts, type GanNorm, ganNorm, initialiseNormal } from './gan-layers'

export interface UnetGeneratorOptions {
  /** Default 3. */
  readonly inChannels?: number
  /** Default 3. */
  readonly outChannels?: number
  /** How often the size is halved: 8 for images of 256, 7 for 128; 5 or more. */
  readonly downs?: number
  /** Channels of the first layer; default 64. */
  readonly width?: number
  /** Default `'batch'`. */
  readonly norm?: GanNorm
  /** Dropout of a half in the blocks of `width · 8` channels but the innermost; default false. */
  readonly dropout?: boolean
}

interface BlockOptions {
  readonly norm: GanNorm
  readonly dropout?: boolean
  /** Of the input where it differs from the output. */
  readonly inputs?: number
}

/** A convolution of stride 2, what lies below, and the transposed convolution back, joined to the input. */
export class UnetSkipConnectionBlock extends Module {
  readonly model: Sequential
  readonly outermost: boolean

  /** @param below null for the innermost block */
  constructor(
    outer: number,
    inner: number,
    below: UnetSkipConnectionBlock | null,
    { norm, dropout = false, inputs }: BlockOptions,
  ) {
    super()
    this.outermost = inputs !== undefined
    const normed = (channels: number) => ganNorm('UnetGenerator', norm, channels)
    const bias = norm === 'instance'
    const shape = { stride: 2, padding: 1 }
    const down = new Conv2d(inputs ?? outer, inner, 4, { ...shape, bias })
    const up = new ConvTranspose2d(below ? inner * 2 : inner, outer, 4, { ...shape, bias: this.outermost || bias })
    const layers: Layer[] = this.outermost
      ? [down, ...(below ? [below] : []), new ReLU(), up, new Tanh()]
      : [
          new LeakyReLU({ negativeSlope: 0.2 }),
          down,
          ...(below ? [normed(inner), below] : []),
          new ReLU(),
          up,
          normed(outer),
          ...(dropout ? [new Dropout({ p: 0.5 })] : []),
        ]
    this.model = new Sequential(...layers)
  }

  forward(x: Tensor): Tensor {
    const y = this.model.forward(x)
    return this.outermost ? y : cat([x, y], { dim: 1 })
  }
}

/**
 * pix2pix's generator (Isola et al., CVPR 2017): a U-Net down to one pixel.
 *
 * Shapes: `[N, inChannels, H, W]` in [−1, 1] → `[N, outChannels, H, W]` in [−1, 1]; H and W are multiples of 2^downs.
 */
export class UnetGenerator extends Module {
  readonly model: UnetSkipConnectionBlock
  readonly downs: number

  constructor(options: UnetGeneratorOptions = {}) {
    super()
    const { inChannels = 3, outChannels = 3, downs = 8, width = 64, norm = 'batch', dropout = false } = options
    checkCounts('UnetGenerator', { inChannels, outChannels, width })
    if (!Number.isInteger(downs) || downs < 5) {
      throw new ArgumentError(`UnetGenerator: downs is ${downs}; it must be a whole number of 5 or more`)
    }
    this.downs = downs
    let block = new UnetSkipConnectionBlock(width * 8, width * 8, null, { norm })
    for (let i = 5; i < downs; i++) block = new UnetSkipConnectionBlock(width * 8, width * 8, block, { norm, dropout })
    for (const factor of [4, 2, 1]) {
      block = new UnetSkipConnectionBlock(width * factor, width * factor * 2, block, { norm })
    }
    this.model = new UnetSkipConnectionBlock(outChannels, width, block, { norm, inputs: inChannels })
    initialiseNormal(this)
  }

  /** @throws ShapeError when a side is no multiple of 2^downs */
  forward(images: Tensor): Tensor {
    checkMultiple('UnetGenerator', images, 2 ** this.downs)
    return this.model.forward(images)
  }
}

export interface ResnetGeneratorOptions {
  /** Default 3. */
  readonly inChannels?: number
  /** Default 3. */
  readonly outChannels?: number
  /** Channels of the first layer; default 64. */
  readonly width?: number
  /** Default `'instance'`. */
  readonly norm?: GanNorm
  /** Dropout of a half within the residual blocks; default false. */
  readonly dropout?: boolean
  /** Residual blocks: 9, the default, for images of 256, 6 for 128. */
  readonly blocks?: number
}

/** Two convolutions of mirrored borders around a shortcut. */
export class ResnetGeneratorBlock extends Module {
  readonly convBlock: Sequential

  constructor(channels: number, norm: GanNorm, dropout: boolean) {
    super()
    const conv = () => convNorm(new Conv2d(channels, channels, 3, { bias: norm === 'instance' }), channels, norm)
    this.convBlock = new Sequential(
      new ReflectionPad2d(1),
      ...conv(),
      new ReLU(),
      ...(dropout ? [new Dropout({ p: 0.5 })] : []),
      new ReflectionPad2d(1),
      ...conv(),
    )
  }

  forward(x: Tensor): Tensor {
    return x.add(this.convBlock.forward(x))
  }
}

function convNorm(conv: Layer, channels: number, norm: GanNorm): Layer[] {
  return [conv, ganNorm('ResnetGenerator', norm, channels)]
}

/**
 * CycleGAN's generator (Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
 * Networks", ICCV 2017; Johnson et al., ECCV 2016): residual blocks between two convolutions down and two up.
 *
 * Shapes: `[N, inChannels, H, W]` in [−1, 1] → `[N, outChannels, H, W]` in [−1, 1]; H and W are multiples of 4.
 */
export class ResnetGenerator extends Module {
  readonly model: Sequential

  constructor(options: ResnetGeneratorOptions = {}) {
    super()
    const { inChannels = 3, outChannels = 3, width = 64, norm = 'instance', dropout = false, blocks = 9 } = options
    checkCounts('ResnetGenerator', { inChannels, outChannels, width, blocks })
    const bias = norm === 'instance'
    const half = { stride: 2, padding: 1, bias }
    const down = (inputs: number, outputs: number) =>
      convNorm(new Conv2d(inputs, outputs, 3, half), outputs, norm).concat(new ReLU())
    const up = (inputs: number, outputs: number) =>
      convNorm(new ConvTranspose2d(inputs, outputs, 3, { ...half, outputPadding: 1 }), outputs, norm).concat(new ReLU())
    this.model = new Sequential(
      new ReflectionPad2d(3),
      ...convNorm(new Conv2d(inChannels, width, 7, { bias }), width, norm),
      new ReLU(),
      ...down(width, width * 2),
      ...down(width * 2, width * 4),
      ...Array.from({ length: blocks }, () => new ResnetGeneratorBlock(width * 4, norm, dropout)),
      ...up(width * 4, width * 2),
      ...up(width * 2, width),
      new ReflectionPad2d(3),
      new Conv2d(width, outChannels, 7),
      new Tanh(),
    )
    initialiseNormal(this)
  }

  /** @throws ShapeError when a side is no multiple of 4, or below 8 */
  forward(images: Tensor): Tensor {
    checkMultiple('ResnetGenerator', images, 4, 8)
    return this.model.forward(images)
  }
}

function checkMultiple(name: string, { shape }: Tensor, of: number, least = of): void {
  const [, , height = 0, width = 0] = shape
  if (shape.length === 4 && [height, width].every((side) => side % of === 0 && side >= least)) return
  throw new ShapeError(
    `${name}: the input has shape [${shape}]; it must be [N, C, H, W] with H and W multiples of ${of} from ${least}: resize or pad the images`,
  )
}

export const pix2pixUnet_256 = (options: UnetGeneratorOptions = {}) => new UnetGenerator({ downs: 8, ...options })
export const pix2pixUnet_128 = (options: UnetGeneratorOptions = {}) => new UnetGenerator({ downs: 7, ...options })
export const cycleganResnet_9blocks = (options: ResnetGeneratorOptions = {}) =>
  new ResnetGenerator({ blocks: 9, ...options })
export const cycleganResnet_6blocks = (options: ResnetGeneratorOptions = {}) =>
  new ResnetGenerator({ blocks: 6, ...options })

const input = (side: number) =>
  ({
    kind: 'image',
    resize: side,
    crop: [side, side],
    interpolation: 'bicubic',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  }) as const

export const PIX2PIX_UNETS = {
  pix2pix_unet_256: { create: pix2pixUnet_256, task: 'image-generation', input: input(256) },
  pix2pix_unet_128: { create: pix2pixUnet_128, task: 'image-generation', input: input(128) },
} as const satisfies Readonly<Record<string, NetworkEntry<UnetGeneratorOptions>>>

export const CYCLEGAN_RESNETS = {
  cyclegan_resnet_9blocks: { create: cycleganResnet_9blocks, task: 'image-generation', input: input(256) },
  cyclegan_resnet_6blocks: { create: cycleganResnet_6blocks, task: 'image-generation', input: input(128) },
} as const satisfies Readonly<Record<string, NetworkEntry<ResnetGeneratorOptions>>>
