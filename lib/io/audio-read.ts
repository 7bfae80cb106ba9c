import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { type AudioInfo, describeAudio } from './audio-info'
import { checkRate, joined, Resampler, resampledLength, stacked } from './audio-resample'
import { AudioSamples } from './audio-samples'
import { FrameSource, type OnCorrupt } from './ffmpeg-frames'
import { MediaInput } from './ffmpeg-input'
import type { Source } from './source'
import { checkLimits, DEFAULT_MAX_PIXELS, holdTo, type VideoLimits } from './video-limits'

/** What a file may ask for. Passing a limit is a FormatError that names it. */
export type AudioLimits = Pick<VideoLimits, 'maxBytes' | 'maxDurationS' | 'timeoutMs'>

export interface ReadAudioOptions {
  /** Resampled to this rate in hertz, with `ceil(n · sampleRate / rate)` samples; the file's unless stated. */
  readonly sampleRate?: number | undefined
  /** The mean of the channels, as one. */
  readonly mono?: boolean | undefined
  /** Begins with the sample nearest to this time; 0 is the first sample of the file. */
  readonly startS?: number | undefined
  /** Ends before the sample nearest to this time. */
  readonly endS?: number | undefined
  readonly limits?: AudioLimits | undefined
  /** `'throw'` (default) a FormatError where the stream is damaged, or `'skip'` what is damaged and count it. */
  readonly onCorrupt?: OnCorrupt | undefined
  /** Stops the read; it then rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined
}

export interface ReadAudioStreamOptions extends ReadAudioOptions {
  /** Samples of each channel in one tensor, 65,536 unless stated. The last tensor may have fewer. */
  readonly chunkSamples?: number | undefined
}

/** A piece of sound. `using` frees its tensor at the end of the block. */
export interface AudioChunk extends Disposable {
  /** float32 `[channels, n]`, −1 to 1. */
  readonly samples: Tensor<'float32'>
  readonly sampleRate: number
  /** Number of the first sample among those given. */
  readonly index: number
  /** Damaged packets and frames left out so far. */
  readonly skipped: number
}

/** A whole sound. */
export interface AudioClip {
  /** float32 `[channels, n]`, −1 to 1. */
  readonly samples: Tensor<'float32'>
  readonly sampleRate: number
  /** Damaged packets and frames left out. */
  readonly skipped: number
}

/** Audio as it is read: iterate it once with `for await`. */
export interface AudioReader extends AsyncIterableIterator<AudioChunk>, AsyncDisposable {
  return(): Promise<IteratorResult<AudioChunk>>
}

const CHUNK_SAMPLES = 65_536

/**
 * Reads the audio of a file, or of a video, whole.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @throws ArgumentError when the file cannot be opened, an option is wrong, or the range holds no samples
 * @throws FormatError when the file holds no audio, is damaged, or passes a limit
 * @throws CancelledError when the signal aborts or `limits.timeoutMs` has passed for one step
 * @throws LoadError when the optional package node-av is not installed
 */
export async function readAudio(source: Source, options: ReadAudioOptions = {}): Promise<AudioClip> {
  const reader = new ChunkReader(source, { ...options, chunkSamples: CHUNK_SAMPLES }, 'readAudio')
  try {
    const parts: Float32Array[][] = []
    let bytes = 0
    for (let planes = await reader.planes(); planes; planes = await reader.planes()) {
      bytes += planes.reduce((sum, plane) => sum + plane.byteLength, 0)
      reader.holdToBytes(bytes)
      parts.push(planes)
    }
    if (parts.length === 0) {
      const { startS = 0, endS = 'its end' } = options
      throw new ArgumentError(`${reader.name}: has no samples between ${startS} s and ${endS}`)
    }
    return { samples: stacked(joined(parts)), sampleRate: reader.sampleRate, skipped: reader.skipped }
  } finally {
    await reader.return()
  }
}

/**
 * Reads audio as a stream of tensors, decoded and resampled by FFmpeg off the event loop. Nothing is decoded before it is
 * asked for. Each chunk's tensor belongs to the scope in which the iteration runs; free it with
 * `for await (using chunk of …)`. Leaving the loop closes the file. Errors are those of `readAudio`.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 */
export function readAudioStream(source: Source, options: ReadAudioStreamOptions = {}): AudioReader {
  return new ChunkReader(source, options, 'readAudioStream')
}

interface OpenAudio {
  readonly input: MediaInput
  readonly info: AudioInfo
  readonly frames: FrameSource
  readonly pieces: AudioSamples
  readonly resampler: Resampler | undefined
  readonly rate: number
}

