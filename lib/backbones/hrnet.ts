// HRNet for classification, with timm's names.

import { ShapeError } from '../native/errors'
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Identity,
  init,
  type Layer,
  Linear,
  Module,
  ModuleList,
  ReLU,
  Sequential,
  Upsample,
} from '../nn'
import { type Tensor, tidy } from '../tensor'
import { IMAGENET_224, type NetworkEntry } from './network'
import { BasicBlock, Bottleneck } from './resnet'

export interface HRNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
  /** Share of the values that are dropped before the classifier in training; default 0. */
  readonly dropout?: number
}

const PLAIN = {
  stride: 1,
  groups: 1,
  baseWidth: 64,
  dilation: 1,
  norm: (channels: number) => new BatchNorm2d(channels),
}

function convNorm(from: number, to: number, kernel: 1 | 3, stride: number, { bias = false } = {}): readonly Layer[] {
  return [new Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, bias }), new BatchNorm2d(to)]
}

const relu = () => new ReLU({ inplace: true })

/** Branches of different resolution, each with four blocks, and their exchange (the paper's Fig. 3). */
export class HighResolutionModule extends Module {
  readonly branches: ModuleList<Sequential>
  /** From branch j to branch i, by i then j. */
  readonly fuseLayers: ModuleList<ModuleList<Layer>>

  constructor(channels: readonly number[]) {
    super()
    this.branches = new ModuleList(
      channels.map((width) => new Sequential(...Array.from({ length: 4 }, () => new BasicBlock(width, width, PLAIN)))),
    )
    this.fuseLayers = new ModuleList(
      channels.map((_, i) => new ModuleList(channels.map((_, j) => exchange(channels, j, i)))),
    )
  }

  forward(inputs: readonly Tensor[]): Tensor[] {
    const maps = inputs.map((input, i) => this.branches.at(i).forward(input))
    return [...this.fuseLayers].map((layers) =>
      maps
        .map((map, j) => layers.at(j).forward(map))
        .reduce((sum, map) => sum.add(map))
        .relu(),
    )
  }
}

/** Brings a map to another branch's size: enlarged after a 1×1 convolution, or made smaller by 3×3 ones of stride 2. */
function exchange(channels: readonly number[], from: number, to: number): Layer {
  const [source = 0, target = 0] = [channels[from], channels[to]]
  if (from === to) return new Identity()
  if (from > to) {
    return new Sequential(
      ...convNorm(source, target, 1, 1),
      new Upsample({ scaleFactor: 2 ** (from - to), mode: 'nearest' }),
    )
  }
  const steps = Array.from({ length: to - from - 1 }, () => new Sequential(...convNorm(source, source, 3, 2), relu()))
  return new Sequential(...steps, new Sequential(...convNorm(source, target, 3, 2)))
}

/** Modules one after the other on the same branches. */
class HighResolutionStage extends Module {
  readonly #modules: ModuleList<HighResolutionModule>

  constructor(count: number, channels: readonly number[]) {
    super()
    this.#modules = new ModuleList(Array.from({ length: count }, () => new HighResolutionModule(channels)))
  }

  protected override *members() {
    yield* this.#modules.namedChildren()
  }

  forward(inputs: readonly Tensor[]): Tensor[] {
    return [...this.#modules].reduce<readonly Tensor[]>((maps, module) => module.forward(maps), inputs) as Tensor[]
  }
}

/**
 * High-resolution network (Sun, Xiao, Liu, Wang, CVPR 2019; Wang et al., TPAMI 2020), with the head for classification.
 *
 * Shapes: `[N, 3, H, W]`, H and W multiples of 32, → `[N, numClasses]`; `extractMaps` gives the four resolutions.
 *
 * @throws ShapeError (from `forward`) for other sizes
 */
export class HRNet extends Module {
  readonly conv1 = new Conv2d(3, 64, 3, { stride: 2, padding: 1, bias: false })
  readonly bn1 = new BatchNorm2d(64)
  readonly conv2 = new Conv2d(64, 64, 3, { stride: 2, padding: 1, bias: false })
  readonly bn2 = new BatchNorm2d(64)
  readonly layer1: Sequential
  readonly transition1: ModuleList<Layer>
  readonly stage2: HighResolutionStage
  readonly transition2: ModuleList<Layer>
  readonly stage3: HighResolutionStage
  readonly transition3: ModuleList<Layer>
  readonly stage4: HighResolutionStage
  readonly increModules: ModuleList<Sequential>
  readonly downsampModules: ModuleList<Sequential>
  readonly finalLayer: Sequential
  readonly globalPool = new AdaptiveAvgPool2d(1)
  readonly headDrop: Dropout
  readonly classifier: Linear

