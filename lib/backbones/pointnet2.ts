// PointNet++ with the names of its widely used PyTorch port.
import { BatchNorm1d, Conv1d, Dropout, Linear, Module } from '../nn'
import { cat, type Tensor } from '../tensor'
import type { NetworkEntry } from './network'
import { checkPoints } from './pointnet'
import { FeaturePropagation, MultiScaleSetAbstraction, type PointFeatures, SetAbstraction } from './pointnet2-layers'

export interface PointNet2Output {
  /** Of classes `[B, classes]`, or of each point's `[B, N, classes]`. */
  readonly logProbabilities: Tensor
  /** Of the last abstraction, `[B, M, C]`. */
  readonly features: Tensor
}

type Abstraction = SetAbstraction | MultiScaleSetAbstraction
/** An abstraction always has features. */
type Abstracted = { readonly places: Tensor; readonly features: Tensor }

function abstracted(layer: Abstraction, cloud: PointFeatures): Abstracted {
  return layer.forward(cloud) as Abstracted
}

const ball = (points: number, radius: number, samples: number) => ({ points, radius, samples })
const scale = (radius: number, samples: number, ...widths: number[]) => ({ radius, samples, widths })

export interface PointNet2Options {
  /** Default 40, those of ModelNet40. */
  readonly numClasses?: number
  /** Points have a normal too: six numbers; default false. */
  readonly normals?: boolean
}

/**
 * Classifies point clouds (Qi, Yi, Su, Guibas, NeurIPS 2017).
 *
 * Shapes: `[B, 3, N]` (with normals 6), N 512 or more → log-probabilities `[B, numClasses]`.
 *
 * @throws ShapeError (from `forward`) for points in another layout; ArgumentError when there are too few
 */
export class PointNet2 extends Module {
  readonly sa1: Abstraction
  readonly sa2: Abstraction
  readonly sa3: SetAbstraction
  readonly fc1 = new Linear(1024, 512)
  readonly bn1 = new BatchNorm1d(512)
  readonly drop1 = new Dropout({ p: 0.4 })
  readonly fc2 = new Linear(512, 256)
  readonly bn2 = new BatchNorm1d(256)
  readonly drop2: Dropout
  readonly fc3: Linear
  readonly #channels: number

  /** @param multiScale groups at several radii (MSG), or at one (SSG) */
  constructor(multiScale: boolean, { numClasses = 40, normals = false }: PointNet2Options = {}) {
    super()
    this.#channels = normals ? 6 : 3
    const features = this.#channels - 3
    if (multiScale) {
      const first = [scale(0.1, 16, 32, 32, 64), scale(0.2, 32, 64, 64, 128), scale(0.4, 128, 64, 96, 128)]
      const second = [scale(0.2, 32, 64, 64, 128), scale(0.4, 64, 128, 128, 256), scale(0.8, 128, 128, 128, 256)]
      this.sa1 = new MultiScaleSetAbstraction(512, first, features)
      this.sa2 = new MultiScaleSetAbstraction(128, second, 320)
      this.sa3 = new SetAbstraction(null, 640, [256, 512, 1024])
    } else {
      this.sa1 = new SetAbstraction(ball(512, 0.2, 32), features, [64, 64, 128])
      this.sa2 = new SetAbstraction(ball(128, 0.4, 64), 128, [128, 128, 256])
      this.sa3 = new SetAbstraction(null, 256, [256, 512, 1024])
    }
    this.drop2 = new Dropout({ p: multiScale ? 0.5 : 0.4 })
    this.fc3 = new Linear(256, numClasses)
  }

  forward(points: Tensor): PointNet2Output {
    checkPoints('PointNet2', points, this.#channels)
    const rows = points.transpose(1, 2)
    const cloud = {
      places: rows.narrow(2, 0, 3).contiguous(),
      features: this.#channels > 3 ? rows.narrow(2, 3, this.#channels - 3) : null,
    }
    const { features } = abstracted(this.sa3, this.sa2.forward(this.sa1.forward(cloud)))
    const x = this.drop1.forward(this.bn1.forward(this.fc1.forward(features.squeeze(1))).relu())
    const y = this.drop2.forward(this.bn2.forward(this.fc2.forward(x)).relu())
    return { logProbabilities: this.fc3.forward(y).logSoftmax(1), features }
  }
}

export interface PointNet2PartsOptions {
  /** Default 50, all parts of ShapeNet's categories. */
  readonly numParts?: number
  /** Default 16. */
  readonly numCategories?: number
  /** Points have a normal too: six numbers; default false. */
  readonly normals?: boolean
}

/**
 * A part for each point of an object whose category is known. Shapes: `[B, 3, N]` (with normals 6), N 512 or more, and the
 * category one-hot `[B, numCategories]` → log-probabilities `[B, N, numParts]`.
 *
 * @throws ShapeError (from `forward`) for points in another layout; ArgumentError when there are too few
 */
export class PointNet2Parts extends Module {
  readonly sa1: Abstraction
  readonly sa2: Abstraction
  readonly sa3: SetAbstraction
  readonly fp3: FeaturePropagation
  readonly fp2: FeaturePropagation
  readonly fp1: FeaturePropagation
  readonly conv1 = new Conv1d(128, 128, 1)
  readonly bn1 = new BatchNorm1d(128)
  readonly drop1 = new Dropout({ p: 0.5 })
  readonly conv2: Conv1d
  readonly #channels: number

