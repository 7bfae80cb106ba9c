// The layers of PointNet++: sampling and grouping, and bringing features back to all points.
import { BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, Module, ModuleList } from '../nn'
import { ballQuery, furthestPointSample, knn } from '../ops'
import { cat, type Tensor, tidy } from '../tensor'

/** Places `[B, N, 3]`, and features `[B, N, C]` unless there are none. */
export interface PointFeatures {
  readonly places: Tensor
  readonly features: Tensor | null
}

/** Rows of `[B, N, C]` by numbers `[B, …]`: `[B, …, C]`. */
export function gatherPoints(values: Tensor, indices: Tensor): Tensor {
  const [batch = 0, , channels = 0] = values.shape
  return tidy(() => {
    const flat = indices.reshape([batch, -1, 1]).expand([-1, -1, channels])
    return values.gather(1, flat).view([...indices.shape, channels])
  })
}

/** Convolutions of 1×1, each with its norm and ReLU, over groups `[B, C, K, M]`. */
function runGrouped(convs: Iterable<Conv2d>, norms: ModuleList<BatchNorm2d>, groups: Tensor): Tensor {
  let x = groups
  let i = 0
  for (const conv of convs) x = norms.at(i++).forward(conv.forward(x)).relu()
  return x.amax({ dim: 2 }).transpose(1, 2)
}

function perceptron(from: number, widths: readonly number[]): [ModuleList<Conv2d>, ModuleList<BatchNorm2d>] {
  const sizes = [from, ...widths]
  return [
    new ModuleList(widths.map((to, i) => new Conv2d(sizes[i] ?? 0, to, 1))),
    new ModuleList(widths.map((to) => new BatchNorm2d(to))),
  ]
}

/** Chosen points; the first is always the same in evaluation, and drawn in training. */
function sample(places: Tensor, count: number, training: boolean): Tensor {
  const chosen = furthestPointSample(places, count, training ? { start: 'random' } : {})
  return gatherPoints(places, chosen)
}

/** What is around each centre: places relative to it and features, `[B, M, K, …]`. */
function group({ places, features }: PointFeatures, centres: Tensor, radius: number, count: number) {
  const { indices } = ballQuery(centres, places, radius, count)
  return {
    offsets: gatherPoints(places, indices).sub(centres.unsqueeze(2)),
    around: features && gatherPoints(features, indices),
  }
}

/** Features of balls around chosen points (section 3.2 of the paper). */
export class SetAbstraction extends Module {
  readonly mlpConvs: ModuleList<Conv2d>
  readonly mlpBns: ModuleList<BatchNorm2d>

  /** @param ball null takes all points as one group */
  constructor(
    readonly ball: { readonly points: number; readonly radius: number; readonly samples: number } | null,
    channels: number,
    widths: readonly number[],
  ) {
    super()
    const [convs, norms] = perceptron(channels + 3, widths)
    this.mlpConvs = convs
    this.mlpBns = norms
  }

  forward(cloud: PointFeatures): PointFeatures {
    const { places, features } = cloud
    if (!this.ball) {
      const all = features ? cat([places, features], { dim: 2 }) : places
      const groups = all.transpose(1, 2).unsqueeze(3)
      return { places: places.narrow(1, 0, 1).mul(0), features: runGrouped(this.mlpConvs, this.mlpBns, groups) }
    }
    const centres = sample(places, this.ball.points, this.training)
    const { offsets, around } = group(cloud, centres, this.ball.radius, this.ball.samples)
    const groups = (around ? cat([offsets, around], { dim: 3 }) : offsets).permute([0, 3, 2, 1])
    return { places: centres, features: runGrouped(this.mlpConvs, this.mlpBns, groups) }
  }
}

export interface BallScale {
  readonly radius: number
  readonly samples: number
  readonly widths: readonly number[]
}

/** As `SetAbstraction`, with balls of several radii side by side (section 3.3). */
export class MultiScaleSetAbstraction extends Module {
  readonly convBlocks: ModuleList<ModuleList<Conv2d>>
  readonly bnBlocks: ModuleList<ModuleList<BatchNorm2d>>

  constructor(
    readonly points: number,
    readonly scales: readonly BallScale[],
    channels: number,
  ) {
    super()
    const made = scales.map(({ widths }) => perceptron(channels + 3, widths))
    this.convBlocks = new ModuleList(made.map(([convs]) => convs))
    this.bnBlocks = new ModuleList(made.map(([, norms]) => norms))
  }

  forward(cloud: PointFeatures): PointFeatures {
    const centres = sample(cloud.places, this.points, this.training)
    const seen = this.scales.map(({ radius, samples }, i) => {
      const { offsets, around } = group(cloud, centres, radius, samples)
      const groups = (around ? cat([around, offsets], { dim: 3 }) : offsets).permute([0, 3, 2, 1])
      return runGrouped(this.convBlocks.at(i), this.bnBlocks.at(i), groups)
    })
    return { places: centres, features: cat(seen, { dim: 2 }) }
  }
}

/** Features of the three nearest chosen points, weighed by 1 / distance² (section 3.4), joined with those a point had. */
export class FeaturePropagation extends Module {
  readonly mlpConvs: ModuleList<Conv1d>
  readonly mlpBns: ModuleList<BatchNorm1d>

  constructor(channels: number, widths: readonly number[]) {
    super()
    const sizes = [channels, ...widths]
    this.mlpConvs = new ModuleList(widths.map((to, i) => new Conv1d(sizes[i] ?? 0, to, 1)))
    this.mlpBns = new ModuleList(widths.map((to) => new BatchNorm1d(to)))
  }

  forward(fine: PointFeatures, coarse: { readonly places: Tensor; readonly features: Tensor }): PointFeatures {
    const spread = interpolate(fine.places, coarse)
    let x = (fine.features ? cat([fine.features, spread], { dim: 2 }) : spread).transpose(1, 2)
    for (const [i, conv] of [...this.mlpConvs].entries()) x = this.mlpBns.at(i).forward(conv.forward(x)).relu()
    return { places: fine.places, features: x.transpose(1, 2) }
  }
}

function interpolate(places: Tensor, coarse: { readonly places: Tensor; readonly features: Tensor }): Tensor {
  const count = coarse.places.size(1)
  if (count === 1) return coarse.features.expand([-1, places.size(1), -1])
  const { distances, indices } = knn(places, coarse.places, Math.min(3, count))
  const near = distances.add(1e-8).reciprocal()
  const weights = near.div(near.sum({ dim: [2], keepdim: true }))
  return gatherPoints(coarse.features, indices)
    .mul(weights.unsqueeze(3))
    .sum({ dim: [2] })
}
