import { ArgumentError } from '../native/errors'
import { call } from '../tensor/call'
import { arange } from '../tensor/creation'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

/** Time, height and width; one number stands for all three. */
export type BinarySize = number | readonly [number, number, number]

/** `mean-abs`: the weights of an output channel count as ± their mean absolute value; `none`: as ±1. */
export type BinaryScale = 'mean-abs' | 'none'

/**
 * What stands for the derivative of sign at z. `quadratic`: 2 − 2|z| where |z| < 1 (Liu et al., "Bi-Real Net", ECCV
 * 2018); `clip`: 1 where |z| ≤ 1. Both are 0 elsewhere, at NaN and at ±∞.
 */
export type BinaryEstimator = 'quadratic' | 'clip'

export interface BinaryConv3dOptions {
  /** `[inChannels]`, added to the input before its sign is taken. */
  readonly bias?: Tensor | null
  /** Default 1. */
  readonly stride?: BinarySize
  /** Zeros around the ±1 input: they add nothing to a sum. Default 0. */
  readonly padding?: BinarySize
  /** Default `mean-abs`. */
  readonly scale?: BinaryScale
  /** Default `quadratic`. */
  readonly estimator?: BinaryEstimator
}

/**
 * Convolution of the signs of `x + bias` with the signs of `weight`, with gradients by straight-through estimators.
 * sign(0) is +1 and sign(NaN) is −1. The sums are exact whole numbers.
 *
 * Gradients: of x, that of the ±1 input times the estimator; of bias, its sum; of weight, that of `α·sign(weight)` where
 * |weight| ≤ 1, else 0, so that master weights are to be kept in −1…1. There is no second derivative.
 *
 * @param x `[N, Ci, T, H, W]` floating point
 * @param weight `[Co, Ci, kt, kh, kw]`
 * @returns `[N, Co, To, Ho, Wo]`, dtype of x, channels last in memory; `To = ⌊(T + 2·padding − kt)/stride⌋ + 1`
 * @throws ShapeError when shapes do not fit, also for groups: weight has all channels of x
 * @throws ArgumentError for a stride below 1, a padding below 0, an unknown scale or estimator
 */
export function binConv3d(x: Tensor, weight: Tensor, options: BinaryConv3dOptions = {}): Tensor {
  const { bias, stride = 1, padding = 0, scale = 'mean-abs', estimator = 'quadratic' } = options
  const sizes = { stride: triple('stride', stride), padding: triple('padding', padding) }
  return call('vision_native::bin_conv3d', [x, weight], { bias, ...sizes, scale, estimator }) as Tensor
}

/**
 * Signs of `x + bias` as bits: bit c % 64 of word c / 64 is 1 where channel c is at least 0. Words are int64, since few
 * operators take uint64; bits beyond the last channel are 0.
 *
 * @param x `[N, C, T, H, W]` floating point, any layout; channels-last input is read as it lies
 * @param bias `[C]`
 * @returns `[N, T, H, W, ⌈C/64⌉]` int64
 */
export function signBiasPack(x: Tensor, bias?: Tensor | null): Tensor<'int64'> {
  return call('vision_native::sign_bias_pack', [x], { bias }) as Tensor<'int64'>
}

/** What `signBiasPack` packed, as ±1: `[N, T, H, W, words]` → `[N, channels, T, H, W]` float32. */
export function unpackSigns(bits: Tensor, channels: number): Tensor<'float32'> {
  return tidy(() => {
    const places = arange(64, { dtype: 'int64', device: bits.device })
    const each = bits.unsqueeze(-1).bitwiseRightShift(places).bitwiseAnd(1).flatten({ startDim: -2 })
    const signs = each.narrow(-1, 0, channels).to('float32').mul(2).sub(1)
    return signs.permute([0, 4, 1, 2, 3]).contiguous() as Tensor<'float32'>
  })
}

/** Weights as bits, with the sizes that the bits no longer tell. */
export interface PackedBinaryWeight {
  /** `[⌈Co/8⌉, kt·kh·kw, ⌈Ci/64⌉, 8]` int64; bits of channels that do not exist are 0. */
  readonly words: Tensor<'int64'>
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: readonly [number, number, number]
}

/**
 * Packs the signs of weights, eight output channels side by side.
 *
 * @param weight `[Co, Ci, kt, kh, kw]` floating point
 */
