// A folder of videos made ready for training: shots, held still, as flow in both directions.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'
import { RandomStream, Stream } from '../../../data/random'
import { DataProblems, writeFlowFolder } from '../../../datasets'
import { readVideo, writeFileAtomic, writeImage } from '../../../io'
import { ArgumentError, FormatError } from '../../../native/errors'
import { systemReason } from '../../../native/system-reason'
import { throwIfCancelled } from '../../../pipeline'
import { cat, type Tensor, tidyAsync } from '../../../tensor'
import type { Config } from './config'
import type { ClipRequest } from './data'
import { directedFlow, prepareFrames } from './prepare'
import { goodSteps, shotStarts } from './shots'

const EXTENSIONS = ['.mp4', '.mov', '.mkv', '.webm', '.avi']

/** What became of a video; its file says that the video is done. */
interface PreparedVideo {
  readonly rows: readonly string[]
  readonly shots: number
  readonly unstable: number
  readonly still: number
}

/**
 * Cuts the videos of a folder into shots, holds each still, and writes its flow in both directions (frames for networks
 * that see frames), with `train.txt` and `test.txt` in the layout of the released lists. Videos are divided at random,
 * so that all shots of one are on one side. What an earlier run made ready is not made again.
 *
 * @returns the folder of the lists
 * @throws ArgumentError when there are no videos; FormatError naming those that cannot be read, unless they are to be
 *   skipped, and when there are no shots
 */
export async function prepareVideos(request: ClipRequest): Promise<string> {
  const { data, config, skipBroken, note, signal } = request
  const paths = await listVideos(data)
  const folder = join(request.folder, 'prepared')
  const lists = { train: join(folder, 'train.txt'), test: join(folder, 'test.txt') }
  if (existsSync(lists.train) && existsSync(lists.test)) return folder
  await mkdir(folder, { recursive: true })
  const problems = new DataProblems(`videos of ${data}`)
  const videos = new Map<string, PreparedVideo>()
  for (const path of paths) {
    throwIfCancelled(signal, 'prepareVideos')
    const name = relative(data, path).replaceAll(/[\\/\s]+/g, '_')
    const prepared = await problems.try(path, () => prepareVideo(path, join(folder, name), config, signal))
    throwIfCancelled(signal, 'prepareVideos')
    if (prepared !== undefined) videos.set(path, prepared)
  }
  problems.settle(paths.length, { skipBroken, note })
  const all = [...videos.values()]
  const total = (key: 'shots' | 'unstable' | 'still') => all.reduce((sum, video) => sum + video[key], 0)
  note(
    `${all.length} videos hold ${total('shots')} shots of ${config.preparation.shotFrames} frames; ${total('unstable')} could not be held still, ${total('still')} hardly move`,
  )
  await writeLists(lists, all, config)
  return folder
}

async function writeLists(
  lists: { readonly train: string; readonly test: string },
  videos: readonly PreparedVideo[],
  { preparation, training }: Config,
): Promise<void> {
  const filled = videos.filter(({ rows }) => rows.length > 0)
  const tests = Math.min(filled.length - 1, Math.max(1, Math.round(preparation.testShare * filled.length)))
  if (filled.length < 2) {
    throw new FormatError(
      `arrow-of-time: ${filled.length} videos have usable shots, and two are needed: one to learn from, one for tests; use longer videos of a steady camera in which something moves, or preparation.stabilise=false and a smaller preparation.leastMotion`,
    )
  }
  const order = new RandomStream(training.seed, 0, Stream.Split).permutation(filled.length)
  const rowsOf = (places: readonly number[]) => places.flatMap((place) => filled[place]?.rows ?? [])
  await writeFileAtomic(lists.test, text(rowsOf(order.slice(0, tests))), 'prepareVideos')
  await writeFileAtomic(lists.train, text(rowsOf(order.slice(tests))), 'prepareVideos')
}

const text = (rows: readonly string[]) => Buffer.from(`${rows.join('\n')}\n`)

