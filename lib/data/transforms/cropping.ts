import { ArgumentError, ShapeError } from '../../native/errors'
import { oneOf, withDefaults } from '../../nn/options'
import { type Generator, type Tensor, tidy } from '../../tensor'
import { uniform, wholeNumberBetween } from './draw'
import {
  type CropSize,
  type CropWindow,
  centerCrop,
  crop,
  cropSize,
  type FiveCrops,
  fiveCrop,
  resizedCrop,
  type TenCrops,
  tenCrop,
} from './functional/crop'
import { PADDING_MODES, type PaddingMode, type PaddingSize, pad, paddingSides, type Sides } from './functional/pad'
import { roundHalfEven } from './functional/pixels'
import { RESIZE_INTERPOLATIONS } from './functional/resize'
import { kindOf } from './kinds'
import { checkRange, type FillByKind, fillFor, type Range } from './ranges'
import type { InterpolationOptions } from './resizing'
import { commonSize, isPicture, partsOf } from './sample'
import { FixedTransform, Transform } from './transform'

type Size = readonly [height: number, width: number]

/** Cuts the middle out, adding zeros around a smaller image. */
export class CenterCrop extends FixedTransform {
  protected override readonly geometric = true
  readonly size: Size

  constructor(size: CropSize) {
    super()
    this.size = cropSize('CenterCrop', size)
  }

  transform(part: Tensor): Tensor {
    return centerCrop(part, this.size)
  }
}

/** Where a random crop lies, and what is added around the image before. */
export interface CropParams extends CropWindow {
  readonly padding: Sides
}

export interface RandomCropOptions {
  /** Added around the image before; default none. */
  readonly padding?: PaddingSize | null
  /** Adds what is missing on both sides of an image that is smaller than the crop; default false. */
  readonly padIfNeeded?: boolean
  /** For `'constant'` padding; default 0. */
  readonly fill?: FillByKind
  /** Default `'constant'`. */
  readonly paddingMode?: PaddingMode
}

/** Cuts a window out at a random place. */
export class RandomCrop extends Transform<CropParams> {
  protected override readonly geometric = true
  readonly size: Size
  readonly #padding: Sides
  readonly #padIfNeeded: boolean
  readonly #fill: FillByKind
  readonly #paddingMode: PaddingMode

  constructor(size: CropSize, options: RandomCropOptions = {}) {
    super()
    const { padding, padIfNeeded, fill, paddingMode } = withDefaults<Required<RandomCropOptions>>(
      'RandomCrop',
      { padding: null, padIfNeeded: false, fill: 0, paddingMode: 'constant' },
      options,
    )
    this.size = cropSize('RandomCrop', size)
    this.#padding = paddingSides('RandomCrop', padding ?? 0)
    this.#padIfNeeded = padIfNeeded
    this.#fill = fill
    this.#paddingMode = oneOf('RandomCrop: paddingMode', paddingMode, PADDING_MODES)
  }

