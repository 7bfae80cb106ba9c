import { BatchNorm2d, Conv2d, Dropout, init, Module, ReLU } from '../../../nn'
import type { Tensor } from '../../../tensor'
import type { Config } from './config'

/** A 3×3 convolution with batch norm (ε = 10⁻³) and ReLU in either order, and dropout. */
export class ConvUnit extends Module {
  readonly conv: Conv2d
  readonly norm: BatchNorm2d
  readonly relu = new ReLU()
  dropout: Dropout | null

  constructor(
    inChannels: number,
    channels: number,
    readonly order: Config['network']['normOrder'],
    dropout = 0,
  ) {
    super()
    this.conv = new Conv2d(inChannels, channels, 3, { padding: 1 })
    this.norm = new BatchNorm2d(channels, { eps: 1e-3 })
    this.dropout = dropout > 0 ? new Dropout({ p: dropout }) : null
  }

  /** Another probability of dropout, as fine-tuning has it. */
  setDropout(p: number): void {
    this.dropout = p > 0 ? new Dropout({ p }) : null
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x)
    const z =
      this.order === 'norm-relu' ? this.relu.forward(this.norm.forward(y)) : this.norm.forward(this.relu.forward(y))
    return this.dropout?.forward(z) ?? z
  }
}

/** First values of convolutions: N(0, 2 ∕ (k² · channels out)), biases 0. */
export function resetConvolutions(part: Module): void {
  for (const module of part.modules()) {
    if (!(module instanceof Conv2d)) continue
    init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
    if (module.bias) init.zeros_(module.bias)
  }
}
