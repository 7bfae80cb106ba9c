import { ShapeError } from '../native/errors'
import { bilinear, empty, flatten, linear, type Tensor, unflatten } from '../tensor'
import * as init from './init'
import { Module } from './module'
import { FACTORY, type FactoryOptions, show, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

/** Passes its input on, as `torch.nn.Identity`. */
export class Identity extends Module {
  forward(input: Tensor): Tensor {
    return input
  }
}

export interface LinearOptions extends FactoryOptions {
  /** Adds a learnt bias; default true. */
  readonly bias?: boolean
}

/**
 * `y = x Aᵀ + b`, as `torch.nn.Linear`.
 *
 * Shapes: `[*, inFeatures]` → `[*, outFeatures]`; weight `[outFeatures, inFeatures]`.
 */
export class Linear extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | null

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super()
    wholeNumber('Linear: inFeatures', inFeatures, 0)
    wholeNumber('Linear: outFeatures', outFeatures, 0)
    const { bias, ...made } = withDefaults<Required<LinearOptions>>('Linear', { bias: true, ...FACTORY }, options)
    this.weight = parameter(empty([outFeatures, inFeatures], made))
    this.bias = bias ? parameter(empty([outFeatures], made)) : null
    this.resetParameters()
  }

  /** Draws new first values: uniform within ±1/√inFeatures. */
  resetParameters(): void {
    resetLinear(this.weight, this.bias)
  }

  forward(input: Tensor): Tensor {
    return linear(input, this.weight, { bias: this.bias })
  }

  protected override describeOptions(): string {
    const { inFeatures, outFeatures, bias } = this
    return showOptions({ inFeatures, outFeatures, bias: bias !== null })
  }
}

/** PyTorch's first values of linear and convolution layers: uniform within ±1/√fanIn, weight and bias alike. */
export function resetLinear(weight: Tensor, bias: Tensor | null): void {
  const { fanIn } = init.calculateFanInAndFanOut(weight)
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0
  init.uniform_(weight, { a: -bound, b: bound })
  if (bias) init.uniform_(bias, { a: -bound, b: bound })
}

/**
 * `y = x₁ᵀ A x₂ + b`, as `torch.nn.Bilinear`.
 *
 * Shapes: `[*, in1Features]` and `[*, in2Features]` → `[*, outFeatures]`.
 */
export class Bilinear extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | null

  constructor(
    readonly in1Features: number,
    readonly in2Features: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super()
    wholeNumber('Bilinear: in1Features', in1Features)
    wholeNumber('Bilinear: in2Features', in2Features)
    wholeNumber('Bilinear: outFeatures', outFeatures)
    const { bias, ...made } = withDefaults<Required<LinearOptions>>('Bilinear', { bias: true, ...FACTORY }, options)
    this.weight = parameter(empty([outFeatures, in1Features, in2Features], made))
    this.bias = bias ? parameter(empty([outFeatures], made)) : null
    this.resetParameters()
  }

  /** Draws new first values: uniform within ±1/√in1Features. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features)
    init.uniform_(this.weight, { a: -bound, b: bound })
    if (this.bias) init.uniform_(this.bias, { a: -bound, b: bound })
  }

  forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear(input1, input2, this.weight, { bias: this.bias })
  }

  protected override describeOptions(): string {
    const { in1Features, in2Features, outFeatures, bias } = this
    return showOptions({ in1Features, in2Features, outFeatures, bias: bias !== null })
  }
}

/** Joins the dimensions from `startDim` to `endDim` into one, as `torch.nn.Flatten`; by default all but the batch. */
export class Flatten extends Module {
  readonly startDim: number
  readonly endDim: number

  constructor(options: { readonly startDim?: number; readonly endDim?: number } = {}) {
    super()
    const { startDim, endDim } = withDefaults('Flatten', { startDim: 1, endDim: -1 }, options)
    this.startDim = startDim
    this.endDim = endDim
  }

  forward(input: Tensor): Tensor {
    return flatten(input, { startDim: this.startDim, endDim: this.endDim })
  }

  protected override describeOptions(): string {
    return showOptions({ startDim: this.startDim, endDim: this.endDim })
  }
}

/** Splits one dimension into several, as `torch.nn.Unflatten`; one of the sizes may be −1. */
export class Unflatten extends Module {
  constructor(
    readonly dim: number,
    readonly unflattenedSize: readonly number[],
  ) {
    super()
    if (!Array.isArray(unflattenedSize) || unflattenedSize.length === 0) {
      throw new ShapeError(`Unflatten: unflattenedSize is ${show(unflattenedSize)}; it must be a list of sizes`)
    }
  }

  forward(input: Tensor): Tensor {
    return unflatten(input, this.dim, this.unflattenedSize)
  }

  protected override describeOptions(): string {
    return showOptions({ dim: this.dim, unflattenedSize: this.unflattenedSize })
  }
}
