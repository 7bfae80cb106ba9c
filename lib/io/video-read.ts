import { availableParallelism } from 'node:os'
import { ArgumentError, FormatError } from '../native/errors'
import { tensor } from '../tensor/creation'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { FrameSource, type OnCorrupt } from './ffmpeg-frames'
import { MediaInput } from './ffmpeg-input'
import { later } from './later'
import type { Source } from './source'
import { CHANNELS, FrameConverter, type VideoPixelFormat } from './video-convert'
import { describeVideo, type VideoInfo } from './video-info'
import { checkLimits, DEFAULT_MAX_PIXELS, holdTo, type VideoLimits } from './video-limits'
import { type Orientation, orientationOf, upright } from './video-orientation'
import { type PictureSource, type Selection, selectPictures } from './video-select'
import { checkSizeOptions, type SizeOptions, targetSize } from './video-size'

export interface ReadVideoOptions extends SizeOptions {
  /** Only frames that begin at or after this time, in seconds; frame-accurate, whatever the key frames are. */
  readonly startS?: number | undefined
  /** Only frames that begin before this time. */
  readonly endS?: number | undefined
  /** Only frames from this number on, counted from 0 as they are shown. Not together with times. */
  readonly startFrame?: number | undefined
  /** Only frames before this number. */
  readonly endFrame?: number | undefined
  /**
   * Frames at instants `startS + k / fps` (from the first frame where no `startS` is given): for each, the frame on the
   * screen then, which is the latest that began at or before it. Repeats frames where the file has fewer.
   */
  readonly fps?: number | undefined
  /** Every n-th frame of the range, beginning with its first. Not together with `fps`. */
  readonly everyNth?: number | undefined
  /** Frames in one tensor: 16, or fewer where they would pass 32 MiB, unless stated. The last tensor may have fewer. */
  readonly chunkFrames?: number | undefined
  /** `'THWC'` (default), or `'TCHW'` as networks take it. */
  readonly layout?: 'THWC' | 'TCHW' | undefined
  /** `'rgb24'` (default), or `'gray'`: the luma, stretched to 0–255. */
  readonly pixelFormat?: VideoPixelFormat | undefined
  readonly limits?: VideoLimits | undefined
  /** `'throw'` (default) a FormatError where the stream is damaged, or `'skip'` what is damaged and count it. */
  readonly onCorrupt?: OnCorrupt | undefined
  /** Threads of the decoder: up to 4, as many as there are cores, unless stated. */
  readonly threads?: number | undefined
  /** Stops the read; the iteration then rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined
}

/** Some frames one after the other. `using` frees their tensor at the end of the block. */
export interface VideoChunk extends Disposable {
  /** uint8 `[T, H, W, C]`, or `[T, C, H, W]` with the layout `'TCHW'`; C is 3, or 1 for `'gray'`. */
  readonly frames: Tensor<'uint8'>
  /** When each frame begins, in seconds on the clock of the file. */
  readonly timestampsS: Float64Array
  /** Number of the first frame among those given. */
  readonly index: number
  /** Damaged packets and frames left out so far. */
  readonly skipped: number
}

/** A video as it is read: iterate it once with `for await`. */
export interface VideoReader extends AsyncIterableIterator<VideoChunk>, AsyncDisposable {
  /** What the file says about itself; opens it where it is not open. */
  info(): Promise<VideoInfo>
  return(): Promise<IteratorResult<VideoChunk>>
}

/**
 * Reads a video as a stream of tensors, decoded by FFmpeg off the event loop.
 *
 * Nothing is decoded before it is asked for: a slow consumer holds the decoder back, and memory holds one chunk however
 * long the file is. Each chunk's tensor belongs to the scope in which the iteration runs; free it with
 * `for await (using chunk of …)` or `chunk.frames.dispose()`. Leaving the loop closes the file.
 *
 * Frames are upright by the display matrix of the file. Colours are converted by the matrix and range that the stream
 * states (Rec. 601 in studio range where it states none).
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @throws ArgumentError at once when an option is wrong, and in the iteration when the file cannot be opened
 * @throws FormatError in the iteration when the file is no video, is damaged, or passes a limit
 * @throws CancelledError in the iteration when the signal aborts or `limits.timeoutMs` has passed
 * @throws LoadError in the iteration when the optional package node-av is not installed
 */
export function readVideo(source: Source, options: ReadVideoOptions = {}): VideoReader {
  return new ChunkReader(source, options, 'readVideo')
}

/** What is open while a video is read. */
interface OpenVideo {
  readonly input: MediaInput
  readonly info: VideoInfo
  readonly frames: FrameSource
  readonly pictures: PictureSource
  readonly converter: FrameConverter
  readonly orientation: Orientation
  /** Room for the pixels of one chunk, used again and again. */
  readonly pixels: Uint8Array
  readonly chunkFrames: number
}

const CHUNK_BYTES = 2 ** 25

export class ChunkReader implements VideoReader {
  readonly #limits: VideoLimits
  #open: Promise<OpenVideo> | undefined
  #ended = false
  #given = 0
  /** Calls of `next` are answered in their order, each after the one before it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    readonly source: Source,
    readonly options: ReadVideoOptions,
    readonly caller: string,
  ) {
    checkOptions(options, caller)
    this.#limits = options.limits ?? {}
  }

  async info(): Promise<VideoInfo> {
    return (await this.opened()).info
  }

  /** What a whole read is going to take, as far as the file says. */
  async expectation(): Promise<{ name: string; frameBytes: number; expectedFrames: number }> {
    const { info, converter, input } = await this.opened()
    return { name: input.name, frameBytes: converter.bytes, expectedFrames: expectedFrames(info, this.options) }
  }

