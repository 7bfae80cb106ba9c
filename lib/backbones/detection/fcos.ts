// FCOS with torchvision's names.
import { Conv2d, GroupNorm, init, type Layer, Module, ReLU, Sequential } from '../../nn'
import { binaryCrossEntropyWithLogits, relu, sigmoidFocalLoss } from '../../nn/functional'
import { cat, nonzero, stack, type Tensor, zerosLike } from '../../tensor'
import { AnchorGenerator, BoxLinearCoder, fcosAssign, generalizedBoxIouLoss } from '../../vision'
import { LastLevelP6P7, type PyramidBackbone, resnetFpn } from '../fpn'
import type { NetworkEntry } from '../network'
import { type DenseOptions, detectOnLevels, PRIOR_BIAS } from './dense'
import { Detector } from './detector'
import { DETECTION_INPUT } from './input'
import { byAnchors } from './predictions'
import { type PublishedOptions, splitOptions } from './rcnn'
import { DetectionTransform, type DetectionTransformOptions } from './transform'
import { type Detection, type DetectionLosses, type DetectionTarget, type ImageBatch, sizeOf } from './types'

/** Four convolutions with group norm. */
function tower(channels: number): Sequential {
  const layers = [1, 2, 3, 4].flatMap((): Layer[] => [
    predictor(channels, channels),
    new GroupNorm(32, channels),
    new ReLU(),
  ])
  return new Sequential(...layers)
}

function predictor(channels: number, out: number, bias = 0): Conv2d {
  const conv = new Conv2d(channels, out, 3, { padding: 1 })
  init.normal_(conv.weight, { std: 0.01 })
  if (conv.bias) init.constant_(conv.bias, bias)
  return conv
}

export class FCOSClassificationHead extends Module {
  readonly conv: Sequential
  readonly clsLogits: Conv2d

  constructor(
    channels: number,
    readonly numClasses: number,
  ) {
    super()
    this.conv = tower(channels)
    this.clsLogits = predictor(channels, numClasses, PRIOR_BIAS)
  }

  forward(maps: readonly Tensor[]): Tensor {
    return byAnchors(
      maps.map((map) => this.clsLogits.forward(this.conv.forward(map))),
      this.numClasses,
    )
  }
}

export class FCOSRegressionHead extends Module {
  readonly conv: Sequential
  readonly bboxReg: Conv2d
  readonly bboxCtrness: Conv2d

  constructor(channels: number) {
    super()
    this.conv = tower(channels)
    this.bboxReg = predictor(channels, 4)
    this.bboxCtrness = predictor(channels, 1)
  }

  forward(maps: readonly Tensor[]): { distances: Tensor; centreness: Tensor } {
    const joined = maps.map((map) => this.conv.forward(map))
    return {
      distances: byAnchors(
        joined.map((map) => relu(this.bboxReg.forward(map))),
        4,
      ),
      centreness: byAnchors(
        joined.map((map) => this.bboxCtrness.forward(map)),
        1,
      ),
    }
  }
}

export class FCOSHead extends Module {
  readonly classificationHead: FCOSClassificationHead
  readonly regressionHead: FCOSRegressionHead

  constructor(channels: number, numClasses: number) {
    super()
    this.classificationHead = new FCOSClassificationHead(channels, numClasses)
    this.regressionHead = new FCOSRegressionHead(channels)
  }

  /** For all places of all maps: logits `[N, P, numClasses]`, distances of the sides in strides `[N, P, 4]`, centre-ness `[N, P, 1]`. */
  forward(maps: readonly Tensor[]): { logits: Tensor; distances: Tensor; centreness: Tensor } {
    return { logits: this.classificationHead.forward(maps), ...this.regressionHead.forward(maps) }
  }
}

export interface FCOSOptions extends DenseOptions {
  /** Default 91, COCO's. */
  readonly numClasses?: number
  readonly transform?: DetectionTransformOptions
  /** How many strides from a box's centre places belong to it; default 1.5. */
  readonly centreRadius?: number
}

/**
 * FCOS (Tian, Shen, Chen, He, ICCV 2019): no anchors, every place says how far the sides of its box are and how near its
 * centre it is. In training the losses `classification`, `bboxRegression` and `bboxCtrness`.
 */
export class FCOS extends Detector {
  readonly head: FCOSHead
  /** Squares of one stride around every place. */
  readonly anchors: AnchorGenerator
  readonly #coder = new BoxLinearCoder(true)
  readonly #radius: number
  readonly #found: Required<DenseOptions>

