import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d, type Tensor } from '../tensor'
import {
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
} from './functional/pooling'
import { Module } from './module'
import { expandSize, type Rank, showOptions } from './options'

type SizeOrKeep = number | null

interface Tuples {
  2: readonly [SizeOrKeep, SizeOrKeep]
  3: readonly [SizeOrKeep, SizeOrKeep, SizeOrKeep]
}

/** Output size: one for all dimensions, or one for each; null keeps the input's. */
export type AdaptiveSize<R extends 2 | 3> = SizeOrKeep | Tuples[R]

type Wanted = SizeOrKeep | readonly SizeOrKeep[]

/** Pooling to a fixed output size, whatever the input's. */
abstract class AdaptivePool extends Module {
  readonly #rank: Rank

  protected constructor(
    rank: Rank,
    readonly outputSize: Wanted,
  ) {
    super()
    this.#rank = rank
    const sizes = Array.isArray(outputSize) ? outputSize : new Array<SizeOrKeep>(rank).fill(outputSize as SizeOrKeep)
    expandSize(
      `${new.target.name}: outputSize`,
      sizes.map((size) => size ?? 0),
      rank,
      0,
    )
  }

  /** The size for this input: its own where null was asked for. */
  protected sizeFor(input: Tensor): number[] {
    const spatial = input.shape.slice(-this.#rank)
    const { outputSize } = this
    return spatial.map((size, d) => (typeof outputSize === 'object' ? outputSize?.[d] : outputSize) ?? size)
  }

  protected override describeOptions(): string {
    return showOptions({ outputSize: this.outputSize })
  }
}

/** Mean of each of `outputSize` parts, as `torch.nn.AdaptiveAvgPool1d`. Shapes: `[N, C, L]` → `[N, C, outputSize]`. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  constructor(outputSize: number | readonly [number]) {
    super(1, outputSize)
  }

  forward(input: Tensor): Tensor {
    return adaptiveAvgPool1d(input, this.sizeFor(input))
  }
}

/** Mean of each cell of an `outputSize` grid, as `torch.nn.AdaptiveAvgPool2d`. Shapes: `[N, C, H, W]` → `[N, C, …outputSize]`. */
export class AdaptiveAvgPool2d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize<2>) {
    super(2, outputSize)
  }

  forward(input: Tensor): Tensor {
    return adaptiveAvgPool2d(input, this.sizeFor(input))
  }
}

/** Mean of each cell of an `outputSize` grid, as `torch.nn.AdaptiveAvgPool3d`. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize<3>) {
    super(3, outputSize)
  }

  forward(input: Tensor): Tensor {
    return adaptiveAvgPool3d(input, this.sizeFor(input))
  }
}

/** Largest value of each of `outputSize` parts, as `torch.nn.AdaptiveMaxPool1d`. */
export class AdaptiveMaxPool1d extends AdaptivePool {
  constructor(outputSize: number | readonly [number]) {
    super(1, outputSize)
  }

  forward(input: Tensor): Tensor {
    return adaptiveMaxPool1d(input, this.sizeFor(input))
  }

  /** The pooled tensor and where each value stood (PyTorch's `return_indices=True`). */
  forwardWithIndices(input: Tensor): [values: Tensor, indices: Tensor] {
    return adaptiveMaxPool1dWithIndices(input, this.sizeFor(input))
  }
}

/** Largest value of each cell of an `outputSize` grid, as `torch.nn.AdaptiveMaxPool2d`. */
export class AdaptiveMaxPool2d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize<2>) {
    super(2, outputSize)
  }

  forward(input: Tensor): Tensor {
    return adaptiveMaxPool2d(input, this.sizeFor(input))
  }

  /** The pooled tensor and where in its plane each value stood (PyTorch's `return_indices=True`). */
  forwardWithIndices(input: Tensor): [values: Tensor, indices: Tensor] {
    return adaptiveMaxPool2dWithIndices(input, this.sizeFor(input))
  }
}

/** Largest value of each cell of an `outputSize` grid, as `torch.nn.AdaptiveMaxPool3d`. */
export class AdaptiveMaxPool3d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize<3>) {
    super(3, outputSize)
  }

  forward(input: Tensor): Tensor {
    return adaptiveMaxPool3d(input, this.sizeFor(input))
  }

  /** The pooled tensor and where in its volume each value stood (PyTorch's `return_indices=True`). */
  forwardWithIndices(input: Tensor): [values: Tensor, indices: Tensor] {
    return adaptiveMaxPool3dWithIndices(input, this.sizeFor(input))
  }
}
