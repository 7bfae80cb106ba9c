import sharp, { type Metadata, type Sharp } from 'sharp'
import { ArgumentError, FormatError } from '../native/errors'
import type { SourceBytes } from './source'

/** Pixels as they are stored, interleaved, with red, green, blue and perhaps alpha. */
export interface DecodedPixels {
  readonly width: number
  readonly height: number
  readonly channels: 3 | 4
  /** 8-bit or 16-bit samples. */
  readonly samples: Uint8Array | Uint16Array
}

/** Room for a photograph of 100 megapixels; a bomb of a few kilobytes can ask for billions. */
export const DEFAULT_MAX_PIXELS = 2 ** 27

const SIGNATURES: readonly { readonly format: string; readonly matches: (bytes: Uint8Array) => boolean }[] = [
  { format: 'JPEG', matches: (b) => starts(b, [0xff, 0xd8, 0xff]) },
  { format: 'PNG', matches: (b) => starts(b, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) },
  { format: 'GIF', matches: (b) => /^GIF8[79]a/.test(ascii(b, 0, 6)) },
  { format: 'WebP', matches: (b) => ascii(b, 0, 4) === 'RIFF' && ascii(b, 8, 12) === 'WEBP' },
  { format: 'TIFF', matches: (b) => /^(?:II[*+]\0|MM\0[*+])/.test(ascii(b, 0, 4)) },
  { format: 'AVIF', matches: (b) => ascii(b, 4, 8) === 'ftyp' && /^(?:avi[fs]|mif1|msf1)$/.test(ascii(b, 8, 12)) },
]

function starts(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((value, i) => bytes[i] === value)
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to))
}

/** True for bytes that begin as a PNG file does. */
export function isPng(bytes: Uint8Array): boolean {
  return formatOf(bytes) === 'PNG'
}

function formatOf(bytes: Uint8Array): string | undefined {
  return SIGNATURES.find(({ matches }) => matches(bytes))?.format
}

/** The first bytes of something unknown, for messages. */
export function firstBytes(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

/**
 * Reads the header, and refuses what is no image or too large before any pixel is decoded.
 *
 * Drawings (SVG, PDF) are refused too: they have no pixels of their own and their renderers are a far larger target for
 * hostile files than the decoders of photographs are.
 */
export async function probeImage(
  { name, bytes }: SourceBytes,
  maxPixels = DEFAULT_MAX_PIXELS,
  page?: number | undefined,
): Promise<Metadata> {
  checkMaxPixels(maxPixels)
  const format = formatOf(bytes)
  if (format === undefined) {
    const known = SIGNATURES.map((signature) => signature.format).join(', ')
    throw new FormatError(
      `${name} is not an image: it begins with ${firstBytes(bytes)}; ${known} are read (render a drawing such as SVG first)`,
    )
  }
  // The limit is checked below, where the message can name the size.
  const metadata = await decoder(bytes, { page })
    .metadata()
    .catch((cause: unknown) => {
      throw new FormatError(`${name} is a damaged ${format} file: ${reasonOf(cause)}`, { cause })
    })
  const pixels = metadata.width * metadata.height
  if (pixels > maxPixels) {
    throw new FormatError(
      `${name} has ${metadata.width} × ${metadata.height} = ${pixels} pixels, more than ${maxPixels}; ` +
        'if the file is to be trusted, raise the limit with the option maxPixels',
    )
  }
  return metadata
}

function checkMaxPixels(maxPixels: number): void {
  if (Number.isSafeInteger(maxPixels) && maxPixels > 0) return
  throw new ArgumentError(`maxPixels is ${maxPixels}; it must be a positive whole number`)
}

interface DecoderOptions {
  readonly ignoreIcc?: boolean
  readonly maxPixels?: number | false
  readonly page?: number | undefined
}

function decoder(bytes: Uint8Array, { ignoreIcc = false, maxPixels = false, page }: DecoderOptions): Sharp {
  return sharp(bytes, {
    failOn: 'error',
    limitInputPixels: maxPixels,
    ignoreIcc,
    ...(page === undefined ? {} : { page }),
  })
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').trim().slice(0, 200)
}

/**
 * Decodes the first frame, or that of the number `page`, at the depth of the file (8 or 16 bits), turned upright by its
 * EXIF orientation. Runs on sharp's threads.
 *
 * Grey is repeated in the three colours and a palette is looked up. Values are those of the file, as Pillow and OpenCV
 * give them: a colour profile is applied only to CMYK, which has no red, green and blue of its own.
 */
export async function decodePixels(
  source: SourceBytes,
  {
    alpha,
    maxPixels = DEFAULT_MAX_PIXELS,
    page,
  }: { alpha: boolean; maxPixels?: number | undefined; page?: number | undefined },
): Promise<DecodedPixels> {
  const { name, bytes } = source
  const { depth, space } = await probeImage(source, maxPixels, page)
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new FormatError(`${name} has samples of type ${depth}; images of 8 or 16 bits for each sample are read`)
  }
  const deep = depth === 'ushort'
  const upright = decoder(bytes, { ignoreIcc: space !== 'cmyk', maxPixels, page })
    .autoOrient()
    .toColourspace(deep ? 'rgb16' : 'srgb')
  const { data, info } = await (alpha ? upright.ensureAlpha() : upright.removeAlpha())
    .raw({ depth })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw new FormatError(`${name} is truncated or damaged: ${reasonOf(cause)}`, { cause })
    })
  const channels = alpha ? 4 : 3
  const count = info.width * info.height * channels
  if (info.channels !== channels || data.byteLength !== count * (deep ? 2 : 1)) {
    throw new FormatError(`${name} decodes to ${info.channels} channels of ${space}; ${channels} were expected`)
  }
  return { width: info.width, height: info.height, channels, samples: deep ? wide(data, count) : data }
}

/** 16-bit samples; a pooled buffer may begin at an odd address, which a Uint16Array cannot. */
function wide(data: Uint8Array, count: number): Uint16Array {
  if (data.byteOffset % 2 === 0) return new Uint16Array(data.buffer, data.byteOffset, count)
  return new Uint16Array(data.slice().buffer, 0, count)
}
