// Clips that play in one direction, wherever they are stored.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FlowFolder } from '../../../datasets'
import { readImage } from '../../../io'
import { ArgumentError, FormatError } from '../../../native/errors'
import { systemReason } from '../../../native/system-reason'
import { stack, type Tensor, tensor, tidyAsync } from '../../../tensor'
import type { Modality } from './config'
import { type DiscOptions, discFlowBytes, drawDiscs, reverseDiscs, rollDiscs } from './discs'
import { rawCount } from './maps'
import { directedFlow } from './prepare'

/** Flow or frames of a clip in the order in which it plays. */
export interface ClipSource {
  readonly name: string
  /** Number of maps. */
  readonly length: number
  /**
   * What `count` maps from `start` on are made of.
   *
   * @returns uint8: flow `[count, 2, H, W]`, or frames `[count, 3, H, W]` (one more for differences)
   */
  read(start: number, count: number): Promise<Tensor>
}

/** A clip of which the direction is known. */
export interface DirectedClip extends ClipSource {
  readonly forward: boolean
}

/** Bytes that are in memory, outside of the tensors' memory. */
export class MemoryClip implements DirectedClip {
  readonly length: number
  readonly #bytes: Uint8Array
  readonly #shape: readonly number[]

  /** @param raw uint8, as `ClipSource.read` gives it for the whole clip; it is copied */
  constructor(
    readonly name: string,
    readonly forward: boolean,
    raw: Tensor,
    readonly modality: Modality,
  ) {
    this.length = raw.size(0) - rawCount(0, modality)
    this.#bytes = (raw.contiguous().dataSync() as Uint8Array).slice()
    this.#shape = raw.shape.slice(1)
  }

  async read(start: number, count: number): Promise<Tensor> {
    const size = this.#shape.reduce((product, side) => product * side, 1)
    const raw = rawCount(count, this.modality)
    return tensor(this.#bytes.subarray(start * size, (start + raw) * size), { shape: [raw, ...this.#shape] })
  }
}

/** Both directions of a clip of discs. */
export async function discClips(
  options: DiscOptions & { readonly modality: Modality; readonly flow: 'exact' | 'tvl1'; readonly bound: number },
): Promise<readonly [forward: DirectedClip, backward: DirectedClip]> {
  const { modality, flow, bound, seed } = options
  const [ahead, back] = [rollDiscs(options), reverseDiscs(rollDiscs(options))]
  const clip = (raw: Tensor, forward: boolean) =>
    new MemoryClip(`discs ${seed}, ${forward ? 'forward' : 'backward'}`, forward, raw, modality)
  return tidyAsync(async () => {
    if (modality !== 'flow') return [clip(drawDiscs(ahead), true), clip(drawDiscs(ahead).flip([0]), false)] as const
    if (flow === 'exact')
      return [clip(discFlowBytes(ahead, bound), true), clip(discFlowBytes(back, bound), false)] as const
    const grey = drawDiscs(ahead).select(1, 0).to('float32').div(255)
    const both = await directedFlow(grey, bound, { both: true })
    return [clip(both.forward, true), clip(both.backward as Tensor, false)] as const
  })
}

/** Flow in a folder of `flow_x_0001.png` and so on. */
export class FlowFolderClip implements DirectedClip {
  readonly length: number

  constructor(
    readonly folder: FlowFolder,
    readonly forward: boolean,
  ) {
    this.length = folder.length
  }

  get name(): string {
    return this.folder.path
  }

  read(start: number, count: number): Promise<Tensor> {
    return this.folder.read(start, count)
  }
}

/** Frames in a folder of `img_0001.png` and so on, read in reverse for a clip that plays backward. */
export class FrameFolderClip implements DirectedClip {
  readonly length: number

  private constructor(
    readonly name: string,
    readonly forward: boolean,
    readonly modality: Modality,
    readonly paths: readonly string[],
  ) {
    this.length = paths.length - rawCount(0, modality)
  }

  /** @throws ArgumentError when the folder cannot be listed; FormatError when it holds no frames */
  static async open(path: string, forward: boolean, modality: Modality): Promise<FrameFolderClip> {
    const names = await readdir(path).catch((cause: unknown) => {
      throw new ArgumentError(`frames: cannot list ${path}: ${systemReason(cause)}`, { cause })
    })
    const frames = names.filter((name) => /^img_\d+\.(png|jpe?g|webp)$/.test(name)).sort()
    if (frames.length === 0) throw new FormatError(`frames: ${path} has no img_0001.{png,jpg,webp}`)
    const paths = frames.map((name) => join(path, name))
    return new FrameFolderClip(path, forward, modality, forward ? paths : paths.reverse())
  }

  async read(start: number, count: number): Promise<Tensor> {
    const chosen = this.paths.slice(start, start + rawCount(count, this.modality))
    return tidyAsync(async () => stack(await Promise.all(chosen.map((path) => readImage(path)))))
  }
}
