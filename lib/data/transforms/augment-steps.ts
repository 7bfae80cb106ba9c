import { ArgumentError } from '../../native/errors'
import { type Generator, linspace, type Tensor, tidy } from '../../tensor'
import { fraction, wholeNumberBetween } from './draw'
import { affine, rotate, type WarpOptions } from './functional/affine'
import { adjustBrightness, adjustContrast, adjustSaturation } from './functional/colour'
import { adjustSharpness } from './functional/filter'
import { maxValue, roundHalfEven } from './functional/pixels'
import { autocontrast, equalize, invert, posterize, solarize } from './functional/tone'
import { kindOf } from './kinds'
import { isPicture } from './sample'
import { Transform } from './transform'

/** The operations of AutoAugment and those that followed it, by torchvision's names. */
export type AugmentOperation =
  | 'Identity'
  | 'ShearX'
  | 'ShearY'
  | 'TranslateX'
  | 'TranslateY'
  | 'Rotate'
  | 'Brightness'
  | 'Color'
  | 'Contrast'
  | 'Sharpness'
  | 'Posterize'
  | 'Solarize'
  | 'AutoContrast'
  | 'Equalize'
  | 'Invert'

/** One operation with its strength; 0 for operations that have none. */
export interface AugmentStep {
  readonly operation: AugmentOperation
  readonly magnitude: number
}

const degrees = (slope: number) => (Math.atan(slope) * 180) / Math.PI

type Apply = (image: Tensor, magnitude: number, options: WarpOptions) => Tensor

const APPLY: Readonly<Record<AugmentOperation, Apply>> = {
  Identity: (image) => image,
  // The strength is the slope itself, and the top left corner stays.
  ShearX: (image, m, options) => affine(image, { ...options, shear: [degrees(m), 0], center: [0, 0] }),
  ShearY: (image, m, options) => affine(image, { ...options, shear: [0, degrees(m)], center: [0, 0] }),
  TranslateX: (image, m, options) => affine(image, { ...options, translate: [Math.trunc(m), 0] }),
  TranslateY: (image, m, options) => affine(image, { ...options, translate: [0, Math.trunc(m)] }),
  Rotate: (image, m, options) => rotate(image, m, options),
  Brightness: (image, m) => adjustBrightness(image, 1 + m),
  Color: (image, m) => adjustSaturation(image, 1 + m),
  Contrast: (image, m) => adjustContrast(image, 1 + m),
  Sharpness: (image, m) => adjustSharpness(image, 1 + m),
  Posterize: (image, m) => posterize(image, Math.trunc(m)),
  Solarize: (image, m) => solarize(image, maxValue(image.dtype) * m),
  AutoContrast: (image) => autocontrast(image),
  Equalize: (image) => equalize(image),
  Invert: (image) => invert(image),
}

/** Applies one step after another. */
export function applySteps(image: Tensor, steps: readonly AugmentStep[], options: WarpOptions): Tensor {
  return tidy(() => steps.reduce((part, { operation, magnitude }) => APPLY[operation](part, magnitude, options), image))
}

/** How strong an operation is at each of `bins` levels, for an image of a size. */
export interface Strength {
  readonly levels: (bins: number, height: number, width: number) => readonly number[]
  /** Whether half of the draws turn the sign around. */
  readonly signed: boolean
}

/** What a policy draws from; undefined for operations without a strength. */
export type AugmentationSpace = ReadonlyMap<AugmentOperation, Strength | undefined>

/** Even steps from one strength to another, in float32 as torchvision has them. */
function evenly(from: number, to: number, bins: number): readonly number[] {
  return tidy(() => Array.from(linspace(from, to, bins).dataSync(), Number))
}

/** A strength from 0 to `most`, to either side. */
export function upTo(most: number): Strength {
  return { levels: (bins) => evenly(0, most, bins), signed: true }
}

export function partOfWidth(part: number): Strength {
  return { levels: (bins, _, width) => evenly(0, part * width, bins), signed: true }
}

export function partOfHeight(part: number): Strength {
  return { levels: (bins, height) => evenly(0, part * height, bins), signed: true }
}

/** Bits that are kept, from `most` down by `range`. */
export function bits(most: number, range: number): Strength {
  const level = (i: number, bins: number) => Math.fround(most - Math.fround(i / ((bins - 1) / range)))
  return { levels: (bins) => Array.from({ length: bins }, (_, i) => roundHalfEven(level(i, bins))), signed: false }
}

export const SOLARIZE: Strength = { levels: (bins) => evenly(1, 0, bins), signed: false }

/** An operation at a level, with its sign drawn where it has one. */
export function drawStep(
  space: AugmentationSpace,
  operation: AugmentOperation,
  bins: number,
  level: (bins: number) => number,
  [height, width]: readonly [height: number, width: number],
  generator: Generator | undefined,
): AugmentStep {
  const strength = space.get(operation)
  if (strength === undefined) return { operation, magnitude: 0 }
  const magnitude = strength.levels(bins, height, width)[level(bins)] ?? 0
  const negative = strength.signed && fraction(generator) <= 0.5
  return { operation, magnitude: negative ? -magnitude : magnitude }
}

/** One of the operations of a space. */
export function drawOperation(space: AugmentationSpace, generator: Generator | undefined): AugmentOperation {
  const names = [...space.keys()]
  return names[wholeNumberBetween(0, names.length, generator)] ?? 'Identity'
}

/** A policy for whole images: it changes exactly one image or clip, and cannot take masks, boxes or points along. */
export abstract class ImagePolicy<Params> extends Transform<Params> {
  protected override check(parts: readonly Tensor[]): void {
    const other = parts.find((part) => !isPicture(part))
    if (other !== undefined) {
      throw new ArgumentError(
        `${this.constructor.name}: the sample holds a ${kindOf(other)}, which would lose its place; it is for images and clips`,
      )
    }
    if (parts.length > 1) {
      throw new ArgumentError(`${this.constructor.name}: the sample holds ${parts.length} images; it is for one`)
    }
  }
}
