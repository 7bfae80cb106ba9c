// Features of untrimmed videos with the actions in them: what temporal localizers are trained on.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { npyShape, readNpy, writeFileAtomic, writeNpy } from '../io'
import { FormatError, ShapeError } from '../native/errors'
import { cat, type Tensor } from '../tensor'
import { tidyAsync } from '../tensor/scope'
import { DataProblems, type SettleOptions } from './problems'
import { linesOf, Place, parseJson, readText } from './text-file'

/** The two parts of a data set of actions. */
export type ActionPart = 'train' | 'test'

/** An action in a video. */
export interface ActionSegment {
  readonly label: string
  /** Beginning and end in seconds. */
  readonly segment: readonly [startS: number, endS: number]
}

/** A video of which features are stored. */
export interface ActionVideo {
  readonly name: string
  /** Segments, the rows of its features. */
  readonly length: number
  /** Values of a segment in each stream. */
  readonly features: number
  readonly actions: readonly ActionSegment[]
  /** Features `[length, 2 · features]` float32, RGB before flow. */
  read(): Promise<Tensor<'float32'>>
}

export interface ActionFeaturesOptions extends SettleOptions {
  readonly part: ActionPart
}

/**
 * Reads a data set of features: `features/{train,test}/{rgb,flow}/VIDEO.npy` with a row a segment, the names of the
 * videos in `split_train.txt` and `split_test.txt`, and their actions in `gt.json` as ActivityNet writes them. Features
 * stay in their files until they are asked for.
 *
 * @throws ArgumentError when a list cannot be read; FormatError naming place and rule, and naming videos whose features
 *   or actions are missing or broken, unless they are to be skipped
 */
export async function readActionFeatures(
  root: string,
  { part, ...settle }: ActionFeaturesOptions,
): Promise<readonly ActionVideo[]> {
  const names = await listedVideos(root, part)
  const actions = await readActionSegments(join(root, 'gt.json'))
  const problems = new DataProblems(`videos of ${join(root, `split_${part}.txt`)}`)
  const videos: ActionVideo[] = []
  for (const name of names) {
    const video = await problems.try(name, () => openVideo(root, part, name, actions.get(name)))
    if (video !== undefined) videos.push(video)
  }
  problems.settle(names.length, settle)
  return videos
}

/** Whether a folder holds the lists that `readActionFeatures` begins with. */
export function hasActionFeatures(root: string): boolean {
  return existsSync(join(root, 'split_train.txt')) || existsSync(join(root, 'split_test.txt'))
}

async function listedVideos(root: string, part: ActionPart): Promise<readonly string[]> {
  const path = join(root, `split_${part}.txt`)
  const names = [...linesOf(await readText(path, 'readActionFeatures'))].map(([, line]) => line.trim())
  if (names.length > 0) return names
  throw new FormatError(`readActionFeatures: ${path} names no videos`)
}

/**
 * The actions of videos by name, from a file `{ "database": { VIDEO: { "annotations": [{ "label", "segment" }] } } }`.
 *
 * @throws ArgumentError when it cannot be read; FormatError naming the place that is not so
 */
export async function readActionSegments(path: string): Promise<ReadonlyMap<string, readonly ActionSegment[]>> {
  const place = new Place('readActionSegments', path)
  const file = place.record(parseJson(await readText(path, 'readActionSegments'), place))
  const at = place.field('database')
  const videos = Object.entries(at.record(file.database)).map(([name, value]) => {
    const here = at.field(name).field('annotations')
    const list = here.list(at.field(name).record(value).annotations)
    return [name, list.map((each, i) => segmentOf(each, here.field(i)))] as const
  })
  return new Map(videos)
}

function segmentOf(value: unknown, place: Place): ActionSegment {
  const { label, segment } = place.record(value)
  // THUMOS14 is also released with times as text.
  const [start = 0, end = 0] = place
    .field('segment')
    .list(segment)
    .map((time) =>
      typeof time === 'string' ? place.field('segment').numeral(time) : place.field('segment').number(time),
    )
  if (!(start <= end)) throw place.field('segment').error(`[${start}, ${end}] ends before it begins`)
  return { label: place.field('label').text(label), segment: [start, end] }
}

