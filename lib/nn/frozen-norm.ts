import { ones, type Tensor, zeros } from '../tensor'
import { Module } from './module'
import { FACTORY, type FactoryOptions, showOptions, wholeNumber, withDefaults } from './options'
import { type Buffer, buffer } from './roles'

export interface FrozenNormOptions extends FactoryOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number
}

/**
 * Batch norm whose statistics, scale and shift are fixed, as `torchvision.ops.FrozenBatchNorm2d`: detectors train with
 * batches too small for statistics. All four are buffers. Shape: `[N, C, H, W]`, kept.
 */
export class FrozenBatchNorm2d extends Module {
  readonly weight: Buffer
  readonly bias: Buffer
  readonly runningMean: Buffer
  readonly runningVar: Buffer
  readonly eps: number

  constructor(
    readonly numFeatures: number,
    given: FrozenNormOptions = {},
  ) {
    super()
    wholeNumber('FrozenBatchNorm2d: numFeatures', numFeatures)
    const { eps, ...made } = withDefaults<Required<FrozenNormOptions>>(
      'FrozenBatchNorm2d',
      { eps: 1e-5, ...FACTORY },
      given,
    )
    this.eps = eps
    this.weight = buffer(ones([numFeatures], made))
    this.bias = buffer(zeros([numFeatures], made))
    this.runningMean = buffer(zeros([numFeatures], made))
    this.runningVar = buffer(ones([numFeatures], made))
  }

  forward(input: Tensor): Tensor {
    const scale = this.weight.mul(this.runningVar.add(this.eps).rsqrt())
    const shift = this.bias.sub(this.runningMean.mul(scale))
    return input.mul(scale.reshape([1, -1, 1, 1])).add(shift.reshape([1, -1, 1, 1]))
  }

  protected override describeOptions(): string {
    return `${this.numFeatures}, ${showOptions({ eps: this.eps })}`
  }
}
