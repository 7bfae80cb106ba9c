import { ArgumentError } from '../native/errors'
import { type BinaryLayerOutput, bconv3dFused, type PackedBinaryWeight, signBiasPack } from '../ops'
import { noGrad, ones, type Tensor, tidy, zeros } from '../tensor'
import { Module } from './module'
import type { BatchNorm3d } from './norm'
import { expandSize, type Size, showOptions, wholeNumber } from './options'
import { type Buffer, buffer } from './roles'

export interface PackedBinaryConv3dOptions {
  /** Default 1. */
  readonly stride?: Size<3>
  /** Default 0. */
  readonly padding?: Size<3>
}

/** What follows a convolution in its block: `PReLU(norm(y) + shortcut + bias1; slope) + bias2`. */
export interface BinaryBlockTail {
  /** With running statistics; identity without it. */
  readonly norm?: BatchNorm3d | null
  /** `[outChannels]`. */
  readonly bias1?: Tensor | null
  readonly slope?: Tensor | null
  readonly bias2?: Tensor | null
}

export interface PackedForwardOptions {
  /** The block's shortcut, `[N, C', To, Ho, Wo]`; see `bconv3dFused`. */
  readonly residual?: Tensor | null
  /** The bias of the layer that reads the result, for its bits. */
  readonly nextBias?: Tensor | null
  /** Which results to make; default `output`. */
  readonly returns?: 'output' | 'bits' | 'both'
}

/**
 * A `BinaryConv3d` for inference, with what follows it in its block: weights of one bit, and one float for each channel
 * and step of the epilogue. Made by `BinaryConv3d.toPacked()`, or empty, to be filled by `loadStateDict()`.
 *
 * Shapes: bits `[N, T, H, W, ⌈inChannels/64⌉]` int64, or floats `[N, inChannels, T, H, W]` → see `bconv3dFused`.
 */
export class PackedBinaryConv3d extends Module {
  /** `[⌈outChannels/8⌉, kt·kh·kw, ⌈inChannels/64⌉, 8]` int64. */
  readonly weight: Buffer
  /** `[inChannels]`, added before the sign is taken. */
  readonly bias: Buffer
  /** `[outChannels]`: α·γ/√(σ² + ε). */
  readonly scale: Buffer
  /** `[outChannels]`: β − μ·γ/√(σ² + ε). */
  readonly shift: Buffer
  readonly bias1: Buffer
  readonly slope: Buffer
  readonly bias2: Buffer
  readonly kernelSize: readonly [number, number, number]
  readonly stride: readonly [number, number, number]
  readonly padding: readonly [number, number, number]

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size<3>,
    { stride = 1, padding = 0 }: PackedBinaryConv3dOptions = {},
  ) {
    super()
    const name = 'PackedBinaryConv3d'
    wholeNumber(`${name}: inChannels`, inChannels)
    wholeNumber(`${name}: outChannels`, outChannels)
    this.kernelSize = expandTriple(`${name}: kernelSize`, kernelSize, 1)
    this.stride = expandTriple(`${name}: stride`, stride, 1)
    this.padding = expandTriple(`${name}: padding`, padding, 0)
    const taps = this.kernelSize.reduce((a, b) => a * b)
    const tiles = [Math.ceil(outChannels / 8), taps, Math.ceil(inChannels / 64), 8]
    this.weight = buffer(zeros(tiles, { dtype: 'int64' }))
    this.bias = buffer(zeros([inChannels]))
    this.scale = buffer(ones([outChannels]))
    this.shift = buffer(zeros([outChannels]))
    this.bias1 = buffer(zeros([outChannels]))
    this.slope = buffer(ones([outChannels]))
    this.bias2 = buffer(zeros([outChannels]))
  }

  /** The weights with their sizes, as `bconv3d` takes them. */
  get packedWeight(): PackedBinaryWeight {
    const { weight: words, inChannels, outChannels, kernelSize } = this
    return { words: words as Tensor<'int64'>, inChannels, outChannels, kernelSize }
  }

  /**
   * @param input bits of the layer before, which has added `bias`, or floats, to which it is added here
   */
  forward(input: Tensor, options: PackedForwardOptions = {}): BinaryLayerOutput {
    const { bias, scale, shift, bias1, slope, bias2, stride, padding } = this
    const bits = input.dtype === 'int64' ? input : signBiasPack(input, bias)
    const epilogue = { stride, padding, bias1, slope, bias2, ...options }
    return noGrad(() => bconv3dFused(bits, this.packedWeight, scale, shift, epilogue))
  }

  protected override describeOptions(): string {
    const { inChannels, outChannels, kernelSize, stride, padding } = this
    return `${inChannels}, ${outChannels}, ${showOptions({ kernelSize, stride, padding })}`
  }
}

/** The scale and shift of a batch norm in evaluation behind sums of ±1 times `alpha`, taken in float64. */
export function foldNorm(alpha: Tensor, norm: BatchNorm3d | null): { readonly scale: Tensor; readonly shift: Tensor } {
  if (norm === null) return { scale: alpha, shift: zeros([alpha.numel]) }
  const { runningMean, runningVar, weight, bias, eps } = norm
  if (!runningMean || !runningVar) {
    throw new ArgumentError('BinaryConv3d.toPacked: the batch norm has no running statistics; train it with them')
  }
  return tidy(() => {
    const wide = (t: Tensor) => t.detach().to('float64')
    const factor = wide(runningVar)
      .add(eps)
      .rsqrt()
      .mul(weight ? wide(weight) : 1)
    const shift = wide(runningMean).mul(factor).neg()
    return { scale: factor.mul(wide(alpha)), shift: bias ? shift.add(wide(bias)) : shift }
  })
}

export function expandTriple(name: string, size: Size<3>, least: number): readonly [number, number, number] {
  const [t = least, h = least, w = least] = expandSize(name, size, 3, least)
  return [t, h, w]
}