class ChunkReader implements AudioReader {
  name: string
  readonly #limits: AudioLimits
  readonly #chunkSamples: number
  #open: Promise<OpenAudio> | undefined
  #opened: OpenAudio | undefined
  /** Samples that are made but not given yet. */
  #waiting: Float32Array[][] = []
  #waitingCount = 0
  #finished = false
  #ended = false
  #given = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    readonly source: Source,
    readonly options: ReadAudioStreamOptions,
    caller: string,
  ) {
    checkOptions(options, caller)
    this.name = caller
    this.#limits = options.limits ?? {}
    this.#chunkSamples = options.chunkSamples ?? CHUNK_SAMPLES
  }

  get sampleRate(): number {
    return this.#opened?.rate ?? 0
  }

  get skipped(): number {
    return this.#opened?.frames.skipped ?? 0
  }

  holdToBytes(bytes: number): void {
    holdTo(this.#limits, 'maxBytes', bytes, this.name, 'bytes of samples')
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<AudioChunk>> {
    const result = this.#last.then(() => this.#next())
    this.#last = result.catch(() => {})
    return result
  }

  async #next(): Promise<IteratorResult<AudioChunk>> {
    const planes = await this.planes()
    if (!planes) return { done: true, value: undefined }
    const samples = stacked(planes)
    const index = this.#given
    this.#given += planes[0]?.length ?? 0
    const value: AudioChunk = {
      samples,
      sampleRate: this.sampleRate,
      index,
      skipped: this.skipped,
      [Symbol.dispose]: () => samples.dispose(),
    }
    return { done: false, value }
  }

  /** The channels of the next chunk; undefined at the end. */
  async planes(): Promise<Float32Array[] | undefined> {
    if (this.#ended) return undefined
    try {
      this.#open ??= openAudio(this.source, this.options, this.#limits, this.name)
      this.#opened = await this.#open
      this.name = this.#opened.input.name
      const planes = await this.#opened.input.timed(() => this.#take())
      if (!planes) await this.return()
      return planes
    } catch (error) {
      await this.return()
      throw error
    }
  }

  async #take(): Promise<Float32Array[] | undefined> {
    while (this.#waitingCount < this.#chunkSamples && !this.#finished) await this.#make()
    if (this.#waitingCount === 0) return undefined
    const all = joined(this.#waiting)
    const count = Math.min(this.#chunkSamples, this.#waitingCount)
    this.#waiting = [all.map((plane) => plane.subarray(count))]
    this.#waitingCount -= count
    return all.map((plane) => plane.slice(0, count))
  }

  async #make(): Promise<void> {
    if (!this.#opened) return
    const { pieces, resampler, input } = this.#opened
    const decoded = await pieces.next()
    if (decoded) holdTo(this.#limits, 'maxDurationS', pieces.givenS, input.name, 'seconds')
    else this.#finished = true
    const made = decoded ? await (resampler?.push(decoded) ?? decoded) : await resampler?.finish()
    const count = made?.[0]?.length ?? 0
    if (!made || count === 0) return
    this.#waiting.push(made)
    this.#waitingCount += count
  }

  async return(): Promise<IteratorResult<AudioChunk>> {
    this.#ended = true
    const open = await this.#open?.catch(() => undefined)
    await open?.input.close()
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

async function openAudio(
  source: Source,
  options: ReadAudioOptions,
  limits: AudioLimits,
  caller: string,
): Promise<OpenAudio> {
  const { signal, mono = false, startS = 0, endS, onCorrupt = 'throw' } = options
  const input = await MediaInput.open(source, caller, {
    maxPixels: DEFAULT_MAX_PIXELS,
    timeoutMs: limits.timeoutMs,
    signal,
  })
  try {
    const stream = input.best('audio')
    const info = describeAudio(input, stream)
    const rate = options.sampleRate ?? info.sampleRate
    const lengthS = Math.min(info.durationS, (endS ?? info.durationS) - startS)
    holdTo(limits, 'maxDurationS', lengthS, input.name, 'seconds')
    if (caller === 'readAudio') {
      const count = resampledLength(Math.max(0, Math.floor(lengthS * info.sampleRate)), info.sampleRate || 1, rate || 1)
      holdTo(limits, 'maxBytes', 4 * (mono ? 1 : info.channels) * count, input.name, 'bytes of samples')
    }
    const frames = await FrameSource.open(input, stream, 1, onCorrupt)
    const pieces = await input.timed(() => AudioSamples.open(frames, info, { mono, startS, endS }))
    const different = rate !== info.sampleRate
    const resampler = different
      ? input.own(new Resampler(input.av, mono ? 1 : info.channels, info.sampleRate, rate))
      : undefined
    return { input, info, frames, pieces, resampler, rate }
  } catch (error) {
    await input.close()
    throw error
  }
}

function checkOptions(options: ReadAudioStreamOptions, caller: string): void {
  const { sampleRate, startS, endS, chunkSamples, limits = {}, onCorrupt } = options
  checkRate(sampleRate, 'sampleRate', caller)
  checkLimits(limits, caller)
  for (const [name, value] of Object.entries({ startS, endS })) {
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue
    throw new ArgumentError(`${caller}: ${name} is ${value}; it must be a time in seconds, 0 or later`)
  }
  if ((endS ?? Number.POSITIVE_INFINITY) <= (startS ?? 0)) {
    throw new ArgumentError(
      `${caller}: the range from ${startS ?? 0} s to ${endS} s is empty; endS must be after startS`,
    )
  }
  if (
    chunkSamples !== undefined &&
    !(Number.isSafeInteger(chunkSamples) && chunkSamples > 0 && chunkSamples < 2 ** 28)
  ) {
    throw new ArgumentError(`${caller}: chunkSamples is ${chunkSamples}; it must be a whole number from 1 to 2^28`)
  }
  if (onCorrupt !== undefined && onCorrupt !== 'throw' && onCorrupt !== 'skip') {
    throw new ArgumentError(`${caller}: onCorrupt '${String(onCorrupt)}' is not known; use throw or skip`)
  }
}
