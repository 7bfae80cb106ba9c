// A network over volumes of any size, and what its maps mean.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Triple, VolumeSource } from '../../../datasets'
import { readNpy, writeNpy } from '../../../io'
import type { RunOptions } from '../../../pipeline'
import { bincount, capture, type Device, noGrad, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../tensor'
import { affinityBasins, agglomerate, type Basins, basinGraph, mergeSmallBasins } from './affinities'
import { type Config, decodingOf } from './config'
import { asBytes, checkWindow } from './data'
import { checkMaps, decodeBcCc, decodeBcMw, decodeCc, decodeMw, decodeTracked, removeSmall } from './decode'
import { channelsOf, type MapNetwork, type Representation, TARGETS } from './model'
import { numbersOf } from './numbers'
import { predictViews, viewsOf } from './test-time'
import { blocksOf, countWindows, predictBlock, type WindowOptions } from './windows'

/** Objects of a volume. */
export interface Segmentation {
  /** int32 `[D, H, W]`; 0 for background, then 1 … without gaps. */
  readonly labels: Tensor<'int32'>
  /** Bytes of the maps they were made of, `[C, D, H, W]`. */
  readonly maps: Tensor<'uint8'>
}

/** How maps are computed. */
export interface MapOptions extends RunOptions {
  /** Where blocks are kept, for a run that may be interrupted; of one volume, network and grid. */
  readonly folder?: string | undefined
}

/** Runs a network in evaluation mode over volumes; a window's graph is captured once. */
export class VolumeSegmenter implements Disposable {
  readonly #network = capture((x: Tensor) => noGrad(() => this.model.forward(x)))

  constructor(
    readonly model: MapNetwork,
    readonly config: Config,
    readonly device: Device,
  ) {
    checkWindow(config.inference.window, 'inference.window')
  }

  get #windows(): WindowOptions {
    const { window, stride, pad, sigma, block } = this.config.inference
    const sides = (values: readonly number[]) => values.map((side) => Math.max(1, side)) as unknown as Triple
    return { window: sides(window), stride: sides(stride), pad: pad as unknown as Triple, sigma, block: sides(block) }
  }

  /**
   * Maps of a volume, block by block, as bytes on the CPU: `[C, D, H, W]`. With a folder each block is kept there, and
   * one that is there already is not computed again.
   */
  async *blocks(volume: VolumeSource, { signal, onProgress, folder }: MapOptions = {}) {
    const [options, views] = [this.#windows, viewsOf(this.config.inference.views)]
    const total = countWindows(volume.shape, options)
    let done = 0
    const network = (window: Tensor) => this.#network.run([window], { signal })
    const predict = (window: Tensor) => predictViews(network, window, views, this.model.representation)
    const onWindow = () => onProgress?.({ stage: 'windows', done: ++done, total })
    for (const block of blocksOf(volume.shape, options.block)) {
      const path = folder && join(folder, `${block.start.join('-')}.npy`)
      if (path !== undefined && existsSync(path)) {
        yield { ...block, maps: (await readNpy(path)) as Tensor<'uint8'> }
        continue
      }
      const maps = await predictBlock(volume, block, predict, { ...options, device: this.device }, { signal, onWindow })
      if (path !== undefined) await writeNpy(path, maps)
      yield { ...block, maps }
    }
  }

  /** Maps of a whole volume. */
  maps(volume: VolumeSource, options: MapOptions = {}): Promise<Tensor<'uint8'>> {
    return tidyAsync(async () => {
      const bytes = await asBytes(volume)
      const whole = zeros([channelsOf(this.model.representation), ...volume.shape], { dtype: 'uint8' })
      for await (const { start, size, maps } of this.blocks(bytes, options)) {
        start.reduce((part: Tensor, first, axis) => part.narrow(axis + 1, first, size[axis] ?? 0), whole).copy_(maps)
        maps.dispose()
      }
      return whole as Tensor<'uint8'>
    })
  }

  /** Objects of a volume. */
  segment(volume: VolumeSource, options: RunOptions = {}): Promise<Segmentation> {
    return tidyAsync(async () => {
      const maps = await this.maps(volume, options)
      options.onProgress?.({ stage: 'objects', done: 0, total: 1 })
      const labels = await decodeMaps(maps, this.model.representation, decodingOf(this.config), options)
      options.onProgress?.({ stage: 'objects', done: 1, total: 1 })
      return { labels, maps }
    })
  }

  dispose(): void {
    this.#network.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

export type Decoding = ReturnType<typeof decodingOf>

/** Objects by the decoder of a config. @param maps uint8 `[C, D, H, W]` */
export function decodeMaps(
  maps: Tensor,
  representation: Representation,
  decoding: Decoding,
  watch: Pick<RunOptions, 'signal'> = {},
): Promise<Tensor<'int32'>> {
  checkMaps(maps, channelsOf(representation))
  const affinities = TARGETS[representation].indexOf('affinity') === 0
  return tidyAsync(async () => {
    if (affinities) return decodeAffinities(maps.narrow(0, 0, 3), decoding)
    const mask = maps.select(0, 0)
    const contour = representation === 'BC' ? maps.select(0, 1) : undefined
    switch (decoding.decoder) {
      case 'mw':
        return contour ? decodeBcMw(mask, contour, decoding, watch) : decodeMw(mask, decoding, watch)
      case 'iou':
        return decodeTracked(mask, decoding, watch)
      default:
        return contour ? decodeBcCc(mask, contour, decoding, watch) : decodeCc(mask, decoding, watch)
    }
  })
}

/** Objects by the affinities of their voxels, `[3, D, H, W]` bytes. */
async function decodeAffinities(maps: Tensor, decoding: Decoding): Promise<Tensor<'int32'>> {
  const shape = maps.shape.slice(1) as unknown as Triple
  const bytes = (await maps.contiguous().data()) as Uint8Array
  const { low, high, size, merge, threshold } = decoding.affinity
  const basins = affinityBasins(bytes, shape, { low: 255 * low, high: 255 * high })
  const merged = ((): Basins => {
    switch (decoding.decoder) {
      case 'waterz':
        return agglomerate(basins, basinGraph(basins, bytes, shape), {
          score: (sum, count) => 1 - sum / (255 * count),
          limit: threshold,
        })
      case 'multicut':
        return agglomerate(basins, basinGraph(basins, bytes, shape, logOdds), { score: (sum) => -sum, limit: 0 })
      default:
        return mergeSmallBasins(basins, basinGraph(basins, bytes, shape), { size, merge: 255 * merge })
    }
  })()
  return removeSmall(tensor(merged.labels, { shape }), decoding.smallest)
}

/** Of a byte as a probability, kept from 0 and 1 by half a step. */
function logOdds(byte: number): number {
  const p = Math.min(Math.max(byte, 0.5), 254.5) / 255
  return Math.log(p / (1 - p))
}

/** What is known of an object. */
export interface ObjectScore {
  readonly label: number
  readonly voxels: number
  /** Mean probability of its voxels, 0–1. */
  readonly score: number
}

/** Size and mean probability of the objects 1 … count. @param maps uint8 `[C, D, H, W]`: of the mask, or affinities */
export function scoreObjects(labels: Tensor, maps: Tensor, representation: Representation): ObjectScore[] {
  return tidy(() => {
    const sure = TARGETS[representation].indexOf('affinity') === 0 ? 3 : 1
    const flat = labels.flatten().to('int64')
    const sizes = numbersOf(bincount(flat))
    const sums = Array.from({ length: sure }, (_, i) =>
      numbersOf(bincount(flat, { weights: maps.select(0, i).flatten().to('float64') })),
    )
    return sizes.slice(1).map((voxels, i) => {
      const sum = sums.reduce((total, each) => total + (each[i + 1] ?? 0), 0)
      return { label: i + 1, voxels, score: voxels === 0 ? 0 : sum / (255 * sure * voxels) }
    })
  })
}
