import { groupOf, type ProcessGroup } from '../distributed'
import { ShapeError } from '../native/errors'
import { ones, type Tensor, zeros } from '../tensor'
import { noGrad } from '../tensor/autograd'
import { call } from '../tensor/call'
import { batchNorm, instanceNorm } from './functional/norm'
import * as init from './init'
import { Module } from './module'
import { FACTORY, type FactoryOptions, type Rank, show, showOptions, wholeNumber, withDefaults } from './options'
import { type Buffer, buffer, type Parameter, parameter } from './roles'

export interface NormOptions extends FactoryOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number
  /** Weight of a batch in the running statistics; null takes the mean of all batches; default 0.1. */
  readonly momentum?: number | null
  /** Learns a scale and a shift for each channel. */
  readonly affine?: boolean
  /** Keeps running statistics for evaluation. */
  readonly trackRunningStats?: boolean
}

/** State and printing of the norms that keep running statistics. */
abstract class RunningNorm extends Module {
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly runningMean: Buffer | null
  readonly runningVar: Buffer | null
  readonly numBatchesTracked: Buffer | null
  readonly eps: number
  readonly momentum: number | null
  readonly affine: boolean
  readonly trackRunningStats: boolean

  protected constructor(
    readonly numFeatures: number,
    defaults: { readonly affine: boolean; readonly trackRunningStats: boolean },
    given: NormOptions,
  ) {
    super()
    const { name } = new.target
    wholeNumber(`${name}: numFeatures`, numFeatures)
    const all = { eps: 1e-5, momentum: 0.1, ...defaults, ...FACTORY }
    const { eps, momentum, affine, trackRunningStats, ...made } = withDefaults<Required<NormOptions>>(name, all, given)
    this.eps = eps
    this.momentum = momentum
    this.affine = affine
    this.trackRunningStats = trackRunningStats
    this.weight = affine ? parameter(ones([numFeatures], made)) : null
    this.bias = affine ? parameter(zeros([numFeatures], made)) : null
    this.runningMean = trackRunningStats ? buffer(zeros([numFeatures], made)) : null
    this.runningVar = trackRunningStats ? buffer(ones([numFeatures], made)) : null
    this.numBatchesTracked = trackRunningStats ? buffer(zeros([], { ...made, dtype: 'int64' })) : null
  }

  /** Forgets the running statistics. */
  resetRunningStats(): void {
    if (this.runningMean) init.zeros_(this.runningMean)
    if (this.runningVar) init.ones_(this.runningVar)
    if (this.numBatchesTracked) init.zeros_(this.numBatchesTracked)
  }

  resetParameters(): void {
    this.resetRunningStats()
    if (this.weight) init.ones_(this.weight)
    if (this.bias) init.zeros_(this.bias)
  }

  protected override describeOptions(): string {
    const { numFeatures, eps, momentum, affine, trackRunningStats } = this
    return `${numFeatures}, ${showOptions({ eps, momentum, affine, trackRunningStats })}`
  }
}

abstract class BatchNorm extends RunningNorm {
  /** The processes that share the statistics of a batch; see `synchronizeBatchNorm`. */
  group: ProcessGroup | null = null
  readonly #ranks: readonly number[]

  protected constructor(ranks: readonly number[], numFeatures: number, options: NormOptions) {
    super(numFeatures, { affine: true, trackRunningStats: true }, options)
    this.#ranks = ranks
  }

  forward(input: Tensor): Tensor {
    checkInput(this, input, this.#ranks, 1)
    const { weight, bias, eps, training } = this
    const tracked = this.runningMean !== null
    if (training) noGrad(() => this.numBatchesTracked?.add_(1))
    if (training && this.group) return this.#forwardAcross(this.group, input)
    const statistics = training && !tracked ? {} : { runningMean: this.runningMean, runningVar: this.runningVar }
    return batchNorm(input, {
      ...statistics,
      weight,
      bias,
      training: training || !tracked,
      momentum: training ? this.#factor() : 0,
      eps,
    })
  }

  #forwardAcross(open: ProcessGroup, input: Tensor): Tensor {
    const { name, worldSize } = groupOf(open, this.constructor.name)
    const { weight, bias, runningMean, runningVar } = this
    return call('vision_native_distributed::sync_batch_norm', [input, this.#factor(), this.eps, name, worldSize], {
      weight,
      bias,
      runningMean,
      runningVar,
    }) as Tensor
  }

