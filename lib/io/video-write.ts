import { extname } from 'node:path'
import { replaceFile } from '../native/atomic-file'
import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { AudioTrack, atRate, encoderRate } from './audio-encode'
import { checkRate, planesOf } from './audio-resample'
import { type Ffmpeg, ffmpeg } from './ffmpeg'
import { findEncoder, MediaOutput } from './ffmpeg-output'
import { pathOf } from './source'
import { type EncodeOptions, VideoTrack } from './video-encode'
import { type FrameLayout, packedFrames } from './video-frames'

export interface WriteVideoOptions extends EncodeOptions {
  /** Encoder in FFmpeg's words, such as `libx264`, `libx265`, `ffv1`; the usual one of the container unless stated. */
  readonly codec?: string | undefined
  /** Says what the dimensions are where the shape does not: `'THWC'` or `'TCHW'`. */
  readonly layout?: FrameLayout | undefined
  /** Sound to go with the pictures, from their beginning: `[channels, n]` or `[n]`, −1 to 1. */
  readonly audio?: { readonly samples: Tensor; readonly sampleRate: number } | undefined
  /** Stops the write; nothing is left then, and an older file stays. */
  readonly signal?: AbortSignal | undefined
}

interface VideoFormat {
  readonly container: string
  readonly video: readonly string[]
  readonly audio: readonly string[]
}

const AAC = ['libfdk_aac', 'aac']
const H264 = ['libx264', 'libopenh264', 'mpeg4']
const FORMATS: ReadonlyMap<string, VideoFormat> = new Map([
  ['.mp4', { container: 'mp4', video: H264, audio: AAC }],
  ['.m4v', { container: 'mp4', video: H264, audio: AAC }],
  ['.mov', { container: 'mov', video: H264, audio: AAC }],
  ['.mkv', { container: 'matroska', video: H264, audio: ['flac', ...AAC] }],
  ['.webm', { container: 'webm', video: ['libvpx-vp9', 'libvpx'], audio: ['libopus', 'libvorbis'] }],
  ['.avi', { container: 'avi', video: ['mpeg4', 'mjpeg'], audio: ['pcm_s16le'] }],
])

/**
 * Writes frames as a video, whole or not at all; the extension of the path says the container: mp4, m4v, mov, mkv, webm,
 * avi. Encoding runs off the event loop; of a stream of frames the next is asked for when the last is encoded.
 *
 * @param frames `[T, H, W, 3]` or `[T, 3, H, W]` (1 channel for grey), or a stream of such tensors or of single frames
 *   `[H, W, 3]`; uint8, or floating point in 0–1 (clamped, rounded to 256 levels). Tensors of a stream stay the caller's.
 * @returns the number of frames written
 * @throws ShapeError, DTypeError when a tensor is no picture, or differs in size from the first
 * @throws ArgumentError when an option or the extension is not known, the size is odd for a codec that halves colours,
 *   there are no frames, or the path cannot be written
 * @throws CancelledError when the signal aborts
 * @throws LoadError when the optional package node-av is not installed
 */
export async function writeVideo(
  frames: Tensor | AsyncIterable<Tensor> | Iterable<Tensor>,
  path: string,
  options: WriteVideoOptions,
): Promise<number> {
  const caller = 'writeVideo'
  const file = pathOf(path, caller)
  const format = formatOf(file, caller)
  checkOptions(options, caller)
  const av = await ffmpeg(caller)
  const codec = findEncoder(av, options.codec === undefined ? format.video : [options.codec], caller)
  let written = 0
  await replaceFile(
    file,
    async (temporary) => {
      const output = new MediaOutput(av, `${caller}: ${file}`, temporary, format.container, options.signal)
      try {
        const video = new VideoTrack(output, codec, options)
        const audio = await prepareAudio(av, output, format, options, caller)
        for await (const picture of packedFrames(frames, options.layout, caller)) {
          if (written === 0) {
            await video.open(picture)
            await output.begin()
          }
          await video.write(picture)
          written++
          await audio?.upTo(written / options.fps)
        }
        if (written === 0) throw new ArgumentError(`${caller}: there are no frames to write`)
        await audio?.upTo(Number.POSITIVE_INFINITY)
        await output.finish([...video.tracks, ...(audio ? [audio.track] : [])])
      } finally {
        await output.close()
      }
    },
    caller,
  )
  return written
}

/** Sound that keeps up with the pictures, so that the container finds both side by side. */
async function prepareAudio(
  av: Ffmpeg,
  output: MediaOutput,
  format: VideoFormat,
  { audio }: WriteVideoOptions,
  caller: string,
) {
  if (!audio) return undefined
  checkRate(audio.sampleRate, 'audio.sampleRate', caller)
  const planes = await planesOf(audio.samples, caller)
  const codec = findEncoder(av, format.audio, caller)
  const rate = encoderRate(codec, audio.sampleRate)
  const ready = await atRate(output, planes, audio.sampleRate, rate)
  const track = await AudioTrack.open(output, codec, { channels: planes.length, rate })
  const count = ready[0]?.length ?? 0
  let at = 0
  return {
    track: track.track,
    upTo: async (seconds: number) => {
      const to = Math.min(count, Math.floor(seconds * rate))
      at = await track.write(ready, at, to, to === count)
    },
  }
}

function formatOf(path: string, caller: string): VideoFormat {
  const extension = extname(path).toLowerCase()
  const format = FORMATS.get(extension)
  if (format) return format
  const known = [...FORMATS.keys()].join(', ')
  throw new ArgumentError(`${caller}: ${path} ends in '${extension}', which is no video format; use ${known}`)
}

function checkOptions({ fps, crf, bitrate, layout }: WriteVideoOptions, caller: string): void {
  if (!(Number.isFinite(fps) && fps > 0 && fps <= 1000)) {
    throw new ArgumentError(`${caller}: fps is ${fps}; it must be a number of frames per second, up to 1000`)
  }
  if (crf !== undefined && bitrate !== undefined) {
    throw new ArgumentError(`${caller}: give crf (quality) or bitrate, not both`)
  }
  if (crf !== undefined && !(crf >= 0 && crf <= 63)) {
    throw new ArgumentError(`${caller}: crf is ${crf}; it must be from 0 (best) to 51 (H.264, H.265) or 63 (VP9)`)
  }
  if (bitrate !== undefined && !(Number.isFinite(bitrate) && bitrate > 0)) {
    throw new ArgumentError(`${caller}: bitrate is ${bitrate}; it must be a positive number of bits per second`)
  }
  if (layout !== undefined && layout !== 'THWC' && layout !== 'TCHW') {
    throw new ArgumentError(`${caller}: layout '${String(layout)}' is not known; use THWC or TCHW`)
  }
}
