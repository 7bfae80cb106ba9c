import { ArgumentError } from '../native/errors'
import {
  type BoxEdge,
  fastGuidedFilter,
  type GuidedLayerOptions,
  type GuidedMode,
  guidedApply,
  guidedFilter,
  guidedLayer,
} from '../ops'
import { cat, onesLike, scalarTensor, softplus, stack, type Tensor } from '../tensor'
import { LeakyReLU, ReLU } from './activation'
import { Sequential } from './containers'
import { Conv2d } from './conv'
import { ones_ } from './init'
import { Module } from './module'
import { BatchNorm2d } from './norm'
import { oneOf, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

const MODES: readonly GuidedMode[] = ['gray', 'perChannel', 'color']
const EDGES: readonly BoxEdge[] = ['clip', 'reflect']
// Keeps a trained ε above 0, where the coefficients of flat regions have no gradient to speak of.
const LEAST_EPS = 1e-8

export interface GuidedFilterOptions {
  readonly mode?: GuidedMode
  readonly edge?: BoxEdge
  /** Whether ε is a parameter: ε = softplus(ρ) + 1e-8 with ρ trained. Default: false. */
  readonly trainableEps?: boolean
}

/** What the layers share: ε, as a number or as what a parameter gives. */
abstract class GuidedModule extends Module {
  readonly radius: number
  readonly mode: GuidedMode
  readonly edge: BoxEdge
  /** ρ, where ε is trained. */
  readonly rho: Parameter | null
  readonly #eps: number

  constructor(name: string, radius: number, eps: number, options: GuidedFilterOptions) {
    super()
    const all = withDefaults<Required<GuidedFilterOptions>>(
      name,
      { mode: 'gray', edge: 'clip', trainableEps: false },
      options,
    )
    this.radius = wholeNumber(`${name}: radius`, radius)
    this.mode = oneOf(`${name}: mode`, all.mode, MODES)
    this.edge = oneOf(`${name}: edge`, all.edge, EDGES)
    if (!(Number.isFinite(eps) && eps > (all.trainableEps ? LEAST_EPS : 0))) {
      throw new ArgumentError(
        `${name}: eps is ${eps}; it must be a number above ${all.trainableEps ? '1e-8, to be trained' : '0'}`,
      )
    }
    this.#eps = eps
    // The inverse of softplus; for large ε the two are equal, and e^ε would overflow.
    const rho = eps - LEAST_EPS > 20 ? eps - LEAST_EPS : Math.log(Math.expm1(eps - LEAST_EPS))
    this.rho = all.trainableEps ? parameter(scalarTensor(rho, { dtype: 'float32' })) : null
  }

  /** ε: the number given, or what the parameter makes of it. */
  eps(): number | Tensor {
    return this.rho === null ? this.#eps : softplus(this.rho).add(LEAST_EPS)
  }

  protected override describeOptions(): string {
    const { radius, mode, edge } = this
    return showOptions({ radius, mode, edge, ...(this.rho === null ? { eps: this.#eps } : {}) })
  }
}

/**
 * Guided filter as a layer, see `guidedFilter`.
 *
 * Shapes: guide `[B, 1 | C | 3, H, W]`, input `[B, C, H, W]` → `[B, C, H, W]`.
 */
export class GuidedFilter extends GuidedModule {
  constructor(radius: number, eps: number, options: GuidedFilterOptions = {}) {
    super('GuidedFilter', radius, eps, options)
  }

  forward(guide: Tensor, input: Tensor): Tensor {
    const { radius, mode, edge } = this
    return guidedFilter(guide, input, { radius, eps: this.eps(), mode, edge })
  }
}

/**
 * Fast guided filter as a layer, see `fastGuidedFilter`.
 *
 * Shapes: as `GuidedFilter`.
 */
export class FastGuidedFilter extends GuidedModule {
  readonly subsample: number

  constructor(radius: number, eps: number, subsample: number, options: GuidedFilterOptions = {}) {
    super('FastGuidedFilter', radius, eps, options)
    this.subsample = wholeNumber('FastGuidedFilter: subsample', subsample)
  }

  forward(guide: Tensor, input: Tensor): Tensor {
    const { radius, mode, edge, subsample } = this
    return fastGuidedFilter(guide, input, { radius, eps: this.eps(), mode, edge, subsample })
  }
}

export interface GuidedUpsampleOptions
  extends GuidedFilterOptions,
    Pick<GuidedLayerOptions, 'smoothCoefficients' | 'alignCorners'> {}

/**
 * The trainable guided filtering layer (Wu et al., CVPR 2018), see `guidedLayer`. It has no weights, unless ε is trained;
 * it learns through what makes its inputs.
 *
 * Shapes: `[B, Cg, h, w]`, `[B, C, h, w]`, `[B, Cg, H, W]` → `[B, C, H, W]`.
 */
export class GuidedUpsample extends GuidedModule {
  readonly smoothCoefficients: boolean
  readonly alignCorners: boolean

  constructor(radius: number, eps: number, options: GuidedUpsampleOptions = {}) {
    const { smoothCoefficients = false, alignCorners = true, ...rest } = options
    super('GuidedUpsample', radius, eps, rest)
    this.smoothCoefficients = smoothCoefficients
    this.alignCorners = alignCorners
  }

  forward(guideLow: Tensor, inputLow: Tensor, guideHigh: Tensor): Tensor {
    const { radius, mode, edge, smoothCoefficients, alignCorners } = this
    const options = { radius, eps: this.eps(), mode, edge, smoothCoefficients, alignCorners }
    return guidedLayer(guideLow, inputLow, guideHigh, options)
  }
}

/**
 * The convolutional guided filtering layer (Wu et al., CVPR 2018) for images of three channels. Windows are nine taps,
 * `radius` apart, with weights that start as ones; their sums are divided by the sums of the same weights inside the
 * image. A small network makes a of covariance and variance, in the place of their quotient.
 *
 * Shapes: `[B, 3, h, w]`, `[B, 3, h, w]`, `[B, 3, H, W]` → `[B, 3, H, W]`.
 */
export class ConvGuidedFilter extends Module {
  readonly boxFilter: Conv2d
  readonly convA: Sequential

  constructor(readonly radius = 1) {
    super()
    wholeNumber('ConvGuidedFilter: radius', radius)
    this.boxFilter = new Conv2d(3, 3, 3, { padding: radius, dilation: radius, groups: 3, bias: false })
    ones_(this.boxFilter.weight)
    const pointwise = (from: number, to: number) => new Conv2d(from, to, 1, { bias: false })
    this.convA = new Sequential(
      pointwise(6, 32),
      new BatchNorm2d(32),
      new ReLU(),
      pointwise(32, 32),
      new BatchNorm2d(32),
      new ReLU(),
      pointwise(32, 3),
    )
  }

  /** Sum over the nine taps, divided by the response to ones. */
  mean(x: Tensor): Tensor {
    return this.boxFilter.forward(x).div(this.boxFilter.forward(onesLike(x)))
  }

  forward(guideLow: Tensor, inputLow: Tensor, guideHigh: Tensor): Tensor {
    const mu = this.mean(guideLow)
    const pi = this.mean(inputLow)
    const covariance = this.mean(guideLow.mul(inputLow)).sub(mu.mul(pi))
    const variance = this.mean(guideLow.mul(guideLow)).sub(mu.mul(mu))
    const a = this.convA.forward(cat([covariance, variance], { dim: 1 }))
    const b = pi.sub(a.mul(mu))
    return guidedApply(stack([a, b], { dim: 2 }), guideHigh, { mode: 'perChannel' })
  }

  protected override describeOptions(): string {
    return showOptions({ radius: this.radius })
  }
}

/**
 * The trainable layer with a learned guide (Wu et al., CVPR 2018): two 1 × 1 convolutions, the same for the small and the
 * large image, make the guide of one channel per channel of the input.
 *
 * Shapes: `[B, 3, h, w]`, `[B, 3, h, w]`, `[B, 3, H, W]` → `[B, 3, H, W]`.
 */
export class LearnedGuideFilter extends Module {
  readonly guidedMap: Sequential
  readonly filter: GuidedUpsample

  constructor(radius: number, eps: number, options: Omit<GuidedUpsampleOptions, 'mode'> = {}) {
    super()
    this.guidedMap = new Sequential(
      new Conv2d(3, 15, 1, { bias: false }),
      new BatchNorm2d(15),
      new LeakyReLU({ negativeSlope: 0.2 }),
      new Conv2d(15, 3, 1),
    )
    this.filter = new GuidedUpsample(radius, eps, { ...options, mode: 'perChannel' })
  }

  forward(imageLow: Tensor, inputLow: Tensor, imageHigh: Tensor): Tensor {
    return this.filter.forward(this.guidedMap.forward(imageLow), inputLow, this.guidedMap.forward(imageHigh))
  }
}
