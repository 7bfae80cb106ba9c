// Inception v3 with torchvision's names, and the variant whose features the Fréchet inception distance compares.
import { ArgumentError } from '../native/errors'
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Conv2d,
  Dropout,
  functional as F,
  init,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ModuleList,
  Sequential,
} from '../nn'
import { adaptiveAvgPool2d, avgPool2d, type Tensor } from '../tensor'
import { BasicConv2d, imageNetToSymmetric } from './basic-conv'
import { checkImageSize } from './image-size'
import { InceptionA, InceptionB, InceptionC, InceptionD, InceptionE } from './inception-blocks'
import { IMAGENET_224, type NetworkEntry } from './network'

export interface InceptionV3Options {
  /** Default 1000; 1008 for the FID variant. */
  readonly numClasses?: number
  /** Has the auxiliary classifier, for training (Sec. 4); default true, false for the FID variant. */
  readonly auxLogits?: boolean
  /** Takes images normalised as ImageNet's and makes of them what the published weights expect; default false. */
  readonly transformInput?: boolean
  /** Before the last layer; default 0.5. */
  readonly dropout?: number
}

/** A classifier of features at 17 pixels, which regularises the training. */
export class InceptionAux extends Module {
  readonly conv0: BasicConv2d
  readonly conv1 = new BasicConv2d(128, 768, 5)
  readonly fc: Linear

  constructor(inChannels: number, numClasses: number) {
    super()
    this.conv0 = new BasicConv2d(inChannels, 128, 1)
    this.fc = new Linear(768, numClasses)
  }

  forward(input: Tensor): Tensor {
    const x = this.conv1.forward(this.conv0.forward(avgPool2d(input, 5, { stride: 3 })))
    return this.fc.forward(adaptiveAvgPool2d(x, [1, 1]).flatten({ startDim: 1 }))
  }
}

/** The pooling inside of the modules, which keeps the size. */
interface Pools {
  readonly average: () => Layer
  /** In the last module. */
  readonly last: () => Layer
}

const average = (countIncludePad: boolean) => () => new AvgPool2d(3, { stride: 1, padding: 1, countIncludePad })
const POOLS: Pools = { average: average(true), last: average(true) }
/** As in the TensorFlow graph of 2015: means leave the padding out, and the last module takes the largest value. */
const FID_POOLS: Pools = { average: average(false), last: () => new MaxPool2d(3, { stride: 1, padding: 1 }) }

/** Logits `[N, numClasses]` of the network and, where it has one, of its auxiliary classifier. */
export interface InceptionV3Outputs {
  readonly logits: Tensor
  readonly auxLogits: Tensor | null
}

/**
 * Rethinking the Inception architecture (Szegedy et al., CVPR 2016).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 75 or more, 299 in the paper.
 */
export class InceptionV3 extends Module {
  readonly Conv2d_1a_3x3 = new BasicConv2d(3, 32, 3, { stride: 2 })
  readonly Conv2d_2a_3x3 = new BasicConv2d(32, 32, 3)
  readonly Conv2d_2b_3x3 = new BasicConv2d(32, 64, 3, { padding: 1 })
  readonly maxpool1 = new MaxPool2d(3, { stride: 2 })
  readonly Conv2d_3b_1x1 = new BasicConv2d(64, 80, 1)
  readonly Conv2d_4a_3x3 = new BasicConv2d(80, 192, 3)
  readonly maxpool2 = new MaxPool2d(3, { stride: 2 })
  readonly Mixed_5b: InceptionA
  readonly Mixed_5c: InceptionA
  readonly Mixed_5d: InceptionA
  readonly Mixed_6a = new InceptionB(288)
  readonly Mixed_6b: InceptionC
  readonly Mixed_6c: InceptionC
  readonly Mixed_6d: InceptionC
  readonly Mixed_6e: InceptionC
  readonly AuxLogits: InceptionAux | null
  readonly Mixed_7a = new InceptionD(768)
  readonly Mixed_7b: InceptionE
  readonly Mixed_7c: InceptionE
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly dropout: Dropout
  readonly fc: Linear
  readonly transformInput: boolean

