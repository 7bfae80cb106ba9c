// StyleGAN2's residual discriminator, with the names of NVIDIA's stylegan2-ada-pytorch.
import { ShapeError } from '../../native/errors'
import { type Member, Module } from '../../nn'
import { cat, type Tensor } from '../../tensor'
import { EqualizedConv2d, EqualizedLinear, resampleFilter } from './equalized'
import { MappingNetwork } from './stylegan2-mapping'
import { sidesUpTo } from './stylegan2-synthesis'

/**
 * Adds maps that tell how much the images of a group differ (Karras et al., ICLR 2018, section 3).
 *
 * Shapes: `[N, C, H, W]` → `[N, C + channels, H, W]`; N is a multiple of the group's size, or smaller than it.
 */
export class MinibatchStd extends Module {
  /** @param groupSize images that are compared; null for all of a batch @param channels of the maps added */
  constructor(
    readonly groupSize: number | null = 4,
    readonly channels = 1,
  ) {
    super()
  }

  /** @throws ShapeError when the batch is no multiple of the group's size */
  forward(x: Tensor): Tensor {
    const [images = 0, depth = 0, height = 0, width = 0] = x.shape
    const group = Math.min(this.groupSize ?? images, images)
    if (images % group !== 0 || depth % this.channels !== 0) {
      throw new ShapeError(
        `MinibatchStd: ${images} images of ${depth} channels do not divide into groups of ${group} and ${this.channels} parts; give a batch that does`,
      )
    }
    const groups = x.reshape([group, -1, this.channels, depth / this.channels, height, width])
    const centred = groups.sub(groups.mean({ dim: [0], keepdim: true }))
    const deviation = centred
      .square()
      .mean({ dim: [0] })
      .add(1e-8)
      .sqrt()
    const maps = deviation.mean({ dim: [2, 3, 4] }).reshape([-1, this.channels, 1, 1])
    return cat([x, maps.repeat([group, 1, height, width])], { dim: 1 })
  }
}

/** Two convolutions, the second halving the size, beside a 1 × 1 convolution; their sum has the variance of its input. */
export class DiscriminatorBlock extends Module {
  readonly resampleFilter = resampleFilter()
  readonly fromrgb: EqualizedConv2d | null
  readonly conv0: EqualizedConv2d
  readonly conv1: EqualizedConv2d
  readonly skip: EqualizedConv2d

  /** @param imgChannels of the images that the first block takes; null for the others */
  constructor(
    inChannels: number,
    outChannels: number,
    { imgChannels = null, clamp = null }: { imgChannels?: number | null; clamp?: number | null } = {},
  ) {
    super()
    const active = { activation: 'leakyRelu', clamp } as const
    this.fromrgb = imgChannels === null ? null : new EqualizedConv2d(imgChannels, inChannels, 1, active)
    this.conv0 = new EqualizedConv2d(inChannels, inChannels, 3, active)
    this.conv1 = new EqualizedConv2d(inChannels, outChannels, 3, { ...active, down: 2 })
    this.skip = new EqualizedConv2d(inChannels, outChannels, 1, { bias: false, down: 2 })
  }

  /** `[N, C, H, W]` → `[N, outChannels, H / 2, W / 2]`. */
  forward(input: Tensor): Tensor {
    const x = this.fromrgb ? this.fromrgb.forward(input) : input
    const beside = this.skip.forward(x, Math.SQRT1_2)
    return this.conv1.forward(this.conv0.forward(x), Math.SQRT1_2).add(beside)
  }
}

/** From maps of 4 × 4 to one score, or to a vector that is compared with the label's. */
export class DiscriminatorEpilogue extends Module {
  readonly mbstd: MinibatchStd | null
  readonly conv: EqualizedConv2d
  readonly fc: EqualizedLinear
  readonly out: EqualizedLinear