  /** @throws ShapeError when the image, with its padding, is smaller than the crop */
  makeParams(parts: readonly Tensor[], generator: Generator | undefined): CropParams {
    const [imageHeight, imageWidth] = commonSize('RandomCrop', parts)
    const [height, width] = this.size
    const lack = (length: number, wanted: number) => (this.#padIfNeeded ? Math.max(wanted - length, 0) : 0)
    const { left, right, top, bottom } = this.#padding
    const down = lack(imageHeight + top + bottom, height)
    const across = lack(imageWidth + left + right, width)
    const padding = { left: left + across, right: right + across, top: top + down, bottom: bottom + down }
    const room = imageHeight + padding.top + padding.bottom - height
    const roomAcross = imageWidth + padding.left + padding.right - width
    if (room < 0 || roomAcross < 0) {
      throw new ShapeError(
        `RandomCrop: the crop ${height} × ${width} is bigger than the image, ${height + room} × ${width + roomAcross} with its padding; take a smaller crop, or padIfNeeded: true`,
      )
    }
    const place = (free: number) => (free > 0 ? wholeNumberBetween(0, free + 1, generator) : 0)
    return { top: place(room), left: place(roomAcross), height, width, padding }
  }

  transform(part: Tensor, { padding, ...window }: CropParams): Tensor {
    const { left, top, right, bottom } = padding
    if (left === 0 && top === 0 && right === 0 && bottom === 0) return crop(part, window)
    const options = { fill: fillFor(this.#fill, part), paddingMode: this.#paddingMode }
    return crop(pad<Tensor>(part, [left, top, right, bottom], options), window)
  }
}

export interface RandomResizedCropOptions extends InterpolationOptions {
  /** Part of the image's area; default 0.08 to 1. */
  readonly scale?: Range
  /** Width by height; default 3/4 to 4/3. */
  readonly ratio?: Range
}

/** Cuts a window of random area and proportions out and resizes it (Szegedy et al., CVPR 2015). */
export class RandomResizedCrop extends Transform<CropWindow> {
  protected override readonly geometric = true
  readonly size: Size
  readonly scale: Range
  readonly ratio: Range
  readonly #options: Required<InterpolationOptions>

  constructor(size: CropSize, options: RandomResizedCropOptions = {}) {
    super()
    const { scale, ratio, ...rest } = withDefaults<Required<RandomResizedCropOptions>>(
      'RandomResizedCrop',
      { scale: [0.08, 1], ratio: [3 / 4, 4 / 3], interpolation: 'bilinear', antialias: true },
      options,
    )
    this.size = cropSize('RandomResizedCrop', size)
    this.scale = checkRange('RandomResizedCrop: scale', scale, 0)
    this.ratio = checkRange('RandomResizedCrop: ratio', ratio, Number.MIN_VALUE)
    oneOf('RandomResizedCrop: interpolation', rest.interpolation, RESIZE_INTERPOLATIONS)
    this.#options = rest
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): CropWindow {
    const [height, width] = commonSize('RandomResizedCrop', parts)
    const [least, most] = this.ratio
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = height * width * uniform(...this.scale, generator)
      const aspect = Math.exp(uniform(Math.log(least), Math.log(most), generator))
      const w = roundHalfEven(Math.sqrt(area * aspect))
      const h = roundHalfEven(Math.sqrt(area / aspect))
      if (w < 1 || w > width || h < 1 || h > height) continue
      const top = wholeNumberBetween(0, height - h + 1, generator)
      const left = wholeNumberBetween(0, width - w + 1, generator)
      return { top, left, height: h, width: w }
    }
    return this.#central(height, width)
  }

  /** The largest window in the middle whose proportions are allowed. */
  #central(height: number, width: number): CropWindow {
    const [least, most] = this.ratio
    const aspect = width / height
    const h = aspect < least ? roundHalfEven(width / least) : height
    const w = aspect > most ? roundHalfEven(height * most) : width
    return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w }
  }

  transform(part: Tensor, window: CropWindow): Tensor {
    return resizedCrop(part, window, this.size, this.#options)
  }
}

/** What becomes of a sample: `Crops` in the place of images and clips, all else as it is. */
export type Cropped<T, Crops> = T extends Tensor
  ? Crops
  : T extends readonly unknown[] | { readonly [key: string]: unknown }
    ? { [K in keyof T]: Cropped<T[K], Crops> }
    : T

/** Four corners and the centre of each image and clip, in its place in the sample. */
export class FiveCrop {
  readonly size: Size

  constructor(size: CropSize) {
    this.size = cropSize('FiveCrop', size)
  }

  /** @throws ArgumentError for samples with masks, boxes or points */
  forward<T>(sample: T): Cropped<T, FiveCrops<Tensor>> {
    return replaceImages('FiveCrop', sample, (image) => fiveCrop<Tensor>(image, this.size))
  }
}

export interface TenCropOptions {
  /** Mirrors top and bottom instead of left and right; default false. */
  readonly verticalFlip?: boolean
}

/** Five crops of each image and clip and five of its mirror image, in its place in the sample. */
export class TenCrop {
  readonly size: Size
  readonly verticalFlip: boolean

  constructor(size: CropSize, options: TenCropOptions = {}) {
    this.size = cropSize('TenCrop', size)
    this.verticalFlip = withDefaults<Required<TenCropOptions>>('TenCrop', { verticalFlip: false }, options).verticalFlip
  }

  /** @throws ArgumentError for samples with masks, boxes or points */
  forward<T>(sample: T): Cropped<T, TenCrops<Tensor>> {
    return replaceImages('TenCrop', sample, (image) => tenCrop<Tensor>(image, this.size, this))
  }
}

function replaceImages<T, Crops>(name: string, sample: T, crops: (image: Tensor) => Crops): Cropped<T, Crops> {
  const { tensors, rebuild } = partsOf(sample)
  const other = tensors.find((part) => !isPicture(part))
  if (other !== undefined) {
    throw new ArgumentError(`${name}: the sample holds a ${kindOf(other)}, which cannot be cut up; take it out before`)
  }
  // What `Cropped` says of T, `partsOf` does to the value.
  return tidy(() => rebuild(crops)) as Cropped<T, Crops>
}
