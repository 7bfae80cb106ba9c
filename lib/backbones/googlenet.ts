// GoogLeNet, also called Inception v1, with batch norm and torchvision's names.
import { AdaptiveAvgPool2d, Conv2d, Dropout, init, Linear, MaxPool2d, Module, ReLU, Sequential } from '../nn'
import { adaptiveAvgPool2d, cat, type Tensor } from '../tensor'
import { BasicConv2d, imageNetToSymmetric } from './basic-conv'
import { checkImageSize } from './image-size'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface GoogLeNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Has the two auxiliary classifiers, for training (Sec. 5); default true. */
  readonly auxLogits?: boolean
  /** Takes images normalised as ImageNet's and makes of them what the published weights expect; default false. */
  readonly transformInput?: boolean
  /** Before the last layer; default 0.2. */
  readonly dropout?: number
  /** In the auxiliary classifiers; default 0.7. */
  readonly dropoutAux?: number
}

/** Output channels of a module's convolutions, as the columns of the paper's Table 1. */
interface InceptionWidths {
  readonly one: number
  readonly threeReduce: number
  readonly three: number
  readonly fiveReduce: number
  readonly five: number
  readonly pool: number
}

/** Four branches side by side (Fig. 2b). The "5×5" branch is 3×3, as in the published weights. */
export class Inception extends Module {
  readonly branch1: BasicConv2d
  readonly branch2: Sequential
  readonly branch3: Sequential
  readonly branch4: Sequential

  constructor(inChannels: number, widths: InceptionWidths) {
    super()
    const { one, threeReduce, three, fiveReduce, five, pool } = widths
    const reduced = (between: number, to: number) =>
      new Sequential(new BasicConv2d(inChannels, between, 1), new BasicConv2d(between, to, 3, { padding: 1 }))
    this.branch1 = new BasicConv2d(inChannels, one, 1)
    this.branch2 = reduced(threeReduce, three)
    this.branch3 = reduced(fiveReduce, five)
    this.branch4 = new Sequential(
      new MaxPool2d(3, { stride: 1, padding: 1, ceilMode: true }),
      new BasicConv2d(inChannels, pool, 1),
    )
  }

  forward(input: Tensor): Tensor {
    const branches = [this.branch1, this.branch2, this.branch3, this.branch4]
    return cat(
      branches.map((branch) => branch.forward(input)),
      { dim: 1 },
    )
  }
}

/** A classifier of features halfway, so that the layers before it get larger gradients (Sec. 5). */
export class GoogLeNetAux extends Module {
  readonly conv: BasicConv2d
  readonly fc1 = new Linear(2048, 1024)
  readonly fc2: Linear
  readonly relu = new ReLU({ inplace: true })
  readonly dropout: Dropout

  constructor(inChannels: number, numClasses: number, p: number) {
    super()
    this.conv = new BasicConv2d(inChannels, 128, 1)
    this.fc2 = new Linear(1024, numClasses)
    this.dropout = new Dropout({ p })
  }

  forward(input: Tensor): Tensor {
    const x = this.conv.forward(adaptiveAvgPool2d(input, [4, 4])).flatten({ startDim: 1 })
    return this.fc2.forward(this.dropout.forward(this.relu.forward(this.fc1.forward(x))))
  }
}

/** Logits `[N, numClasses]` of the network and, where it has them, of its auxiliary classifiers, the deeper one first. */
export interface GoogLeNetOutputs {
  readonly logits: Tensor
  readonly auxLogits2: Tensor | null
  readonly auxLogits1: Tensor | null
}

/** One row of Table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection. */
function inception(from: number, ...widths: readonly [number, number, number, number, number, number]): Inception {
  const [one, threeReduce, three, fiveReduce, five, pool] = widths
  return new Inception(from, { one, threeReduce, three, fiveReduce, five, pool })
}

/**
 * Going deeper with convolutions (Szegedy et al., CVPR 2015).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 15 or more.
 */
