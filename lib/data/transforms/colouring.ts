import { ArgumentError } from '../../native/errors'
import { probability, withDefaults } from '../../nn/options'
import type { Generator, Tensor } from '../../tensor'
import { fraction, permutation, uniform } from './draw'
import {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  checkChannels,
  grayscaleToRgb,
  permuteChannels,
  rgbToGrayscale,
} from './functional/colour'
import { adjustHue } from './functional/hue'
import { checkRange, type Range } from './ranges'
import { commonChannels, isPicture } from './sample'
import { FixedTransform, type RandomOptions, RandomTransform, Transform } from './transform'

/** A grey image of one channel, or of three equal ones. */
export class Grayscale extends FixedTransform {
  readonly numOutputChannels: 1 | 3

  constructor(options: { readonly numOutputChannels?: 1 | 3 } = {}) {
    super()
    const defaults: { numOutputChannels: 1 | 3 } = { numOutputChannels: 1 }
    this.numOutputChannels = withDefaults('Grayscale', defaults, options).numOutputChannels
    checkChannels('Grayscale', this.numOutputChannels)
  }

  transform(part: Tensor): Tensor {
    return rgbToGrayscale(part, this)
  }
}

/** A grey image in as many channels as before, with probability `p`, default 0.1. */
export class RandomGrayscale extends RandomTransform<1 | 3> {
  constructor(options: RandomOptions = {}) {
    super(withDefaults('RandomGrayscale', { p: 0.1 }, options).p)
  }

  makeParams(parts: readonly Tensor[]): 1 | 3 {
    const channels = commonChannels('RandomGrayscale', parts)
    return channels === 1 ? 1 : 3
  }

  transform(part: Tensor, numOutputChannels: 1 | 3): Tensor {
    return rgbToGrayscale(part, { numOutputChannels })
  }
}

/** Grey images in three channels; RGB images as they are. */
export class RGB extends FixedTransform {
  transform(part: Tensor): Tensor {
    return grayscaleToRgb(part)
  }
}

/** What a colour transform does, by name; undefined leaves it out. */
export interface ColorParams {
  readonly brightness: number | undefined
  readonly contrast: number | undefined
  readonly saturation: number | undefined
  readonly hue: number | undefined
}

type Adjustment = keyof ColorParams

const ADJUST: Readonly<Record<Adjustment, (part: Tensor, factor: number) => Tensor>> = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  hue: adjustHue,
}

const ADJUSTMENTS = ['brightness', 'contrast', 'saturation', 'hue'] as const

function adjust(part: Tensor, what: Adjustment, factor: number | undefined): Tensor {
  return factor === undefined ? part : ADJUST[what](part, factor)
}

export interface ColorJitterOptions {
  /** A range of factors; one number b stands for 1 − b to 1 + b; default none. */
  readonly brightness?: number | Range | null
  readonly contrast?: number | Range | null
  readonly saturation?: number | Range | null
  /** A range within −0.5 to 0.5 turns; one number h stands for −h to h; default none. */
  readonly hue?: number | Range | null
}

/** Factors, and the order in which they are applied. */
export interface ColorJitterParams extends ColorParams {
  readonly order: readonly Adjustment[]
}

/** Changes brightness, contrast, saturation and hue at random, in random order. */
export class ColorJitter extends Transform<ColorJitterParams> {
  readonly brightness: Range | null
  readonly contrast: Range | null
  readonly saturation: Range | null
  readonly hue: Range | null

  constructor(options: ColorJitterOptions = {}) {
    super()
    const defaults: Required<ColorJitterOptions> = { brightness: null, contrast: null, saturation: null, hue: null }
    const ranges = withDefaults<Required<ColorJitterOptions>>('ColorJitter', defaults, options)
    this.brightness = jitterRange('brightness', ranges.brightness)
    this.contrast = jitterRange('contrast', ranges.contrast)
    this.saturation = jitterRange('saturation', ranges.saturation)
    this.hue = jitterRange('hue', ranges.hue)
  }

  makeParams(_parts: readonly Tensor[], generator: Generator | undefined): ColorJitterParams {
    const order = permutation(4, generator).flatMap((i) => ADJUSTMENTS[i] ?? [])
    const draw = (range: Range | null) => (range === null ? undefined : uniform(...range, generator))
    const [brightness, contrast] = [draw(this.brightness), draw(this.contrast)]
    return { order, brightness, contrast, saturation: draw(this.saturation), hue: draw(this.hue) }
  }

