import { ArgumentError } from '../native/errors'
import { capsuleRouting, capsuleRoutingDense, capsuleVotes } from '../ops'
import { empty, full, noGrad, type Tensor, tidy, zeros } from '../tensor'
import { kaimingNormal_, normal_ } from './init'
import { Module } from './module'
import { FACTORY, type FactoryOptions, oneOf, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

interface RoutingOptions extends FactoryOptions {
  /** Default 3. */
  readonly iterations?: number
  /** Takes the couplings for constants in the backward pass; default false. */
  readonly detach?: boolean
}

export interface ConvCapsulesOptions extends RoutingOptions {
  /** How many components of an input capsule a vote is made of, from the first; default 3, the literal kernel. */
  readonly kernelDepth?: number
  /** Height and width of the kernel, odd; default 3. */
  readonly kernelSize?: number
  /** Learns a bias of each vote; default true. */
  readonly bias?: boolean
  /** Learns β, which is added to every output capsule before it is squashed and begins at 0.1; default true. */
  readonly routingBias?: boolean
  /** Multiplies couplings by the number of positions, over which they are spread; default `none`. */
  readonly couplingGain?: 'none' | 'positions'
  /** κ of the squash; default 0.5. */
  readonly kappa?: number
}

const CONV_DEFAULTS = {
  kernelDepth: 3,
  kernelSize: 3,
  bias: true,
  routingBias: true,
  couplingGain: 'none',
  kappa: 0.5,
  iterations: 3,
  detach: false,
  ...FACTORY,
} as const

/**
 * Convolutional capsules with 3D routing ("Toward More Accurate Heterogeneous Iris Recognition with Transformers and
 * Capsules", MMM 2023): votes by a 3D convolution over the stacked input capsules, see `capsuleVotes`, routed over
 * positions and output types together, see `capsuleRouting`. Without β, and with no gain, the Equations are literal; then
 * the input hardly reaches the output where there are many positions.
 *
 * Shapes: `[B, S, inDims, H, W]` → `[B, outTypes, outDims, H, W]`, for any number S of input types.
 *
 * @throws ArgumentError for sizes that are no whole numbers, an even kernel, a depth above `inDims`
 */
export class ConvCapsules extends Module {
  /** `[outTypes·outDims, 1, kernelDepth, kernelSize, kernelSize]`. */
  readonly weight: Parameter
  /** `[outTypes·outDims]`. */
  readonly bias: Parameter | null
  /** β, `[outTypes, outDims]`. */
  readonly routingBias: Parameter | null
  readonly couplingGain: 'none' | 'positions'
  readonly kappa: number
  readonly iterations: number
  readonly detached: boolean

  constructor(
    readonly inDims: number,
    readonly outTypes: number,
    readonly outDims: number,
    given: ConvCapsulesOptions = {},
  ) {
    super()
    const name = 'ConvCapsules'
    const options = withDefaults<Required<ConvCapsulesOptions>>(name, CONV_DEFAULTS, given)
    wholeNumber(`${name}: inDims`, inDims)
    wholeNumber(`${name}: outTypes`, outTypes)
    wholeNumber(`${name}: outDims`, outDims)
    const size = wholeNumber(`${name}: kernelSize`, options.kernelSize)
    const depth = wholeNumber(`${name}: kernelDepth`, options.kernelDepth)
    if (size % 2 === 0) throw new ArgumentError(`${name}: kernelSize is ${size}; it must be odd, to keep the positions`)
    if (depth > inDims) {
      throw new ArgumentError(`${name}: kernelDepth is ${depth}; it is at most inDims, which is ${inDims}`)
    }
    this.couplingGain = oneOf(`${name}: couplingGain`, options.couplingGain, ['none', 'positions'])
    this.kappa = options.kappa
    this.iterations = wholeNumber(`${name}: iterations`, options.iterations)
    this.detached = options.detach
    const made = { dtype: options.dtype, device: options.device }
    this.weight = parameter(empty([outTypes * outDims, 1, depth, size, size], made))
    this.bias = options.bias ? parameter(zeros([outTypes * outDims], made)) : null
    this.routingBias = options.routingBias ? parameter(full([outTypes, outDims], 0.1, made)) : null
    this.resetParameters()
  }

  /** Draws new first weights (Kaiming); the bias of votes begins at 0, β at 0.1. */
  resetParameters(): void {
    const { weight, bias, routingBias } = this
    noGrad(() => {
      kaimingNormal_(weight, { nonlinearity: 'relu' })
      bias?.zero_()
      routingBias?.fill_(0.1)
    })
  }

  forward(input: Tensor): Tensor {
    const { weight, outTypes, bias, routingBias, iterations, detached: detach } = this
    return tidy(() => {
      const votes = capsuleVotes(input, weight, outTypes, bias)
      // Couplings g times as large are the same as β/g and κ/g²: squash(g·φ; κ) = squash(φ; κ/g²) in direction and length.
      const gain = this.couplingGain === 'positions' ? Math.max(votes.size(4) * votes.size(5), 1) : 1
      const scaled = routingBias && gain !== 1 ? routingBias.div(gain) : routingBias
      return capsuleRouting(votes, {
        bias: scaled ?? undefined,
        iterations,
        kappa: this.kappa / gain ** 2,
        detach,
      })
    })
  }

  protected override describeOptions(): string {
    const { inDims, outTypes, outDims, iterations, couplingGain, kappa } = this
    const [, , kernelDepth, kernelSize] = this.weight.shape
    const shown = { kernelDepth, kernelSize, iterations, kappa, ...(couplingGain !== 'none' && { couplingGain }) }
    return `${inDims}, ${outTypes}, ${outDims}, ${showOptions(shown)}`
  }
}

export interface DenseCapsulesOptions extends RoutingOptions {
  /** Learns a bias of each output capsule, added before it is squashed, which begins at 0; default false. */
  readonly bias?: boolean
  /** κ of the squash; default 1. */
  readonly kappa?: number
}

const DENSE_DEFAULTS = { bias: false, kappa: 1, iterations: 3, detach: false, ...FACTORY } as const

/**
 * Fully connected capsules with routing by agreement (Sabour, Frosst, Hinton, NeurIPS 2017), see `capsuleRoutingDense`.
 *
 * Shapes: `[B, inCapsules, inDims]` → `[B, outCapsules, outDims]`.
 *
 * @throws ArgumentError for sizes that are no whole numbers, and unknown options
 */
export class DenseCapsules extends Module {
  /** `[inCapsules, outCapsules, outDims, inDims]`. */
  readonly weight: Parameter
  /** `[outCapsules, outDims]`. */
  readonly bias: Parameter | null
  readonly kappa: number
  readonly iterations: number
  readonly detached: boolean

  constructor(
    readonly inCapsules: number,
    readonly inDims: number,
    readonly outCapsules: number,
    readonly outDims: number,
    given: DenseCapsulesOptions = {},
  ) {
    super()
    const name = 'DenseCapsules'
    const options = withDefaults<Required<DenseCapsulesOptions>>(name, DENSE_DEFAULTS, given)
    wholeNumber(`${name}: inCapsules`, inCapsules)
    wholeNumber(`${name}: inDims`, inDims)
    wholeNumber(`${name}: outCapsules`, outCapsules)
    wholeNumber(`${name}: outDims`, outDims)
    this.kappa = options.kappa
    this.iterations = wholeNumber(`${name}: iterations`, options.iterations)
    this.detached = options.detach
    const made = { dtype: options.dtype, device: options.device }
    this.weight = parameter(empty([inCapsules, outCapsules, outDims, inDims], made))
    this.bias = options.bias ? parameter(zeros([outCapsules, outDims], made)) : null
    this.resetParameters()
  }

  /** Draws new first weights, normal with deviation 0.01; the bias begins at 0. */
  resetParameters(): void {
    const { weight, bias } = this
    noGrad(() => {
      normal_(weight, { std: 0.01 })
      bias?.zero_()
    })
  }

  forward(input: Tensor): Tensor {
    const { weight, bias, iterations, kappa, detached: detach } = this
    return capsuleRoutingDense(input, weight, { bias: bias ?? undefined, iterations, kappa, detach })
  }

  protected override describeOptions(): string {
    const { inCapsules, inDims, outCapsules, outDims, iterations, kappa, bias } = this
    const shown = { iterations, kappa, ...(bias && { bias: true }) }
    return `${inCapsules}, ${inDims}, ${outCapsules}, ${outDims}, ${showOptions(shown)}`
  }
}
