// KPCNN and KPFCNN with the names of their authors' PyTorch release.
import { ArgumentError } from '../native/errors'
import { Module, ModuleList } from '../nn'
import { cat, eye, type Tensor, tidy, zeros } from '../tensor'
import type { KPConvDeformation } from './kpconv'
import {
  GlobalAverageBlock,
  type KPConvBlock,
  type KPConvConfig,
  type KPConvNetworkOptions,
  NearestUpsampleBlock,
  ResnetBottleneckBlock,
  SimpleBlock,
  UnaryBlock,
} from './kpconv-blocks'
import type { NetworkEntry } from './network'
import type { PointPyramid } from './point-pyramid'

/** Blocks in order, with the channels that each begins with and what a decoder takes up again. */
interface Planned {
  readonly blocks: KPConvBlock[]
  /** Channels before each change of level. */
  readonly skips: { readonly block: number; readonly channels: number }[]
  readonly level: number
  /** Of the last block. */
  readonly channels: number
  /** Of the next one. */
  readonly width: number
}

function encoder(config: KPConvConfig): Planned {
  const blocks: KPConvBlock[] = []
  const skips: { block: number; channels: number }[] = []
  let [level, channels, width] = [0, config.inChannels, config.firstChannels]
  for (const name of config.architecture) {
    const changes = /strided|upsample|global/.test(name)
    if (changes) skips.push({ block: blocks.length, channels })
    if (name === 'nearest_upsample') break
    const place = { name, level, strides: name.endsWith('strided') }
    if (name === 'global_average') blocks.push(new GlobalAverageBlock())
    else if (name === 'unary') blocks.push(new UnaryBlock(channels, width, config.momentum))
    else if (name.startsWith('simple')) blocks.push(new SimpleBlock(channels, width, place, config))
    else if (name.startsWith('resnetb')) blocks.push(new ResnetBottleneckBlock(channels, width, place, config))
    else throw new ArgumentError(`KPConv: there is no block '${String(name)}'`)
    channels = name.startsWith('simple') ? width / 2 : width
    if (place.strides) {
      level += 1
      width *= 2
    }
  }
  return { blocks, skips, level, channels, width }
}

function configOf(name: string, options: KPConvNetworkOptions, published: KPConvConfig): KPConvConfig {
  const config = { ...published, ...options }
  if (config.firstChannels % 4 !== 0) {
    throw new ArgumentError(`${name}: firstChannels is ${config.firstChannels}; it must be a multiple of 4`)
  }
  return config
}

/** Scores, and where the kernel points of deformable convolutions went. */
export interface KPConvResult {
  readonly logits: Tensor
  readonly deformations: readonly KPConvDeformation[]
}

abstract class KPConvNetwork extends Module {
  /** What a loss for deformable networks needs besides the logits; see `kpconvOffsetLoss`. */
  abstract forwardWithDeformations(features: Tensor, pyramid: PointPyramid): KPConvResult

  forward(features: Tensor, pyramid: PointPyramid): Tensor {
    return this.forwardWithDeformations(features, pyramid).logits
  }
}

/** The authors' configuration of ModelNet40. */
const MODELNET40 = {
  ...{ kernelSize: 15, cell: 0.02, radius: 2.5 },
  architecture: [
    ...(['simple', 'resnetb_strided', 'resnetb', 'resnetb_strided', 'resnetb', 'resnetb_strided'] as const),
    ...(['resnetb_deformable', 'resnetb_deformable_strided', 'resnetb_deformable', 'global_average'] as const),
  ],
  ...{ inChannels: 1, firstChannels: 64, numClasses: 40, extent: 1.5, modulated: true, momentum: 0.05 },
} as const satisfies KPConvConfig

/**
 * Kernel point network that classifies clouds (Thomas, Qi, Deschaud, Marcotegui, Goulette, Guibas, ICCV 2019), as their
 * `KPCNN` for ModelNet40.
 *
 * Shapes: features of the points of all clouds `[N, inChannels]` and their `pointPyramid` → logits
 * `[clouds, numClasses]`.
 */
export class KPCNN extends KPConvNetwork {
  readonly blockOps: ModuleList<KPConvBlock>
  readonly headMlp: UnaryBlock
  readonly headSoftmax: UnaryBlock

  constructor(options: KPConvNetworkOptions = {}) {
    super()
    const config = configOf('KPCNN', options, MODELNET40)
    const { blocks, width } = encoder(config)
    this.blockOps = new ModuleList(blocks)
    this.headMlp = new UnaryBlock(width, 1024, null)
    this.headSoftmax = new UnaryBlock(1024, config.numClasses, null, false)
  }

  forwardWithDeformations(features: Tensor, pyramid: PointPyramid): KPConvResult {
    return tidy(() => {
      const deformations: KPConvDeformation[] = []
      let x = features
      for (const block of this.blockOps) x = runBlock(block, x, pyramid, deformations)
      return { logits: this.headSoftmax.forward(this.headMlp.forward(x)), deformations }
    })
  }
}

function runBlock(
  block: KPConvBlock,
  features: Tensor,
  pyramid: PointPyramid,
  deformations: KPConvDeformation[],
): Tensor {
  if (block instanceof UnaryBlock) return block.forward(features)
  const result = block.run(features, pyramid)
  if (result.deformation) deformations.push(result.deformation)
  return result.features
}

