// LPIPS, and the features that it and other perceptual losses compare, with the names of the lpips package.
import { buffer, Conv2d, Dropout, functional as F, type Layer, Module, ModuleList, Sequential } from '../nn'
import { type Tensor, tensor } from '../tensor'
import { alexnet } from './alexnet'
import { checkImageSize } from './image-size'
import type { NetworkEntry } from './network'
import { squeezenet1_1 } from './squeezenet'
import { vggFeatures } from './vgg'

export type PerceptualTrunkName = 'alex' | 'vgg' | 'squeeze'

interface TrunkDescription {
  readonly layers: () => Iterable<Layer>
  /** How many layers of the network's convolutional part each slice has. */
  readonly slices: readonly number[]
  /** Channels that each slice gives. */
  readonly channels: readonly number[]
  readonly least: number
}

const TRUNKS: Readonly<Record<PerceptualTrunkName, TrunkDescription>> = {
  alex: { layers: () => alexnet().features, slices: [2, 3, 3, 2, 2], channels: [64, 192, 384, 256, 256], least: 31 },
  // VGG-16's maps before each pooling.
  vgg: { layers: () => vggFeatures('D'), slices: [4, 5, 7, 7, 7], channels: [64, 128, 256, 512, 512], least: 16 },
  squeeze: {
    layers: () => squeezenet1_1().features,
    slices: [2, 3, 3, 2, 1, 1, 1],
    channels: [64, 128, 256, 384, 384, 512, 512],
    least: 17,
  },
}

/**
 * The convolutional part of a classifier in slices, whose outputs perceptual losses compare (Johnson et al., ECCV 2016).
 *
 * Shapes: `[N, 3, H, W]`, normalised as ImageNet's → a list of `[N, C, H′, W′]`, one a slice.
 */
export class PerceptualTrunk extends Module {
  readonly #slices: ReadonlyMap<string, Sequential>
  readonly #name: PerceptualTrunkName

  constructor(name: PerceptualTrunkName) {
    super()
    const { layers, slices } = TRUNKS[name]
    const all = [...layers()]
    this.#name = name
    let next = 0
    this.#slices = new Map(
      slices.map((count, i) => {
        const named = Array.from({ length: count }, (): [string, Layer] => {
          const place = next++
          return [String(place), all[place] as Layer]
        })
        return [`slice${i + 1}`, new Sequential(Object.fromEntries(named))]
      }),
    )
  }

  protected override *members() {
    yield* super.members()
    yield* this.#slices
  }

  forward(input: Tensor): Tensor[] {
    checkImageSize(`PerceptualTrunk '${this.#name}'`, input, TRUNKS[this.#name].least)
    const features: Tensor[] = []
    let x = input
    for (const slice of this.#slices.values()) {
      x = slice.forward(x)
      features.push(x)
    }
    return features
  }
}

/** From images in −1–1 to ImageNet's normalisation. */
class ScalingLayer extends Module {
  readonly shift = buffer(tensor([-0.03, -0.088, -0.188]).reshape([1, 3, 1, 1]))
  readonly scale = buffer(tensor([0.458, 0.448, 0.45]).reshape([1, 3, 1, 1]))

  forward(input: Tensor): Tensor {
    return input.sub(this.shift).div(this.scale)
  }
}

/** Weights of the channels of one slice. */
class LinearLayer extends Module {
  readonly model: Sequential

  constructor(channels: number) {
    super()
    this.model = new Sequential(new Dropout(), new Conv2d(channels, 1, 1, { bias: false }))
  }

  forward(input: Tensor): Tensor {
    return this.model.forward(input)
  }
}

export interface LPIPSOptions {
  /** Gives the distance of each pixel, `[N, 1, H, W]`, instead of one a pair; default false. */
  readonly spatial?: boolean
  /** Takes images in 0–1 instead of −1–1; default false. */
  readonly normalize?: boolean
  /** Lets the features be trained, beside the weights of their channels; default false. */
  readonly trainFeatures?: boolean
}

/**
 * Learned perceptual image patch similarity, version 0.1 (Zhang et al., CVPR 2018): the smaller the more alike.
 *
 * Shapes: two batches of images `[N, 3, H, W]` in −1–1 → distances `[N, 1, 1, 1]`.
 */
export class LPIPS extends Module {
  readonly scalingLayer = new ScalingLayer()
  readonly net: PerceptualTrunk
  readonly #lins: readonly LinearLayer[]
  readonly spatial: boolean
  readonly normalize: boolean

  constructor(name: PerceptualTrunkName, options: LPIPSOptions = {}) {
    super()
    const { spatial = false, normalize = false, trainFeatures = false } = options
    this.spatial = spatial
    this.normalize = normalize
    this.net = new PerceptualTrunk(name).requiresGrad_(trainFeatures)
    this.#lins = TRUNKS[name].channels.map((channels) => new LinearLayer(channels))
  }

  // The published files have each of these twice: under a name of its own, and in a list.
  protected override *members() {
    yield* super.members()
    for (const [i, lin] of this.#lins.entries()) yield [`lin${i}`, lin] as const
    yield ['lins', new ModuleList(this.#lins)] as const
  }

  forward(first: Tensor, second: Tensor): Tensor {
    const [a, b] = [this.#features(first), this.#features(second)]
    const size = first.shape.slice(2)
    return this.#lins
      .map((lin, i) => {
        const distance = lin.forward((a[i] as Tensor).sub(b[i] as Tensor).square())
        return this.spatial
          ? F.interpolate(distance, { size, mode: 'bilinear' })
          : distance.mean({ dim: [2, 3], keepdim: true })
      })
      .reduce((sum, each) => sum.add(each))
  }

  /** Features of each slice, of length 1 at each pixel. */
  #features(images: Tensor): Tensor[] {
    const scaled = this.scalingLayer.forward(this.normalize ? images.mul(2).sub(1) : images)
    return this.net.forward(scaled).map((x) => {
      const length = x.square().sum({ dim: 1, keepdim: true }).sqrt()
      return x.div(length.add(1e-10))
    })
  }
}

export const lpipsAlex = (options?: LPIPSOptions) => new LPIPS('alex', options)
export const lpipsVgg = (options?: LPIPSOptions) => new LPIPS('vgg', options)
export const lpipsSqueeze = (options?: LPIPSOptions) => new LPIPS('squeeze', options)

const pair = { task: 'perceptual-distance', input: { kind: 'frame-pair' } } as const

export const LPIPS_NETWORKS = {
  lpips_alex: { create: lpipsAlex, ...pair },
  lpips_vgg: { create: lpipsVgg, ...pair },
  lpips_squeeze: { create: lpipsSqueeze, ...pair },
} as const satisfies Readonly<Record<string, NetworkEntry<LPIPSOptions>>>
