// EfficientNet v1 and v2 with torchvision's names; timm's layout of the weights from TensorFlow is in layouts/.
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  init,
  type Layer,
  Linear,
  Module,
  Sequential,
  SiLU,
  StochasticDepth,
} from '../nn'
import type { Tensor } from '../tensor'
import { ConvNorm, type ConvNormOptions } from './conv-norm'
import { makeDivisible } from './make-divisible'
import { IMAGENET_224, type ImageInput, type NetworkEntry } from './network'
import type { NormLayer } from './resnet'
import { SqueezeExcitation } from './squeeze-excitation'

export interface EfficientNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Before the last layer; the paper's grows with the network, from 0.2 to 0.5. */
  readonly dropout?: number
  /** Of the last block, in training; earlier ones have less in proportion; default 0.2. */
  readonly stochasticDepthProb?: number
  readonly normLayer?: NormLayer
  /** Pads as TensorFlow does, which weights trained there need. The `tf` networks do. */
  readonly tensorflowPadding?: boolean
}

/** A row of the papers' Table 1 (v1) or Table 4 (v2). */
interface Stage {
  readonly kind: 'mbconv' | 'fused'
  readonly expansion: number
  readonly kernel: number
  readonly stride: number
  readonly channels: number
  readonly blocks: number
}

interface Architecture {
  readonly stem: number
  readonly stages: readonly Stage[]
  /** Channels of the last convolution. */
  readonly last: number
  readonly dropout: number
  readonly norm: NormLayer
}

interface BlockOptions extends Omit<Stage, 'kind' | 'blocks'> {
  readonly drop: number
  readonly unit: Pick<ConvNormOptions, 'norm' | 'padding'>
}

const activation = () => new SiLU({ inplace: true })

/** What both kinds of block have: a branch that is dropped now and then, and a shortcut where sizes stay. */
class ResidualBlock extends Module {
  readonly block: Sequential
  readonly stochasticDepth: StochasticDepth
  readonly #shortcut: boolean

  constructor(layers: readonly Layer[], inChannels: number, { stride, channels, drop }: BlockOptions) {
    super()
    this.block = new Sequential(...layers)
    this.stochasticDepth = new StochasticDepth(drop, 'row')
    this.#shortcut = stride === 1 && inChannels === channels
  }

  forward(input: Tensor): Tensor {
    const y = this.block.forward(input)
    return this.#shortcut ? this.stochasticDepth.forward(y).add(input) : y
  }
}

/** Inverted bottleneck with squeeze-and-excitation (Tan, Le 2019). */
export class MBConv extends ResidualBlock {
  constructor(inChannels: number, options: BlockOptions) {
    const { expansion, kernel, stride, channels, unit } = options
    const wide = makeDivisible(inChannels * expansion)
    const layers: Layer[] = []
    if (wide !== inChannels) layers.push(new ConvNorm(inChannels, wide, { ...unit, kernelSize: 1, activation }))
    layers.push(
      new ConvNorm(wide, wide, { ...unit, kernelSize: kernel, stride, groups: wide, activation }),
      new SqueezeExcitation(wide, Math.max(1, Math.floor(inChannels / 4)), { activation }),
      new ConvNorm(wide, channels, { ...unit, kernelSize: 1, activation: null }),
    )
    super(layers, inChannels, options)
  }
}

/** Expansion and depthwise convolution fused into one dense one, which early stages run faster (Tan, Le 2021, Fig. 2). */
export class FusedMBConv extends ResidualBlock {
  constructor(inChannels: number, options: BlockOptions) {
    const { expansion, kernel, stride, channels, unit } = options
    const wide = makeDivisible(inChannels * expansion)
    const dense = (to: number) => new ConvNorm(inChannels, to, { ...unit, kernelSize: kernel, stride, activation })
    const layers =
      wide === inChannels
        ? [dense(channels)]
        : [dense(wide), new ConvNorm(wide, channels, { ...unit, kernelSize: 1, activation: null })]
    super(layers, inChannels, options)
  }
}

