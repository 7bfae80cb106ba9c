import type { Stream } from 'node-av/lib'
import { durationOf, MediaInput, type StopOptions } from './ffmpeg-input'
import type { Source } from './source'
import { checkLimits, DEFAULT_MAX_PIXELS } from './video-limits'

/** What a file says about its sound. */
export interface AudioInfo {
  readonly durationS: number
  /** Samples per second of each channel. */
  readonly sampleRate: number
  readonly channels: number
  /** Which channel is where, in FFmpeg's words, e.g. `stereo` or `5.1`. */
  readonly channelLayout: string
  readonly codec: string
  /** Stored format of the samples in FFmpeg's words, e.g. `s16` or `fltp`. */
  readonly sampleFormat: string
  readonly hasVideo: boolean
}

/**
 * Reads what the audio of a file, or of a video, says about itself.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @throws ArgumentError when the file cannot be opened or an option is wrong
 * @throws FormatError when it holds no audio that FFmpeg reads
 * @throws LoadError when the optional package node-av is not installed
 */
export async function audioInfo(source: Source, { signal, timeoutMs }: StopOptions = {}): Promise<AudioInfo> {
  checkLimits({ timeoutMs }, 'audioInfo')
  const input = await MediaInput.open(source, 'audioInfo', { maxPixels: DEFAULT_MAX_PIXELS, signal, timeoutMs })
  try {
    return describeAudio(input, input.best('audio'))
  } finally {
    await input.close()
  }
}

/** What an open stream says about itself. */
export function describeAudio(input: MediaInput, stream: Stream): AudioInfo {
  const { lib } = input.av
  const { codecpar } = stream
  return {
    durationS: durationOf(input, stream),
    sampleRate: codecpar.sampleRate,
    channels: codecpar.channels,
    channelLayout: lib.avChannelLayoutDescribe(codecpar.channelLayout) ?? `${codecpar.channels} channels`,
    codec: input.codecName(stream),
    sampleFormat: lib.avGetSampleFmtName(codecpar.format as Parameters<typeof lib.avGetSampleFmtName>[0]) ?? 'unknown',
    hasVideo: input.find('video') !== undefined,
  }
}
