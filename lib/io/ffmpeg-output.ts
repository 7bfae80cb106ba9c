import type { Codec, CodecContext, Dictionary, FormatContext, Frame, Packet, Stream } from 'node-av/lib'
import { ArgumentError, CancelledError } from '../native/errors'
import { check, type Ffmpeg } from './ffmpeg'

/** One encoder and the stream that its packets go to. */
export interface Track {
  readonly encoder: CodecContext
  readonly stream: Stream
}

/** A file while it is written: encoders, and the container that interleaves what they make. */
export class MediaOutput {
  readonly #context: FormatContext
  readonly #packet: Packet
  readonly #owned: { free(): void }[] = []
  #opened = false

  /**
   * @param name the public function and the path, for messages
   * @param path where FFmpeg writes; its name says nothing
   * @param format the container in FFmpeg's words
   */
  constructor(
    readonly av: Ffmpeg,
    readonly name: string,
    readonly path: string,
    format: string,
    readonly signal: AbortSignal | undefined,
  ) {
    this.#context = new av.lib.FormatContext()
    this.check(this.#context.allocOutputContext2(null, format, path), `cannot write ${format} files`)
    this.#packet = new av.lib.Packet()
    this.#packet.alloc()
  }

  /** A stream whose encoder `set` prepares. */
  async track(codec: Codec, set: (encoder: CodecContext) => void, options: Record<string, string>): Promise<Track> {
    const { lib, constants } = this.av
    const encoder = new lib.CodecContext()
    encoder.allocContext3(codec)
    this.own({ free: () => encoder.freeContext() })
    set(encoder)
    if (this.#context.oformat?.hasFlags(constants.AVFMT_GLOBALHEADER)) {
      encoder.setFlags(constants.AV_CODEC_FLAG_GLOBAL_HEADER)
    }
    const dictionary: Dictionary = lib.Dictionary.fromObject(options)
    try {
      this.check(await encoder.open2(codec, dictionary), `the ${codec.name} encoder refuses its settings`, true)
    } finally {
      dictionary.free()
    }
    const stream = this.#context.newStream(codec)
    stream.timeBase = encoder.timeBase
    stream.avgFrameRate = encoder.framerate
    this.check(encoder.parametersFromContext(stream.codecpar), 'the stream cannot be described')
    return { encoder, stream }
  }

  /** Begins the file, once all tracks are there. */
  async begin(): Promise<void> {
    // FFmpeg takes what comes before a colon in a path for a protocol.
    this.#context.url = `file:${this.path}`
    this.check(await this.#context.openOutput(), 'the file cannot be opened')
    this.#opened = true
    this.check(await this.#context.writeHeader(null), 'the container refuses these streams', true)
  }

  /** Encodes a frame, or with null what the encoder holds back. */
  async encode({ encoder, stream }: Track, frame: Frame | null): Promise<void> {
    const { AVERROR_EAGAIN, AVERROR_EOF } = this.av.constants
    this.throwIfAborted()
    this.check(await encoder.sendFrame(frame), 'a frame cannot be encoded')
    for (;;) {
      const code = await encoder.receivePacket(this.#packet)
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return
      this.check(code, 'a frame cannot be encoded')
      this.#packet.streamIndex = stream.index
      this.#packet.rescaleTs(encoder.timeBase, stream.timeBase)
      this.check(await this.#context.interleavedWriteFrame(this.#packet), 'the file cannot be written')
    }
  }

  /** Writes what is left and closes the file. */
  async finish(tracks: readonly Track[]): Promise<void> {
    for (const track of tracks) await this.encode(track, null)
    this.check(await this.#context.writeTrailer(), 'the file cannot be finished')
    this.#opened = false
    await this.#context.closeOutput()
  }

  throwIfAborted(): void {
    if (!this.signal?.aborted) return
    throw new CancelledError(`${this.name}: cancelled by its AbortSignal`, { cause: this.signal.reason })
  }

  own<T extends { free(): void }>(resource: T): T {
    this.#owned.push(resource)
    return resource
  }

  /** @param mine true where the caller's options are to blame */
  check(code: number, what: string, mine = false): number {
    const advice = mine ? '; other settings, another codec or another container may do' : ''
    return check(this.av, code, `${this.name}: ${what}`, (message) => new ArgumentError(message + advice))
  }

  async close(): Promise<void> {
    if (this.#opened) await this.#context.closeOutput()
    for (const resource of this.#owned.reverse()) resource.free()
    this.#packet.free()
    this.#context.freeContext()
  }
}

/** The first of several encoders that this FFmpeg has. */
export function findEncoder({ lib }: Ffmpeg, names: readonly string[], caller: string): Codec {
  for (const name of names) {
    // The name is checked by FFmpeg, not by a list of those that some other build has.
    const codec = lib.Codec.findEncoderByName(name as Parameters<typeof lib.Codec.findEncoderByName>[0])
    if (codec) return codec
  }
  throw new ArgumentError(`${caller}: this FFmpeg has no encoder ${names.join(' or ')}; name another codec`)
}
