// Clips of videos: where they begin, which frames they take, and how the network sees them.
import { functional as T } from '../../../data/transforms'
import { FormatError } from '../../../native/errors'
import { type ClipStream, throwIfCancelled } from '../../../pipeline'
import { stack, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import type { InputPlan } from './config'

/** First frames of evenly spaced clips of a video of `length` frames; all 0 where it is shorter than a clip. */
export function clipStarts(
  length: number,
  { frames, interval, clips }: Pick<InputPlan, 'frames' | 'interval' | 'clips'>,
): number[] {
  const room = length - frames * interval + 1
  return Array.from({ length: clips }, (_, i) => (room > 0 ? Math.floor(((i + 0.5) * room) / clips) : 0))
}

/** Numbers of the frames of a clip; a short video begins anew. */
export function clipFrames(
  start: number,
  length: number,
  { frames, interval }: Pick<InputPlan, 'frames' | 'interval'>,
): number[] {
  return Array.from({ length: frames }, (_, k) => (start + k * interval) % length)
}

/** A crop of a clip: its corner in the sized frames, mirrored or not. */
export interface ClipCrop {
  readonly top: number
  readonly left: number
  readonly isFlipped: boolean
}

/** Frames with the shorter side of the plan, uint8 as they come. @param frames `[…, 3, H, W]` uint8, or floats in 0–1 */
export function sizedFrames(frames: Tensor, { shortSide }: Pick<InputPlan, 'shortSide'>): Tensor {
  return tidy(() => {
    const bytes = frames.dtype === 'uint8' ? frames : frames.clamp({ min: 0, max: 1 }).mul(255).round().to('uint8')
    const [height = 0, width = 0] = bytes.shape.slice(-2)
    return Math.min(height, width) === shortSide ? bytes.clone() : T.resize(bytes, shortSide)
  })
}

/** The place of the centre. */
export function centreCrop(frames: Tensor, { size }: Pick<InputPlan, 'size'>): ClipCrop {
  const [height = 0, width = 0] = frames.shape.slice(-2)
  return { top: Math.round((height - size) / 2), left: Math.round((width - size) / 2), isFlipped: false }
}

/** What is subtracted from the channels, and what they are divided by, in bytes. */
const NORMALISATIONS = {
  sports1m: { mean: [104, 117, 128], std: [1, 1, 1] },
  imagenet: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  unit: { mean: [0, 0, 0], std: [255, 255, 255] },
} as const

/**
 * A clip as the network sees it.
 *
 * @param frames `[T, 3, H, W]` uint8, sized
 * @returns `[3, T, size, size]` float32
 */
export function networkClip(frames: Tensor, { top, left, isFlipped }: ClipCrop, plan: InputPlan): Tensor {
  return tidy(() => {
    const cropped = frames.narrow(2, top, plan.size).narrow(3, left, plan.size)
    const { mean, std } = NORMALISATIONS[plan.normalisation]
    const channel = (values: readonly number[]) =>
      tensor([...values], { dtype: 'float32', device: frames.device }).reshape([1, 3, 1, 1])
    const normalised = cropped.to('float32').sub(channel(mean)).div(channel(std))
    return (isFlipped ? normalised.flip([3]) : normalised).permute([1, 0, 2, 3]).contiguous()
  })
}

/**
 * The clips of a video by the protocol of the tests: evenly spaced, their centre. Only frames that clips take are kept.
 *
 * @returns `[3, T, size, size]` float32 each
 * @throws FormatError when the video gives no frames; CancelledError
 */
export async function clipsOfVideo(stream: ClipStream, plan: InputPlan, signal?: AbortSignal): Promise<Tensor[]> {
  const { frameCount } = stream
  const clips = clipStarts(frameCount, plan).map((start) => clipFrames(start, frameCount, plan))
  const wanted = new Set(clips.flat())
  const last = Math.max(...wanted)
  return tidyAsync(async () => {
    const kept = new Map<number, Tensor>()
    let [at, latest]: [number, Tensor | undefined] = [0, undefined]
    for await (const frame of stream.frames(signal)) {
      throwIfCancelled(signal, 'binary-3d-bitconv')
      if (wanted.has(at)) {
        latest = sizedFrames(frame, plan)
        kept.set(at, latest)
      }
      at += 1
      if (at > last) break
    }
    if (latest === undefined) throw new FormatError('binary-3d-bitconv: the video gave no frames')
    // A damaged file may give fewer frames than it says: the last one stands for those that lack.
    const spare = latest
    return clips.map((frames) => {
      const all = stack(frames.map((frame) => kept.get(frame) ?? spare))
      return networkClip(all, centreCrop(all, plan), plan)
    })
  })
}
