import { ArgumentError } from '../../native/errors'
import { oneOf, show, withDefaults } from '../../nn/options'
import { cat, type Generator, rand, type Tensor } from '../../tensor'
import { uniform, wholeNumberBetween } from './draw'
import { affine, rotate } from './functional/affine'
import type { Pair } from './functional/affine-matrix'
import { elastic } from './functional/elastic'
import { gaussianBlur } from './functional/filter'
import { WARP_INTERPOLATIONS, type WarpInterpolation } from './functional/grid'
import { type PerspectiveCoefficients, perspective, perspectiveCoefficients, type Quad } from './functional/perspective'
import { roundHalfEven } from './functional/pixels'
import { checkRange, type FillByKind, fillFor, type Range, rangeAroundZero } from './ranges'
import { commonSize } from './sample'
import { type RandomOptions, RandomTransform, Transform } from './transform'

export interface WarpTransformOptions {
  /** Masks are always read by `'nearest'`. */
  readonly interpolation?: WarpInterpolation
  /** Where the image has no pixels; default 0. */
  readonly fill?: FillByKind
}

export interface RandomRotationOptions extends WarpTransformOptions {
  /** Enlarges the result so that all of the input is in it; default false. */
  readonly expand?: boolean
  /** (x, y) in pixels; default the middle. */
  readonly center?: Pair | null
}

/** Rotates by a random angle. Interpolation is `'nearest'` unless stated. */
export class RandomRotation extends Transform<number> {
  protected override readonly geometric = true
  readonly degrees: Range
  readonly #options: Required<RandomRotationOptions>

