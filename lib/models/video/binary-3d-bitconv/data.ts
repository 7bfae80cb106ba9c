// Training and test videos: UCF101, HMDB51, folders of classes, or moving squares.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Dataset, sampleGenerator } from '../../../data'
import {
  hasHmdb51Lists,
  hasUcf101Lists,
  type LabelledVideo,
  type LabelledVideos,
  readHmdb51,
  readUcf101,
  readVideoFolder,
  splitVideos,
} from '../../../datasets'
import { readClip } from '../../../io'
import { ConfigError, FormatError } from '../../../native/errors'
import { type DataOptions, SYNTHETIC, type VideoInput } from '../../../pipeline'
import { randint, type Tensor, tensor, tidyAsync } from '../../../tensor'
import { type ClipCrop, clipFrames, networkClip, sizedFrames } from './clips'
import { type Config, type InputPlan, inputPlan } from './config'
import { syntheticData } from './synthetic'

/** A video of a known action, wherever it is. */
export interface VideoItem {
  readonly name: string
  readonly label: number
  /** Number of frames. */
  readonly frames: number
  /** The whole of it. */
  input(): VideoInput
  /** Frames of these numbers, `[T, 3, H, W]` uint8. */
  read(numbers: readonly number[]): Promise<Tensor>
}

export interface ActionData {
  readonly classes: readonly string[]
  readonly videos: readonly VideoItem[]
}

/**
 * A part of a data set, in whichever layout its folder is.
 *
 * @throws ArgumentError for a folder in no known layout; FormatError naming all files that cannot be used, unless they
 *   are to be skipped; ConfigError when the classes are not those of the config
 */
export async function actionData(part: 'train' | 'test', request: DataOptions, config: Config): Promise<ActionData> {
  const data = await readPart(part, request, config)
  checkClasses(data.classes, config, request.data)
  return data
}

async function readPart(part: 'train' | 'test', request: DataOptions, config: Config): Promise<ActionData> {
  const { data, skipBroken, note } = request
  if (data === SYNTHETIC) return syntheticData(part, config, inputPlan(config))
  const settle = { skipBroken, note }
  const { split, testShare: share, splitSeed: seed } = config.data
  if (hasUcf101Lists(data)) return filed(await readUcf101(data, { part, split, ...settle }))
  if (hasHmdb51Lists(data)) return filed(await readHmdb51(data, { part, split, ...settle }))
  const folder = (part === 'train' ? ['train'] : ['test', 'val']).map((name) => join(data, name)).find(existsSync)
  if (folder !== undefined && existsSync(join(data, 'train'))) return filed(await readVideoFolder(folder, settle))
  const all = await readVideoFolder(data, settle)
  const videos = splitVideos(all.videos, { share, seed })[part]
  if (videos.length > 0) return filed({ ...all, videos })
  throw new FormatError(`binary-3d-bitconv: ${data} leaves no videos for ${part}; change data.testShare`)
}

function filed({ classes, videos }: LabelledVideos): ActionData {
  return { classes, videos: videos.map((video) => new FileItem(video)) }
}

/** A video in a file; only the part that is asked for is decoded. */
class FileItem implements VideoItem {
  readonly name: string
  readonly label: number
  readonly frames: number

  constructor(video: LabelledVideo) {
    this.name = video.path
    this.label = video.label
    this.frames = video.frames
  }

  input(): VideoInput {
    return this.name
  }

  read(numbers: readonly number[]): Promise<Tensor> {
    const [startFrame, endFrame] = [Math.min(...numbers), Math.max(...numbers) + 1]
    return tidyAsync(async () => {
      const { frames } = await readClip(this.name, { startFrame, endFrame, layout: 'TCHW', threads: 1 })
      // A damaged file may give fewer frames than it says.
      const places = numbers.map((number) => BigInt(Math.min(number - startFrame, frames.size(0) - 1)))
      return frames.indexSelect(0, tensor(places))
    })
  }
}

function checkClasses(found: readonly string[], { classes }: Config, data: string): void {
  if (classes === undefined) return
  const fits =
    typeof classes === 'number' ? classes === found.length : JSON.stringify(classes) === JSON.stringify(found)
  if (fits) return
  const known = typeof classes === 'number' ? `${classes} classes` : `the classes ${classes.join(', ')}`
  throw new ConfigError(`binary-3d-bitconv: the network has ${known}; ${data} has ${found.length}: ${found.join(', ')}`)
}

/** What the network is trained on. */
export interface ClipSample {
  /** `[3, T, size, size]`. */
  readonly clip: Tensor
  readonly label: Tensor
}

/** Clips of videos at random times, cropped at random places, mirrored or not. */
export class RandomClips implements Dataset<ClipSample> {
  readonly length: number
  readonly #plan: InputPlan

  constructor(
    readonly videos: readonly VideoItem[],
    readonly config: Config,
  ) {
    this.length = videos.length
    this.#plan = inputPlan(config)
  }

  get(index: number): Promise<ClipSample> {
    const video = this.videos[index] as VideoItem
    const plan = this.#plan
    return tidyAsync(async () => {
      const room = video.frames - plan.frames * plan.interval + 1
      const frames = clipFrames(room > 0 ? randomWhole(room) : 0, video.frames, plan)
      const sized = sizedFrames(await video.read(frames), plan)
      const clip = networkClip(sized, randomCrop(sized, plan, this.config.training.flip), plan)
      return { clip, label: tensor(BigInt(video.label)) }
    })
  }
}

function randomCrop(frames: Tensor, { size }: InputPlan, flip: number): ClipCrop {
  const [height = 0, width = 0] = frames.shape.slice(-2)
  const top = randomWhole(height - size + 1)
  const left = randomWhole(width - size + 1)
  return { top, left, isFlipped: randomWhole(2 ** 20) < flip * 2 ** 20 }
}

/** A number from 0 to `count − 1` of the sample's own random numbers. */
function randomWhole(count: number): number {
  return Number(randint(0, count, [1], { generator: sampleGenerator() }).item())
}
