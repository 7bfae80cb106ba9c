// RetinaNet with torchvision's names.
import { Conv2d, init, Module, Sequential } from '../../nn'
import { l1Loss, sigmoidFocalLoss } from '../../nn/functional'
import { cat, nonzero, type Tensor, zerosLike } from '../../tensor'
import { AnchorGenerator, BETWEEN_MATCH, BoxCoder, boxIou, Matcher } from '../../vision'
import { ConvNorm } from '../conv-norm'
import { LastLevelP6P7, type PyramidBackbone, resnetFpn } from '../fpn'
import type { NetworkEntry } from '../network'
import { type DenseOptions, detectOnLevels, PRIOR_BIAS } from './dense'
import { Detector } from './detector'
import { DETECTION_INPUT } from './input'
import { byAnchors } from './predictions'
import { type PublishedOptions, splitOptions } from './rcnn'
import { DetectionTransform, type DetectionTransformOptions } from './transform'
import { type Detection, type DetectionLosses, type DetectionTarget, type ImageBatch, sizeOf } from './types'

/** Four convolutions, and one that says something of every anchor. */
function tower(channels: number): Sequential {
  const convs = [1, 2, 3, 4].map(() => new ConvNorm(channels, channels, { norm: null }))
  return new Sequential(...convs)
}

function resetNormal(module: Module): void {
  for (const layer of module.modules()) {
    if (!(layer instanceof Conv2d)) continue
    init.normal_(layer.weight, { std: 0.01 })
    if (layer.bias) init.zeros_(layer.bias)
  }
}

export class RetinaNetClassificationHead extends Module {
  readonly conv: Sequential
  readonly clsLogits: Conv2d

  constructor(
    channels: number,
    anchors: number,
    readonly numClasses: number,
  ) {
    super()
    this.conv = tower(channels)
    this.clsLogits = new Conv2d(channels, anchors * numClasses, 3, { padding: 1 })
    resetNormal(this)
    if (this.clsLogits.bias) init.constant_(this.clsLogits.bias, PRIOR_BIAS)
  }

  /** Logits `[N, anchors of all maps, numClasses]`. */
  forward(maps: readonly Tensor[]): Tensor {
    return byAnchors(
      maps.map((map) => this.clsLogits.forward(this.conv.forward(map))),
      this.numClasses,
    )
  }
}

export class RetinaNetRegressionHead extends Module {
  readonly conv: Sequential
  readonly bboxReg: Conv2d

  constructor(channels: number, anchors: number) {
    super()
    this.conv = tower(channels)
    this.bboxReg = new Conv2d(channels, anchors * 4, 3, { padding: 1 })
    resetNormal(this)
  }

  /** Codes `[N, anchors of all maps, 4]`. */
  forward(maps: readonly Tensor[]): Tensor {
    return byAnchors(
      maps.map((map) => this.bboxReg.forward(this.conv.forward(map))),
      4,
    )
  }
}

export class RetinaNetHead extends Module {
  readonly classificationHead: RetinaNetClassificationHead
  readonly regressionHead: RetinaNetRegressionHead

  constructor(channels: number, anchors: number, numClasses: number) {
    super()
    this.classificationHead = new RetinaNetClassificationHead(channels, anchors, numClasses)
    this.regressionHead = new RetinaNetRegressionHead(channels, anchors)
  }

  forward(maps: readonly Tensor[]): { logits: Tensor; codes: Tensor } {
    return { logits: this.classificationHead.forward(maps), codes: this.regressionHead.forward(maps) }
  }
}

export interface RetinaNetOptions extends DenseOptions {
  /** Default 91, COCO's. */
  readonly numClasses?: number
  readonly transform?: DetectionTransformOptions
  readonly anchors?: AnchorGenerator
  /** An anchor is positive from this overlap on; default 0.5. */
  readonly positiveIou?: number
  /** … and negative below this; default 0.4. */
  readonly negativeIou?: number
}

/**
 * RetinaNet (Lin, Goyal, Girshick, He, Dollár, ICCV 2017): classes and boxes for every place of a pyramid, learnt by the
 * focal loss. In training the losses `classification` and `bboxRegression`.
 */
export class RetinaNet extends Detector {
  readonly head: RetinaNetHead
  readonly anchors: AnchorGenerator
  readonly #coder = new BoxCoder([1, 1, 1, 1])
  readonly #matcher: Matcher
  readonly #found: Required<DenseOptions>

