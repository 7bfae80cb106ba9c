// Content-aware upsampling over several scales: where the neck of YOLOv5 repeats pixels, this weighs them.
import { ConvBlock } from '../../../backbones'
import { ContentAwareUpsample, functional as F, ModuleList } from '../../../nn'
import { expandPyramid, poolPyramid } from '../../../ops'
import { type Tensor, tidy } from '../../../tensor'

/** Sides of the pooled maps. */
const BINS = [1, 2, 3, 6] as const

export interface CAUOptions {
  /** K_u, the side of the window that an output is weighed from; 5 unless stated. */
  readonly window?: number
  /** Channels that the weights are predicted from; 64 unless stated. */
  readonly compressed?: number
  /** Whether a convolution follows; 'conv' unless stated. */
  readonly post?: 'conv' | 'none'
}

/**
 * The paper's CAU: the map joined with its means over 1, 4, 9 and 36 bins, fused, and enlarged with weights that are
 * predicted from the map itself (Eqs. 1 and 2).
 *
 * Shapes: `[B, C, H, W]` → `[B, C, 2H, 2W]`.
 */
export class CAU extends ContentAwareUpsample {
  readonly pool: ModuleList<PooledConv>
  readonly fuse: ConvBlock
  readonly post: ConvBlock | null

  constructor(channels: number, { window = 5, compressed = 64, post = 'conv' }: CAUOptions = {}) {
    super(channels, { window, compressed })
    const quarter = channels / BINS.length
    this.pool = new ModuleList(BINS.map(() => new PooledConv(channels, quarter)))
    this.fuse = new ConvBlock(2 * channels, channels)
    this.post = post === 'conv' ? new ConvBlock(channels, channels) : null
  }

  override forward(map: Tensor): Tensor {
    return tidy(() => {
      const pooled = poolPyramid(map, BINS).map((mean, i) => this.pool.at(i).forward(mean))
      const enlarged = super.forward(this.fuse.forward(expandPyramid(map, pooled)), map)
      return this.post ? this.post.forward(enlarged) : enlarged
    })
  }
}

/** Convolution, norm and SiLU that also train on one value a channel: the variance of one value is no variance. */
class PooledConv extends ConvBlock {
  override forward(input: Tensor): Tensor {
    const [batch = 0, , height = 0, width = 0] = input.shape
    if (!this.training || batch * height * width > 1) return super.forward(input)
    const { runningMean, runningVar, weight, bias, eps } = this.bn
    const norm = { runningMean, runningVar, weight, bias, eps, training: false }
    return this.act.forward(F.batchNorm(this.conv.forward(input), norm))
  }
}
