// What becomes of proposals: classes and boxes (Girshick, ICCV 2015), masks and keypoints (He et al., ICCV 2017).
import { ArgumentError } from '../../native/errors'
import { Linear, Module, type MultiScaleRoIAlign } from '../../nn'
import { crossEntropy, relu, smoothL1Loss } from '../../nn/functional'
import { batchedNms } from '../../ops'
import { arange, cat, nonzero, type Tensor, where, zeros } from '../../tensor'
import {
  BalancedSampler,
  BETWEEN_MATCH,
  BoxCoder,
  type BoxWeights,
  boxIou,
  clipBoxesToImage,
  type ImageSize,
  Matcher,
  NO_MATCH,
  removeSmallBoxes,
} from '../../vision'
import { type KeypointRCNNHeads, type KeypointRCNNPredictor, keypointLoss, keypointsOf } from './keypoint'
import { type MaskRCNNHeads, type MaskRCNNPredictor, maskLoss, maskProbabilities } from './mask'
import type { Detection, DetectionTarget } from './types'

/** Two fully connected layers over a region. */
export class TwoMLPHead extends Module {
  readonly fc6: Linear
  readonly fc7: Linear

  constructor(inFeatures: number, features: number) {
    super()
    this.fc6 = new Linear(inFeatures, features)
    this.fc7 = new Linear(features, features)
  }

  forward(input: Tensor): Tensor {
    return relu(this.fc7.forward(relu(this.fc6.forward(input.flatten({ startDim: 1 })))))
  }
}

/** The class of a region, and its box for each class. */
export class FastRCNNPredictor extends Module {
  readonly clsScore: Linear
  readonly bboxPred: Linear

  constructor(inFeatures: number, numClasses: number) {
    super()
    this.clsScore = new Linear(inFeatures, numClasses)
    this.bboxPred = new Linear(inFeatures, numClasses * 4)
  }

  /** `[K, F]` → logits `[K, numClasses]`, codes `[K, 4 · numClasses]`. */
  forward(input: Tensor): { logits: Tensor; codes: Tensor } {
    return { logits: this.clsScore.forward(input), codes: this.bboxPred.forward(input) }
  }
}

export interface BoxBranch {
  readonly pool: MultiScaleRoIAlign
  readonly head: TwoMLPHead
  readonly predictor: FastRCNNPredictor
}

export interface MaskBranch {
  readonly pool: MultiScaleRoIAlign
  readonly head: MaskRCNNHeads
  readonly predictor: MaskRCNNPredictor
}

export interface KeypointBranch {
  readonly pool: MultiScaleRoIAlign
  readonly head: KeypointRCNNHeads
  readonly predictor: KeypointRCNNPredictor
}

export interface RoIHeadsOptions {
  /** Detections have a higher score than this; default 0.05. */
  readonly scoreThreshold?: number
  /** Default 0.5. */
  readonly nmsThreshold?: number
  /** The most that is found in an image; default 100. */
  readonly detectionsPerImage?: number
  /** A proposal is positive from this overlap on; default 0.5. */
  readonly positiveIou?: number
  /** … and background below this; default 0.5. */
  readonly negativeIou?: number
  /** Proposals of an image in the losses; default 512. */
  readonly perImage?: number
  /** The most of them that are positive; default 0.25. */
  readonly positiveFraction?: number
  /** Default (10, 10, 5, 5). */
  readonly boxWeights?: BoxWeights
}

/** Shorter sides than this, in pixels, are no detections. */
const SMALLEST = 1e-2

interface Samples {
  readonly proposals: Tensor[]
  readonly matches: Tensor[]
  readonly labels: Tensor[]
  readonly codes: Tensor
}

export class RoIHeads extends Module {
  readonly boxRoiPool: MultiScaleRoIAlign
  readonly boxHead: TwoMLPHead
  readonly boxPredictor: FastRCNNPredictor
  readonly maskRoiPool: MultiScaleRoIAlign | null
  readonly maskHead: MaskRCNNHeads | null
  readonly maskPredictor: MaskRCNNPredictor | null
  readonly keypointRoiPool: MultiScaleRoIAlign | null
  readonly keypointHead: KeypointRCNNHeads | null
  readonly keypointPredictor: KeypointRCNNPredictor | null
  readonly #matcher: Matcher
  readonly #sampler: BalancedSampler
  readonly #coder: BoxCoder
  readonly #options: Required<RoIHeadsOptions>

