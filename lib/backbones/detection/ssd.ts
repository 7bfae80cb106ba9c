// SSD with torchvision's names.
import {
  Conv2d,
  init,
  type Layer,
  MaxPool2d,
  Module,
  ModuleList,
  type Parameter,
  parameter,
  ReLU,
  Sequential,
} from '../../nn'
import { crossEntropy, normalize, smoothL1Loss } from '../../nn/functional'
import { arange, full, nonzero, stack, type Tensor, zeros } from '../../tensor'
import { BoxCoder, boxIou, clipBoxesToImage, DefaultBoxGenerator, type ImageSize, SSDMatcher } from '../../vision'
import type { NetworkEntry } from '../network'
import { type DenseOptions, suppressed } from './dense'
import { Detector } from './detector'
import { DETECTION_INPUT } from './input'
import { byAnchors } from './predictions'
import { DetectionTransform, type DetectionTransformOptions } from './transform'
import { type Detection, type DetectionLosses, type DetectionTarget, type ImageBatch, sizeOf } from './types'

/** A layer for each map, of which each says `columns` numbers of each default box. */
export class SSDScoringHead extends Module {
  readonly moduleList: ModuleList<Layer>

  constructor(
    layers: readonly Layer[],
    readonly columns: number,
  ) {
    super()
    this.moduleList = new ModuleList(layers)
  }

  forward(maps: readonly Tensor[]): Tensor {
    return byAnchors(
      maps.map((map, i) => this.moduleList.at(i).forward(map)),
      this.columns,
    )
  }
}

export class SSDHead extends Module {
  readonly classificationHead: SSDScoringHead
  readonly regressionHead: SSDScoringHead

  /** @param layer makes what predicts so many numbers from so many channels */
  constructor(
    channels: readonly number[],
    anchors: readonly number[],
    numClasses: number,
    layer: (from: number, to: number) => Layer = xavierConv,
  ) {
    super()
    const layers = (columns: number) => channels.map((from, i) => layer(from, columns * (anchors[i] ?? 0)))
    this.classificationHead = new SSDScoringHead(layers(numClasses), numClasses)
    this.regressionHead = new SSDScoringHead(layers(4), 4)
  }

  /** For all default boxes: codes `[N, A, 4]`, logits `[N, A, numClasses]`. */
  forward(maps: readonly Tensor[]): { codes: Tensor; logits: Tensor } {
    return { codes: this.regressionHead.forward(maps), logits: this.classificationHead.forward(maps) }
  }
}

function xavierConv(from: number, to: number): Conv2d {
  return reset(new Conv2d(from, to, 3, { padding: 1 }))
}

function reset(conv: Conv2d): Conv2d {
  init.xavierUniform_(conv.weight)
  if (conv.bias) init.zeros_(conv.bias)
  return conv
}

/** VGG-16 up to its fifth stage, fully connected layers as convolutions with holes, and smaller maps (the paper's Fig. 2). */
export class SSDFeatureExtractorVGG extends Module {
  readonly scaleWeight: Parameter
  readonly features: Sequential
  readonly extra: ModuleList<Sequential>
  readonly channels = [512, 1024, 512, 256, 256, 256]

  constructor() {
    super()
    this.scaleWeight = parameter(full([512], 20, { dtype: 'float32' }))
    this.features = new Sequential(
      ...vggStage(3, 64, 2),
      new MaxPool2d(2),
      ...vggStage(64, 128, 2),
      new MaxPool2d(2),
      ...vggStage(128, 256, 3),
      // So that the map is 38 × 38, as in the paper, and not 37.
      new MaxPool2d(2, { ceilMode: true }),
      ...vggStage(256, 512, 3),
    )
    const conv = (from: number, to: number, kernel: number, options = {}) => [
      reset(new Conv2d(from, to, kernel, options)),
      new ReLU({ inplace: true }),
    ]
    const fc = new Sequential(
      new MaxPool2d(3, { stride: 1, padding: 1 }),
      ...conv(512, 1024, 3, { padding: 6, dilation: 6 }),
      ...conv(1024, 1024, 1),
    )
    const half = { stride: 2, padding: 1 }
    this.extra = new ModuleList([
      new Sequential(new MaxPool2d(2), ...vggStage(512, 512, 3), fc),
      new Sequential(...conv(1024, 256, 1), ...conv(256, 512, 3, half)),
      new Sequential(...conv(512, 128, 1), ...conv(128, 256, 3, half)),
      new Sequential(...conv(256, 128, 1), ...conv(128, 256, 3)),
      new Sequential(...conv(256, 128, 1), ...conv(128, 256, 3)),
    ])
  }

