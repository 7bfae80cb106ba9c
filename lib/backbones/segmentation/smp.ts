// Encoder and decoder networks with the names of segmentation_models_pytorch 0.6.
import { ArgumentError, ShapeError } from '../../native/errors'
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout2d,
  GroupNorm,
  Identity,
  init,
  type Layer,
  Module,
  ModuleDict,
  ModuleList,
  ReLU,
  Sequential,
  Upsample,
} from '../../nn'
import { interpolate } from '../../nn/functional'
import { cat, type Tensor } from '../../tensor'
import { ConvNorm } from '../conv-norm'
import { IMAGENET_224, type NetworkEntry } from '../network'
import { RESNET_LAYERS, ResNetTrunk } from '../resnet'
import { ASPP } from './torchvision'

export interface EncoderDecoderOptions {
  readonly encoder?: keyof typeof RESNET_LAYERS
  /** Classes of a pixel; default 1, for a sigmoid. */
  readonly classes?: number
  /** Channels of the images; default 3. */
  readonly inChannels?: number
}

/** A residual network's maps: the image, the stem's, and those of the stages. */
export class ResNetEncoder extends ResNetTrunk {
  /** Channels of the maps. */
  readonly outChannels: readonly number[]
  /** Sides of images are multiples of this. */
  readonly multiple: number
  readonly #depth: number

  /** @param dilated the last stage dilates instead of striding @param depth how many maps come after the image */
  constructor(name: keyof typeof RESNET_LAYERS, inChannels = 3, { depth = 5, dilated = false } = {}) {
    const [block, blocks] = RESNET_LAYERS[name]
    const dilation = { replaceStrideWithDilation: [false, false, dilated] as const, dilateFirstBlock: true }
    super(block, blocks, { inChannels, ...dilation })
    this.outChannels = [inChannels, 64, ...this.stageChannels].slice(0, depth + 1)
    this.multiple = dilated ? 16 : 32
    this.#depth = depth
  }

  /** @throws ShapeError for an image whose sides are no multiples of 32 (16 with dilation) */
  forward(input: Tensor): Tensor[] {
    const [height, width] = [input.size(-2), input.size(-1)]
    if (height % this.multiple !== 0 || width % this.multiple !== 0) {
      throw new ShapeError(
        `ResNetEncoder: sides of images are multiples of ${this.multiple}, got ${height} × ${width}; pad or crop them`,
      )
    }
    let x = this.stem(input)
    const maps = [input, x]
    x = this.maxpool.forward(x)
    for (const stage of [this.layer1, this.layer2, this.layer3, this.layer4].slice(0, this.#depth - 1)) {
      x = stage.forward(x)
      maps.push(x)
    }
    return maps
  }
}

/** What joins an encoder's maps. */
interface Decoder extends Module {
  forward(maps: readonly Tensor[]): Tensor
}

/** An encoder, a decoder and a last convolution: `[N, inChannels, H, W]` → logits `[N, classes, H, W]`. */
export class EncoderDecoder<D extends Decoder = Decoder> extends Module {
  readonly segmentationHead: Sequential

  constructor(
    readonly encoder: ResNetEncoder,
    readonly decoder: D,
    head: { readonly from: number; readonly classes: number; readonly kernel: number; readonly upsampling?: number },
  ) {
    super()
    const { from, classes, kernel, upsampling = 1 } = head
    const conv = new Conv2d(from, classes, kernel, { padding: Math.floor(kernel / 2) })
    const up = upsampling > 1 ? enlarge(upsampling) : new Identity()
    this.segmentationHead = new Sequential(conv, up, new Identity())
  }

  forward(input: Tensor): Tensor {
    return this.segmentationHead.forward(this.decoder.forward(this.encoder.forward(input)))
  }

  /** The package's first values of decoder and head. */
  reset(): this {
    for (const module of this.decoder.modules()) {
      if (module instanceof Conv2d)
        resetConv(module, (weight) => init.kaimingUniform_(weight, { nonlinearity: 'relu' }))
    }
    for (const module of this.segmentationHead.modules()) {
      if (module instanceof Conv2d) resetConv(module, (weight) => init.xavierUniform_(weight))
    }
    return this
  }
}

function resetConv({ weight, bias }: Conv2d, fill: (weight: Tensor) => unknown): void {
  fill(weight)
  if (bias) init.zeros_(bias)
}

function enlarge(scaleFactor: number): Upsample {
  return new Upsample({ scaleFactor, mode: 'bilinear', alignCorners: true })
}

function sizeLike(map: Tensor, like: Tensor): Tensor {
  return interpolate(map, { size: [like.size(-2), like.size(-1)], mode: 'nearest' })
}

function twice(map: Tensor): Tensor {
  return interpolate(map, { scaleFactor: 2, mode: 'nearest' })
}

/** Twice the size, beside an encoder's map, two convolutions. */
class UnetBlock extends Module {
  readonly conv1: ConvNorm
  readonly conv2: ConvNorm

