import { ArgumentError, ShapeError } from '../native/errors'
import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  empty,
  pad,
  type Tensor,
} from '../tensor'
import { resetLinear } from './linear'
import { Module } from './module'
import {
  expandSize,
  FACTORY,
  type FactoryOptions,
  oneOf,
  type Rank,
  type Size,
  show,
  showOptions,
  wholeNumber,
  withDefaults,
} from './options'
import { type Parameter, parameter } from './roles'

/** What stands beyond the border: zeros, the mirrored input, its last value, or its other end. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

const PADDING_MODES: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular']

interface ConvGeometry {
  readonly bias: Tensor | null
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

const CONVOLUTIONS: Readonly<Record<Rank, (input: Tensor, weight: Tensor, options: ConvGeometry) => Tensor>> = {
  1: conv1d,
  2: conv2d,
  3: conv3d,
}

interface TransposedGeometry extends ConvGeometry {
  readonly outputPadding: readonly number[]
}

const TRANSPOSED: Readonly<Record<Rank, (input: Tensor, weight: Tensor, options: TransposedGeometry) => Tensor>> = {
  1: convTranspose1d,
  2: convTranspose2d,
  3: convTranspose3d,
}

/** What all convolutions have. */
abstract class ConvBase<R extends Rank> extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | null
  readonly kernelSize: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number

  protected constructor(
    protected readonly rank: Rank,
    transposed: boolean,
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size<R>,
    options: { stride: Size<R>; dilation: Size<R>; groups: number; bias: boolean } & Required<FactoryOptions>,
  ) {
    super()
    const { name } = new.target
    wholeNumber(`${name}: inChannels`, inChannels)
    wholeNumber(`${name}: outChannels`, outChannels)
    this.kernelSize = expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
    this.stride = expandSize(`${name}: stride`, options.stride, rank, 1)
    this.dilation = expandSize(`${name}: dilation`, options.dilation, rank, 1)
    this.groups = wholeNumber(`${name}: groups`, options.groups)
    if (inChannels % this.groups !== 0 || outChannels % this.groups !== 0) {
      throw new ArgumentError(
        `${name}: ${inChannels} input and ${outChannels} output channels do not both divide into ${this.groups} groups`,
      )
    }
    const made = { dtype: options.dtype, device: options.device }
    const [first, second] = transposed ? [inChannels, outChannels] : [outChannels, inChannels]
    this.weight = parameter(empty([first, second / this.groups, ...this.kernelSize], made))
    this.bias = options.bias ? parameter(empty([outChannels], made)) : null
    this.resetParameters()
  }

  /** Draws new first values: uniform within ±1/√fanIn. */
  resetParameters(): void {
    resetLinear(this.weight, this.bias)
  }

  /** PyTorch's line: sizes always, the rest where it is not the default. */
  protected describeWith({ padding, outputPadding, paddingMode }: Readonly<Record<string, unknown>>): string {
    const { inChannels, outChannels, kernelSize, stride, dilation, groups, bias } = this
    const shown = {
      kernelSize,
      stride,
      ...(isSet(padding, 0) && { padding }),
      ...(isSet(dilation, 1) && { dilation }),
      ...(isSet(outputPadding, 0) && { outputPadding }),
      ...(groups !== 1 && { groups }),
      ...(bias === null && { bias: false }),
      ...(isSet(paddingMode, 'zeros') && { paddingMode }),
    }
    return `${inChannels}, ${outChannels}, ${showOptions(shown)}`
  }
}

/** Whether an option is there and differs from its default, anywhere in a list. */
function isSet(value: unknown, normal: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => item !== normal)
  return value !== undefined && value !== normal
}

export interface ConvOptions<R extends Rank> extends FactoryOptions {
  /** Step of the kernel; default 1. */
  readonly stride?: Size<R>
  /** Elements added at both ends of each dimension, `'same'` (output as large as the input) or `'valid'`; default 0. */
  readonly padding?: Size<R> | 'same' | 'valid'
  readonly paddingMode?: PaddingMode
  /** Distance between the kernel's elements; default 1. */
  readonly dilation?: Size<R>
  /** Channels are convolved in so many separate groups; default 1. */
  readonly groups?: number
  /** Adds a learnt bias; default true. */
  readonly bias?: boolean
}

