// The direction of a clip: groups of maps, ten views each, and their vote.
import { type RunOptions, throwIfCancelled } from '../../../pipeline'
import { type CapturedFunction, capture, noGrad, stack, type Tensor, tidyAsync } from '../../../tensor'
import type { Device } from '../../../tensor/types'
import { type CropPosition, fiveCropPositions } from '../../../vision'
import { type ChunkLayout, chunkLayout, groupStarts } from './chunks'
import type { ClipSource } from './clips'
import type { Config } from './config'
import { bytesWithShortSide, chunked, flipMaps, mapsOf } from './maps'
import { type ArrowNetwork, TCam } from './model'
import { type Vote, vote } from './votes'

/** What the network says of a clip. */
export interface Prediction extends Vote {
  /** First map of each group, counted from 0. */
  readonly starts: readonly number[]
  /** Probability of forward of each group, a mean over its views. */
  readonly scores: readonly number[]
}

/** Where the evidence is in a window. */
export interface Localisation {
  /** `[h, w]` float32: heat from 0 (backward) over 0.5 (none) to 1 (forward). */
  readonly heat: Tensor
  /** Which part of the frame, of the size `frame`, it covers. */
  readonly at: CropPosition
  readonly size: readonly [height: number, width: number]
  readonly frame: readonly [height: number, width: number]
}

/** A network in evaluation mode with the paper's protocol around it. */
export class ArrowPredictor {
  readonly layout: ChunkLayout
  readonly #forward: CapturedFunction<[Tensor], Tensor>

  constructor(
    readonly model: ArrowNetwork,
    readonly config: Config,
    readonly device: Device,
  ) {
    this.layout = chunkLayout(config.network)
    this.#forward = capture((x: Tensor) => noGrad(() => model.forward(x).sigmoid()))
  }

  /**
   * The direction of a clip by the vote of evenly spaced groups.
   *
   * @throws ArgumentError when the clip is shorter than a group
   */
  async predict(clip: ClipSource, options: RunOptions = {}): Promise<Prediction> {
    const { groups, confidence } = this.config.inference
    const { span } = this.layout
    const starts = groupStarts(clip.length, span, groups)
    const scores: number[] = []
    for (const start of starts) {
      throwIfCancelled(options.signal, 'arrow-of-time')
      scores.push(await tidyAsync(async () => this.score(await clip.read(start, span), options)))
      options.onProgress?.({ stage: 'groups', done: scores.length, total: starts.length })
    }
    return { starts, scores, ...vote(scores, confidence) }
  }

  /** Probability of forward of a window, a mean over its views. */
  score(raw: Tensor, options: RunOptions = {}): Promise<number> {
    return tidyAsync(async () => {
      const views = this.views(raw)
      let [sum, count] = [0, 0]
      // Five views at a time: ten hold a gigabyte of activations.
      for (let i = 0; i < views.length; i += 5) {
        const part = views.slice(i, i + 5)
        const scores = await this.#forward.run([stack(part).to(this.device)], options)
        for (const score of (await scores.data()) as Float32Array) sum += score
        count += part.length
      }
      return sum / count
    })
  }

  /** Five crops or the centre, mirrored too: `[T, L · C, crop, crop]` each. */
  views(raw: Tensor): Tensor[] {
    const { network, input, inference } = this.config
    const sized = bytesWithShortSide(raw, input.shortSide)
    const all = fiveCropPositions(sized.size(2), sized.size(3), input.crop)
    const chosen = inference.crops === 5 ? all : all.slice(4)
    return chosen.flatMap(([top, left]) => {
      const maps = mapsOf(sized.narrow(2, top, input.crop).narrow(3, left, input.crop), network.modality)
      const flipped = inference.flip ? [chunked(flipMaps(maps, network.modality), this.layout)] : []
      return [chunked(maps, this.layout), ...flipped]
    })
  }

  /** The view of the centre, `[T, L · C, crop, crop]`, and where it lies. */
  centre(raw: Tensor): { readonly view: Tensor; readonly at: CropPosition; readonly frame: readonly [number, number] } {
    const { network, input } = this.config
    const sized = bytesWithShortSide(raw, input.shortSide)
    const frame = [sized.size(2), sized.size(3)] as const
    const at = fiveCropPositions(...frame, input.crop)[4] ?? [0, 0]
    const maps = mapsOf(sized.narrow(2, at[0], input.crop).narrow(3, at[1], input.crop), network.modality)
    return { view: chunked(maps, this.layout), at, frame }
  }

  /** Where the evidence of a window is; undefined for a network without maps of it. */
  async locate(raw: Tensor, options: RunOptions = {}): Promise<Localisation | undefined> {
    const { model, device } = this
    if (!(model instanceof TCam)) return undefined
    using look = capture((x: Tensor) => noGrad(() => model.evidence(x).cam.select(1, 0).squeeze(0).sigmoid()))
    const { input, network, inference } = this.config
    if (!inference.fullFrame) {
      const { view, at, frame } = this.centre(raw)
      const heat = await look.run([view.unsqueeze(0).to(device)], options)
      return { heat, at, size: [input.crop, input.crop], frame }
    }
    const sized = bytesWithShortSide(raw, input.shortSide)
    const frame = [sized.size(2), sized.size(3)] as const
    const x = chunked(mapsOf(sized, network.modality), this.layout).unsqueeze(0)
    return { heat: await look.run([x.to(device)], options), at: [0, 0], size: frame, frame }
  }

  dispose(): void {
    this.#forward.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
