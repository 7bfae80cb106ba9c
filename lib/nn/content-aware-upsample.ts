import { contentAwareUpsample } from '../ops'
import type { Tensor } from '../tensor'
import { Conv2d } from './conv'
import { normal_, xavierUniform_, zeros_ } from './init'
import { Module } from './module'
import { oneOf, showOptions, wholeNumber, withDefaults } from './options'

export interface ContentAwareUpsampleLayerOptions {
  /** r; 2 unless stated. */
  readonly scale?: number
  /** K, odd; 5 unless stated. */
  readonly window?: number
  /** Channels that the weights are predicted from; 64 unless stated. */
  readonly compressed?: number
  /** Side of the convolution that predicts them, odd; K − 2 unless stated, and at least 1. */
  readonly encoder?: number
  /** Blocks of channels with weights of their own; 1 unless stated. */
  readonly groups?: number
  readonly border?: 'zeros' | 'replicate'
}

/**
 * Enlarges a map with weights that it predicts from the map itself: a 1 × 1 convolution, a convolution that gives r²K²
 * logits, and `contentAwareUpsample` (Wang et al., "CARAFE", ICCV 2019). Fresh weights are all but equal: a box filter and
 * the nearest neighbour.
 *
 * Shapes: `[B, C, H, W]` → `[B, C, r·H, r·W]`.
 */
export class ContentAwareUpsample extends Module {
  readonly comp: Conv2d
  readonly enc: Conv2d
  readonly scale: number
  readonly window: number
  readonly groups: number
  readonly border: 'zeros' | 'replicate'

  constructor(
    readonly channels: number,
    options: ContentAwareUpsampleLayerOptions = {},
  ) {
    super()
    const name = 'ContentAwareUpsample'
    const all = withDefaults<Required<ContentAwareUpsampleLayerOptions>>(
      name,
      {
        scale: 2,
        window: 5,
        compressed: 64,
        encoder: Math.max((options.window ?? 5) - 2, 1),
        groups: 1,
        border: 'zeros',
      },
      options,
    )
    this.scale = wholeNumber(`${name}: scale`, all.scale)
    this.window = wholeNumber(`${name}: window`, all.window)
    this.groups = wholeNumber(`${name}: groups`, all.groups)
    this.border = oneOf(`${name}: border`, all.border, ['zeros', 'replicate'] as const)
    const encoder = wholeNumber(`${name}: encoder`, all.encoder)
    this.comp = new Conv2d(channels, all.compressed, 1)
    this.enc = new Conv2d(all.compressed, this.groups * this.scale ** 2 * this.window ** 2, encoder, {
      padding: Math.floor(encoder / 2),
    })
    xavierUniform_(this.comp.weight)
    normal_(this.enc.weight, { std: 0.001 })
    if (this.enc.bias) zeros_(this.enc.bias)
  }

  /** @param source what the weights are predicted from, of the size of `x`; `x` unless stated */
  forward(x: Tensor, source: Tensor = x): Tensor {
    const { scale, window, groups, border } = this
    return contentAwareUpsample(x, this.enc.forward(this.comp.forward(source)), { scale, window, groups, border })
  }

  protected override describeOptions(): string {
    return `${this.channels}, ${showOptions({ scale: this.scale, window: this.window, groups: this.groups })}`
  }
}
