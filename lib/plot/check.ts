import { ArgumentError } from '../native/errors'

export function checkLabel(caller: string, role: string, label: unknown): void {
  if (typeof label === 'string' && label !== '') return
  const got = label === '' ? 'empty' : `of type ${typeof label}`
  throw new ArgumentError(`${caller}: the ${role} is ${got}; a reader needs a word there`)
}

interface Size {
  readonly width?: number | undefined
  readonly height?: number | undefined
}

/** Width and height in pixels, by default those of a figure in a text. */
export function checkSize(caller: string, { width = 560, height = 320 }: Size): { width: number; height: number } {
  for (const [name, value] of Object.entries({ width, height })) {
    if (!(value >= 20 && value <= 8192)) {
      throw new ArgumentError(`${caller}: ${name} is ${value}; it is a number of pixels from 20 to 8192`)
    }
  }
  return { width, height }
}
