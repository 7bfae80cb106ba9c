import { ArgumentError } from '../native/errors'
import { pad, type Tensor } from '../tensor'
import { describe } from '../tensor/call'
import { Module } from './module'
import { type Rank, show, showOptions } from './options'

interface Ends {
  1: readonly [left: number, right: number]
  2: readonly [left: number, right: number, top: number, bottom: number]
  3: readonly [left: number, right: number, top: number, bottom: number, front: number, back: number]
}

/** Elements added at every end, or at each end, the last dimension first; negative ones are taken away. */
export type Padding<R extends Rank> = number | Ends[R]

abstract class PadNd<R extends Rank> extends Module {
  /** Both ends of each dimension, the last dimension first. */
  readonly padding: readonly number[]
  readonly #mode: string
  readonly #value: number | undefined

  protected constructor(rank: R, padding: Padding<R>, mode: string, value?: number) {
    super()
    const list = typeof padding === 'number' ? new Array<number>(2 * rank).fill(padding) : padding
    if (!Array.isArray(list) || list.length !== 2 * rank || !list.every(Number.isInteger)) {
      const given = Array.isArray(padding) ? show(padding) : describe(padding)
      throw new ArgumentError(
        `${new.target.name}: padding is ${given}; it must be a whole number, or a list of ${2 * rank}`,
      )
    }
    this.padding = [...list]
    this.#mode = mode
    this.#value = value
  }

  forward(input: Tensor): Tensor {
    return pad(input, this.padding, { mode: this.#mode, value: this.#value })
  }

  protected override describeOptions(): string {
    return show(this.padding)
  }
}

abstract class ConstantPadNd<R extends Rank> extends PadNd<R> {
  protected constructor(
    rank: R,
    padding: Padding<R>,
    readonly value: number,
  ) {
    super(rank, padding, 'constant', value)
  }

  protected override describeOptions(): string {
    return showOptions({ padding: this.padding, value: this.value })
  }
}

/** Adds one value at the ends of `[N, C, L]`, as `torch.nn.ConstantPad1d`. */
export class ConstantPad1d extends ConstantPadNd<1> {
  constructor(padding: Padding<1>, value: number) {
    super(1, padding, value)
  }
}

/** Adds one value around `[N, C, H, W]`, as `torch.nn.ConstantPad2d`. */
export class ConstantPad2d extends ConstantPadNd<2> {
  constructor(padding: Padding<2>, value: number) {
    super(2, padding, value)
  }
}

/** Adds one value around `[N, C, D, H, W]`, as `torch.nn.ConstantPad3d`. */
export class ConstantPad3d extends ConstantPadNd<3> {
  constructor(padding: Padding<3>, value: number) {
    super(3, padding, value)
  }
}

/** Adds zeros around `[N, C, L]`, as `torch.nn.ZeroPad1d`. */
export class ZeroPad1d extends PadNd<1> {
  constructor(padding: Padding<1>) {
    super(1, padding, 'constant', 0)
  }
}

/** Adds zeros around `[N, C, H, W]`, as `torch.nn.ZeroPad2d`. */
export class ZeroPad2d extends PadNd<2> {
  constructor(padding: Padding<2>) {
    super(2, padding, 'constant', 0)
  }
}

/** Adds zeros around `[N, C, D, H, W]`, as `torch.nn.ZeroPad3d`. */
export class ZeroPad3d extends PadNd<3> {
  constructor(padding: Padding<3>) {
    super(3, padding, 'constant', 0)
  }
}

/** Mirrors the input at the ends of `[N, C, L]`, as `torch.nn.ReflectionPad1d`. */
export class ReflectionPad1d extends PadNd<1> {
  constructor(padding: Padding<1>) {
    super(1, padding, 'reflect')
  }
}

/** Mirrors the input at the ends of `[N, C, H, W]`, as `torch.nn.ReflectionPad2d`. */
export class ReflectionPad2d extends PadNd<2> {
  constructor(padding: Padding<2>) {
    super(2, padding, 'reflect')
  }
}

/** Mirrors the input at the ends of `[N, C, D, H, W]`, as `torch.nn.ReflectionPad3d`. */
export class ReflectionPad3d extends PadNd<3> {
  constructor(padding: Padding<3>) {
    super(3, padding, 'reflect')
  }
}

/** Repeats the outermost values of `[N, C, L]`, as `torch.nn.ReplicationPad1d`. */
export class ReplicationPad1d extends PadNd<1> {
  constructor(padding: Padding<1>) {
    super(1, padding, 'replicate')
  }
}

/** Repeats the outermost values of `[N, C, H, W]`, as `torch.nn.ReplicationPad2d`. */
export class ReplicationPad2d extends PadNd<2> {
  constructor(padding: Padding<2>) {
    super(2, padding, 'replicate')
  }
}

/** Repeats the outermost values of `[N, C, D, H, W]`, as `torch.nn.ReplicationPad3d`. */
export class ReplicationPad3d extends PadNd<3> {
  constructor(padding: Padding<3>) {
    super(3, padding, 'replicate')
  }
}

/** Continues with the other end of `[N, C, L]`, as `torch.nn.CircularPad1d`. */
export class CircularPad1d extends PadNd<1> {
  constructor(padding: Padding<1>) {
    super(1, padding, 'circular')
  }
}

/** Continues with the other end of `[N, C, H, W]`, as `torch.nn.CircularPad2d`. */
export class CircularPad2d extends PadNd<2> {
  constructor(padding: Padding<2>) {
    super(2, padding, 'circular')
  }
}

/** Continues with the other end of `[N, C, D, H, W]`, as `torch.nn.CircularPad3d`. */
export class CircularPad3d extends PadNd<3> {
  constructor(padding: Padding<3>) {
    super(3, padding, 'circular')
  }
}
