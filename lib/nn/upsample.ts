import { channelShuffle, pixelShuffle, pixelUnshuffle, type Tensor } from '../tensor'
import {
  fold,
  type InterpolateOptions,
  type InterpolationMode,
  interpolate,
  unfold,
  type WindowOptions,
} from './functional/vision'
import { Module } from './module'
import { expandSize, type Size, showOptions, wholeNumber, withDefaults } from './options'

/**
 * Resizes signals, images or volumes, as `torch.nn.Upsample`, whose options it has and `antialias` besides.
 *
 * Shapes: `[N, C, *]` → `[N, C, …size]`, or each size times `scaleFactor`, rounded down.
 */
export class Upsample extends Module {
  readonly size: number | readonly number[] | null
  readonly scaleFactor: number | readonly number[] | null
  readonly mode: InterpolationMode
  readonly alignCorners: boolean | null
  readonly recomputeScaleFactor: boolean | null
  readonly antialias: boolean

  constructor(options: InterpolateOptions) {
    super()
    const all = withDefaults<Required<InterpolateOptions>>(
      'Upsample',
      {
        size: null,
        scaleFactor: null,
        mode: 'nearest',
        alignCorners: null,
        recomputeScaleFactor: null,
        antialias: false,
      },
      options,
    )
    this.size = all.size
    this.scaleFactor = all.scaleFactor
    this.mode = all.mode
    this.alignCorners = all.alignCorners
    this.recomputeScaleFactor = all.recomputeScaleFactor
    this.antialias = all.antialias
  }

  forward(input: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor, antialias } = this
    return interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor, antialias })
  }

  protected override describeOptions(): string {
    const { size, scaleFactor, mode } = this
    return showOptions(scaleFactor !== null ? { scaleFactor, mode } : { size, mode })
  }
}

/** Either of the two, for images. */
export type UpsamplingOptions = Pick<InterpolateOptions, 'size' | 'scaleFactor'>

/** `Upsample` of images with mode `'nearest'`, as `torch.nn.UpsamplingNearest2d`. */
export class UpsamplingNearest2d extends Upsample {
  constructor(options: UpsamplingOptions) {
    super({ ...options, mode: 'nearest' })
  }
}

/** `Upsample` of images with mode `'bilinear'` and aligned corners, as `torch.nn.UpsamplingBilinear2d`. */
export class UpsamplingBilinear2d extends Upsample {
  constructor(options: UpsamplingOptions) {
    super({ ...options, mode: 'bilinear', alignCorners: true })
  }
}

/** Channels become pixels (Shi et al. 2016), as `torch.nn.PixelShuffle`. Shapes: `[N, C·r², H, W]` → `[N, C, H·r, W·r]`. */
export class PixelShuffle extends Module {
  constructor(readonly upscaleFactor: number) {
    super()
    wholeNumber('PixelShuffle: upscaleFactor', upscaleFactor)
  }

  forward(input: Tensor): Tensor {
    return pixelShuffle(input, this.upscaleFactor)
  }

  protected override describeOptions(): string {
    return showOptions({ upscaleFactor: this.upscaleFactor })
  }
}

/** Pixels become channels, as `torch.nn.PixelUnshuffle`. Shapes: `[N, C, H·r, W·r]` → `[N, C·r², H, W]`. */
export class PixelUnshuffle extends Module {
  constructor(readonly downscaleFactor: number) {
    super()
    wholeNumber('PixelUnshuffle: downscaleFactor', downscaleFactor)
  }

  forward(input: Tensor): Tensor {
    return pixelUnshuffle(input, this.downscaleFactor)
  }

  protected override describeOptions(): string {
    return showOptions({ downscaleFactor: this.downscaleFactor })
  }
}

/** Interleaves the channels of `groups` groups (Zhang et al. 2018), as `torch.nn.ChannelShuffle`. Shape: `[N, C, *]`, kept. */
export class ChannelShuffle extends Module {
  constructor(readonly groups: number) {
    super()
    wholeNumber('ChannelShuffle: groups', groups)
  }

  forward(input: Tensor): Tensor {
    return channelShuffle(input, this.groups)
  }

  protected override describeOptions(): string {
    return showOptions({ groups: this.groups })
  }
}

abstract class Windows extends Module {
  readonly dilation: Size<2>
  readonly padding: Size<2>
  readonly stride: Size<2>

  protected constructor(
    readonly kernelSize: Size<2>,
    options: WindowOptions,
  ) {
    super()
    const { name } = new.target
    const defaults = { dilation: 1, padding: 0, stride: 1 }
    const { dilation, padding, stride } = withDefaults<Required<WindowOptions>>(name, defaults, options)
    this.dilation = dilation
    this.padding = padding
    this.stride = stride
    expandSize(`${name}: kernelSize`, kernelSize, 2, 1)
    expandSize(`${name}: dilation`, dilation, 2, 1)
    expandSize(`${name}: padding`, padding, 2, 0)
    expandSize(`${name}: stride`, stride, 2, 1)
  }

  protected window(): Required<WindowOptions> {
    return { dilation: this.dilation, padding: this.padding, stride: this.stride }
  }
}

/** Windows of images as columns, as `torch.nn.Unfold`. Shapes: `[N, C, H, W]` → `[N, C · kernelH · kernelW, windows]`. */
export class Unfold extends Windows {
  constructor(kernelSize: Size<2>, options: WindowOptions = {}) {
    super(kernelSize, options)
  }

  forward(input: Tensor): Tensor {
    return unfold(input, this.kernelSize, this.window())
  }

  protected override describeOptions(): string {
    return showOptions({ kernelSize: this.kernelSize, ...this.window() })
  }
}

/** Sums columns back into images, as `torch.nn.Fold`. Shapes: `[N, C · kernelH · kernelW, windows]` → `[N, C, …outputSize]`. */
export class Fold extends Windows {
  constructor(
    readonly outputSize: Size<2>,
    kernelSize: Size<2>,
    options: WindowOptions = {},
  ) {
    super(kernelSize, options)
    expandSize('Fold: outputSize', outputSize, 2, 1)
  }

  forward(input: Tensor): Tensor {
    return fold(input, this.outputSize, this.kernelSize, this.window())
  }

  protected override describeOptions(): string {
    return showOptions({ outputSize: this.outputSize, kernelSize: this.kernelSize, ...this.window() })
  }
}