  private opened(): Promise<OpenVideo> {
    this.#open ??= openVideo(this.source, this.options, this.#limits, this.caller)
    return this.#open
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<VideoChunk>> {
    const result = this.#last.then(() => this.#next())
    this.#last = result.catch(() => {})
    return result
  }

  async #next(): Promise<IteratorResult<VideoChunk>> {
    if (this.#ended) return { done: true, value: undefined }
    try {
      const open = await this.opened()
      const timestampsS = await open.input.timed(() => this.#fill(open))
      if (timestampsS.length === 0) {
        await this.return()
        return { done: true, value: undefined }
      }
      const value = await this.#chunk(open, timestampsS)
      this.#given += timestampsS.length
      return { done: false, value }
    } catch (error) {
      await this.return()
      throw error
    }
  }

  /** Decodes into the pixels of the chunk until they are full. @returns when each frame begins */
  async #fill(open: OpenVideo): Promise<number[]> {
    const { pictures, converter, pixels, chunkFrames, input } = open
    const times: number[] = []
    while (times.length < chunkFrames) {
      const picture = await pictures.next()
      if (!picture) break
      const { frame, timestampS } = picture
      holdTo(this.#limits, 'maxFrames', this.#given + times.length + 1, input.name, 'frames')
      holdTo(this.#limits, 'maxDurationS', timestampS - open.info.startS, input.name, 'seconds')
      await converter.convert(frame, pixels, times.length * converter.bytes)
      times.push(timestampS)
    }
    return times
  }

  async #chunk(open: OpenVideo, times: readonly number[]): Promise<VideoChunk> {
    const { converter, orientation, pixels, frames: source } = open
    const { layout = 'THWC', pixelFormat = 'rgb24' } = this.options
    const { width, height } = converter.size
    const shape = [times.length, height, width, CHANNELS[pixelFormat]]
    const frames = await tidyAsync(async () => {
      const stored = tensor<'uint8'>(pixels.subarray(0, times.length * converter.bytes), { shape })
      const turned = await upright(stored, orientation)
      if (layout === 'THWC') return turned
      return later('contiguous', [turned.permute([0, 3, 1, 2])])
    })
    return {
      frames: frames as Tensor<'uint8'>,
      timestampsS: Float64Array.from(times),
      index: this.#given,
      skipped: source.skipped,
      [Symbol.dispose]: () => frames.dispose(),
    }
  }

  async return(): Promise<IteratorResult<VideoChunk>> {
    this.#ended = true
    const open = await this.#open?.catch(() => undefined)
    await open?.input.close()
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

/** Frames of a selection, never more than there will be by what the file says. */
function expectedFrames(info: VideoInfo, { startS, endS, startFrame, endFrame, fps, everyNth = 1 }: Selection): number {
  const lastS = info.startS + info.durationS
  const seconds = Math.max(0, Math.min(endS ?? lastS, lastS) - Math.max(startS ?? info.startS, info.startS))
  if (fps !== undefined) return Math.floor(seconds * fps)
  const byNumber = Math.max(0, Math.min(endFrame ?? info.frameCount, info.frameCount) - (startFrame ?? 0))
  return Math.floor(Math.min(byNumber, seconds * info.averageFps) / everyNth)
}

async function openVideo(
  source: Source,
  options: ReadVideoOptions,
  limits: VideoLimits,
  caller: string,
): Promise<OpenVideo> {
  const { maxPixels = DEFAULT_MAX_PIXELS, timeoutMs } = limits
  const input = await MediaInput.open(source, caller, { maxPixels, timeoutMs, signal: options.signal })
  try {
    return await input.timed(() => prepare(input, options, limits, maxPixels))
  } catch (error) {
    await input.close()
    throw error
  }
}

async function prepare(
  input: MediaInput,
  options: ReadVideoOptions,
  limits: VideoLimits,
  maxPixels: number,
): Promise<OpenVideo> {
  const stream = input.best('video')
  const info = describeVideo(input, stream)
  const lengthS = Math.min(info.durationS, (options.endS ?? info.durationS) - (options.startS ?? 0))
  holdTo(limits, 'maxDurationS', lengthS, input.name, 'seconds')
  if (info.width <= 0 || info.height <= 0) {
    throw new FormatError(`${input.name}: its ${info.codec} stream does not say how large its pictures are`)
  }
  const threads = options.threads ?? Math.min(4, availableParallelism())
  const frames = await FrameSource.open(input, stream, threads, options.onCorrupt ?? 'throw')
  const orientation = orientationOf(input.av, stream)
  const { width, height } = targetSize(info, options)
  if (width * height > maxPixels) {
    throw new ArgumentError(
      `${input.name}: frames of ${width} × ${height} pixels are asked for, more than limits.maxPixels = ${maxPixels}`,
    )
  }
  const stored = orientation.transpose ? { width: height, height: width } : { width, height }
  const converter = new FrameConverter(input, stored, options.pixelFormat ?? 'rgb24')
  const fitting = Math.max(1, Math.floor(CHUNK_BYTES / converter.bytes))
  const chunkFrames = options.chunkFrames ?? Math.min(16, fitting)
  const bytes = chunkFrames * converter.bytes
  holdTo(limits, 'maxBytes', bytes, input.name, 'bytes in one chunk')
  const pictures = await selectPictures(frames, options)
  return { input, info, frames, pictures, converter, orientation, pixels: new Uint8Array(bytes), chunkFrames }
}

function checkOptions(options: ReadVideoOptions, caller: string): void {
  checkSizeOptions(options, caller)
  checkLimits(options.limits ?? {}, caller)
  checkSelection(options, caller)
  whole(options.chunkFrames, 1, 'chunkFrames', caller)
  whole(options.threads, 1, 'threads', caller)
  oneOf(options.layout, ['THWC', 'TCHW'], 'layout', caller)
  oneOf(options.pixelFormat, ['rgb24', 'gray'], 'pixelFormat', caller)
  oneOf(options.onCorrupt, ['throw', 'skip'], 'onCorrupt', caller)
}

function checkSelection({ startS, endS, startFrame, endFrame, fps, everyNth }: Selection, caller: string): void {
  whole(startFrame, 0, 'startFrame', caller)
  whole(endFrame, 0, 'endFrame', caller)
  whole(everyNth, 1, 'everyNth', caller)
  for (const [name, value] of Object.entries({ startS, endS })) {
    if (value === undefined || Number.isFinite(value)) continue
    throw new ArgumentError(`${caller}: ${name} is ${value}; it must be a time in seconds`)
  }
  if (fps !== undefined && !(Number.isFinite(fps) && fps > 0)) {
    throw new ArgumentError(`${caller}: fps is ${fps}; it must be a positive number of frames per second`)
  }
  const [byTime, byNumber] = [startS ?? endS, startFrame ?? endFrame].map((value) => value !== undefined)
  if (byTime && byNumber) throw new ArgumentError(`${caller}: give a range in seconds or in frames, not both`)
  if (fps !== undefined && (byNumber || everyNth !== undefined)) {
    throw new ArgumentError(`${caller}: fps goes with startS and endS only; leave out frame numbers and everyNth`)
  }
  if ((endS ?? Number.POSITIVE_INFINITY) <= (startS ?? Number.NEGATIVE_INFINITY)) {
    throw new ArgumentError(`${caller}: the range from ${startS} s to ${endS} s is empty; endS must be after startS`)
  }
  if ((endFrame ?? Number.POSITIVE_INFINITY) <= (startFrame ?? 0)) {
    throw new ArgumentError(
      `${caller}: the range from frame ${startFrame ?? 0} to ${endFrame} is empty; endFrame must be after startFrame`,
    )
  }
}

function whole(value: number | undefined, least: number, name: string, caller: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return
  throw new ArgumentError(`${caller}: ${name} is ${value}; it must be a whole number of at least ${least}`)
}

function oneOf(value: string | undefined, known: readonly string[], name: string, caller: string): void {
  if (value === undefined || known.includes(value)) return
  throw new ArgumentError(`${caller}: ${name} '${value}' is not known; use ${known.join(' or ')}`)
}
