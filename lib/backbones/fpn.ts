// Feature pyramid network with torchvision's names.
import { ArgumentError } from '../native/errors'
import { Conv2d, init, Module, ModuleList, Sequential } from '../nn'
import { interpolate, maxPool2d, relu } from '../nn/functional'
import type { Tensor } from '../tensor'
import { type FrozenNorm, frozenNormLayer } from './frozen-norm'
import type { NetworkEntry } from './network'
import { RESNET_LAYERS, ResNetStages } from './resnet'

/** Adds maps of larger strides to a pyramid. */
export interface ExtraMaps extends Module {
  /** How many it adds. */
  readonly count: number
  /** @param pyramid the pyramid's coarsest map @param body that of the network under it */
  forward(pyramid: Tensor, body: Tensor): Tensor[]
}

/** Every second value of the coarsest map, as Faster R-CNN's region proposals have it. */
export class LastLevelMaxPool extends Module implements ExtraMaps {
  readonly count = 1

  forward(pyramid: Tensor): Tensor[] {
    return [maxPool2d(pyramid, 1, { stride: 2 })]
  }
}

/** Two maps by convolutions of stride 2, as RetinaNet has them (Lin et al., ICCV 2017): P6 and P7. */
export class LastLevelP6P7 extends Module implements ExtraMaps {
  readonly count = 2
  readonly p6: Conv2d
  readonly p7: Conv2d
  readonly #fromPyramid: boolean

  /** From the pyramid's map where the numbers of channels are equal, otherwise from the body's. */
  constructor(inChannels: number, outChannels: number) {
    super()
    this.p6 = new Conv2d(inChannels, outChannels, 3, { stride: 2, padding: 1 })
    this.p7 = new Conv2d(outChannels, outChannels, 3, { stride: 2, padding: 1 })
    for (const conv of [this.p6, this.p7]) resetLateral(conv)
    this.#fromPyramid = inChannels === outChannels
  }

  forward(pyramid: Tensor, body: Tensor): Tensor[] {
    const p6 = this.p6.forward(this.#fromPyramid ? pyramid : body)
    return [p6, this.p7.forward(relu(p6))]
  }
}

function resetLateral({ weight, bias }: Conv2d): void {
  init.kaimingUniform_(weight, { a: 1 })
  if (bias) init.zeros_(bias)
}

/**
 * Feature pyramid network (Lin, Dollár, Girshick, He, Hariharan, Belongie, CVPR 2017): maps of a network, each joined by
 * what comes down from the coarser ones.
 *
 * Shapes: maps `[N, Cᵢ, Hᵢ, Wᵢ]`, finest first → `[N, outChannels, Hᵢ, Wᵢ]`, and those that `extra` adds.
 */
export class FeaturePyramidNetwork extends Module {
  readonly innerBlocks: ModuleList<Sequential>
  readonly layerBlocks: ModuleList<Sequential>
  readonly extraBlocks: ExtraMaps | null

  constructor(inChannels: readonly number[], outChannels: number, extra: ExtraMaps | null = null) {
    super()
    this.innerBlocks = new ModuleList(
      inChannels.map((channels) => new Sequential(new Conv2d(channels, outChannels, 1))),
    )
    this.layerBlocks = new ModuleList(
      inChannels.map(() => new Sequential(new Conv2d(outChannels, outChannels, 3, { padding: 1 }))),
    )
    this.extraBlocks = extra
    for (const module of [this.innerBlocks, this.layerBlocks].flatMap((list) => [...list.modules()])) {
      if (module instanceof Conv2d) resetLateral(module)
    }
  }

  /** @throws ArgumentError for another number of maps than the pyramid was made for */
  forward(maps: readonly Tensor[]): Tensor[] {
    const coarsest = maps.at(-1)
    if (maps.length !== this.innerBlocks.length || coarsest === undefined) {
      throw new ArgumentError(`FeaturePyramidNetwork: it joins ${this.innerBlocks.length} maps, got ${maps.length}`)
    }
    let above = this.innerBlocks.at(-1).forward(coarsest)
    const joined = [this.layerBlocks.at(-1).forward(above)]
    for (let i = maps.length - 2; i >= 0; i--) {
      const lateral = this.innerBlocks.at(i).forward(maps[i] as Tensor)
      above = lateral.add(interpolate(above, { size: lateral.shape.slice(2), mode: 'nearest' }))
      joined.unshift(this.layerBlocks.at(i).forward(above))
    }
    return [...joined, ...(this.extraBlocks?.forward(joined.at(-1) as Tensor, coarsest) ?? [])]
  }
}

/** What a detector finds its boxes on: maps of the same number of channels. */
export interface PyramidBackbone extends Module {
  readonly outChannels: number
  /** How many maps come from stages of the network. */
  readonly stageMaps: number
  forward(input: Tensor): Tensor[]
}

/** A network that gives maps of its stages. */
export interface StagedNetwork extends Module {
  forward(input: Tensor): Tensor[]
}

/** A network's stages under a feature pyramid, as torchvision's `BackboneWithFPN`. */
export class BackboneWithFPN extends Module implements PyramidBackbone {
  readonly fpn: FeaturePyramidNetwork
  readonly stageMaps: number

