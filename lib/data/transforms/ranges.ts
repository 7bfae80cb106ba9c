import { ArgumentError } from '../../native/errors'
import { show } from '../../nn/options'
import type { Tensor } from '../../tensor'
import type { Fill } from './functional/fill'
import { kindOf } from './kinds'
import { isPlainObject } from './sample'

/** Least and most of what is drawn. */
export type Range = readonly [least: number, most: number]

/** @throws ArgumentError unless both are numbers from `least` to `most`, in order */
export function checkRange(name: string, range: Range, least = -Infinity, most = Infinity): Range {
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [Number.NaN, Number.NaN]
  if (low >= least && low <= high && high <= most && Number.isFinite(low) && Number.isFinite(high)) return [low, high]
  const bounds = Number.isFinite(least) || Number.isFinite(most) ? ` from ${least} to ${most}` : ''
  throw new ArgumentError(`${name} is ${show(range)}; it must be [least, most], two numbers in order${bounds}`)
}

/** A range, or one number for a range around 0. */
export function rangeAroundZero(name: string, value: number | Range): Range {
  if (typeof value !== 'number') return checkRange(name, value)
  if (value >= 0 && Number.isFinite(value)) return [-value, value]
  throw new ArgumentError(
    `${name} is ${value}; a single number must be 0 or more, and stands for [-${-value}, ${-value}]`,
  )
}

/** One fill for images and masks, or one for each kind; `others` for the kinds that are not named. */
export type FillByKind =
  | Fill
  | { readonly image?: Fill; readonly video?: Fill; readonly mask?: Fill; readonly others?: Fill }

/** The fill for a part of a sample. A plain tensor is an image. */
export function fillFor(fill: FillByKind, part: Tensor): Fill {
  if (!isPlainObject(fill)) return fill as Fill
  const kind = kindOf(part) ?? 'image'
  const own = kind === 'image' || kind === 'video' || kind === 'mask' ? fill[kind] : undefined
  return own === undefined ? (fill.others ?? null) : own
}
