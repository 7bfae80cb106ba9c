// Inception-ResNet v1 with facenet-pytorch's names and v2 with timm's.
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm1d,
  Conv2d,
  Dropout,
  functional as F,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '../nn'
import { cat, type Tensor } from '../tensor'
import { BasicConv2d, sameConv } from './basic-conv'
import { checkImageSize } from './image-size'
import { IMAGENET_224, type NetworkEntry } from './network'

/** A convolution of a branch: channels, kernel, and a stride of 2 where the image shrinks. */
type Row = readonly [to: number, kernel: readonly [height: number, width: number], stride?: 2]

const ONE = [1, 1] as const
const THREE = [3, 3] as const

function unit(from: number, [to, kernel, stride]: Row): BasicConv2d {
  return stride === undefined ? sameConv(from, to, kernel) : new BasicConv2d(from, to, kernel, { stride })
}

function branch(from: number, rows: readonly Row[]): Sequential {
  let channels = from
  const units = rows.map((row) => {
    const made = unit(channels, row)
    channels = row[0]
    return made
  })
  return new Sequential(...units)
}

const widthOf = (rows: readonly Row[]) => rows.at(-1)?.[0] ?? 0

interface ResidualOptions {
  readonly channels: number
  readonly branch0: Row
  readonly branch1: readonly Row[]
  readonly branch2?: readonly Row[]
  /** Of what is added to the input: larger networks do not train without it (Sec. 3.3). */
  readonly scale: number
  readonly relu?: boolean
}

/** Branches joined, brought back to the input's channels, scaled down and added to it (Fig. 10–19). */
export class InceptionResidual extends Module {
  readonly branch0: BasicConv2d
  readonly branch1: Sequential
  readonly branch2: Sequential | null
  readonly conv2d: Conv2d
  readonly relu: ReLU | null
  readonly scale: number

  constructor({ channels, branch0, branch1, branch2, scale, relu = true }: ResidualOptions) {
    super()
    this.branch0 = unit(channels, branch0)
    this.branch1 = branch(channels, branch1)
    this.branch2 = branch2 ? branch(channels, branch2) : null
    const joined = branch0[0] + widthOf(branch1) + (branch2 ? widthOf(branch2) : 0)
    this.conv2d = new Conv2d(joined, channels, 1)
    this.relu = relu ? new ReLU() : null
    this.scale = scale
  }

  forward(input: Tensor): Tensor {
    const branches = [this.branch0, this.branch1, this.branch2].filter((each) => each !== null)
    const joined = cat(
      branches.map((each) => each.forward(input)),
      { dim: 1 },
    )
    const y = this.conv2d.forward(joined).mul(this.scale).add(input)
    return this.relu?.forward(y) ?? y
  }
}

/** Three or four branches side by side. */
export class InceptionReduction extends Module {
  readonly branch0: Layer
  readonly branch1: Layer
  readonly branch2: Layer
  readonly branch3: Layer | null

  constructor(branches: readonly [Layer, Layer, Layer, Layer?]) {
    super()
    this.branch0 = branches[0]
    this.branch1 = branches[1]
    this.branch2 = branches[2]
    this.branch3 = branches[3] ?? null
  }

  forward(input: Tensor): Tensor {
    const branches = [this.branch0, this.branch1, this.branch2, this.branch3].filter((each) => each !== null)
    return cat(
      branches.map((each) => each.forward(input)),
      { dim: 1 },
    )
  }
}

const pool = () => new MaxPool2d(3, { stride: 2 })
const times = (count: number, make: () => Layer) => new Sequential(...Array.from({ length: count }, make))
const run = (input: Tensor, layers: readonly Layer[]) => layers.reduce((x, layer) => layer.forward(x), input)

/** What both networks begin with (Fig. 3 and 14 as their code has them): an eighth of the image's sides, 192 channels. */
abstract class InceptionStem extends Module {
  readonly conv2d_1a = new BasicConv2d(3, 32, 3, { stride: 2 })
  readonly conv2d_2a = new BasicConv2d(32, 32, 3)
  readonly conv2d_2b = new BasicConv2d(32, 64, 3, { padding: 1 })
  readonly maxpool_3a = pool()
  readonly conv2d_3b = new BasicConv2d(64, 80, 1)
  readonly conv2d_4a = new BasicConv2d(80, 192, 3)

