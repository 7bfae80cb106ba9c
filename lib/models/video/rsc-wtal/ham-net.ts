// HAM-Net (Islam, Long, Radke, AAAI 2021): classes and attention side by side, with hidden attention.
import { AvgPool1d, Conv1d, Dropout, LeakyReLU, Module, Sequential, Sigmoid } from '../../../nn'
import type { Tensor } from '../../../tensor'
import type { Variant } from './config'
import type { HostOptions } from './host'
import { attended, guideLoss, videoLoss } from './video-score'

export interface HamOutput {
  /** `[B, L, C + 1]`, the background last. */
  readonly activation: Tensor
  /** `[B, L, 1]` in 0–1. */
  readonly attention: Tensor
}

/** Attention from this share of the largest of a video is dropped from the hidden branches. */
const DROP_FROM = 0.2

const WEIGHTS = {
  thumos14: { hidden: 0.2, classes: 1, attended: 1, norm: 0.8, guide: 0.8 },
  'activitynet1.2': { hidden: 0.5, classes: 0.25, attended: 2, norm: 0.5, guide: 0.1 },
} as const satisfies Readonly<Record<Variant, object>>

/** The odd window of the average that ActivityNet's networks end with, zeros counted. */
export const averageOf = (segments: number, ratio: number) => {
  const kernel = 2 * Math.floor(Math.floor(segments / ratio) / 2) + 1
  return new AvgPool1d(kernel, { stride: 1, padding: Math.floor(kernel / 2) })
}

export class HamNet extends Module {
  readonly classifier: Sequential
  readonly attention: Sequential

  constructor(readonly options: HostOptions) {
    super()
    const { classes, variant, segments } = options
    const features = 2 * options.features
    const hidden = options.features / 2
    const leaky = () => new LeakyReLU({ negativeSlope: 0.2 })
    const pooled = variant === 'activitynet1.2' ? [averageOf(segments, 5)] : []
    this.classifier = new Sequential(
      new Conv1d(features, features, 3, { padding: 1 }),
      leaky(),
      new Conv1d(features, features, 3, { padding: 1 }),
      leaky(),
      new Dropout({ p: variant === 'thumos14' ? 0.7 : 0.5 }),
      new Conv1d(features, classes + 1, 1),
      ...pooled,
    )
    this.attention = new Sequential(
      new Conv1d(features, hidden, 3, { padding: 1 }),
      leaky(),
      new Conv1d(hidden, hidden, 3, { padding: 1 }),
      leaky(),
      new Conv1d(hidden, 1, 1),
      new Sigmoid(),
      ...pooled,
    )
  }

  forward(x: Tensor): HamOutput {
    const overTime = x.transpose(1, 2)
    return {
      activation: this.classifier.forward(overTime).transpose(1, 2),
      attention: this.attention.forward(overTime).transpose(1, 2),
    }
  }

  loss(x: Tensor, labels: Tensor): Tensor {
    return hamLoss(this.forward(x), labels, this.options.topK, this.options.variant)
  }
}

/** Attention without its salient part: what is left where it is below a share of its largest. */
export function hiddenAttention(attention: Tensor): Tensor {
  const threshold = attention.amax({ dim: [1], keepdim: true }).mul(DROP_FROM)
  return attention.mul(attention.lt(threshold))
}

/** All terms of HAM-Net's loss, weighed and summed. */
export function hamLoss({ activation, attention }: HamOutput, labels: Tensor, ratio: number, variant: Variant): Tensor {
  const weights = WEIGHTS[variant]
  const dropped = hiddenAttention(attention)
  const left = attended(activation, dropped.gt(0).to(activation.dtype), { fill: true })
  const loss = (z: Tensor, background: boolean) => videoLoss(z, labels, ratio, background)
  const mixed = (all: Tensor, hidden: Tensor) => all.mul(1 - weights.hidden).add(hidden.mul(weights.hidden))
  const classes = mixed(loss(activation, true), loss(left, true))
  const foreground = mixed(
    loss(attended(activation, attention, { fill: false }), false),
    loss(attended(activation, dropped, { fill: true }), false),
  )
  return classes
    .mul(weights.classes)
    .add(foreground.mul(weights.attended))
    .add(attention.mean().mul(weights.norm))
    .add(guideLoss(activation, attention).mul(weights.guide))
}
