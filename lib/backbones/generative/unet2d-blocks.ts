// The parts of diffusion's U-Net: embeddings of steps, residual blocks that see them, and attention over places.
import { ArgumentError } from '../../native/errors'
import { Conv2d, Dropout, GroupNorm, Linear, Module, Sequential } from '../../nn'
import { arange, cat, pad, scaledDotProductAttention, silu, type Tensor } from '../../tensor'

export interface SinusoidOptions {
  /** Cosines before sines; default false. */
  readonly flipSinToCos?: boolean
  /** Frequencies fall to 1 / 10000 at number `dim / 2 − shift`; 1, the default, at the last, 0 one after. */
  readonly frequencyShift?: number
}

/**
 * Sines and cosines of steps (Vaswani et al. 2017), as DDPM has them.
 *
 * @param steps `[N]`, whole or fractional
 * @returns float32 `[N, dim]`; an odd `dim` ends with a zero
 */
export function sinusoidalEmbedding(steps: Tensor, dim: number, options: SinusoidOptions = {}): Tensor {
  const { flipSinToCos = false, frequencyShift = 1 } = options
  const half = Math.floor(dim / 2)
  if (!(half - frequencyShift > 0)) {
    throw new ArgumentError(`sinusoidalEmbedding: dim is ${dim}; it must be above ${2 * frequencyShift + 1}`)
  }
  const rate = -Math.log(10000) / (half - frequencyShift)
  const frequencies = arange(half, { dtype: 'float32', device: steps.device }).mul(rate).exp()
  const angles = steps.to('float32').unsqueeze(1).mul(frequencies.unsqueeze(0))
  const halves = flipSinToCos ? [angles.cos(), angles.sin()] : [angles.sin(), angles.cos()]
  const joined = cat(halves, { dim: 1 })
  return dim % 2 === 0 ? joined : pad(joined, [0, 1])
}

export type StepEmbeddingOptions = SinusoidOptions

/** Two linear layers after the sines and cosines of the steps. Shapes: `[N]` → `[N, outputs]`. */
export class StepEmbedding extends Module {
  static override readonly stateNames = { linear1: 'linear_1', linear2: 'linear_2' }
  readonly linear1: Linear
  readonly linear2: Linear
  readonly #options: SinusoidOptions

  constructor(
    readonly dim: number,
    outputs: number,
    { flipSinToCos, frequencyShift }: SinusoidOptions = {},
  ) {
    super()
    this.linear1 = new Linear(dim, outputs)
    this.linear2 = new Linear(outputs, outputs)
    this.#options = {
      ...(flipSinToCos !== undefined && { flipSinToCos }),
      ...(frequencyShift !== undefined && { frequencyShift }),
    }
  }

  forward(steps: Tensor): Tensor {
    return this.linear2.forward(silu(this.linear1.forward(sinusoidalEmbedding(steps, this.dim, this.#options))))
  }
}

export interface ResidualOptions {
  /** Length of the step's vector. */
  readonly stepChannels: number
  readonly groups: number
  readonly eps: number
  readonly dropout: number
}

/** Two convolutions after norms, the step's vector added between them. Shapes: `[N, C, H, W]`, `[N, stepChannels]`. */
export class UNet2DResidualBlock extends Module {
  readonly norm1: GroupNorm
  readonly conv1: Conv2d
  readonly timeEmbProj: Linear
  readonly norm2: GroupNorm
  readonly dropout: Dropout
  readonly conv2: Conv2d
  readonly convShortcut: Conv2d | null

  constructor(inChannels: number, outChannels: number, { stepChannels, groups, eps, dropout }: ResidualOptions) {
    super()
    this.norm1 = new GroupNorm(groups, inChannels, { eps })
    this.conv1 = new Conv2d(inChannels, outChannels, 3, { padding: 1 })
    this.timeEmbProj = new Linear(stepChannels, outChannels)
    this.norm2 = new GroupNorm(groups, outChannels, { eps })
    this.dropout = new Dropout({ p: dropout })
    this.conv2 = new Conv2d(outChannels, outChannels, 3, { padding: 1 })
    this.convShortcut = inChannels === outChannels ? null : new Conv2d(inChannels, outChannels, 1)
  }

  forward(x: Tensor, step: Tensor): Tensor {
    const shift = this.timeEmbProj.forward(silu(step)).unsqueeze(-1).unsqueeze(-1)
    const y = this.conv1.forward(silu(this.norm1.forward(x))).add(shift)
    const z = this.conv2.forward(this.dropout.forward(silu(this.norm2.forward(y))))
    return z.add(this.convShortcut ? this.convShortcut.forward(x) : x)
  }
}

export interface AttentionBlockOptions {
  /** Null for a single head. */
  readonly headChannels: number | null
  readonly groups: number
  readonly eps: number
}

/** Attention of every place to all, added to its input. Shape: `[N, C, H, W]`, kept. */
export class AttentionBlock extends Module {
  readonly groupNorm: GroupNorm
  readonly toQ: Linear
  readonly toK: Linear
  readonly toV: Linear
  readonly toOut: Sequential<readonly [Linear]>
  readonly heads: number

  constructor(
    readonly channels: number,
    { headChannels, groups, eps }: AttentionBlockOptions,
  ) {
    super()
    const heads = headChannels === null ? 1 : channels / headChannels
    if (!Number.isInteger(heads)) {
      throw new ArgumentError(`AttentionBlock: ${channels} channels do not divide into heads of ${headChannels}`)
    }
    this.heads = heads
    this.groupNorm = new GroupNorm(groups, channels, { eps })
    this.toQ = new Linear(channels, channels)
    this.toK = new Linear(channels, channels)
    this.toV = new Linear(channels, channels)
    this.toOut = new Sequential(new Linear(channels, channels))
  }

  forward(x: Tensor): Tensor {
    const [images = 0, channels = 0, height = 0, width = 0] = x.shape
    const places = this.groupNorm.forward(x).flatten({ startDim: 2 }).transpose(1, 2)
    const split = (t: Tensor) => t.reshape([images, height * width, this.heads, -1]).transpose(1, 2)
    const [q, k, v] = [this.toQ, this.toK, this.toV].map((layer) => split(layer.forward(places)))
    const seen = scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor)
    const joined = this.toOut.forward(seen.transpose(1, 2).reshape([images, height * width, channels]))
    return joined.transpose(1, 2).reshape([images, channels, height, width]).add(x)
  }
}
