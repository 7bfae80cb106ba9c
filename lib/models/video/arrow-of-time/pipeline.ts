import {
  clipOf,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  Pipeline,
  type RunOptions,
  TimeArrow,
  throwIfCancelled,
  type VideoInput,
} from '../../../pipeline'
import { keep, type Tensor, tidyAsync } from '../../../tensor'
import { card } from './card'
import { groupStarts } from './chunks'
import { Config } from './config'
import { evidencePicture } from './evidence-picture'
import { rawCount } from './maps'
import { type ArrowNetwork, createNetwork } from './model'
import { ArrowPredictor } from './predict'
import { directedFlow, type PreparedFrames, prepareFrames } from './prepare'
import { type Segment, segmentsOf } from './segments'
import { vote } from './votes'

const networks = { card, config: Config, create: (config: Config) => createNetwork(config) }

/**
 * Tells whether a video plays forward or backward (Learning and Using the Arrow of Time, CVPR 2018).
 *
 * Black frames are cut off and the camera is held still, as in training; groups of flow maps vote.
 *
 * @example
 * using arrow = await TimeArrowDetector.load({ weights: 'arrow.safetensors' })
 * using result = await arrow.run('clip.mp4')
 * console.log(result.direction, result.forward)
 * await result.toFile('evidence.png')
 */
export class TimeArrowDetector extends Pipeline<VideoInput, TimeArrow> {
  readonly #predictor: ArrowPredictor

  private constructor(private readonly loaded: LoadedNetworks<typeof Config, ArrowNetwork>) {
    super()
    this.#predictor = new ArrowPredictor(loaded.model, loaded.config, loaded.device)
  }

  /** @throws ConfigError when there are no weights, or they are another system's; ShapeError of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<TimeArrowDetector> {
    return new TimeArrowDetector(await loadNetworks(networks, options))
  }

  /** @throws ArgumentError when the clip is too short; the errors of `readClip`; CancelledError */
  run(input: VideoInput, options: RunOptions = {}): Promise<TimeArrow> {
    return tidyAsync(async () => {
      const { frames, fps } = await clipOf(input, 'TimeArrowDetector', options.signal)
      const bytes = frames.dtype === 'uint8' ? frames : frames.clamp({ min: 0, max: 1 }).mul(255).round().to('uint8')
      const { network, inference, preparation } = this.loaded.config
      const { span } = this.#predictor.layout
      const maps = bytes.size(0) - (network.modality === 'rgb' ? 0 : 1)
      const starts = groupStarts(maps, span, inference.groups)
      const perGroup = network.modality === 'rgb' ? span : span + 1
      const middle = Math.floor(starts.length / 2)
      const parts: Part[] = []
      for (const segment of segmentsOf(starts, perGroup, preparation.shotFrames)) {
        throwIfCancelled(options.signal, 'arrow-of-time')
        parts.push(
          await this.#segment(bytes, segment, starts, segment.groups.includes(middle) ? middle : undefined, options),
        )
      }
      const scores = parts.flatMap((part) => part.scores)
      const { direction, forward, confident } = vote(scores, inference.confidence)
      const groups = starts.map((start, i) => ({
        startS: start / fps,
        forward: scores[i] ?? 0.5,
        confident: confident[i] ?? false,
      }))
      const overlay = parts.find((part) => part.overlay)?.overlay as Tensor<'uint8'>
      const notes = [...new Set(parts.flatMap((part) => part.notes))]
      return new TimeArrow(direction, forward, groups, overlay, notes)
    })
  }

  /** Scores of the groups of a segment, and the picture where it holds the group that is shown. */
  async #segment(
    frames: Tensor,
    { start, length, groups }: Segment,
    starts: readonly number[],
    shown: number | undefined,
    options: RunOptions,
  ): Promise<Part> {
    const predictor = this.#predictor
    const { config } = this.loaded
    let overlay: Tensor<'uint8'> | undefined
    const { scores, notes } = await tidyAsync(async () => {
      const prepared = await prepareFrames(frames.narrow(0, start, length), config, options)
      const raw = await this.#raw(prepared, options)
      const { span } = predictor.layout
      const scores: number[] = []
      for (const group of groups) {
        throwIfCancelled(options.signal, 'arrow-of-time')
        const first = (starts[group] ?? start) - start
        const window = raw.narrow(0, first, rawCount(span, config.network.modality))
        scores.push(await predictor.score(window, { signal: options.signal }))
        options.onProgress?.({ stage: 'groups', done: group + 1, total: starts.length })
        if (group !== shown) continue
        const place = await predictor.locate(window, { signal: options.signal })
        const at = Math.floor(span / 2)
        const flow = config.network.modality === 'flow' ? window.select(0, at) : undefined
        overlay = keep(await evidencePicture(prepared.colour.select(0, first + at), place, flow, config.input.bound))
      }
      return { scores, notes: prepared.notes }
    })
    return { scores, notes, overlay }
  }

  /** What windows are cut from: bytes of flow, or frames. */
  async #raw(prepared: PreparedFrames, { signal, onProgress }: RunOptions): Promise<Tensor> {
    const { network, input } = this.loaded.config
    if (network.modality !== 'flow') return prepared.colour
    const { forward } = await directedFlow(prepared.grey, input.bound, { signal, onProgress })
    return forward
  }

  dispose(): void {
    this.#predictor.dispose()
    this.loaded.model.dispose()
  }
}

interface Part {
  readonly scores: readonly number[]
  readonly notes: readonly string[]
  readonly overlay: Tensor<'uint8'> | undefined
}