  constructor(inChannels: number, skipChannels: number, outChannels: number) {
    super()
    this.conv1 = new ConvNorm(inChannels + skipChannels, outChannels)
    this.conv2 = new ConvNorm(outChannels, outChannels)
  }

  /** @param larger of the size that the map becomes */
  forward(map: Tensor, larger: Tensor, skip?: Tensor): Tensor {
    const up = sizeLike(map, larger)
    return this.conv2.forward(this.conv1.forward(skip ? cat([up, skip], { dim: 1 }) : up))
  }
}

const DECODER_CHANNELS: readonly number[] = [256, 128, 64, 32, 16]

/** The expanding path of U-Net (Ronneberger, Fischer, Brox, MICCAI 2015). */
export class UnetDecoder extends Module {
  readonly blocks: ModuleList<UnetBlock>

  constructor(encoder: readonly number[], channels: readonly number[] = DECODER_CHANNELS) {
    super()
    const [deepest = 0, ...skips] = encoder.slice(1).reverse()
    this.blocks = new ModuleList(
      channels.map((out, i) => new UnetBlock(channels[i - 1] ?? deepest, skips[i] ?? 0, out)),
    )
  }

  forward(maps: readonly Tensor[]): Tensor {
    const [image, ...rest] = maps
    const [deepest, ...skips] = rest.reverse()
    let x = deepest as Tensor
    for (const [i, block] of [...this.blocks].entries()) x = block.forward(x, (skips[i] ?? image) as Tensor, skips[i])
    return x
  }
}

/**
 * The nested paths of U-Net++ (Zhou et al. 2018). Blocks are `x_FROM_TO`: row FROM begins at that map of the encoder,
 * deepest first; a block of column TO has the size of map TO + 1, and takes all blocks of its column below it.
 */
export class UnetPlusPlusDecoder extends Module {
  readonly blocks: ModuleDict
  readonly #depth: number

