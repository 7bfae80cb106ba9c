import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { readNpy, readNpz, type Source } from '../io'
import { ArgumentError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor'
import { isTensor } from '../tensor/handle'
import { type SliceVolumeOptions, sliceVolume, tileVolume } from './slice-volume'
import { tensorVolume, type VolumeSource } from './volume-source'

export interface OpenVolumeOptions extends SliceVolumeOptions {
  /** Of a `.npz`: the array; `volume` (or `labels`), or the only one, unless stated. */
  readonly array?: string | undefined
}

/**
 * Opens a volume: `[D, H, W]`, a `.npz` or `.npy` file, a TIFF of several pages, a folder of slices, or the JSON file of
 * a volume in tiles. Arrays are read at once, into the scope that opens them; slices as they are asked for. `[H, W]` is
 * a volume of one slice.
 *
 * @throws ArgumentError for files that are none of these; ShapeError for arrays of another shape
 */
export async function openVolume(input: Source | Tensor, options: OpenVolumeOptions = {}): Promise<VolumeSource> {
  if (isTensor(input)) return tensorVolume(asVolume(input as Tensor, 'the volume'), 'the volume')
  const path = input instanceof Uint8Array ? undefined : String(input)
  if (path !== undefined && typeof input === 'string') {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return sliceVolume(path, options)
    const extension = extname(path).toLowerCase()
    if (extension === '.json') return tileVolume(path, options)
    if (extension === '.tif' || extension === '.tiff') return sliceVolume(path, options)
    if (extension === '.npy') return inMemory(await readNpy(path), path)
    if (extension !== '.npz') {
      throw new ArgumentError(
        `openVolume: '${extension}' of ${path} is no volume; give .npz, .npy, .tif, .json (tiles), or a folder of slices`,
      )
    }
  }
  const name = path ?? 'the volume'
  return inMemory(arrayOf(await readNpz(input as Source), name, options), name)
}

function inMemory(volume: Tensor, name: string): VolumeSource {
  return tensorVolume(asVolume(volume, name), name)
}

function asVolume(volume: Tensor, name: string): Tensor {
  if (volume.ndim === 3) return volume
  if (volume.ndim === 2) return volume.unsqueeze(0)
  throw new ShapeError(
    `${name} has the shape [${volume.shape.join(', ')}]; a volume is [D, H, W], or [H, W] for one slice`,
  )
}

function arrayOf(arrays: ReadonlyMap<string, Tensor>, name: string, { array, labels }: OpenVolumeOptions): Tensor {
  const wanted = array ?? (labels ? 'labels' : 'volume')
  const found = arrays.get(wanted) ?? (array === undefined && arrays.size === 1 ? [...arrays.values()][0] : undefined)
  if (found !== undefined) return found
  throw new ArgumentError(`openVolume: ${name} has no array '${wanted}'; it has ${[...arrays.keys()].join(', ')}`)
}
