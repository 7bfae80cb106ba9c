import { Linear, Module, ReLU, Sequential } from '../../../nn'
import type { Tensor } from '../../../tensor'

/** f_proj of the paper: features of a stream to features of the same size, none below 0. `[B, L, D]` → `[B, L, D]`. */
export class Projection extends Module {
  readonly sequential: Sequential

  constructor(readonly features: number) {
    super()
    const hidden = Math.floor(features / 2)
    this.sequential = new Sequential(new Linear(features, hidden), new ReLU(), new Linear(hidden, features), new ReLU())
  }

  forward(x: Tensor): Tensor {
    return this.sequential.forward(x)
  }
}
