// Volumes that are read block by block, however large they are.
import { ArgumentError, ShapeError } from '../native/errors'
import { type Tensor, tensor, tidyAsync } from '../tensor'

/** Along slices, rows and columns. */
export type Triple = readonly [z: number, y: number, x: number]

/** A volume of grey values (uint8, or whole numbers of more bits) or of numbers of objects (int32). */
export interface VolumeSource {
  /** For messages. */
  readonly name: string
  readonly shape: Triple
  /** A block that lies inside: `[d, h, w]`, new. */
  read(start: Triple, size: Triple): Promise<Tensor>
}

/** A volume in memory. @param volume `[D, H, W]`, which belongs to the caller */
export function tensorVolume(volume: Tensor, name = 'the volume'): VolumeSource {
  if (volume.ndim !== 3 || volume.numel === 0) {
    throw new ShapeError(`${name} has the shape [${volume.shape.join(', ')}]; a volume is [D, H, W]`)
  }
  const shape = volume.shape as unknown as Triple
  return {
    name,
    shape,
    read: async (start, size) => {
      checkInside({ name, shape }, start, size)
      return start
        .reduce((block, first, dim) => block.narrow(dim, first, size[dim] ?? 0), volume)
        .clone({ memoryFormat: 'contiguous_format' })
    },
  }
}

/** @throws ArgumentError unless a block lies inside of a volume */
export function checkInside({ name, shape }: Pick<VolumeSource, 'name' | 'shape'>, start: Triple, size: Triple): void {
  const inside = shape.every((length, dim) => {
    const [first, count] = [start[dim] ?? -1, size[dim] ?? 0]
    return Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count > 0 && first + count <= length
  })
  if (inside) return
  throw new ArgumentError(
    `${name}: the block of ${size.join(' × ')} at ${start.join(', ')} is not within ${shape.join(' × ')} voxels`,
  )
}

/**
 * A block that may leave the volume, whose voxels outside mirror those inside, without repeating the edge.
 *
 * @returns `[d, h, w]`, new
 */
export function readMirrored(volume: VolumeSource, start: Triple, size: Triple): Promise<Tensor> {
  const lines = size.map((count, dim) =>
    Array.from({ length: count }, (_, i) => mirroredPlace((start[dim] ?? 0) + i, volume.shape[dim] ?? 1)),
  )
  const first = lines.map((line) => line.reduce((least, place) => Math.min(least, place), Number.POSITIVE_INFINITY))
  const counts = lines.map(
    (line, dim) => line.reduce((most, place) => Math.max(most, place), 0) - (first[dim] ?? 0) + 1,
  )
  return tidyAsync(async () => {
    const inside = await volume.read(first as unknown as Triple, counts as unknown as Triple)
    return lines.reduce((block, line, dim) => {
      const places = line.map((place) => place - (first[dim] ?? 0))
      if (places.every((place, i) => place === i) && places.length === block.size(dim)) return block
      return block.indexSelect(dim, tensor(places, { dtype: 'int64' }))
    }, inside)
  })
}

/** The place inside of `length` that a place outside mirrors, without repeating the edge. */
export function mirroredPlace(place: number, length: number): number {
  if (length === 1) return 0
  const period = 2 * (length - 1)
  const turned = ((place % period) + period) % period
  return turned < length ? turned : period - turned
}