  constructor(
    readonly backbone: PyramidBackbone,
    options: FCOSOptions = {},
  ) {
    const { numClasses = 91, transform, centreRadius = 1.5 } = options
    const { scoreThreshold = 0.2, nmsThreshold = 0.6, detectionsPerImage = 100, topk = 1000 } = options
    super(new DetectionTransform(transform), numClasses)
    this.head = new FCOSHead(backbone.outChannels, numClasses)
    const strides = [8, 16, 32, 64, 128]
    this.anchors = new AnchorGenerator(
      strides.map((stride) => [stride]),
      strides.map(() => [1]),
    )
    this.#radius = centreRadius
    this.#found = { scoreThreshold, nmsThreshold, detectionsPerImage, topk }
  }

  protected override lossesOf({ tensors }: ImageBatch, targets: readonly DetectionTarget[]): DetectionLosses {
    const maps = this.backbone.forward(tensors)
    const { logits, distances, centreness } = this.head.forward(maps)
    const levels = this.anchors.generate(sizeOf(tensors), maps.map(sizeOf), tensors.device)
    const perMap = levels.map((level) => level.size(0))
    const anchors = cat(levels)
    const wanted = zerosLike(logits)
    const parts = targets.map(({ boxes, labels }, i) => {
      const matches = fcosAssign(anchors, perMap, boxes, this.#radius)
      const positive = nonzero(matches.ge(0)).squeeze(1)
      const own = matches.indexSelect(0, positive)
      wanted.setAt([i, positive, labels.indexSelect(0, own)], 1)
      const from = anchors.indexSelect(0, positive)
      return {
        found: this.#coder.decode(distances.at(i).indexSelect(0, positive), from),
        truths: boxes.indexSelect(0, own),
        centreness: centreness.at(i).indexSelect(0, positive).squeeze(1),
        from,
      }
    })
    const truths = cat(parts.map((part) => part.truths))
    const count = Math.max(1, truths.size(0))
    const sides = this.#coder.encode(truths, cat(parts.map((part) => part.from)))
    const overlap = generalizedBoxIouLoss(cat(parts.map((part) => part.found)), truths, { reduction: 'sum' })
    const centred = binaryCrossEntropyWithLogits(cat(parts.map((part) => part.centreness)), centrenessOf(sides), {
      reduction: 'sum',
    })
    return {
      classification: sigmoidFocalLoss(logits, wanted, { reduction: 'sum' }).div(count),
      bboxRegression: overlap.div(count),
      bboxCtrness: centred.div(count),
    }
  }

  protected override detectionsOf({ tensors, sizes }: ImageBatch): Detection[] {
    const maps = this.backbone.forward(tensors)
    const { logits, distances, centreness } = this.head.forward(maps)
    const anchors = this.anchors.generate(sizeOf(tensors), maps.map(sizeOf), tensors.device)
    const counts = anchors.map((level) => level.size(0))
    return sizes.map((size, i) => {
      const scores = logits.at(i).sigmoid().mul(centreness.at(i).sigmoid()).sqrt().split(counts)
      const own = distances.at(i).split(counts)
      const levels = scores.map((each, level) => ({
        scores: each,
        boxesAt: (places: Tensor) =>
          this.#coder.decode(
            (own[level] as Tensor).indexSelect(0, places),
            (anchors[level] as Tensor).indexSelect(0, places),
          ),
      }))
      return detectOnLevels(levels, size, this.#found)
    })
  }
}

/** The paper's eq. 3, of distances `[P, 4]` to left, top, right and bottom. */
function centrenessOf(distances: Tensor): Tensor {
  const [left, top, right, bottom] = distances.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor, Tensor]
  const across = stack([left, right])
  const down = stack([top, bottom])
  const share = (pair: Tensor): Tensor => pair.amin({ dim: 0 }).div(pair.amax({ dim: 0 }))
  return share(across).mul(share(down)).sqrt()
}

export function fcosResnet50Fpn(options: FCOSOptions & PublishedOptions = {}): FCOS {
  const [backbone, own] = splitOptions(options)
  const pyramid = { ...backbone, returnedLayers: [2, 3, 4], extra: new LastLevelP6P7(256, 256) }
  return new FCOS(resnetFpn('resnet50', pyramid), own)
}

export const FCOSES = {
  fcos_resnet50_fpn: { create: fcosResnet50Fpn, task: 'object-detection', input: DETECTION_INPUT },
} as const satisfies Readonly<Record<string, NetworkEntry<FCOSOptions & PublishedOptions>>>
