// DGCNN with the names of its authors' PyTorch release.
import { ArgumentError, ShapeError } from '../native/errors'
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Dropout,
  functional as F,
  LeakyReLU,
  Linear,
  Module,
  Sequential,
} from '../nn'
import { knn } from '../ops'
import { cat, noGrad, type Tensor, tidy } from '../tensor'
import type { NetworkEntry } from './network'
import { checkPoints } from './pointnet'
import { gatherPoints } from './pointnet2-layers'

export interface DGCNNOptions {
  /** Default 40, those of ModelNet40. */
  readonly numClasses?: number
  /** Neighbours of each point, itself among them; default 20. */
  readonly k?: number
  /** Channels before the pool over all points; default 1024. */
  readonly embedding?: number
  /** Share of the values that are dropped between the last layers in training; default 0.5. */
  readonly dropout?: number
}

const SLOPE = 0.2

/**
 * What edge convolutions see: for each point and each of its k nearest by their features, the difference and the point.
 * Shapes: `[B, C, N]` → `[B, 2 · C, N, k]`.
 *
 * @throws ShapeError when there are fewer than k points
 */
export function edgeFeatures(points: Tensor, k: number): Tensor {
  const count = points.size(2)
  if (count < k) throw new ShapeError(`edgeFeatures: there are ${count} points, fewer than the ${k} neighbours of each`)
  return tidy(() => {
    const rows = points.transpose(1, 2).contiguous()
    const { indices } = noGrad(() => knn(rows, rows, k))
    const neighbours = gatherPoints(rows, indices)
    const centres = rows.unsqueeze(2).expandAs(neighbours)
    return cat([neighbours.sub(centres), centres], { dim: 3 }).permute([0, 3, 1, 2])
  })
}

/**
 * Classifies point clouds by edge convolutions, the neighbours sought anew in each layer's features (Wang, Sun, Liu, Sarma,
 * Bronstein, Solomon, ACM TOG 2019).
 *
 * Shapes: `[B, 3, N]` → logits `[B, numClasses]`.
 *
 * @throws ShapeError (from `forward`) for points in another layout, or fewer than k
 */
export class DGCNN extends Module {
  // The norms stand here and in their layers: the release has both names.
  readonly bn1 = new BatchNorm2d(64)
  readonly bn2 = new BatchNorm2d(64)
  readonly bn3 = new BatchNorm2d(128)
  readonly bn4 = new BatchNorm2d(256)
  readonly bn5: BatchNorm1d
  readonly conv1 = edgeConv(6, 64, this.bn1)
  readonly conv2 = edgeConv(128, 64, this.bn2)
  readonly conv3 = edgeConv(128, 128, this.bn3)
  readonly conv4 = edgeConv(256, 256, this.bn4)
  readonly conv5: Sequential
  readonly linear1: Linear
  readonly bn6 = new BatchNorm1d(512)
  readonly dp1: Dropout
  readonly linear2 = new Linear(512, 256)
  readonly bn7 = new BatchNorm1d(256)
  readonly dp2: Dropout
  readonly linear3: Linear
  readonly k: number

  constructor({ numClasses = 40, k = 20, embedding = 1024, dropout = 0.5 }: DGCNNOptions = {}) {
    super()
    if (!Number.isInteger(k) || k < 1)
      throw new ArgumentError(`DGCNN: k is ${k}; it must be a whole number of 1 or more`)
    this.k = k
    this.bn5 = new BatchNorm1d(embedding)
    this.conv5 = new Sequential(
      new Conv1d(512, embedding, 1, { bias: false }),
      this.bn5,
      new LeakyReLU({ negativeSlope: SLOPE }),
    )
    this.linear1 = new Linear(2 * embedding, 512, { bias: false })
    this.dp1 = new Dropout({ p: dropout })
    this.dp2 = new Dropout({ p: dropout })
    this.linear3 = new Linear(256, numClasses)
  }

  forward(points: Tensor): Tensor {
    checkPoints('DGCNN', points, 3)
    const maps: Tensor[] = []
    let x = points
    for (const conv of [this.conv1, this.conv2, this.conv3, this.conv4]) {
      x = conv.forward(edgeFeatures(x, this.k)).amax({ dim: 3 })
      maps.push(x)
    }
    const y = this.conv5.forward(cat(maps, { dim: 1 }))
    const whole = cat([y.amax({ dim: 2 }), y.mean({ dim: 2 })], { dim: 1 })
    const first = this.dp1.forward(leaky(this.bn6.forward(this.linear1.forward(whole))))
    const second = this.dp2.forward(leaky(this.bn7.forward(this.linear2.forward(first))))
    return this.linear3.forward(second)
  }
}

function leaky(x: Tensor): Tensor {
  return F.leakyRelu(x, { negativeSlope: SLOPE })
}

function edgeConv(from: number, to: number, norm: BatchNorm2d): Sequential {
  return new Sequential(new Conv2d(from, to, 1, { bias: false }), norm, new LeakyReLU({ negativeSlope: SLOPE }))
}

export const dgcnn = (options?: DGCNNOptions) => new DGCNN(options)

export const DGCNNS = {
  dgcnn: { create: dgcnn, task: 'point-cloud', input: { kind: 'points' } },
} as const satisfies Readonly<Record<string, NetworkEntry<DGCNNOptions>>>
