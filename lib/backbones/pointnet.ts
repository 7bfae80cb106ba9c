// PointNet with the names of its widely used PyTorch port.
import { ShapeError } from '../native/errors'
import { BatchNorm1d, Conv1d, Dropout, Linear, Module } from '../nn'
import { cat, eye, type Tensor, tidy } from '../tensor'
import type { NetworkEntry } from './network'

export interface PointNetOutput {
  /** Of classes `[B, classes]`, or of each point's `[B, N, classes]`. */
  readonly logProbabilities: Tensor
  /** What features were multiplied with, `[B, K, K]`: see `transformRegularizer`. */
  readonly featureTransform: Tensor
}

const conv = (from: number, to: number) => new Conv1d(from, to, 1)

/** @throws ShapeError unless the input is `[B, channels, N]` */
export function checkPoints(network: string, { shape }: Tensor, channels: number): void {
  if (shape.length === 3 && shape[1] === channels && (shape[2] ?? 0) > 0) return
  throw new ShapeError(
    `${network}: the points have shape [${shape.join(', ')}]; it must be [B, ${channels}, N], coordinates before points: transpose(1, 2) turns [B, N, ${channels}] into it`,
  )
}

/** A small PointNet that gives a matrix `[B, size, size]`, the identity at first but for noise (section 4.2). */
export class SpatialTransformer extends Module {
  readonly conv1: Conv1d
  readonly conv2 = conv(64, 128)
  readonly conv3 = conv(128, 1024)
  readonly fc1 = new Linear(1024, 512)
  readonly fc2 = new Linear(512, 256)
  readonly fc3: Linear
  readonly bn1 = new BatchNorm1d(64)
  readonly bn2 = new BatchNorm1d(128)
  readonly bn3 = new BatchNorm1d(1024)
  readonly bn4 = new BatchNorm1d(512)
  readonly bn5 = new BatchNorm1d(256)

  constructor(
    channels: number,
    readonly size: number,
  ) {
    super()
    this.conv1 = conv(channels, 64)
    this.fc3 = new Linear(256, size * size)
  }

  forward(points: Tensor): Tensor {
    let x = this.bn1.forward(this.conv1.forward(points)).relu()
    x = this.bn2.forward(this.conv2.forward(x)).relu()
    x = this.bn3.forward(this.conv3.forward(x)).relu().amax({ dim: 2 })
    x = this.bn4.forward(this.fc1.forward(x)).relu()
    x = this.fc3.forward(this.bn5.forward(this.fc2.forward(x)).relu())
    const identity = eye(this.size, { dtype: x.dtype, device: x.device })
    return x.view([-1, this.size, this.size]).add(identity)
  }
}

/** `[B, C, N]` with each point's first three numbers multiplied by a matrix; the others stay. */
function turn(points: Tensor, matrix: Tensor): Tensor {
  const size = matrix.size(1)
  const turned = matrix.transpose(1, 2).bmm(points.narrow(1, 0, size))
  return points.size(1) === size ? turned : cat([turned, points.narrow(1, size, points.size(1) - size)], { dim: 1 })
}

/** Features of each point, and of all: the largest of each channel. */
class PointNetEncoder extends Module {
  readonly stn: SpatialTransformer
  readonly conv1: Conv1d
  readonly conv2 = conv(64, 128)
  readonly conv3 = conv(128, 1024)
  readonly bn1 = new BatchNorm1d(64)
  readonly bn2 = new BatchNorm1d(128)
  readonly bn3 = new BatchNorm1d(1024)
  readonly fstn = new SpatialTransformer(64, 64)

  constructor(readonly channels: number) {
    super()
    this.stn = new SpatialTransformer(channels, 3)
    this.conv1 = conv(channels, 64)
  }

  /** @returns global features `[B, 1024]`, those of each point `[B, 64, N]`, and the matrix `[B, 64, 64]` */
  forward(points: Tensor): [whole: Tensor, each: Tensor, matrix: Tensor] {
    const placed = turn(points, this.stn.forward(points))
    const x = this.bn1.forward(this.conv1.forward(placed)).relu()
    const matrix = this.fstn.forward(x)
    const each = turn(x, matrix)
    const y = this.bn2.forward(this.conv2.forward(each)).relu()
    return [this.bn3.forward(this.conv3.forward(y)).amax({ dim: 2 }), each, matrix]
  }
}

