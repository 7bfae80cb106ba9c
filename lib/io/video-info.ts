import type { Stream } from 'node-av/lib'
import { FrameSource, hasIndex } from './ffmpeg-frames'
import { durationOf, MediaInput, type StopOptions } from './ffmpeg-input'
import type { Source } from './source'
import { checkLimits, DEFAULT_MAX_PIXELS } from './video-limits'
import { orientationOf, rotationOf } from './video-orientation'

/** A fraction, exactly as the file states it. */
export interface Fraction {
  readonly num: number
  readonly den: number
}

/** What a video file says about its pictures. */
export interface VideoInfo {
  /** Seconds from the first frame's start to the last one's end. */
  readonly durationS: number
  /** Time of the first frame; not 0 in streams cut out of longer ones. */
  readonly startS: number
  /** Frames per second of the time grid that the frames stand on. */
  readonly fps: number
  /** The same, exact: 30000/1001 is not 29.97. */
  readonly frameRate: Fraction
  /** Frames by duration; lower than `fps` where the rate varies. */
  readonly averageFps: number
  readonly frameCount: number
  /**
   * Where `frameCount` is from: `'counted'` packet by packet (`count: true`), the `'index'` of an MP4 or MOV file, the
   * `'header'` of others, or `'estimated'` from duration and rate.
   */
  readonly frameCountFrom: 'counted' | 'index' | 'header' | 'estimated'
  /** Size of the upright picture. */
  readonly width: number
  readonly height: number
  /** Clockwise degrees by which the stored pictures are turned to stand upright; `readVideo` does it. */
  readonly rotation: 0 | 90 | 180 | 270
  readonly codec: string
  /** Stored format of the pixels in FFmpeg's words, e.g. `yuv420p`. */
  readonly pixelFormat: string
  /** Seconds of one step of the stream's clock. */
  readonly timeBase: Fraction
  readonly hasAudio: boolean
}

export interface VideoInfoOptions extends StopOptions {
  /** Counts the frames by reading through the file, without decoding. */
  readonly count?: boolean | undefined
  /** Larger pictures are refused; 2^25 (33.5 megapixels, 8K) unless stated. */
  readonly maxPixels?: number | undefined
}

/**
 * Reads what a video file says about itself.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @throws ArgumentError when the file cannot be opened or an option is wrong
 * @throws FormatError when it holds no video that FFmpeg reads
 * @throws LoadError when the optional package node-av is not installed
 */
export async function videoInfo(source: Source, options: VideoInfoOptions = {}): Promise<VideoInfo> {
  const { count = false, maxPixels = DEFAULT_MAX_PIXELS, timeoutMs, signal } = options
  checkLimits({ maxPixels, timeoutMs }, 'videoInfo')
  const input = await MediaInput.open(source, 'videoInfo', { maxPixels, timeoutMs, signal })
  try {
    const info = describeVideo(input, input.best('video'))
    if (!count) return info
    const frames = await FrameSource.open(input, input.best('video'), 1, 'skip')
    const ticks = await input.timed(() => frames.packetTicks(Number.POSITIVE_INFINITY))
    return { ...info, frameCount: ticks.length, frameCountFrom: 'counted' }
  } finally {
    await input.close()
  }
}

/** What an open stream says about itself. */
export function describeVideo(input: MediaInput, stream: Stream): VideoInfo {
  const { av } = input
  const { codecpar, timeBase } = stream
  const orientation = orientationOf(av, stream)
  const seconds = (ticks: bigint) => (Number(ticks) * timeBase.num) / timeBase.den
  const durationS = durationOf(input, stream)
  const frameRate = [stream.rFrameRate, stream.avgFrameRate].find(({ num, den }) => num > 0 && den > 0)
  const average = stream.avgFrameRate
  const fps = frameRate ? frameRate.num / frameRate.den : 0
  const averageFps = average.num > 0 && average.den > 0 ? average.num / average.den : fps
  const stored = Number(stream.nbFrames)
  return {
    durationS,
    startS: stream.startTime === av.constants.AV_NOPTS_VALUE ? 0 : seconds(stream.startTime),
    fps,
    frameRate: { num: frameRate?.num ?? 0, den: frameRate?.den ?? 1 },
    averageFps,
    frameCount: stored > 0 ? stored : Math.round(durationS * averageFps),
    frameCountFrom: stored > 0 ? (hasIndex(input) ? 'index' : 'header') : 'estimated',
    width: orientation.transpose ? codecpar.height : codecpar.width,
    height: orientation.transpose ? codecpar.width : codecpar.height,
    rotation: rotationOf(orientation),
    codec: input.codecName(stream),
    pixelFormat: pixelFormatName(input, stream),
    timeBase: { num: timeBase.num, den: timeBase.den },
    hasAudio: input.find('audio') !== undefined,
  }
}

function pixelFormatName({ av: { lib, constants } }: MediaInput, { codecpar }: Stream): string {
  // The same field holds the format of samples in an audio stream.
  if (codecpar.codecType !== constants.AVMEDIA_TYPE_VIDEO) return 'unknown'
  return lib.avGetPixFmtName(codecpar.format as Parameters<typeof lib.avGetPixFmtName>[0]) ?? 'unknown'
}
