import { ArgumentError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

/** One number, or height and width. */
type Pair = number | readonly [number, number]

export interface CorrelationOptions {
  /** Side of the windows that are compared; 1 unless stated. */
  readonly kernelSize?: Pair
  /** Displacements along each axis, an odd number to be symmetric: 2·d + 1 for ±d; 1 unless stated. */
  readonly patchSize?: Pair
  /** Steps between the outputs; 1 unless stated. */
  readonly stride?: Pair
  /** Zeros around both maps; 0 unless stated. */
  readonly padding?: Pair
  /** Steps within a window; 1 unless stated. */
  readonly dilation?: Pair
  /** Pixels between neighbouring displacements; 1 unless stated. */
  readonly dilationPatch?: Pair
}

const OP = 'vision_native::correlation'

/**
 * Products of two maps, summed over channels and windows, for every displacement of the second (Dosovitskiy et al.,
 * "FlowNet", ICCV 2015; with the options and the order of `spatial_correlation_sampler`):
 *
 * out[b, p, q, y, x] = Σ_c Σ_ij first[c, y′ + i·dilation, x′ + j·dilation] · second[c, … + Δ_p, … + Δ_q], with
 * (y′, x′) = stride·(y, x) − padding and Δ_p = (p − ⌊(patchSize − 1)/2⌋)·dilationPatch. Outside the maps all is 0, and
 * sums are not divided. The gradient has no second derivative.
 *
 * @param first `[B, C, H, W]`, any floating dtype and layout
 * @param second of the same shape and dtype
 * @returns `[B, patch height, patch width, out height, out width]`; sums are made in float32, or float64
 * @throws ShapeError when the maps differ or the kernel does not fit; DTypeError; ArgumentError for options out of range
 */
export function correlation(first: Tensor, second: Tensor, options: CorrelationOptions = {}): Tensor {
  return call(OP, [first, second], nativeOptions(options)) as Tensor
}

/** `correlation` on a thread of LibTorch's, with the event loop free. */
export async function correlationAsync(
  first: Tensor,
  second: Tensor,
  { signal, onProgress, ...options }: CorrelationOptions & AsyncCallOptions = {},
): Promise<Tensor> {
  return (await callAsync(OP, [first, second], nativeOptions(options), { signal, onProgress })) as Tensor
}

export interface CostVolumeOptions {
  /** d: displacements are −d to d along each axis, in steps; 4 unless stated. */
  readonly maxDisplacement?: number
  /** Pixels of a step; 1 unless stated. */
  readonly step?: number
}

/**
 * The cost volume of PWC-Net (Sun et al., CVPR 2018), and with a `step` that of FlowNetC: the mean over channels of the
 * products of two maps for each displacement.
 *
 * @param first `[B, C, H, W]`
 * @param second of the same shape and dtype
 * @returns `[B, (2d + 1)², H, W]`, rows of displacements first
 * @throws as `correlation`
 */
export function costVolume(
  first: Tensor,
  second: Tensor,
  { maxDisplacement = 4, step = 1 }: CostVolumeOptions = {},
): Tensor {
  if (!Number.isInteger(maxDisplacement) || maxDisplacement < 0) {
    throw new ArgumentError(`costVolume: maxDisplacement is a whole number of 0 or more, got ${maxDisplacement}`)
  }
  return tidy(() => {
    const volume = correlation(first, second, { patchSize: 2 * maxDisplacement + 1, dilationPatch: step })
    return volume.flatten({ startDim: 1, endDim: 2 }).div(first.size(1))
  })
}

function nativeOptions({
  kernelSize = 1,
  patchSize = 1,
  stride = 1,
  padding = 0,
  dilation = 1,
  dilationPatch = 1,
}: CorrelationOptions): Record<string, unknown> {
  return { kernelSize, patchSize, stride, padding, dilation, dilationPatch }
}
