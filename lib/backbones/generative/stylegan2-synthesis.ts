// StyleGAN2's synthesis network with skip connections, with the names of NVIDIA's stylegan2-ada-pytorch.
import { ArgumentError, ShapeError } from '../../native/errors'
import { init, type Member, Module, type Parameter, parameter } from '../../nn'
import { wholeNumber } from '../../nn/options'
import { type Buffer, buffer } from '../../nn/roles'
import { upsample2d } from '../../ops'
import { empty, type Generator, randn, type Tensor } from '../../tensor'
import { activate, EqualizedLinear, resampleFilter } from './equalized'
import { modulatedConv2d } from './modulated-conv'

/** Fresh noise each time, each layer's own stored noise, or none. */
export type NoiseMode = 'random' | 'const' | 'none'

export interface SynthesisRunOptions {
  /** Default `'random'`. */
  readonly noiseMode?: NoiseMode
  /** Draws the noise from this generator instead of the default one. */
  readonly generator?: Generator
  /** The form of modulated convolutions, see `modulatedConv2d`; by default the fused one unless in training. */
  readonly fused?: boolean
}

export interface SynthesisLayerOptions {
  /** Side of the output. */
  readonly resolution: number
  /** Default 3. */
  readonly kernelSize?: number
  /** Default 1. */
  readonly up?: number
  /** Default true. */
  readonly noise?: boolean
  /** Largest size of an output; none unless stated. */
  readonly clamp?: number | null
}

/**
 * Style block: a convolution modulated by an affine map of w, noise, bias and leaky ReLU.
 *
 * Shapes: x `[N, inChannels, H, W]`, w `[N, wDim]` → `[N, outChannels, H · up, W · up]`.
 */
export class SynthesisLayer extends Module {
  readonly weight: Parameter
  readonly noiseStrength: Parameter | null
  readonly bias: Parameter
  readonly resampleFilter = resampleFilter()
  readonly noiseConst: Buffer | null
  readonly affine: EqualizedLinear
  readonly kernelSize: number
  readonly up: number
  readonly clamp: number | null

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly wDim: number,
    { resolution, kernelSize = 3, up = 1, noise = true, clamp = null }: SynthesisLayerOptions,
  ) {
    super()
    this.kernelSize = kernelSize
    this.up = up
    this.clamp = clamp
    this.affine = new EqualizedLinear(wDim, inChannels, { biasInit: 1 })
    this.weight = parameter(empty([outChannels, inChannels, kernelSize, kernelSize]))
    init.normal_(this.weight)
    this.noiseConst = noise ? buffer(empty([resolution, resolution])) : null
    if (this.noiseConst) init.normal_(this.noiseConst)
    this.noiseStrength = noise ? parameter(empty([])) : null
    if (this.noiseStrength) init.zeros_(this.noiseStrength)
    this.bias = parameter(empty([outChannels]))
    init.zeros_(this.bias)
  }

  /** @param gain a factor of the result */
  forward(
    x: Tensor,
    w: Tensor,
    { gain = 1, ...options }: SynthesisRunOptions & { readonly gain?: number } = {},
  ): Tensor {
    const { up, resampleFilter: filter, clamp } = this
    const { fused = !this.training } = options
    const noise = this.#noise(x, options)
    const padding = Math.floor(this.kernelSize / 2)
    const y = modulatedConv2d(x, this.weight, this.affine.forward(w), { filter, up, padding, noise, fused })
    return activate(y.add(this.bias.reshape([-1, 1, 1])), 'leakyRelu', { gain, clamp })
  }

  #noise(x: Tensor, { noiseMode = 'random', generator }: SynthesisRunOptions): Tensor | null {
    if (this.noiseStrength === null || this.noiseConst === null || noiseMode === 'none') return null
    if (noiseMode === 'const') return this.noiseConst.mul(this.noiseStrength)
    const [images = 0, , height = 0, width = 0] = x.shape
    const shape = [images, 1, height * this.up, width * this.up]
    return randn(shape, { device: x.device, dtype: x.dtype, generator }).mul(this.noiseStrength)
  }
}

/** A modulated 1 × 1 convolution to colours, without demodulation. Shapes: x `[N, C, H, W]`, w → `[N, colours, H, W]`. */
export class ToRGB extends Module {
  readonly weight: Parameter
  readonly bias: Parameter
  readonly affine: EqualizedLinear
  readonly clamp: number | null
  readonly #gain: number

  constructor(inChannels: number, outChannels: number, wDim: number, { clamp = null }: { clamp?: number | null } = {}) {
    super()
    this.clamp = clamp
    this.affine = new EqualizedLinear(wDim, inChannels, { biasInit: 1 })
    this.weight = parameter(empty([outChannels, inChannels, 1, 1]))
    init.normal_(this.weight)
    this.bias = parameter(empty([outChannels]))
    init.zeros_(this.bias)
    this.#gain = 1 / Math.sqrt(inChannels)
  }

  forward(x: Tensor, w: Tensor, { fused = !this.training }: SynthesisRunOptions = {}): Tensor {
    const styles = this.affine.forward(w).mul(this.#gain)
    const y = modulatedConv2d(x, this.weight, styles, { demodulate: false, fused })
    return activate(y.add(this.bias.reshape([-1, 1, 1])), 'linear', { clamp: this.clamp })
  }
}

/** The layers of one resolution. The first begins with a learnt constant, the others double the size of their maps. */
export class SynthesisBlock extends Module {
  readonly const: Parameter | null
  readonly resampleFilter = resampleFilter()
  readonly conv0: SynthesisLayer | null
  readonly conv1: SynthesisLayer
  readonly torgb: ToRGB

