import { ShapeError } from '../native/errors'
import {
  gelu,
  glu,
  hardshrink,
  logSigmoid,
  logSoftmax,
  ones,
  prelu,
  sigmoid,
  softmax,
  softplus,
  softshrink,
  type Tensor,
  tanh,
} from '../tensor'
import { softmin, softsign, tanhshrink } from './functional/activation'
import * as init from './init'
import { Module } from './module'
import { FACTORY, type FactoryOptions, oneOf, show, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

/** `1 / (1 + e⁻ˣ)`, as `torch.nn.Sigmoid`. */
export class Sigmoid extends Module {
  forward(input: Tensor): Tensor {
    return sigmoid(input)
  }
}

/** `log σ(x)`, as `torch.nn.LogSigmoid`. */
export class LogSigmoid extends Module {
  forward(input: Tensor): Tensor {
    return logSigmoid(input)
  }
}

/** As `torch.nn.Tanh`. */
export class Tanh extends Module {
  forward(input: Tensor): Tensor {
    return tanh(input)
  }
}

/** `x − tanh(x)`, as `torch.nn.Tanhshrink`. */
export class Tanhshrink extends Module {
  forward(input: Tensor): Tensor {
    return tanhshrink(input)
  }
}

/** `x / (1 + |x|)`, as `torch.nn.Softsign`. */
export class Softsign extends Module {
  forward(input: Tensor): Tensor {
    return softsign(input)
  }
}

export interface SoftplusOptions {
  /** Sharpness; default 1. */
  readonly beta?: number
  /** Linear where `β x` is above this; default 20. */
  readonly threshold?: number
}

/** `log(1 + e^(βx)) / β`, as `torch.nn.Softplus`. */
export class Softplus extends Module {
  readonly beta: number
  readonly threshold: number

  constructor(options: SoftplusOptions = {}) {
    super()
    const { beta, threshold } = withDefaults('Softplus', { beta: 1, threshold: 20 }, options)
    this.beta = beta
    this.threshold = threshold
  }

  forward(input: Tensor): Tensor {
    return softplus(input, { beta: this.beta, threshold: this.threshold })
  }

  protected override describeOptions(): string {
    return showOptions({ beta: this.beta, threshold: this.threshold })
  }
}

export interface ShrinkOptions {
  /** Half the width of the band that becomes zero; default 0.5. */
  readonly lambd?: number
}

/** Zero within ±λ, `x ∓ λ` outside, as `torch.nn.Softshrink`. */
export class Softshrink extends Module {
  readonly lambd: number

  constructor(options: ShrinkOptions = {}) {
    super()
    this.lambd = withDefaults('Softshrink', { lambd: 0.5 }, options).lambd
  }

  forward(input: Tensor): Tensor {
    return softshrink(input, { lambd: this.lambd })
  }

  protected override describeOptions(): string {
    return show(this.lambd)
  }
}

/** Zero within ±λ, `x` outside, as `torch.nn.Hardshrink`. */
export class Hardshrink extends Module {
  readonly lambd: number

  constructor(options: ShrinkOptions = {}) {
    super()
    this.lambd = withDefaults('Hardshrink', { lambd: 0.5 }, options).lambd
  }

  forward(input: Tensor): Tensor {
    return hardshrink(input, { lambd: this.lambd })
  }

  protected override describeOptions(): string {
    return show(this.lambd)
  }
}

export interface GELUOptions {
  /** `'tanh'` for the approximation of Hendrycks and Gimpel (2016); default `'none'`. */
  readonly approximate?: 'none' | 'tanh'
}

/** `x Φ(x)`, as `torch.nn.GELU`. */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh'

  constructor(options: GELUOptions = {}) {
    super()
    const { approximate } = withDefaults<Required<GELUOptions>>('GELU', { approximate: 'none' }, options)
    this.approximate = oneOf('GELU: approximate', approximate, ['none', 'tanh'])
  }

  forward(input: Tensor): Tensor {
    return gelu(input, { approximate: this.approximate })
  }

  protected override describeOptions(): string {
    return showOptions({ approximate: this.approximate })
  }
}

/** The first half along `dim` times the sigmoid of the second (Dauphin et al. 2017), as `torch.nn.GLU`. */
export class GLU extends Module {
  readonly dim: number

  constructor(options: { readonly dim?: number } = {}) {
    super()
    this.dim = withDefaults('GLU', { dim: -1 }, options).dim
  }

  forward(input: Tensor): Tensor {
    return glu(input, { dim: this.dim })
  }

  protected override describeOptions(): string {
    return showOptions({ dim: this.dim })
  }
}

export interface PReLUOptions extends FactoryOptions {
  /** One slope for all channels, or one for each (dimension 1); default 1. */
  readonly numParameters?: number
  /** First value of the slopes; default 0.25. */
  readonly init?: number
}

/** `x` above 0, a learnt slope times `x` below (He et al. 2015), as `torch.nn.PReLU`. */
export class PReLU extends Module {
  readonly weight: Parameter
  readonly numParameters: number
  readonly init: number

  constructor(options: PReLUOptions = {}) {
    super()
    const defaults = { numParameters: 1, init: 0.25, ...FACTORY }
    const { numParameters, init: first, ...made } = withDefaults<Required<PReLUOptions>>('PReLU', defaults, options)
    this.numParameters = wholeNumber('PReLU: numParameters', numParameters)
    this.init = first
    this.weight = parameter(ones([numParameters], made))
    this.resetParameters()
  }

  resetParameters(): void {
    init.constant_(this.weight, this.init)
  }

  forward(input: Tensor): Tensor {
    return prelu(input, this.weight)
  }

  protected override describeOptions(): string {
    return showOptions({ numParameters: this.numParameters })
  }
}

/** Shares of `eˣ` along a dimension, as `torch.nn.Softmax`. */
export class Softmax extends Module {
  constructor(readonly dim: number) {
    super()
    wholeDim('Softmax', dim)
  }

  forward(input: Tensor): Tensor {
    return softmax(input, this.dim)
  }

  protected override describeOptions(): string {
    return showOptions({ dim: this.dim })
  }
}

/** Softmax of the negated input, as `torch.nn.Softmin`. */
export class Softmin extends Module {
  constructor(readonly dim: number) {
    super()
    wholeDim('Softmin', dim)
  }

  forward(input: Tensor): Tensor {
    return softmin(input, this.dim)
  }

  protected override describeOptions(): string {
    return showOptions({ dim: this.dim })
  }
}

/** Logarithm of the softmax, as `torch.nn.LogSoftmax`. */
export class LogSoftmax extends Module {
  constructor(readonly dim: number) {
    super()
    wholeDim('LogSoftmax', dim)
  }

  forward(input: Tensor): Tensor {
    return logSoftmax(input, this.dim)
  }

  protected override describeOptions(): string {
    return showOptions({ dim: this.dim })
  }
}

/** Softmax over the channels at each place, as `torch.nn.Softmax2d`. Shapes: `[N, C, H, W]` or `[C, H, W]`, kept. */
export class Softmax2d extends Module {
  forward(input: Tensor): Tensor {
    if (input.ndim !== 3 && input.ndim !== 4) {
      throw new ShapeError(`Softmax2d: the input has shape ${show(input.shape)}; it must be [N, C, H, W] or [C, H, W]`)
    }
    return softmax(input, -3)
  }
}

/** The dimension is asked for, as PyTorch's guess of it is deprecated. */
function wholeDim(name: string, dim: number): void {
  wholeNumber(`${name}: dim`, Math.abs(dim), 0)
}
