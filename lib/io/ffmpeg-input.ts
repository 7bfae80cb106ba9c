import { resolve } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import type { CodecContext, FormatContext, IOContext, Packet, Stream } from 'node-av/lib'
import { ArgumentError, CancelledError, FormatError } from '../native/errors'
import { check, type Ffmpeg, ffmpeg, reasonOf } from './ffmpeg'
import { memoryReader } from './ffmpeg-memory'
import { pathOf, type Source, withRegularFile } from './source'
import { pathOfUnnamed, unnamedFile } from './unnamed-file'

/** What may stop a read from outside. */
export interface StopOptions {
  /** Stops the read; it then rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined
  /** Longest time in milliseconds that opening, or one step of a stream, may take; unlimited unless stated. */
  readonly timeoutMs?: number | undefined
}

export interface InputOptions extends StopOptions {
  /** Pictures with more pixels are refused before anything is allocated for them. */
  readonly maxPixels: number
}

export type MediaKind = 'video' | 'audio'

/**
 * Containers that are read. A playlist, a concat script or a session description is left out on purpose: such a file is
 * text that makes FFmpeg open other files and addresses.
 */
const FORMATS =
  'aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,dv,eac3,flac,flv,gif,h264,hevc,ivf,m4v,matroska,webm,mjpeg,mov,mp3,mp4,mpeg,' +
  'mpegts,mpegvideo,mxf,nut,obu,ogg,rm,tta,w64,wav,wv,yuv4mpegpipe'

/** One opened file or buffer. Every native step passes through `step`, so that a stop never frees what is in use. */
export class MediaInput {
  readonly name: string
  readonly #options: InputOptions
  #context: FormatContext | undefined
  #memory: IOContext | undefined
  #owned: { free(): void }[] = []
  #pending: Promise<unknown> = Promise.resolve()
  #stopped: Error | undefined
  #rejectStep: ((error: Error) => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false
  readonly #onAbort = () => {
    this.#stop(
      new CancelledError(`${this.name}: cancelled by its AbortSignal`, { cause: this.#options.signal?.reason }),
    )
  }

  private constructor(
    readonly av: Ffmpeg,
    name: string,
    options: InputOptions,
  ) {
    this.name = name
    this.#options = options
  }

  /**
   * Opens a source and finds its streams.
   *
   * @throws ArgumentError when the file is missing, not a regular file, or may not be read
   * @throws FormatError when it holds no container that FFmpeg reads
   */
  static async open(source: Source, caller: string, options: InputOptions): Promise<MediaInput> {
    if (options.signal?.aborted) {
      throw new CancelledError(`${caller}: cancelled by its AbortSignal`, { cause: options.signal.reason })
    }
    const { name, path } = await describeSource(source, caller)
    const input = new MediaInput(await ffmpeg(caller), name, options)
    options.signal?.addEventListener('abort', input.#onAbort, { once: true })
    try {
      await input.timed(() => input.#openSource(path, source))
      return input
    } catch (error) {
      await input.close()
      throw error
    }
  }

  async #openSource(path: string | undefined, source: Source): Promise<void> {
    // Reading from memory calls back into JavaScript, which the blocking steps of a worker cannot wait for.
    if (isMainThread || !(source instanceof Uint8Array)) return this.#open(path, source)
    const file = await unnamedFile(source, this.name)
    try {
      await this.#open(pathOfUnnamed(file), source)
    } finally {
      await file.close()
    }
  }

  async #open(path: string | undefined, source: Source): Promise<void> {
    const { lib } = this.av
    const context = new lib.FormatContext()
    this.#context = context
    // Names inside the file, such as the data references of QuickTime, must not reach the network either.
    const options = lib.Dictionary.fromObject({ format_whitelist: FORMATS, protocol_whitelist: 'file' })
    try {
      if (path === undefined && source instanceof Uint8Array) {
        context.allocContext()
        this.#memory = memoryReader(this.av, source)
        context.pb = this.#memory
      }
      const url = path === undefined ? '' : `file:${resolve(path)}`
      this.check(await this.step(() => context.openInput(url, null, options)), 'no video or audio that FFmpeg reads')
    } finally {
      options.free()
    }
    this.#refuseLargePictures()
    this.check(await this.step(() => context.findStreamInfo(null)), 'its streams cannot be read')
    this.#refuseLargePictures()
  }

  #refuseLargePictures(): void {
    const { constants } = this.av
    for (const { codecpar } of this.streams) {
      if (codecpar.codecType !== constants.AVMEDIA_TYPE_VIDEO) continue
      const pixels = codecpar.width * codecpar.height
      if (pixels <= this.#options.maxPixels) continue
      throw new FormatError(
        `${this.name}: says that its pictures have ${codecpar.width} × ${codecpar.height} = ${pixels} pixels, more than ` +
          `${this.#options.maxPixels}; if the file is to be trusted, raise limits.maxPixels`,
      )
    }
  }