  protected stem(input: Tensor): Tensor {
    const first = [this.conv2d_1a, this.conv2d_2a, this.conv2d_2b, this.maxpool_3a]
    return run(input, [...first, this.conv2d_3b, this.conv2d_4a])
  }
}

export interface InceptionResNetV1Options {
  /** Gives logits of so many people; without it, the embedding. 8631 in the weights of VGGFace2, 10575 in CASIA's. */
  readonly numClasses?: number
  /** Before the embedding; default 0.6. */
  readonly dropout?: number
}

/**
 * Inception-ResNet v1 (Szegedy et al., AAAI 2017) as FaceNet's successors train it to recognise faces.
 *
 * Shapes: faces `[N, 3, H, W]`, 160 pixels a side in −1–1 → embeddings `[N, 512]` of length 1, or logits
 * `[N, numClasses]`; H and W are 75 or more.
 */
export class InceptionResNetV1 extends InceptionStem {
  readonly conv2d_4b = new BasicConv2d(192, 256, 3, { stride: 2 })
  readonly repeat_1 = times(5, () => {
    const three: Row = [32, THREE]
    const one: Row = [32, ONE]
    return new InceptionResidual({
      channels: 256,
      branch0: one,
      branch1: [one, three],
      branch2: [one, three, three],
      scale: 0.17,
    })
  })
  readonly mixed_6a = new InceptionReduction([
    unit(256, [384, THREE, 2]),
    branch(256, [
      [192, ONE],
      [192, THREE],
      [256, THREE, 2],
    ]),
    pool(),
  ])
  readonly repeat_2 = times(10, () => {
    const factored: Row[] = [
      [128, ONE],
      [128, [1, 7]],
      [128, [7, 1]],
    ]
    return new InceptionResidual({ channels: 896, branch0: [128, ONE], branch1: factored, scale: 0.1 })
  })
  readonly mixed_7a = reductionB(896, 256, [256, 256])
  readonly repeat_3 = times(5, () => blockC(1792, [192, 192], 0.2))
  readonly block8 = blockC(1792, [192, 192], 1, false)
  readonly avgpool_1a = new AdaptiveAvgPool2d(1)
  readonly dropout: Dropout
  readonly last_linear = new Linear(1792, 512, { bias: false })
  readonly last_bn = new BatchNorm1d(512, { eps: 1e-3 })
  readonly logits: Linear | null

  constructor({ numClasses, dropout: p = 0.6 }: InceptionResNetV1Options = {}) {
    super()
    this.dropout = new Dropout({ p })
    this.logits = numClasses === undefined ? null : new Linear(512, numClasses)
  }

  forward(input: Tensor): Tensor {
    const x = this.#features(input)
    return this.logits?.forward(x) ?? F.normalize(x)
  }

  /** The embedding of length 1, also of a network that classifies. */
  embed(input: Tensor): Tensor {
    return F.normalize(this.#features(input))
  }

  #features(input: Tensor): Tensor {
    checkImageSize('InceptionResNetV1', input, 75)
    const middle = [this.conv2d_4b, this.repeat_1, this.mixed_6a, this.repeat_2, this.mixed_7a]
    const last = [this.repeat_3, this.block8, this.avgpool_1a, this.dropout]
    const x = run(this.stem(input), [...middle, ...last]).flatten({ startDim: 1 })
    return this.last_bn.forward(this.last_linear.forward(x))
  }
}

/** From 17 to 8 pixels: three branches that end in a stride, and pooling. */
function reductionB(channels: number, width: number, [second, third]: readonly [number, number], last = third) {
  return new InceptionReduction([
    branch(channels, [
      [width, ONE],
      [384, THREE, 2],
    ]),
    branch(channels, [
      [width, ONE],
      [second, THREE, 2],
    ]),
    branch(channels, [
      [width, ONE],
      [third, THREE],
      [last, THREE, 2],
    ]),
    pool(),
  ])
}

