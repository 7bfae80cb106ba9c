import {
  avgPool1d,
  avgPool2d,
  avgPool3d,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
  type Tensor,
} from '../tensor'
import { Module } from './module'
import { expandSize, type Rank, type Size, showOptions, wholeNumber, withDefaults } from './options'

type Numbers = number | readonly number[]
type Pool<Options, Result = Tensor> = (input: Tensor, kernelSize: Numbers, options: Options) => Result

interface Window {
  readonly stride: Numbers
  readonly padding: Numbers
  readonly ceilMode: boolean
}
interface MaxWindow extends Window {
  readonly dilation: Numbers
}
interface AverageWindow extends Window {
  readonly countIncludePad: boolean
  readonly divisorOverride?: number
}

const MAX: Readonly<Record<Rank, Pool<MaxWindow>>> = { 1: maxPool1d, 2: maxPool2d, 3: maxPool3d }
const MAX_WITH_INDICES: Readonly<Record<Rank, Pool<MaxWindow, [Tensor, Tensor]>>> = {
  1: maxPool1dWithIndices,
  2: maxPool2dWithIndices,
  3: maxPool3dWithIndices,
}
const AVERAGE: Readonly<Record<Rank, Pool<AverageWindow>>> = { 1: avgPool1d, 2: avgPool2d, 3: avgPool3d }

export interface MaxPoolOptions<R extends Rank> {
  /** Step of the window; default `kernelSize`. */
  readonly stride?: Size<R> | null
  /** Elements of −∞ added at both ends, at most half the kernel; default 0. */
  readonly padding?: Size<R>
  readonly dilation?: Size<R>
  /** Also pools windows that begin inside and end outside of the input; default false. */
  readonly ceilMode?: boolean
}

abstract class MaxPoolNd<R extends Rank> extends Module {
  readonly stride: Size<R>
  readonly padding: Size<R>
  readonly dilation: Size<R>
  readonly ceilMode: boolean
  readonly #rank: R

  protected constructor(
    rank: R,
    readonly kernelSize: Size<R>,
    given: MaxPoolOptions<R>,
  ) {
    super()
    const { name } = new.target
    const defaults = { stride: null, padding: 0, dilation: 1, ceilMode: false }
    const options = withDefaults<Required<MaxPoolOptions<R>>>(name, defaults, given)
    this.#rank = rank
    this.stride = options.stride ?? kernelSize
    this.padding = options.padding
    this.dilation = options.dilation
    this.ceilMode = options.ceilMode
    expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
    expandSize(`${name}: stride`, this.stride, rank, 1)
    expandSize(`${name}: padding`, this.padding, rank, 0)
    expandSize(`${name}: dilation`, this.dilation, rank, 1)
  }

  forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, dilation, ceilMode } = this
    return MAX[this.#rank](input, kernelSize, { stride, padding, dilation, ceilMode })
  }

  /** The pooled tensor and where in its plane of the input each value stood (PyTorch's `return_indices=True`). */
  forwardWithIndices(input: Tensor): [values: Tensor, indices: Tensor] {
    const { kernelSize, stride, padding, dilation, ceilMode } = this
    return MAX_WITH_INDICES[this.#rank](input, kernelSize, { stride, padding, dilation, ceilMode })
  }

  protected override describeOptions(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this
    return showOptions({ kernelSize, stride, padding, dilation, ceilMode })
  }
}

/** Largest value of each window, as `torch.nn.MaxPool1d`. Shapes: `[N, C, L]` → `[N, C, Lout]`. */
export class MaxPool1d extends MaxPoolNd<1> {
  constructor(kernelSize: Size<1>, options: MaxPoolOptions<1> = {}) {
    super(1, kernelSize, options)
  }
}

/** Largest value of each window, as `torch.nn.MaxPool2d`. Shapes: `[N, C, H, W]` → `[N, C, Hout, Wout]`. */
export class MaxPool2d extends MaxPoolNd<2> {
  constructor(kernelSize: Size<2>, options: MaxPoolOptions<2> = {}) {
    super(2, kernelSize, options)
  }
}

/** Largest value of each window, as `torch.nn.MaxPool3d`. Shapes: `[N, C, D, H, W]` → `[N, C, Dout, Hout, Wout]`. */
export class MaxPool3d extends MaxPoolNd<3> {
  constructor(kernelSize: Size<3>, options: MaxPoolOptions<3> = {}) {
    super(3, kernelSize, options)
  }
}

export interface AvgPoolOptions<R extends Rank> {
  /** Step of the window; default `kernelSize`. */
  readonly stride?: Size<R> | null
  /** Zeros added at both ends, at most half the kernel; default 0. */
  readonly padding?: Size<R>
  readonly ceilMode?: boolean
  /** Counts the added zeros in the mean; default true. */
  readonly countIncludePad?: boolean
  /** Divides the sums by this instead of the window's size; not for `AvgPool1d`. */
  readonly divisorOverride?: number | null
}

abstract class AvgPoolNd<R extends Rank> extends Module {
  readonly stride: Size<R>
  readonly padding: Size<R>
  readonly ceilMode: boolean
  readonly countIncludePad: boolean
  readonly divisorOverride: number | null
  readonly #rank: R

  protected constructor(
    rank: R,
    readonly kernelSize: Size<R>,
    given: AvgPoolOptions<R>,
  ) {
    super()
    const { name } = new.target
    const defaults = { stride: null, padding: 0, ceilMode: false, countIncludePad: true, divisorOverride: null }
    const options = withDefaults<Required<AvgPoolOptions<R>>>(name, defaults, given)
    this.#rank = rank
    this.stride = options.stride ?? kernelSize
    this.padding = options.padding
    this.ceilMode = options.ceilMode
    this.countIncludePad = options.countIncludePad
    this.divisorOverride = options.divisorOverride
    expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
    expandSize(`${name}: stride`, this.stride, rank, 1)
    expandSize(`${name}: padding`, this.padding, rank, 0)
    if (this.divisorOverride !== null) wholeNumber(`${name}: divisorOverride`, this.divisorOverride)
  }

  forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this
    const window = { stride, padding, ceilMode, countIncludePad }
    return AVERAGE[this.#rank](input, kernelSize, divisorOverride === null ? window : { ...window, divisorOverride })
  }

  protected override describeOptions(): string {
    const { kernelSize, stride, padding } = this
    return showOptions({ kernelSize, stride, padding })
  }
}

/** Mean of each window, as `torch.nn.AvgPool1d`. Shapes: `[N, C, L]` → `[N, C, Lout]`. */
export class AvgPool1d extends AvgPoolNd<1> {
  constructor(kernelSize: Size<1>, options: Omit<AvgPoolOptions<1>, 'divisorOverride'> = {}) {
    super(1, kernelSize, options)
  }
}

/** Mean of each window, as `torch.nn.AvgPool2d`. Shapes: `[N, C, H, W]` → `[N, C, Hout, Wout]`. */
export class AvgPool2d extends AvgPoolNd<2> {
  constructor(kernelSize: Size<2>, options: AvgPoolOptions<2> = {}) {
    super(2, kernelSize, options)
  }
}

/** Mean of each window, as `torch.nn.AvgPool3d`. Shapes: `[N, C, D, H, W]` → `[N, C, Dout, Hout, Wout]`. */
export class AvgPool3d extends AvgPoolNd<3> {
  constructor(kernelSize: Size<3>, options: AvgPoolOptions<3> = {}) {
    super(3, kernelSize, options)
  }
}
