// Encoder and decoder networks with the names of segmentation_models_pytorch 0.6.
import { ArgumentError, ShapeError } from '../../native/errors'
import { Conv2d, Identity, init, Module, Sequential } from '../../nn'
import type { Tensor } from '../../tensor'
import { IMAGENET_224, type NetworkEntry } from '../network'
import { RESNET_LAYERS, ResNetTrunk } from '../resnet'
import { DeepLabV3PlusDecoder, enlarge, FPNDecoder, PSPDecoder } from './pyramid-decoders'
import { UnetDecoder, UnetPlusPlusDecoder } from './unet-decoders'

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

  /** With `dilated`, the last stage dilates instead of striding; `depth` maps come after the image. */
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