  transform(part: Tensor, params: ColorJitterParams): Tensor {
    return params.order.reduce((changed, what) => adjust(changed, what, params[what]), part)
  }
}

/** The range of factors; null where it leaves everything as it is. */
function jitterRange(what: Adjustment, value: number | Range | null): Range | null {
  const name = `ColorJitter: ${what}`
  const [centre, least, most] = what === 'hue' ? [0, -0.5, 0.5] : [1, 0, Infinity]
  if (value === null) return null
  if (typeof value === 'number' && !(value >= 0)) {
    throw new ArgumentError(
      `${name} is ${value}; a single number must be 0 or more, and is how far factors lie from ${centre}`,
    )
  }
  const range: Range =
    typeof value !== 'number' ? value : [what === 'hue' ? -value : Math.max(centre - value, 0), centre + value]
  const [low, high] = checkRange(name, range, least, most)
  return low === centre && high === centre ? null : [low, high]
}

/** Puts the channels in random order. */
export class RandomChannelPermutation extends Transform<readonly number[]> {
  makeParams(parts: readonly Tensor[], generator: Generator | undefined): readonly number[] {
    return permutation(commonChannels('RandomChannelPermutation', parts), generator)
  }

  transform(part: Tensor, order: readonly number[]): Tensor {
    return permuteChannels(part, order)
  }
}

export interface RandomPhotometricDistortOptions extends RandomOptions {
  /** Default 0.875 to 1.125. */
  readonly brightness?: Range
  /** Default 0.5 to 1.5. */
  readonly contrast?: Range
  /** Default 0.5 to 1.5. */
  readonly saturation?: Range
  /** Default −0.05 to 0.05. */
  readonly hue?: Range
}

export interface PhotometricParams extends ColorParams {
  /** Whether contrast comes before saturation and hue. */
  readonly contrastFirst: boolean
  readonly order: readonly number[] | undefined
}

/** Distorts colours as SSD does (Liu et al., ECCV 2016): each kind of change with probability `p`, default 0.5. */
export class RandomPhotometricDistort extends Transform<PhotometricParams> {
  readonly p: number
  readonly #ranges: { readonly [K in Adjustment]: Range }

  constructor(options: RandomPhotometricDistortOptions = {}) {
    super()
    const { p, ...ranges } = withDefaults<Required<RandomPhotometricDistortOptions>>(
      'RandomPhotometricDistort',
      { brightness: [0.875, 1.125], contrast: [0.5, 1.5], saturation: [0.5, 1.5], hue: [-0.05, 0.05], p: 0.5 },
      options,
    )
    const name = 'RandomPhotometricDistort'
    this.p = probability(`${name}: p`, p)
    this.#ranges = {
      brightness: checkRange(`${name}: brightness`, ranges.brightness, 0),
      contrast: checkRange(`${name}: contrast`, ranges.contrast, 0),
      saturation: checkRange(`${name}: saturation`, ranges.saturation, 0),
      hue: checkRange(`${name}: hue`, ranges.hue, -0.5, 0.5),
    }
  }

  protected override check(parts: readonly Tensor[]): void {
    if (parts.some(isPicture)) commonChannels('RandomPhotometricDistort', parts)
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): PhotometricParams {
    const draw = (what: Adjustment) =>
      fraction(generator) < this.p ? uniform(...this.#ranges[what], generator) : undefined
    const [brightness, contrast, saturation, hue] = [
      draw('brightness'),
      draw('contrast'),
      draw('saturation'),
      draw('hue'),
    ]
    const contrastFirst = fraction(generator) < 0.5
    const channels = commonChannels('RandomPhotometricDistort', parts)
    const order = fraction(generator) < this.p ? permutation(channels, generator) : undefined
    return { brightness, contrast, saturation, hue, contrastFirst, order }
  }

  transform(part: Tensor, { brightness, contrast, saturation, hue, contrastFirst, order }: PhotometricParams): Tensor {
    const bright = adjust(part, 'brightness', brightness)
    const before = contrastFirst ? adjust(bright, 'contrast', contrast) : bright
    const coloured = adjust(adjust(before, 'saturation', saturation), 'hue', hue)
    const after = contrastFirst ? coloured : adjust(coloured, 'contrast', contrast)
    return order === undefined ? after : permuteChannels(after, order)
  }
}
