import { ArgumentError, ShapeError } from '../native/errors'
import { call } from '../tensor/call'
import { tensor } from '../tensor/creation'
import { isTensor } from '../tensor/handle'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

/** One number, or x and y. */
type Pair = number | readonly [number, number]
/** For all sides, for left and right and for top and bottom, or for left, right, top and bottom. Negative ones crop. */
type Sides = number | readonly [number, number] | readonly [number, number, number, number]

export interface UpfirdnOptions {
  /** Zeros are put between pixels until they are this far apart; 1 unless stated. */
  readonly up?: Pair
  /** Every so many pixels are kept; 1 unless stated. */
  readonly down?: Pair
  /** Zeros around the image after `up`; 0 unless stated. */
  readonly padding?: Sides
  /** Correlates with the filter rather than convolving; `false` unless stated. */
  readonly flipFilter?: boolean
  /** A factor of the result; 1 unless stated. */
  readonly gain?: number
}

/** The options of the functions that choose `up`, `down` and most of the padding themselves. */
export type ResampleOptions = Pick<UpfirdnOptions, 'padding' | 'flipFilter' | 'gain'>

/**
 * Pads, upsamples by zeros, filters and downsamples images in one pass (Karras et al., "Analyzing and Improving the Image
 * Quality of StyleGAN", CVPR 2020). The filter is small and fixed: it has no gradient. The gradient of the images is an
 * `upfirdn2d` itself, so there are derivatives of every order.
 *
 * @param x `[N, C, H, W]`, any floating dtype and layout
 * @param filter `[taps]`, which passes over both axes, `[height, width]`, or `null` for none; float32 or float64
 * @returns `[N, C, (H·up + top + bottom − taps)/down + 1, …]` of the dtype and memory format of `x`
 * @throws ShapeError when the filter does not fit; DTypeError; ArgumentError for options out of range
 */
export function upfirdn2d(
  x: Tensor,
  filter: Tensor | null,
  { up = 1, down = 1, padding = 0, flipFilter = false, gain = 1 }: UpfirdnOptions = {},
): Tensor {
  const options = { up: pair(up), down: pair(down), padding: [...sidesOf(padding)], flipFilter, gain }
  return call('vision_native::upfirdn2d', [x], { f: filter ?? undefined, ...options }) as Tensor
}

/**
 * A filter for `upfirdn2d`: of the sum 1 and separable where it is long, as StyleGAN's networks use them.
 *
 * @param values the taps, as a list, or a tensor `[taps]` or `[height, width]`
 * @param options `normalize`: divide by the sum (default: true); `gain`: factor of the image (default: 1); `separable`:
 *   keep a list of taps as such (default: where it has 8 or more)
 * @returns float32
 */
export function setupFilter(
  values: readonly number[] | Tensor,
  {
    normalize = true,
    gain = 1,
    separable,
  }: { readonly normalize?: boolean; readonly gain?: number; readonly separable?: boolean } = {},
): Tensor {
  return tidy(() => {
    const given = isTensor(values) ? values.to('float32') : tensor([...values], { dtype: 'float32' })
    if (given.ndim < 1 || given.ndim > 2 || given.numel === 0) {
      throw new ShapeError(`setupFilter: a filter is [taps] or [height, width], got shape [${given.shape}]`)
    }
    const apart = given.ndim === 1 && (separable ?? given.numel >= 8)
    if (separable && !apart) throw new ArgumentError('setupFilter: only a filter [taps] can be separable')
    const full = given.ndim === 1 && !apart ? given.unsqueeze(1).mul(given.unsqueeze(0)) : given
    const unit = normalize ? full.div(full.sum()) : full
    return unit.mul(gain ** (full.ndim / 2))
  })
}

/** Filters images and keeps their size; `padding` is added to what that takes. */
export function filter2d(x: Tensor, filter: Tensor, { padding = 0, ...options }: ResampleOptions = {}): Tensor {
  const [left, right, top, bottom] = sidesOf(padding)
  const [width, height] = sizeOf(filter)
  const sides = [
    left + Math.floor(width / 2),
    right + Math.floor((width - 1) / 2),
    top + Math.floor(height / 2),
    bottom + Math.floor((height - 1) / 2),
  ] as const
  return upfirdn2d(x, filter, { ...options, padding: sides })
}

/** Enlarges images `up` times; constant images stay as they are where the filter has the sum 1. */
export function upsample2d(
  x: Tensor,
  filter: Tensor,
  { up = 2, padding = 0, gain = 1, ...options }: ResampleOptions & { readonly up?: Pair } = {},
): Tensor {
  const [upX, upY] = pair(up)
  const [left, right, top, bottom] = sidesOf(padding)
  const [width, height] = sizeOf(filter)
  const sides = [
    left + Math.floor((width + upX - 1) / 2),
    right + Math.floor((width - upX) / 2),
    top + Math.floor((height + upY - 1) / 2),
    bottom + Math.floor((height - upY) / 2),
  ] as const
  return upfirdn2d(x, filter, { ...options, up, padding: sides, gain: gain * upX * upY })
}

/** Shrinks images `down` times. */
export function downsample2d(
  x: Tensor,
  filter: Tensor,
  { down = 2, padding = 0, ...options }: ResampleOptions & { readonly down?: Pair } = {},
): Tensor {
  const [downX, downY] = pair(down)
  const [left, right, top, bottom] = sidesOf(padding)
  const [width, height] = sizeOf(filter)
  const sides = [
    left + Math.floor((width - downX + 1) / 2),
    right + Math.floor((width - downX) / 2),
    top + Math.floor((height - downY + 1) / 2),
    bottom + Math.floor((height - downY) / 2),
  ] as const
  return upfirdn2d(x, filter, { ...options, down, padding: sides })
}

const pair = (value: Pair): [number, number] => (typeof value === 'number' ? [value, value] : [value[0], value[1]])

function sidesOf(padding: Sides): readonly [number, number, number, number] {
  if (typeof padding === 'number') return [padding, padding, padding, padding]
  if (padding.length === 4) return padding
  if (padding.length === 2) return [padding[0], padding[0], padding[1], padding[1]]
  throw new ArgumentError('upfirdn2d: padding is one number, [x, y] or [left, right, top, bottom]')
}

/** Width and height; one vector serves both axes. */
function sizeOf(filter: Tensor): readonly [number, number] {
  return [filter.size(-1), filter.size(0)]
}