async function listVideos(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new ArgumentError(`arrow-of-time: cannot list ${root}: ${systemReason(cause)}`, { cause })
  })
  const paths = entries
    .filter((entry) => entry.isFile() && EXTENSIONS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  if (paths.length > 0) return paths
  throw new ArgumentError(
    `arrow-of-time: ${root} has neither train.txt and test.txt nor videos (${EXTENSIONS.join(', ')})`,
  )
}

async function prepareVideo(
  path: string,
  folder: string,
  config: Config,
  signal: AbortSignal | undefined,
): Promise<PreparedVideo> {
  const done = join(folder, 'done.json')
  if (existsSync(done)) return JSON.parse(await readFile(done, 'utf8'))
  const rows: string[] = []
  let [shots, unstable, still] = [0, 0, 0]
  for await (const frames of shotsOf(path, config.preparation, signal)) {
    shots += 1
    const shot = String(shots).padStart(4, '0')
    const outcome = await tidyAsync(() => prepareShot(frames, join(folder, shot), config, signal))
    frames.dispose()
    if (outcome === 'unstable') unstable += 1
    else if (outcome === 'still') still += 1
    else rows.push(...outcome.map((row) => join(basename(folder), shot, row)))
  }
  const prepared: PreparedVideo = { rows, shots, unstable, still }
  await mkdir(folder, { recursive: true })
  await writeFileAtomic(done, Buffer.from(JSON.stringify(prepared)), 'prepareVideos')
  return prepared
}

/** Windows of a video that are shots, `[T, 3, H, W]` uint8; memory holds little more than one. */
async function* shotsOf(
  path: string,
  { shotFrames, largestChange }: Config['preparation'],
  signal: AbortSignal | undefined,
): AsyncGenerator<Tensor, void, void> {
  let kept: Tensor | undefined
  for await (const { frames } of readVideo(path, { layout: 'TCHW', signal })) {
    const before = kept
    const joined: Tensor = before ? cat([before, frames]) : frames
    if (before) {
      before.dispose()
      frames.dispose()
    }
    let used = 0
    for (const start of shotStarts(goodSteps(joined, largestChange), shotFrames)) {
      yield joined.narrow(0, start, shotFrames).clone()
      used = start + shotFrames
    }
    // The run of good steps that reaches the end goes on in the next chunk.
    const steps = goodSteps(joined, largestChange)
    let first = joined.size(0) - 1
    while (first > used && steps[first - 1]) first -= 1
    kept =
      used >= joined.size(0)
        ? undefined
        : joined.narrow(0, Math.max(first, used), joined.size(0) - Math.max(first, used)).clone()
    joined.dispose()
  }
  kept?.dispose()
}

type Outcome = 'unstable' | 'still' | readonly string[]

/** Writes a shot. @returns rows of the list, relative to the shot's folder; or why it is left out */
async function prepareShot(
  frames: Tensor,
  folder: string,
  config: Config,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const { grey, colour, unstable } = await prepareFrames(frames, config, { signal })
  if (unstable !== undefined) return 'unstable'
  const { input, preparation, network, data } = config
  const flow = await directedFlow(grey, input.bound, { both: true, signal })
  if (flow.motion < preparation.leastMotion) return 'still'
  const [ahead, back] = [data.forwardLabel, 1 - data.forwardLabel]
  if (network.modality !== 'flow') {
    await mkdir(join(folder, 'frames'), { recursive: true })
    for (let t = 0; t < colour.size(0); t++) {
      const name = `img_${String(t + 1).padStart(4, '0')}.${preparation.files}`
      await writeImage(colour.select(0, t), join(folder, 'frames', name))
    }
    const maps = colour.size(0) - (network.modality === 'd-rgb' ? 1 : 0)
    return [`frames ${maps} ${ahead}`, `frames ${maps} ${back}`]
  }
  await writeFlowFolder(join(folder, 'f'), flow.forward, preparation)
  await writeFlowFolder(join(folder, 'b'), flow.backward as Tensor, preparation)
  const maps = flow.forward.size(0)
  return [`f ${maps} ${ahead}`, `b ${maps} ${back}`]
}
