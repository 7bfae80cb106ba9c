// I3D, Inception v1 inflated to clips, with the names of its PyTorch port.
import { ShapeError } from '../native/errors'
import { AvgPool3d, BatchNorm3d, Conv3d, Dropout, MaxPool3d, Module } from '../nn'
import { cat, pad, type Tensor, tidy } from '../tensor'
import type { NetworkEntry } from './network'
import { KINETICS_SIGNED_224 } from './video-input'

export interface I3DOptions {
  /** Default 400. */
  readonly numClasses?: number
  /** 3 for colour, 2 for optical flow. */
  readonly inChannels?: number
  /** Share of the values that are dropped before the classifier in training; default 0.5. */
  readonly dropout?: number
}

type Triple = readonly [number, number, number]

/** Zeros around a clip so that windows of this size and stride give ⌈size / stride⌉, the odd one behind: TensorFlow's `SAME`. */
function padSame(clip: Tensor, kernel: Triple, stride: Triple): Tensor {
  const ends = [2, 1, 0].flatMap((d) => {
    const [size, step, length] = [kernel[d] ?? 1, stride[d] ?? 1, clip.size(d + 2)]
    const total = Math.max(size - (length % step || step), 0)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  })
  return ends.every((end) => end === 0) ? clip : pad(clip, ends)
}

class MaxPoolSame extends Module {
  readonly #pool: MaxPool3d

  constructor(
    readonly kernel: Triple,
    readonly stride: Triple,
  ) {
    super()
    this.#pool = new MaxPool3d(kernel, { stride })
  }

  forward(clip: Tensor): Tensor {
    return this.#pool.forward(padSame(clip, this.kernel, this.stride))
  }
}

/** Convolution, batch norm, ReLU; or, as the classifier, a convolution with a bias alone. */
export class I3DUnit extends Module {
  readonly conv3d: Conv3d
  readonly bn: BatchNorm3d | null

  constructor(
    from: number,
    to: number,
    readonly kernel: Triple = [1, 1, 1],
    readonly stride: Triple = [1, 1, 1],
    { classifies = false } = {},
  ) {
    super()
    this.conv3d = new Conv3d(from, to, kernel, { stride, bias: classifies })
    this.bn = classifies ? null : new BatchNorm3d(to, { eps: 1e-3, momentum: 0.01 })
  }

  forward(clip: Tensor): Tensor {
    const y = this.conv3d.forward(padSame(clip, this.kernel, this.stride))
    return this.bn ? this.bn.forward(y).relu() : y
  }
}

type Widths = readonly [b0: number, b1a: number, b1b: number, b2a: number, b2b: number, b3b: number]

/** Four branches side by side: 1×1×1; 3×3×3; 3×3×3 again; a pool (Fig. 3 right). */
export class I3DInception extends Module {
  readonly b0: I3DUnit
  readonly b1a: I3DUnit
  readonly b1b: I3DUnit
  readonly b2a: I3DUnit
  readonly b2b: I3DUnit
  readonly b3a = new MaxPoolSame([3, 3, 3], [1, 1, 1])
  readonly b3b: I3DUnit

  constructor(from: number, [b0, b1a, b1b, b2a, b2b, b3b]: Widths) {
    super()
    this.b0 = new I3DUnit(from, b0)
    this.b1a = new I3DUnit(from, b1a)
    this.b1b = new I3DUnit(b1a, b1b, [3, 3, 3])
    this.b2a = new I3DUnit(from, b2a)
    this.b2b = new I3DUnit(b2a, b2b, [3, 3, 3])
    this.b3b = new I3DUnit(from, b3b)
  }

  forward(clip: Tensor): Tensor {
    const branches = [
      this.b0.forward(clip),
      this.b1b.forward(this.b1a.forward(clip)),
      this.b2b.forward(this.b2a.forward(clip)),
      this.b3b.forward(this.b3a.forward(clip)),
    ]
    return cat(branches, { dim: 1 })
  }
}

/**
 * Two-stream inflated network, one stream (Carreira and Zisserman, CVPR 2017).
 *
 * Shapes: `[N, inChannels, T, 224, 224]` in −1…1 → logits over time `[N, numClasses, T′]`, T′ about T / 8 − 1; their mean
 * over T′ is the clip's.
 *
 * @throws ShapeError (from `forward`) when a clip has fewer than 9 frames or a side below 193
 */