/** The authors' configuration of S3DIS. */
const S3DIS = {
  ...{ kernelSize: 15, cell: 0.02, radius: 2.5 },
  architecture: [
    ...(['simple', 'resnetb', 'resnetb_strided', 'resnetb', 'resnetb', 'resnetb_strided', 'resnetb'] as const),
    ...(['resnetb', 'resnetb_strided', 'resnetb', 'resnetb', 'resnetb_strided', 'resnetb', 'resnetb'] as const),
    ...(['nearest_upsample', 'unary', 'nearest_upsample', 'unary'] as const),
    ...(['nearest_upsample', 'unary', 'nearest_upsample', 'unary'] as const),
  ],
  ...{ inChannels: 5, firstChannels: 128, numClasses: 13, extent: 1.2, modulated: false, momentum: 0.02 },
} as const satisfies KPConvConfig

/**
 * Kernel point network that says what each point is (Thomas, Qi, Deschaud, Marcotegui, Goulette, Guibas, ICCV 2019), as
 * their `KPFCNN` for S3DIS: an encoder, and a decoder that takes up its features again.
 *
 * Shapes: features of the points of all clouds `[N, inChannels]` and their `pointPyramid` → logits `[N, numClasses]`.
 */
export class KPFCNN extends KPConvNetwork {
  readonly encoderBlocks: ModuleList<KPConvBlock>
  readonly decoderBlocks: ModuleList<KPConvBlock>
  readonly headMlp: UnaryBlock
  readonly headSoftmax: UnaryBlock
  readonly #skips: ReadonlySet<number>

  constructor(options: KPConvNetworkOptions = {}) {
    super()
    const config = configOf('KPFCNN', options, S3DIS)
    const planned = encoder(config)
    let { level, channels, width } = planned
    this.encoderBlocks = new ModuleList(planned.blocks)
    this.#skips = new Set(planned.skips.map(({ block }) => block))
    const decoder: KPConvBlock[] = []
    const start = config.architecture.indexOf('nearest_upsample')
    for (const name of start < 0 ? [] : config.architecture.slice(start)) {
      if (name === 'nearest_upsample') {
        decoder.push(new NearestUpsampleBlock(level))
        level -= 1
        channels = width + (planned.skips[level]?.channels ?? 0)
        width /= 2
      } else if (name === 'unary') {
        decoder.push(new UnaryBlock(channels, width, config.momentum))
        channels = width
      } else throw new ArgumentError(`KPFCNN: '${name}' comes after the first 'nearest_upsample'; only 'unary' may`)
    }
    if (level !== 0) {
      throw new ArgumentError(
        `KPFCNN: the decoder ends on level ${level}; it needs as many 'nearest_upsample' as strides`,
      )
    }
    this.decoderBlocks = new ModuleList(decoder)
    this.headMlp = new UnaryBlock(width, config.firstChannels, null)
    this.headSoftmax = new UnaryBlock(config.firstChannels, config.numClasses, null, false)
  }

  forwardWithDeformations(features: Tensor, pyramid: PointPyramid): KPConvResult {
    return tidy(() => {
      const deformations: KPConvDeformation[] = []
      const skipped: Tensor[] = []
      let x = features
      for (const [i, block] of [...this.encoderBlocks].entries()) {
        if (this.#skips.has(i)) skipped.push(x)
        x = runBlock(block, x, pyramid, deformations)
      }
      for (const block of this.decoderBlocks) {
        x = runBlock(block, x, pyramid, deformations)
        const before = block instanceof NearestUpsampleBlock ? skipped.pop() : undefined
        if (before) x = cat([x, before], { dim: 1 })
      }
      return { logits: this.headSoftmax.forward(this.headMlp.forward(x)), deformations }
    })
  }
}

/**
 * What a deformable network's loss adds: kernel points should be near to a point, and not nearer to one another than
 * `repulsion` times their extent (Eq. 8 and 9). As its authors do, train what is called `offset…` at a tenth of the rate.
 */
export function kpconvOffsetLoss(
  deformations: readonly KPConvDeformation[],
  { repulsion = 1.2, power = 1 }: { readonly repulsion?: number; readonly power?: number } = {},
): Tensor {
  return tidy(() => {
    const terms = deformations.map(({ kernelPoints, nearest, extent }) => {
      const fitting = nearest.div(extent ** 2).mean()
      const places = kernelPoints.div(extent)
      // Each is pushed away from where the others are now.
      const apart = places
        .unsqueeze(2)
        .sub(places.detach().unsqueeze(1))
        .square()
        .sum({ dim: [3] })
      const size = places.size(1)
      const itself = eye(size, { device: places.device })
      // The root has no derivative at 0, where each is itself.
      const distances = apart.add(itself.mul(repulsion ** 2)).sqrt()
      const repulsed = distances
        .sub(repulsion)
        .clamp({ max: 0 })
        .square()
        .sum({ dim: [2] })
      return fitting.mul(2).add(repulsed.mean())
    })
    return terms.reduce((sum, term) => sum.add(term), zeros([])).mul(power)
  })
}

export const kpcnn = (options?: KPConvNetworkOptions) => new KPCNN(options)
export const kpfcnn = (options?: KPConvNetworkOptions) => new KPFCNN(options)

const clouds = { task: 'point-cloud', input: { kind: 'points' } } as const

export const KPCONV_NETWORKS = {
  kpcnn: { create: kpcnn, ...clouds },
  kpfcnn: { create: kpfcnn, ...clouds },
} as const satisfies Readonly<Record<string, NetworkEntry<KPConvNetworkOptions>>>
