// The networks that are measured, with torchvision's layout and names; sizes are torchvision's unless stated.
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  ReLU6,
  Sequential,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '../../lib/nn'
import type { Tensor } from '../../lib/tensor'

type Block = new (inplanes: number, planes: number, stride: number) => Layer

const conv3x3 = (from: number, to: number, stride = 1) => new Conv2d(from, to, 3, { stride, padding: 1, bias: false })
const conv1x1 = (from: number, to: number, stride = 1) => new Conv2d(from, to, 1, { stride, bias: false })

function downsample(from: number, to: number, stride: number): Sequential | null {
  return stride !== 1 || from !== to ? new Sequential(conv1x1(from, to, stride), new BatchNorm2d(to)) : null
}

/** Two 3×3 convolutions around a shortcut (He et al. 2016). */
export class BasicBlock extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly relu = new ReLU({ inplace: true })
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly downsample: Sequential | null

  constructor(inplanes: number, planes: number, stride: number) {
    super()
    this.conv1 = conv3x3(inplanes, planes, stride)
    this.bn1 = new BatchNorm2d(planes)
    this.conv2 = conv3x3(planes, planes)
    this.bn2 = new BatchNorm2d(planes)
    this.downsample = downsample(inplanes, planes, stride)
  }

  forward(x: Tensor): Tensor {
    const y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)))
    const z = this.bn2.forward(this.conv2.forward(y))
    return this.relu.forward(z.add_(this.downsample ? this.downsample.forward(x) : x))
  }
}

/** 1×1, 3×3 and 1×1 convolutions around a shortcut, four times as wide outside (He et al. 2016). */
export class Bottleneck extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  readonly relu = new ReLU({ inplace: true })
  readonly downsample: Sequential | null

  constructor(inplanes: number, planes: number, stride: number) {
    super()
    this.conv1 = conv1x1(inplanes, planes)
    this.bn1 = new BatchNorm2d(planes)
    this.conv2 = conv3x3(planes, planes, stride)
    this.bn2 = new BatchNorm2d(planes)
    this.conv3 = conv1x1(planes, planes * 4)
    this.bn3 = new BatchNorm2d(planes * 4)
    this.downsample = downsample(inplanes, planes * 4, stride)
  }

  forward(x: Tensor): Tensor {
    const y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)))
    const z = this.relu.forward(this.bn2.forward(this.conv2.forward(y)))
    const w = this.bn3.forward(this.conv3.forward(z))
    return this.relu.forward(w.add_(this.downsample ? this.downsample.forward(x) : x))
  }
}

/** A residual network (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016). */
export class ResNet extends Module {
  readonly conv1 = new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false })
  readonly bn1 = new BatchNorm2d(64)
  readonly relu = new ReLU({ inplace: true })
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 })
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly fc: Linear

  constructor(block: Block, expansion: number, depths: readonly number[], numClasses: number) {
    super()
    const stage = (index: number) => {
      const planes = 64 * 2 ** index
      const first = index === 0 ? 64 : (planes / 2) * expansion
      const stride = index === 0 ? 1 : 2
      const blocks = Array.from({ length: depths[index] ?? 1 }, (_, i) =>
        i === 0 ? new block(first, planes, stride) : new block(planes * expansion, planes, 1),
      )
      return new Sequential(...blocks)
    }
    this.layer1 = stage(0)
    this.layer2 = stage(1)
    this.layer3 = stage(2)
    this.layer4 = stage(3)
    this.fc = new Linear(512 * expansion, numClasses)
  }

  forward(x: Tensor): Tensor {
    let y = this.maxpool.forward(this.relu.forward(this.bn1.forward(this.conv1.forward(x))))
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) y = layer.forward(y)
    return this.fc.forward(this.avgpool.forward(y).flatten({ startDim: 1 }))
  }
}

export const resnet18 = (numClasses: number) => new ResNet(BasicBlock, 1, [2, 2, 2, 2], numClasses)
export const resnet50 = (numClasses: number) => new ResNet(Bottleneck, 4, [3, 4, 6, 3], numClasses)

const convNormActivation = (from: number, to: number, kernel: number, stride: number, groups: number) =>
  new Sequential(
    new Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, groups, bias: false }),
    new BatchNorm2d(to),
    new ReLU6({ inplace: true }),
  )

/** Widens, filters each channel by itself, narrows (Sandler et al. 2018). */
export class InvertedResidual extends Module {
  readonly conv: Sequential
  readonly shortcut: boolean

  constructor(from: number, to: number, stride: number, expandRatio: number) {
    super()
    const hidden = from * expandRatio
    this.shortcut = stride === 1 && from === to
    this.conv = new Sequential(
      ...(expandRatio !== 1 ? [convNormActivation(from, hidden, 1, 1, 1)] : []),
      convNormActivation(hidden, hidden, 3, stride, hidden),
      new Conv2d(hidden, to, 1, { bias: false }),
      new BatchNorm2d(to),
    )
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x)
    return this.shortcut ? x.add(y) : y
  }
}

/** Expansion, channels, repeats, stride of each stage. */
const MOBILE_STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

/** MobileNetV2 (Sandler et al., "Inverted Residuals and Linear Bottlenecks", CVPR 2018). */
export class MobileNetV2 extends Module {
  readonly features: Sequential
  readonly classifier: Sequential

  constructor(numClasses: number) {
    super()
    const layers: Layer[] = [convNormActivation(3, 32, 3, 2, 1)]
    let from = 32
    for (const [expand, to, repeats, stride] of MOBILE_STAGES) {
      for (let i = 0; i < repeats; i++) {
        layers.push(new InvertedResidual(from, to, i === 0 ? stride : 1, expand))
        from = to
      }
    }
    layers.push(convNormActivation(from, 1280, 1, 1, 1))
    this.features = new Sequential(...layers)
    this.classifier = new Sequential(new Dropout({ p: 0.2 }), new Linear(1280, numClasses))
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).mean({ dim: [2, 3] }))
  }
}

/** Six encoder layers (d 256, 4 heads, feed-forward 1024), the mean over the tokens, and a classifier. */
export class EncoderClassifier extends Module {
  readonly encoder: TransformerEncoder
  readonly head: Linear

  constructor(numClasses: number) {
    super()
    const options = { dimFeedforward: 1024, dropout: 0, batchFirst: true }
    this.encoder = new TransformerEncoder(() => new TransformerEncoderLayer(256, 4, options), 6)
    this.head = new Linear(256, numClasses)
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(this.encoder.forward(x).mean({ dim: [1] }))
  }
}
