// What KPCNN and KPFCNN are built of, with the names of their authors' PyTorch release.
import { ShapeError } from '../native/errors'
import { BatchNorm1d, functional as F, Linear, Module, type Parameter, parameter } from '../nn'
import { stack, type Tensor, zeros } from '../tensor'
import { KPConv, type KPConvDeformation } from './kpconv'
import { gatherNeighbours, type PointPyramid } from './point-pyramid'

/** A block of a network by its name in the authors' configurations. */
export type KPConvBlockName =
  | 'simple'
  | 'simple_strided'
  | 'simple_deformable'
  | 'simple_deformable_strided'
  | 'resnetb'
  | 'resnetb_strided'
  | 'resnetb_deformable'
  | 'resnetb_deformable_strided'
  | 'global_average'
  | 'nearest_upsample'
  | 'unary'

export interface KPConvNetworkOptions {
  /** That of the published network unless given. */
  readonly architecture?: readonly KPConvBlockName[]
  /** Channels of the features that points come with. */
  readonly inChannels?: number
  /** Channels of the first blocks, doubled with every stride. */
  readonly firstChannels?: number
  readonly numClasses?: number
  /** Points of a kernel. Default 15. */
  readonly kernelSize?: number
  /** Side of the cells that clouds were thinned with, in the unit of the points; default 0.02. */
  readonly cell?: number
  /** Radius of the convolutions, in cells; default 2.5. */
  readonly radius?: number
  /** How far kernel points reach, in cells. */
  readonly extent?: number
  /** Deformable convolutions weigh their kernel points too. */
  readonly modulated?: boolean
  /** Of the batch norms. */
  readonly momentum?: number
}

export type KPConvConfig = Required<KPConvNetworkOptions>

/** What a block makes of features, and where its kernel points went. */
interface BlockResult {
  readonly features: Tensor
  readonly deformation: KPConvDeformation | null
}

/** A block that looks at neighbours. */
abstract class PyramidBlock extends Module {
  /** Plain, so that what it gives besides features is not freed with the scope of `forward`. */
  abstract run(features: Tensor, pyramid: PointPyramid): BlockResult

  forward(features: Tensor, pyramid: PointPyramid): Tensor {
    return this.run(features, pyramid).features
  }
}

export type KPConvBlock = PyramidBlock | UnaryBlock

const leaky = (x: Tensor) => F.leakyRelu(x, { negativeSlope: 0.1 })

/** A batch norm, or a bias alone where there is no momentum. */
class BatchNormBlock extends Module {
  readonly bias: Parameter | null
  readonly batchNorm: BatchNorm1d | null

  constructor(channels: number, momentum: number | null) {
    super()
    this.bias = momentum === null ? parameter(zeros([channels])) : null
    this.batchNorm = momentum === null ? null : new BatchNorm1d(channels, { momentum })
  }

  forward(x: Tensor): Tensor {
    return this.batchNorm?.forward(x) ?? (this.bias ? x.add(this.bias) : x)
  }
}

/** A linear layer for each point, a norm, and LeakyReLU unless `activates` is false. */
export class UnaryBlock extends Module {
  readonly mlp: Linear
  readonly batchNorm: BatchNormBlock

  constructor(
    from: number,
    to: number,
    momentum: number | null,
    readonly activates = true,
  ) {
    super()
    this.mlp = new Linear(from, to, { bias: false })
    this.batchNorm = new BatchNormBlock(to, momentum)
  }

  forward(features: Tensor): Tensor {
    const x = this.batchNorm.forward(this.mlp.forward(features))
    return this.activates ? leaky(x) : x
  }
}

/** Where a convolution stands: on which level, and whether it goes on to the next. */
interface Place {
  readonly name: KPConvBlockName
  readonly level: number
  readonly strides: boolean
}

