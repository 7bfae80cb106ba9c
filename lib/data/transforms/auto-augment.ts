import { ArgumentError } from '../../native/errors'
import { oneOf, wholeNumber, withDefaults } from '../../nn/options'
import type { Generator, Tensor } from '../../tensor'
import {
  type AugmentationSpace,
  type AugmentOperation,
  type AugmentStep,
  applySteps,
  bits,
  drawOperation,
  drawStep,
  ImagePolicy,
  partOfHeight,
  partOfWidth,
  SOLARIZE,
  type Strength,
  upTo,
} from './augment-steps'
import { type AutoAugmentPolicy, POLICIES } from './auto-augment-policies'
import { fraction, pick, wholeNumberBetween } from './draw'
import type { Fill } from './functional/fill'
import { WARP_INTERPOLATIONS, type WarpInterpolation } from './functional/grid'
import { commonSize } from './sample'

export interface AugmentOptions {
  /** How rotations, shears and translations read; default `'nearest'`. */
  readonly interpolation?: WarpInterpolation
  /** Where they leave no pixels; default zeros. */
  readonly fill?: Fill
}

const WARP = { interpolation: 'nearest', fill: null } as const satisfies AugmentOptions

/** Steps that are drawn and then applied. */
abstract class StepPolicy extends ImagePolicy<readonly AugmentStep[]> {
  readonly interpolation: WarpInterpolation
  readonly fill: Fill

  protected constructor({ interpolation, fill }: Required<AugmentOptions>) {
    super()
    this.interpolation = oneOf(`${new.target.name}: interpolation`, interpolation, WARP_INTERPOLATIONS)
    this.fill = fill
  }

  transform(part: Tensor, steps: readonly AugmentStep[]): Tensor {
    return applySteps(part, steps, this)
  }
}

const COLOUR: readonly AugmentOperation[] = ['Brightness', 'Color', 'Contrast', 'Sharpness']

function colours(strength: Strength): readonly (readonly [AugmentOperation, Strength])[] {
  return COLOUR.map((operation) => [operation, strength])
}

/** The operations of AutoAugment and RandAugment, in torchvision's order, which a seed depends on. */
const OPERATIONS: readonly (readonly [AugmentOperation, Strength | undefined])[] = [
  ['ShearX', upTo(0.3)],
  ['ShearY', upTo(0.3)],
  ['TranslateX', partOfWidth(150 / 331)],
  ['TranslateY', partOfHeight(150 / 331)],
  ['Rotate', upTo(30)],
  ...colours(upTo(0.9)),
  ['Posterize', bits(8, 4)],
  ['Solarize', SOLARIZE],
  ['AutoContrast', undefined],
  ['Equalize', undefined],
]

const AUTO_AUGMENT: AugmentationSpace = new Map([...OPERATIONS, ['Invert', undefined]])
const RAND_AUGMENT: AugmentationSpace = new Map([['Identity', undefined], ...OPERATIONS])

const TRIVIAL_AUGMENT: AugmentationSpace = new Map([
  ['Identity', undefined],
  ['ShearX', upTo(0.99)],
  ['ShearY', upTo(0.99)],
  ['TranslateX', upTo(32)],
  ['TranslateY', upTo(32)],
  ['Rotate', upTo(135)],
  ...colours(upTo(0.99)),
  ['Posterize', bits(8, 6)],
  ['Solarize', SOLARIZE],
  ['AutoContrast', undefined],
  ['Equalize', undefined],
])

export interface AutoAugmentOptions extends AugmentOptions {
  /** The data set for which the policy was searched; default `'imagenet'`. */
  readonly policy?: AutoAugmentPolicy
}

/** Applies one of 25 pairs of operations that were found by search (Cubuk et al., CVPR 2019). */
export class AutoAugment extends StepPolicy {
  readonly policy: AutoAugmentPolicy

  constructor(options: AutoAugmentOptions = {}) {
    const defaults: Required<AutoAugmentOptions> = { policy: 'imagenet', ...WARP }
    const { policy, ...rest } = withDefaults<Required<AutoAugmentOptions>>('AutoAugment', defaults, options)
    super(rest)
    this.policy = oneOf('AutoAugment: policy', policy, ['imagenet', 'cifar10', 'svhn'])
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): readonly AugmentStep[] {
    const size = commonSize('AutoAugment', parts)
    return pick(POLICIES[this.policy], generator).flatMap(([operation, probability, level = 0]) =>
      fraction(generator) <= probability ? [drawStep(AUTO_AUGMENT, operation, 10, () => level, size, generator)] : [],
    )
  }
}

export interface RandAugmentOptions extends AugmentOptions {
  /** Operations one after another; default 2. */
  readonly numOps?: number
  /** Level of all operations; default 9. */
  readonly magnitude?: number
  /** Levels there are; default 31. */
  readonly numMagnitudeBins?: number
}

/** Applies operations drawn at random, all at one level of strength (Cubuk et al., NeurIPS 2020). */
export class RandAugment extends StepPolicy {
  readonly numOps: number
  readonly magnitude: number
  readonly numMagnitudeBins: number

  constructor(options: RandAugmentOptions = {}) {
    const defaults: Required<RandAugmentOptions> = { numOps: 2, magnitude: 9, numMagnitudeBins: 31, ...WARP }
    const all = withDefaults<Required<RandAugmentOptions>>('RandAugment', defaults, options)
    super(all)
    this.numOps = wholeNumber('RandAugment: numOps', all.numOps, 0)
    this.numMagnitudeBins = wholeNumber('RandAugment: numMagnitudeBins', all.numMagnitudeBins, 2)
    this.magnitude = wholeNumber('RandAugment: magnitude', all.magnitude, 0)
    if (this.magnitude >= this.numMagnitudeBins) {
      throw new ArgumentError(
        `RandAugment: magnitude is ${this.magnitude}; with numMagnitudeBins ${this.numMagnitudeBins} it must be from 0 to ${this.numMagnitudeBins - 1}`,
      )
    }
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): readonly AugmentStep[] {
    const size = commonSize('RandAugment', parts)
    return Array.from({ length: this.numOps }, () => {
      const operation = drawOperation(RAND_AUGMENT, generator)
      return drawStep(RAND_AUGMENT, operation, this.numMagnitudeBins, () => this.magnitude, size, generator)
    })
  }
}

export interface TrivialAugmentWideOptions extends AugmentOptions {
  /** Levels of strength; default 31. */
  readonly numMagnitudeBins?: number
}

/** Applies one operation at a random level (TrivialAugment, Müller & Hutter, ICCV 2021). */
export class TrivialAugmentWide extends StepPolicy {
  readonly numMagnitudeBins: number

  constructor(options: TrivialAugmentWideOptions = {}) {
    const defaults: Required<TrivialAugmentWideOptions> = { numMagnitudeBins: 31, ...WARP }
    const all = withDefaults<Required<TrivialAugmentWideOptions>>('TrivialAugmentWide', defaults, options)
    super(all)
    this.numMagnitudeBins = wholeNumber('TrivialAugmentWide: numMagnitudeBins', all.numMagnitudeBins, 2)
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): readonly AugmentStep[] {
    const operation = drawOperation(TRIVIAL_AUGMENT, generator)
    const level = (bins: number) => wholeNumberBetween(0, bins, generator)
    const size = commonSize('TrivialAugmentWide', parts)
    return [drawStep(TRIVIAL_AUGMENT, operation, this.numMagnitudeBins, level, size, generator)]
  }
}
