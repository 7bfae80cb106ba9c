import type { Tensor } from '../tensor'
import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type StochasticDepthMode,
  stochasticDepth,
} from './functional/dropout'
import { Module } from './module'
import { oneOf, probability, showOptions, withDefaults } from './options'

export interface DropoutLayerOptions {
  /** Probability that a value becomes zero; default 0.5. */
  readonly p?: number
  /** Changes the input itself; default false. */
  readonly inplace?: boolean
}

/** Drops in training and passes its input on in evaluation. */
abstract class DropoutBase extends Module {
  readonly p: number
  readonly inplace: boolean

  constructor(options: DropoutLayerOptions = {}) {
    super()
    const { p, inplace } = withDefaults(new.target.name, { p: 0.5, inplace: false }, options)
    this.p = probability(`${new.target.name}: p`, p)
    this.inplace = inplace
  }

  protected override describeOptions(): string {
    return showOptions({ p: this.p, inplace: this.inplace })
  }
}

/** Zeroes values with probability `p` and scales the others by 1 / (1 − p), as `torch.nn.Dropout`. */
export class Dropout extends DropoutBase {
  forward(input: Tensor): Tensor {
    return dropout(input, this)
  }
}

/** Zeroes whole channels, as `torch.nn.Dropout1d`. Shapes: `[N, C, L]` or `[C, L]`, kept. */
export class Dropout1d extends DropoutBase {
  forward(input: Tensor): Tensor {
    return dropout1d(input, this)
  }
}

/** Zeroes whole channels, as `torch.nn.Dropout2d`. Shape: `[N, C, H, W]`, kept. */
export class Dropout2d extends DropoutBase {
  forward(input: Tensor): Tensor {
    return dropout2d(input, this)
  }
}

/** Zeroes whole channels, as `torch.nn.Dropout3d`. Shapes: `[N, C, D, H, W]` or `[C, D, H, W]`, kept. */
export class Dropout3d extends DropoutBase {
  forward(input: Tensor): Tensor {
    return dropout3d(input, this)
  }
}

/** Dropout that keeps mean and variance of self-normalising networks, as `torch.nn.AlphaDropout`. */
export class AlphaDropout extends DropoutBase {
  forward(input: Tensor): Tensor {
    return alphaDropout(input, this)
  }
}

/** As `AlphaDropout`, of whole channels, as `torch.nn.FeatureAlphaDropout`. */
export class FeatureAlphaDropout extends DropoutBase {
  forward(input: Tensor): Tensor {
    return featureAlphaDropout(input, this)
  }
}

/**
 * Zeroes the whole input (`'batch'`) or single samples (`'row'`) with probability `p`, as torchvision's
 * `StochasticDepth`; it stands at the end of a residual branch.
 */
export class StochasticDepth extends Module {
  constructor(
    readonly p: number,
    readonly mode: StochasticDepthMode,
  ) {
    super()
    probability('StochasticDepth: p', p)
    oneOf('StochasticDepth: mode', mode, ['batch', 'row'])
  }

  forward(input: Tensor): Tensor {
    return stochasticDepth(input, this.p, this.mode, { training: this.training })
  }

  protected override describeOptions(): string {
    return showOptions({ p: this.p, mode: this.mode })
  }
}