  constructor(multiScale: boolean, { numParts = 50, numCategories = 16, normals = false }: PointNet2PartsOptions = {}) {
    super()
    this.#channels = normals ? 6 : 3
    const joined = 128 + numCategories + 3 + this.#channels
    if (multiScale) {
      const first = [scale(0.1, 32, 32, 32, 64), scale(0.2, 64, 64, 64, 128), scale(0.4, 128, 64, 96, 128)]
      const second = [scale(0.4, 64, 128, 128, 256), scale(0.8, 128, 128, 196, 256)]
      this.sa1 = new MultiScaleSetAbstraction(512, first, this.#channels)
      this.sa2 = new MultiScaleSetAbstraction(128, second, 320)
      this.sa3 = new SetAbstraction(null, 512, [256, 512, 1024])
      this.fp3 = new FeaturePropagation(1536, [256, 256])
      this.fp2 = new FeaturePropagation(576, [256, 128])
      this.fp1 = new FeaturePropagation(joined, [128, 128])
    } else {
      this.sa1 = new SetAbstraction(ball(512, 0.2, 32), this.#channels, [64, 64, 128])
      this.sa2 = new SetAbstraction(ball(128, 0.4, 64), 128, [128, 128, 256])
      this.sa3 = new SetAbstraction(null, 256, [256, 512, 1024])
      this.fp3 = new FeaturePropagation(1280, [256, 256])
      this.fp2 = new FeaturePropagation(384, [256, 128])
      this.fp1 = new FeaturePropagation(joined, [128, 128, 128])
    }
    this.conv2 = new Conv1d(128, numParts, 1)
  }

  forward(points: Tensor, category: Tensor): PointNet2Output {
    checkPoints('PointNet2Parts', points, this.#channels)
    const rows = points.transpose(1, 2).contiguous()
    const places = rows.narrow(2, 0, 3).contiguous()
    // Places are features too here, beside those relative to a ball's centre.
    const first = abstracted(this.sa1, { places, features: rows })
    const second = abstracted(this.sa2, first)
    const third = abstracted(this.sa3, second)
    const back2 = this.fp3.forward(second, third) as Abstracted
    const back1 = this.fp2.forward(first, back2) as Abstracted
    const known = cat([category.unsqueeze(1).expand([-1, rows.size(1), -1]), places, rows], { dim: 2 })
    const { features } = this.fp1.forward({ places, features: known }, back1) as Abstracted
    const x = this.drop1.forward(this.bn1.forward(this.conv1.forward(features.transpose(1, 2))).relu())
    return { logProbabilities: this.conv2.forward(x).transpose(1, 2).logSoftmax(2), features: third.features }
  }
}

export interface PointNet2SceneOptions {
  /** Default 13, those of S3DIS. */
  readonly numClasses?: number
  /** Numbers of each point, its place first; default 9: place, colour, place in the room. */
  readonly inChannels?: number
}

/**
 * A class for each point of a scene. Shapes: `[B, inChannels, N]`, N 1024 or more → log-probabilities `[B, N, numClasses]`.
 *
 * @throws ShapeError (from `forward`) for points in another layout; ArgumentError when there are too few
 */
export class PointNet2Scene extends Module {
  readonly sa1: Abstraction
  readonly sa2: Abstraction
  readonly sa3: Abstraction
  readonly sa4: Abstraction
  readonly fp4: FeaturePropagation
  readonly fp3: FeaturePropagation
  readonly fp2: FeaturePropagation
  readonly fp1 = new FeaturePropagation(128, [128, 128, 128])
  readonly conv1 = new Conv1d(128, 128, 1)
  readonly bn1 = new BatchNorm1d(128)
  readonly drop1 = new Dropout({ p: 0.5 })
  readonly conv2: Conv1d
  readonly #channels: number

  constructor(multiScale: boolean, { numClasses = 13, inChannels = 9 }: PointNet2SceneOptions = {}) {
    super()
    this.#channels = inChannels
    if (multiScale) {
      const first = [scale(0.05, 16, 16, 16, 32), scale(0.1, 32, 32, 32, 64)]
      const second = [scale(0.1, 16, 64, 64, 128), scale(0.2, 32, 64, 96, 128)]
      const third = [scale(0.2, 16, 128, 196, 256), scale(0.4, 32, 128, 196, 256)]
      const fourth = [scale(0.4, 16, 256, 256, 512), scale(0.8, 32, 256, 384, 512)]
      this.sa1 = new MultiScaleSetAbstraction(1024, first, inChannels)
      this.sa2 = new MultiScaleSetAbstraction(256, second, 96)
      this.sa3 = new MultiScaleSetAbstraction(64, third, 256)
      this.sa4 = new MultiScaleSetAbstraction(16, fourth, 512)
    } else {
      this.sa1 = new SetAbstraction(ball(1024, 0.1, 32), inChannels, [32, 32, 64])
      this.sa2 = new SetAbstraction(ball(256, 0.2, 32), 64, [64, 64, 128])
      this.sa3 = new SetAbstraction(ball(64, 0.4, 32), 128, [128, 128, 256])
      this.sa4 = new SetAbstraction(ball(16, 0.8, 32), 256, [256, 256, 512])
    }
    this.fp4 = new FeaturePropagation(multiScale ? 512 + 1024 : 256 + 512, [256, 256])
    this.fp3 = new FeaturePropagation(multiScale ? 256 + 256 : 128 + 256, [256, 256])
    this.fp2 = new FeaturePropagation(multiScale ? 96 + 256 : 64 + 256, [256, 128])
    this.conv2 = new Conv1d(128, numClasses, 1)
  }

  forward(points: Tensor): PointNet2Output {
    checkPoints('PointNet2Scene', points, this.#channels)
    const rows = points.transpose(1, 2).contiguous()
    const places = rows.narrow(2, 0, 3).contiguous()
    const first = abstracted(this.sa1, { places, features: rows })
    const second = abstracted(this.sa2, first)
    const third = abstracted(this.sa3, second)
    const fourth = abstracted(this.sa4, third)
    const back3 = this.fp4.forward(third, fourth) as Abstracted
    const back2 = this.fp3.forward(second, back3) as Abstracted
    const back1 = this.fp2.forward(first, back2) as Abstracted
    const { features } = this.fp1.forward({ places, features: null }, back1) as Abstracted
    const x = this.drop1.forward(this.bn1.forward(this.conv1.forward(features.transpose(1, 2))).relu())
    return { logProbabilities: this.conv2.forward(x).transpose(1, 2).logSoftmax(2), features: fourth.features }
  }
}

export const pointnet2ClsSsg = (options?: PointNet2Options) => new PointNet2(false, options)
export const pointnet2ClsMsg = (options?: PointNet2Options) => new PointNet2(true, options)
export const pointnet2PartSegSsg = (options?: PointNet2PartsOptions) => new PointNet2Parts(false, options)
export const pointnet2PartSegMsg = (options?: PointNet2PartsOptions) => new PointNet2Parts(true, options)
export const pointnet2SemSeg = (options?: PointNet2SceneOptions) => new PointNet2Scene(false, options)
export const pointnet2SemSegMsg = (options?: PointNet2SceneOptions) => new PointNet2Scene(true, options)

const cloud = { task: 'point-cloud', input: { kind: 'points' } } as const

export const POINTNET2_CLASSIFIERS = {
  pointnet2_cls_ssg: { create: pointnet2ClsSsg, ...cloud },
  pointnet2_cls_msg: { create: pointnet2ClsMsg, ...cloud },
} as const satisfies Readonly<Record<string, NetworkEntry<PointNet2Options>>>

export const POINTNET2_PARTS = {
  pointnet2_part_seg_ssg: { create: pointnet2PartSegSsg, ...cloud },
  pointnet2_part_seg_msg: { create: pointnet2PartSegMsg, ...cloud },
} as const satisfies Readonly<Record<string, NetworkEntry<PointNet2PartsOptions>>>

export const POINTNET2_SCENES = {
  pointnet2_sem_seg: { create: pointnet2SemSeg, ...cloud },
  pointnet2_sem_seg_msg: { create: pointnet2SemSegMsg, ...cloud },
} as const satisfies Readonly<Record<string, NetworkEntry<PointNet2SceneOptions>>>
