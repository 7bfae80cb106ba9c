// Layers with equalised learning rates: their weights are of variance 1, and are scaled each time they are used.
import { ArgumentError } from '../../native/errors'
import { init, Module, type Parameter, parameter } from '../../nn'
import { wholeNumber } from '../../nn/options'
import { type Buffer, buffer } from '../../nn/roles'
import { setupFilter } from '../../ops'
import { empty, leakyRelu, linear, type Tensor } from '../../tensor'
import { resampleConv2d } from './resample-conv'

export type EqualizedActivation = 'linear' | 'leakyRelu'

/** The taps of StyleGAN2's low-pass filter. */
export const STYLEGAN2_FILTER = [1, 3, 3, 1] as const

/** The square low-pass filter as a buffer of a layer. */
export const resampleFilter = (): Buffer => buffer(setupFilter(STYLEGAN2_FILTER))

/** Activation with the gain that keeps the variance, √2 for the leaky ReLU of slope 0.2, and a limit on what comes out. */
export function activate(
  x: Tensor,
  activation: EqualizedActivation,
  { gain = 1, clamp = null }: { readonly gain?: number; readonly clamp?: number | null } = {},
): Tensor {
  const active = activation === 'leakyRelu' ? leakyRelu(x, { negativeSlope: 0.2 }) : x
  const factor = activation === 'leakyRelu' ? Math.SQRT2 * gain : gain
  const scaled = factor === 1 ? active : active.mul(factor)
  return clamp === null ? scaled : scaled.clamp({ min: -clamp * gain, max: clamp * gain })
}

export interface EqualizedLinearOptions {
  /** Default true. */
  readonly bias?: boolean
  readonly activation?: EqualizedActivation
  /** Factor of the learning rate: weights begin larger by its inverse and are scaled by it; default 1. */
  readonly lrMultiplier?: number
  /** First value of the biases; default 0. */
  readonly biasInit?: number
}

/**
 * Linear layer with an equalised learning rate (Karras et al., "Progressive Growing of GANs", ICLR 2018).
 *
 * Shapes: `[N, inFeatures]` → `[N, outFeatures]`.
 */
export class EqualizedLinear extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | null
  readonly activation: EqualizedActivation
  readonly #weightGain: number
  readonly #biasGain: number

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true, activation = 'linear', lrMultiplier = 1, biasInit = 0 }: EqualizedLinearOptions = {},
  ) {
    super()
    wholeNumber('EqualizedLinear: inFeatures', inFeatures)
    wholeNumber('EqualizedLinear: outFeatures', outFeatures)
    if (!(lrMultiplier > 0)) throw new ArgumentError(`EqualizedLinear: lrMultiplier is ${lrMultiplier}; it is above 0`)
    this.weight = parameter(empty([outFeatures, inFeatures]))
    this.bias = bias ? parameter(empty([outFeatures])) : null
    this.activation = activation
    this.#weightGain = lrMultiplier / Math.sqrt(inFeatures)
    this.#biasGain = lrMultiplier
    init.normal_(this.weight, { std: 1 / lrMultiplier })
    if (this.bias) init.constant_(this.bias, biasInit)
  }

  forward(x: Tensor): Tensor {
    const weight = this.weight.mul(this.#weightGain)
    const bias = this.bias && this.#biasGain !== 1 ? this.bias.mul(this.#biasGain) : this.bias
    return activate(linear(x, weight, { bias }), this.activation)
  }
}

export interface EqualizedConv2dOptions {
  /** Default true. */
  readonly bias?: boolean
  readonly activation?: EqualizedActivation
  /** Default 1. */
  readonly up?: number
  /** Default 1. */
  readonly down?: number
  /** Largest size of an output; none unless stated. */
  readonly clamp?: number | null
}

/**
 * Convolution with an equalised learning rate, padded to keep the size, with filtered up- or downsampling.
 *
 * Shapes: `[N, inChannels, H, W]` → `[N, outChannels, H · up / down, W · up / down]`.
 */
export class EqualizedConv2d extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | null
  readonly resampleFilter = resampleFilter()
  readonly activation: EqualizedActivation
  readonly up: number
  readonly down: number
  readonly clamp: number | null
  readonly #gain: number

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
    { bias = true, activation = 'linear', up = 1, down = 1, clamp = null }: EqualizedConv2dOptions = {},
  ) {
    super()
    wholeNumber('EqualizedConv2d: inChannels', inChannels)
    wholeNumber('EqualizedConv2d: outChannels', outChannels)
    wholeNumber('EqualizedConv2d: kernelSize', kernelSize)
    this.weight = parameter(empty([outChannels, inChannels, kernelSize, kernelSize]))
    this.bias = bias ? parameter(empty([outChannels])) : null
    this.activation = activation
    this.up = up
    this.down = down
    this.clamp = clamp
    this.#gain = 1 / Math.sqrt(inChannels * kernelSize ** 2)
    init.normal_(this.weight)
    if (this.bias) init.zeros_(this.bias)
  }

  /** @param gain a factor of the result */
  forward(x: Tensor, gain = 1): Tensor {
    const { up, down, resampleFilter: filter, activation, clamp, bias } = this
    const padding = Math.floor(this.kernelSize / 2)
    const y = resampleConv2d(x, this.weight.mul(this.#gain), { filter, up, down, padding })
    return activate(bias ? y.add(bias.reshape([-1, 1, 1])) : y, activation, { gain, clamp })
  }
}