const CONV_DEFAULTS = {
  stride: 1,
  padding: 0,
  paddingMode: 'zeros',
  dilation: 1,
  groups: 1,
  bias: true,
  ...FACTORY,
} as const

abstract class ConvNd<R extends Rank> extends ConvBase<R> {
  readonly padding: readonly number[] | 'same' | 'valid'
  readonly paddingMode: PaddingMode
  /** What `pad` takes: both ends of each dimension, the last dimension first. Empty where the operator itself pads. */
  readonly #explicit: readonly number[]
  readonly #implicit: readonly number[]

  protected constructor(rank: R, inChannels: number, outChannels: number, kernelSize: Size<R>, given: ConvOptions<R>) {
    const { name } = new.target
    const options = withDefaults<Required<ConvOptions<R>>>(name, CONV_DEFAULTS, given)
    super(rank, false, inChannels, outChannels, kernelSize, options)
    const { padding } = options
    this.paddingMode = oneOf(`${name}: paddingMode`, options.paddingMode, PADDING_MODES)
    this.padding =
      typeof padding === 'string'
        ? oneOf<'same' | 'valid'>(`${name}: padding`, padding, ['same', 'valid'])
        : expandSize(`${name}: padding`, padding, rank, 0)
    if (padding === 'same' && this.stride.some((step) => step !== 1)) {
      throw new ArgumentError(
        `${name}: padding 'same' with a stride of ${show(this.stride)}; it needs stride 1, or give the padding as numbers`,
      )
    }
    const ends = this.#ends()
    const symmetric = ends.every(([before, after]) => before === after)
    const byOperator = symmetric && this.paddingMode === 'zeros'
    this.#implicit = ends.map(([before]) => (byOperator ? before : 0))
    this.#explicit = byOperator || ends.flat().every((end) => end === 0) ? [] : [...ends].reverse().flat()
  }

