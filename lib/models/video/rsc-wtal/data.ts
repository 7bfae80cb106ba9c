// Videos for training and tests: a data set of features, or made-up ones.
import { type Dataset, type SampleContext, sampleContext } from '../../../data'
import { RandomStream, Stream } from '../../../data/random'
import { type ActionVideo, hasActionFeatures, readActionFeatures } from '../../../datasets'
import { ArgumentError, ConfigError, FormatError } from '../../../native/errors'
import { type DataOptions, SYNTHETIC } from '../../../pipeline'
import { type Tensor, tensor, tidyAsync } from '../../../tensor'
import { type Config, settingsOf } from './config'
import { perturbedIndices } from './sampling'
import { syntheticClasses, syntheticVideos } from './synthetic'

/** CO2-Net leaves videos of ActivityNet out that have no more segments than this. */
const SHORT = 10

/** Videos, and what their actions are called. */
export interface ActionData {
  readonly videos: readonly ActionVideo[]
  readonly classes: readonly string[]
}

/**
 * The videos of a part of a data set. Classes are those of the config where it names them, and otherwise those of the
 * training videos in alphabetical order.
 *
 * @throws ArgumentError when there is no data set; FormatError naming what is wrong with it; ConfigError when its
 *   features or classes are not those of the config
 */
export async function actionData(
  request: Pick<DataOptions, 'data' | 'skipBroken' | 'note'>,
  config: Config,
  part: 'train' | 'test',
): Promise<ActionData> {
  const { data, skipBroken, note } = request
  const videos = data === SYNTHETIC ? syntheticVideos(config, part) : await readFolder(data, part, { skipBroken, note })
  const classes = await classesOf(request, config, videos, part)
  const odd = videos.find(({ features }) => features !== config.features)
  if (odd !== undefined) {
    throw new ConfigError(
      `rsc-wtal: ${odd.name} has ${odd.features} values a segment and stream, the config says ${config.features}; set features=${odd.features}`,
    )
  }
  const filtered = withoutShort(videos, config)
  if (filtered.length < videos.length) {
    note(
      `${videos.length - filtered.length} of ${videos.length} videos have ${SHORT} segments or fewer and are left out`,
    )
  }
  if (filtered.length === 0) throw new FormatError(`rsc-wtal: no video of ${data} is left for ${part}`)
  const idle = part === 'train' ? filtered.find(({ actions }) => actions.length === 0) : undefined
  if (idle !== undefined)
    throw new FormatError(`rsc-wtal: ${idle.name} has no actions; there is nothing to learn from it`)
  return { videos: known(filtered, classes), classes }
}

async function readFolder(data: string, part: 'train' | 'test', settle: object): Promise<readonly ActionVideo[]> {
  if (hasActionFeatures(data)) return readActionFeatures(data, { part, ...settle })
  throw new ArgumentError(
    `rsc-wtal: ${data} has no split_train.txt or split_test.txt; it must be features/{train,test}/{rgb,flow}/VIDEO.npy with split_train.txt, split_test.txt and gt.json`,
  )
}

function withoutShort(videos: readonly ActionVideo[], { host, variant }: Config): readonly ActionVideo[] {
  if (host !== 'co2-net' || variant !== 'activitynet1.2') return videos
  return videos.filter(({ length }) => length > SHORT)
}

async function classesOf(
  request: Pick<DataOptions, 'data' | 'skipBroken' | 'note'>,
  config: Config,
  videos: readonly ActionVideo[],
  part: 'train' | 'test',
): Promise<readonly string[]> {
  const { classes } = config
  if (typeof classes === 'object') return classes
  if (request.data === SYNTHETIC) return syntheticClasses(config)
  const training = part === 'train' ? videos : await readFolder(request.data, 'train', request)
  const found = [...new Set(training.flatMap(({ actions }) => actions.map(({ label }) => label)))].sort()
  if (classes === undefined || classes === found.length) return found
  throw new ConfigError(`rsc-wtal: the config says ${classes} classes, and ${request.data} has ${found.length}`)
}

/** @throws FormatError for an action that is none of the classes */
function known(videos: readonly ActionVideo[], classes: readonly string[]): readonly ActionVideo[] {
  for (const { name, actions } of videos) {
    const odd = actions.find(({ label }) => !classes.includes(label))
    if (odd !== undefined) {
      throw new FormatError(`rsc-wtal: ${name} has the action '${odd.label}', which is none of ${classes.join(', ')}`)
    }
  }
  return videos
}

/** Numbers of the classes of a video. */
export function labelsOf({ actions }: ActionVideo, classes: readonly string[]): readonly number[] {
  return [...new Set(actions.map(({ label }) => classes.indexOf(label)))].sort((a, b) => a - b)
}

/** What the network is trained on. */
export interface TrainingSample {
  /** `[T, 2D]`, RGB first. */
  readonly x: Tensor
  /** `[C]` of 0 and 1. */
  readonly labels: Tensor
}

/** Videos with as many segments each, drawn at random. */
export class SegmentSamples implements Dataset<TrainingSample> {
  readonly length: number
  readonly #segments: number

  constructor(
    readonly data: ActionData,
    config: Config,
  ) {
    this.length = data.videos.length
    this.#segments = settingsOf(config).segments
  }

  get(index: number, context: SampleContext | undefined = sampleContext()): Promise<TrainingSample> {
    const { videos, classes } = this.data
    const video = videos[index] as ActionVideo
    const random = new RandomStream(context?.seed ?? 0, context?.epoch ?? 0, Stream.Samples)
    return tidyAsync(async () => {
      const all = await video.read()
      const chosen = perturbedIndices(all.size(0), this.#segments, random)
      const own = labelsOf(video, classes)
      return {
        x: all.indexSelect(0, tensor(chosen, { dtype: 'int64' })),
        labels: tensor(
          classes.map((_, c) => (own.includes(c) ? 1 : 0)),
          { dtype: 'float32' },
        ),
      }
    })
  }
}
