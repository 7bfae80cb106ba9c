import { openVolume } from '../../../datasets'
import {
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  Pipeline,
  type RunOptions,
  type VolumeInput,
  VolumeLabels,
} from '../../../pipeline'
import { type Tensor, tidyAsync } from '../../../tensor'
import { card } from './card'
import { Config } from './config'
import { asBytes } from './data'
import { MapNetwork } from './model'
import { scoreObjects, VolumeSegmenter } from './segmenter'

const networks = { card, config: Config, create: (config: Config) => new MapNetwork(config) }

/**
 * Finds and numbers the mitochondria of electron-microscopy volumes (MitoEM, MICCAI 2020).
 *
 * A volume is an array `[D, H, W]` or its `.npz` or `.npy` file, a `.tif` of several pages, a folder of slices, or the
 * `.json` of a volume in tiles; slices are read block by block. Its labels are held in memory.
 *
 * @example
 * using segmenter = await MitochondriaSegmenter.load({ weights: 'mitochondria.safetensors' })
 * using found = await segmenter.run('volume.npz')
 * await found.toFile('labels.npz')
 * await found.toFile('labels.png') // slices with the objects in colours
 */
export class MitochondriaSegmenter extends Pipeline<VolumeInput, VolumeLabels> {
  readonly #segmenter: VolumeSegmenter

  private constructor(private readonly loaded: LoadedNetworks<typeof Config, MapNetwork>) {
    super()
    this.#segmenter = new VolumeSegmenter(loaded.model, loaded.config, loaded.device)
  }

  /** @throws ConfigError without weights, or when they are another system's; ShapeError when they are of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<MitochondriaSegmenter> {
    const loaded = await loadNetworks(networks, options)
    try {
      return new MitochondriaSegmenter(loaded)
    } catch (error) {
      loaded.model.dispose()
      throw error
    }
  }

  /** @throws the errors of `openVolume`; CancelledError */
  run(input: VolumeInput, options: RunOptions = {}): Promise<VolumeLabels> {
    return tidyAsync(async () => {
      const volume = await openVolume(input)
      const { labels, maps } = await this.#segmenter.segment(volume, options)
      const objects = scoreObjects(labels, maps, this.loaded.model.representation)
      const grey = await (await asBytes(volume)).read([0, 0, 0], volume.shape)
      return new VolumeLabels(labels, objects, grey as Tensor<'uint8'>)
    })
  }

  dispose(): void {
    this.#segmenter.dispose()
    this.loaded.model.dispose()
  }
}