  forward(input: Tensor): Tensor[] {
    let x = this.features.forward(input)
    const maps = [normalize(x).mul(this.scaleWeight.reshape([1, -1, 1, 1]))]
    for (const block of this.extra) {
      x = block.forward(x)
      maps.push(x)
    }
    return maps
  }
}

function vggStage(from: number, to: number, count: number): Layer[] {
  return Array.from({ length: count }, (_, i) => {
    const conv = new Conv2d(i === 0 ? from : to, to, 3, { padding: 1 })
    init.kaimingNormal_(conv.weight, { mode: 'fanOut', nonlinearity: 'relu' })
    if (conv.bias) init.zeros_(conv.bias)
    return [conv, new ReLU({ inplace: true })]
  }).flat()
}

/** What gives SSD its maps. */
export interface SSDBackbone extends Module {
  /** Of each map. */
  readonly channels: readonly number[]
  forward(input: Tensor): Tensor[]
}

export interface SSDOptions extends DenseOptions {
  /** With the background; default 91, COCO's. */
  readonly numClasses?: number
  readonly transform?: DetectionTransformOptions
  /** A default box is positive from this overlap on; default 0.5. */
  readonly positiveIou?: number
  /** Background boxes in the loss for each positive one; default 3. */
  readonly negatives?: number
}

/** What of SSD differs between its two published forms. */
export interface SSDParts {
  readonly size: ImageSize
  readonly anchors: DefaultBoxGenerator
  readonly head?: (channels: readonly number[], anchors: readonly number[], numClasses: number) => SSDHead
}

/**
 * SSD (Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg, ECCV 2016): images of one size, classes and boxes for default boxes
 * on maps of several sizes. In training the losses `bboxRegression` and `classification`.
 */
export class SSD extends Detector {
  readonly head: SSDHead
  readonly anchors: DefaultBoxGenerator
  readonly #coder = new BoxCoder([10, 10, 5, 5])
  readonly #matcher: SSDMatcher
  readonly #negatives: number
  readonly #found: Required<DenseOptions>

  constructor(
    readonly backbone: SSDBackbone,
    { size, anchors, head = (...args) => new SSDHead(...args) }: SSDParts,
    options: SSDOptions = {},
  ) {
    const { numClasses = 91, transform, positiveIou = 0.5, negatives = 3 } = options
    const { scoreThreshold = 0.01, nmsThreshold = 0.45, detectionsPerImage = 200, topk = 400 } = options
    super(new DetectionTransform({ fixedSize: size, sizeDivisible: 1, ...transform }), numClasses)
    this.head = head(backbone.channels, anchors.numAnchorsPerLocation, numClasses)
    this.anchors = anchors
    this.#matcher = new SSDMatcher(positiveIou)
    this.#negatives = negatives
    this.#found = { scoreThreshold, nmsThreshold, detectionsPerImage, topk }
  }

