import { extname } from 'node:path'
import { writeImage, writeNpy, writeNpz } from '../../io'
import type { Tensor } from '../../tensor'
import { tidyAsync } from '../../tensor/scope'
import { volumePicture } from '../../vision'
import { type Json, Result } from './result'
import { isJsonPath, unknownExtension, writeJson } from './write-json'

/** One object of a labelled volume. */
export interface VolumeObject {
  readonly label: number
  readonly voxels: number
  /** Mean certainty of its voxels, 0–1. */
  readonly score: number
}

/** Objects of a volume: a number for each voxel, 0 where there is none. */
export class VolumeLabels extends Result {
  /**
   * @param labels `[D, H, W]` int32
   * @param volume what they were found in, `[D, H, W]` uint8
   */
  constructor(
    readonly labels: Tensor<'int32'>,
    readonly objects: readonly VolumeObject[],
    readonly volume: Tensor<'uint8'>,
  ) {
    super()
  }

  /**
   * Writes the labels as npz (array `labels`, compressed) or npy, the objects as JSON, or slices with the objects in
   * colours as png or jpg.
   */
  async toFile(path: string): Promise<void> {
    const extension = extname(path).toLowerCase()
    if (extension === '.npz') await writeNpz(path, { labels: this.labels }, { compress: true })
    else if (extension === '.npy') await writeNpy(path, this.labels)
    else if (extension === '.png' || extension === '.jpg') {
      await tidyAsync(async () => writeImage(volumePicture(this.volume, this.labels), path))
    } else if (isJsonPath(path)) await writeJson(path, this.toJSON())
    else throw unknownExtension(path, '.npz, .npy, .png, .jpg or .json')
  }

  describe(): string {
    const sizes = this.objects.map(({ voxels }) => voxels).sort((a, b) => a - b)
    const median = sizes[Math.floor(sizes.length / 2)] ?? 0
    return `${this.labels.shape.join(' × ')} voxels, ${this.objects.length} objects, median ${median} voxels`
  }

  toJSON(): Json {
    return { shape: this.labels.shape, objects: this.objects.map((object) => ({ ...object })) }
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.labels, this.volume]
  }
}
