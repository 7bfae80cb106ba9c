import type { Tensor } from '../tensor'
import {
  type FractionalSize,
  fractionalMaxPool2d,
  fractionalMaxPool2dWithIndices,
  fractionalMaxPool3d,
  fractionalMaxPool3dWithIndices,
  fractionalSize,
  type LPPoolOptions,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
  type UnpoolOptions,
} from './functional/pooling'
import { Module } from './module'
import { expandSize, type Rank, type Size, showOptions, withDefaults } from './options'

abstract class FractionalMaxPool<R extends 2 | 3> extends Module {
  protected readonly size: FractionalSize<R>

  protected constructor(
    rank: R,
    readonly kernelSize: Size<R>,
    options: FractionalSize<R>,
  ) {
    super()
    const { name } = new.target
    const defaults = { outputSize: null, outputRatio: null, randomSamples: null }
    this.size = withDefaults<Required<FractionalSize<R>>>(name, defaults, options)
    expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
    fractionalSize(name, rank, [], this.size.outputSize, this.size.outputRatio)
  }

  protected override describeOptions(): string {
    const { outputSize, outputRatio } = this.size
    const { kernelSize } = this
    return showOptions((outputSize ?? null) !== null ? { kernelSize, outputSize } : { kernelSize, outputRatio })
  }
}

/**
 * Max pooling over windows whose places are drawn at random (Graham 2014), as `torch.nn.FractionalMaxPool2d`.
 *
 * Shapes: `[N, C, H, W]` → `[N, C, …outputSize]`, or `⌊H · outputRatio⌋` and so on.
 */
export class FractionalMaxPool2d extends FractionalMaxPool<2> {
  /** @param options `outputSize` or `outputRatio`; `randomSamples` `[N, C, 2]` to fix the windows */
  constructor(kernelSize: Size<2>, options: FractionalSize<2>) {
    super(2, kernelSize, options)
  }

  forward(input: Tensor): Tensor {
    return fractionalMaxPool2d(input, this.kernelSize, this.size)
  }

  /** The pooled tensor and where in its plane each value stood (PyTorch's `return_indices=True`). */
  forwardWithIndices(input: Tensor): [values: Tensor, indices: Tensor] {
    return fractionalMaxPool2dWithIndices(input, this.kernelSize, this.size)
  }
}

/** Max pooling over windows whose places are drawn at random (Graham 2014), as `torch.nn.FractionalMaxPool3d`. */
export class FractionalMaxPool3d extends FractionalMaxPool<3> {
  /** @param options `outputSize` or `outputRatio`; `randomSamples` `[N, C, 3]` to fix the windows */
  constructor(kernelSize: Size<3>, options: FractionalSize<3>) {
    super(3, kernelSize, options)
  }

  forward(input: Tensor): Tensor {
    return fractionalMaxPool3d(input, this.kernelSize, this.size)
  }

  /** The pooled tensor and where in its volume each value stood (PyTorch's `return_indices=True`). */
  forwardWithIndices(input: Tensor): [values: Tensor, indices: Tensor] {
    return fractionalMaxPool3dWithIndices(input, this.kernelSize, this.size)
  }
}

abstract class LPPool<R extends Rank> extends Module {
  readonly stride: Size<R> | null
  readonly ceilMode: boolean

  protected constructor(
    rank: R,
    readonly normType: number,
    readonly kernelSize: Size<R>,
    given: LPPoolOptions<R>,
  ) {
    super()
    const { name } = new.target
    const options = withDefaults<Required<LPPoolOptions<R>>>(name, { stride: null, ceilMode: false }, given)
    this.stride = options.stride
    this.ceilMode = options.ceilMode
    expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
    expandSize(`${name}: stride`, options.stride ?? kernelSize, rank, 1)
  }

  protected override describeOptions(): string {
    const { normType, kernelSize, stride, ceilMode } = this
    return showOptions({ normType, kernelSize, stride, ceilMode })
  }
}

