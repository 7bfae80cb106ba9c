import { ConfigError, ShapeError } from '../../../native/errors'
import { init, type Layer, Linear, Module } from '../../../nn'
import type { Tensor } from '../../../tensor'
import { ArrowAlexNet } from './alexnet'
import { chunkLayout, mapChannels } from './chunks'
import type { Config } from './config'
import { ConvUnit, resetConvolutions } from './conv-unit'
import { ResNetChunkTrunk } from './resnet-trunk'
import { VggTrunk } from './vgg-trunk'

/** What a T-CAM says, and why. */
export interface Evidence {
  /** `[B, K]`. */
  readonly logits: Tensor
  /** `[B, C]`: means of the last maps, features of the clip. */
  readonly pooled: Tensor
  /** `[B, K, h, w]`: class activation maps in logits; their means are the logits. */
  readonly cam: Tensor
}

/** Part (a) of a T-CAM: maps of chunks, `[N, L · channels, H, W]` → `[N, C, h, w]`. */
export interface Trunk extends Layer {
  readonly outChannels: number
}

/**
 * Temporal class-activation-map network (Fig. 2): a trunk that all chunks share, their maps side by side on the
 * channels, convolutions, global average pooling, and one linear layer.
 *
 * `[B, T, L · channels, H, W]` → `[B]` logits of "plays forward", or `[B, K]` for K > 1 classes.
 */
export class TCam extends Module {
  readonly trunk: Trunk
  readonly classifier: ConvClassifier
  readonly fc: Linear

  /** @param classes 1 for the arrow of time, or the number of actions */
  constructor(
    readonly options: Config['network'],
    readonly classes = 1,
  ) {
    super()
    const { length, chunks } = chunkLayout(options)
    const channels = length * mapChannels(options.modality)
    this.trunk = options.trunk === 'resnet50' ? new ResNetChunkTrunk(channels) : new VggTrunk(channels, options)
    this.classifier = new ConvClassifier(chunks * this.trunk.outChannels, options)
    this.fc = new Linear(this.classifier.outChannels, classes)
    resetConvolutions(this.classifier)
    init.normal_(this.fc.weight, { std: 0.001 })
    if (this.fc.bias) init.zeros_(this.fc.bias)
  }

  /** Maps of all chunks, chunk after chunk on the channels: `[B, T · C, h, w]`. */
  fused(x: Tensor): Tensor {
    const { chunks } = this.options
    if (x.ndim !== 5 || x.size(1) !== chunks) {
      throw new ShapeError(`TCam: the input is [${x.shape.join(', ')}]; it must be [B, ${chunks}, maps, H, W]`)
    }
    const maps = this.trunk.forward(x.flatten({ startDim: 0, endDim: 1 }))
    const [, channels = 0, height = 0, width = 0] = maps.shape
    return maps.reshape([-1, chunks * channels, height, width])
  }

  /** F of the paper: what is pooled, `[B, C, h, w]`. */
  maps(x: Tensor): Tensor {
    return this.classifier.forward(this.fused(x))
  }

  forward(x: Tensor): Tensor {
    const logits = this.fc.forward(this.maps(x).mean({ dim: [2, 3] }))
    return this.classes === 1 ? logits.squeeze(1) : logits
  }

  /** M(i, j) = Σ w F(i, j) + β beside its mean, the logit. */
  evidence(x: Tensor): Evidence {
    const maps = this.maps(x)
    const pooled = maps.mean({ dim: [2, 3] })
    const { weight, bias } = this.fc
    const cam = maps.permute([0, 2, 3, 1]).matmul(weight.t())
    return {
      pooled,
      logits: this.fc.forward(pooled),
      cam: (bias ? cam.add(bias) : cam).permute([0, 3, 1, 2]),
    }
  }
}

/** Part (b): 3×3 convolutions of 1024 channels for VGG-16, one of 2048 for ResNet-50. */
export class ConvClassifier extends Module {
  readonly conv6: ConvUnit
  readonly conv7: ConvUnit | null
  readonly conv8: ConvUnit | null
  readonly outChannels: number

  constructor(inChannels: number, options: Config['network']) {
    super()
    const isVgg = options.trunk === 'vgg16'
    const channels = isVgg ? Math.max(4, Math.round(1024 * options.width)) : 2048
    const convs = isVgg ? options.classifierConvs : 1
    const unit = (from: number) => new ConvUnit(from, channels, options.normOrder, isVgg ? options.dropout : 0)
    this.outChannels = channels
    this.conv6 = unit(inChannels)
    this.conv7 = convs > 1 ? unit(channels) : null
    this.conv8 = convs > 2 ? unit(channels) : null
  }

  forward(x: Tensor): Tensor {
    const units = [this.conv6, this.conv7, this.conv8]
    return units.reduce((maps, unit) => unit?.forward(maps) ?? maps, x)
  }
}

export type ArrowNetwork = TCam | ArrowAlexNet

/**
 * The network of a config.
 *
 * @param classes 1 for the arrow of time, or the number of actions
 * @throws ConfigError when the trunk cannot take the chunks or the size
 */
export function createNetwork(config: Config, classes = 1): ArrowNetwork {
  const { network, input } = config
  if (input.crop > input.shortSide) {
    throw new ConfigError(`arrow-of-time: input.crop ${input.crop} is larger than input.shortSide ${input.shortSide}`)
  }
  if (network.trunk !== 'alexnet') return new TCam(network, classes)
  if (network.chunks !== 1) {
    throw new ConfigError(`arrow-of-time: alexnet takes one chunk; set network.chunks=1 instead of ${network.chunks}`)
  }
  return new ArrowAlexNet(network, classes)
}