export interface PointNetOptions {
  /** Default 40, those of ModelNet40. */
  readonly numClasses?: number
  /** Points have a normal too: six numbers; default false. */
  readonly normals?: boolean
  /** Share of the values that are dropped before the last layer in training; default 0.4. */
  readonly dropout?: number
}

/**
 * Classifies point clouds (Qi, Su, Mo, Guibas, CVPR 2017).
 *
 * Shapes: `[B, 3, N]` (with normals 6) → log-probabilities `[B, numClasses]`.
 *
 * @throws ShapeError (from `forward`) for points in another layout
 */
export class PointNet extends Module {
  readonly feat: PointNetEncoder
  readonly fc1 = new Linear(1024, 512)
  readonly fc2 = new Linear(512, 256)
  readonly fc3: Linear
  readonly dropout: Dropout
  readonly bn1 = new BatchNorm1d(512)
  readonly bn2 = new BatchNorm1d(256)

  constructor({ numClasses = 40, normals = false, dropout = 0.4 }: PointNetOptions = {}) {
    super()
    this.feat = new PointNetEncoder(normals ? 6 : 3)
    this.fc3 = new Linear(256, numClasses)
    this.dropout = new Dropout({ p: dropout })
  }

  forward(points: Tensor): PointNetOutput {
    checkPoints('PointNet', points, this.feat.channels)
    const [whole, , featureTransform] = this.feat.forward(points)
    const x = this.bn1.forward(this.fc1.forward(whole)).relu()
    const y = this.bn2.forward(this.dropout.forward(this.fc2.forward(x))).relu()
    return { logProbabilities: this.fc3.forward(y).logSoftmax(1), featureTransform }
  }
}

export interface PointNetSceneOptions {
  /** Default 13, those of S3DIS. */
  readonly numClasses?: number
  /** Numbers of each point, its place first; default 9: place, colour, place in the room. */
  readonly inChannels?: number
}

/**
 * A class for each point of a scene. Shapes: `[B, inChannels, N]` → log-probabilities `[B, N, numClasses]`.
 *
 * @throws ShapeError (from `forward`) for points in another layout
 */
export class PointNetScene extends Module {
  readonly feat: PointNetEncoder
  readonly conv1 = conv(1088, 512)
  readonly conv2 = conv(512, 256)
  readonly conv3 = conv(256, 128)
  readonly conv4: Conv1d
  readonly bn1 = new BatchNorm1d(512)
  readonly bn2 = new BatchNorm1d(256)
  readonly bn3 = new BatchNorm1d(128)

  constructor({ numClasses = 13, inChannels = 9 }: PointNetSceneOptions = {}) {
    super()
    this.feat = new PointNetEncoder(inChannels)
    this.conv4 = conv(128, numClasses)
  }

  forward(points: Tensor): PointNetOutput {
    checkPoints('PointNetScene', points, this.feat.channels)
    const [whole, each, featureTransform] = this.feat.forward(points)
    let x = cat([whole.unsqueeze(2).expand([-1, -1, points.size(2)]), each], { dim: 1 })
    x = this.bn1.forward(this.conv1.forward(x)).relu()
    x = this.bn2.forward(this.conv2.forward(x)).relu()
    x = this.bn3.forward(this.conv3.forward(x)).relu()
    return { logProbabilities: this.conv4.forward(x).transpose(1, 2).logSoftmax(2), featureTransform }
  }
}

export interface PointNetPartsOptions {
  /** Default 50, all parts of ShapeNet's categories. */
  readonly numParts?: number
  /** Default 16. */
  readonly numCategories?: number
  /** Points have a normal too: six numbers; default false. */
  readonly normals?: boolean
}

/**
 * A part for each point of an object whose category is known. Shapes: `[B, 3, N]` (with normals 6) and the category one-hot
 * `[B, numCategories]` → log-probabilities `[B, N, numParts]`.
 *
 * @throws ShapeError (from `forward`) for points in another layout
 */