  /** @param inChannels null for the first block */
  constructor(
    inChannels: number | null,
    outChannels: number,
    wDim: number,
    resolution: number,
    {
      imgChannels = 3,
      clamp = null,
      noise = true,
    }: { imgChannels?: number; clamp?: number | null; noise?: boolean } = {},
  ) {
    super()
    this.const = inChannels === null ? parameter(empty([outChannels, resolution, resolution])) : null
    if (this.const) init.normal_(this.const)
    const options = { resolution, clamp, noise }
    this.conv0 = inChannels === null ? null : new SynthesisLayer(inChannels, outChannels, wDim, { ...options, up: 2 })
    this.conv1 = new SynthesisLayer(outChannels, outChannels, wDim, options)
    this.torgb = new ToRGB(outChannels, imgChannels, wDim, { clamp })
  }

  /** How many vectors w are its own; the last of those that it takes is the next block's first. */
  get layers(): number {
    return this.conv0 ? 2 : 1
  }

  /**
   * @param x maps of the block before; null for the first block
   * @param image what the blocks before painted; null for the first block
   * @param ws `[N, layers + 1, wDim]`
   */
  forward(
    x: Tensor | null,
    image: Tensor | null,
    ws: Tensor,
    options: SynthesisRunOptions = {},
  ): { readonly x: Tensor; readonly image: Tensor } {
    const w = ws.unbind({ dim: 1 })
    const at = (i: number) => w[i] as Tensor
    const begun = this.#begin(x, ws.size(0), at(0), options)
    const maps = this.conv1.forward(begun, at(this.layers - 1), options)
    const colours = this.torgb.forward(maps, at(this.layers), options).to('float32')
    return { x: maps, image: image ? upsample2d(image, this.resampleFilter).add(colours) : colours }
  }

  #begin(x: Tensor | null, images: number, w: Tensor, options: SynthesisRunOptions): Tensor {
    if (this.const) return this.const.unsqueeze(0).expand([images, -1, -1, -1])
    if (x && this.conv0) return this.conv0.forward(x, w, options)
    throw new ArgumentError('SynthesisBlock: a block that is not the first takes maps of the block before')
  }
}

export interface SynthesisOptions {
  /** Default 512. */
  readonly wDim?: number
  /** Side of the images, a power of 2 from 4. */
  readonly resolution: number
  /** Default 3. */
  readonly imgChannels?: number
  /** Channels times side are this, where the maximum allows; default 32768. */
  readonly channelBase?: number
  /** Default 512. */
  readonly channelMax?: number
  /** Largest size of a convolution's output, 256 where published for half precision; none unless stated. */
  readonly clamp?: number | null
}

/** Sides from 4 to the images'. @throws ArgumentError unless `resolution` is a power of 2 from `least` */
export function sidesUpTo(name: string, resolution: number, least = 4): number[] {
  const log = Math.log2(resolution)
  if (!Number.isInteger(log) || resolution < least) {
    throw new ArgumentError(`${name}: resolution is ${resolution}; it is a power of 2 from ${least}`)
  }
  return Array.from({ length: log - 1 }, (_, i) => 2 ** (i + 2))
}

/**
 * Paints images from vectors w, one for each layer, adding what every resolution paints.
 *
 * Shapes: ws `[N, numWs, wDim]` → `[N, imgChannels, resolution, resolution]`.
 */
export class SynthesisNetwork extends Module {
  readonly numWs: number
  readonly wDim: number
  readonly #blocks: ReadonlyMap<number, SynthesisBlock>

  constructor(options: SynthesisOptions) {
    super()
    const { wDim = 512, resolution, imgChannels = 3, channelBase = 32768, channelMax = 512, clamp = null } = options
    wholeNumber('SynthesisNetwork: channelBase', channelBase)
    const channels = (side: number) => Math.min(Math.floor(channelBase / side), channelMax)
    const sides = sidesUpTo('SynthesisNetwork', resolution)
    this.wDim = wDim
    this.#blocks = new Map(
      sides.map((side) => {
        const before = side === 4 ? null : channels(side / 2)
        return [side, new SynthesisBlock(before, channels(side), wDim, side, { imgChannels, clamp })]
      }),
    )
    this.numWs = 2 * sides.length
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    for (const [side, block] of this.#blocks) yield [`b${side}`, block]
  }

  /** @throws ShapeError for another number of vectors or another length */
  forward(ws: Tensor, options: SynthesisRunOptions = {}): Tensor {
    const { numWs, wDim } = this
    if (ws.ndim !== 3 || ws.size(1) !== numWs || ws.size(2) !== wDim) {
      throw new ShapeError(
        `SynthesisNetwork: ws has shape [${ws.shape}]; it must be [N, ${numWs}, ${wDim}]: one vector for each layer`,
      )
    }
    let state: { readonly x: Tensor; readonly image: Tensor } | null = null
    let first = 0
    for (const block of this.#blocks.values()) {
      state = block.forward(state?.x ?? null, state?.image ?? null, ws.narrow(1, first, block.layers + 1), options)
      first += block.layers
    }
    return (state as { readonly image: Tensor }).image
  }
}