export function packBinaryWeight(weight: Tensor): PackedBinaryWeight {
  const words = call('vision_native::pack_weight', [weight]) as Tensor<'int64'>
  const [outChannels = 0, inChannels = 0, kt = 0, kh = 0, kw = 0] = weight.shape
  return { words, inChannels, outChannels, kernelSize: [kt, kh, kw] }
}

export interface PackedConv3dOptions {
  /** Default 1. */
  readonly stride?: BinarySize
  /** Default 0. */
  readonly padding?: BinarySize
}

/**
 * Convolution of packed signs, exact: the sum of ±1 · ±1 over the taps that lie inside the input.
 *
 * @param bits `[N, T, H, W, words]` from `signBiasPack`
 * @returns `[N, To, Ho, Wo, Co]` int32
 * @throws ShapeError when bits and weight do not fit
 */
export function bconv3d(bits: Tensor, weight: PackedBinaryWeight, options: PackedConv3dOptions = {}): Tensor<'int32'> {
  return call('vision_native::bconv3d', [bits, ...packed(weight)], geometry(options)) as Tensor<'int32'>
}

/** Float vectors of one number for each output channel; what is left out adds nothing. */
export interface BinaryEpilogue extends PackedConv3dOptions {
  /**
   * `[N, Co, To, Ho, Wo]`, added before the activation. With fewer channels, of which Co is a multiple, they are
   * repeated: output channel c takes channel c % C'.
   */
  readonly residual?: Tensor | null
  /** Added before PReLU. */
  readonly bias1?: Tensor | null
  /** Of PReLU, for negative numbers; no activation without it. */
  readonly slope?: Tensor | null
  /** Added after PReLU. */
  readonly bias2?: Tensor | null
  /** The next layer's bias, for its bits. */
  readonly nextBias?: Tensor | null
  /** Which results to make; default `output`. */
  readonly returns?: 'output' | 'bits' | 'both'
}

export interface BinaryLayerOutput {
  /** `[N, Co, To, Ho, Wo]` float32, channels last in memory. */
  readonly output?: Tensor<'float32'>
  /** The next layer's input, as of `signBiasPack(output, nextBias)`. */
  readonly bits?: Tensor<'int64'>
}

/**
 * `bconv3d` with what follows it in a network: `h = PReLU(scale·y + shift + residual + bias1) + bias2`, and the bits of
 * `h + nextBias ≥ 0`. Where only bits are wanted they come from comparisons of whole numbers, equal to the formula's bit
 * for bit.
 *
 * @param scale `[Co]`: α·γ/√(σ² + ε) of a batch norm behind the convolution
 * @param shift `[Co]`: β − μ·γ/√(σ² + ε)
 * @throws ShapeError when a vector has not one number for each output channel
 */
export function bconv3dFused(
  bits: Tensor,
  weight: PackedBinaryWeight,
  scale: Tensor,
  shift: Tensor,
  options: BinaryEpilogue = {},
): BinaryLayerOutput {
  const { residual, bias1, slope, bias2, nextBias, returns = 'output', ...sizes } = options
  return tidy(() => {
    const [words, channels, filters, kernel] = packed(weight)
    const args = [bits, words, scale, shift, channels, filters, kernel]
    const [output, made] = call('vision_native::bconv3d_fused', args, {
      ...geometry(sizes),
      ...{ residual, bias1, slope, bias2, nextBias },
      output: returns !== 'bits',
      pack: returns !== 'output',
    }) as [Tensor<'float32'>, Tensor<'int64'>]
    return { ...(returns !== 'bits' && { output }), ...(returns !== 'output' && { bits: made }) }
  })
}

function packed({ words, inChannels, outChannels, kernelSize }: PackedBinaryWeight) {
  return [words, inChannels, outChannels, kernelSize] as const
}

function geometry({ stride = 1, padding = 0 }: PackedConv3dOptions) {
  return { stride: triple('stride', stride), padding: triple('padding', padding) }
}

function triple(name: string, size: BinarySize): number[] {
  const list = typeof size === 'number' ? [size, size, size] : [...size]
  if (list.length === 3 && list.every(Number.isSafeInteger)) return list
  throw new ArgumentError(`binary convolution: ${name} is a whole number or three of them, got [${list.join(', ')}]`)
}
