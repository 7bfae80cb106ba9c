// Clips as streams of frames that can be read again and again, however long they are.
import { readVideo, videoInfo } from '../io'
import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor'
import { clipOf, type VideoInput } from './inputs'

/** A clip that is read frame by frame, as often as needed. */
export interface ClipStream {
  readonly height: number
  readonly width: number
  /** Frames a second. */
  readonly fps: number
  /** Frames, as far as it is known without decoding; a damaged file may give fewer. */
  readonly frameCount: number
  /**
   * The frames from the beginning, `[3, H, W]`: uint8 from files, as given otherwise. Each is freed when the next is
   * asked for.
   */
  frames(signal?: AbortSignal): AsyncIterable<Tensor>
}

/**
 * @throws ArgumentError, ShapeError for frames that are none; the errors of `readVideo` for a file
 */
export async function clipStream(input: VideoInput, caller: string): Promise<ClipStream> {
  if (typeof input === 'object' && 'frames' in input) {
    const { frames, fps } = await clipOf(input, caller)
    const [frameCount = 0, , height = 0, width = 0] = frames.shape
    if (frameCount === 0) throw new ArgumentError(`${caller}: the clip has no frames`)
    return { height, width, fps, frameCount, frames: () => slices(frames) }
  }
  const { height, width, fps, frameCount } = await videoInfo(input, { count: true })
  if (frameCount === 0) throw new ArgumentError(`${caller}: the video has no frames`)
  return {
    ...{ height, width, frameCount },
    fps: fps > 0 ? fps : 25,
    async *frames(signal) {
      for await (using chunk of readVideo(input, { layout: 'TCHW', signal })) yield* slices(chunk.frames)
    },
  }
}

async function* slices(frames: Tensor): AsyncGenerator<Tensor> {
  for (let t = 0; t < frames.size(0); t++) {
    using frame = frames.select(0, t)
    yield frame
  }
}