  constructor(encoder: readonly number[], channels: readonly number[] = DECODER_CHANNELS) {
    super()
    const [deepest = 0, ...skips] = encoder.slice(1).reverse()
    const inputs = [deepest, ...channels.slice(0, -1)]
    this.#depth = channels.length - 1
    const blocks: Record<string, UnetBlock> = {}
    for (let to = 0; to < this.#depth; to++) {
      const [skip = 0, before = 0] = [skips[to], skips[to - 1]]
      for (let from = 0; from <= to; from++) {
        const first = from === 0
        const [own, out] = first ? [inputs[to] ?? 0, channels[to] ?? 0] : [before, skip]
        blocks[name(from, to)] = new UnetBlock(own, skip * (to + 1 - from), out)
      }
    }
    blocks[name(0, this.#depth)] = new UnetBlock(inputs.at(-1) ?? 0, 0, channels.at(-1) ?? 0)
    this.blocks = new ModuleDict(blocks)
  }

  forward(maps: readonly Tensor[]): Tensor {
    const [image, ...rest] = maps as readonly [Tensor, ...Tensor[]]
    const encoded = rest.reverse()
    const made = new Map<string, Tensor>()
    const at = (from: number, to: number) => made.get(name(from, to)) as Tensor
    for (let length = 0; length < this.#depth; length++) {
      for (let from = 0; from + length < this.#depth; from++) {
        const to = from + length
        const below = length === 0 ? (encoded[from] as Tensor) : at(from, to - 1)
        const skip = encoded[to + 1] as Tensor
        const column = Array.from({ length }, (_, i) => at(from + 1 + i, to))
        made.set(name(from, to), this.#block(from, to).forward(below, skip, cat([...column, skip], { dim: 1 })))
      }
    }
    return this.#block(0, this.#depth).forward(at(0, this.#depth - 1), image)
  }

  #block(from: number, to: number): UnetBlock {
    return this.blocks.get(name(from, to)) as UnetBlock
  }
}

const name = (from: number, to: number): string => `x_${from}_${to}`

/** A convolution with group norm, and twice the size where asked. */
class GroupNormBlock extends Module {
  readonly block: Sequential
  readonly #up: Layer

  constructor(inChannels: number, outChannels: number, up: boolean) {
    super()
    const norm = (channels: number) => new GroupNorm(32, channels)
    this.block = new ConvNorm(inChannels, outChannels, { norm })
    this.#up = up ? enlarge(2) : new Identity()
  }

  forward(input: Tensor): Tensor {
    return this.#up.forward(this.block.forward(input))
  }
}

/** A pyramid's map brought to a quarter of the image's size. */
class SegmentationBlock extends Module {
  readonly block: Sequential

  constructor(inChannels: number, outChannels: number, doublings: number) {
    super()
    const rest = Array.from(
      { length: Math.max(0, doublings - 1) },
      () => new GroupNormBlock(outChannels, outChannels, true),
    )
    this.block = new Sequential(new GroupNormBlock(inChannels, outChannels, doublings > 0), ...rest)
  }

  forward(input: Tensor): Tensor {
    return this.block.forward(input)
  }
}

/** What comes down a pyramid and an encoder's map, added. */
class FPNBlock extends Module {
  readonly skipConv: Conv2d

  constructor(channels: number, skipChannels: number) {
    super()
    this.skipConv = new Conv2d(skipChannels, channels, 1)
  }

  forward(above: Tensor, skip: Tensor): Tensor {
    return twice(above).add(this.skipConv.forward(skip))
  }
}

/** The semantic branch on a feature pyramid (Kirillov, Girshick, He, Dollár, CVPR 2019). */
export class FPNDecoder extends Module {
  readonly p5: Conv2d
  readonly p4: FPNBlock
  readonly p3: FPNBlock
  readonly p2: FPNBlock
  readonly segBlocks: ModuleList<SegmentationBlock>
  readonly dropout = new Dropout2d({ p: 0.2 })

  constructor(encoder: readonly number[], pyramid = 256, channels = 128) {
    super()
    const [c2 = 0, c3 = 0, c4 = 0, c5 = 0] = encoder.slice(-4)
    this.p5 = new Conv2d(c5, pyramid, 1)
    this.p4 = new FPNBlock(pyramid, c4)
    this.p3 = new FPNBlock(pyramid, c3)
    this.p2 = new FPNBlock(pyramid, c2)
    this.segBlocks = new ModuleList(
      [3, 2, 1, 0].map((doublings) => new SegmentationBlock(pyramid, channels, doublings)),
    )
  }

  forward(maps: readonly Tensor[]): Tensor {
    const [c2, c3, c4, c5] = maps.slice(-4) as [Tensor, Tensor, Tensor, Tensor]
    const p5 = this.p5.forward(c5)
    const p4 = this.p4.forward(p5, c4)
    const p3 = this.p3.forward(p4, c3)
    const p2 = this.p2.forward(p3, c2)
    const parts = [p5, p4, p3, p2].map((map, i) => this.segBlocks.at(i).forward(map))
    return this.dropout.forward(parts.reduce((sum, part) => sum.add(part)))
  }
}

/** Means over a grid of `size` × `size`. */
class PSPBlock extends Module {
  readonly pool: Sequential

  constructor(inChannels: number, outChannels: number, size: number) {
    super()
    // A single mean has no statistics of its own.
    const norm = size === 1 ? () => new Identity() : (channels: number) => new BatchNorm2d(channels)
    const conv = new ConvNorm(inChannels, outChannels, { kernelSize: 1, norm, bias: size === 1 })
    this.pool = new Sequential(new AdaptiveAvgPool2d(size), conv)
  }

  forward(input: Tensor): Tensor {
    const size = [input.size(-2), input.size(-1)]
    return interpolate(this.pool.forward(input), { size, mode: 'bilinear', alignCorners: true })
  }
}

class PSPModule extends Module {
  readonly blocks: ModuleList<PSPBlock>

  constructor(channels: number, sizes: readonly number[]) {
    super()
    this.blocks = new ModuleList(sizes.map((size) => new PSPBlock(channels, Math.floor(channels / sizes.length), size)))
  }

  forward(input: Tensor): Tensor {
    return cat([...[...this.blocks].map((block) => block.forward(input)), input], { dim: 1 })
  }
}

/** Pyramid pooling (Zhao, Shi, Qi, Wang, Jia, CVPR 2017). */
export class PSPDecoder extends Module {
  readonly psp: PSPModule
  readonly conv: ConvNorm
  readonly dropout = new Dropout2d({ p: 0.2 })

  constructor(encoder: readonly number[], channels = 512) {
    super()
    const from = encoder.at(-1) ?? 0
    this.psp = new PSPModule(from, [1, 2, 3, 6])
    this.conv = new ConvNorm(from * 2, channels, { kernelSize: 1 })
  }

  forward(maps: readonly Tensor[]): Tensor {
    return this.dropout.forward(this.conv.forward(this.psp.forward(maps.at(-1) as Tensor)))
  }
}

/** A depthwise and a 1×1 convolution. */
class SeparableConv2d extends Sequential {
  constructor(from: number, to: number, rate = 1) {
    const depthwise = { padding: rate, dilation: rate, groups: from, bias: false }
    super(new Conv2d(from, from, 3, depthwise), new Conv2d(from, to, 1, { bias: false }))
  }
}

const separable = (from: number, to: number, rate = 1): Layer[] => [
  new SeparableConv2d(from, to, rate),
  new BatchNorm2d(to),
  new ReLU(),
]

/** DeepLab v3+ (Chen, Zhu, Papandreou, Schroff, Adam, ECCV 2018): atrous pooling beside a finer map. */
export class DeepLabV3PlusDecoder extends Module {
  readonly aspp: Sequential
  readonly block1: Sequential
  readonly block2: Sequential
  readonly #up = enlarge(4)

  constructor(encoder: readonly number[], channels = 256) {
    super()
    const pooling = new ASPP(encoder.at(-1) ?? 0, [12, 24, 36], channels, separable)
    this.aspp = new Sequential(pooling, ...separable(channels, channels))
    const fine = new Conv2d(encoder[2] ?? 0, 48, 1, { bias: false })
    this.block1 = new Sequential(fine, new BatchNorm2d(48), new ReLU())
    this.block2 = new Sequential(...separable(48 + channels, channels))
  }

  forward(maps: readonly Tensor[]): Tensor {
    const coarse = this.#up.forward(this.aspp.forward(maps.at(-1) as Tensor))
    return this.block2.forward(cat([coarse, this.block1.forward(maps[2] as Tensor)], { dim: 1 }))
  }
}

function parts(options: EncoderDecoderOptions, encoder: keyof typeof RESNET_LAYERS, shape = {}) {
  const { encoder: name = encoder, inChannels = 3, classes = 1 } = options
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ArgumentError(`EncoderDecoder: classes is ${classes}; it is 1 or more`)
  }
  return { encoder: new ResNetEncoder(name, inChannels, shape), classes }
}

export function smpUnet(options: EncoderDecoderOptions = {}): EncoderDecoder<UnetDecoder> {
  const { encoder, classes } = parts(options, 'resnet34')
  return new EncoderDecoder(encoder, new UnetDecoder(encoder.outChannels), { from: 16, classes, kernel: 3 }).reset()
}

export function smpUnetPlusPlus(options: EncoderDecoderOptions = {}): EncoderDecoder<UnetPlusPlusDecoder> {
  const { encoder, classes } = parts(options, 'resnet34')
  const decoder = new UnetPlusPlusDecoder(encoder.outChannels)
  return new EncoderDecoder(encoder, decoder, { from: 16, classes, kernel: 3 }).reset()
}

export function smpFpn(options: EncoderDecoderOptions = {}): EncoderDecoder<FPNDecoder> {
  const { encoder, classes } = parts(options, 'resnet50')
  const head = { from: 128, classes, kernel: 1, upsampling: 4 }
  return new EncoderDecoder(encoder, new FPNDecoder(encoder.outChannels), head).reset()
}

/** Only the encoder's first two stages are used; the others are in the published state. */
export function smpPspnet(options: EncoderDecoderOptions = {}): EncoderDecoder<PSPDecoder> {
  const { encoder, classes } = parts(options, 'resnet50', { depth: 3 })
  const head = { from: 512, classes, kernel: 3, upsampling: 8 }
  return new EncoderDecoder(encoder, new PSPDecoder(encoder.outChannels), head).reset()
}

export function smpDeeplabv3Plus(options: EncoderDecoderOptions = {}): EncoderDecoder<DeepLabV3PlusDecoder> {
  const { encoder, classes } = parts(options, 'resnet50', { dilated: true })
  const head = { from: 256, classes, kernel: 1, upsampling: 4 }
  return new EncoderDecoder(encoder, new DeepLabV3PlusDecoder(encoder.outChannels), head)
}

const entry = { task: 'semantic-segmentation', input: { ...IMAGENET_224, crop: null } } as const

export const ENCODER_DECODERS = {
  smp_unet_resnet34: { create: smpUnet, ...entry },
  smp_unetplusplus_resnet34: { create: smpUnetPlusPlus, ...entry },
  smp_fpn_resnet50: { create: smpFpn, ...entry },
  smp_pspnet_resnet50: { create: smpPspnet, ...entry },
  smp_deeplabv3plus_resnet50: { create: smpDeeplabv3Plus, ...entry },
} as const satisfies Readonly<Record<string, NetworkEntry<EncoderDecoderOptions>>>
