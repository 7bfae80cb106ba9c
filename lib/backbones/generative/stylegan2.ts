// StyleGAN2, with the names of NVIDIA's stylegan2-ada-pytorch.
import { Module } from '../../nn'
import type { Tensor } from '../../tensor'
import type { NetworkEntry } from '../network'
import { StyleGAN2Discriminator, type StyleGAN2DiscriminatorOptions } from './stylegan2-discriminator'
import { MappingNetwork, type MappingRunOptions } from './stylegan2-mapping'
import { SynthesisNetwork, type SynthesisOptions, type SynthesisRunOptions } from './stylegan2-synthesis'

export interface StyleGAN2Options extends Partial<SynthesisOptions> {
  /** Length of the latent vectors; default 512. */
  readonly zDim?: number
  /** Length of the labels; 0, the default, for none. */
  readonly cDim?: number
  /** Of the mapping network; default 8. */
  readonly mappingLayers?: number
}

export type StyleGAN2RunOptions = MappingRunOptions & SynthesisRunOptions

/**
 * The generator of StyleGAN2 with skip connections (Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and
 * Improving the Image Quality of StyleGAN", CVPR 2020).
 *
 * Shapes: z `[N, zDim]` → images `[N, imgChannels, resolution, resolution]`, for the most part in [−1, 1].
 */
export class StyleGAN2Generator extends Module {
  readonly synthesis: SynthesisNetwork
  readonly mapping: MappingNetwork

  constructor(options: StyleGAN2Options = {}) {
    super()
    const { zDim = 512, cDim = 0, wDim = 512, mappingLayers: layers = 8, resolution = 256, ...others } = options
    this.synthesis = new SynthesisNetwork({ ...others, wDim, resolution })
    this.mapping = new MappingNetwork({ zDim, cDim, wDim, layers, numWs: this.synthesis.numWs })
  }

  /** @throws ShapeError for latent vectors or labels of another length */
  forward(z: Tensor, options: StyleGAN2RunOptions = {}): Tensor {
    return this.synthesis.forward(this.mapping.forward(z, options), options)
  }
}

export const stylegan2_256 = (options: StyleGAN2Options = {}) =>
  new StyleGAN2Generator({ resolution: 256, channelBase: 16384, ...options })

export const stylegan2_1024 = (options: StyleGAN2Options = {}) =>
  new StyleGAN2Generator({ resolution: 1024, channelBase: 32768, ...options })

export const stylegan2Discriminator_256 = (options: StyleGAN2DiscriminatorOptions = {}) =>
  new StyleGAN2Discriminator({ resolution: 256, channelBase: 16384, ...options })

export const stylegan2Discriminator_1024 = (options: StyleGAN2DiscriminatorOptions = {}) =>
  new StyleGAN2Discriminator({ resolution: 1024, channelBase: 32768, ...options })

export const STYLEGAN2S = {
  stylegan2_256: { create: stylegan2_256, task: 'image-generation', input: { kind: 'noise' } },
  stylegan2_1024: { create: stylegan2_1024, task: 'image-generation', input: { kind: 'noise' } },
} as const satisfies Readonly<Record<string, NetworkEntry<StyleGAN2Options>>>

/** Images of the side as they are, in [−1, 1]. */
const square = (side: number) =>
  ({
    kind: 'image',
    resize: side,
    crop: [side, side],
    interpolation: 'bicubic',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  }) as const

export const STYLEGAN2_DISCRIMINATORS = {
  stylegan2_discriminator_256: {
    create: stylegan2Discriminator_256,
    task: 'image-generation',
    input: square(256),
  },
  stylegan2_discriminator_1024: {
    create: stylegan2Discriminator_1024,
    task: 'image-generation',
    input: square(1024),
  },
} as const satisfies Readonly<Record<string, NetworkEntry<StyleGAN2DiscriminatorOptions>>>
