import { ArgumentError, ShapeError } from '../../native/errors'
import {
  avgPool2d,
  batchNorm as batchNormOperator,
  instanceNorm as instanceNormOperator,
  pad,
  type Tensor,
} from '../../tensor'
import { tidy } from '../../tensor/scope'
import { show } from '../options'

export interface BatchNormOptions {
  readonly runningMean?: Tensor | null
  readonly runningVar?: Tensor | null
  readonly weight?: Tensor | null
  readonly bias?: Tensor | null
  /** Uses the batch's own statistics, and moves the running ones towards them; default false. */
  readonly training?: boolean
  /** Weight of the batch in the running statistics; default 0.1. */
  readonly momentum?: number
  readonly eps?: number
}

/**
 * Normalises each channel over the batch (Ioffe and Szegedy 2015).
 *
 * @param input `[N, C, *]`
 * @throws ShapeError in training when a channel has a single value, whose variance says nothing
 */
export function batchNorm(input: Tensor, options: BatchNormOptions = {}): Tensor {
  const { runningMean, runningVar, weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = options
  if (training) checkSeveral('batchNorm', input, [0, ...spatialDims(input)])
  return batchNormOperator(input, training, momentum, eps, true, { weight, bias, runningMean, runningVar })
}

export interface InstanceNormOptions {
  readonly runningMean?: Tensor | null
  readonly runningVar?: Tensor | null
  readonly weight?: Tensor | null
  readonly bias?: Tensor | null
  /** Uses each sample's own statistics rather than the running ones; default true. */
  readonly useInputStats?: boolean
  readonly momentum?: number
  readonly eps?: number
}

/** Normalises each channel of each sample by itself (Ulyanov et al. 2016). @param input `[N, C, *]` */
export function instanceNorm(input: Tensor, options: InstanceNormOptions = {}): Tensor {
  const { runningMean, runningVar, weight, bias, useInputStats = true, momentum = 0.1, eps = 1e-5 } = options
  if (useInputStats) checkSeveral('instanceNorm', input, spatialDims(input))
  return instanceNormOperator(input, useInputStats, momentum, eps, true, { weight, bias, runningMean, runningVar })
}

function spatialDims(input: Tensor): number[] {
  return Array.from({ length: Math.max(input.ndim - 2, 0) }, (_, i) => i + 2)
}

function checkSeveral(name: string, input: Tensor, dims: readonly number[]): void {
  const { shape } = input
  if (dims.reduce((count, dim) => count * (shape[dim] ?? 1), 1) !== 1) return
  throw new ShapeError(
    `${name}: the input ${show(shape)} has one value per channel; statistics need several: use a larger batch, or evaluation mode`,
  )
}

export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number
  /** Default 0.75. */
  readonly beta?: number
  /** Default 1. */
  readonly k?: number
}

/**
 * Divides each value by a power of the mean square over `size` neighbouring channels (Krizhevsky et al. 2012).
 *
 * @param input `[N, C, *]`
 */
export function localResponseNorm(input: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options
  const { shape } = input
  if (shape.length < 3) {
    throw new ShapeError(`localResponseNorm: the input has shape ${show(shape)}; it must have 3 dimensions or more`)
  }
  if (input.numel === 0) return input
  return tidy(() => {
    // Channels as rows and all places as columns, so that one average over rows does for every rank.
    const squares = input.mul(input).reshape([shape[0] ?? 0, 1, shape[1] ?? 0, -1])
    const padded = pad(squares, [0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)])
    const means = avgPool2d(padded, [size, 1], { stride: 1 }).reshape(shape)
    return input.div(means.mul(alpha).add(k).pow(beta))
  })
}

export interface NormalizeOptions {
  /** Exponent of the norm; default 2. */
  readonly p?: number
  /** The dimension whose vectors get length 1; default 1. */
  readonly dim?: number
  /** Least norm to divide by; default 1e-12. */
  readonly eps?: number
}

/** Divides by the p-norm along a dimension. */
export function normalize(input: Tensor, { p = 2, dim = 1, eps = 1e-12 }: NormalizeOptions = {}): Tensor {
  if (!(eps >= 0)) throw new ArgumentError(`normalize: eps is ${show(eps)}; it must be 0 or more`)
  return tidy(() => input.div(input.norm([dim], { p, keepdim: true }).clampMin(eps).expandAs(input)))
}
