// Region proposal network (Ren, He, Girshick, Sun, NeurIPS 2015).
import { Conv2d, init, Module, ReLU, Sequential } from '../../nn'
import { binaryCrossEntropyWithLogits, smoothL1Loss } from '../../nn/functional'
import { batchedNms } from '../../ops'
import { cat, full, nonzero, type Tensor, where, zeros, zerosLike } from '../../tensor'
import {
  type AnchorGenerator,
  BalancedSampler,
  BETWEEN_MATCH,
  BoxCoder,
  boxIou,
  clipBoxesToImage,
  type ImageSize,
  Matcher,
  removeSmallBoxes,
} from '../../vision'
import { byAnchors } from './predictions'
import { type DetectionTarget, type ImageBatch, sizeOf } from './types'

/** Says of every anchor whether an object is there, and where exactly. */
export class RPNHead extends Module {
  readonly conv: Sequential
  readonly clsLogits: Conv2d
  readonly bboxPred: Conv2d

  constructor(inChannels: number, numAnchors: number) {
    super()
    const conv = new Conv2d(inChannels, inChannels, 3, { padding: 1 })
    this.conv = new Sequential(new Sequential(conv, new ReLU({ inplace: true })))
    this.clsLogits = new Conv2d(inChannels, numAnchors, 1)
    this.bboxPred = new Conv2d(inChannels, numAnchors * 4, 1)
    for (const { weight, bias } of [conv, this.clsLogits, this.bboxPred]) {
      init.normal_(weight, { std: 0.01 })
      if (bias) init.zeros_(bias)
    }
  }

  /** @returns for each map `[N, A, H, W]` logits and `[N, 4 · A, H, W]` codes */
  forward(maps: readonly Tensor[]): { objectness: Tensor[]; codes: Tensor[] } {
    const joined = maps.map((map) => this.conv.forward(map))
    return {
      objectness: joined.map((map) => this.clsLogits.forward(map)),
      codes: joined.map((map) => this.bboxPred.forward(map)),
    }
  }
}

/** A number for training and one for evaluation. */
export interface ByMode {
  readonly training: number
  readonly evaluation: number
}

export interface RPNOptions {
  /** Proposals of a map that suppression begins with; default 2000 and 1000. */
  readonly preNmsTop?: ByMode
  /** Proposals of an image that remain; default 2000 and 1000. */
  readonly postNmsTop?: ByMode
  /** Default 0.7. */
  readonly nmsThreshold?: number
  /** Default 0. */
  readonly scoreThreshold?: number
  /** An anchor is positive from this overlap on; default 0.7. */
  readonly positiveIou?: number
  /** … and negative below this; default 0.3. */
  readonly negativeIou?: number
  /** Anchors of an image in the loss; default 256. */
  readonly perImage?: number
  /** The most of them that are positive; default 0.5. */
  readonly positiveFraction?: number
}

/** Shorter sides than this, in pixels, are no proposals. */
const SMALLEST = 1e-3

export interface Proposals {
  /** For each image `[P, 4]`, by descending score. */
  readonly boxes: Tensor[]
  readonly losses: { readonly lossObjectness: Tensor; readonly lossRpnBoxReg: Tensor } | undefined
}

export class RegionProposalNetwork extends Module {
  readonly #coder = new BoxCoder([1, 1, 1, 1])
  readonly #matcher: Matcher
  readonly #sampler: BalancedSampler
  readonly #options: Required<RPNOptions>