function convolution({ name, level }: Place, channels: readonly [number, number], config: KPConvConfig): KPConv {
  const scale = config.cell * 2 ** level
  return new KPConv({
    inChannels: channels[0],
    outChannels: channels[1],
    kernelSize: config.kernelSize,
    extent: scale * config.extent,
    radius: scale * config.radius,
    deformable: name.includes('deformable'),
    modulated: config.modulated,
  })
}

/** @throws ShapeError when the pyramid has too few levels */
function around({ level, strides }: Place, { points, neighbours, pools }: PointPyramid) {
  const supports = points[level]
  const queries = points[strides ? level + 1 : level]
  const indices = (strides ? pools : neighbours)[level]
  if (supports && queries && indices) return { supports, queries, indices }
  throw new ShapeError(
    `KPConv: a block works on level ${level}${strides ? ' and the next' : ''}; the pyramid has ${points.length}: make it with more levels`,
  )
}

export class SimpleBlock extends PyramidBlock {
  readonly KPConv: KPConv
  readonly batchNorm: BatchNormBlock

  constructor(
    from: number,
    to: number,
    readonly place: Place,
    config: KPConvConfig,
  ) {
    super()
    this.KPConv = convolution(place, [from, to / 2], config)
    this.batchNorm = new BatchNormBlock(to / 2, config.momentum)
  }

  run(features: Tensor, pyramid: PointPyramid): BlockResult {
    const { queries, supports, indices } = around(this.place, pyramid)
    const convolved = this.KPConv.convolve(queries, supports, indices, features)
    return { ...convolved, features: leaky(this.batchNorm.forward(convolved.features)) }
  }
}

/** Linear layer, convolution, linear layer, beside a shortcut (the paper's Fig. 7). */
export class ResnetBottleneckBlock extends PyramidBlock {
  readonly unary1: UnaryBlock | null
  readonly KPConv: KPConv
  readonly batchNormConv: BatchNormBlock
  readonly unary2: UnaryBlock
  readonly unaryShortcut: UnaryBlock | null

  constructor(
    from: number,
    to: number,
    readonly place: Place,
    config: KPConvConfig,
  ) {
    super()
    const within = to / 4
    const { momentum } = config
    this.unary1 = from === within ? null : new UnaryBlock(from, within, momentum)
    this.KPConv = convolution(place, [within, within], config)
    this.batchNormConv = new BatchNormBlock(within, momentum)
    this.unary2 = new UnaryBlock(within, to, momentum, false)
    this.unaryShortcut = from === to ? null : new UnaryBlock(from, to, momentum, false)
  }

  run(features: Tensor, pyramid: PointPyramid): BlockResult {
    const { queries, supports, indices } = around(this.place, pyramid)
    const inner = this.unary1?.forward(features) ?? features
    const convolved = this.KPConv.convolve(queries, supports, indices, inner)
    const x = this.unary2.forward(leaky(this.batchNormConv.forward(convolved.features)))
    const kept = this.place.strides ? largest(features, indices) : features
    return { ...convolved, features: leaky(x.add(this.unaryShortcut?.forward(kept) ?? kept)) }
  }
}

function largest(features: Tensor, indices: Tensor): Tensor {
  return gatherNeighbours(features, indices).amax({ dim: [1] })
}

export class NearestUpsampleBlock extends PyramidBlock {
  constructor(readonly level: number) {
    super()
  }

  run(features: Tensor, { upsamples }: PointPyramid): BlockResult {
    const nearest = upsamples[this.level - 1]
    if (!nearest) throw new ShapeError(`KPConv: the pyramid has no level ${this.level}; make it with more levels`)
    return { features: gatherNeighbours(features, nearest.narrow(1, 0, 1)).squeeze(1), deformation: null }
  }
}

/** The mean of each cloud's features. */
export class GlobalAverageBlock extends PyramidBlock {
  run(features: Tensor, { lengths }: PointPyramid): BlockResult {
    let before = 0
    const means = (lengths.at(-1) ?? []).map((count) => {
      const mean = features.narrow(0, before, count).mean({ dim: 0 })
      before += count
      return mean
    })
    return { features: stack(means), deformation: null }
  }
}
