// Volumes as slices in files: one picture each, tiles of pictures, or pages of a TIFF.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { readSlice } from '../io'
import { countPages } from '../io/slice'
import { ArgumentError, FormatError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import { functional as F } from '../nn'
import { full, stack, type Tensor, tidy, tidyAsync } from '../tensor'
import { listImages } from './image-list'
import { checkInside, type Triple, type VolumeSource } from './volume-source'

export interface SliceVolumeOptions {
  /** Whether the values are numbers of objects, `readSlice` says how stored; false unless stated. */
  readonly labels?: boolean | undefined
}

/**
 * The slices of a folder in the order of their names, or the pages of a TIFF.
 *
 * @throws ArgumentError when there are none; FormatError on reading a slice that is broken or of another size
 */
export async function sliceVolume(
  source: string | readonly string[],
  { labels = false }: SliceVolumeOptions = {},
): Promise<VolumeSource> {
  const single = typeof source === 'string' && /\.tiff?$/i.test(source)
  const name = typeof source === 'string' ? source : `slices of ${dirname(source[0] ?? '')}`
  const places: { path: string; page?: number }[] = single
    ? Array.from({ length: await pagesOf(source) }, (_, page) => ({ path: source, page }))
    : (typeof source === 'string' ? await listImages(source) : source).map((path) => ({ path }))
  const [first] = places
  if (first === undefined) throw new ArgumentError(`sliceVolume: ${name} has no slices`)
  const [height, width] = await tidyAsync(async () => (await readSlice(first.path, { ...first, labels })).shape)
  const shape: Triple = [places.length, height ?? 0, width ?? 0]
  return slicesOf({ name, shape }, async (z, top, left, rows, columns) => {
    const { path, page } = places[z] ?? first
    const slice = await readSlice(path, { page, labels })
    if (slice.size(0) !== height || slice.size(1) !== width) {
      const where = page === undefined ? path : `page ${page} of ${path}`
      throw new FormatError(`${where} has ${slice.shape.join(' × ')} pixels; the first slice has ${height} × ${width}`)
    }
    return slice.narrow(0, top, rows).narrow(1, left, columns)
  })
}

async function pagesOf(path: string): Promise<number> {
  try {
    return await countPages(path)
  } catch (cause) {
    throw new FormatError(`${path} is no TIFF that can be read: ${(cause as Error).message}`, { cause })
  }
}

/** A part of a slice: `[rows, columns]`. */
type ReadPart = (z: number, top: number, left: number, rows: number, columns: number) => Promise<Tensor>

/** Slices that are decoded at a time. */
const AT_ONCE = 8

function slicesOf(what: Pick<VolumeSource, 'name' | 'shape'>, part: ReadPart): VolumeSource {
  return {
    ...what,
    read: async (start, size) => {
      checkInside(what, start, size)
      return tidyAsync(async () => {
        const slices: Tensor[] = []
        for (let z = 0; z < size[0]; z += AT_ONCE) {
          const numbers = Array.from({ length: Math.min(AT_ONCE, size[0] - z) }, (_, i) => start[0] + z + i)
          const read = numbers.map((slice) =>
            tidyAsync(async () => (await part(slice, start[1], start[2], size[1], size[2])).clone()),
          )
          slices.push(...(await Promise.all(read)))
        }
        return stack(slices)
      })
    },
  }
}

const count = z.number().int().positive()

/** What describes a volume whose slices are cut into tiles; the format of PyTorch Connectomics. */
const Manifest = z.object({
  image: z.array(z.string()).min(1),
  depth: count,
  height: count,
  width: count,
  dtype: z.string().optional(),
  ndim: z.number().int().optional(),
  tile_size: count,
  /** Factor by which tiles are enlarged when they are read. */
  tile_ratio: z.number().positive().default(1),
  /** Row and column in the names of the first tile. */
  tile_st: z.tuple([z.number().int(), z.number().int()]).default([0, 0]),
  n_rows: count,
  n_columns: count,
})

/** Grey where a tile of a picture is missing. */
const MISSING = 128

/**
 * A volume of tiles: a JSON file with the path of each slice's tiles, in which `{row}` and `{column}` stand for the
 * tile's place. Relative paths are those from the file's folder. A tile that is missing is grey (128), or background.
 *
 * @throws ArgumentError when the file cannot be read; FormatError when it is no manifest
 */
export async function tileVolume(manifest: string, { labels = false }: SliceVolumeOptions = {}): Promise<VolumeSource> {
  const { image, depth, height, width, tile_size: side, ...given } = await readManifest(manifest)
  if (image.length !== depth) {
    throw new FormatError(`tileVolume: ${manifest} names ${image.length} slices, its depth is ${depth}`)
  }
  const pathOf = (slice: string, row: number, column: number) => {
    const [firstRow, firstColumn] = given.tile_st
    const path = slice.replaceAll('{row}', String(row + firstRow)).replaceAll('{column}', String(column + firstColumn))
    return isAbsolute(path) ? path : join(dirname(manifest), path)
  }
  const readTile = async (path: string): Promise<Tensor | undefined> => {
    if (!existsSync(path)) return undefined
    const tile = await readSlice(path, { labels })
    return given.tile_ratio === 1 ? tile : enlarged(tile, given.tile_ratio, labels)
  }
  return slicesOf({ name: manifest, shape: [depth, height, width] }, async (z, top, left, rows, columns) => {
    const part = full([rows, columns], labels ? 0 : MISSING, { dtype: labels ? 'int32' : 'uint8' })
    for (let row = Math.floor(top / side); row * side < Math.min(top + rows, given.n_rows * side); row++) {
      for (
        let column = Math.floor(left / side);
        column * side < Math.min(left + columns, given.n_columns * side);
        column++
      ) {
        const tile = await readTile(pathOf(image[z] ?? '', row, column))
        if (tile === undefined) continue
        const [y, x] = [row * side, column * side]
        const [fromY, fromX] = [Math.max(y, top), Math.max(x, left)]
        const high = Math.min(y + tile.size(0), top + rows) - fromY
        const wide = Math.min(x + tile.size(1), left + columns) - fromX
        if (high <= 0 || wide <= 0) continue
        const source = tile.narrow(0, fromY - y, high).narrow(1, fromX - x, wide)
        part
          .narrow(0, fromY - top, high)
          .narrow(1, fromX - left, wide)
          .copy_(source)
      }
    }
    return part
  })
}

function enlarged(tile: Tensor, scaleFactor: number, labels: boolean): Tensor {
  return tidy(() => {
    const plane = tile.to('float32').reshape([1, 1, ...tile.shape])
    const scaled = labels
      ? F.interpolate(plane, { scaleFactor, mode: 'nearest' })
      : F.interpolate(plane, { scaleFactor, mode: 'bilinear' }).round()
    return scaled.squeeze(0).squeeze(0).to(tile.dtype)
  })
}

async function readManifest(path: string): Promise<z.output<typeof Manifest>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ArgumentError(`tileVolume: cannot read ${path}: ${systemReason(cause)}`, { cause })
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new FormatError(`tileVolume: ${path} is no JSON`, { cause })
  }
  const parsed = Manifest.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new FormatError(`tileVolume: ${path} is no manifest of tiles: ${issue?.path.join('.')}: ${issue?.message}`)
}
