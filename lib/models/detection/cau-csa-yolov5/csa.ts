// Channel shuffle attention, in front of each convolution of the head.
import { ConvBlock, Detect } from '../../../backbones'
import { Conv1d, Module, ModuleList } from '../../../nn'
import { type Tensor, tidy } from '../../../tensor'

/** Groups of the reconstruction; the paper's count of parameters says so many. */
const GROUPS = 4

/** Width of the convolution over channels (Wang et al., "ECA-Net", CVPR 2020): 3 below 128 channels, 5 up to 1024. */
export function attentionKernel(channels: number): number {
  const t = Math.trunc((Math.log2(channels) + 1) / 2)
  return t % 2 === 1 ? t : t + 1
}

/**
 * Channels in turn from each of `groups` blocks: seen as `[groups, C / groups]`, transposed.
 *
 * @param map `[B, C, H, W]`
 */
export function channelShuffle(map: Tensor, groups: number): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = map.shape
  return map
    .view([batch, groups, channels / groups, height, width])
    .transpose(1, 2)
    .reshape([batch, channels, height, width])
}

/**
 * The paper's CSA: channels weighed by their means (Eqs. 3 and 4), and added to what a grouped convolution and a shuffle
 * of channels rebuild (Eq. 5).
 *
 * Shapes: `[B, C, H, W]` → the same.
 */
export class CSA extends Module {
  readonly att: Conv1d
  readonly rec: ConvBlock

  constructor(readonly channels: number) {
    super()
    const kernel = attentionKernel(channels)
    this.att = new Conv1d(1, 1, kernel, { padding: Math.floor(kernel / 2), bias: false })
    this.rec = new ConvBlock(channels, channels, 3, 1, 1, GROUPS)
  }

  forward(map: Tensor): Tensor {
    return tidy(() => {
      const [batch = 0, channels = 0] = map.shape
      const means = map.mean({ dim: [2, 3] }).unsqueeze(1)
      const weights = this.att.forward(means).sigmoid().view([batch, channels, 1, 1])
      return map.mul(weights).add(channelShuffle(this.rec.forward(map), GROUPS))
    })
  }
}

/** The head of YOLOv5 with CSA in front of each of its convolutions. */
export class AttentiveDetect extends Detect {
  readonly csa: ModuleList<CSA>

  constructor(...args: ConstructorParameters<typeof Detect>) {
    super(...args)
    const [, , , channels] = args
    this.csa = new ModuleList(channels.map((each) => new CSA(each)))
  }

  override forward(levels: readonly Tensor[]): Tensor[] {
    return super.forward(levels.map((level, i) => this.csa.at(i).forward(level)))
  }
}