  constructor(options: InceptionV3Options = {}, pools: Pools = POOLS) {
    super()
    const { numClasses = 1000, auxLogits = true, transformInput = false, dropout: p = 0.5 } = options
    this.transformInput = transformInput
    this.Mixed_5b = new InceptionA(192, 32, pools.average())
    this.Mixed_5c = new InceptionA(256, 64, pools.average())
    this.Mixed_5d = new InceptionA(288, 64, pools.average())
    this.Mixed_6b = new InceptionC(768, 128, pools.average())
    this.Mixed_6c = new InceptionC(768, 160, pools.average())
    this.Mixed_6d = new InceptionC(768, 160, pools.average())
    this.Mixed_6e = new InceptionC(768, 192, pools.average())
    this.AuxLogits = auxLogits ? new InceptionAux(768, numClasses) : null
    this.Mixed_7b = new InceptionE(1280, pools.average())
    this.Mixed_7c = new InceptionE(2048, pools.last())
    this.dropout = new Dropout({ p })
    this.fc = new Linear(2048, numClasses)
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d || module instanceof Linear)) continue
      init.truncNormal_(module.weight, { std: module === this.AuxLogits?.fc ? 0.001 : 0.1 })
    }
  }

  forward(input: Tensor): Tensor {
    return this.#classify(this.#middle(input))
  }

  /** The logits whose losses training sums: the network's and, with weight 0.4 or so, the auxiliary ones. */
  forwardWithAux(input: Tensor): InceptionV3Outputs {
    if (this.AuxLogits) checkImageSize('InceptionV3 with its auxiliary classifier', input, 299)
    const middle = this.#middle(input)
    return { logits: this.#classify(middle), auxLogits: this.AuxLogits?.forward(middle) ?? null }
  }

  /** The layers up to each of the four places that FID implementations compare: 64, 192, 768 and 2048 channels. */
  stages(): readonly [Layer[], Layer[], Layer[], Layer[]] {
    return [
      [this.Conv2d_1a_3x3, this.Conv2d_2a_3x3, this.Conv2d_2b_3x3, this.maxpool1],
      [this.Conv2d_3b_1x1, this.Conv2d_4a_3x3, this.maxpool2],
      [
        ...[this.Mixed_5b, this.Mixed_5c, this.Mixed_5d, this.Mixed_6a],
        ...[this.Mixed_6b, this.Mixed_6c, this.Mixed_6d, this.Mixed_6e],
      ],
      [this.Mixed_7a, this.Mixed_7b, this.Mixed_7c, this.avgpool],
    ]
  }

  #middle(input: Tensor): Tensor {
    checkImageSize('InceptionV3', input, 75)
    const [low, medium, middle] = this.stages()
    const x = this.transformInput ? imageNetToSymmetric(input) : input
    return [...low, ...medium, ...middle].reduce((y, layer) => layer.forward(y), x)
  }

  #classify(middle: Tensor): Tensor {
    const x = this.stages()[3].reduce((y, layer) => layer.forward(y), middle)
    return this.fc.forward(this.dropout.forward(x).flatten({ startDim: 1 }))
  }
}

export interface FidInceptionOptions {
  /** Places whose features are returned: 0, 1, 2, 3 with 64, 192, 768 and 2048 channels; default [3]. */
  readonly outputBlocks?: readonly (0 | 1 | 2 | 3)[]
  /** Enlarges or shrinks the images to 299×299 first; default true. */
  readonly resizeInput?: boolean
  /** Takes images in 0–1; false: in −1–1; default true. */
  readonly normalizeInput?: boolean
  /** Lets the parameters be trained; default false. */
  readonly requiresGrad?: boolean
}

/**
 * Features that the Fréchet inception distance compares (Heusel et al., NeurIPS 2017), with the names of pytorch-fid's
 * wrapper; its weight file has those of `fidInceptionV3`.
 *
 * Shapes: images `[N, 3, H, W]` in 0–1 → a list of `[N, C, H′, W′]`, by rising place; the last is `[N, 2048, 1, 1]`.
 */
export class FidInception extends Module {
  readonly blocks: ModuleList<Sequential>
  readonly outputBlocks: readonly number[]
  readonly resizeInput: boolean
  readonly normalizeInput: boolean

  constructor(options: FidInceptionOptions = {}) {
    super()
    const { outputBlocks = [3], resizeInput = true, normalizeInput = true, requiresGrad = false } = options
    if (outputBlocks.length === 0 || outputBlocks.some((place) => ![0, 1, 2, 3].includes(place))) {
      throw new ArgumentError(`FidInception: outputBlocks is [${outputBlocks}]; it must list some of 0, 1, 2 and 3`)
    }
    this.outputBlocks = outputBlocks
    this.resizeInput = resizeInput
    this.normalizeInput = normalizeInput
    const network = fidInceptionV3()
    const needed = network.stages().slice(0, Math.max(...outputBlocks) + 1)
    this.blocks = new ModuleList(needed.map((layers) => new Sequential(...layers)))
    this.requiresGrad_(requiresGrad)
  }

  forward(input: Tensor): Tensor[] {
    const resized = this.resizeInput ? F.interpolate(input, { size: [299, 299], mode: 'bilinear' }) : input
    if (!this.resizeInput) checkImageSize('FidInception without resizeInput', input, 75)
    let x = this.normalizeInput ? resized.mul(2).sub(1) : resized
    const features: Tensor[] = []
    for (const [place, block] of [...this.blocks].entries()) {
      x = block.forward(x)
      if (this.outputBlocks.includes(place)) features.push(x)
    }
    return features
  }
}

export const inceptionV3 = (options?: InceptionV3Options) => new InceptionV3(options)
/** The network of the TensorFlow graph of 2015, whose features FID is defined by. */
export const fidInceptionV3 = (options?: InceptionV3Options) =>
  new InceptionV3({ numClasses: 1008, auxLogits: false, ...options }, FID_POOLS)
export const fidInception = (options?: FidInceptionOptions) => new FidInception(options)

const IMAGENET_299 = { ...IMAGENET_224, resize: 342, crop: [299, 299] } as const
const SYMMETRIC_299 = { ...IMAGENET_299, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const
/** FID resizes within the network, and takes 0–1. */
const WHOLE_299 = { ...IMAGENET_299, resize: 299, crop: null, mean: [0, 0, 0], std: [1, 1, 1] } as const

export const INCEPTIONS = {
  inception_v3: { create: inceptionV3, task: 'image-classification', input: IMAGENET_299, features: 'avgpool' },
  fid_inception_v3: { create: fidInceptionV3, task: 'image-classification', input: SYMMETRIC_299, features: 'avgpool' },
  fid_inception: { create: fidInception, task: 'features', input: WHOLE_299 },
} as const satisfies Readonly<Record<string, NetworkEntry<InceptionV3Options> | NetworkEntry<FidInceptionOptions>>>