async function openVideo(
  root: string,
  part: ActionPart,
  name: string,
  actions: readonly ActionSegment[] | undefined,
): Promise<ActionVideo> {
  if (actions === undefined) throw new FormatError('gt.json says nothing of it')
  const [rgb, flow] = (['rgb', 'flow'] as const).map((stream) =>
    join(root, 'features', part, stream, `${name}.npy`),
  ) as [string, string]
  const [[length = 0, features = 0, ...more], other] = await Promise.all([npyShape(rgb), npyShape(flow)])
  if (more.length > 0 || length === 0 || features === 0 || String(other) !== String([length, features])) {
    throw new FormatError(
      `${rgb} is [${[length, features, ...more]}] and ${flow} [${other}]; both must be [segments, values]`,
    )
  }
  const read = () =>
    tidyAsync(async () => {
      const [first, second] = await Promise.all([readNpy(rgb), readNpy(flow)])
      return cat([first.to('float32'), second.to('float32')], { dim: 1 }) as Tensor<'float32'>
    })
  return { name, length, features, actions, read }
}

/** Features of a video to be written. */
export interface WrittenFeatures {
  readonly name: string
  /** `[L, 2D]`, RGB before flow. */
  readonly features: Tensor
  readonly actions: readonly ActionSegment[]
}

/**
 * Writes a data set of features as `readActionFeatures` reads it; the videos come one by one.
 *
 * @throws ShapeError for features that are not `[L, 2D]`
 */
export async function writeActionFeatures(
  root: string,
  videos: AsyncIterable<WrittenFeatures & { readonly part: ActionPart }>,
): Promise<void> {
  const names = { train: [] as string[], test: [] as string[] }
  const database: Record<string, { readonly subset: ActionPart; readonly annotations: readonly ActionSegment[] }> = {}
  for await (const { name, features, actions, part } of videos) {
    if (features.ndim !== 2 || features.size(1) % 2 !== 0) {
      throw new ShapeError(`writeActionFeatures: features of ${name} are [${features.shape}]; they must be [L, 2D]`)
    }
    const halves = features.chunk(2, { dim: 1 })
    for (const [i, stream] of (['rgb', 'flow'] as const).entries()) {
      const folder = join(root, 'features', part, stream)
      await mkdir(folder, { recursive: true })
      const half = (halves[i] as Tensor).contiguous()
      await writeNpy(join(folder, `${name}.npy`), half)
      half.dispose()
    }
    names[part].push(name)
    database[name] = { subset: part, annotations: actions }
  }
  const write = (file: string, text: string) =>
    writeFileAtomic(join(root, file), Buffer.from(text), 'writeActionFeatures')
  for (const part of ['train', 'test'] as const) await write(`split_${part}.txt`, `${names[part].join('\n')}\n`)
  await write('gt.json', `${JSON.stringify({ database }, undefined, 1)}\n`)
}

/** A span that is not judged. */
export interface AmbiguousSpan {
  readonly video: string
  readonly segment: readonly [startS: number, endS: number]
}

/**
 * Reads THUMOS14's list of ambiguous actions, rows `<video> <start> <end>` in seconds.
 *
 * @throws ArgumentError when it cannot be read; FormatError naming the line that is no row
 */
export async function readAmbiguousSpans(path: string): Promise<readonly AmbiguousSpan[]> {
  const place = new Place('readAmbiguousSpans', path)
  return [...linesOf(await readText(path, 'readAmbiguousSpans'))].map(([number, line]) => {
    const at = place.line(number)
    const [video = '', start, end, ...more] = line.trim().split(/\s+/)
    if (more.length > 0) throw at.error(`'${line}' is no row "<video> <start> <end>"`)
    return { video, segment: [at.numeral(start), at.numeral(end)] }
  })
}
