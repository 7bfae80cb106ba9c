// Decoders of U-Net and U-Net++ with the names of segmentation_models_pytorch 0.6.
import { Module, ModuleDict, ModuleList } from '../../nn'
import { interpolate } from '../../nn/functional'
import { cat, type Tensor } from '../../tensor'
import { ConvNorm } from '../conv-norm'

function sizeLike(map: Tensor, like: Tensor): Tensor {
  return interpolate(map, { size: [like.size(-2), like.size(-1)], mode: 'nearest' })
}

/** Twice the size, beside an encoder's map, two convolutions. */
class UnetBlock extends Module {
  readonly conv1: ConvNorm
  readonly conv2: ConvNorm

  constructor(inChannels: number, skipChannels: number, outChannels: number) {
    super()
    this.conv1 = new ConvNorm(inChannels + skipChannels, outChannels)
    this.conv2 = new ConvNorm(outChannels, outChannels)
  }

  /** @param larger of the size that the map becomes */
  forward(map: Tensor, larger: Tensor, skip?: Tensor): Tensor {
    const up = sizeLike(map, larger)
    return this.conv2.forward(this.conv1.forward(skip ? cat([up, skip], { dim: 1 }) : up))
  }
}

const DECODER_CHANNELS: readonly number[] = [256, 128, 64, 32, 16]

/** The expanding path of U-Net (Ronneberger, Fischer, Brox, MICCAI 2015). */
export class UnetDecoder extends Module {
  readonly blocks: ModuleList<UnetBlock>

  constructor(encoder: readonly number[], channels: readonly number[] = DECODER_CHANNELS) {
    super()
    const [deepest = 0, ...skips] = encoder.slice(1).reverse()
    this.blocks = new ModuleList(
      channels.map((out, i) => new UnetBlock(channels[i - 1] ?? deepest, skips[i] ?? 0, out)),
    )
  }

  forward(maps: readonly Tensor[]): Tensor {
    const [image, ...rest] = maps
    const [deepest, ...skips] = rest.reverse()
    let x = deepest as Tensor
    for (const [i, block] of [...this.blocks].entries()) x = block.forward(x, (skips[i] ?? image) as Tensor, skips[i])
    return x
  }
}

/**
 * The nested paths of U-Net++ (Zhou et al. 2018). Blocks are `x_FROM_TO`: row FROM begins at that map of the encoder,
 * deepest first; a block of column TO has the size of map TO + 1, and takes all blocks of its column below it.
 */
export class UnetPlusPlusDecoder extends Module {
  readonly blocks: ModuleDict
  readonly #depth: number

  constructor(encoder: readonly number[], channels: readonly number[] = DECODER_CHANNELS) {
    super()
    const [deepest = 0, ...skips] = encoder.slice(1).reverse()
    const inputs = [deepest, ...channels.slice(0, -1)]
    this.#depth = channels.length - 1
    const blocks: Record<string, UnetBlock> = {}
    for (let to = 0; to < this.#depth; to++) {
      const [skip = 0, before = 0] = [skips[to], skips[to - 1]]
      for (let from = 0; from <= to; from++) {
        const first = from === 0
        const [own, out] = first ? [inputs[to] ?? 0, channels[to] ?? 0] : [before, skip]
        blocks[name(from, to)] = new UnetBlock(own, skip * (to + 1 - from), out)
      }
    }
    blocks[name(0, this.#depth)] = new UnetBlock(inputs.at(-1) ?? 0, 0, channels.at(-1) ?? 0)
    this.blocks = new ModuleDict(blocks)
  }

  forward(maps: readonly Tensor[]): Tensor {
    const [image, ...rest] = maps as readonly [Tensor, ...Tensor[]]
    const encoded = rest.reverse()
    const made = new Map<string, Tensor>()
    const at = (from: number, to: number) => made.get(name(from, to)) as Tensor
    for (let length = 0; length < this.#depth; length++) {
      for (let from = 0; from + length < this.#depth; from++) {
        const to = from + length
        const below = length === 0 ? (encoded[from] as Tensor) : at(from, to - 1)
        const skip = encoded[to + 1] as Tensor
        const column = Array.from({ length }, (_, i) => at(from + 1 + i, to))
        made.set(name(from, to), this.#block(from, to).forward(below, skip, cat([...column, skip], { dim: 1 })))
      }
    }
    return this.#block(0, this.#depth).forward(at(0, this.#depth - 1), image)
  }

  #block(from: number, to: number): UnetBlock {
    return this.blocks.get(name(from, to)) as UnetBlock
  }
}

const name = (from: number, to: number): string => `x_${from}_${to}`
