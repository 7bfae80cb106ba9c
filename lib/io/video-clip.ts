import { ArgumentError } from '../native/errors'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { later } from './later'
import type { Source } from './source'
import { holdTo } from './video-limits'
import { ChunkReader, type ReadVideoOptions } from './video-read'

/** A whole clip in memory. */
export interface VideoClip {
  /** uint8 `[T, H, W, C]`, or `[T, C, H, W]` with the layout `'TCHW'`. */
  readonly frames: Tensor<'uint8'>
  /** When each frame begins, in seconds on the clock of the file. */
  readonly timestampsS: Float64Array
  /** Damaged packets and frames left out. */
  readonly skipped: number
}

/**
 * Reads a video, or a part of it, as one tensor. While it is made, memory holds the frames twice.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @param options those of `readVideo`; more than `limits.maxBytes` (2 GiB) are refused before they are decoded
 * @throws the errors of `readVideo`, and ArgumentError when the range holds no frames
 */
export async function readClip(
  source: Source,
  options: Omit<ReadVideoOptions, 'chunkFrames'> = {},
): Promise<VideoClip> {
  const limits = options.limits ?? {}
  await using reader = new ChunkReader(source, options, 'readClip')
  const { name, frameBytes, expectedFrames } = await reader.expectation()
  holdTo(limits, 'maxBytes', expectedFrames * frameBytes, name, 'bytes of pixels')
  let skipped = 0
  const times: number[] = []
  const frames = await tidyAsync(async () => {
    const parts: Tensor[] = []
    for await (const chunk of reader) {
      parts.push(chunk.frames)
      times.push(...chunk.timestampsS)
      skipped = chunk.skipped
      // A file may hold more than it says.
      holdTo(limits, 'maxBytes', times.length * frameBytes, name, 'bytes of pixels')
    }
    const [first] = parts
    if (!first) throw new ArgumentError(`${name}: has no frames in the range asked for`)
    return parts.length === 1 ? first : later('cat', [parts])
  })
  return { frames: frames as Tensor<'uint8'>, timestampsS: Float64Array.from(times), skipped }
}
