// Discriminators of patches: pix2pix's, and the several scales of pix2pixHD and SPADE.
import { ShapeError } from '../../native/errors'
import { Conv2d, type Layer, LeakyReLU, type Member, Module, Sequential, spectralNorm } from '../../nn'
import { avgPool2d } from '../../nn/functional'
import type { Tensor } from '../../tensor'
import type { NetworkEntry } from '../network'
import { checkCounts, type GanNorm, ganNorm, initialiseNormal, initialiseXavier } from './gan-layers'

const leaky = () => new LeakyReLU({ negativeSlope: 0.2 })

export interface NLayerDiscriminatorOptions {
  /** Of input and output together, where the discriminator sees both; default 3. */
  readonly inChannels?: number
  /** Channels of the first layer; default 64. */
  readonly width?: number
  /** Layers of stride 2; 3, the default, sees patches of 70 pixels. */
  readonly layers?: number
  /** Default `'batch'`. */
  readonly norm?: GanNorm
}

/**
 * PatchGAN: a score for every patch of an image (Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional
 * Adversarial Networks", CVPR 2017), with the names of pytorch-CycleGAN-and-pix2pix.
 *
 * Shapes: `[N, inChannels, H, W]` → logits `[N, 1, H / 2^layers − 2, W / 2^layers − 2]`.
 */
export class NLayerDiscriminator extends Module {
  readonly model: Sequential
  readonly layers: number

  constructor({ inChannels = 3, width = 64, layers = 3, norm = 'batch' }: NLayerDiscriminatorOptions = {}) {
    super()
    checkCounts('NLayerDiscriminator', { inChannels, width, layers })
    this.layers = layers
    const parts: Layer[] = [new Conv2d(inChannels, width, 4, { stride: 2, padding: 1 }), leaky()]
    let channels = width
    for (let i = 1; i <= layers; i++) {
      const next = width * Math.min(2 ** i, 8)
      const shape = { stride: i < layers ? 2 : 1, padding: 1, bias: norm === 'instance' }
      parts.push(new Conv2d(channels, next, 4, shape), ganNorm('NLayerDiscriminator', norm, next), leaky())
      channels = next
    }
    this.model = new Sequential(...parts, new Conv2d(channels, 1, 4, { padding: 1 }))
    initialiseNormal(this)
  }

  /** @throws ShapeError for images too small for one patch */
  forward(images: Tensor): Tensor {
    checkPatch('NLayerDiscriminator', images, 2 ** this.layers * 3)
    return this.model.forward(images)
  }
}

export interface MultiscaleDiscriminatorOptions {
  /** Of segmentation and image together, where the discriminator sees both; default 3. */
  readonly inChannels?: number
  /** How many scales, each half the one before; default 2. */
  readonly scales?: number
  /** Channels of the first layer; default 64. */
  readonly width?: number
  /** Layers before the last: all but the last of them of stride 2; default 4. */
  readonly layers?: number
  /** Default `'instance'`. */
  readonly norm?: GanNorm
  /** Spectral norm of the convolutions between the first and the last; default true. */
  readonly spectral?: boolean
  /** Biases of convolutions before norms, as pix2pixHD has them; default false. */
  readonly normBias?: boolean
}

/** The discriminator of one scale, with SPADE's names: the maps of every layer, the logits last. */
export class PatchDiscriminator extends Module {
  readonly #layers: readonly Sequential[]
  readonly #least: number

  constructor(options: Omit<MultiscaleDiscriminatorOptions, 'scales'> = {}) {
    super()
    const { inChannels = 3, width = 64, layers = 4, norm = 'instance', spectral = true, normBias = false } = options
    checkCounts('PatchDiscriminator', { inChannels, width, layers })
    const first = new Sequential(new Conv2d(inChannels, width, 4, { stride: 2, padding: 2 }), leaky())
    let channels = width
    const middle = Array.from({ length: layers - 1 }, (_, i) => {
      const next = Math.min(channels * 2, 512)
      const stride = i === layers - 2 ? 1 : 2
      const conv = new Conv2d(channels, next, 4, { stride, padding: 2, bias: norm === 'none' || normBias })
      channels = next
      const layer = spectral ? spectralNorm(conv) : conv
      return new Sequential(
        norm === 'none' ? layer : new Sequential(layer, ganNorm('PatchDiscriminator', norm, next)),
        leaky(),
      )
    })
    const last = new Sequential(new Conv2d(channels, 1, 4, { padding: 2 }))
    this.#layers = [first, ...middle, last]
    // Instance norm needs more than one value of a map.
    this.#least = 2 ** (layers - 1)
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    for (const [i, layer] of this.#layers.entries()) yield [`model${i}`, layer]
  }

  /** @throws ShapeError for images too small for one patch */
  forward(images: Tensor): Tensor[] {
    checkPatch('PatchDiscriminator', images, this.#least)
    const maps: Tensor[] = []
    for (const layer of this.#layers) maps.push(layer.forward(maps.at(-1) ?? images))
    return maps
  }
}

/**
 * Discriminators of an image at several scales (Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation
 * with Conditional GANs", CVPR 2018), as SPADE has them. The maps of all layers are there for a loss that compares them.
 *
 * Shapes: `[N, inChannels, H, W]` → for each scale the maps of its layers, the logits `[N, 1, h, w]` last.
 */
export class MultiscaleDiscriminator extends Module {
  readonly #scales: readonly PatchDiscriminator[]

  constructor({ scales = 2, ...options }: MultiscaleDiscriminatorOptions = {}) {
    super()
    checkCounts('MultiscaleDiscriminator', { scales })
    this.#scales = Array.from({ length: scales }, () => new PatchDiscriminator(options))
    initialiseXavier(this)
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    for (const [i, scale] of this.#scales.entries()) yield [`discriminator_${i}`, scale]
  }

  /** @throws ShapeError for images too small for a patch of the coarsest scale */
  forward(images: Tensor): Tensor[][] {
    let image = images
    return this.#scales.map((scale, i) => {
      if (i > 0) image = avgPool2d(image, [3, 3], { stride: [2, 2], padding: [1, 1], countIncludePad: false })
      return scale.forward(image)
    })
  }
}

function checkPatch(name: string, { shape }: Tensor, least: number): void {
  const [, , height = 0, width = 0] = shape
  if (shape.length === 4 && height >= least && width >= least) return
  throw new ShapeError(
    `${name}: the input has shape [${shape}]; it must be [N, C, H, W] with H and W of ${least} or more: enlarge the images, or take fewer layers or scales`,
  )
}

export const nLayerDiscriminator = (options?: NLayerDiscriminatorOptions) => new NLayerDiscriminator(options)
export const multiscaleDiscriminator = (options?: MultiscaleDiscriminatorOptions) =>
  new MultiscaleDiscriminator(options)

const IMAGE_256 = {
  kind: 'image',
  resize: 256,
  crop: [256, 256],
  interpolation: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
} as const

export const PATCHGANS = {
  patchgan_70: { create: nLayerDiscriminator, task: 'image-generation', input: IMAGE_256 },
} as const satisfies Readonly<Record<string, NetworkEntry<NLayerDiscriminatorOptions>>>

export const MULTISCALE_PATCHGANS = {
  multiscale_patchgan: { create: multiscaleDiscriminator, task: 'image-generation', input: IMAGE_256 },
} as const satisfies Readonly<Record<string, NetworkEntry<MultiscaleDiscriminatorOptions>>>
