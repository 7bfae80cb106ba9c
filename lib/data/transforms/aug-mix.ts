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
import type { AugmentOptions } from './auto-augment'
import { dirichlet, wholeNumberBetween } from './draw'
import type { Fill } from './functional/fill'
import { WARP_INTERPOLATIONS, type WarpInterpolation } from './functional/grid'
import { kindOf, wrapLike } from './kinds'
import { commonSize } from './sample'

const PARTIAL: readonly (readonly [AugmentOperation, Strength | undefined])[] = [
  ['ShearX', upTo(0.3)],
  ['ShearY', upTo(0.3)],
  ['TranslateX', partOfWidth(1 / 3)],
  ['TranslateY', partOfHeight(1 / 3)],
  ['Rotate', upTo(30)],
  ['Posterize', bits(4, 4)],
  ['Solarize', SOLARIZE],
  ['AutoContrast', undefined],
  ['Equalize', undefined],
]

const PARTIAL_SPACE: AugmentationSpace = new Map(PARTIAL)
const WHOLE_SPACE: AugmentationSpace = new Map([
  ...PARTIAL,
  ['Brightness', upTo(0.9)],
  ['Color', upTo(0.9)],
  ['Contrast', upTo(0.9)],
  ['Sharpness', upTo(0.9)],
])

/** Levels of strength that there are. */
const LEVELS = 10

export interface AugMixOptions extends AugmentOptions {
  /** Strength of the operations, from 1 to 10; default 3. */
  readonly severity?: number
  /** Chains that are mixed; default 3. */
  readonly mixtureWidth?: number
  /** Operations in a chain; −1, the default, draws 1 to 3 for each. */
  readonly chainDepth?: number
  /** Of the distributions of the weights; default 1. */
  readonly alpha?: number
  /** Also changes brightness, colour, contrast and sharpness; default true. */
  readonly allOps?: boolean
}

export interface AugMixParams {
  /** Weight of the image as it was, `[N]`. */
  readonly original: Tensor
  /** Weight of each chain, `[N, chains]`; with `original` they sum to 1. */
  readonly weights: Tensor
  readonly chains: readonly (readonly AugmentStep[])[]
}

/**
 * Mixes an image with several chains of operations on it (Hendrycks et al., ICLR 2020). Interpolation is `'bilinear'`
 * unless stated.
 */
export class AugMix extends ImagePolicy<AugMixParams> {
  readonly severity: number
  readonly mixtureWidth: number
  readonly chainDepth: number
  readonly alpha: number
  readonly allOps: boolean
  readonly interpolation: WarpInterpolation
  readonly fill: Fill

  constructor(options: AugMixOptions = {}) {
    super()
    const all = withDefaults<Required<AugMixOptions>>(
      'AugMix',
      { severity: 3, mixtureWidth: 3, chainDepth: -1, alpha: 1, allOps: true, interpolation: 'bilinear', fill: null },
      options,
    )
    this.severity = wholeNumber('AugMix: severity', all.severity)
    if (this.severity > LEVELS)
      throw new ArgumentError(`AugMix: severity is ${all.severity}; it must be from 1 to ${LEVELS}`)
    this.mixtureWidth = wholeNumber('AugMix: mixtureWidth', all.mixtureWidth)
    this.chainDepth = all.chainDepth === -1 ? -1 : wholeNumber('AugMix: chainDepth', all.chainDepth)
    if (!(all.alpha > 0)) throw new ArgumentError(`AugMix: alpha is ${all.alpha}; it must be above 0`)
    this.alpha = all.alpha
    this.allOps = all.allOps
    this.interpolation = oneOf('AugMix: interpolation', all.interpolation, WARP_INTERPOLATIONS)
    this.fill = all.fill
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): AugMixParams {
    const size = commonSize('AugMix', parts)
    const count = parts[0] === undefined ? 1 : countOf(parts[0])
    const share = dirichlet(this.alpha, count, 2, generator)
    const mixture = dirichlet(this.alpha, count, this.mixtureWidth, generator)
    const space = this.allOps ? WHOLE_SPACE : PARTIAL_SPACE
    const level = () => wholeNumberBetween(0, this.severity, generator)
    const step = () => drawStep(space, drawOperation(space, generator), LEVELS, level, size, generator)
    const chains = Array.from({ length: this.mixtureWidth }, () => {
      const depth = this.chainDepth > 0 ? this.chainDepth : wholeNumberBetween(1, 4, generator)
      return Array.from({ length: depth }, step)
    })
    return { original: share.select(1, 0), weights: mixture.mul(share.select(1, 1).reshape([count, -1])), chains }
  }

  transform(part: Tensor, { original, weights, chains }: AugMixParams): Tensor {
    const { shape, device, dtype } = part
    const count = countOf(part)
    const batch = part.reshape([count, ...shape.slice(-imageRank(part))])
    const weight = (column: Tensor) => column.to(device).reshape([count, ...batch.shape.slice(1).map(() => 1)])
    const mix = weight(original).mul(batch)
    for (const [i, steps] of chains.entries()) {
      mix.add_(weight(weights.select(1, i)).mul(applySteps(batch, steps, this)))
    }
    return wrapLike<Tensor>(mix.reshape(shape).to(dtype), part)
  }
}

function imageRank(part: Tensor): number {
  return kindOf(part) === 'video' ? 4 : 3
}

/** Images in a batch, or clips in a batch of clips: each is mixed by weights of its own. */
function countOf(part: Tensor): number {
  return part.shape.slice(0, -imageRank(part)).reduce((product, size) => product * size, 1)
}
