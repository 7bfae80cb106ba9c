import { ArgumentError } from '../native/errors'
import { deformConv2d } from '../ops/deform-conv2d'
import { empty, type Tensor } from '../tensor'
import { resetLinear } from './linear'
import { Module } from './module'
import { expandSize, FACTORY, type FactoryOptions, type Size, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

export interface DeformConv2dLayerOptions extends FactoryOptions {
  /** Step of the kernel; default 1. */
  readonly stride?: Size<2>
  /** Zeros added at both ends of each dimension; default 0. */
  readonly padding?: Size<2>
  /** Distance between the kernel's taps; default 1. */
  readonly dilation?: Size<2>
  /** Channels are convolved in so many separate groups; default 1. */
  readonly groups?: number
  /** Adds a learnt bias; default true. */
  readonly bias?: boolean
}

/**
 * Deformable convolution as a layer, see `deformConv2d`. First values are those of `Conv2d`; offsets and mask are given to
 * `forward`, usually by a convolution of the same input.
 *
 * Shapes: input `[N, C, H, W]`, offset `[N, offset groups · 2 · kH · kW, oH, oW]` → `[N, filters, oH, oW]`.
 */
export class DeformConv2d extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | null
  readonly kernelSize: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size<2>,
    options: DeformConv2dLayerOptions = {},
  ) {
    super()
    const name = 'DeformConv2d'
    const all = withDefaults<Required<DeformConv2dLayerOptions>>(
      name,
      { stride: 1, padding: 0, dilation: 1, groups: 1, bias: true, ...FACTORY },
      options,
    )
    wholeNumber(`${name}: inChannels`, inChannels)
    wholeNumber(`${name}: outChannels`, outChannels)
    this.kernelSize = expandSize(`${name}: kernelSize`, kernelSize, 2, 1)
    this.stride = expandSize(`${name}: stride`, all.stride, 2, 1)
    this.padding = expandSize(`${name}: padding`, all.padding, 2, 0)
    this.dilation = expandSize(`${name}: dilation`, all.dilation, 2, 1)
    this.groups = wholeNumber(`${name}: groups`, all.groups)
    if (inChannels % this.groups !== 0 || outChannels % this.groups !== 0) {
      throw new ArgumentError(
        `${name}: ${inChannels} input and ${outChannels} output channels do not both divide into ${this.groups} groups`,
      )
    }
    const made = { dtype: all.dtype, device: all.device }
    this.weight = parameter(empty([outChannels, inChannels / this.groups, ...this.kernelSize], made))
    this.bias = all.bias ? parameter(empty([outChannels], made)) : null
    this.resetParameters()
  }

  /** Draws new first values: uniform within ±1/√fanIn. */
  resetParameters(): void {
    resetLinear(this.weight, this.bias)
  }

  forward(input: Tensor, offset: Tensor, mask: Tensor | null = null): Tensor {
    const { bias, stride, padding, dilation } = this
    return deformConv2d(input, offset, this.weight, {
      bias,
      stride: [stride[0] ?? 1, stride[1] ?? 1],
      padding: [padding[0] ?? 0, padding[1] ?? 0],
      dilation: [dilation[0] ?? 1, dilation[1] ?? 1],
      mask,
    })
  }

  /** torchvision's line: sizes always, the rest where it is not the default. */
  protected override describeOptions(): string {
    const { inChannels, outChannels, kernelSize, stride, padding, dilation, groups, bias } = this
    const shown = {
      kernelSize,
      stride,
      ...(padding.some((size) => size !== 0) && { padding }),
      ...(dilation.some((size) => size !== 1) && { dilation }),
      ...(groups !== 1 && { groups }),
      ...(bias === null && { bias: false }),
    }
    return `${inChannels}, ${outChannels}, ${showOptions(shown)}`
  }
}
