import { ArgumentError, FormatError } from '../native/errors'

/** What a file may ask for; the defaults have room for 8K. Passing a limit is a FormatError that names it. */
export interface VideoLimits {
  /** Frames given; unlimited unless stated. */
  readonly maxFrames?: number | undefined
  /** Pixels of one picture; 2^25 (33.5 megapixels, 8K) unless stated. */
  readonly maxPixels?: number | undefined
  /** Bytes of the tensor of `readClip`; 2 GiB unless stated. */
  readonly maxBytes?: number | undefined
  /** Seconds of video; unlimited unless stated. */
  readonly maxDurationS?: number | undefined
  /** Milliseconds that opening the file or making one chunk may take; unlimited unless stated. */
  readonly timeoutMs?: number | undefined
}

export const DEFAULT_MAX_PIXELS = 2 ** 25
export const DEFAULT_MAX_BYTES = 2 ** 31

/** @throws ArgumentError for a limit that is no positive number */
export function checkLimits(limits: Readonly<Record<string, number | undefined>> | VideoLimits, caller: string): void {
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined || (typeof value === 'number' && value > 0)) continue
    throw new ArgumentError(`${caller}: limits.${name} is ${String(value)}; it must be a positive number`)
  }
}

/** Refuses a figure past its limit. */
export function holdTo(
  limits: VideoLimits,
  limit: 'maxFrames' | 'maxBytes' | 'maxDurationS',
  figure: number,
  name: string,
  what: string,
): void {
  const most = limits[limit] ?? (limit === 'maxBytes' ? DEFAULT_MAX_BYTES : Number.POSITIVE_INFINITY)
  if (figure <= most) return
  throw new FormatError(
    `${name}: has ${figure} ${what}, more than ${most}; ask for a part of it, or raise limits.${limit}`,
  )
}