  /** @param width channels of the finest branch; each coarser one has twice as many */
  constructor(width: number, { numClasses = 1000, dropout = 0 }: HRNetOptions = {}) {
    super()
    const channels = [1, 2, 4, 8].map((factor) => factor * width)
    const head = [32, 64, 128, 256]
    this.layer1 = new Sequential(
      new Bottleneck(64, 64, PLAIN),
      ...Array.from({ length: 3 }, () => new Bottleneck(256, 64, PLAIN)),
    )
    this.transition1 = new ModuleList([
      new Sequential(...convNorm(256, width, 3, 1), relu()),
      new Sequential(new Sequential(...convNorm(256, 2 * width, 3, 2), relu())),
    ])
    this.stage2 = new HighResolutionStage(1, channels.slice(0, 2))
    this.transition2 = addBranch(channels, 2)
    this.stage3 = new HighResolutionStage(4, channels.slice(0, 3))
    this.transition3 = addBranch(channels, 3)
    this.stage4 = new HighResolutionStage(3, channels)
    this.increModules = new ModuleList(
      channels.map((from, i) => new Sequential(new Bottleneck(from, head[i] ?? 0, PLAIN))),
    )
    this.downsampModules = new ModuleList(
      head.slice(0, 3).map((from, i) => {
        return new Sequential(...convNorm(4 * from, 4 * (head[i + 1] ?? 0), 3, 2, { bias: true }), relu())
      }),
    )
    this.finalLayer = new Sequential(...convNorm(1024, 2048, 1, 1, { bias: true }), relu())
    this.headDrop = new Dropout({ p: dropout })
    this.classifier = new Linear(2048, numClasses)
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
    }
  }

  forward(images: Tensor): Tensor {
    const [first, ...rest] = this.extractMaps(images).map((map, i) => this.increModules.at(i).forward(map)) as [Tensor]
    const joined = (rest as Tensor[]).reduce(
      (sum, map, i) => map.add(this.downsampModules.at(i).forward(sum)),
      first as Tensor,
    )
    const pooled = this.globalPool.forward(this.finalLayer.forward(joined)).flatten({ startDim: 1 })
    return this.classifier.forward(this.headDrop.forward(pooled))
  }

  /** The maps of the last stage, a quarter of the image's size and smaller by two each: what dense tasks take. */
  extractMaps(images: Tensor): Tensor[] {
    const { shape } = images
    const [, , height = 0, width = 0] = shape
    if (shape.length !== 4 || height < 1 || width < 1 || height % 32 !== 0 || width % 32 !== 0) {
      throw new ShapeError(
        `HRNet: the input has shape [${shape.join(', ')}]; it must be [N, 3, H, W] with H and W multiples of 32: resize or pad the images`,
      )
    }
    return tidy(() => this.#stages(images))
  }

  #stages(images: Tensor): Tensor[] {
    let x = this.bn1.forward(this.conv1.forward(images)).relu()
    x = this.layer1.forward(this.bn2.forward(this.conv2.forward(x)).relu())
    const second = this.stage2.forward([...this.transition1].map((layer) => layer.forward(x)))
    const third = this.stage3.forward(widen(second, this.transition2))
    return this.stage4.forward(widen(third, this.transition3))
  }
}

/** A new branch of half the size of the last; the others stay. */
function addBranch(channels: readonly number[], index: number): ModuleList<Layer> {
  const added = new Sequential(
    new Sequential(...convNorm(channels[index - 1] ?? 0, channels[index] ?? 0, 3, 2), relu()),
  )
  return new ModuleList<Layer>([...Array.from({ length: index }, () => new Identity()), added])
}

function widen(maps: readonly Tensor[], transition: ModuleList<Layer>): Tensor[] {
  return [...maps, transition.at(-1).forward(maps.at(-1) as Tensor)]
}

export const hrnetW18 = (options?: HRNetOptions) => new HRNet(18, options)
export const hrnetW32 = (options?: HRNetOptions) => new HRNet(32, options)
export const hrnetW48 = (options?: HRNetOptions) => new HRNet(48, options)

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'global_pool' } as const

export const HRNETS = {
  hrnet_w18: { create: hrnetW18, ...classifier },
  hrnet_w32: { create: hrnetW32, ...classifier },
  hrnet_w48: { create: hrnetW48, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<HRNetOptions>>>
