import { AlexNet } from '../../../backbones'
import { ShapeError } from '../../../native/errors'
import { Module } from '../../../nn'
import type { Tensor } from '../../../tensor'
import { chunkLayout, mapChannels } from './chunks'
import type { Config } from './config'

/** AlexNet on one chunk, for the comparison with other self-supervision (Table 8): `[B, 1, C, H, W]` → `[B]` or `[B, K]`. */
export class ArrowAlexNet extends Module {
  readonly net: AlexNet

  constructor(
    readonly options: Config['network'],
    readonly classes = 1,
  ) {
    super()
    const inChannels = chunkLayout(options).length * mapChannels(options.modality)
    this.net = new AlexNet({ numClasses: classes, inChannels })
  }

  forward(x: Tensor): Tensor {
    if (x.ndim !== 5 || x.size(1) !== 1) {
      throw new ShapeError(`ArrowAlexNet: the input is [${x.shape.join(', ')}]; it must be [B, 1, maps, H, W]`)
    }
    const logits = this.net.forward(x.squeeze(1))
    return this.classes === 1 ? logits.squeeze(1) : logits
  }
}
