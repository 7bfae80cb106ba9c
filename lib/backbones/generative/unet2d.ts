// The U-Net of denoising diffusion, with the names of diffusers' UNet2DModel.
import { ArgumentError, ShapeError } from '../../native/errors'
import { Conv2d, Embedding, GroupNorm, init, Linear, Module, ModuleList } from '../../nn'
import { interpolate } from '../../nn/functional'
import { cat, pad, silu, type Tensor, tensor } from '../../tensor'
import type { NetworkEntry } from '../network'
import { checkCounts } from './gan-layers'
import {
  AttentionBlock,
  type ResidualOptions,
  StepEmbedding,
  type StepEmbeddingOptions,
  UNet2DResidualBlock,
} from './unet2d-blocks'

export interface UNet2DOptions extends StepEmbeddingOptions {
  /** Default 3. */
  readonly inChannels?: number
  /** Default 3. */
  readonly outChannels?: number
  /** Channels of each level, finest first; every level but the last is twice the size of the next. */
  readonly channels?: readonly number[]
  /** Which levels attend. */
  readonly attention?: readonly boolean[]
  /** Residual blocks a level on the way down; one more on the way up. Default 2. */
  readonly layersPerBlock?: number
  /** Channels of a head of attention; null, the default, for a single head. */
  readonly headChannels?: number | null
  /** Default 32. */
  readonly groups?: number
  /** Of the norms; default 1e-6. */
  readonly eps?: number
  /** Within the residual blocks; default 0. */
  readonly dropout?: number
  /** Zeros around maps that are halved; 0, the default, has them at the right and below only. */
  readonly downsamplePadding?: 0 | 1
  /** Learns a vector for each class that is added to the step's; none unless stated. */
  readonly numClasses?: number | null
}

class Downsample extends Module {
  readonly conv: Conv2d

  constructor(
    channels: number,
    readonly padding: number,
  ) {
    super()
    this.conv = new Conv2d(channels, channels, 3, { stride: 2, padding })
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(this.padding === 0 ? pad(x, [0, 1, 0, 1]) : x)
  }
}

class Upsample extends Module {
  readonly conv: Conv2d

  constructor(channels: number) {
    super()
    this.conv = new Conv2d(channels, channels, 3, { padding: 1 })
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(interpolate(x, { scaleFactor: 2, mode: 'nearest' }))
  }
}

/** What a level is made of. */
interface Level extends ResidualOptions {
  readonly headChannels: number | null
  readonly attends: boolean
}

const attentionOf = (channels: number, { headChannels, groups, eps }: Level) =>
  new AttentionBlock(channels, { headChannels, groups, eps })

/** Residual blocks of one level, each followed by attention where the level attends. */
abstract class UNetLevel extends Module {
  readonly attentions: ModuleList<AttentionBlock> | null
  readonly resnets: ModuleList<UNet2DResidualBlock>

  constructor(inputs: readonly number[], channels: number, level: Level) {
    super()
    this.attentions = level.attends ? new ModuleList(inputs.map(() => attentionOf(channels, level))) : null
    this.resnets = new ModuleList(inputs.map((width) => new UNet2DResidualBlock(width, channels, level)))
  }

  protected block(i: number, x: Tensor, step: Tensor): Tensor {
    const y = this.resnets.at(i).forward(x, step)
    return this.attentions ? this.attentions.at(i).forward(y) : y
  }
}

/** A level on the way down; the last does not halve its maps. */
export class UNetDownBlock extends UNetLevel {
  readonly downsamplers: ModuleList<Downsample> | null

  constructor(inputs: readonly number[], channels: number, level: Level, padding: number | null) {
    super(inputs, channels, level)
    this.downsamplers = padding === null ? null : new ModuleList([new Downsample(channels, padding)])
  }

  /** All its maps, in order. */
  forward(x: Tensor, step: Tensor): Tensor[] {
    const maps: Tensor[] = []
    for (let i = 0; i < this.resnets.length; i++) maps.push(this.block(i, maps.at(-1) ?? x, step))
    if (this.downsamplers) maps.push(this.downsamplers.at(0).forward(maps.at(-1) as Tensor))
    return maps
  }
}

/** A level on the way up; the last does not double its maps. */
export class UNetUpBlock extends UNetLevel {
  readonly upsamplers: ModuleList<Upsample> | null

