// C3D with the names of its PyTorch port.
import { ShapeError } from '../native/errors'
import { Conv3d, Dropout, init, Linear, MaxPool3d, Module, ReLU } from '../nn'
import { type Tensor, tidy } from '../tensor'
import type { NetworkEntry, VideoInput } from './network'

export interface C3DOptions {
  /** Default 487, those of Sports-1M. */
  readonly numClasses?: number
  /** Share of the values that are dropped after each of the two hidden layers in training; default 0.5. */
  readonly dropout?: number
}

const conv = (from: number, to: number) => new Conv3d(from, to, 3, { padding: 1 })

/**
 * 3D convolutions of 3×3×3 throughout (Tran, Bourdev, Fergus, Torresani, Paluri, ICCV 2015).
 *
 * Shapes: `[N, 3, 16, 112, 112]` → logits `[N, numClasses]`.
 *
 * @throws ShapeError (from `forward`) for clips that the hidden layers are not made for
 */
export class C3D extends Module {
  readonly conv1 = conv(3, 64)
  readonly pool1 = new MaxPool3d([1, 2, 2])
  readonly conv2 = conv(64, 128)
  readonly pool2 = new MaxPool3d(2)
  readonly conv3a = conv(128, 256)
  readonly conv3b = conv(256, 256)
  readonly pool3 = new MaxPool3d(2)
  readonly conv4a = conv(256, 512)
  readonly conv4b = conv(512, 512)
  readonly pool4 = new MaxPool3d(2)
  readonly conv5a = conv(512, 512)
  readonly conv5b = conv(512, 512)
  readonly pool5 = new MaxPool3d(2, { padding: [0, 1, 1] })
  readonly fc6 = new Linear(8192, 4096)
  readonly fc7 = new Linear(4096, 4096)
  readonly fc8: Linear
  readonly dropout: Dropout
  readonly relu = new ReLU()

  constructor({ numClasses = 487, dropout = 0.5 }: C3DOptions = {}) {
    super()
    this.fc8 = new Linear(4096, numClasses)
    this.dropout = new Dropout({ p: dropout })
    this.#reset()
  }

  /** The fillers of the Caffe release: biases of 1 keep the ReLUs open at first, but for the first layer and the last. */
  #reset(): void {
    for (const layer of this.children()) {
      const hidden = layer === this.fc6 || layer === this.fc7
      init.normal_(layer.weight, { std: hidden ? 0.005 : 0.01 })
      const closed = layer === this.conv1 || layer === this.fc8
      if (layer.bias) init.constant_(layer.bias, closed ? 0 : 1)
    }
  }

  private *children(): Generator<Conv3d | Linear> {
    for (const module of this.modules()) if (module instanceof Conv3d || module instanceof Linear) yield module
  }

  forward(clip: Tensor): Tensor {
    let x = this.extractFeatures(clip)
    x = this.dropout.forward(this.relu.forward(this.fc7.forward(x)))
    return this.fc8.forward(x)
  }

  /** The first hidden layer, which the paper uses as the descriptor of a clip: `[N, 4096]`. */
  extractFeatures(clip: Tensor): Tensor {
    return tidy(() => this.#describe(clip))
  }

  #describe(clip: Tensor): Tensor {
    const { relu } = this
    let x = this.pool1.forward(relu.forward(this.conv1.forward(clip)))
    x = this.pool2.forward(relu.forward(this.conv2.forward(x)))
    x = relu.forward(this.conv3b.forward(relu.forward(this.conv3a.forward(x))))
    x = relu.forward(this.conv4b.forward(relu.forward(this.conv4a.forward(this.pool3.forward(x)))))
    x = relu.forward(this.conv5b.forward(relu.forward(this.conv5a.forward(this.pool4.forward(x)))))
    const flat = this.pool5.forward(x).flatten({ startDim: 1 })
    if (flat.size(1) !== 8192) {
      throw new ShapeError(
        `C3D: a clip [${clip.shape}] leaves ${flat.size(1)} values for fc6, which takes 8192; give 16 frames of 112 × 112`,
      )
    }
    return this.dropout.forward(relu.forward(this.fc6.forward(flat)))
  }
}

export const c3d = (options?: C3DOptions) => new C3D(options)

/** The mean of Sports-1M's channels, 0–255, without scaling. */
const SPORTS1M_112 = {
  kind: 'video',
  resize: 128,
  crop: [112, 112],
  interpolation: 'bilinear',
  mean: [104 / 255, 117 / 255, 128 / 255],
  std: [1 / 255, 1 / 255, 1 / 255],
  frames: 16,
  frameStep: 1,
} as const satisfies VideoInput

export const C3DS = {
  c3d: { create: c3d, task: 'video-classification', input: SPORTS1M_112, features: 'fc6' },
} as const satisfies Readonly<Record<string, NetworkEntry<C3DOptions>>>
