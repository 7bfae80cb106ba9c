import { extname } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { later } from './later'

export type ImageFormat = 'png' | 'jpg' | 'webp' | 'avif' | 'tiff'

export interface EncodeOptions {
  /** 1–100 for jpg (90 unless stated), webp (90) and avif (70). */
  readonly quality?: number | undefined
  /** For webp and avif: keep every value. */
  readonly lossless?: boolean | undefined
  /** 0 (fast) to 9 (small) for png; 6 unless stated. */
  readonly compressionLevel?: number | undefined
}

const FORMATS: ReadonlyMap<string, ImageFormat> = new Map([
  ['.png', 'png'],
  ['.jpg', 'jpg'],
  ['.jpeg', 'jpg'],
  ['.webp', 'webp'],
  ['.avif', 'avif'],
  ['.tif', 'tiff'],
  ['.tiff', 'tiff'],
])

const OPTIONS: Readonly<Record<ImageFormat, readonly (keyof EncodeOptions)[]>> = {
  png: ['compressionLevel'],
  jpg: ['quality'],
  webp: ['quality', 'lossless'],
  avif: ['quality', 'lossless'],
  tiff: [],
}

/** The format that a path's extension stands for. @throws ArgumentError listing the known ones */
export function imageFormatOf(path: string, caller: string): ImageFormat {
  if (typeof path !== 'string') throw new ArgumentError(`${caller}: the path is of type ${typeof path}; pass a string`)
  const format = FORMATS.get(extname(path).toLowerCase())
  if (format !== undefined) return format
  const known = [...FORMATS.keys()].join(', ')
  throw new ArgumentError(`${caller}: '${extname(path)}' of ${path} is no known image extension; use ${known}`)
}

/**
 * The bytes of an image file. Encoding does not block the event loop.
 *
 * @param image `[C, H, W]` with 1, 3 or 4 channels, or `[H, W]`; uint8, or floating point in 0–1 (values outside are
 *   clamped, then rounded to 256 levels). JPEG has no alpha: 1 or 3 channels. TIFF is compressed without loss.
 * @throws ShapeError, DTypeError when the tensor is no image
 * @throws ArgumentError when the format or an option is not known, or a value is NaN
 */
export async function encodeImage(image: Tensor, format: ImageFormat, options: EncodeOptions = {}): Promise<Buffer> {
  checkOptions(format, options)
  const { width, height, channels } = checkImage(image, format)
  using bytes = await interleavedBytes(image)
  const pixels = sharp(await bytes.data(), { raw: { width, height, channels }, limitInputPixels: false })
  // Without this, one channel would be stored as three equal ones.
  if (channels === 1) pixels.toColourspace('b-w')
  try {
    return await withFormat(pixels, format, options).toBuffer()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim() : String(cause)
    throw new ArgumentError(`encodeImage: ${width} × ${height} pixels as ${format}: ${reason}`, { cause })
  }
}

function checkOptions(format: ImageFormat, options: EncodeOptions): void {
  const known = Object.hasOwn(OPTIONS, format) ? OPTIONS[format] : undefined
  if (known === undefined) {
    throw new ArgumentError(`encodeImage: format '${format}' is not known; use ${Object.keys(OPTIONS).join(', ')}`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !known.some((option) => option === name)) {
      const list = known.length > 0 ? `its options are ${known.join(', ')}` : 'it has no options'
      throw new ArgumentError(`encodeImage: ${format} has no option ${name}; ${list}`)
    }
  }
  checkWhole('quality', options.quality, 1, 100)
  checkWhole('compressionLevel', options.compressionLevel, 0, 9)
}

function checkWhole(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  throw new ArgumentError(`encodeImage: ${name} is ${value}; it must be a whole number from ${least} to ${most}`)
}

function checkImage(image: Tensor, format: ImageFormat): { width: number; height: number; channels: 1 | 3 | 4 } {
  const { shape, dtype } = image
  if (!['uint8', 'float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError(`encodeImage: an image is uint8 or floating point in 0–1, got ${dtype}; convert it with to()`)
  }
  if (shape.length !== 2 && shape.length !== 3) {
    const remedy = shape.length === 4 ? '; take one image of a batch with at(0)' : ''
    throw new ShapeError(`encodeImage: an image is [C, H, W] or [H, W], got [${shape.join(', ')}]${remedy}`)
  }
  const [height, width] = shape.slice(-2) as [number, number]
  const channels = shape.length === 2 ? 1 : (shape[0] as number)
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new ShapeError(
      `encodeImage: an image [C, H, W] has 1, 3 or 4 channels, got ${channels} in [${shape.join(', ')}]` +
        (shape[2] === 3 || shape[2] === 4 ? '; for [H, W, C] call permute([2, 0, 1]) first' : ''),
    )
  }
  if (height === 0 || width === 0) throw new ShapeError(`encodeImage: an image of [${shape.join(', ')}] has no pixels`)
  if (format === 'jpg' && channels === 4) {
    throw new ShapeError(`encodeImage: JPEG has no alpha, got 4 channels; write png, or drop the alpha with narrow()`)
  }
  return { width, height, channels }
}

/** `[H, W, C]` bytes of an image, made on its device so that a quarter of a float image's bytes cross to the host. */
function interleavedBytes(image: Tensor): Promise<Tensor<'uint8'>> {
  return tidyAsync(async () => {
    const values = image.detach()
    const interleaved = await later('contiguous', [values.ndim === 3 ? values.permute([1, 2, 0]) : values])
    // A view of its own: the caller may dispose of the bytes, but not of the image.
    if (values.dtype === 'uint8') return interleaved.detach() as Tensor<'uint8'>
    if ((await later('any', [await later('isnan', [interleaved])])).item() === true) {
      throw new ArgumentError(
        'encodeImage: the image has NaN values, which are no colour; replace them with nanToNum()',
      )
    }
    const clamped = await later('clamp', [await later('to.dtype', [interleaved, 'float32'])], { min: 0, max: 1 })
    const rounded = await later('round_', [await later('mul_.Scalar', [clamped, 255])])
    return (await later('to.dtype', [rounded, 'uint8'])) as Tensor<'uint8'>
  })
}

function withFormat(pixels: Sharp, format: ImageFormat, { quality, lossless, compressionLevel }: EncodeOptions): Sharp {
  switch (format) {
    case 'png':
      return pixels.png({ compressionLevel: compressionLevel ?? 6 })
    case 'jpg':
      // Colour at full resolution: results are looked at and measured, not only shown.
      return pixels.jpeg({ quality: quality ?? 90, chromaSubsampling: '4:4:4' })
    case 'webp':
      return pixels.webp({ quality: quality ?? 90, lossless: lossless ?? false })
    case 'avif':
      return pixels.avif({ quality: quality ?? 70, lossless: lossless ?? false })
    case 'tiff':
      return pixels.tiff({ compression: 'deflate', predictor: 'horizontal' })
  }
}
