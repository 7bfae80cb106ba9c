// FCN, DeepLab v3 and LR-ASPP with torchvision's names.
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  type Layer,
  Module,
  ModuleList,
  ReLU,
  Sequential,
  Sigmoid,
} from '../../nn'
import { interpolate } from '../../nn/functional'
import { cat, type Tensor } from '../../tensor'
import type { StagedNetwork } from '../fpn'
import { LayerTaps } from '../layer-taps'
import { mobilenetV3Large } from '../mobilenet-v3'
import type { NetworkEntry } from '../network'
import { RESNET_LAYERS, ResNetStages } from '../resnet'
import { SEGMENTATION_INPUT } from './input'

export interface SegmentationOptions {
  /** With the background; default 21, Pascal VOC's. */
  readonly numClasses?: number
  /** A second classifier on an earlier stage, for training; the published weights have one. Default false. */
  readonly auxLoss?: boolean
}

export interface SegmentationOutputs {
  /** Logits `[N, numClasses, H, W]` of the size of the images. */
  readonly out: Tensor
  /** Those of the second classifier, where there is one. */
  readonly aux?: Tensor
}

function resizeTo(map: Tensor, like: Tensor): Tensor {
  return interpolate(map, { size: [like.size(-2), like.size(-1)], mode: 'bilinear' })
}

/** A network's maps, and a classifier of the last: `[N, 3, H, W]` → logits of the same size. */
export class SegmentationModel extends Module {
  readonly auxClassifier: Layer | null

  /** @param backbone gives the map of the second classifier, and that of the first */
  constructor(
    readonly backbone: StagedNetwork,
    readonly classifier: Layer,
    aux: Layer | null = null,
    private readonly places: { readonly aux: number; readonly out: number } = { aux: 0, out: 1 },
  ) {
    super()
    this.auxClassifier = aux
  }

  forward(input: Tensor): SegmentationOutputs {
    const maps = this.backbone.forward(input)
    const out = resizeTo(this.classifier.forward(maps[this.places.out] as Tensor), input)
    if (this.auxClassifier === null) return { out }
    return { out, aux: resizeTo(this.auxClassifier.forward(maps[this.places.aux] as Tensor), input) }
  }
}

const norm = (channels: number) => new BatchNorm2d(channels)
const convNorm = (from: number, to: number, kernel: number, options = {}): Layer[] => [
  new Conv2d(from, to, kernel, { bias: false, ...options }),
  norm(to),
  new ReLU(),
]

/** Fully convolutional network (Long, Shelhamer, Darrell, CVPR 2015): a 3×3 and a 1×1 convolution. */
export class FCNHead extends Sequential {
  constructor(inChannels: number, numClasses: number) {
    const between = Math.floor(inChannels / 4)
    super(
      ...convNorm(inChannels, between, 3, { padding: 1 }),
      new Dropout({ p: 0.1 }),
      new Conv2d(between, numClasses, 1),
    )
  }
}

/** The mean of the image as a map. */
class ASPPPooling extends Sequential {
  constructor(inChannels: number, outChannels: number) {
    super(new AdaptiveAvgPool2d(1), ...convNorm(inChannels, outChannels, 1))
  }

  override forward(input: Tensor): Tensor {
    return resizeTo(super.forward(input), input)
  }
}

const atrousConv = (from: number, to: number, rate: number): Layer[] =>
  convNorm(from, to, 3, { padding: rate, dilation: rate })

/** Atrous spatial pyramid pooling (Chen et al. 2017, Sec. 3.3): convolutions of several dilations beside one another. */
export class ASPP extends Module {
  readonly convs: ModuleList<Sequential>
  readonly project: Sequential

  /** @param atrous makes the layers of a dilation */
  constructor(
    inChannels: number,
    rates: readonly number[] = [12, 24, 36],
    outChannels = 256,
    atrous: (from: number, to: number, rate: number) => Layer[] = atrousConv,
  ) {
    super()
    this.convs = new ModuleList([
      new Sequential(...convNorm(inChannels, outChannels, 1)),
      ...rates.map((rate) => new Sequential(...atrous(inChannels, outChannels, rate))),
      new ASPPPooling(inChannels, outChannels),
    ])
    this.project = new Sequential(...convNorm(this.convs.length * outChannels, outChannels, 1), new Dropout({ p: 0.5 }))
  }

  forward(input: Tensor): Tensor {
    const maps = [...this.convs].map((conv) => conv.forward(input))
    return this.project.forward(cat(maps, { dim: 1 }))
  }
}