/**
 * Rethinking model scaling for convolutional networks (Tan, Le, ICML 2019) and smaller models, faster training (ICML 2021).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class EfficientNet extends Module {
  readonly features: Sequential
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly classifier: Sequential

  constructor(architecture: Architecture, options: EfficientNetOptions = {}) {
    super()
    const { numClasses = 1000, stochasticDepthProb = 0.2, tensorflowPadding = false } = options
    const { dropout: p = architecture.dropout, normLayer: norm = architecture.norm } = options
    const unit = tensorflowPadding ? ({ norm, padding: 'tensorflow' } as const) : { norm }
    const total = architecture.stages.reduce((sum, { blocks }) => sum + blocks, 0)

    const layers: Layer[] = [new ConvNorm(3, architecture.stem, { ...unit, stride: 2, activation })]
    let [inChannels, place] = [architecture.stem, 0]
    for (const { kind, blocks, stride, ...each } of architecture.stages) {
      const Block = kind === 'fused' ? FusedMBConv : MBConv
      const stage: Layer[] = []
      for (let i = 0; i < blocks; i++) {
        const drop = (stochasticDepthProb * place++) / total
        stage.push(new Block(inChannels, { ...each, stride: i === 0 ? stride : 1, drop, unit }))
        inChannels = each.channels
      }
      layers.push(new Sequential(...stage))
    }
    layers.push(new ConvNorm(inChannels, architecture.last, { ...unit, kernelSize: 1, activation }))
    this.features = new Sequential(...layers)
    this.classifier = new Sequential(new Dropout({ p, inplace: true }), new Linear(architecture.last, numClasses))
    this.#reset()
  }

  #reset(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut' })
      else if (module instanceof Linear) {
        const bound = 1 / Math.sqrt(module.outFeatures)
        init.uniform_(module.weight, { a: -bound, b: bound })
      } else continue
      if (module.bias) init.zeros_(module.bias)
    }
  }

  forward(input: Tensor): Tensor {
    return this.classifier.forward(this.avgpool.forward(this.features.forward(input)).flatten({ startDim: 1 }))
  }
}

type Row = readonly [expansion: number, kernel: number, stride: number, channels: number, blocks: number]

const stageOf = (kind: Stage['kind'], [expansion, kernel, stride, channels, blocks]: Row): Stage => {
  return { kind, expansion, kernel, stride, channels, blocks }
}

const B0: readonly Row[] = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
]

const norm = (channels: number) => new BatchNorm2d(channels)
/** Batch norm with TensorFlow's ε, in the larger networks and in v2. */
const looseNorm = (channels: number) => new BatchNorm2d(channels, { eps: 1e-3, momentum: 0.01 })
const looseSlowNorm = (channels: number) => new BatchNorm2d(channels, { eps: 1e-3 })

/** B0 wider and deeper by these factors (Sec. 3.3). */
function scaled(width: number, depth: number, dropout: number, normLayer: NormLayer = norm): Architecture {
  const stages = B0.map(([expansion, kernel, stride, channels, blocks]) =>
    stageOf('mbconv', [expansion, kernel, stride, makeDivisible(channels * width), Math.ceil(blocks * depth)]),
  )
  return {
    stem: makeDivisible(32 * width),
    stages,
    last: 4 * makeDivisible(320 * width),
    dropout,
    norm: normLayer,
  }
}

function version2(dropout: number, fused: readonly Row[], mbconv: readonly Row[]): Architecture {
  const stages = [...fused.map((row) => stageOf('fused', row)), ...mbconv.map((row) => stageOf('mbconv', row))]
  return { stem: fused[0]?.[3] ?? 24, stages, last: 1280, dropout, norm: looseSlowNorm }
}

const make = (architecture: Architecture) => (options?: EfficientNetOptions) => new EfficientNet(architecture, options)

export const efficientnetB0 = make(scaled(1, 1, 0.2))
export const efficientnetB1 = make(scaled(1, 1.1, 0.2))
export const efficientnetB2 = make(scaled(1.1, 1.2, 0.3))
export const efficientnetB3 = make(scaled(1.2, 1.4, 0.3))
export const efficientnetB4 = make(scaled(1.4, 1.8, 0.4))
export const efficientnetB5 = make(scaled(1.6, 2.2, 0.4, looseNorm))
export const efficientnetB6 = make(scaled(1.8, 2.6, 0.5, looseNorm))
export const efficientnetB7 = make(scaled(2, 3.1, 0.5, looseNorm))

