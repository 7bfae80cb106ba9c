import { ShapeError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { adaptiveAvgPool2d, cat, upsampleBilinear2d } from '../tensor/ops.generated'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

export interface ContentAwareUpsampleOptions {
  /** r: outputs per input along each axis, a whole number; 2 unless stated. 1 is a content-aware filter. */
  readonly scale?: number
  /** K: the side of the window, odd; 5 unless stated. */
  readonly window?: number
  /** Blocks of consecutive channels with weights of their own; 1 unless stated. */
  readonly groups?: number
  /** What lies outside the map; `zeros` unless stated. Weights are not renormalised there. */
  readonly border?: 'zeros' | 'replicate'
}

/**
 * Enlarges a map: every output is a weighted sum over a window of its source, with weights that are a softmax of
 * `logits`. Wang et al., "CARAFE: Content-Aware ReAssembly of FEatures", ICCV 2019. Softmax, order of pixels and sum are
 * one pass, and nothing of the size of the windows is stored.
 *
 * Tap k = (a + p)·K + (b + p) of the window, p = (K − 1)/2, reads the source at offset (a, b). Its logit for the output
 * at (r·i + u, r·j + v) is channel group·r²K² + k·r² + u·r + v at (i, j). A place whose logits are all −∞ gives 0; NaN
 * gives NaN. The gradient recomputes the softmax and has no second derivative.
 *
 * @param features `[B, C, H, W]`, any floating dtype and layout
 * @param logits `[B, groups·r²·K², H, W]`
 * @returns `[B, C, r·H, r·W]` of the dtype and memory format of `features`
 * @throws ShapeError when shapes do not fit; ArgumentError for an even window, or options out of range
 */
export function contentAwareUpsample(
  features: Tensor,
  logits: Tensor,
  { scale = 2, window = 5, groups = 1, border = 'zeros' }: ContentAwareUpsampleOptions = {},
): Tensor {
  const options = { scale, window, groups, border }
  return call('vision_native::content_aware_upsample', [features, logits], options) as Tensor
}

/** `contentAwareUpsample` on a thread of LibTorch's, with the event loop free. */
export async function contentAwareUpsampleAsync(
  features: Tensor,
  logits: Tensor,
  {
    scale = 2,
    window = 5,
    groups = 1,
    border = 'zeros',
    ...watch
  }: ContentAwareUpsampleOptions & AsyncCallOptions = {},
): Promise<Tensor> {
  const options = { scale, window, groups, border }
  return (await callAsync('vision_native::content_aware_upsample', [features, logits], options, watch)) as Tensor
}

/**
 * Means of a map over n × n bins for each n, from ⌊tH/n⌋ to ⌈(t+1)H/n⌉ along each axis.
 *
 * @param features `[B, C, H, W]`
 * @returns `[B, C, n, n]` for each of `bins`
 */
export function poolPyramid(features: Tensor, bins: readonly number[] = [1, 2, 3, 6]): readonly Tensor[] {
  requireMap('poolPyramid', features)
  return bins.map((n) => adaptiveAvgPool2d(features, [n, n]))
}

/**
 * The map and, after its channels, each of `maps` enlarged to its size, bilinear between centres of pixels.
 *
 * @param features `[B, C, H, W]`
 * @param maps `[B, C′, n, n]` each
 */
export function expandPyramid(features: Tensor, maps: readonly Tensor[]): Tensor {
  requireMap('expandPyramid', features)
  const size = [features.size(2), features.size(3)]
  return tidy(() => cat([features, ...maps.map((map) => upsampleBilinear2d(map, size, false))], { dim: 1 }))
}

function requireMap(name: string, features: Tensor): void {
  if (features.ndim !== 4) throw new ShapeError(`${name}: features are [B, C, H, W], got shape [${features.shape}]`)
}