/** The module at 8 pixels, with 1×3 and 3×1. */
function blockC(channels: number, [across, down]: readonly [number, number], scale: number, relu = true) {
  const factored: Row[] = [
    [192, ONE],
    [across, [1, 3]],
    [down, [3, 1]],
  ]
  return new InceptionResidual({ channels, branch0: [192, ONE], branch1: factored, scale, relu })
}

export interface InceptionResNetV2Options {
  /** Default 1000. */
  readonly numClasses?: number
  /** Before the last layer; default 0. */
  readonly dropout?: number
}

/**
 * Inception-v4, Inception-ResNet and the impact of residual connections on learning (Szegedy et al., AAAI 2017): v2.
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`; H and W are 75 or more, 299 in the paper.
 */
export class InceptionResNetV2 extends InceptionStem {
  readonly maxpool_5a = pool()
  readonly mixed_5b = new InceptionReduction([
    unit(192, [96, ONE]),
    branch(192, [
      [48, ONE],
      [64, [5, 5]],
    ]),
    branch(192, [
      [64, ONE],
      [96, THREE],
      [96, THREE],
    ]),
    new Sequential(new AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false }), unit(192, [64, ONE])),
  ])
  readonly repeat = times(10, () => {
    const branch2: Row[] = [
      [32, ONE],
      [48, THREE],
      [64, THREE],
    ]
    const branch1: Row[] = [
      [32, ONE],
      [32, THREE],
    ]
    return new InceptionResidual({ channels: 320, branch0: [32, ONE], branch1, branch2, scale: 0.17 })
  })
  readonly mixed_6a = new InceptionReduction([
    unit(320, [384, THREE, 2]),
    branch(320, [
      [256, ONE],
      [256, THREE],
      [384, THREE, 2],
    ]),
    pool(),
  ])
  readonly repeat_1 = times(20, () => {
    const factored: Row[] = [
      [128, ONE],
      [160, [1, 7]],
      [192, [7, 1]],
    ]
    return new InceptionResidual({ channels: 1088, branch0: [192, ONE], branch1: factored, scale: 0.1 })
  })
  readonly mixed_7a = reductionB(1088, 256, [288, 288], 320)
  readonly repeat_2 = times(9, () => blockC(2080, [224, 256], 0.2))
  readonly block8 = blockC(2080, [224, 256], 1, false)
  readonly conv2d_7b = new BasicConv2d(2080, 1536, 1)
  readonly globalPool = new AdaptiveAvgPool2d(1)
  readonly headDrop: Dropout
  readonly classif: Linear

  constructor({ numClasses = 1000, dropout: p = 0 }: InceptionResNetV2Options = {}) {
    super()
    this.headDrop = new Dropout({ p })
    this.classif = new Linear(1536, numClasses)
  }

  forward(input: Tensor): Tensor {
    checkImageSize('InceptionResNetV2', input, 75)
    const middle = [this.maxpool_5a, this.mixed_5b, this.repeat, this.mixed_6a, this.repeat_1, this.mixed_7a]
    const last = [this.repeat_2, this.block8, this.conv2d_7b, this.globalPool]
    const x = run(this.stem(input), [...middle, ...last]).flatten({ startDim: 1 })
    return this.classif.forward(this.headDrop.forward(x))
  }
}

export const inceptionResnetV1 = (options?: InceptionResNetV1Options) => new InceptionResNetV1(options)
export const inceptionResnetV2 = (options?: InceptionResNetV2Options) => new InceptionResNetV2(options)

const SYMMETRIC = { ...IMAGENET_224, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const
/** 0–255 less 127.5, over 128: what facenet-pytorch standardises faces to. */
const FACES = {
  ...SYMMETRIC,
  resize: 160,
  crop: [160, 160],
  std: [128 / 255, 128 / 255, 128 / 255],
} as const
const IMAGES = { ...SYMMETRIC, resize: 333, crop: [299, 299], interpolation: 'bicubic' } as const

export const INCEPTION_RESNETS = {
  inception_resnet_v1: { create: inceptionResnetV1, task: 'features', input: FACES, features: 'last_bn' },
  inception_resnet_v2: {
    create: inceptionResnetV2,
    task: 'image-classification',
    input: IMAGES,
    features: 'global_pool',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<InceptionResNetV1Options>>>
