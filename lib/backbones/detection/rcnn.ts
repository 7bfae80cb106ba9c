// Faster, Mask and Keypoint R-CNN with torchvision's names.
import { MultiScaleRoIAlign } from '../../nn'
import type { Tensor } from '../../tensor'
import { AnchorGenerator } from '../../vision'
import { type PyramidBackbone, resnetFpn } from '../fpn'
import type { FrozenNorm } from '../frozen-norm'
import type { NetworkEntry } from '../network'
import { Detector } from './detector'
import { DETECTION_INPUT } from './input'
import { KeypointRCNNHeads, KeypointRCNNPredictor } from './keypoint'
import { MaskRCNNHeads, MaskRCNNPredictor } from './mask'
import {
  FastRCNNPredictor,
  type KeypointBranch,
  type MaskBranch,
  RoIHeads,
  type RoIHeadsOptions,
  TwoMLPHead,
} from './roi-heads'
import { RegionProposalNetwork, RPNHead, type RPNOptions } from './rpn'
import { DetectionTransform, type DetectionTransformOptions } from './transform'
import type { Detection, DetectionLosses, DetectionTarget, ImageBatch } from './types'

export interface RCNNOptions {
  /** With the background; default 91, COCO's. */
  readonly numClasses?: number
  readonly transform?: DetectionTransformOptions
  readonly anchors?: AnchorGenerator
  readonly proposals?: RPNOptions
  readonly regions?: RoIHeadsOptions
}

interface Branches {
  readonly mask?: MaskBranch | undefined
  readonly keypoint?: KeypointBranch | undefined
}

/**
 * Faster R-CNN (Ren, He, Girshick, Sun, NeurIPS 2015) on a feature pyramid (Lin et al., CVPR 2017): proposals, then their
 * classes and boxes. In training the losses `lossClassifier`, `lossBoxReg`, `lossObjectness` and `lossRpnBoxReg`.
 */
export class FasterRCNN extends Detector {
  readonly rpn: RegionProposalNetwork
  readonly roiHeads: RoIHeads

  constructor(
    readonly backbone: PyramidBackbone,
    options: RCNNOptions = {},
    { mask, keypoint }: Branches = {},
  ) {
    const { numClasses = 91, transform, anchors = pyramidAnchors(), proposals, regions } = options
    super(new DetectionTransform(transform), numClasses)
    const channels = backbone.outChannels
    const head = new RPNHead(channels, anchors.numAnchorsPerLocation[0] ?? 0)
    this.rpn = new RegionProposalNetwork(anchors, head, proposals)
    const box = {
      pool: new MultiScaleRoIAlign(7),
      head: new TwoMLPHead(channels * 7 * 7, 1024),
      predictor: new FastRCNNPredictor(1024, numClasses),
    }
    this.roiHeads = new RoIHeads({ box, mask, keypoint }, regions)
  }

  /** The maps that regions are cut out of: those of the network's stages. */
  regionMaps(maps: readonly Tensor[]): readonly Tensor[] {
    return maps.slice(0, this.backbone.stageMaps)
  }

  protected override lossesOf(batch: ImageBatch, targets: readonly DetectionTarget[]): DetectionLosses {
    const maps = this.backbone.forward(batch.tensors)
    const { boxes, losses } = this.rpn.forward(batch, maps, targets)
    return { ...this.roiHeads.losses(this.regionMaps(maps), boxes, batch.sizes, targets), ...losses }
  }

  protected override detectionsOf(batch: ImageBatch): Detection[] {
    const maps = this.backbone.forward(batch.tensors)
    return this.roiHeads.detect(this.regionMaps(maps), this.rpn.forward(batch, maps).boxes, batch.sizes)
  }
}

/** Faster R-CNN with a mask for each detection (He, Gkioxari, Dollár, Girshick, ICCV 2017). Also a loss `lossMask`. */
export class MaskRCNN extends FasterRCNN {
  constructor(backbone: PyramidBackbone, options: RCNNOptions = {}) {
    const mask = {
      pool: new MultiScaleRoIAlign(14),
      head: new MaskRCNNHeads(backbone.outChannels, [256, 256, 256, 256]),
      predictor: new MaskRCNNPredictor(256, 256, options.numClasses ?? 91),
    }
    super(backbone, options, { mask })
  }
}

export interface KeypointRCNNOptions extends RCNNOptions {
  /** Default 17, COCO's of persons. */
  readonly numKeypoints?: number
}

/** Faster R-CNN with keypoints for each detection (He et al., ICCV 2017, section 5). Also a loss `lossKeypoint`. */
export class KeypointRCNN extends FasterRCNN {
  constructor(backbone: PyramidBackbone, { numKeypoints = 17, ...options }: KeypointRCNNOptions = {}) {
    const keypoint = {
      pool: new MultiScaleRoIAlign(14),
      head: new KeypointRCNNHeads(backbone.outChannels, new Array<number>(8).fill(512)),
      predictor: new KeypointRCNNPredictor(512, numKeypoints),
    }
    super(backbone, { numClasses: 2, ...options }, { keypoint })
  }
}

function pyramidAnchors(): AnchorGenerator {
  const sizes = [32, 64, 128, 256, 512]
  return new AnchorGenerator(
    sizes.map((size) => [size]),
    sizes.map(() => [0.5, 1, 2]),
  )
}

/** What the published networks' builders take. */
export interface PublishedOptions {
  /** Norms of the backbone that do not change, as in the published weights; default false. */
  readonly frozenNorm?: FrozenNorm
  /** How many of the backbone's stem and stages train, counted from the last; all 5 unless stated. */
  readonly trainableLayers?: number
}

/** The two kinds of options apart. */
export function splitOptions<T extends PublishedOptions>(
  options: T,
): [PublishedOptions, Omit<T, keyof PublishedOptions>] {
  const { frozenNorm = false, trainableLayers = 5, ...own } = options
  return [{ frozenNorm, trainableLayers }, own]
}

export function fasterrcnnResnet50Fpn(options: RCNNOptions & PublishedOptions = {}): FasterRCNN {
  const [backbone, own] = splitOptions(options)
  return new FasterRCNN(resnetFpn('resnet50', backbone), own)
}

export function maskrcnnResnet50Fpn(options: RCNNOptions & PublishedOptions = {}): MaskRCNN {
  const [backbone, own] = splitOptions(options)
  return new MaskRCNN(resnetFpn('resnet50', backbone), own)
}

export function keypointrcnnResnet50Fpn(options: KeypointRCNNOptions & PublishedOptions = {}): KeypointRCNN {
  const [backbone, own] = splitOptions(options)
  return new KeypointRCNN(resnetFpn('resnet50', backbone), own)
}

export const RCNNS = {
  fasterrcnn_resnet50_fpn: { create: fasterrcnnResnet50Fpn, task: 'object-detection', input: DETECTION_INPUT },
  maskrcnn_resnet50_fpn: { create: maskrcnnResnet50Fpn, task: 'instance-segmentation', input: DETECTION_INPUT },
  keypointrcnn_resnet50_fpn: { create: keypointrcnnResnet50Fpn, task: 'keypoint-detection', input: DETECTION_INPUT },
} as const satisfies Readonly<Record<string, NetworkEntry<KeypointRCNNOptions & PublishedOptions>>>