  constructor(inputs: readonly number[], channels: number, level: Level, doubles: boolean) {
    super(inputs, channels, level)
    this.upsamplers = doubles ? new ModuleList([new Upsample(channels)]) : null
  }

  /** @param skips maps of the way down, the last of which is taken first */
  forward(x: Tensor, skips: readonly Tensor[], step: Tensor): Tensor {
    let y = x
    for (let i = 0; i < this.resnets.length; i++) {
      y = this.block(i, cat([y, skips.at(-1 - i) as Tensor], { dim: 1 }), step)
    }
    return this.upsamplers ? this.upsamplers.at(0).forward(y) : y
  }
}

/** Two residual blocks around attention, at the coarsest level. */
export class UNetMidBlock extends Module {
  readonly attentions: ModuleList<AttentionBlock>
  readonly resnets: ModuleList<UNet2DResidualBlock>

  constructor(channels: number, level: Level) {
    super()
    this.attentions = new ModuleList([attentionOf(channels, level)])
    this.resnets = new ModuleList([0, 1].map(() => new UNet2DResidualBlock(channels, channels, level)))
  }

  forward(x: Tensor, step: Tensor): Tensor {
    return this.resnets.at(1).forward(this.attentions.at(0).forward(this.resnets.at(0).forward(x, step)), step)
  }
}

/**
 * The network of "Denoising Diffusion Probabilistic Models" (Ho, Jain, Abbeel, NeurIPS 2020), which tells the noise of an
 * image from the image and the step.
 *
 * Shapes: `[N, inChannels, H, W]` and steps `[N]` → `[N, outChannels, H, W]`; H and W are multiples of 2^(levels − 1).
 */
export class UNet2D extends Module {
  readonly convIn: Conv2d
  readonly timeEmbedding: StepEmbedding
  readonly classEmbedding: Embedding | null
  readonly downBlocks: ModuleList<UNetDownBlock>
  readonly upBlocks: ModuleList<UNetUpBlock>
  readonly midBlock: UNetMidBlock
  readonly convNormOut: GroupNorm
  readonly convOut: Conv2d
  readonly channels: readonly number[]

  constructor(options: UNet2DOptions = {}) {
    super()
    const { inChannels = 3, outChannels = 3, layersPerBlock = 2, headChannels = null, numClasses = null } = options
    const { channels = [128, 256, 256, 256], attention = channels.map((_, i) => i === 1) } = options
    const { groups = 32, eps = 1e-6, dropout = 0, downsamplePadding = 0 } = options
    checkCounts('UNet2D', { inChannels, outChannels, layersPerBlock, groups })
    checkLevels(channels, attention)
    this.channels = channels
    const width = channels[0] as number
    const steps = width * 4
    const level = { stepChannels: steps, groups, eps, dropout, headChannels }
    const last = channels.length - 1

    this.convIn = new Conv2d(inChannels, width, 3, { padding: 1 })
    this.timeEmbedding = new StepEmbedding(width, steps, options)
    this.classEmbedding = numClasses === null ? null : new Embedding(numClasses, steps)
    this.downBlocks = new ModuleList(
      channels.map((own, i) => {
        const inputs = Array.from({ length: layersPerBlock }, (_, k) => (k === 0 ? (channels[i - 1] ?? width) : own))
        const padding = i < last ? downsamplePadding : null
        return new UNetDownBlock(inputs, own, { ...level, attends: attention[i] === true }, padding)
      }),
    )
    this.upBlocks = new ModuleList(
      [...channels.keys()].reverse().map((i) => {
        const own = channels[i] as number
        // The maps of the way down are its own level's, but the first, which the finer level halved.
        const inputs = Array.from({ length: layersPerBlock + 1 }, (_, k) => {
          const below = k === 0 ? (channels[i + 1] ?? own) : own
          return below + (k === layersPerBlock ? (channels[i - 1] ?? width) : own)
        })
        return new UNetUpBlock(inputs, own, { ...level, attends: attention[i] === true }, i > 0)
      }),
    )
    this.midBlock = new UNetMidBlock(channels[last] as number, { ...level, attends: true })
    this.convNormOut = new GroupNorm(groups, width, { eps })
    this.convOut = new Conv2d(width, outChannels, 3, { padding: 1 })
    initialise(this)
  }

