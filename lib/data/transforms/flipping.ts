import { oneOf, withDefaults } from '../../nn/options'
import type { Generator, Tensor } from '../../tensor'
import { fractions } from './draw'
import { horizontalFlip, verticalFlip } from './functional/flip'
import { PADDING_MODES, type PaddingMode, type PaddingSize, pad, paddingSides } from './functional/pad'
import { checkRange, type FillByKind, fillFor, type Range } from './ranges'
import { commonSize } from './sample'
import { FixedTransform, RandomFixedTransform, type RandomOptions, RandomTransform } from './transform'

/** Mirrors left and right with probability `p`, default 0.5. */
export class RandomHorizontalFlip extends RandomFixedTransform {
  protected override readonly geometric = true

  constructor(options: RandomOptions = {}) {
    super(withDefaults('RandomHorizontalFlip', { p: 0.5 }, options).p)
  }

  transform(part: Tensor): Tensor {
    return horizontalFlip(part)
  }
}

/** Mirrors top and bottom with probability `p`, default 0.5. */
export class RandomVerticalFlip extends RandomFixedTransform {
  protected override readonly geometric = true

  constructor(options: RandomOptions = {}) {
    super(withDefaults('RandomVerticalFlip', { p: 0.5 }, options).p)
  }

  transform(part: Tensor): Tensor {
    return verticalFlip(part)
  }
}

export interface PadTransformOptions {
  /** For `'constant'` padding; default 0. */
  readonly fill?: FillByKind
  /** Default `'constant'`. */
  readonly paddingMode?: PaddingMode
}

/** Adds pixels at the sides. */
export class Pad extends FixedTransform {
  protected override readonly geometric = true
  readonly fill: FillByKind
  readonly paddingMode: PaddingMode

  constructor(
    readonly padding: PaddingSize,
    options: PadTransformOptions = {},
  ) {
    super()
    const defaults: Required<PadTransformOptions> = { fill: 0, paddingMode: 'constant' }
    const { fill, paddingMode } = withDefaults<Required<PadTransformOptions>>('Pad', defaults, options)
    paddingSides('Pad', padding)
    this.fill = fill
    this.paddingMode = oneOf('Pad: paddingMode', paddingMode, PADDING_MODES)
  }

  transform(part: Tensor): Tensor {
    return pad(part, this.padding, { fill: fillFor(this.fill, part), paddingMode: this.paddingMode })
  }
}

export interface RandomZoomOutOptions extends RandomOptions {
  /** Default 0. */
  readonly fill?: FillByKind
  /** Sides of the larger canvas, as multiples of the image's; default 1 to 4. */
  readonly sideRange?: Range
}

/** Puts the image at a random place of a larger canvas, with probability `p`, default 0.5 (SSD, ECCV 2016). */
export class RandomZoomOut extends RandomTransform<PaddingSize> {
  protected override readonly geometric = true
  readonly fill: FillByKind
  readonly sideRange: Range

  constructor(options: RandomZoomOutOptions = {}) {
    const defaults: Required<RandomZoomOutOptions> = { fill: 0, sideRange: [1, 4], p: 0.5 }
    const { fill, sideRange, p } = withDefaults<Required<RandomZoomOutOptions>>('RandomZoomOut', defaults, options)
    super(p)
    this.fill = fill
    this.sideRange = checkRange('RandomZoomOut: sideRange', sideRange, 1)
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): PaddingSize {
    const [height, width] = commonSize('RandomZoomOut', parts)
    const [least, most] = this.sideRange
    const [side = 0] = fractions(1, generator)
    const factor = least + side * (most - least)
    const [down, across] = [Math.trunc(height * factor) - height, Math.trunc(width * factor) - width]
    const [x = 0, y = 0] = fractions(2, generator)
    const [left, top] = [Math.trunc(across * x), Math.trunc(down * y)]
    return [left, top, across - left, down - top]
  }

  transform(part: Tensor, padding: PaddingSize): Tensor {
    return pad(part, padding, { fill: fillFor(this.fill, part) })
  }
}
