// Features of a video in two streams, a row for every 16 frames: what temporal localizers see.
import { ArgumentError } from '../native/errors'
import { functional as F } from '../nn'
import { dequantiseFlow, type Tvl1, type Tvl1Preset, tvl1 } from '../ops'
import {
  type CapturedFunction,
  capture,
  cat,
  type Device,
  dispose,
  noGrad,
  type Progress,
  stack,
  type Tensor,
  tidy,
  tidyAsync,
} from '../tensor'
import { flowToBytes, rgbToGrey } from '../vision'
import type { I3D } from './i3d'

/** Frames of a segment. */
export const I3D_SEGMENT_FRAMES = 16

export interface I3DSegmentOptions {
  /** Frames a second that are looked at; 25 unless stated. */
  readonly fps?: number
  /** Of the frames, in pixels; 256 unless stated. */
  readonly shortSide?: number
  /** Side of the central square that the networks see; 224 unless stated. */
  readonly crop?: number
  /** Preset of TV-L1; `'opencv24-cuda'` unless stated. */
  readonly solver?: Tvl1Preset
  /** Displacement in pixels at which flow is clipped; 20 unless stated. */
  readonly bound?: number
  /** Rounds flow to bytes first, as features of stored pictures of flow have it; false unless stated. */
  readonly bytes?: boolean
  readonly device?: Device
}

/** Frames of a video one after the other. */
export interface FrameStream {
  /** Frames a second. */
  readonly fps: number
  /** As far as it is known. */
  readonly frameCount: number
  /** `[3, H, W]` uint8, or floating point in 0–1. */
  frames(signal?: AbortSignal): AsyncIterable<Tensor>
}

export interface I3DSegmentRun {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Rates such as 25.0001 do not shift frames. */
const SLACK = 1e-3

/** A frame as the two streams need it. */
interface Frame {
  /** `[3, crop, crop]` in −1…1. */
  readonly colour: Tensor
  /** `[h, w]` in 0–1. */
  readonly grey: Tensor
}

/**
 * Two I3D networks (Carreira and Zisserman, CVPR 2017) over segments of 16 frames that do not overlap: colour in −1…1,
 * and TV-L1 flow from each frame to the next, clipped and brought to −1…1. The last frame of a video has the flow of the
 * one before it.
 */
export class I3DSegments {
  readonly #options: Required<I3DSegmentOptions>
  readonly #solver: Tvl1
  readonly #streams: readonly CapturedFunction<[Tensor], Tensor>[]

  /**
   * @param rgb of pictures; in evaluation mode on `options.device`, and the caller's still
   * @param flow the same, of flow maps
   */
  constructor(rgb: I3D, flow: I3D, options: I3DSegmentOptions = {}) {
    const defaults = {
      fps: 25,
      shortSide: 256,
      crop: 224,
      solver: 'opencv24-cuda',
      bound: 20,
      bytes: false,
      device: 'cpu',
    }
    this.#options = { ...defaults, ...options } as Required<I3DSegmentOptions>
    this.#solver = tvl1({ preset: this.#options.solver })
    this.#streams = [rgb, flow].map((net) =>
      capture(
        (clip: Tensor) =>
          noGrad(() =>
            net
              .extractFeatures(clip)
              .mean({ dim: [2, 3, 4] })
              .squeeze(0),
          ),
        {
          optimize: true,
        },
      ),
    )
  }