  /** @param degrees a range, or one number for −degrees to degrees; counter-clockwise */
  constructor(degrees: number | Range, options: RandomRotationOptions = {}) {
    super()
    this.degrees = rangeAroundZero('RandomRotation: degrees', degrees)
    const defaults: Required<RandomRotationOptions> = { interpolation: 'nearest', fill: 0, expand: false, center: null }
    this.#options = withDefaults<Required<RandomRotationOptions>>('RandomRotation', defaults, options)
    oneOf('RandomRotation: interpolation', this.#options.interpolation, WARP_INTERPOLATIONS)
  }

  /** The angle in degrees. */
  makeParams(_parts: readonly Tensor[], generator: Generator | undefined): number {
    return uniform(...this.degrees, generator)
  }

  transform(part: Tensor, angle: number): Tensor {
    return rotate(part, angle, { ...this.#options, fill: fillFor(this.#options.fill, part) })
  }
}

/** Ranges in degrees: along x alone, or along x and along y. One number stands for −number to number along x. */
export type ShearRange = number | Range | readonly [leastX: number, mostX: number, leastY: number, mostY: number]

export interface RandomAffineOptions extends WarpTransformOptions {
  /** Most that the image is moved, as a part of its width and height; default not at all. */
  readonly translate?: Pair | null
  /** Factors; default 1. */
  readonly scale?: Range | null
  /** Default none. */
  readonly shear?: ShearRange | null
  /** (x, y) in pixels; default the middle. */
  readonly center?: Pair | null
}

export interface AffineParams {
  readonly angle: number
  readonly translate: Pair
  readonly scale: number
  readonly shear: Pair
}

/** Rotates, moves, scales and shears at random. Interpolation is `'nearest'` unless stated. */
export class RandomAffine extends Transform<AffineParams> {
  protected override readonly geometric = true
  readonly degrees: Range
  readonly #translate: Pair | null
  readonly #scale: Range | null
  readonly #shear: { readonly x: Range; readonly y: Range | null } | null
  readonly #options: { interpolation: WarpInterpolation; fill: FillByKind; center: Pair | null }

  /** @param degrees a range, or one number for −degrees to degrees; clockwise */
  constructor(degrees: number | Range, options: RandomAffineOptions = {}) {
    super()
    this.degrees = rangeAroundZero('RandomAffine: degrees', degrees)
    const { translate, scale, shear, interpolation, fill, center } = withDefaults<Required<RandomAffineOptions>>(
      'RandomAffine',
      { translate: null, scale: null, shear: null, center: null, interpolation: 'nearest', fill: 0 },
      options,
    )
    if (translate !== null && !(translate.length === 2 && translate.every((part) => part >= 0 && part <= 1))) {
      throw new ArgumentError(`RandomAffine: translate is ${show(translate)}; it must be two parts (x, y) from 0 to 1`)
    }
    this.#translate = translate
    this.#scale = scale === null ? null : checkRange('RandomAffine: scale', scale, Number.MIN_VALUE)
    this.#shear = shear === null ? null : shearRanges(shear)
    oneOf('RandomAffine: interpolation', interpolation, WARP_INTERPOLATIONS)
    this.#options = { interpolation, fill, center }
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): AffineParams {
    const [height, width] = commonSize('RandomAffine', parts)
    const angle = uniform(...this.degrees, generator)
    const [x, y] = this.#translate ?? [0, 0]
    const move = (most: number) => roundHalfEven(uniform(-most, most, generator))
    const translate: Pair = this.#translate === null ? [0, 0] : [move(x * width), move(y * height)]
    const scale = this.#scale === null ? 1 : uniform(...this.#scale, generator)
    const shearX = this.#shear === null ? 0 : uniform(...this.#shear.x, generator)
    const shearY = this.#shear?.y ? uniform(...this.#shear.y, generator) : 0
    return { angle, translate, scale, shear: [shearX, shearY] }
  }

  transform(part: Tensor, params: AffineParams): Tensor {
    return affine(part, { ...params, ...this.#options, fill: fillFor(this.#options.fill, part) })
  }
}

function shearRanges(shear: ShearRange): { readonly x: Range; readonly y: Range | null } {
  const name = 'RandomAffine: shear'
  if (typeof shear === 'number' || shear.length === 2) return { x: rangeAroundZero(name, shear), y: null }
  const [leastX, mostX, leastY, mostY] = shear
  return { x: checkRange(name, [leastX, mostX]), y: checkRange(name, [leastY, mostY]) }
}

export interface RandomPerspectiveOptions extends WarpTransformOptions, RandomOptions {
  /** How far corners may move inwards, as a part of half the side; default 0.5. */
  readonly distortionScale?: number
}

/** Moves the corners inwards at random, with probability `p`, default 0.5. Interpolation is `'bilinear'` unless stated. */
export class RandomPerspective extends RandomTransform<PerspectiveCoefficients> {
  protected override readonly geometric = true
  readonly distortionScale: number
  readonly #options: Required<WarpTransformOptions>

  constructor(options: RandomPerspectiveOptions = {}) {
    const { distortionScale, p, ...rest } = withDefaults<Required<RandomPerspectiveOptions>>(
      'RandomPerspective',
      { distortionScale: 0.5, p: 0.5, interpolation: 'bilinear', fill: 0 },
      options,
    )
    super(p)
    if (!(distortionScale >= 0 && distortionScale <= 1)) {
      throw new ArgumentError(`RandomPerspective: distortionScale is ${distortionScale}; it must be from 0 to 1`)
    }
    oneOf('RandomPerspective: interpolation', rest.interpolation, WARP_INTERPOLATIONS)
    this.distortionScale = distortionScale
    this.#options = rest
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): PerspectiveCoefficients {
    const [height, width] = commonSize('RandomPerspective', parts)
    const reach = (length: number) => Math.trunc(this.distortionScale * Math.floor(length / 2)) + 1
    const near = (length: number) => wholeNumberBetween(0, reach(length), generator)
    const far = (length: number) => wholeNumberBetween(length - reach(length), length, generator)
    const endpoints: Quad = [
      [near(width), near(height)],
      [far(width), near(height)],
      [far(width), far(height)],
      [near(width), far(height)],
    ]
    const corners: Quad = [
      [0, 0],
      [width - 1, 0],
      [width - 1, height - 1],
      [0, height - 1],
    ]
    return perspectiveCoefficients(corners, endpoints)
  }

  transform(part: Tensor, coefficients: PerspectiveCoefficients): Tensor {
    const { interpolation, fill } = this.#options
    return perspective(part, coefficients, { interpolation, fill: fillFor(fill, part) })
  }
}

export interface ElasticTransformOptions extends WarpTransformOptions {
  /** Strength along x and y; default 50. */
  readonly alpha?: number | Pair
  /** Smoothness along x and y, in pixels; default 5. */
  readonly sigma?: number | Pair
}

/** Displaces pixels by smooth noise. Interpolation is `'bilinear'` unless stated. */
export class ElasticTransform extends Transform<Tensor> {
  protected override readonly geometric = true
  readonly alpha: Pair
  readonly sigma: Pair
  readonly #options: Required<WarpTransformOptions>

  constructor(options: ElasticTransformOptions = {}) {
    super()
    const { alpha, sigma, ...rest } = withDefaults<Required<ElasticTransformOptions>>(
      'ElasticTransform',
      { alpha: 50, sigma: 5, interpolation: 'bilinear', fill: 0 },
      options,
    )
    this.alpha = pair('alpha', alpha)
    this.sigma = pair('sigma', sigma)
    oneOf('ElasticTransform: interpolation', rest.interpolation, WARP_INTERPOLATIONS)
    this.#options = rest
  }

  /** The displacement `[1, H, W, 2]`, as `elastic` takes it. */
  makeParams(parts: readonly Tensor[], generator: Generator | undefined): Tensor {
    const [height, width] = commonSize('ElasticTransform', parts)
    const noise = (axis: 0 | 1, length: number) => {
      const drawn = rand([1, 1, height, width], { generator }).mul_(2).sub_(1)
      const sigma = this.sigma[axis]
      const smooth = sigma > 0 ? gaussianBlur<Tensor>(drawn, kernelSize(sigma), { sigma: this.sigma }) : drawn
      return smooth.mul(this.alpha[axis]).div_(length)
    }
    return cat([noise(0, width), noise(1, height)], { dim: 1 }).permute([0, 2, 3, 1])
  }

  transform(part: Tensor, displacement: Tensor): Tensor {
    const { interpolation, fill } = this.#options
    return elastic(part, displacement, { interpolation, fill: fillFor(fill, part) })
  }
}

/** Four deviations at each side, rounded up to an odd size. */
function kernelSize(sigma: number): number {
  const size = Math.trunc(8 * sigma + 1)
  return size % 2 === 0 ? size + 1 : size
}

function pair(name: string, value: number | Pair): Pair {
  const both = typeof value === 'number' ? ([value, value] as const) : value
  if (Array.isArray(both) && both.length === 2 && both.every((item) => item >= 0 && Number.isFinite(item))) return both
  throw new ArgumentError(
    `ElasticTransform: ${name} is ${show(value)}; it must be a number of 0 or more, or two (x, y)`,
  )
}
