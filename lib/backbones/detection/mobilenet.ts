// Detectors on MobileNet v3 with torchvision's names.
import { BatchNorm2d, Conv2d, init, type Layer, Module, ModuleList, ReLU6, Sequential } from '../../nn'
import type { Tensor } from '../../tensor'
import { AnchorGenerator, DefaultBoxGenerator } from '../../vision'
import { ConvNorm } from '../conv-norm'
import { BackboneWithFPN } from '../fpn'
import { frozenNormLayer } from '../frozen-norm'
import { LayerTaps } from '../layer-taps'
import { type MobileNetV3Block, mobilenetV3Large } from '../mobilenet-v3'
import type { NetworkEntry } from '../network'
import { DETECTION_INPUT } from './input'
import { FasterRCNN, type PublishedOptions, type RCNNOptions } from './rcnn'
import { SSD, type SSDBackbone, SSDHead, type SSDOptions } from './ssd'

/** Where the last stage that strides begins among MobileNet v3 large's layers, and the last layer. */
const [C4, LAST] = [13, 16]

/** Faster R-CNN on MobileNet v3 large under a pyramid of its two last stages (torchvision's, for speed). */
export function fasterrcnnMobilenetV3LargeFpn(
  options: RCNNOptions & Pick<PublishedOptions, 'frozenNorm'> = {},
): FasterRCNN {
  const { frozenNorm = false, ...own } = options
  // Not the classifier's norm, whose eps is larger.
  const normLayer = frozenNormLayer(frozenNorm) ?? ((channels: number): Layer => new BatchNorm2d(channels))
  const body = new LayerTaps(mobilenetV3Large({ normLayer }).features, [C4, LAST])
  const backbone = new BackboneWithFPN(body, [0, 1], [160, 960], 256)
  const maps = [1, 2, 3]
  const anchors = new AnchorGenerator(
    maps.map(() => [32, 64, 128, 256, 512]),
    maps.map(() => [0.5, 1, 2]),
  )
  return new FasterRCNN(backbone, { anchors, ...own, proposals: { scoreThreshold: 0.05, ...own.proposals } })
}

const norm = (channels: number) => new BatchNorm2d(channels, { eps: 1e-3, momentum: 0.03 })
const activation = () => new ReLU6({ inplace: true })

function resetNormal(module: Module): void {
  for (const layer of module.modules()) {
    if (!(layer instanceof Conv2d)) continue
    init.normal_(layer.weight, { std: 0.03 })
    if (layer.bias) init.zeros_(layer.bias)
  }
}

/** Half the size, by a depthwise convolution between two of 1×1. */
function extraBlock(from: number, to: number): Sequential {
  const between = to / 2
  return new Sequential(
    new ConvNorm(from, between, { kernelSize: 1, norm, activation }),
    new ConvNorm(between, between, { stride: 2, groups: between, norm, activation }),
    new ConvNorm(between, to, { kernelSize: 1, norm, activation }),
  )
}

/** MobileNet v3 large with half its tail's channels, and four smaller maps. */
export class SSDLiteFeatureExtractorMobileNet extends Module implements SSDBackbone {
  readonly features: Sequential
  readonly extra: ModuleList<Sequential>
  readonly channels = [672, 480, 512, 256, 256, 128]

  constructor() {
    super()
    const layers: readonly Layer[] = [...mobilenetV3Large({ reducedTail: true, normLayer: norm }).features]
    // The block that strides is cut after its first convolution, the largest map of this stride (Howard et al. 2019, Sec. 6.3).
    const [widen, ...rest] = [...(layers[C4] as MobileNetV3Block).block] as [Layer, ...Layer[]]
    const narrow = Object.fromEntries(rest.map((layer, i) => [String(i + 1), layer]))
    this.features = new Sequential(
      new Sequential(...layers.slice(0, C4), widen),
      new Sequential(new Sequential(narrow), ...layers.slice(C4 + 1)),
    )
    const blocks = [extraBlock(480, 512), extraBlock(512, 256), extraBlock(256, 256), extraBlock(256, 128)]
    this.extra = new ModuleList(blocks)
    resetNormal(this)
  }

  forward(input: Tensor): Tensor[] {
    let x = input
    return [...this.features, ...this.extra].map((block) => {
      x = block.forward(x)
      return x
    })
  }
}

function predictionBlock(from: number, to: number): Layer {
  const block = new Sequential(new ConvNorm(from, from, { groups: from, norm, activation }), new Conv2d(from, to, 1))
  resetNormal(block)
  return block
}

/** SSDlite at 320 (Sandler et al., CVPR 2018; Howard et al., ICCV 2019): SSD with separable convolutions. */
export function ssdlite320MobilenetV3Large(options: SSDOptions = {}): SSD {
  const anchors = new DefaultBoxGenerator(
    Array.from({ length: 6 }, () => [2, 3]),
    { minRatio: 0.2, maxRatio: 0.95 },
  )
  const defaults = { scoreThreshold: 0.001, nmsThreshold: 0.55, detectionsPerImage: 300, topk: 300 }
  const transform = { imageMean: [0.5, 0.5, 0.5], imageStd: [0.5, 0.5, 0.5], ...options.transform }
  const head = (channels: readonly number[], boxes: readonly number[], numClasses: number) =>
    new SSDHead(channels, boxes, numClasses, predictionBlock)
  const parts = { size: [320, 320], anchors, head } as const
  return new SSD(new SSDLiteFeatureExtractorMobileNet(), parts, { ...defaults, ...options, transform })
}

export const MOBILENET_DETECTORS = {
  fasterrcnn_mobilenet_v3_large_fpn: {
    create: fasterrcnnMobilenetV3LargeFpn,
    task: 'object-detection',
    input: DETECTION_INPUT,
  },
  ssdlite320_mobilenet_v3_large: {
    create: ssdlite320MobilenetV3Large,
    task: 'object-detection',
    input: { ...DETECTION_INPUT, resize: 320 },
  },
} as const satisfies Readonly<Record<string, NetworkEntry<RCNNOptions & PublishedOptions & SSDOptions>>>
