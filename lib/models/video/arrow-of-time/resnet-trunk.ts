import { Bottleneck, ResNetStages } from '../../../backbones'
import { Module } from '../../../nn'
import type { Tensor } from '../../../tensor'

/** ResNet-50 up to its last stage, for any number of channels: `[N, C, H, W]` → `[N, 2048, H / 32, W / 32]`. */
export class ResNetChunkTrunk extends Module {
  readonly stages: ResNetStages
  readonly outChannels = 2048

  constructor(inChannels: number) {
    super()
    this.stages = new ResNetStages(Bottleneck, [3, 4, 6, 3], { inChannels })
  }

  forward(x: Tensor): Tensor {
    return this.stages.forward(x)[3]
  }
}
