import { ArgumentError, ShapeError } from '../native/errors'
import { groupNorm, layerNorm, ones, rmsNorm, type Tensor, zeros } from '../tensor'
import { type LocalResponseNormOptions, localResponseNorm } from './functional/norm'
import { Module } from './module'
import { FACTORY, type FactoryOptions, show, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

export interface GroupNormOptions extends FactoryOptions {
  readonly eps?: number
  /** Learns a scale and a shift for each channel; default true. */
  readonly affine?: boolean
}

/** Normalises groups of channels of each sample (Wu and He 2018), as `torch.nn.GroupNorm`. Shape: `[N, C, *]`, kept. */
export class GroupNorm extends Module {
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly eps: number
  readonly affine: boolean

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    given: GroupNormOptions = {},
  ) {
    super()
    const defaults = { eps: 1e-5, affine: true, ...FACTORY }
    const { eps, affine, ...made } = withDefaults<Required<GroupNormOptions>>('GroupNorm', defaults, given)
    wholeNumber('GroupNorm: numGroups', numGroups)
    if (wholeNumber('GroupNorm: numChannels', numChannels) % numGroups !== 0) {
      throw new ShapeError(`GroupNorm: ${numChannels} channels do not divide into ${numGroups} groups`)
    }
    this.eps = eps
    this.affine = affine
    this.weight = affine ? parameter(ones([numChannels], made)) : null
    this.bias = affine ? parameter(zeros([numChannels], made)) : null
  }

  forward(input: Tensor): Tensor {
    return groupNorm(input, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps })
  }

  protected override describeOptions(): string {
    const { numGroups, numChannels, eps, affine } = this
    return `${numGroups}, ${numChannels}, ${showOptions({ eps, affine })}`
  }
}

function shapeList(name: string, shape: number | readonly number[]): readonly number[] {
  const list = typeof shape === 'number' ? [shape] : shape
  if (Array.isArray(list) && list.length > 0 && list.every((size) => Number.isInteger(size) && size > 0)) return list
  throw new ArgumentError(
    `${name}: normalizedShape is ${show(shape)}; it must be a whole number of 1 or more, or a list of them`,
  )
}

export interface LayerNormOptions extends FactoryOptions {
  readonly eps?: number
  /** Learns a scale and a shift for each element; default true. */
  readonly elementwiseAffine?: boolean
  /** Learns the shift too; default true. */
  readonly bias?: boolean
}

/** Normalises over the last dimensions (Ba et al. 2016), as `torch.nn.LayerNorm`. Shape: `[*, …normalizedShape]`, kept. */
export class LayerNorm extends Module {
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly elementwiseAffine: boolean

  constructor(normalizedShape: number | readonly number[], given: LayerNormOptions = {}) {
    super()
    const defaults = { eps: 1e-5, elementwiseAffine: true, bias: true, ...FACTORY }
    const options = withDefaults<Required<LayerNormOptions>>('LayerNorm', defaults, given)
    const { eps, elementwiseAffine, bias, ...made } = options
    const shape = shapeList('LayerNorm', normalizedShape)
    this.normalizedShape = shape
    this.eps = eps
    this.elementwiseAffine = elementwiseAffine
    this.weight = elementwiseAffine ? parameter(ones(shape, made)) : null
    this.bias = elementwiseAffine && bias ? parameter(zeros(shape, made)) : null
  }

  forward(input: Tensor): Tensor {
    return layerNorm(input, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps })
  }

  protected override describeOptions(): string {
    const { normalizedShape, eps, elementwiseAffine } = this
    return `${show(normalizedShape)}, ${showOptions({ eps, elementwiseAffine })}`
  }
}

export interface RMSNormOptions extends FactoryOptions {
  /** Added to the mean square; null is the dtype's machine epsilon. */
  readonly eps?: number | null
  /** Learns a scale for each element; default true. */
  readonly elementwiseAffine?: boolean
}

/** Divides by the root mean square over the last dimensions (Zhang and Sennrich 2019), as `torch.nn.RMSNorm`. */
export class RMSNorm extends Module {
  readonly weight: Parameter | null
  readonly normalizedShape: readonly number[]
  readonly eps: number | null
  readonly elementwiseAffine: boolean

  constructor(normalizedShape: number | readonly number[], given: RMSNormOptions = {}) {
    super()
    const defaults = { eps: null, elementwiseAffine: true, ...FACTORY }
    const { eps, elementwiseAffine, ...made } = withDefaults<Required<RMSNormOptions>>('RMSNorm', defaults, given)
    const shape = shapeList('RMSNorm', normalizedShape)
    this.normalizedShape = shape
    this.eps = eps
    this.elementwiseAffine = elementwiseAffine
    this.weight = elementwiseAffine ? parameter(ones(shape, made)) : null
  }

  forward(input: Tensor): Tensor {
    return rmsNorm(input, this.normalizedShape, { weight: this.weight, eps: this.eps })
  }

  protected override describeOptions(): string {
    const { normalizedShape, eps, elementwiseAffine } = this
    return `${show(normalizedShape)}, ${showOptions({ eps, elementwiseAffine })}`
  }
}

/**
 * Divides each value by a power of the mean square over `size` neighbouring channels (Krizhevsky et al. 2012), as
 * `torch.nn.LocalResponseNorm`. Shape: `[N, C, *]`, kept.
 */
export class LocalResponseNorm extends Module {
  readonly alpha: number
  readonly beta: number
  readonly k: number

  constructor(
    readonly size: number,
    options: LocalResponseNormOptions = {},
  ) {
    super()
    wholeNumber('LocalResponseNorm: size', size)
    const { alpha, beta, k } = withDefaults('LocalResponseNorm', { alpha: 1e-4, beta: 0.75, k: 1 }, options)
    this.alpha = alpha
    this.beta = beta
    this.k = k
  }

  forward(input: Tensor): Tensor {
    return localResponseNorm(input, this.size, { alpha: this.alpha, beta: this.beta, k: this.k })
  }

  protected override describeOptions(): string {
    const { size, alpha, beta, k } = this
    return `${size}, ${showOptions({ alpha, beta, k })}`
  }
}