export class PointNetParts extends Module {
  readonly stn: SpatialTransformer
  readonly conv1: Conv1d
  readonly conv2 = conv(64, 128)
  readonly conv3 = conv(128, 128)
  readonly conv4 = conv(128, 512)
  readonly conv5 = conv(512, 2048)
  readonly bn1 = new BatchNorm1d(64)
  readonly bn2 = new BatchNorm1d(128)
  readonly bn3 = new BatchNorm1d(128)
  readonly bn4 = new BatchNorm1d(512)
  readonly bn5 = new BatchNorm1d(2048)
  readonly fstn = new SpatialTransformer(128, 128)
  readonly convs1: Conv1d
  readonly convs2 = conv(256, 256)
  readonly convs3 = conv(256, 128)
  readonly convs4: Conv1d
  readonly bns1 = new BatchNorm1d(256)
  readonly bns2 = new BatchNorm1d(256)
  readonly bns3 = new BatchNorm1d(128)
  readonly #channels: number

  constructor({ numParts = 50, numCategories = 16, normals = false }: PointNetPartsOptions = {}) {
    super()
    this.#channels = normals ? 6 : 3
    this.stn = new SpatialTransformer(this.#channels, 3)
    this.conv1 = conv(this.#channels, 64)
    this.convs1 = conv(64 + 128 + 128 + 512 + 2048 + 2048 + numCategories, 256)
    this.convs4 = conv(128, numParts)
  }

  forward(points: Tensor, category: Tensor): PointNetOutput {
    checkPoints('PointNetParts', points, this.#channels)
    const placed = turn(points, this.stn.forward(points))
    const out1 = this.bn1.forward(this.conv1.forward(placed)).relu()
    const out2 = this.bn2.forward(this.conv2.forward(out1)).relu()
    const out3 = this.bn3.forward(this.conv3.forward(out2)).relu()
    const featureTransform = this.fstn.forward(out3)
    const out4 = this.bn4.forward(this.conv4.forward(turn(out3, featureTransform))).relu()
    const out5 = this.bn5.forward(this.conv5.forward(out4))
    const whole = cat([out5.amax({ dim: 2 }), category], { dim: 1 })
      .unsqueeze(2)
      .expand([-1, -1, points.size(2)])
    let x = cat([whole, out1, out2, out3, out4, out5], { dim: 1 })
    x = this.bns1.forward(this.convs1.forward(x)).relu()
    x = this.bns2.forward(this.convs2.forward(x)).relu()
    x = this.bns3.forward(this.convs3.forward(x)).relu()
    return { logProbabilities: this.convs4.forward(x).transpose(1, 2).logSoftmax(2), featureTransform }
  }
}

/**
 * How far matrices `[B, K, K]` are from rotations: the mean of ‖A·Aᵀ − I‖ (section 4.2, there squared; the port's form).
 * The port adds 0.001 of it to the loss.
 */
export function transformRegularizer(matrices: Tensor): Tensor {
  return tidy(() => {
    const identity = eye(matrices.size(1), { dtype: matrices.dtype, device: matrices.device })
    const off = matrices.bmm(matrices.transpose(1, 2)).sub(identity)
    return off.norm([1, 2]).mean()
  })
}

export const pointnetCls = (options?: PointNetOptions) => new PointNet(options)
export const pointnetPartSeg = (options?: PointNetPartsOptions) => new PointNetParts(options)
export const pointnetSemSeg = (options?: PointNetSceneOptions) => new PointNetScene(options)

const cloud = { task: 'point-cloud', input: { kind: 'points' } } as const

export const POINTNET_CLASSIFIERS = {
  pointnet_cls: { create: pointnetCls, ...cloud },
} as const satisfies Readonly<Record<string, NetworkEntry<PointNetOptions>>>

export const POINTNET_PARTS = {
  pointnet_part_seg: { create: pointnetPartSeg, ...cloud },
} as const satisfies Readonly<Record<string, NetworkEntry<PointNetPartsOptions>>>

export const POINTNET_SCENES = {
  pointnet_sem_seg: { create: pointnetSemSeg, ...cloud },
} as const satisfies Readonly<Record<string, NetworkEntry<PointNetSceneOptions>>>