  constructor(
    readonly inChannels: number,
    outputs: number,
    options: { groupSize?: number | null; stdChannels?: number; clamp?: number | null; side?: number } = {},
  ) {
    super()
    const { groupSize = 4, stdChannels = 1, clamp = null, side = 4 } = options
    this.mbstd = stdChannels > 0 ? new MinibatchStd(groupSize, stdChannels) : null
    this.conv = new EqualizedConv2d(inChannels + stdChannels, inChannels, 3, { activation: 'leakyRelu', clamp })
    this.fc = new EqualizedLinear(inChannels * side ** 2, inChannels, { activation: 'leakyRelu' })
    this.out = new EqualizedLinear(inChannels, outputs)
  }

  forward(input: Tensor): Tensor {
    const x = this.conv.forward(this.mbstd ? this.mbstd.forward(input) : input)
    return this.out.forward(this.fc.forward(x.flatten({ startDim: 1 })))
  }
}

export interface StyleGAN2DiscriminatorOptions {
  /** Side of the images, a power of 2 from 8. */
  readonly resolution?: number
  /** Length of the labels; 0, the default, for none. */
  readonly cDim?: number
  /** Default 3. */
  readonly imgChannels?: number
  /** Channels times side are this, where the maximum allows. */
  readonly channelBase?: number
  /** Default 512. */
  readonly channelMax?: number
  /** Images whose deviation is taken together, null for all of a batch; default 4. */
  readonly groupSize?: number | null
  /** Maps of deviations, 0 for none; default 1. */
  readonly stdChannels?: number
  /** Largest size of a convolution's output; none unless stated. */
  readonly clamp?: number | null
}

/**
 * The residual discriminator of StyleGAN2 (Karras et al., CVPR 2020), with labels by projection (Miyato and Koyama 2018).
 *
 * Shapes: images `[N, imgChannels, resolution, resolution]` → logits `[N, 1]`.
 */
export class StyleGAN2Discriminator extends Module {
  readonly mapping: MappingNetwork | null
  readonly b4: DiscriminatorEpilogue
  readonly resolution: number
  readonly imgChannels: number
  readonly #blocks: ReadonlyMap<number, DiscriminatorBlock>

  constructor(options: StyleGAN2DiscriminatorOptions = {}) {
    super()
    const { resolution = 256, cDim = 0, imgChannels = 3, channelBase = 16384, channelMax = 512 } = options
    const { groupSize = 4, stdChannels = 1, clamp = null } = options
    this.resolution = resolution
    this.imgChannels = imgChannels
    const channels = (side: number) => Math.min(Math.floor(channelBase / side), channelMax)
    const sides = sidesUpTo('StyleGAN2Discriminator', resolution, 8).slice(1).reverse()
    this.#blocks = new Map(
      sides.map((side) => {
        const colours = side === resolution ? imgChannels : null
        return [side, new DiscriminatorBlock(channels(side), channels(side / 2), { imgChannels: colours, clamp })]
      }),
    )
    const width = channels(4)
    this.mapping = cDim > 0 ? new MappingNetwork({ zDim: 0, cDim, wDim: width, numWs: null, wAvgBeta: null }) : null
    this.b4 = new DiscriminatorEpilogue(width, cDim > 0 ? width : 1, { groupSize, stdChannels, clamp })
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    for (const [side, block] of this.#blocks) yield [`b${side}`, block]
    yield* super.members()
  }

  /**
   * @param label `[N, cDim]`, where the discriminator was made for labels
   * @throws ShapeError for images of another size
   */
  forward(images: Tensor, label: Tensor | null = null): Tensor {
    const { resolution, imgChannels } = this
    const [, channels, height, width] = images.shape
    if (images.ndim !== 4 || channels !== imgChannels || height !== resolution || width !== resolution) {
      throw new ShapeError(
        `StyleGAN2Discriminator: images have shape [${images.shape}]; they must be [N, ${imgChannels}, ${resolution}, ${resolution}]: resize them, or make it with another resolution`,
      )
    }
    let x = images
    for (const block of this.#blocks.values()) x = block.forward(x)
    const scores = this.b4.forward(x)
    if (this.mapping === null) return scores
    const direction = this.mapping.forward(null, { label })
    return scores
      .mul(direction)
      .sum({ dim: [1], keepdim: true })
      .div(Math.sqrt(scores.size(1)))
  }
}
