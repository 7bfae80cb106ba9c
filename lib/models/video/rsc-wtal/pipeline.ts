import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readNpy, readNpz } from '../../../io'
import { FormatError, ShapeError } from '../../../native/errors'
import {
  clipStream,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  Pipeline,
  type RunOptions,
  type SegmentCurve,
  Segments,
  type VideoInput,
} from '../../../pipeline'
import { cat, type Tensor, tidyAsync } from '../../../tensor'
import { card } from './card'
import { Config, classNames } from './config'
import { ActionFinder, type FoundActions } from './find'
import { VideoFeatures } from './i3d-weights'
import { createLocalizer, type Localizer } from './model'
import { namedInstances, SEGMENT_FRAMES } from './proposals'

const networks = { card, config: Config, create: createLocalizer }

/** Features of a video in memory, a row for each segment of 16 frames. */
export interface SegmentFeatures {
  /** `[L, D]` each. */
  readonly rgb: Tensor
  readonly flow: Tensor
  /** Of the video; `'video'` unless stated. */
  readonly name?: string
}

/** Most curves of classes in the time line. */
const SHOWN_CLASSES = 3

/**
 * Finds when actions happen in untrimmed videos (Weakly-Supervised Temporal Action Localization with Regional Similarity
 * Consistency, MMM 2023).
 *
 * It takes videos, which two I3D networks turn into features first (`video.rgbWeights`, `video.flowWeights`), or
 * features: `.npy` of `[L, 2048]` with RGB before flow, `.npz` with `rgb` and `flow`, or tensors.
 *
 * @example
 * using localizer = await ActionLocalizer.load({ weights: 'localizer.safetensors' })
 * using actions = await localizer.run('features/video_test_0000004.npz')
 * for (const { label, score, segment } of actions.segments) console.log(label, score, segment)
 */
export class ActionLocalizer extends Pipeline<VideoInput | SegmentFeatures, Segments> {
  readonly #finder: ActionFinder
  #video: Promise<VideoFeatures> | undefined

  private constructor(
    private readonly loaded: LoadedNetworks<typeof Config, Localizer>,
    private readonly trial: boolean,
  ) {
    super()
    this.#finder = new ActionFinder(loaded.model, loaded.config, loaded.device)
  }

  /** @throws ConfigError without weights, or when they are another system's; ShapeError when they are of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<ActionLocalizer> {
    return new ActionLocalizer(await loadNetworks(networks, options), options.weights === 'random')
  }

  /** Names of the actions by their numbers. */
  get classes(): readonly string[] {
    return classNames(this.loaded.config)
  }

  /**
   * @throws ConfigError for a video without weights of I3D; ArgumentError for one shorter than a segment; ShapeError for
   *   features of another size; the errors of `readVideo`, `readNpy` and `readNpz`; CancelledError
   */
  run(input: VideoInput | SegmentFeatures, options: RunOptions = {}): Promise<Segments> {
    return tidyAsync(async () => {
      const features = await this.features(input, options)
      const found = await this.#finder.find(features, options)
      const { config } = this.loaded
      const segmentS = SEGMENT_FRAMES / config.video.fps
      const durationS = features.size(0) * segmentS
      return new Segments(
        nameOf(input),
        durationS,
        namedInstances(found.instances, config),
        this.#curves(found, durationS),
      )
    })
  }

  /** The features of a video or a file, `[L, 2D]`, RGB before flow. */
  async features(input: VideoInput | SegmentFeatures, options: RunOptions = {}): Promise<Tensor> {
    if (isFeatures(input)) return joined(input)
    const path = typeof input === 'string' || input instanceof URL ? String(input) : ''
    const extension = extname(path).toLowerCase()
    if (extension === '.npy') return (await readNpy(input as string)).to('float32')
    if (extension === '.npz') return joined(await pairOf(input as string))
    const video = await clipStream(input, 'ActionLocalizer')
    // A failed load may succeed later, with the file in its place.
    this.#video ??= VideoFeatures.load(this.loaded.config, this.loaded.device, this.trial).catch((error: unknown) => {
      this.#video = undefined
      throw error
    })
    return (await this.#video).segments.extract(video, options)
  }

  /** Attention and the activation of the surest classes, in the order of the result. */
  #curves({ curves, instances }: FoundActions, durationS: number): SegmentCurve[] {
    const { attention, activation } = curves
    const stepS = durationS / attention.length
    const labels = [...new Set(instances.map(({ label }) => label))].slice(0, SHOWN_CLASSES)
    const isCola = this.loaded.config.host === 'cola'
    const largest = Math.max(1e-12, ...labels.flatMap((c) => [...(activation.classes[c] ?? [])].map(Math.abs)))
    const scaled = (values: ArrayLike<number> | undefined, scale: number) => Array.from(values ?? [], (v) => v / scale)
    return [
      {
        name: isCola ? 'actionness, scaled' : 'attention',
        values: scaled(attention, isCola ? Math.max(1e-12, ...attention) : 1),
        stepS,
      },
      ...labels.map((c) => ({
        name: `${this.classes[c] ?? `class ${c}`}, scaled`,
        values: scaled(activation.classes[c], largest),
        stepS,
      })),
    ]
  }

  dispose(): void {
    this.#finder.dispose()
    this.loaded.model.dispose()
    // A load that is under way is freed when it ends; one that failed has nothing to free.
    this.#video?.then((video) => video.dispose()).catch(() => {})
  }
}

function isFeatures(input: VideoInput | SegmentFeatures): input is SegmentFeatures {
  return typeof input === 'object' && 'rgb' in input
}

function joined({ rgb, flow }: Pick<SegmentFeatures, 'rgb' | 'flow'>): Tensor {
  if (rgb.ndim === 2 && String(rgb.shape) === String(flow.shape)) return cat([rgb, flow], { dim: 1 }).to('float32')
  throw new ShapeError(
    `ActionLocalizer: features are [${rgb.shape}] of RGB and [${flow.shape}] of flow; both must be [segments, values]`,
  )
}

async function pairOf(path: string): Promise<Pick<SegmentFeatures, 'rgb' | 'flow'>> {
  const arrays = await readNpz(path)
  const [rgb, flow] = [arrays.get('rgb'), arrays.get('flow')]
  if (rgb && flow) return { rgb, flow }
  throw new FormatError(`ActionLocalizer: ${path} must hold the arrays rgb and flow`)
}

function nameOf(input: VideoInput | SegmentFeatures): string {
  if (typeof input === 'string') return basename(input, extname(input))
  if (input instanceof URL) return basename(fileURLToPath(input), extname(input.pathname))
  return (isFeatures(input) ? input.name : undefined) ?? 'video'
}
