// CO2-Net (Hong et al., ACM MM 2021): each stream is filtered by what the other one sees.
import { type AvgPool1d, Conv1d, Dropout, functional as F, LeakyReLU, Module, Sequential, Sigmoid } from '../../../nn'
import { cat, type Tensor } from '../../../tensor'
import { averageOf } from './ham-net'
import type { HostOptions } from './host'
import { attended, guideLoss, videoLoss } from './video-score'

export interface Co2Output {
  /** `[B, L, C + 1]`, the background last. */
  readonly activation: Tensor
  /** `[B, L, 1]` in 0–1: the mean of the two below. */
  readonly attention: Tensor
  readonly rgbAttention: Tensor
  readonly flowAttention: Tensor
  /** `[B, L, 2D]`. */
  readonly features: Tensor
}

/** Videos at the beginning of a batch that share a class two by two. */
export const PAIRS = 3

const WEIGHTS = { norm: 0.8, guide: 0.8, coActivity: 1, mutual: 1 }
const MARGIN = 0.5

interface Filtered {
  readonly attention: Tensor
  readonly filtered: Tensor
}

/** Cross-modal consensus: channels of the main stream pass where its gist and the other stream agree. */
class Consensus extends Module {
  /** The local part, of the other stream. */
  readonly bitWiseAttn: Sequential
  /** The global part, of the main stream. */
  readonly channelConv: Sequential
  readonly attention: Sequential

  constructor(features: number) {
    super()
    const hidden = Math.floor(features / 2)
    const leaky = () => new LeakyReLU({ negativeSlope: 0.2 })
    const half = () => new Dropout({ p: 0.5 })
    const part = () => new Sequential(new Conv1d(features, features, 3, { padding: 1 }), leaky(), half())
    this.bitWiseAttn = part()
    this.channelConv = part()
    this.attention = new Sequential(
      new Conv1d(features, hidden, 3, { padding: 1 }),
      leaky(),
      half(),
      new Conv1d(hidden, hidden, 3, { padding: 1 }),
      leaky(),
      new Conv1d(hidden, 1, 1),
      half(),
      new Sigmoid(),
    )
  }

  /** `[B, D, L]` each. */
  forward(main: Tensor, other: Tensor): Filtered {
    const gist = this.channelConv.forward(main.mean({ dim: [2], keepdim: true }))
    const filtered = this.bitWiseAttn.forward(other).mul(gist).sigmoid().mul(main)
    return { attention: this.attention.forward(filtered), filtered }
  }
}

export class Co2Net extends Module {
  static override readonly stateNames = { vAttn: 'vAttn', fAttn: 'fAttn' }
  readonly vAttn: Consensus
  readonly fAttn: Consensus
  readonly fusion: Sequential
  readonly classifier: Sequential
  readonly #pool: AvgPool1d | undefined

  constructor(readonly options: HostOptions) {
    super()
    const { classes, variant, segments } = options
    const features = 2 * options.features
    this.vAttn = new Consensus(options.features)
    this.fAttn = new Consensus(options.features)
    const most = () => new Dropout({ p: 0.7 })
    this.fusion = new Sequential(new Conv1d(features, features, 1), new LeakyReLU({ negativeSlope: 0.2 }), most())
    this.classifier = new Sequential(
      most(),
      new Conv1d(features, features, 3, { padding: 1 }),
      new LeakyReLU({ negativeSlope: 0.2 }),
      most(),
      new Conv1d(features, classes + 1, 1),
    )
    this.#pool = variant === 'activitynet1.2' ? averageOf(segments, 5) : undefined
  }

  forward(x: Tensor): Co2Output {
    const [rgb, flow] = x.transpose(1, 2).chunk(2, { dim: 1 }) as [Tensor, Tensor]
    const v = this.vAttn.forward(rgb, flow)
    const f = this.fAttn.forward(flow, rgb)
    const features = this.fusion.forward(cat([v.filtered, f.filtered], { dim: 1 }))
    const pooled = (y: Tensor) => (this.#pool?.forward(y) ?? y).transpose(1, 2)
    return {
      activation: pooled(this.classifier.forward(features)),
      attention: pooled(v.attention.add(f.attention).mul(0.5)),
      rgbAttention: pooled(v.attention),
      flowAttention: pooled(f.attention),
      features: features.transpose(1, 2),
    }
  }

  loss(x: Tensor, labels: Tensor): Tensor {
    return co2Loss(this.forward(x), labels, this.options.topK)
  }
}

/** All terms of CO2-Net's loss, weighed and summed. */
export function co2Loss(output: Co2Output, labels: Tensor, ratio: number): Tensor {
  const { activation, attention, rgbAttention, flowAttention, features } = output
  const suppressed = attended(activation, attention, { fill: true })
  const attentions = [attention, rgbAttention, flowAttention]
  const mean = (terms: readonly Tensor[]) => terms.reduce((sum, term) => sum.add(term)).div(terms.length)
  const mutual = F.mseLoss(rgbAttention, flowAttention.detach()).add(F.mseLoss(flowAttention, rgbAttention.detach()))
  return videoLoss(activation, labels, ratio, true)
    .add(videoLoss(suppressed, labels, ratio, false))
    .add(coActivityLoss(features, suppressed, labels).mul(WEIGHTS.coActivity))
    .add(mutual.mul(0.5 * WEIGHTS.mutual))
    .add(mean(attentions.map((each) => each.mean())).mul(WEIGHTS.norm))
    .add(mean(attentions.map((each) => guideLoss(activation, each))).mul(WEIGHTS.guide))
}

/**
 * What two videos of a class show where it is, is alike; and unlike what they show elsewhere (Paul et al., ECCV 2018).
 *
 * @param features `[B, L, D]`
 * @param suppressed `[B, L, C + 1]`, activation weighted by attention
 * @param labels `[B, C]`: the first six videos share a class two by two
 */
export function coActivityLoss(features: Tensor, suppressed: Tensor, labels: Tensor): Tensor {
  const [length, classes] = [features.size(1), labels.size(1)]
  // The background is no label of any video.
  const share = suppressed
    .narrow(0, 0, 2 * PAIRS)
    .softmax(1)
    .narrow(2, 0, classes)
  const overTime = features.narrow(0, 0, 2 * PAIRS).transpose(1, 2)
  const high = overTime.matmul(share)
  const low = overTime.matmul(
    share
      .neg()
      .add(1)
      .div(Math.max(length - 1, 1)),
  )
  const pair = (x: Tensor) => x.reshape([PAIRS, 2, ...x.shape.slice(1)]).unbind({ dim: 1 }) as [Tensor, Tensor]
  const [[high1, high2], [low1, low2]] = [pair(high), pair(low)]
  const [labels1, labels2] = pair(labels.narrow(0, 0, 2 * PAIRS))
  const shared = labels1.mul(labels2)
  const together = distance(high1, high2)
  const hinge = (apart: Tensor) => together.sub(apart).add(MARGIN).relu().mul(shared).sum()
  return hinge(distance(high1, low2))
    .add(hinge(distance(high2, low1)))
    .mul(0.5)
    .div(shared.sum())
}

/** Cosine distance over features: `[P, D, C]` each → `[P, C]`. */
function distance(a: Tensor, b: Tensor): Tensor {
  const lengths = a.norm([1]).mul(b.norm([1]))
  return a
    .mul(b)
    .sum({ dim: [1] })
    .div(lengths)
    .neg()
    .add(1)
}