/** `(Σ xᵖ)^(1/p)` over each window, as `torch.nn.LPPool1d`. */
export class LPPool1d extends LPPool<1> {
  constructor(normType: number, kernelSize: Size<1>, options: LPPoolOptions<1> = {}) {
    super(1, normType, kernelSize, options)
  }

  forward(input: Tensor): Tensor {
    return lpPool1d(input, this.normType, this.kernelSize, { stride: this.stride, ceilMode: this.ceilMode })
  }
}

/** `(Σ xᵖ)^(1/p)` over each window, as `torch.nn.LPPool2d`. */
export class LPPool2d extends LPPool<2> {
  constructor(normType: number, kernelSize: Size<2>, options: LPPoolOptions<2> = {}) {
    super(2, normType, kernelSize, options)
  }

  forward(input: Tensor): Tensor {
    return lpPool2d(input, this.normType, this.kernelSize, { stride: this.stride, ceilMode: this.ceilMode })
  }
}

/** `(Σ xᵖ)^(1/p)` over each window, as `torch.nn.LPPool3d`. */
export class LPPool3d extends LPPool<3> {
  constructor(normType: number, kernelSize: Size<3>, options: LPPoolOptions<3> = {}) {
    super(3, normType, kernelSize, options)
  }

  forward(input: Tensor): Tensor {
    return lpPool3d(input, this.normType, this.kernelSize, { stride: this.stride, ceilMode: this.ceilMode })
  }
}

abstract class MaxUnpool<R extends Rank> extends Module {
  readonly stride: Size<R>
  readonly padding: Size<R>
  readonly #rank: R

  protected constructor(
    rank: R,
    readonly kernelSize: Size<R>,
    given: Omit<UnpoolOptions<R>, 'outputSize'>,
  ) {
    super()
    const { name } = new.target
    const defaults = { stride: null, padding: 0 }
    const options = withDefaults<Required<Omit<UnpoolOptions<R>, 'outputSize'>>>(name, defaults, given)
    this.#rank = rank
    this.stride = options.stride ?? kernelSize
    this.padding = options.padding
    expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
    expandSize(`${name}: stride`, this.stride, rank, 1)
    expandSize(`${name}: padding`, this.padding, rank, 0)
  }

  protected override describeOptions(): string {
    const all = (size: Size<R>) => expandSize('', size, this.#rank, 0)
    return showOptions({ kernelSize: all(this.kernelSize), stride: all(this.stride), padding: all(this.padding) })
  }
}

/** Puts what `MaxPool1d.forwardWithIndices` took back in its place, as `torch.nn.MaxUnpool1d`; zeros elsewhere. */
export class MaxUnpool1d extends MaxUnpool<1> {
  constructor(kernelSize: Size<1>, options: Omit<UnpoolOptions<1>, 'outputSize'> = {}) {
    super(1, kernelSize, options)
  }

  /** @param outputSize the spatial size wanted, where several are possible */
  forward(input: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool1d(input, indices, this.kernelSize, { stride: this.stride, padding: this.padding, outputSize })
  }
}

/** Puts what `MaxPool2d.forwardWithIndices` took back in its place, as `torch.nn.MaxUnpool2d`; zeros elsewhere. */
export class MaxUnpool2d extends MaxUnpool<2> {
  constructor(kernelSize: Size<2>, options: Omit<UnpoolOptions<2>, 'outputSize'> = {}) {
    super(2, kernelSize, options)
  }

  /** @param outputSize the spatial size wanted, where several are possible */
  forward(input: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool2d(input, indices, this.kernelSize, { stride: this.stride, padding: this.padding, outputSize })
  }
}

/** Puts what `MaxPool3d.forwardWithIndices` took back in its place, as `torch.nn.MaxUnpool3d`; zeros elsewhere. */
export class MaxUnpool3d extends MaxUnpool<3> {
  constructor(kernelSize: Size<3>, options: Omit<UnpoolOptions<3>, 'outputSize'> = {}) {
    super(3, kernelSize, options)
  }

  /** @param outputSize the spatial size wanted, where several are possible */
  forward(input: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool3d(input, indices, this.kernelSize, { stride: this.stride, padding: this.padding, outputSize })
  }
}