  protected override lossesOf({ tensors }: ImageBatch, targets: readonly DetectionTarget[]): DetectionLosses {
    const maps = this.backbone.forward(tensors)
    const { codes, logits } = this.head.forward(maps)
    const anchors = this.anchors.generate(sizeOf(tensors), maps.map(sizeOf), tensors.device)
    const parts = targets.map(({ boxes, labels }, i) => {
      const matches = this.#matcher.match(boxIou(boxes, anchors))
      const positive = nonzero(matches.ge(0)).squeeze(1)
      const own = matches.indexSelect(0, positive)
      const truths = this.#coder.encode(boxes.indexSelect(0, own), anchors.indexSelect(0, positive))
      const wanted = zeros([anchors.size(0)], { dtype: 'int64', device: anchors.device })
      return {
        count: positive.size(0),
        distance: smoothL1Loss(codes.at(i).indexSelect(0, positive), truths, { reduction: 'sum' }),
        wanted: wanted.setAt([positive], labels.indexSelect(0, own)),
      }
    })
    const count = Math.max(
      1,
      parts.reduce((sum, part) => sum + part.count, 0),
    )
    const wanted = stack(parts.map((part) => part.wanted))
    const entropy = crossEntropy(logits.reshape([-1, logits.size(2)]), wanted.flatten(), { reduction: 'none' })
    return {
      bboxRegression: stack(parts.map((part) => part.distance))
        .sum()
        .div(count),
      classification: this.#hardest(entropy.reshape(wanted.shape), wanted.gt(0)).div(count),
    }
  }

  /** The loss of positive boxes and of the background boxes with the largest. */
  #hardest(entropy: Tensor, positive: Tensor): Tensor {
    const allowed = positive.sum({ dim: [1], keepdim: true }).mul(this.#negatives)
    const order = entropy.detach().maskedFill(positive, Number.NEGATIVE_INFINITY).argsort({ dim: 1, descending: true })
    const background = order.argsort({ dim: 1 }).lt(allowed)
    return entropy.mul(positive).sum().add(entropy.mul(background).sum())
  }

  protected override detectionsOf({ tensors, sizes }: ImageBatch): Detection[] {
    const maps = this.backbone.forward(tensors)
    const { codes, logits } = this.head.forward(maps)
    const anchors = this.anchors.generate(sizeOf(tensors), maps.map(sizeOf), tensors.device)
    const scores = logits.softmax(-1)
    return sizes.map((size, i) => {
      const boxes = clipBoxesToImage(this.#coder.decode(codes.at(i), anchors).squeeze(1), size)
      return this.#detect(boxes, scores.at(i))
    })
  }

  /** The best of each class but the background. */
  #detect(boxes: Tensor, scores: Tensor): Detection {
    const [count, classes] = [scores.size(0), scores.size(1) - 1]
    const [best, places] = scores.narrow(1, 1, classes).t().topk(Math.min(this.#found.topk, count), { dim: 1 })
    const labels = arange(1, classes + 1, { dtype: 'int64', device: scores.device })
    const sure = nonzero(best.gt(this.#found.scoreThreshold).flatten()).squeeze(1)
    const ofClass = labels.unsqueeze(1).expand(best.shape).reshape([-1]).indexSelect(0, sure)
    const own = boxes.indexSelect(0, places.flatten().indexSelect(0, sure))
    return suppressed(own, best.flatten().indexSelect(0, sure), ofClass, this.#found)
  }
}

/** SSD300 on VGG-16. */
export function ssd300Vgg16(options: SSDOptions = {}): SSD {
  const anchors = new DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]], {
    scales: [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
    steps: [8, 16, 32, 64, 100, 300],
  })
  // The published VGG takes levels of 0–255 less their means.
  const levels = { imageMean: [0.48235, 0.45882, 0.40784], imageStd: [1 / 255, 1 / 255, 1 / 255] }
  const transform = { ...levels, ...options.transform }
  return new SSD(new SSDFeatureExtractorVGG(), { size: [300, 300], anchors }, { ...options, transform })
}

export const SSDS = {
  ssd300_vgg16: { create: ssd300Vgg16, task: 'object-detection', input: { ...DETECTION_INPUT, resize: 300 } },
} as const satisfies Readonly<Record<string, NetworkEntry<SSDOptions>>>