  get context(): FormatContext {
    if (!this.#context || this.#closed) throw new FormatError(`${this.name}: is closed`)
    return this.#context
  }

  get streams(): readonly Stream[] {
    return this.context.streams
  }

  /** The stream that a player would choose. @throws FormatError when there is none */
  best(kind: MediaKind): Stream {
    const found = this.find(kind)
    if (found) return found
    const held = this.find(kind === 'video' ? 'audio' : 'video')
    const advice = held
      ? `; it holds ${this.codecName(held)} ${kind === 'video' ? 'audio: use readAudio' : 'video only'}`
      : ''
    throw new FormatError(`${this.name}: has no ${kind} stream${advice}`)
  }

  find(kind: MediaKind): Stream | undefined {
    const { constants } = this.av
    const type = kind === 'video' ? constants.AVMEDIA_TYPE_VIDEO : constants.AVMEDIA_TYPE_AUDIO
    const stream = this.streams[this.context.findBestStream(type)]
    // The cover of an album counts as a video stream of one picture.
    return stream?.hasDisposition(constants.AV_DISPOSITION_ATTACHED_PIC) ? undefined : stream
  }

  codecName(stream: Stream): string {
    return this.av.lib.avGetCodecName(stream.codecpar.codecId) ?? 'unknown'
  }

  /** A decoder of the stream, freed with the input. @throws FormatError when FFmpeg has none */
  async decoder(stream: Stream, threads: number): Promise<CodecContext> {
    const { lib } = this.av
    const codec = lib.Codec.findDecoder(stream.codecpar.codecId)
    if (!codec)
      throw new FormatError(`${this.name}: its ${this.codecName(stream)} stream has no decoder in this FFmpeg`)
    const context = new lib.CodecContext()
    context.allocContext3(codec)
    this.own({ free: () => context.freeContext() })
    this.check(context.parametersToContext(stream.codecpar), 'its stream cannot be decoded')
    context.pktTimebase = stream.timeBase
    context.threadCount = threads
    context.setOption('max_pixels', BigInt(this.#options.maxPixels))
    this.check(await this.step(() => context.open2(codec, null)), `its ${codec.name} stream cannot be decoded`)
    for (const other of this.streams) if (other.index !== stream.index) other.discard = this.av.constants.AVDISCARD_ALL
    return context
  }

  /** A packet that is freed with the input. */
  packet(): Packet {
    const packet = new this.av.lib.Packet()
    packet.alloc()
    return this.own(packet)
  }

  /** Frees a resource when the input is closed and no native step uses it any more. */
  own<T extends { free(): void }>(resource: T): T {
    this.#owned.push(resource)
    return resource
  }

  check(code: number, what: string): number {
    return check(this.av, code, `${this.name}: ${what}`)
  }

  reason(code: number): string {
    return reasonOf(this.av, code)
  }

  /** Runs several steps within the time limit of the options. */
  async timed<T>(run: () => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options
    if (timeoutMs === undefined) return run()
    const late = () =>
      this.#stop(
        new CancelledError(
          `${this.name}: not done within ${timeoutMs} ms; if the medium is slow, raise limits.timeoutMs`,
        ),
      )
    this.#timer = setTimeout(late, timeoutMs)
    try {
      return await run()
    } finally {
      clearTimeout(this.#timer)
    }
  }

  /** One native call on FFmpeg's side. A stop rejects at once, and the call's resources live until it has returned. */
  step<T>(run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolveStep, reject) => {
      if (this.#stopped) return reject(this.#stopped)
      this.#rejectStep = reject
      const running = run()
      this.#pending = running.catch(() => {})
      running.then(resolveStep, reject)
    })
  }

  #stop(error: Error): void {
    this.#stopped ??= error
    this.#context?.interrupt()
    this.#rejectStep?.(this.#stopped)
  }

  /** Frees everything; after a stop, as soon as the step in flight returns. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    const freed = this.#pending.then(() => this.#free())
    if (!this.#stopped) await freed
  }

  async #free(): Promise<void> {
    for (const resource of this.#owned.reverse()) resource.free()
    this.#owned = []
    if (this.#memory && this.#context) this.#context.pb = null
    await this.#context?.closeInput()
    this.#memory?.freeContext()
    this.#context = undefined
  }
}

async function describeSource(source: Source, caller: string): Promise<{ name: string; path: string | undefined }> {
  if (source instanceof Uint8Array) {
    if (source.byteLength === 0) throw new FormatError(`${caller}: the buffer is empty; pass the bytes of a file`)
    return { name: `${caller}: the buffer of ${source.byteLength} bytes`, path: undefined }
  }
  const path = pathOf(source, caller)
  if (path.includes('\0')) throw new ArgumentError(`${caller}: the path holds a NUL character; pass the path of a file`)
  const size = await withRegularFile(path, caller, (_, bytes) => Promise.resolve(bytes))
  if (size === 0) throw new FormatError(`${caller}: ${path} is empty (0 bytes)`)
  return { name: `${caller}: ${path}`, path }
}

/** Seconds of a stream: as it says itself, in the tag of Matroska, or those of the whole file. */
export function durationOf(input: MediaInput, stream: Stream): number {
  if (stream.duration > 0n) return (Number(stream.duration) * stream.timeBase.num) / stream.timeBase.den
  const tag = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)/.exec(stream.metadata?.get('DURATION') ?? '')
  if (tag) return Number(tag[1]) * 3600 + Number(tag[2]) * 60 + Number(tag[3])
  return Math.max(0, Number(input.context.duration) / 1e6)
}
