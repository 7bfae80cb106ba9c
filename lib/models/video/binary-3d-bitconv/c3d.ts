import { Conv3d, Dropout, init, Linear, MaxPool3d, Module, ReLU } from '../../../nn'
import type { Tensor } from '../../../tensor'
import { createUnit, inputOf, runPair, type Triple, type Unit, type UnitPlan } from './units'

export interface C3dOptions extends UnitPlan {
  readonly classes: number
  readonly frames: number
  /** Side of the frames. */
  readonly size: number
  /** Share of the channels. */
  readonly width: number
  /** Width of fc6 and fc7. */
  readonly hidden: number
  readonly dropout: number
}

/**
 * C3D with convolutions of one bit but for the first (Section 3.1, Table 1): `[B, 3, T, H, W]` → `[B, classes]`.
 *
 * conv1a and pool1, then blocks 2a, 3a–3b, 4a–4b and 5a–5b with pools between, and three linear layers.
 */
export class BitC3d extends Module {
  readonly conv1a: Conv3d
  readonly block2a: Unit
  readonly block3a: Unit
  readonly block3b: Unit
  readonly block4a: Unit
  readonly block4b: Unit
  readonly block5a: Unit
  readonly block5b: Unit
  readonly fc6: Linear
  readonly fc7: Linear
  readonly fc8: Linear
  readonly relu = new ReLU()
  readonly dropout: Dropout
  readonly pool1 = new MaxPool3d([1, 2, 2])
  readonly pool = new MaxPool3d(2)
  // Beyond the border there is −∞: maps may be negative here.
  readonly pool5 = new MaxPool3d(2, { padding: [0, 1, 1] })

  constructor(readonly options: C3dOptions) {
    super()
    const { width, hidden, classes, dropout } = options
    const [c1 = 0, c2 = 0, c3 = 0, c4 = 0] = [64, 128, 256, 512].map((channels) => Math.round(channels * width))
    const unit = (from: number, to: number) =>
      createUnit(options, { from, to, kernel: CUBE, stride: [1, 1, 1] }, { norm: false })
    this.conv1a = new Conv3d(3, c1, 3, { padding: 1 })
    this.block2a = unit(c1, c2)
    this.block3a = unit(c2, c3)
    this.block3b = unit(c3, c3)
    this.block4a = unit(c3, c4)
    this.block4b = unit(c4, c4)
    this.block5a = unit(c4, c4)
    this.block5b = unit(c4, c4)
    this.fc6 = new Linear(c4 * c3dCells(options), hidden)
    this.fc7 = new Linear(hidden, hidden)
    this.fc8 = new Linear(hidden, classes)
    this.dropout = new Dropout({ p: dropout })
    this.#reset()
  }

  #reset(): void {
    init.kaimingNormal_(this.conv1a.weight)
    if (this.conv1a.bias) init.zeros_(this.conv1a.bias)
    // C3D's deviations at its own widths, and the same gain at others: less would leave nothing of the signal.
    for (const [layer, std, inputs] of [
      [this.fc6, 0.005, 8192],
      [this.fc7, 0.005, 4096],
      [this.fc8, 0.01, 4096],
    ] as const) {
      init.normal_(layer.weight, { std: std * Math.sqrt(inputs / layer.inFeatures) })
      if (layer.bias) init.zeros_(layer.bias)
    }
  }

  forward(clip: Tensor): Tensor {
    return this.classify(this.features(clip))
  }

  /** fc7 after its ReLU, `[B, hidden]`. */
  features(clip: Tensor): Tensor {
    const { pool, relu, dropout } = this
    const shortcut = this.options.shortcut && this.options.precision !== 'float'
    // ReLU and maxima commute, and a quarter of the values is left to cut.
    let x = relu.forward(this.pool1.forward(this.conv1a.forward(inputOf(clip, this.options))))
    x = pool.forward(this.block2a.forward(x, shortcut ? x : null))
    const pair = (first: Unit, second: Unit) =>
      runPair(first, second, x, { first: shortcut ? x : null, second: shortcut })
    x = pool.forward(pair(this.block3a, this.block3b))
    x = pool.forward(pair(this.block4a, this.block4b))
    x = this.pool5.forward(pair(this.block5a, this.block5b))
    const fc6 = dropout.forward(relu.forward(this.fc6.forward(x.flatten({ startDim: 1 }))))
    return relu.forward(this.fc7.forward(fc6))
  }

  /** Logits of features. */
  classify(features: Tensor): Tensor {
    return this.fc8.forward(this.dropout.forward(features))
  }

  get classifier(): Linear {
    return this.fc8
  }
}

const CUBE: Triple = [3, 3, 3]

/** Places of the map that fc6 sees, a channel: 16 for 16 frames of 112 × 112. */
export function c3dCells({ frames, size }: Pick<C3dOptions, 'frames' | 'size'>): number {
  const time = Math.floor(frames / 16)
  const side = Math.floor(Math.floor(size / 16) / 2) + 1
  return time * side * side
}