  /** @param returned which of the body's maps the pyramid joins @param channels of those */
  constructor(
    readonly body: StagedNetwork,
    readonly returned: readonly number[],
    channels: readonly number[],
    readonly outChannels: number,
    extra: ExtraMaps = new LastLevelMaxPool(),
  ) {
    super()
    this.fpn = new FeaturePyramidNetwork(channels, outChannels, extra)
    this.stageMaps = returned.length
  }

  forward(input: Tensor): Tensor[] {
    const maps = this.body.forward(input)
    return this.fpn.forward(this.returned.map((place) => maps[place] as Tensor))
  }
}

export interface ResNetFPNOptions {
  /** Norms whose statistics, scale and shift are fixed, as in the published detectors; default false. */
  readonly frozenNorm?: FrozenNorm
  /** How many of stem and stages train, counted from the last: 0 to 5, all unless stated. */
  readonly trainableLayers?: number
  /** Which stages the pyramid joins, 1 to 4 in order; all unless stated. */
  readonly returnedLayers?: readonly number[]
  readonly outChannels?: number
  /** Default: every second value of the coarsest map. */
  readonly extra?: ExtraMaps
}

/** A residual network under a feature pyramid, as torchvision's `resnet_fpn_backbone`. @throws ArgumentError */
export function resnetFpn(name: keyof typeof RESNET_LAYERS, options: ResNetFPNOptions = {}): BackboneWithFPN {
  const { frozenNorm = false, trainableLayers = 5, returnedLayers = [1, 2, 3, 4], outChannels = 256, extra } = options
  if (!returnedLayers.length || returnedLayers.some((layer) => ![1, 2, 3, 4].includes(layer))) {
    throw new ArgumentError(`resnetFpn: returnedLayers are [${returnedLayers.join(', ')}]; they are of 1 to 4`)
  }
  const norm = frozenNormLayer(frozenNorm)
  const [block, blocks] = RESNET_LAYERS[name]
  const body = new ResNetStages(block, blocks, norm ? { normLayer: norm } : {})
  freezeStages(body, trainableLayers)
  const places = returnedLayers.map((layer) => layer - 1)
  const channels = places.map((place) => body.stageChannels[place] ?? 0)
  return new BackboneWithFPN(body, places, channels, outChannels, extra)
}

/** Leaves only the last `trainable` of stem and stages to train. */
function freezeStages(body: ResNetStages, trainable: number): void {
  if (!Number.isInteger(trainable) || trainable < 0 || trainable > 5) {
    throw new ArgumentError(`resnetFpn: trainableLayers is ${trainable}; it is 0 (none) to 5 (stem and stages)`)
  }
  const parts: readonly (readonly Module[])[] = [
    [body.conv1, body.bn1],
    [body.layer1],
    [body.layer2],
    [body.layer3],
    [body.layer4],
  ]
  for (const part of parts.slice(0, 5 - trainable)) for (const module of part) module.freeze()
}

export interface ResNetFPNBackboneOptions extends ResNetFPNOptions {
  /** Default `'resnet50'`. */
  readonly network?: keyof typeof RESNET_LAYERS
}

/** `resnetFpn` as the registry has it. */
export const resnetFpnBackbone = ({ network = 'resnet50', ...options }: ResNetFPNBackboneOptions = {}) =>
  resnetFpn(network, options)

export const PYRAMIDS = {
  resnet_fpn_backbone: {
    create: resnetFpnBackbone,
    task: 'features',
    input: {
      kind: 'image',
      resize: 800,
      crop: null,
      interpolation: 'bilinear',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
  },
} as const satisfies Readonly<Record<string, NetworkEntry<ResNetFPNBackboneOptions>>>
