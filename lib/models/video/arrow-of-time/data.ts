// Training and test clips: released lists, a folder of videos, or discs on a table.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Dataset, sampleGenerator } from '../../../data'
import { type ClipRow, DataProblems, FlowFolder, readClipList } from '../../../datasets'
import { FormatError } from '../../../native/errors'
import { type DataOptions, SYNTHETIC } from '../../../pipeline'
import { randint, type Tensor, tensor, tidyAsync } from '../../../tensor'
import { fiveCropPositions } from '../../../vision'
import { type ChunkLayout, chunkLayout } from './chunks'
import { type DirectedClip, discClips, FlowFolderClip, FrameFolderClip } from './clips'
import type { Config } from './config'
import { bytesWithShortSide, chunked, flipMaps, mapsOf } from './maps'
import { prepareVideos } from './videos'

/** Seeds of test clips begin here, so that none is one of training. */
const TEST_SEEDS = 1_000_000
/** Maps that a made-up clip has beyond a window, so that windows begin at different times. */
const SPARE_MAPS = 4

export interface ClipRequest extends DataOptions {
  readonly config: Config
  /** Where videos that are made ready are kept. */
  readonly folder: string
}

/** Clips for training (`train`) or tests, each direction one of its own. */
export async function directedClips(request: ClipRequest, part: 'train' | 'test'): Promise<DirectedClip[]> {
  const { data, config } = request
  const { span } = chunkLayout(config.network)
  if (data === SYNTHETIC) return discSet(config, part)
  const folder = existsSync(join(data, `${part}.txt`)) ? data : await prepareVideos(request)
  const clips = await listedClips(join(folder, `${part}.txt`), request)
  const long = clips.filter(({ length }) => length >= span)
  const short = clips.length - long.length
  if (short > 0) request.note(`${short} of ${clips.length} clips are shorter than ${span} maps and left out`)
  if (long.length > 0) return long
  throw new FormatError(
    `arrow-of-time: ${part}.txt of ${folder} has no clip of ${span} maps or more; take the model of 10 (network.maps=10)`,
  )
}

async function discSet({ network, input, synthetic }: Config, part: 'train' | 'test'): Promise<DirectedClip[]> {
  const { clips, testClips, discs, friction, flow } = synthetic
  const first = part === 'train' ? 0 : TEST_SEEDS
  const frames = chunkLayout(network).span + SPARE_MAPS + 1
  const shared = {
    frames,
    side: input.shortSide,
    discs,
    friction,
    flow,
    modality: network.modality,
    bound: input.bound,
  }
  const all: DirectedClip[] = []
  for (let i = 0; i < (part === 'train' ? clips : testClips); i++) {
    all.push(...(await discClips({ ...shared, seed: first + i })))
  }
  return all
}

/**
 * The clips of a list with rows `<folder> <maps> <label>`.
 *
 * @throws FormatError naming folders that are missing, broken or shorter than listed, unless they are to be skipped
 */
export async function listedClips(
  path: string,
  { config, skipBroken, note }: Pick<ClipRequest, 'config' | 'skipBroken' | 'note'>,
): Promise<DirectedClip[]> {
  const rows = await readClipList(path, { root: dirname(path) })
  const problems = new DataProblems(`clips of ${path}`)
  const clips: DirectedClip[] = []
  for (const row of rows) {
    const clip = await problems.try(`${path}:${row.line}`, () => openRow(row, config))
    if (clip !== undefined) clips.push(clip)
  }
  problems.settle(rows.length, { skipBroken, note })
  return clips
}

async function openRow(row: ClipRow, { network, data }: Config): Promise<DirectedClip> {
  if (row.label > 1) throw new FormatError(`label ${row.label} of ${row.folder}; a direction is 0 or 1`)
  const forward = row.label === data.forwardLabel
  const clip =
    network.modality === 'flow'
      ? new FlowFolderClip(await FlowFolder.open(row.folder), forward)
      : await FrameFolderClip.open(row.folder, forward, network.modality)
  if (clip.length >= row.length) return clip
  throw new FormatError(`${row.folder} has ${clip.length} maps, and the list says ${row.length}`)
}

/** What the network is trained on. */
export interface WindowSample {
  /** `[T, L · C, crop, crop]`. */
  readonly x: Tensor
  /** 1 where the clip plays forward. */
  readonly forward: Tensor
}

/** Windows of clips at random times, cropped at one of five places, mirrored or not. */
export class ClipWindows implements Dataset<WindowSample> {
  readonly length: number
  readonly #layout: ChunkLayout

  constructor(
    readonly clips: readonly DirectedClip[],
    readonly config: Config,
  ) {
    this.length = clips.length
    this.#layout = chunkLayout(config.network)
  }

  get(index: number): Promise<WindowSample> {
    return tidyAsync(async () => {
      const clip = this.clips[index] as DirectedClip
      const { span } = this.#layout
      const raw = await clip.read(randomWhole(clip.length - span + 1), span)
      const x = randomView(raw, this.config, this.#layout)
      return { x, forward: tensor(clip.forward ? 1 : 0, { dtype: 'float32' }) }
    })
  }
}

/** A window as training sees it: one crop and one flip for all of its maps. */
export function randomView(raw: Tensor, { network, input, training }: Config, layout: ChunkLayout): Tensor {
  const sized = bytesWithShortSide(raw, input.shortSide)
  const [height, width] = [sized.size(2), sized.size(3)]
  const [top, left] = fiveCropPositions(height, width, input.crop)[randomWhole(5)] ?? [0, 0]
  const maps = mapsOf(sized.narrow(2, top, input.crop).narrow(3, left, input.crop), network.modality)
  const isFlipped = randomWhole(2 ** 20) < training.flip * 2 ** 20
  return chunked(isFlipped ? flipMaps(maps, network.modality) : maps, layout)
}

/** A number from 0 to `count − 1` of the sample's own random numbers. */
export function randomWhole(count: number): number {
  return Number(randint(0, count, [1], { generator: sampleGenerator() }).item())
}
