// CoLA (Zhang et al., CVPR 2021): actionness, and a contrast of hard segments with easy ones.
import { Conv1d, Dropout, functional as F, Module, ReLU, Sequential } from '../../../nn'
import { cat, onesLike, type Tensor, zeros } from '../../../tensor'
import type { Variant } from './config'
import type { HostOptions } from './host'
import { type MinedSnippets, mineSnippets } from './snippet-mining'
import { topKMean } from './video-score'

export interface ColaOutput {
  /** `[B, L, C]`, none below 0. */
  readonly activation: Tensor
  /** Actionness, the sum over classes: `[B, L]`. */
  readonly attention: Tensor
  /** `[B, L, D]`. */
  readonly embeddings: Tensor
}

/** Shares of the segments that are mined, and the weight of their contrast. */
const MINING = {
  thumos14: { easy: 5, hard: 20, weight: 0.01 },
  'activitynet1.2': { easy: 10, hard: 8, weight: 0.005 },
} as const satisfies Readonly<Record<Variant, object>>

const TEMPERATURE = 0.07

class ActionnessModule extends Module {
  readonly fEmbed: Sequential
  readonly fCls: Sequential
  readonly dropout = new Dropout({ p: 0.7 })

  constructor({ features: each, classes, variant }: HostOptions) {
    super()
    const features = 2 * each
    const wide = variant === 'activitynet1.2'
    const [embed, padding] = wide ? ([9, 4] as const) : ([3, 1] as const)
    this.fEmbed = new Sequential(new Conv1d(features, features, embed, { padding }), new ReLU())
    const depthwise = { padding: 6, dilation: 2, groups: classes, bias: false }
    this.fCls = wide
      ? new Sequential(
          new Conv1d(features, classes, 9, { padding: 4, bias: false }),
          new Conv1d(classes, classes, 7, depthwise),
          new ReLU(),
        )
      : new Sequential(new Conv1d(features, classes, 1, { bias: false }), new ReLU())
  }

  forward(x: Tensor): ColaOutput {
    const embedded = this.fEmbed.forward(x.transpose(1, 2))
    const activation = this.fCls.forward(this.dropout.forward(embedded)).transpose(1, 2)
    return { activation, attention: activation.sum({ dim: [2] }), embeddings: embedded.transpose(1, 2) }
  }
}

export class Cola extends Module {
  readonly actionnessModule: ActionnessModule
  /** Thins out the segments that are mined. */
  readonly dropout = new Dropout({ p: 0.6 })

  constructor(readonly options: HostOptions) {
    super()
    this.actionnessModule = new ActionnessModule(options)
  }

  forward(x: Tensor): ColaOutput {
    return this.actionnessModule.forward(x)
  }

  loss(x: Tensor, labels: Tensor): Tensor {
    const { topK, variant } = this.options
    const output = this.forward(x)
    const chance = this.dropout.forward(onesLike(output.attention))
    return colaLoss(output, mineOf(output, chance, variant), labels, topK, variant)
  }
}

/** The segments that CoLA contrasts; `chance` thins out the easy ones. */
export function mineOf({ attention, embeddings }: ColaOutput, chance: Tensor, variant: Variant): MinedSnippets {
  const k = (share: number) => Math.max(1, Math.floor(attention.size(1) / share))
  const { easy, hard } = MINING[variant]
  return mineSnippets(attention, embeddings, chance, { easy: k(easy), hard: k(hard) })
}

/** Binary cross entropy of the videos' scores, and the contrast of their segments. */
export function colaLoss(
  { activation }: ColaOutput,
  snippets: MinedSnippets,
  labels: Tensor,
  ratio: number,
  variant: Variant,
): Tensor {
  const scores = topKMean(activation, ratio).softmax(1)
  const shares = labels.div(labels.sum({ dim: [1], keepdim: true }))
  const entropy = F.binaryCrossEntropy(scores, shares)
  return entropy.add(snippetContrast(snippets).mul(MINING[variant].weight))
}

/** Hard segments are drawn to the easy ones of their kind, away from those of the other. */
export function snippetContrast({ easyAction, easyBackground, hardAction, hardBackground }: MinedSnippets): Tensor {
  const action = contrast(hardAction, easyAction, easyBackground)
  return action.add(contrast(hardBackground, easyBackground, easyAction))
}

function contrast(query: Tensor, positive: Tensor, negatives: Tensor): Tensor {
  const unit = (x: Tensor) => F.normalize(x, { dim: -1 })
  const q = unit(query.mean({ dim: [1] }))
  const alike = q.mul(unit(positive.mean({ dim: [1] }))).sum({ dim: [1], keepdim: true })
  const others = unit(negatives).matmul(q.unsqueeze(2)).squeeze(2)
  const logits = cat([alike, others], { dim: 1 }).div(TEMPERATURE)
  return F.crossEntropy(logits, zeros([q.size(0)], { dtype: 'int64', device: q.device }))
}