  /**
   * The features of a video.
   *
   * @returns `[⌊frames ∕ 16⌋, 2048]` float32 on the CPU, RGB before flow
   * @throws ArgumentError when the video has fewer than 16 frames at the rate that is looked at; CancelledError
   */
  async extract(video: FrameStream, { signal, onProgress }: I3DSegmentRun = {}): Promise<Tensor<'float32'>> {
    const { fps } = this.#options
    const total = Math.max(1, Math.floor((video.frameCount * fps) / video.fps / I3D_SEGMENT_FRAMES))
    const rows: Tensor[] = []
    let [kept, seen]: [Frame[], number] = [[], 0]
    return tidyAsync(async () => {
      const flush = async (next: Frame | undefined) => {
        const segment = kept
        kept = next === undefined ? [] : [next]
        rows.push(await this.#segment(segment, next, signal))
        for (const { colour, grey } of segment) dispose([colour, grey])
        onProgress?.({ stage: 'segments', done: rows.length, total: Math.max(total, rows.length) })
      }
      for await (const frame of this.#resampled(video, signal)) {
        seen += 1
        if (kept.length === I3D_SEGMENT_FRAMES) await flush(frame)
        else kept.push(frame)
      }
      if (kept.length === I3D_SEGMENT_FRAMES) await flush(undefined)
      if (rows.length > 0) return stack(rows) as Tensor<'float32'>
      throw new ArgumentError(
        `I3DSegments: the video has ${seen} frames at ${fps} frames a second; a segment takes ${I3D_SEGMENT_FRAMES}`,
      )
    })
  }

  /** Frames at the rate that is looked at: each is the one that is shown at its time. */
  async *#resampled(video: FrameStream, signal: AbortSignal | undefined): AsyncGenerator<Frame> {
    const perFrame = video.fps / this.#options.fps
    let [k, i] = [0, 0]
    for await (const frame of video.frames(signal)) {
      for (; Math.floor(k * perFrame + SLACK) === i; k++) yield this.#prepared(frame)
      i += 1
    }
  }

  #prepared(frame: Tensor): Frame {
    const { shortSide, crop } = this.#options
    return tidy(() => {
      const unit = frame.dtype === 'uint8' ? frame.to('float32').div(255) : frame.to('float32')
      const [, height = 1, width = 1] = unit.shape
      const scale = shortSide / Math.min(height, width)
      const size = [Math.max(crop, Math.round(height * scale)), Math.max(crop, Math.round(width * scale))]
      const sized = scale === 1 ? unit : F.interpolate(unit.unsqueeze(0), { size, mode: 'bilinear' }).squeeze(0)
      const colour = central(sized, crop).mul(2).sub(1).contiguous()
      const grey = rgbToGrey(sized).squeeze(0).clamp({ min: 0, max: 1 })
      return { colour, grey }
    })
  }

  async #segment(frames: readonly Frame[], next: Frame | undefined, signal: AbortSignal | undefined): Promise<Tensor> {
    const { crop, device } = this.#options
    return tidyAsync(async () => {
      const colour = stack(
        frames.map((frame) => frame.colour),
        { dim: 1 },
      )
      const grey = stack([...frames, ...(next ? [next] : [])].map((frame) => frame.grey))
      const { forward } = await this.#solver.clip(grey, { signal })
      const whole = forward as Tensor
      const maps = next ? whole : cat([whole, whole.narrow(0, whole.size(0) - 1, 1)])
      const flow = central(this.#clipped(maps), crop).transpose(0, 1)
      const inputs = [colour, flow].map((clip) => clip.unsqueeze(0).contiguous().to(device))
      const parts: Tensor[] = []
      for (const [i, stream] of this.#streams.entries()) {
        parts.push((await stream.run([inputs[i] as Tensor], { signal })).to('cpu'))
      }
      return cat(parts)
    })
  }

  /** Flow in −1…1. */
  #clipped(flow: Tensor): Tensor {
    const { bound, bytes } = this.#options
    const rounded = bytes ? dequantiseFlow(flowToBytes(flow, bound), bound) : flow
    return rounded.clamp({ min: -bound, max: bound }).div(bound)
  }

  dispose(): void {
    for (const stream of this.#streams) stream.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** The square in the middle of `[…, H, W]`. */
function central(pictures: Tensor, side: number): Tensor {
  const [height = 0, width = 0] = pictures.shape.slice(-2)
  return pictures.narrow(-2, Math.floor((height - side) / 2), side).narrow(-1, Math.floor((width - side) / 2), side)
}