  constructor(
    readonly backbone: PyramidBackbone,
    options: RetinaNetOptions = {},
  ) {
    const { numClasses = 91, transform, anchors = octaveAnchors(), positiveIou = 0.5, negativeIou = 0.4 } = options
    const { scoreThreshold = 0.05, nmsThreshold = 0.5, detectionsPerImage = 300, topk = 1000 } = options
    super(new DetectionTransform(transform), numClasses)
    this.head = new RetinaNetHead(backbone.outChannels, anchors.numAnchorsPerLocation[0] ?? 0, numClasses)
    this.anchors = anchors
    this.#matcher = new Matcher(positiveIou, negativeIou, true)
    this.#found = { scoreThreshold, nmsThreshold, detectionsPerImage, topk }
  }

  protected override lossesOf({ tensors }: ImageBatch, targets: readonly DetectionTarget[]): DetectionLosses {
    const maps = this.backbone.forward(tensors)
    const { logits, codes } = this.head.forward(maps)
    const anchors = cat(this.anchors.generate(sizeOf(tensors), maps.map(sizeOf), tensors.device))
    const losses = targets.map((target, i) => this.#lossesOfOne(target, logits.at(i), codes.at(i), anchors))
    const mean = (values: readonly Tensor[]) => values.reduce((sum, each) => sum.add(each)).div(targets.length)
    return {
      classification: mean(losses.map((each) => each.classification)),
      bboxRegression: mean(losses.map((each) => each.distance)),
    }
  }

  #lossesOfOne({ boxes, labels }: DetectionTarget, logits: Tensor, codes: Tensor, anchors: Tensor) {
    const matches = this.#matcher.match(boxIou(boxes, anchors))
    const positive = nonzero(matches.ge(0)).squeeze(1)
    const own = matches.indexSelect(0, positive)
    const count = Math.max(1, positive.size(0))
    const wanted = zerosLike(logits).setAt([positive, labels.indexSelect(0, own)], 1)
    const valid = nonzero(matches.ne(BETWEEN_MATCH)).squeeze(1)
    const focal = sigmoidFocalLoss(logits.indexSelect(0, valid), wanted.indexSelect(0, valid), { reduction: 'sum' })
    const truths = this.#coder.encode(boxes.indexSelect(0, own), anchors.indexSelect(0, positive))
    const distance = l1Loss(codes.indexSelect(0, positive), truths, { reduction: 'sum' })
    return { classification: focal.div(count), distance: distance.div(count) }
  }

  protected override detectionsOf({ tensors, sizes }: ImageBatch): Detection[] {
    const maps = this.backbone.forward(tensors)
    const { logits, codes } = this.head.forward(maps)
    const anchors = this.anchors.generate(sizeOf(tensors), maps.map(sizeOf), tensors.device)
    const counts = anchors.map((level) => level.size(0))
    return sizes.map((size, i) => {
      const ownCodes = codes.at(i).split(counts)
      const levels = logits
        .at(i)
        .split(counts)
        .map((own, level) => ({
          scores: own.sigmoid(),
          boxesAt: (places: Tensor) => {
            const from = (anchors[level] as Tensor).indexSelect(0, places)
            return this.#coder.decode((ownCodes[level] as Tensor).indexSelect(0, places), from).squeeze(1)
          },
        }))
      return detectOnLevels(levels, size, this.#found)
    })
  }
}

/** Three sizes an octave, as whole numbers. */
function octaveAnchors(): AnchorGenerator {
  const sizes = [32, 64, 128, 256, 512].map((size) => [0, 1, 2].map((third) => Math.trunc(size * 2 ** (third / 3))))
  return new AnchorGenerator(
    sizes,
    sizes.map(() => [0.5, 1, 2]),
  )
}

export function retinanetResnet50Fpn(options: RetinaNetOptions & PublishedOptions = {}): RetinaNet {
  const [backbone, own] = splitOptions(options)
  const pyramid = { ...backbone, returnedLayers: [2, 3, 4], extra: new LastLevelP6P7(256, 256) }
  return new RetinaNet(resnetFpn('resnet50', pyramid), own)
}

export const RETINANETS = {
  retinanet_resnet50_fpn: { create: retinanetResnet50Fpn, task: 'object-detection', input: DETECTION_INPUT },
} as const satisfies Readonly<Record<string, NetworkEntry<RetinaNetOptions & PublishedOptions>>>
