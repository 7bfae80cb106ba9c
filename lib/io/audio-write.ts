import { extname } from 'node:path'
import { replaceFile } from '../native/atomic-file'
import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { AudioTrack, atRate, encoderRate } from './audio-encode'
import { checkRate, planesOf } from './audio-resample'
import { ffmpeg } from './ffmpeg'
import { findEncoder, MediaOutput } from './ffmpeg-output'
import { pathOf } from './source'

export interface WriteAudioOptions {
  /** Samples per second of each channel. */
  readonly sampleRate: number
  /** Bits per second of lossy formats; the encoder's choice unless stated. */
  readonly bitrate?: number | undefined
  /** Samples of WAV files: `'int16'` (default; values past ±1 are clipped), `'int24'` or `'float32'`. */
  readonly sampleFormat?: 'int16' | 'int24' | 'float32' | undefined
  /** Stops the write; nothing is left then, and an older file stays. */
  readonly signal?: AbortSignal | undefined
}

interface AudioFormat {
  readonly container: string
  readonly codecs: readonly string[]
}

const FORMATS: ReadonlyMap<string, AudioFormat> = new Map([
  ['.wav', { container: 'wav', codecs: ['pcm_s16le'] }],
  ['.flac', { container: 'flac', codecs: ['flac'] }],
  ['.m4a', { container: 'ipod', codecs: ['libfdk_aac', 'aac'] }],
  ['.mp3', { container: 'mp3', codecs: ['libmp3lame'] }],
  ['.opus', { container: 'opus', codecs: ['libopus'] }],
])

const WAV_CODECS = { int16: 'pcm_s16le', int24: 'pcm_s24le', float32: 'pcm_f32le' } as const

/**
 * Writes audio whole or not at all; the extension of the path says the format: wav, flac, m4a, mp3, opus. A format
 * that does not know the rate (Opus, MP3, AAC) gets the samples resampled to the next one it knows.
 *
 * @param samples floating point in −1 to 1, `[channels, n]` or `[n]`
 * @throws ShapeError, DTypeError when the tensor is no audio
 * @throws ArgumentError when the extension or an option is not known, or the path cannot be written
 * @throws CancelledError when the signal aborts
 * @throws LoadError when the optional package node-av is not installed
 */
export async function writeAudio(samples: Tensor, path: string, options: WriteAudioOptions): Promise<void> {
  const caller = 'writeAudio'
  const { sampleRate, bitrate, sampleFormat, signal } = options
  const file = pathOf(path, caller)
  const format = formatOf(file, sampleFormat, caller)
  if (sampleRate === undefined) throw new ArgumentError(`${caller}: say the sampleRate of the samples`)
  checkRate(sampleRate, 'sampleRate', caller)
  const planes = await planesOf(samples, caller)
  if ((planes[0]?.length ?? 0) === 0) throw new ArgumentError(`${caller}: there are no samples to write`)
  const av = await ffmpeg(caller)
  const codec = findEncoder(av, format.codecs, caller)
  await replaceFile(
    file,
    async (temporary) => {
      const output = new MediaOutput(av, `${caller}: ${file}`, temporary, format.container, signal)
      try {
        const rate = encoderRate(codec, sampleRate)
        const track = await AudioTrack.open(output, codec, { channels: planes.length, rate, bitrate })
        await output.begin()
        const ready = await atRate(output, planes, sampleRate, rate)
        await track.write(ready, 0, ready[0]?.length ?? 0, true)
        await output.finish([track.track])
      } finally {
        await output.close()
      }
    },
    caller,
  )
}

function formatOf(path: string, sampleFormat: WriteAudioOptions['sampleFormat'], caller: string): AudioFormat {
  const extension = extname(path).toLowerCase()
  const format = FORMATS.get(extension)
  if (!format) {
    const known = [...FORMATS.keys()].join(', ')
    throw new ArgumentError(`${caller}: ${path} ends in '${extension}', which is no audio format; use ${known}`)
  }
  if (sampleFormat === undefined) return format
  if (extension !== '.wav') {
    throw new ArgumentError(`${caller}: sampleFormat is for .wav files; ${extension} files have one of their own`)
  }
  const codec = WAV_CODECS[sampleFormat]
  if (!codec)
    throw new ArgumentError(`${caller}: sampleFormat '${sampleFormat}' is not known; use int16, int24, float32`)
  return { ...format, codecs: [codec] }
}
