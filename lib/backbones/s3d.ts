// S3D with torchvision's names.
import { ShapeError } from '../native/errors'
import { AvgPool3d, BatchNorm3d, Conv3d, Dropout, type Layer, MaxPool3d, Module, ReLU, Sequential } from '../nn'
import { cat, type Tensor } from '../tensor'
import type { NetworkEntry } from './network'
import { KINETICS_112 } from './video-input'

export interface S3DOptions {
  /** Default 400. */
  readonly numClasses?: number
  /** Share of the values that are dropped before the classifier in training; default 0.2. */
  readonly dropout?: number
  /** Stands where batch norm does. */
  readonly normLayer?: (channels: number) => Layer
}

type Norm = (channels: number) => Layer
type Triple = readonly [number, number, number]

function convNormReLU(from: number, to: number, kernel: Triple, stride: Triple, norm: Norm): Sequential {
  const padding = kernel.map((size) => (size - 1) / 2) as [number, number, number]
  return new Sequential(
    new Conv3d(from, to, kernel, { stride, padding, bias: false }),
    norm(to),
    new ReLU({ inplace: true }),
  )
}

function point(from: number, to: number, norm: Norm): Sequential {
  return convNormReLU(from, to, [1, 1, 1], [1, 1, 1], norm)
}

/** A convolution in space, then one in time (the paper's Fig. 4). */
function separable(from: number, to: number, size: number, stride: number, norm: Norm): Sequential {
  return new Sequential(
    convNormReLU(from, to, [1, size, size], [1, stride, stride], norm),
    convNormReLU(to, to, [size, 1, 1], [stride, 1, 1], norm),
  )
}

type Widths = readonly [b0: number, b1a: number, b1b: number, b2a: number, b2b: number, b3: number]

/** Inception's four branches with separable convolutions. */
export class SeparableInception extends Module {
  readonly branch0: Sequential
  readonly branch1: Sequential
  readonly branch2: Sequential
  readonly branch3: Sequential

  constructor(from: number, [b0, b1a, b1b, b2a, b2b, b3]: Widths, norm: Norm) {
    super()
    this.branch0 = point(from, b0, norm)
    this.branch1 = new Sequential(point(from, b1a, norm), separable(b1a, b1b, 3, 1, norm))
    this.branch2 = new Sequential(point(from, b2a, norm), separable(b2a, b2b, 3, 1, norm))
    this.branch3 = new Sequential(new MaxPool3d(3, { stride: 1, padding: 1 }), point(from, b3, norm))
  }

  forward(clip: Tensor): Tensor {
    const { branch0, branch1, branch2, branch3 } = this
    return cat(
      [branch0, branch1, branch2, branch3].map((branch) => branch.forward(clip)),
      { dim: 1 },
    )
  }
}

/**
 * Separable 3D Inception (Xie, Sun, Huang, Tu, Murphy, ECCV 2018).
 *
 * Shapes: `[N, 3, T, 224, 224]` → `[N, numClasses]`.
 *
 * @throws ShapeError (from `forward`) when a clip has fewer than 13 frames or a side below 209
 */
export class S3D extends Module {
  readonly features: Sequential
  readonly avgpool = new AvgPool3d([2, 7, 7], { stride: 1 })
  readonly classifier: Sequential

  constructor(options: S3DOptions = {}) {
    super()
    const { numClasses = 400, dropout = 0.2, normLayer } = options
    const norm = normLayer ?? ((channels) => new BatchNorm3d(channels, { eps: 1e-3, momentum: 1e-3 }))
    const spatialPool = () => new MaxPool3d([1, 3, 3], { stride: [1, 2, 2], padding: [0, 1, 1] })
    this.features = new Sequential(
      separable(3, 64, 7, 2, norm),
      spatialPool(),
      point(64, 64, norm),
      separable(64, 192, 3, 1, norm),
      spatialPool(),
      new SeparableInception(192, [64, 96, 128, 16, 32, 32], norm),
      new SeparableInception(256, [128, 128, 192, 32, 96, 64], norm),
      new MaxPool3d(3, { stride: 2, padding: 1 }),
      new SeparableInception(480, [192, 96, 208, 16, 48, 64], norm),
      new SeparableInception(512, [160, 112, 224, 24, 64, 64], norm),
      new SeparableInception(512, [128, 128, 256, 24, 64, 64], norm),
      new SeparableInception(512, [112, 144, 288, 32, 64, 64], norm),
      new SeparableInception(528, [256, 160, 320, 32, 128, 128], norm),
      new MaxPool3d(2),
      new SeparableInception(832, [256, 160, 320, 32, 128, 128], norm),
      new SeparableInception(832, [384, 192, 384, 48, 128, 128], norm),
    )
    this.classifier = new Sequential(new Dropout({ p: dropout }), new Conv3d(1024, numClasses, 1))
  }

  forward(clip: Tensor): Tensor {
    const [, , frames = 0, height = 0, width = 0] = clip.shape
    if (clip.ndim === 5 && (frames < 13 || height < 209 || width < 209)) {
      throw new ShapeError(
        `S3D: a clip [${clip.shape}] is smaller than the last pool's window of 2 × 7 × 7; it needs 13 frames or more of at least 209 × 209`,
      )
    }
    const logits = this.classifier.forward(this.avgpool.forward(this.features.forward(clip)))
    return logits.mean({ dim: [2, 3, 4] })
  }
}

export const s3d = (options?: S3DOptions) => new S3D(options)

export const S3DS = {
  s3d: {
    create: s3d,
    task: 'video-classification',
    input: { ...KINETICS_112, resize: 256, crop: [224, 224], frames: 128 },
    features: 'avgpool',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<S3DOptions>>>