export class I3D extends Module {
  readonly logits: I3DUnit
  readonly Conv3d_1a_7x7: I3DUnit
  readonly MaxPool3d_2a_3x3 = new MaxPoolSame([1, 3, 3], [1, 2, 2])
  readonly Conv3d_2b_1x1 = new I3DUnit(64, 64)
  readonly Conv3d_2c_3x3 = new I3DUnit(64, 192, [3, 3, 3])
  readonly MaxPool3d_3a_3x3 = new MaxPoolSame([1, 3, 3], [1, 2, 2])
  readonly Mixed_3b = new I3DInception(192, [64, 96, 128, 16, 32, 32])
  readonly Mixed_3c = new I3DInception(256, [128, 128, 192, 32, 96, 64])
  readonly MaxPool3d_4a_3x3 = new MaxPoolSame([3, 3, 3], [2, 2, 2])
  readonly Mixed_4b = new I3DInception(480, [192, 96, 208, 16, 48, 64])
  readonly Mixed_4c = new I3DInception(512, [160, 112, 224, 24, 64, 64])
  readonly Mixed_4d = new I3DInception(512, [128, 128, 256, 24, 64, 64])
  readonly Mixed_4e = new I3DInception(512, [112, 144, 288, 32, 64, 64])
  readonly Mixed_4f = new I3DInception(528, [256, 160, 320, 32, 128, 128])
  readonly MaxPool3d_5a_2x2 = new MaxPoolSame([2, 2, 2], [2, 2, 2])
  readonly Mixed_5b = new I3DInception(832, [256, 160, 320, 32, 128, 128])
  readonly Mixed_5c = new I3DInception(832, [384, 192, 384, 48, 128, 128])
  readonly avgPool = new AvgPool3d([2, 7, 7], { stride: 1 })
  readonly dropout: Dropout

  constructor({ numClasses = 400, inChannels = 3, dropout = 0.5 }: I3DOptions = {}) {
    super()
    this.logits = new I3DUnit(1024, numClasses, [1, 1, 1], [1, 1, 1], { classifies: true })
    this.Conv3d_1a_7x7 = new I3DUnit(inChannels, 64, [7, 7, 7], [2, 2, 2])
    this.dropout = new Dropout({ p: dropout })
  }

  forward(clip: Tensor): Tensor {
    return this.logits
      .forward(this.dropout.forward(this.extractFeatures(clip)))
      .squeeze(3)
      .squeeze(3)
  }

  /** What the classifier sees: `[N, 1024, T′, 1, 1]` at 224 × 224. */
  extractFeatures(clip: Tensor): Tensor {
    const [, , frames = 0, height = 0, width = 0] = clip.shape
    if (clip.ndim === 5 && (frames < 9 || height < 193 || width < 193)) {
      throw new ShapeError(
        `I3D: a clip [${clip.shape}] is smaller than the last pool's window of 2 × 7 × 7; it needs 9 frames or more of at least 193 × 193`,
      )
    }
    const stem = [
      this.Conv3d_1a_7x7,
      this.MaxPool3d_2a_3x3,
      this.Conv3d_2b_1x1,
      this.Conv3d_2c_3x3,
      this.MaxPool3d_3a_3x3,
    ]
    const third = [this.Mixed_3b, this.Mixed_3c, this.MaxPool3d_4a_3x3]
    const fourth = [this.Mixed_4b, this.Mixed_4c, this.Mixed_4d, this.Mixed_4e, this.Mixed_4f, this.MaxPool3d_5a_2x2]
    const fifth = [this.Mixed_5b, this.Mixed_5c, this.avgPool]
    return tidy(() => [...stem, ...third, ...fourth, ...fifth].reduce((x, layer) => layer.forward(x), clip))
  }
}

/** I3D over colour frames. */
export const i3dRgb = (options?: I3DOptions) => new I3D(options)
/** I3D over optical flow, cut off at ±20 pixels and divided by 20. */
export const i3dFlow = (options?: I3DOptions) => new I3D({ inChannels: 2, ...options })

const classifier = { task: 'video-classification', features: 'avg_pool' } as const

export const I3DS = {
  i3d_rgb: { create: i3dRgb, input: KINETICS_SIGNED_224, ...classifier },
  i3d_flow: { create: i3dFlow, input: { ...KINETICS_SIGNED_224, mean: [0.5, 0.5], std: [0.5, 0.5] }, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<I3DOptions>>>