  /**
   * @param steps one for all, or int64 or float `[N]`
   * @param classes int64 `[N]`, where the network was made for classes
   * @throws ShapeError for images whose sides the levels do not divide; ArgumentError where classes are missing or for none
   */
  forward(images: Tensor, steps: Tensor | number, classes: Tensor | null = null): Tensor {
    checkSides(images, 2 ** (this.channels.length - 1))
    const step = this.#stepVector(images, steps, classes)
    const maps = [this.convIn.forward(images)]
    for (const block of this.downBlocks) maps.push(...block.forward(maps.at(-1) as Tensor, step))
    let x = this.midBlock.forward(maps.at(-1) as Tensor, step)
    for (const block of this.upBlocks) x = block.forward(x, maps.splice(-block.resnets.length), step)
    return this.convOut.forward(silu(this.convNormOut.forward(x)))
  }

  #stepVector(images: Tensor, steps: Tensor | number, classes: Tensor | null): Tensor {
    const count = images.size(0)
    const each = typeof steps === 'number' ? tensor([steps], { device: images.device }).expand([count]) : steps
    if (each.ndim !== 1 || each.size(0) !== count) {
      throw new ShapeError(
        `UNet2D: steps have shape [${each.shape}] for ${count} images; give one number, or one for each`,
      )
    }
    const vector = this.timeEmbedding.forward(each)
    if ((this.classEmbedding === null) !== (classes === null)) {
      const rule = this.classEmbedding
        ? 'it was made for classes; give one for each image'
        : 'it was made without classes'
      throw new ArgumentError(`UNet2D: ${rule}`)
    }
    return this.classEmbedding && classes ? vector.add(this.classEmbedding.forward(classes)) : vector
  }
}

function checkLevels(channels: readonly number[], attention: readonly boolean[]): void {
  if (channels.length === 0) throw new ArgumentError('UNet2D: channels is empty; it has one number for each level')
  checkCounts('UNet2D', Object.fromEntries(channels.map((count, i) => [`channels[${i}]`, count])))
  if (attention.length === channels.length) return
  throw new ArgumentError(`UNet2D: attention has ${attention.length} entries for ${channels.length} levels`)
}

function checkSides({ shape }: Tensor, of: number): void {
  const [, , height = 0, width = 0] = shape
  if (shape.length === 4 && height > 0 && width > 0 && height % of === 0 && width % of === 0) return
  throw new ShapeError(
    `UNet2D: the input has shape [${shape}]; it must be [N, C, H, W] with H and W multiples of ${of}: resize or pad the images`,
  )
}

/** Glorot's uniform values, without biases; the last layer of each block and of the network nearly 0, as the authors have it. */
function initialise(network: UNet2D): void {
  const quiet = new Set<Module>([network.convOut])
  for (const module of network.modules()) {
    if (module instanceof UNet2DResidualBlock) quiet.add(module.conv2)
    if (module instanceof AttentionBlock) quiet.add(module.toOut.at(0))
  }
  for (const module of network.modules()) {
    if (!(module instanceof Conv2d || module instanceof Linear)) continue
    init.xavierUniform_(module.weight, { gain: quiet.has(module) ? 1e-5 : 1 })
    if (module.bias) init.zeros_(module.bias)
  }
}

export const ddpmCifar10_32 = (options: UNet2DOptions = {}) =>
  new UNet2D({ channels: [128, 256, 256, 256], attention: [false, true, false, false], ...withOwnLevels(options) })

export const ddpmCelebahq_256 = (options: UNet2DOptions = {}) =>
  new UNet2D({
    channels: [128, 128, 256, 256, 512, 512],
    attention: [false, false, false, false, true, false],
    ...withOwnLevels(options),
  })

/** Other channels come with attention of their own, the second level's unless stated. */
function withOwnLevels(options: UNet2DOptions): UNet2DOptions {
  const { channels, attention } = options
  return channels && !attention ? { ...options, attention: channels.map((_, i) => i === 1) } : options
}

export const DDPMS = {
  ddpm_cifar10_32: { create: ddpmCifar10_32, task: 'image-generation', input: { kind: 'noise' } },
  ddpm_celebahq_256: { create: ddpmCelebahq_256, task: 'image-generation', input: { kind: 'noise' } },
} as const satisfies Readonly<Record<string, NetworkEntry<UNet2DOptions>>>