export class GoogLeNet extends Module {
  readonly conv1 = new BasicConv2d(3, 64, 7, { stride: 2, padding: 3 })
  readonly maxpool1 = new MaxPool2d(3, { stride: 2, ceilMode: true })
  readonly conv2 = new BasicConv2d(64, 64, 1)
  readonly conv3 = new BasicConv2d(64, 192, 3, { padding: 1 })
  readonly maxpool2 = new MaxPool2d(3, { stride: 2, ceilMode: true })
  readonly inception3a = inception(192, 64, 96, 128, 16, 32, 32)
  readonly inception3b = inception(256, 128, 128, 192, 32, 96, 64)
  readonly maxpool3 = new MaxPool2d(3, { stride: 2, ceilMode: true })
  readonly inception4a = inception(480, 192, 96, 208, 16, 48, 64)
  readonly inception4b = inception(512, 160, 112, 224, 24, 64, 64)
  readonly inception4c = inception(512, 128, 128, 256, 24, 64, 64)
  readonly inception4d = inception(512, 112, 144, 288, 32, 64, 64)
  readonly inception4e = inception(528, 256, 160, 320, 32, 128, 128)
  readonly maxpool4 = new MaxPool2d(2, { stride: 2, ceilMode: true })
  readonly inception5a = inception(832, 256, 160, 320, 32, 128, 128)
  readonly inception5b = inception(832, 384, 192, 384, 48, 128, 128)
  readonly aux1: GoogLeNetAux | null
  readonly aux2: GoogLeNetAux | null
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly dropout: Dropout
  readonly fc: Linear
  readonly transformInput: boolean

  constructor(options: GoogLeNetOptions = {}) {
    super()
    const { numClasses = 1000, auxLogits = true, transformInput = false, dropout: p = 0.2, dropoutAux = 0.7 } = options
    this.transformInput = transformInput
    this.aux1 = auxLogits ? new GoogLeNetAux(512, numClasses, dropoutAux) : null
    this.aux2 = auxLogits ? new GoogLeNetAux(528, numClasses, dropoutAux) : null
    this.dropout = new Dropout({ p })
    this.fc = new Linear(1024, numClasses)
    for (const module of this.modules()) {
      if (module instanceof Conv2d || module instanceof Linear) init.truncNormal_(module.weight, { std: 0.01 })
    }
  }

  forward(input: Tensor): Tensor {
    return this.#classify(this.#deep(this.#middle(this.#shallow(input))))
  }

  /** The logits whose losses training sums: the network's and, with weight 0.3 in the paper, the auxiliary ones. */
  forwardWithAux(input: Tensor): GoogLeNetOutputs {
    const shallow = this.#shallow(input)
    const auxLogits1 = this.aux1?.forward(shallow) ?? null
    const middle = this.#middle(shallow)
    const auxLogits2 = this.aux2?.forward(middle) ?? null
    return { logits: this.#classify(this.#deep(middle)), auxLogits2, auxLogits1 }
  }

  #shallow(input: Tensor): Tensor {
    checkImageSize('GoogLeNet', input, 15)
    const x = this.maxpool1.forward(this.conv1.forward(this.transformInput ? imageNetToSymmetric(input) : input))
    const y = this.maxpool2.forward(this.conv3.forward(this.conv2.forward(x)))
    return this.inception4a.forward(this.maxpool3.forward(this.inception3b.forward(this.inception3a.forward(y))))
  }

  #middle(x: Tensor): Tensor {
    return this.inception4d.forward(this.inception4c.forward(this.inception4b.forward(x)))
  }

  #deep(x: Tensor): Tensor {
    return this.inception5b.forward(this.inception5a.forward(this.maxpool4.forward(this.inception4e.forward(x))))
  }

  #classify(x: Tensor): Tensor {
    return this.fc.forward(this.dropout.forward(this.avgpool.forward(x).flatten({ startDim: 1 })))
  }
}

export const googlenet = (options?: GoogLeNetOptions) => new GoogLeNet(options)

export const GOOGLENETS = {
  googlenet: { create: googlenet, task: 'image-classification', input: IMAGENET_224, features: 'avgpool' },
} as const satisfies Readonly<Record<string, NetworkEntry<GoogLeNetOptions>>>