export const efficientnetV2S = make(
  version2(
    0.2,
    [
      [1, 3, 1, 24, 2],
      [4, 3, 2, 48, 4],
      [4, 3, 2, 64, 4],
    ],
    [
      [4, 3, 2, 128, 6],
      [6, 3, 1, 160, 9],
      [6, 3, 2, 256, 15],
    ],
  ),
)
export const efficientnetV2M = make(
  version2(
    0.3,
    [
      [1, 3, 1, 24, 3],
      [4, 3, 2, 48, 5],
      [4, 3, 2, 80, 5],
    ],
    [
      [4, 3, 2, 160, 7],
      [6, 3, 1, 176, 14],
      [6, 3, 2, 304, 18],
      [6, 3, 1, 512, 5],
    ],
  ),
)
export const efficientnetV2L = make(
  version2(
    0.4,
    [
      [1, 3, 1, 32, 4],
      [4, 3, 2, 64, 7],
      [4, 3, 2, 96, 7],
    ],
    [
      [4, 3, 2, 192, 10],
      [6, 3, 1, 224, 19],
      [6, 3, 2, 384, 25],
      [6, 3, 1, 640, 7],
    ],
  ),
)

/** As weights trained in TensorFlow need it: its padding, and its ε in every batch norm. */
const tf = (create: (options?: EfficientNetOptions) => EfficientNet) => (options?: EfficientNetOptions) =>
  create({ tensorflowPadding: true, normLayer: looseSlowNorm, ...options })

export const tfEfficientnetB0 = tf(efficientnetB0)
export const tfEfficientnetB1 = tf(efficientnetB1)
export const tfEfficientnetB2 = tf(efficientnetB2)
export const tfEfficientnetB3 = tf(efficientnetB3)
export const tfEfficientnetB4 = tf(efficientnetB4)
export const tfEfficientnetB5 = tf(efficientnetB5)
export const tfEfficientnetB6 = tf(efficientnetB6)
export const tfEfficientnetB7 = tf(efficientnetB7)
export const tfEfficientnetV2S = tf(efficientnetV2S)

function at(resize: number, crop: number, changes: Partial<ImageInput> = { interpolation: 'bicubic' }) {
  const input: ImageInput = { ...IMAGENET_224, resize, crop: [crop, crop], ...changes }
  return { task: 'image-classification', input, features: 'avgpool' } as const
}
const SYMMETRIC = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const

export const EFFICIENTNETS = {
  efficientnet_b0: { create: efficientnetB0, ...at(256, 224) },
  efficientnet_b1: { create: efficientnetB1, ...at(256, 240) },
  efficientnet_b2: { create: efficientnetB2, ...at(288, 288) },
  efficientnet_b3: { create: efficientnetB3, ...at(320, 300) },
  efficientnet_b4: { create: efficientnetB4, ...at(384, 380) },
  efficientnet_b5: { create: efficientnetB5, ...at(456, 456) },
  efficientnet_b6: { create: efficientnetB6, ...at(528, 528) },
  efficientnet_b7: { create: efficientnetB7, ...at(600, 600) },
  efficientnet_v2_s: { create: efficientnetV2S, ...at(384, 384, {}) },
  efficientnet_v2_m: { create: efficientnetV2M, ...at(480, 480, {}) },
  efficientnet_v2_l: { create: efficientnetV2L, ...at(480, 480, { interpolation: 'bicubic', ...SYMMETRIC }) },
  tf_efficientnet_b0: { create: tfEfficientnetB0, ...at(256, 224) },
  tf_efficientnet_b1: { create: tfEfficientnetB1, ...at(272, 240) },
  tf_efficientnet_b2: { create: tfEfficientnetB2, ...at(292, 260) },
  tf_efficientnet_b3: { create: tfEfficientnetB3, ...at(331, 300) },
  tf_efficientnet_b4: { create: tfEfficientnetB4, ...at(412, 380) },
  tf_efficientnet_b5: { create: tfEfficientnetB5, ...at(488, 456) },
  tf_efficientnet_b6: { create: tfEfficientnetB6, ...at(560, 528) },
  tf_efficientnet_b7: { create: tfEfficientnetB7, ...at(632, 600) },
  tf_efficientnetv2_s: { create: tfEfficientnetV2S, ...at(384, 384, { interpolation: 'bicubic', ...SYMMETRIC }) },
} as const satisfies Readonly<Record<string, NetworkEntry<EfficientNetOptions>>>
