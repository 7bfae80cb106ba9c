import {
  celu,
  celu_,
  elu,
  elu_,
  hardsigmoid,
  hardsigmoid_,
  hardswish,
  hardswish_,
  hardtanh,
  hardtanh_,
  leakyRelu,
  leakyRelu_,
  mish,
  mish_,
  relu,
  relu_,
  relu6,
  relu6_,
  rrelu,
  rrelu_,
  selu,
  selu_,
  silu,
  silu_,
  type Tensor,
  threshold,
  threshold_,
} from '../tensor'
import { Module } from './module'
import { showOptions, withDefaults } from './options'

/** Activations that can change their input itself; the rest are in activation-smooth.ts. */

export interface InplaceOptions {
  /** Changes the input itself, which saves its memory; default false. */
  readonly inplace?: boolean
}

abstract class InplaceActivation extends Module {
  readonly inplace: boolean

  constructor(options: InplaceOptions = {}) {
    super()
    this.inplace = withDefaults(new.target.name, { inplace: false }, options).inplace
  }

  /** Options that this layer's line shows before `inplace`. */
  protected shown(): Readonly<Record<string, unknown>> {
    return {}
  }

  protected override describeOptions(): string {
    return showOptions({ ...this.shown(), ...(this.inplace && { inplace: true }) })
  }
}

/** `max(0, x)`, as `torch.nn.ReLU`. */
export class ReLU extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return this.inplace ? relu_(input) : relu(input)
  }
}

/** `min(max(0, x), 6)`, as `torch.nn.ReLU6`. */
export class ReLU6 extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return this.inplace ? relu6_(input) : relu6(input)
  }
}

/** `scale · (max(0, x) + min(0, α(eˣ − 1)))` with the constants of Klambauer et al. (2017), as `torch.nn.SELU`. */
export class SELU extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return this.inplace ? selu_(input) : selu(input)
  }
}

/** `x · σ(x)`, also called swish, as `torch.nn.SiLU`. */
export class SiLU extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return this.inplace ? silu_(input) : silu(input)
  }
}

/** `x · tanh(softplus(x))` (Misra 2019), as `torch.nn.Mish`. */
export class Mish extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return this.inplace ? mish_(input) : mish(input)
  }
}

/** `x · relu6(x + 3) / 6` (Howard et al. 2019), as `torch.nn.Hardswish`. */
export class Hardswish extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return this.inplace ? hardswish_(input) : hardswish(input)
  }
}

/** `relu6(x + 3) / 6`, as `torch.nn.Hardsigmoid`. */
export class Hardsigmoid extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return this.inplace ? hardsigmoid_(input) : hardsigmoid(input)
  }
}

export interface ELUOptions extends InplaceOptions {
  /** −α is the value at −∞; default 1. */
  readonly alpha?: number
}

/** `x` above 0, `α(eˣ − 1)` below (Clevert et al. 2016), as `torch.nn.ELU`. */
export class ELU extends InplaceActivation {
  readonly alpha: number

  constructor(options: ELUOptions = {}) {
    const { alpha, inplace } = withDefaults(new.target.name, { alpha: 1, inplace: false }, options)
    super({ inplace })
    this.alpha = alpha
  }

  forward(input: Tensor): Tensor {
    return (this.inplace ? elu_ : elu)(input, { alpha: this.alpha })
  }

  protected override shown(): Readonly<Record<string, unknown>> {
    return { alpha: this.alpha }
  }
}

/** `max(0, x) + min(0, α(e^(x/α) − 1))` (Barron 2017), as `torch.nn.CELU`. */
export class CELU extends InplaceActivation {
  readonly alpha: number

  constructor(options: ELUOptions = {}) {
    const { alpha, inplace } = withDefaults(new.target.name, { alpha: 1, inplace: false }, options)
    super({ inplace })
    this.alpha = alpha
  }

  forward(input: Tensor): Tensor {
    return (this.inplace ? celu_ : celu)(input, { alpha: this.alpha })
  }

  protected override shown(): Readonly<Record<string, unknown>> {
    return { alpha: this.alpha }
  }
}

export interface LeakyReLUOptions extends InplaceOptions {
  /** Slope below 0; default 0.01. */
  readonly negativeSlope?: number
}

/** `x` above 0, `negativeSlope · x` below, as `torch.nn.LeakyReLU`. */
export class LeakyReLU extends InplaceActivation {
  readonly negativeSlope: number

  constructor(options: LeakyReLUOptions = {}) {
    const { negativeSlope, inplace } = withDefaults(new.target.name, { negativeSlope: 0.01, inplace: false }, options)
    super({ inplace })
    this.negativeSlope = negativeSlope
  }

  forward(input: Tensor): Tensor {
    return (this.inplace ? leakyRelu_ : leakyRelu)(input, { negativeSlope: this.negativeSlope })
  }

  protected override shown(): Readonly<Record<string, unknown>> {
    return { negativeSlope: this.negativeSlope }
  }
}

export interface RReLUOptions extends InplaceOptions {
  /** Least slope below 0; default 1/8. */
  readonly lower?: number
  /** Greatest slope below 0; default 1/3. */
  readonly upper?: number
}

/** Leaky ReLU whose slope is drawn anew for each value in training, and is the mean of the two in evaluation; as `torch.nn.RReLU`. */
export class RReLU extends InplaceActivation {
  readonly lower: number
  readonly upper: number

  constructor(options: RReLUOptions = {}) {
    const { lower, upper, inplace } = withDefaults(
      new.target.name,
      { lower: 1 / 8, upper: 1 / 3, inplace: false },
      options,
    )
    super({ inplace })
    this.lower = lower
    this.upper = upper
  }

  forward(input: Tensor): Tensor {
    const { lower, upper, training } = this
    return (this.inplace ? rrelu_ : rrelu)(input, { lower, upper, training })
  }

  protected override shown(): Readonly<Record<string, unknown>> {
    return { lower: this.lower, upper: this.upper }
  }
}

export interface HardtanhOptions extends InplaceOptions {
  /** Default −1. */
  readonly minVal?: number
  /** Default 1. */
  readonly maxVal?: number
}

/** `x` brought back between `minVal` and `maxVal`, as `torch.nn.Hardtanh`. */
export class Hardtanh extends InplaceActivation {
  readonly minVal: number
  readonly maxVal: number

  constructor(options: HardtanhOptions = {}) {
    const { minVal, maxVal, inplace } = withDefaults(
      new.target.name,
      { minVal: -1, maxVal: 1, inplace: false },
      options,
    )
    super({ inplace })
    this.minVal = minVal
    this.maxVal = maxVal
  }

  forward(input: Tensor): Tensor {
    return (this.inplace ? hardtanh_ : hardtanh)(input, { minVal: this.minVal, maxVal: this.maxVal })
  }

  protected override shown(): Readonly<Record<string, unknown>> {
    return { minVal: this.minVal, maxVal: this.maxVal }
  }
}

/** `x` above the threshold, `value` elsewhere, as `torch.nn.Threshold`. */
export class Threshold extends InplaceActivation {
  constructor(
    readonly threshold: number,
    readonly value: number,
    options: InplaceOptions = {},
  ) {
    super(options)
  }

  forward(input: Tensor): Tensor {
    return (this.inplace ? threshold_ : threshold)(input, this.threshold, this.value)
  }

  protected override shown(): Readonly<Record<string, unknown>> {
    return { threshold: this.threshold, value: this.value }
  }
}
