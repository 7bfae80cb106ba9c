import { type BinaryEstimator, type BinaryScale, bconv3d, binConv3d, packBinaryWeight, signBiasPack } from '../ops'
import { empty, noGrad, ones, type Tensor, tidy, zeros } from '../tensor'
import { type BinaryBlockTail, expandTriple, foldNorm, PackedBinaryConv3d } from './binary-conv3d-packed'
import { resetLinear } from './linear'
import { Module } from './module'
import { FACTORY, type FactoryOptions, oneOf, type Size, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

export interface BinaryConv3dLayerOptions extends FactoryOptions {
  /** Step of the kernel; default 1. */
  readonly stride?: Size<3>
  /** Zeros added around the ±1 input; default 0. */
  readonly padding?: Size<3>
  /** Learns a bias of each input channel, added before the sign is taken; default true. */
  readonly bias?: boolean
  /** Default `mean-abs`. */
  readonly scale?: BinaryScale
  /** Default `quadratic`. */
  readonly estimator?: BinaryEstimator
}

const DEFAULTS = {
  stride: 1,
  padding: 0,
  bias: true,
  scale: 'mean-abs',
  estimator: 'quadratic',
  ...FACTORY,
} as const

/**
 * Convolution of signs with signs over time, height and width, see `binConv3d`. The master weights are floats; after each
 * step of the optimizer `clampWeight()` brings them back to −1…1, beyond which they would have no gradient.
 *
 * Shapes: `[N, inChannels, T, H, W]` → `[N, outChannels, To, Ho, Wo]`.
 *
 * @throws ArgumentError for sizes that are no whole numbers, unknown options, and for groups and dilation, which it has not
 */
export class BinaryConv3d extends Module {
  /** `[outChannels, inChannels, kt, kh, kw]`. */
  readonly weight: Parameter
  /** `[inChannels]`. */
  readonly bias: Parameter | null
  readonly kernelSize: readonly [number, number, number]
  readonly stride: readonly [number, number, number]
  readonly padding: readonly [number, number, number]
  readonly scale: BinaryScale
  readonly estimator: BinaryEstimator

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size<3>,
    given: BinaryConv3dLayerOptions = {},
  ) {
    super()
    const name = 'BinaryConv3d'
    const options = withDefaults<Required<BinaryConv3dLayerOptions>>(name, DEFAULTS, given)
    wholeNumber(`${name}: inChannels`, inChannels)
    wholeNumber(`${name}: outChannels`, outChannels)
    this.kernelSize = expandTriple(`${name}: kernelSize`, kernelSize, 1)
    this.stride = expandTriple(`${name}: stride`, options.stride, 1)
    this.padding = expandTriple(`${name}: padding`, options.padding, 0)
    this.scale = oneOf<BinaryScale>(`${name}: scale`, options.scale, ['mean-abs', 'none'])
    this.estimator = oneOf<BinaryEstimator>(`${name}: estimator`, options.estimator, ['quadratic', 'clip'])
    const made = { dtype: options.dtype, device: options.device }
    this.weight = parameter(empty([outChannels, inChannels, ...this.kernelSize], made))
    this.bias = options.bias ? parameter(zeros([inChannels], made)) : null
    this.resetParameters()
  }

  /** Draws new first weights, uniform within ±1/√fanIn; the bias begins at 0. */
  resetParameters(): void {
    resetLinear(this.weight, null)
    const { bias } = this
    if (bias) noGrad(() => bias.zero_())
  }

  forward(input: Tensor): Tensor {
    const { weight, bias, stride, padding, scale, estimator } = this
    return binConv3d(input, weight, { bias, stride, padding, scale, estimator })
  }

  /** Brings the weights back to −1…1. */
  clampWeight(): void {
    noGrad(() => tidy(() => void this.weight.clamp_({ min: -1, max: 1 })))
  }

  /** What inference needs: packed weights, and the scale of each output channel `[outChannels]`, null for 1. */
  pack() {
    return noGrad(() =>
      tidy(() => {
        const scale = this.scale === 'none' ? null : this.weight.abs().mean({ dim: [1, 2, 3, 4] })
        return { weight: packBinaryWeight(this.weight), scale }
      }),
    )
  }

  /**
   * The layer for inference: packed weights, with the weight scale and a batch norm folded into one scale and shift for
   * each channel, and the rest of its block. It is a copy: later steps of training do not reach it.
   *
   * @throws ArgumentError when the norm has no running statistics
   */
  toPacked({ norm = null, bias1, slope, bias2 }: BinaryBlockTail = {}): PackedBinaryConv3d {
    const { inChannels, outChannels, kernelSize, stride, padding } = this
    const packed = new PackedBinaryConv3d(inChannels, outChannels, kernelSize, { stride, padding })
    noGrad(() =>
      tidy(() => {
        const { weight, scale: alpha } = this.pack()
        const folded = foldNorm(alpha ?? ones([outChannels], { device: this.weight.device }), norm)
        const given = { ...folded, weight: weight.words, bias: this.bias, bias1, slope, bias2 }
        for (const name of ['weight', 'bias', 'scale', 'shift', 'bias1', 'slope', 'bias2'] as const) {
          const value = given[name]
          if (value) packed[name].copy_(value)
        }
      }),
    )
    return packed
  }

  /** The exact sums, `[N, To, Ho, Wo, outChannels]` int32, without scale and without gradient. */
  sums(input: Tensor): Tensor<'int32'> {
    const { stride, padding } = this
    return noGrad(() =>
      tidy(() => bconv3d(signBiasPack(input, this.bias), packBinaryWeight(this.weight), { stride, padding })),
    )
  }

  protected override describeOptions(): string {
    const { inChannels, outChannels, kernelSize, stride, padding, bias, scale, estimator } = this
    const shown = { kernelSize, stride, padding, ...(bias === null && { bias: false }), scale, estimator }
    return `${inChannels}, ${outChannels}, ${showOptions(shown)}`
  }
}