  constructor(
    readonly anchors: AnchorGenerator,
    readonly head: RPNHead,
    options: RPNOptions = {},
  ) {
    super()
    this.#options = {
      preNmsTop: { training: 2000, evaluation: 1000 },
      postNmsTop: { training: 2000, evaluation: 1000 },
      nmsThreshold: 0.7,
      scoreThreshold: 0,
      positiveIou: 0.7,
      negativeIou: 0.3,
      perImage: 256,
      positiveFraction: 0.5,
      ...options,
    }
    const { positiveIou, negativeIou, perImage, positiveFraction } = this.#options
    this.#matcher = new Matcher(positiveIou, negativeIou, true)
    this.#sampler = new BalancedSampler(perImage, positiveFraction)
  }

  /** Proposals of a batch, and in training the losses of what the head says. */
  forward({ tensors, sizes }: ImageBatch, maps: readonly Tensor[], targets?: readonly DetectionTarget[]): Proposals {
    const said = this.head.forward(maps)
    const levels = this.anchors.generate(sizeOf(tensors), maps.map(sizeOf), tensors.device)
    const anchors = cat(levels)
    const objectness = byAnchors(said.objectness, 1).squeeze(2)
    const codes = byAnchors(said.codes, 4)
    // Where proposals lie is not learnt from what becomes of them.
    const perLevel = levels.map((level) => level.size(0))
    const boxes = sizes.map((size, i) => {
      const decoded = this.#coder.decode(codes.at(i).detach(), anchors).squeeze(1)
      return this.#filter(decoded, objectness.at(i).detach(), perLevel, size)
    })
    return { boxes, losses: targets && this.#losses(objectness, codes, anchors, targets) }
  }

  #top({ training, evaluation }: ByMode): number {
    return this.training ? training : evaluation
  }

  #filter(boxes: Tensor, objectness: Tensor, perLevel: readonly number[], size: ImageSize): Tensor {
    const { preNmsTop, postNmsTop, nmsThreshold, scoreThreshold } = this.#options
    let first = 0
    const best = perLevel.map((count) => {
      const [, places] = objectness.narrow(0, first, count).topk(Math.min(count, this.#top(preNmsTop)))
      first += count
      return places.add(first - count)
    })
    const levels = cat(best.map((own, level) => full([own.size(0)], level, { dtype: 'int64', device: boxes.device })))
    const chosen = cat(best)
    const clipped = clipBoxesToImage(boxes.indexSelect(0, chosen), size)
    const scores = objectness.indexSelect(0, chosen).sigmoid()
    const large = removeSmallBoxes(clipped, SMALLEST)
    const left = large.indexSelect(0, nonzero(scores.indexSelect(0, large).ge(scoreThreshold)).squeeze(1))
    const [own, ownScores, ownLevels] = [clipped, scores, levels].map((all) => all.indexSelect(0, left)) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    const kept = batchedNms(own, ownScores, ownLevels, nmsThreshold)
    return own.indexSelect(0, kept.narrow(0, 0, Math.min(kept.size(0), this.#top(postNmsTop))))
  }

  #losses(objectness: Tensor, codes: Tensor, anchors: Tensor, targets: readonly DetectionTarget[]) {
    const wanted = targets.map(({ boxes }) => this.#assign(anchors, boxes))
    const samples = wanted.map(({ labels }) => this.#sampler.sample(labels))
    const positive = nonzero(cat(samples.map((sample) => sample.positive))).squeeze(1)
    const negative = nonzero(cat(samples.map((sample) => sample.negative))).squeeze(1)
    const sampled = cat([positive, negative])
    const truths = cat(wanted.map((each) => each.codes))
    const labels = cat(wanted.map((each) => each.labels))
    const distance = smoothL1Loss(codes.reshape([-1, 4]).indexSelect(0, positive), truths.indexSelect(0, positive), {
      beta: 1 / 9,
      reduction: 'sum',
    })
    return {
      lossObjectness: binaryCrossEntropyWithLogits(
        objectness.flatten().indexSelect(0, sampled),
        labels.indexSelect(0, sampled),
      ),
      lossRpnBoxReg: distance.div(sampled.size(0)),
    }
  }

  /** Of each anchor its label (1, 0, or −1 for none) and the codes of its true box. */
  #assign(anchors: Tensor, boxes: Tensor): { labels: Tensor; codes: Tensor } {
    if (boxes.size(0) === 0) {
      const { device } = anchors
      return { labels: zeros([anchors.size(0)], { device }), codes: zerosLike(anchors) }
    }
    const matches = this.#matcher.match(boxIou(boxes, anchors))
    const labels = where(matches.eq(BETWEEN_MATCH), -1, matches.ge(0).to('float32'))
    return { labels, codes: this.#coder.encode(boxes.indexSelect(0, matches.clamp({ min: 0 })), anchors) }
  }
}