/** The head of DeepLab v3 (Chen, Papandreou, Schroff, Adam 2017). */
export class DeepLabHead extends Sequential {
  constructor(inChannels: number, numClasses: number) {
    super(new ASPP(inChannels), ...convNorm(256, 256, 3, { padding: 1 }), new Conv2d(256, numClasses, 1))
  }
}

type Head = new (inChannels: number, numClasses: number) => Layer

/** A residual network whose last two stages dilate, so that maps have stride 8. */
function onResNet(name: 'resnet50' | 'resnet101', Head: Head, options: SegmentationOptions): SegmentationModel {
  const { numClasses = 21, auxLoss = false } = options
  const [block, blocks] = RESNET_LAYERS[name]
  const backbone = new ResNetStages(block, blocks, { replaceStrideWithDilation: [false, true, true] })
  const aux = auxLoss ? new FCNHead(1024, numClasses) : null
  return new SegmentationModel(backbone, new Head(2048, numClasses), aux, { aux: 2, out: 3 })
}

/** MobileNet v3 large with dilation: the map of stride 8, and the last, of stride 16. */
function dilatedMobileNet(): LayerTaps {
  return new LayerTaps(mobilenetV3Large({ dilated: true }).features, [4, 16])
}

export const fcnResnet50 = (options: SegmentationOptions = {}) => onResNet('resnet50', FCNHead, options)
export const fcnResnet101 = (options: SegmentationOptions = {}) => onResNet('resnet101', FCNHead, options)
export const deeplabv3Resnet50 = (options: SegmentationOptions = {}) => onResNet('resnet50', DeepLabHead, options)
export const deeplabv3Resnet101 = (options: SegmentationOptions = {}) => onResNet('resnet101', DeepLabHead, options)

export function deeplabv3MobilenetV3Large({ numClasses = 21, auxLoss = false }: SegmentationOptions = {}) {
  const aux = auxLoss ? new FCNHead(40, numClasses) : null
  return new SegmentationModel(dilatedMobileNet(), new DeepLabHead(960, numClasses), aux)
}

/** The head of LR-ASPP (Howard et al., ICCV 2019, Sec. 6.4): the last map, weighed by its mean, and a finer one. */
class LRASPPHead extends Module {
  readonly cbr: Sequential
  readonly scale: Sequential
  readonly lowClassifier: Conv2d
  readonly highClassifier: Conv2d

  constructor(lowChannels: number, highChannels: number, numClasses: number, between = 128) {
    super()
    this.cbr = new Sequential(...convNorm(highChannels, between, 1))
    this.scale = new Sequential(
      new AdaptiveAvgPool2d(1),
      new Conv2d(highChannels, between, 1, { bias: false }),
      new Sigmoid(),
    )
    this.lowClassifier = new Conv2d(lowChannels, numClasses, 1)
    this.highClassifier = new Conv2d(between, numClasses, 1)
  }

  forward(low: Tensor, high: Tensor): Tensor {
    const weighed = resizeTo(this.cbr.forward(high).mul(this.scale.forward(high)), low)
    return this.lowClassifier.forward(low).add(this.highClassifier.forward(weighed))
  }
}

/** Lite reduced atrous spatial pyramid pooling on MobileNet v3: `[N, 3, H, W]` → logits of the same size. */
export class LRASPP extends Module {
  readonly classifier: LRASPPHead

  constructor(
    readonly backbone: StagedNetwork,
    lowChannels: number,
    highChannels: number,
    numClasses: number,
  ) {
    super()
    this.classifier = new LRASPPHead(lowChannels, highChannels, numClasses)
  }

  forward(input: Tensor): SegmentationOutputs {
    const [low, high] = this.backbone.forward(input) as [Tensor, Tensor]
    return { out: resizeTo(this.classifier.forward(low, high), input) }
  }
}

export const lrasppMobilenetV3Large = ({ numClasses = 21 }: { readonly numClasses?: number } = {}) =>
  new LRASPP(dilatedMobileNet(), 40, 960, numClasses)

const entry = { task: 'semantic-segmentation', input: SEGMENTATION_INPUT } as const

export const SEGMENTATION_NETWORKS = {
  fcn_resnet50: { create: fcnResnet50, ...entry },
  fcn_resnet101: { create: fcnResnet101, ...entry },
  deeplabv3_resnet50: { create: deeplabv3Resnet50, ...entry },
  deeplabv3_resnet101: { create: deeplabv3Resnet101, ...entry },
  deeplabv3_mobilenet_v3_large: { create: deeplabv3MobilenetV3Large, ...entry },
  lraspp_mobilenet_v3_large: { create: lrasppMobilenetV3Large, ...entry },
} as const satisfies Readonly<Record<string, NetworkEntry<SegmentationOptions>>>
