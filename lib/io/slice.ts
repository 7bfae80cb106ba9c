// One slice of a volume: a grey picture, or the numbers of objects.
import { tensor } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import { decodePixels } from './image-decode'
import { readSource, type Source } from './source'

export interface ReadSliceOptions {
  /** Of a TIFF with several pictures; the first unless stated. */
  readonly page?: number | undefined
  /**
   * Whether the values are numbers of objects: a slice whose colours differ holds them as
   * `red · 65536 + green · 256 + blue`, as the slices of MitoEM do. False unless stated.
   */
  readonly labels?: boolean | undefined
  /** Larger slices are refused before they are decoded; 2^27 (134 megapixels) unless stated. */
  readonly maxPixels?: number | undefined
}

/**
 * Reads a slice as it is stored, of 8 or 16 bits.
 *
 * @returns `[H, W]`: int32 for labels and for pictures of 16 bits, uint8 otherwise; of a coloured picture the red
 * @throws the errors of `readImage`
 */
export async function readSlice(
  source: Source,
  { page, labels = false, maxPixels }: ReadSliceOptions = {},
): Promise<Tensor> {
  const input = await readSource(source, 'readSlice')
  const { width, height, samples } = await decodePixels(input, { alpha: false, page, maxPixels })
  const shape = [height, width]
  if (!labels && samples instanceof Uint8Array)
    return tensor(everyThird(samples, new Uint8Array(width * height)), { shape })
  const values = new Int32Array(width * height)
  if (labels && isColoured(samples)) {
    for (let i = 0, j = 0; i < values.length; i++, j += 3) {
      values[i] = (samples[j] ?? 0) * 65536 + (samples[j + 1] ?? 0) * 256 + (samples[j + 2] ?? 0)
    }
    return tensor(values, { shape })
  }
  return tensor(everyThird(samples, values), { shape })
}

function everyThird<T extends Uint8Array | Int32Array>(samples: Uint8Array | Uint16Array, values: T): T {
  for (let i = 0; i < values.length; i++) values[i] = samples[3 * i] ?? 0
  return values
}

function isColoured(samples: Uint8Array | Uint16Array): boolean {
  if (samples instanceof Uint16Array) return false
  for (let i = 0; i < samples.length; i += 3) {
    if (samples[i] !== samples[i + 1] || samples[i] !== samples[i + 2]) return true
  }
  return false
}

/** How many pictures a file holds: 1, but for TIFFs of several pages. */
export async function countPages(path: string): Promise<number> {
  const { default: sharp } = await import('sharp')
  return (await sharp(path, { limitInputPixels: false }).metadata()).pages ?? 1
}