  /** Elements before and after each dimension. */
  #ends(): [before: number, after: number][] {
    const { padding } = this
    return this.kernelSize.map((size, d) => {
      if (padding === 'valid') return [0, 0]
      if (padding !== 'same') return [padding[d] ?? 0, padding[d] ?? 0]
      const total = (this.dilation[d] ?? 1) * (size - 1)
      return [Math.floor(total / 2), Math.ceil(total / 2)]
    })
  }

  forward(input: Tensor): Tensor {
    const { weight, bias, stride, dilation, groups } = this
    const mode = this.paddingMode === 'zeros' ? 'constant' : this.paddingMode
    const padded = this.#explicit.length === 0 ? input : pad(input, this.#explicit, { mode })
    return CONVOLUTIONS[this.rank](padded, weight, { bias, stride, padding: this.#implicit, dilation, groups })
  }

  protected override describeOptions(): string {
    return this.describeWith({ padding: this.padding, paddingMode: this.paddingMode })
  }
}

/**
 * Convolution along one dimension, as `torch.nn.Conv1d`.
 *
 * Shapes: `[N, inChannels, L]` or `[inChannels, L]` → `[N, outChannels, Lout]`; weight
 * `[outChannels, inChannels / groups, kernel]`.
 */
export class Conv1d extends ConvNd<1> {
  constructor(inChannels: number, outChannels: number, kernelSize: Size<1>, options: ConvOptions<1> = {}) {
    super(1, inChannels, outChannels, kernelSize, options)
  }
}

/**
 * Convolution of images, as `torch.nn.Conv2d`.
 *
 * Shapes: `[N, inChannels, H, W]` or `[inChannels, H, W]` → `[N, outChannels, Hout, Wout]`, where
 * `Hout = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`; weight
 * `[outChannels, inChannels / groups, kernelH, kernelW]`.
 */
export class Conv2d extends ConvNd<2> {
  constructor(inChannels: number, outChannels: number, kernelSize: Size<2>, options: ConvOptions<2> = {}) {
    super(2, inChannels, outChannels, kernelSize, options)
  }
}

/**
 * Convolution of volumes and clips, as `torch.nn.Conv3d`.
 *
 * Shapes: `[N, inChannels, D, H, W]` or `[inChannels, D, H, W]` → `[N, outChannels, Dout, Hout, Wout]`.
 */
export class Conv3d extends ConvNd<3> {
  constructor(inChannels: number, outChannels: number, kernelSize: Size<3>, options: ConvOptions<3> = {}) {
    super(3, inChannels, outChannels, kernelSize, options)
  }
}

export interface ConvTransposeOptions<R extends Rank> extends FactoryOptions {
  readonly stride?: Size<R>
  /** Elements taken from both ends of each output dimension; default 0. */
  readonly padding?: Size<R>
  /** Elements added to the end of each output dimension; default 0. */
  readonly outputPadding?: Size<R>
  readonly groups?: number
  readonly bias?: boolean
  readonly dilation?: Size<R>
}

const TRANSPOSE_DEFAULTS = {
  stride: 1,
  padding: 0,
  outputPadding: 0,
  groups: 1,
  bias: true,
  dilation: 1,
  ...FACTORY,
} as const

abstract class ConvTransposeNd<R extends Rank> extends ConvBase<R> {
  readonly padding: readonly number[]
  readonly outputPadding: readonly number[]

  protected constructor(
    rank: R,
    inChannels: number,
    outChannels: number,
    kernelSize: Size<R>,
    given: ConvTransposeOptions<R>,
  ) {
    const { name } = new.target
    const options = withDefaults<Required<ConvTransposeOptions<R>>>(name, TRANSPOSE_DEFAULTS, given)
    super(rank, true, inChannels, outChannels, kernelSize, options)
    this.padding = expandSize(`${name}: padding`, options.padding, rank, 0)
    this.outputPadding = expandSize(`${name}: outputPadding`, options.outputPadding, rank, 0)
  }

  /**
   * @param outputSize the spatial size wanted, where a stride above 1 leaves several possible; sets the output padding
   * @throws ShapeError when that size is not possible
   */
  forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this
    const outputPadding = outputSize === undefined ? this.outputPadding : this.#paddingFor(input, outputSize)
    return TRANSPOSED[this.rank](input, weight, { bias, stride, padding, outputPadding, groups, dilation })
  }

  #paddingFor(input: Tensor, outputSize: readonly number[]): number[] {
    const spatial = input.shape.slice(-this.rank)
    const least = spatial.map(
      (size, d) =>
        (size - 1) * at(this.stride, d) -
        2 * at(this.padding, d) +
        at(this.dilation, d) * (at(this.kernelSize, d) - 1) +
        1,
    )
    const added = outputSize.map((size, d) => size - (least[d] ?? 0))
    if (outputSize.length !== this.rank || added.some((more, d) => !(more >= 0 && more < at(this.stride, d)))) {
      const most = least.map((size, d) => size + at(this.stride, d) - 1)
      throw new ShapeError(
        `${this.constructor.name}: an output of ${show(outputSize)} is not possible for an input of ${show(input.shape)}; sizes range from ${show(least)} to ${show(most)}`,
      )
    }
    return added
  }

  protected override describeOptions(): string {
    return this.describeWith({ padding: this.padding, outputPadding: this.outputPadding })
  }
}

function at(list: readonly number[], index: number): number {
  return list[index] ?? 0
}

/**
 * The gradient of `Conv1d` with respect to its input, used as a layer, as `torch.nn.ConvTranspose1d`.
 *
 * Shapes: `[N, inChannels, L]` → `[N, outChannels, Lout]`; weight `[inChannels, outChannels / groups, kernel]`.
 */
export class ConvTranspose1d extends ConvTransposeNd<1> {
  constructor(inChannels: number, outChannels: number, kernelSize: Size<1>, options: ConvTransposeOptions<1> = {}) {
    super(1, inChannels, outChannels, kernelSize, options)
  }
}

/**
 * The gradient of `Conv2d` with respect to its input, used as a layer, as `torch.nn.ConvTranspose2d`.
 *
 * Shapes: `[N, inChannels, H, W]` → `[N, outChannels, Hout, Wout]`, where
 * `Hout = (H − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1`.
 */
export class ConvTranspose2d extends ConvTransposeNd<2> {
  constructor(inChannels: number, outChannels: number, kernelSize: Size<2>, options: ConvTransposeOptions<2> = {}) {
    super(2, inChannels, outChannels, kernelSize, options)
  }
}

/** The gradient of `Conv3d` with respect to its input, used as a layer, as `torch.nn.ConvTranspose3d`. */
export class ConvTranspose3d extends ConvTransposeNd<3> {
  constructor(inChannels: number, outChannels: number, kernelSize: Size<3>, options: ConvTransposeOptions<3> = {}) {
    super(3, inChannels, outChannels, kernelSize, options)
  }
}
