import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import { decodePixels } from './image-decode'
import { type EncodeOptions, encodeImage, imageFormatOf } from './image-encode'
import { type ImageMode, planesOf } from './planar'
import { readSource, type Source } from './source'

export interface ReadImageOptions<D extends 'uint8' | 'float32' = 'uint8'> {
  /**
   * `'rgb'` (default; transparency is dropped), `'rgba'` (opaque where the file has no alpha), or `'grey'` (Rec. 601:
   * 0.299 R + 0.587 G + 0.114 B).
   */
  readonly mode?: ImageMode | undefined
  /** `'uint8'` (default, 0–255) or `'float32'` (0–1, keeping the precision of 16-bit files). */
  readonly dtype?: D | undefined
  readonly device?: Device | undefined
  /** Larger images are refused before they are decoded; 2^27 (134 megapixels) unless stated. */
  readonly maxPixels?: number | undefined
}

const MODES: readonly ImageMode[] = ['rgb', 'rgba', 'grey']

/**
 * Reads a JPEG, PNG, WebP, AVIF, TIFF or GIF image (the first frame of several), upright by its EXIF orientation.
 *
 * Values are those of the file: a colour profile is applied to CMYK only. Decoding does not block the event loop.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @returns `[3, H, W]`, `[4, H, W]` or `[1, H, W]` by `mode`
 * @throws ArgumentError when the file cannot be opened or an option is not known
 * @throws FormatError when the data is no image, is truncated, or has more than `maxPixels` pixels
 */
export async function readImage<D extends 'uint8' | 'float32' = 'uint8'>(
  source: Source,
  { mode = 'rgb', dtype, device, maxPixels }: ReadImageOptions<D> = {},
): Promise<Tensor<D>> {
  const elements: 'uint8' | 'float32' = dtype ?? 'uint8'
  if (!MODES.includes(mode)) {
    throw new ArgumentError(`readImage: mode '${String(mode)}' is not known; use ${MODES.join(', ')}`)
  }
  if (elements !== 'uint8' && elements !== 'float32') {
    throw new ArgumentError(`readImage: dtype '${String(elements)}' is not read; use uint8 or float32, then to()`)
  }
  const pixels = await decodePixels(await readSource(source, 'readImage'), { alpha: mode === 'rgba', maxPixels })
  return (await planesOf(pixels, mode, elements, device)) as Tensor<D>
}

/**
 * Writes an image whole or not at all; the extension of the path says the format (png, jpg, webp, avif, tiff).
 *
 * @param image `[C, H, W]` with 1, 3 or 4 channels, or `[H, W]`; uint8, or floating point in 0–1 (values outside are
 *   clamped, then rounded to 256 levels)
 * @throws ShapeError, DTypeError when the tensor is no image
 * @throws ArgumentError when the extension or an option is not known, a value is NaN, or the path cannot be written
 */
export async function writeImage(image: Tensor, path: string, options: EncodeOptions = {}): Promise<void> {
  const format = imageFormatOf(path, 'writeImage')
  await writeFileAtomic(path, await encodeImage(image, format, options), 'writeImage')
}
