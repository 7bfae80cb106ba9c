import { MaxPool2d, Module, Sequential } from '../../../nn'
import type { Tensor } from '../../../tensor'
import type { Config } from './config'
import { ConvUnit, resetConvolutions } from './conv-unit'

/** The convolutions of VGG-16 with batch norm and without the last pooling: `[N, C, H, W]` → `[N, 512, H / 16, W / 16]`. */
export class VggTrunk extends Module {
  readonly conv1: Sequential
  readonly conv2: Sequential
  readonly conv3: Sequential
  readonly conv4: Sequential
  readonly conv5: Sequential
  readonly outChannels: number

  constructor(inChannels: number, { width, normOrder }: Pick<Config['network'], 'width' | 'normOrder'>) {
    super()
    const scaled = (channels: number) => Math.max(4, Math.round(channels * width))
    const stage = (from: number, to: number, convs: number, pooled = true) =>
      new Sequential(
        ...Array.from({ length: convs }, (_, i) => new ConvUnit(i === 0 ? from : to, to, normOrder)),
        ...(pooled ? [new MaxPool2d(2)] : []),
      )
    this.conv1 = stage(inChannels, scaled(64), 2)
    this.conv2 = stage(scaled(64), scaled(128), 2)
    this.conv3 = stage(scaled(128), scaled(256), 3)
    this.conv4 = stage(scaled(256), scaled(512), 3)
    this.conv5 = stage(scaled(512), scaled(512), 3, false)
    this.outChannels = scaled(512)
    resetConvolutions(this)
  }

  forward(x: Tensor): Tensor {
    return [this.conv1, this.conv2, this.conv3, this.conv4, this.conv5].reduce((maps, stage) => stage.forward(maps), x)
  }
}
