import { ArgumentError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { scalarTensor } from '../tensor/creation'
import { isTensor } from '../tensor/handle'
import { tidy, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { BoxEdge } from './box-filter'

/**
 * What guides a channel of the input: one grey guide for all of them (`gray`), the guide's channel of the same number
 * (`perChannel`), or a guide of three channels with their full covariance (`color`).
 */
export type GuidedMode = 'gray' | 'perChannel' | 'color'

export interface GuidedOptions {
  /** Windows are 2·radius + 1 pixels wide; 1 or more. 8 suits photographs. */
  readonly radius: number
  /**
   * Variance below which the guide counts as flat, in squared units of the guide: 1e-3 suits images in 0–1. A tensor of
   * one element gets a gradient.
   */
  readonly eps: number | Tensor
  /** Default: `gray`. */
  readonly mode?: GuidedMode
  /** Default: `clip`. */
  readonly edge?: BoxEdge
}

export interface FastGuidedOptions extends GuidedOptions {
  /** How much smaller the grid is on which coefficients are computed; 4 is usual. The radius is divided by it. */
  readonly subsample: number
  /** Whether coefficients are averaged over windows, as in the exact filter. Default: true. */
  readonly smoothCoefficients?: boolean
}

export interface GuidedLayerOptions extends GuidedOptions {
  /** Whether coefficients are averaged over windows. Default: false, as published. */
  readonly smoothCoefficients?: boolean
  /** Whether the corners of the two grids are the same points. Default: true, as published. */
  readonly alignCorners?: boolean
}

const MODES: Readonly<Record<GuidedMode, string>> = { gray: 'gray', perChannel: 'per_channel', color: 'color' }

/**
 * Guided filter (He, Sun, Tang, ECCV 2010): in every window the output is a linear function of the guide, q = a·I + b, as
 * close to the input as ε lets it be; windows that overlap are averaged. Edges of the guide survive, the rest is smoothed.
 * The time does not depend on the radius. Gradients reach the guide, the input and ε; second derivatives are refused.
 *
 * A pixel that is NaN or infinite reaches 2·radius pixels, and at most the rest of the bands of 64 rows and 256 columns
 * (more for radii above 16) that it touches. Convert bytes to 0–1 first. With an ε near 0 the gradients of flat regions
 * grow like 1/ε.
 *
 * @param guide `[B, 1, H, W]`, `[B, C, H, W]` (`perChannel`) or `[B, 3, H, W]` (`color`)
 * @param input `[B, C, H, W]`, of the same dtype: float16, bfloat16, float32 or float64
 * @returns `[B, C, H, W]`
 * @throws ShapeError when the sizes or the mode's channels do not fit
 * @throws DTypeError for other or different element types
 * @throws ArgumentError for options out of range, and for tensors on different devices
 */
export function guidedFilter(guide: Tensor, input: Tensor, { radius, eps, mode, edge }: GuidedOptions): Tensor {
  return withEps(eps, (value) =>
    resultOf(call('vision_native::guided_filter', [guide, input, radius, value], nativeOptions({ mode, edge }))),
  )
}

/** `guidedFilter` on a thread of LibTorch's, with the event loop free. */
export function guidedFilterAsync(
  guide: Tensor,
  input: Tensor,
  { radius, eps, mode, edge, ...watch }: GuidedOptions & AsyncCallOptions,
): Promise<Tensor> {
  return tidyAsync(async () => {
    const value = isTensor(eps) ? eps : scalarTensor(eps, { dtype: 'float64' })
    const options = nativeOptions({ mode, edge })
    return resultOf(await callAsync('vision_native::guided_filter', [guide, input, radius, value], options, watch))
  })
}

/**
 * The fast guided filter (He, Sun, 2015): coefficients are computed and averaged on a grid `subsample` times smaller,
 * made of cell means, and sampled bilinearly where they meet the guide.
 *
 * @param guide as for `guidedFilter`
 * @param input as for `guidedFilter`
 * @returns `[B, C, H, W]`; with `subsample: 1` the result of `guidedFilter`
 * @throws as `guidedFilter`
 */
export function fastGuidedFilter(guide: Tensor, input: Tensor, options: FastGuidedOptions): Tensor {
  const { subsample, smoothCoefficients = true, radius, ...rest } = options
  requireSubsample(subsample)
  const smaller = { ...rest, radius: Math.max(1, Math.floor(radius / subsample + 0.5)), smoothCoefficients }
  return tidy(() =>
    guidedLayer(areaDownsample(guide, subsample), areaDownsample(input, subsample), guide, {
      ...smaller,
      alignCorners: false,
    }),
  )
}

/**
 * The trainable guided filtering layer (Wu, Zheng, Zhang, Huang, CVPR 2018): coefficients from a small guide and a small
 * input, such as a network's output, applied to the large guide. With grids of one size and averaging it is
 * `guidedFilter`. A radius of 1 and ε = 1e-8 are usual.
 *
 * @param guideLow `[B, Cg, h, w]`
 * @param inputLow `[B, C, h, w]`
 * @param guideHigh `[B, Cg, H, W]`
 * @returns `[B, C, H, W]`
 * @throws as `guidedFilter`
 */
export function guidedLayer(
  guideLow: Tensor,
  inputLow: Tensor,
  guideHigh: Tensor,
  options: GuidedLayerOptions,
): Tensor {
  const { smoothCoefficients = false, alignCorners = true, ...rest } = options
  return tidy(() => {
    const coefficients = guidedCoefficients(guideLow, inputLow, { ...rest, average: smoothCoefficients })
    return guidedApply(coefficients, guideHigh, { mode: rest.mode, alignCorners })
  })
}

/**
 * The coefficients of the guided filter, averaged over windows or not.
 *
 * @returns `[B, C, G + 1, H, W]`: for each channel a of the G guides it has (1, or 3 in mode `color`), then b
 */
export function guidedCoefficients(
  guide: Tensor,
  input: Tensor,
  { radius, eps, mode, edge, average = false }: GuidedOptions & { readonly average?: boolean },
): Tensor {
  return withEps(eps, (value) =>
    resultOf(
      call('vision_native::guided_coefficients', [guide, input, radius, value], {
        ...nativeOptions({ mode, edge }),
        average,
      }),
    ),
  )
}

/**
 * q = Σ a·I + b with coefficients from `guidedCoefficients`, sampled bilinearly at the guide's pixels.
 *
 * @param coefficients `[B, C, G + 1, h, w]`
 * @param guide `[B, Cg, H, W]`
 * @returns `[B, C, H, W]`
 */
export function guidedApply(
  coefficients: Tensor,
  guide: Tensor,
  {
    mode = 'gray',
    alignCorners = true,
  }: { readonly mode?: GuidedMode | undefined; readonly alignCorners?: boolean } = {},
): Tensor {
  const options = { mode: modeName(mode), alignCorners }
  return resultOf(call('vision_native::guided_apply', [coefficients, guide], options))
}

/**
 * q = a⊙G + b with a and b for every pixel, from a network (Eq. 4 of "Fusion-Based Low-Light Image Enhancement",
 * MMM 2023): one pass over memory.
 *
 * @param a broadcastable with `guide`
 * @param b broadcastable with `guide`
 */
export function affineApply(a: Tensor, b: Tensor, guide: Tensor): Tensor {
  return b.addcmul(a, guide)
}

/**
 * Means of cells of `factor` × `factor` pixels; cells at the border may be smaller.
 *
 * @param input `[B, C, H, W]`
 * @returns `[B, C, ⌈H/factor⌉, ⌈W/factor⌉]`
 */
export function areaDownsample(input: Tensor, factor: number): Tensor {
  return resultOf(call('vision_native::area_downsample', [input, factor]))
}

function resultOf(result: unknown): Tensor {
  return result as Tensor
}

/** Calls `run` with ε as a tensor, which is freed when it was made here. */
function withEps(eps: number | Tensor, run: (eps: Tensor) => Tensor): Tensor {
  if (isTensor(eps)) return run(eps)
  if (typeof eps !== 'number') throw new ArgumentError(`guidedFilter: eps is a number or a tensor of one, got ${eps}`)
  return tidy(() => run(scalarTensor(eps, { dtype: 'float64' })))
}

function nativeOptions({
  mode = 'gray',
  edge = 'clip',
}: {
  mode?: GuidedMode | undefined
  edge?: BoxEdge | undefined
}) {
  return { mode: modeName(mode), edge }
}

function modeName(mode: GuidedMode): string {
  if (Object.hasOwn(MODES, mode)) return MODES[mode]
  throw new ArgumentError(`guidedFilter: mode is 'gray', 'perChannel' or 'color', got '${mode}'`)
}

function requireSubsample(subsample: number): void {
  if (Number.isSafeInteger(subsample) && subsample >= 1) return
  throw new ArgumentError(`fastGuidedFilter: subsample is a whole number of 1 or more, got ${subsample}`)
}
