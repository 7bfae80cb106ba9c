import { ArgumentError } from '../native/errors'

/** The size of the frames that are given; what is not stated follows, in the proportions of the picture. */
export interface SizeOptions {
  readonly width?: number | undefined
  readonly height?: number | undefined
  /** The shorter side gets this length. */
  readonly shortSide?: number | undefined
  /** The longer side is made no longer than this; smaller pictures stay. */
  readonly maxSide?: number | undefined
}

export interface Size {
  readonly width: number
  readonly height: number
}

const MAX_SIDE = 2 ** 15

/** @throws ArgumentError for lengths that are no whole numbers from 1 to 32768, or that contradict each other */
export function checkSizeOptions(options: SizeOptions, caller: string): void {
  const names = ['width', 'height', 'shortSide', 'maxSide'] as const
  for (const name of names) {
    const value = options[name]
    if (value === undefined || (Number.isInteger(value) && value > 0 && value <= MAX_SIDE)) continue
    throw new ArgumentError(`${caller}: ${name} is ${value}; it must be a whole number from 1 to ${MAX_SIDE}`)
  }
  const ways = [
    options.width !== undefined || options.height !== undefined,
    options.shortSide !== undefined,
    options.maxSide !== undefined,
  ]
  if (ways.filter(Boolean).length > 1) {
    throw new ArgumentError(`${caller}: give width and height, or shortSide, or maxSide, but not several of them`)
  }
}

/** The size that the options make of an upright picture, rounded to whole pixels. */
export function targetSize({ width, height }: Size, options: SizeOptions): Size {
  const scaled = (factor: number): Size => ({ width: side(width * factor), height: side(height * factor) })
  if (options.width !== undefined && options.height !== undefined) {
    return { width: options.width, height: options.height }
  }
  if (options.width !== undefined) return { width: options.width, height: side((height * options.width) / width) }
  if (options.height !== undefined) return { width: side((width * options.height) / height), height: options.height }
  if (options.shortSide !== undefined) return scaled(options.shortSide / Math.min(width, height))
  if (options.maxSide !== undefined) return scaled(Math.min(1, options.maxSide / Math.max(width, height)))
  return { width, height }
}

function side(length: number): number {
  return Math.max(1, Math.round(length))
}