  constructor(
    { box, mask, keypoint }: { box: BoxBranch; mask?: MaskBranch | undefined; keypoint?: KeypointBranch | undefined },
    options: RoIHeadsOptions = {},
  ) {
    super()
    this.boxRoiPool = box.pool
    this.boxHead = box.head
    this.boxPredictor = box.predictor
    this.maskRoiPool = mask?.pool ?? null
    this.maskHead = mask?.head ?? null
    this.maskPredictor = mask?.predictor ?? null
    this.keypointRoiPool = keypoint?.pool ?? null
    this.keypointHead = keypoint?.head ?? null
    this.keypointPredictor = keypoint?.predictor ?? null
    this.#options = {
      scoreThreshold: 0.05,
      nmsThreshold: 0.5,
      detectionsPerImage: 100,
      positiveIou: 0.5,
      negativeIou: 0.5,
      perImage: 512,
      positiveFraction: 0.25,
      boxWeights: [10, 10, 5, 5],
      ...options,
    }
    const { positiveIou, negativeIou, perImage, positiveFraction, boxWeights } = this.#options
    this.#matcher = new Matcher(positiveIou, negativeIou)
    this.#sampler = new BalancedSampler(perImage, positiveFraction)
    this.#coder = new BoxCoder(boxWeights)
  }

  /** Logits and codes of proposals. */
  boxes(maps: readonly Tensor[], proposals: readonly Tensor[], sizes: readonly ImageSize[]) {
    return this.boxPredictor.forward(this.boxHead.forward(this.boxRoiPool.forward(maps, proposals, sizes)))
  }

  /** Logits `[K, numClasses, S, S]` of the masks of boxes, undefined for a network without. */
  masks(maps: readonly Tensor[], boxes: readonly Tensor[], sizes: readonly ImageSize[]): Tensor | undefined {
    const { maskRoiPool: pool, maskHead, maskPredictor } = this
    if (!pool || !maskHead || !maskPredictor) return undefined
    return maskPredictor.forward(maskHead.forward(pool.forward(maps, boxes, sizes)))
  }

  /** Heat maps `[K, keypoints, S, S]` of boxes, undefined for a network without. */
  heatMaps(maps: readonly Tensor[], boxes: readonly Tensor[], sizes: readonly ImageSize[]): Tensor | undefined {
    const { keypointRoiPool: pool, keypointHead, keypointPredictor } = this
    if (!pool || !keypointHead || !keypointPredictor) return undefined
    return keypointPredictor.forward(keypointHead.forward(pool.forward(maps, boxes, sizes)))
  }

  /** What is in the images, in pixels of the batch. */
  detect(maps: readonly Tensor[], proposals: readonly Tensor[], sizes: readonly ImageSize[]): Detection[] {
    const { logits, codes } = this.boxes(maps, proposals, sizes)
    const counts = proposals.map((own) => own.size(0))
    const decoded = this.#coder.decode(codes, cat(proposals)).split(counts)
    const scores = logits.softmax(-1).split(counts)
    const found: Detection[] = sizes.map((size, i) => this.#filter(decoded[i] as Tensor, scores[i] as Tensor, size))
    const boxes = found.map((each) => each.boxes)
    const labels = found.map((each) => each.labels)
    const masks = this.masks(maps, boxes, sizes)
    const probabilities = masks && maskProbabilities(masks, labels)
    const heat = this.heatMaps(maps, boxes, sizes)?.split(boxes.map((own) => own.size(0)))
    return found.map((each, i) => ({
      ...each,
      ...(probabilities && { masks: probabilities[i] as Tensor }),
      ...(heat && keypointsOf(heat[i] as Tensor, each.boxes)),
    }))
  }

  /** Every class of every proposal is a detection of its own. */
  #filter(decoded: Tensor, scores: Tensor, size: ImageSize): Detection {
    const { scoreThreshold, nmsThreshold, detectionsPerImage } = this.#options
    const classes = scores.size(1) - 1
    const boxes = clipBoxesToImage(decoded, size).narrow(1, 1, classes).reshape([-1, 4])
    const flat = scores.narrow(1, 1, classes).reshape([-1])
    const labels = arange(1, classes + 1, { dtype: 'int64', device: scores.device })
      .expand([scores.size(0), classes])
      .reshape([-1])
    const sure = nonzero(flat.gt(scoreThreshold)).squeeze(1)
    const left = sure.indexSelect(0, removeSmallBoxes(boxes.indexSelect(0, sure), SMALLEST))
    const kept = batchedNms(
      boxes.indexSelect(0, left),
      flat.indexSelect(0, left),
      labels.indexSelect(0, left),
      nmsThreshold,
    )
    const best = left.indexSelect(0, kept.narrow(0, 0, Math.min(kept.size(0), detectionsPerImage)))
    return { boxes: boxes.indexSelect(0, best), labels: labels.indexSelect(0, best), scores: flat.indexSelect(0, best) }
  }

  losses(
    maps: readonly Tensor[],
    proposals: readonly Tensor[],
    sizes: readonly ImageSize[],
    targets: readonly DetectionTarget[],
  ): Readonly<Record<string, Tensor>> {
    this.#checkTargets(targets)
    const samples = this.#sample(proposals, targets)
    const { logits, codes } = this.boxes(maps, samples.proposals, sizes)
    const labels = cat(samples.labels)
    const positive = nonzero(labels.gt(0)).squeeze(1)
    const own = codes.reshape([codes.size(0), -1, 4]).at(positive, labels.indexSelect(0, positive))
    const distance = smoothL1Loss(own, samples.codes.indexSelect(0, positive), { beta: 1 / 9, reduction: 'sum' })
    return {
      lossClassifier: crossEntropy(logits, labels),
      lossBoxReg: distance.div(labels.size(0)),
      ...this.#branchLosses(maps, samples, sizes, targets),
    }
  }

  /** Of masks and keypoints, for the positive proposals. */
  #branchLosses(
    maps: readonly Tensor[],
    { proposals, matches, labels }: Samples,
    sizes: readonly ImageSize[],
    targets: readonly DetectionTarget[],
  ): Readonly<Record<string, Tensor>> {
    if (!this.maskHead && !this.keypointHead) return {}
    const positive = labels.map((own) => nonzero(own.gt(0)).squeeze(1))
    const boxes = proposals.map((own, i) => own.indexSelect(0, positive[i] as Tensor))
    const truths = matches.map((own, i) => own.indexSelect(0, positive[i] as Tensor))
    const masks = this.masks(maps, boxes, sizes)
    const heat = this.heatMaps(maps, boxes, sizes)
    return {
      ...(masks && { lossMask: maskLoss(masks, boxes, targets, truths) }),
      ...(heat && { lossKeypoint: keypointLoss(heat, boxes, targets, truths) }),
    }
  }

  #checkTargets(targets: readonly DetectionTarget[]): void {
    for (const [i, { masks, keypoints, boxes }] of targets.entries()) {
      const missing = this.maskHead && !masks ? 'masks' : this.keypointHead && !keypoints ? 'keypoints' : undefined
      if (missing) throw new ArgumentError(`RoIHeads: target ${i} has no ${missing}; this network learns them`)
      const counts = [masks?.size(0), keypoints?.size(0)].filter((count) => count !== undefined)
      if (counts.some((count) => count !== boxes.size(0))) {
        throw new ArgumentError(`RoIHeads: target ${i} has ${boxes.size(0)} boxes, but masks or keypoints of ${counts}`)
      }
    }
  }

  #sample(proposals: readonly Tensor[], targets: readonly DetectionTarget[]): Samples {
    const wanted = targets.map(({ boxes, labels }, i) => {
      const own = proposals[i] as Tensor
      // True boxes are proposals too: early on no other one fits.
      const all = cat([own, boxes.to(own.dtype)])
      return { all, ...this.#assign(all, boxes.to(own.dtype), labels) }
    })
    const samples = wanted.map((each) => {
      const { positive, negative } = this.#sampler.sample(each.labels)
      const places = nonzero(positive.logicalOr(negative)).squeeze(1)
      return {
        proposals: each.all.indexSelect(0, places),
        matches: each.matches.indexSelect(0, places),
        labels: each.labels.indexSelect(0, places),
      }
    })
    const codes = samples.map(({ proposals: own, matches }, i) => {
      const { boxes } = targets[i] as DetectionTarget
      if (boxes.size(0) === 0) return zeros([...own.shape], { dtype: own.dtype, device: own.device })
      return this.#coder.encode(boxes.to(own.dtype).indexSelect(0, matches), own)
    })
    return {
      proposals: samples.map((each) => each.proposals),
      matches: samples.map((each) => each.matches),
      labels: samples.map((each) => each.labels),
      codes: cat(codes),
    }
  }

  /** Of each proposal its true box (the first for background) and label: 0 for background, −1 for none. */
  #assign(proposals: Tensor, boxes: Tensor, labels: Tensor): { matches: Tensor; labels: Tensor } {
    if (boxes.size(0) === 0) {
      const made = { dtype: 'int64', device: proposals.device } as const
      return { matches: zeros([proposals.size(0)], made), labels: zeros([proposals.size(0)], made) }
    }
    const found = this.#matcher.match(boxIou(boxes, proposals))
    const matches = found.clamp({ min: 0 })
    const own = where(found.eq(NO_MATCH), 0, labels.indexSelect(0, matches))
    return { matches, labels: where(found.eq(BETWEEN_MATCH), -1, own) }
  }
}