  #factor(): number {
    if (this.momentum !== null) return this.momentum
    // Each of n batches has weight 1/n in the mean of all.
    return this.numBatchesTracked ? 1 / this.numBatchesTracked.toNumber() : 0
  }
}

function checkInput(
  module: { readonly constructor: { readonly name: string }; readonly numFeatures: number },
  input: Tensor,
  ranks: readonly number[],
  channelDim: number,
): void {
  const { shape } = input
  const { name } = module.constructor
  if (!ranks.includes(shape.length)) {
    throw new ShapeError(`${name}: the input has shape ${show(shape)}; it must have ${ranks.join(' or ')} dimensions`)
  }
  if (shape[channelDim] !== module.numFeatures) {
    throw new ShapeError(
      `${name}: the layer has ${module.numFeatures} features, the input ${show(shape)} has ${shape[channelDim]} channels`,
    )
  }
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015), as `torch.nn.BatchNorm1d`. Shapes: `[N, C]` or `[N, C, L]`, kept.
 *
 * In training it uses the batch's statistics and moves the running ones towards them; in evaluation the running ones.
 */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super([2, 3], numFeatures, options)
  }
}

/** Batch normalisation of images, as `torch.nn.BatchNorm2d`. Shape: `[N, C, H, W]`, kept. */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super([4], numFeatures, options)
  }
}

/** Batch normalisation of volumes and clips, as `torch.nn.BatchNorm3d`. Shape: `[N, C, D, H, W]`, kept. */
export class BatchNorm3d extends BatchNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super([5], numFeatures, options)
  }
}

export interface SynchronizeBatchNormOptions {
  /** The default group unless stated; null makes the layers normalise by the batch of their own process again. */
  readonly group?: ProcessGroup | null | undefined
}

/**
 * Makes the batch norms of a model use the statistics of all processes' batches in training, as
 * `torch.nn.SyncBatchNorm`. The layers stay the same: their names, parameters and state do.
 *
 * @returns the model
 * @throws ConfigError when no process group is open
 */
export function synchronizeBatchNorm<M extends Module>(model: M, { group }: SynchronizeBatchNormOptions = {}): M {
  const shared = group === null ? null : groupOf(group, 'synchronizeBatchNorm')
  for (const module of model.modules()) if (module instanceof BatchNorm) module.group = shared
  return model
}

abstract class InstanceNorm extends RunningNorm {
  readonly #rank: Rank

  protected constructor(rank: Rank, numFeatures: number, options: NormOptions) {
    super(numFeatures, { affine: false, trackRunningStats: false }, options)
    this.#rank = rank
  }

  forward(input: Tensor): Tensor {
    const single = input.ndim === this.#rank + 1
    checkInput(this, input, [this.#rank + 1, this.#rank + 2], single ? 0 : 1)
    const { runningMean, runningVar, weight, bias, eps, momentum, training, trackRunningStats } = this
    const options = { runningMean, runningVar, weight, bias, eps, momentum: momentum ?? 0 }
    const output = instanceNorm(single ? input.unsqueeze(0) : input, {
      ...options,
      useInputStats: training || !trackRunningStats,
    })
    return single ? output.squeeze(0) : output
  }
}

/** Instance normalisation (Ulyanov et al. 2016), as `torch.nn.InstanceNorm1d`. Shapes: `[N, C, L]` or `[C, L]`, kept. */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(1, numFeatures, options)
  }
}

/** Instance normalisation of images, as `torch.nn.InstanceNorm2d`. Shapes: `[N, C, H, W]` or `[C, H, W]`, kept. */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(2, numFeatures, options)
  }
}

/** Instance normalisation of volumes, as `torch.nn.InstanceNorm3d`. Shapes: `[N, C, D, H, W]` or `[C, D, H, W]`, kept. */
export class InstanceNorm3d extends InstanceNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(3, numFeatures, options)
  }
}
