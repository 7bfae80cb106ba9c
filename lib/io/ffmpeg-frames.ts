import type { CodecContext, Frame, Packet, Stream } from 'node-av/lib'
import { FormatError } from '../native/errors'
import type { MediaInput } from './ffmpeg-input'

/** What to do with a part that cannot be decoded: `'throw'` a FormatError, or `'skip'` it and count. */
export type OnCorrupt = 'throw' | 'skip'

/** After its last packet a decoder that goes on failing would do so for ever. */
const MAX_ERRORS_AT_END = 64

/** The decoded frames of one stream, one after the other. */
export class FrameSource {
  /** Packets and frames left out because they were damaged. */
  skipped = 0
  readonly #packet: Packet
  #draining = false
  #errorsAtEnd = 0
  #packets = 0
  #complete = true
  #lastTick = Number.NaN
  /** What comes before is only decoded on the way to it; damage there harms nobody. */
  #wanted = Number.NEGATIVE_INFINITY

  private constructor(
    readonly input: MediaInput,
    readonly stream: Stream,
    readonly decoder: CodecContext,
    readonly onCorrupt: OnCorrupt,
  ) {
    this.#packet = input.packet()
  }

  static async open(input: MediaInput, stream: Stream, threads: number, onCorrupt: OnCorrupt): Promise<FrameSource> {
    return new FrameSource(input, stream, await input.decoder(stream, threads), onCorrupt)
  }

  /** Seconds of a time in units of the stream. */
  seconds(tick: number): number {
    const { num, den } = this.stream.timeBase
    return (tick * num) / den
  }

  /** Seconds at which the stream begins, as far as the container says. */
  get startS(): number {
    const { startTime } = this.stream
    return startTime === this.input.av.constants.AV_NOPTS_VALUE ? 0 : this.seconds(Number(startTime))
  }

  /** A frame that is freed with the input. */
  frame(): Frame {
    const frame = new this.input.av.lib.Frame()
    frame.alloc()
    return this.input.own(frame)
  }

  /**
   * Decodes the next frame into `frame`.
   *
   * @returns its presentation time in units of the stream's time base, or undefined at the end
   * @throws FormatError when the stream is damaged, unless damage is skipped
   */
  async next(frame: Frame): Promise<number | undefined> {
    const { AVERROR_EAGAIN, AVERROR_EOF } = this.input.av.constants
    for (;;) {
      const code = await this.input.step(() => this.decoder.receiveFrame(frame))
      if (code >= 0) {
        const tick = this.#tickOf(frame)
        if (this.#isWhole(frame, tick)) return tick
        frame.unref()
      } else if (code === AVERROR_EOF) {
        return undefined
      } else if (code === AVERROR_EAGAIN) {
        await this.#feed()
      } else {
        this.#damaged(this.input.reason(code))
        if (this.#draining && ++this.#errorsAtEnd > MAX_ERRORS_AT_END) return undefined
      }
    }
  }

  async #feed(): Promise<void> {
    const { constants } = this.input.av
    const packet = (await this.#read()) ? this.#packet : null
    if (packet === null) this.#draining = true
    else if (packet.hasFlags(constants.AV_PKT_FLAG_CORRUPT)) this.#damaged('a packet is incomplete')
    const code = await this.input.step(() => this.decoder.sendPacket(packet))
    packet?.unref()
    if (code < 0 && code !== constants.AVERROR_EOF) this.#damaged(this.input.reason(code))
  }

  /** Reads the stream's next packet. @returns false at the end */
  async #read(): Promise<boolean> {
    const { AVERROR_EOF } = this.input.av.constants
    for (;;) {
      const code = await this.input.step(() => this.input.context.readFrame(this.#packet))
      if (code >= 0 && this.#packet.streamIndex === this.stream.index) {
        this.#packets++
        return true
      }
      if (code >= 0) {
        this.#packet.unref()
        continue
      }
      if (code !== AVERROR_EOF) this.#damaged(this.input.reason(code))
      else this.#checkComplete()
      return false
    }
  }

  /** An index that names more packets than there were tells of a file that was cut off. */
  #checkComplete(): void {
    const missing = Number(this.stream.nbFrames) - this.#packets
    if (!this.#complete || missing <= 0 || !hasIndex(this.input)) return
    this.#complete = false
    this.#damaged(`the file is truncated: ${missing} of ${this.stream.nbFrames} packets are missing`)
  }

  #tickOf(frame: Frame): number {
    const { AV_NOPTS_VALUE } = this.input.av.constants
    const pts = frame.bestEffortTimestamp === AV_NOPTS_VALUE ? frame.pts : frame.bestEffortTimestamp
    const tick = pts === AV_NOPTS_VALUE ? this.#guess(frame) : Number(pts)
    this.#lastTick = tick
    return tick
  }

  /** For raw streams, which say no times: one frame after the last. */
  #guess(frame: Frame): number {
    const rate = this.stream.rFrameRate
    const { num, den } = this.stream.timeBase
    const step = Number(frame.duration) || (rate.num > 0 ? (rate.den * den) / (rate.num * num) : 1)
    return Number.isNaN(this.#lastTick) ? 0 : this.#lastTick + step
  }

  #isWhole(frame: Frame, tick: number): boolean {
    const { AV_FRAME_FLAG_CORRUPT } = this.input.av.constants
    if (frame.decodeErrorFlags === 0 && !frame.hasFlags(AV_FRAME_FLAG_CORRUPT)) return true
    if (tick >= this.#wanted) this.#damaged('the frame is incomplete', tick)
    return false
  }

  #damaged(reason: string, tick = this.#lastTick): void {
    if (this.onCorrupt === 'skip') {
      this.skipped++
      return
    }
    const where = Number.isNaN(tick) ? 'at its beginning' : `at about ${this.seconds(tick).toFixed(3)} s`
    throw new FormatError(
      `${this.input.name}: is damaged ${where}: ${reason}; with onCorrupt: 'skip' what is damaged is left out`,
    )
  }

  /**
   * Moves to the last key frame at or before a time.
   *
   * @param wanted the time from which frames matter
   * @returns false where the container cannot
   */
  async seek(tick: number, wanted = tick): Promise<boolean> {
    const { context } = this.input
    const code = await this.input.step(() =>
      context.seekFrame(this.stream.index, BigInt(Math.floor(tick)), this.input.av.constants.AVSEEK_FLAG_BACKWARD),
    )
    if (code < 0) return false
    this.#reset()
    this.#wanted = wanted
    return true
  }

  /** Moves to the beginning. @throws FormatError where the container cannot */
  async rewind(): Promise<void> {
    const { context, av } = this.input
    const first = -(2n ** 62n)
    const backward = () =>
      context.seekFile(-1, -(2n ** 63n) + 1n, first, 2n ** 63n - 1n, av.constants.AVSEEK_FLAG_BACKWARD)
    const code = await this.input.step(backward)
    if (code < 0) this.input.check(await this.#seekByte(), 'it cannot be read from its beginning again')
    this.#reset()
  }

  /** Streams without times can still be read from their first byte. */
  #seekByte(): Promise<number> {
    const { context, av } = this.input
    return this.input.step(() => context.seekFrame(-1, 0n, av.constants.AVSEEK_FLAG_BYTE))
  }

  #reset(): void {
    this.decoder.flushBuffers()
    this.#draining = false
    this.#complete = false
    this.#errorsAtEnd = 0
    this.#lastTick = Number.NaN
  }

  /** The presentation times of the next packets in the order of the file; undefined where a packet says none. */
  async packetTicks(most: number): Promise<(number | undefined)[]> {
    const { AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } = this.input.av.constants
    const ticks: (number | undefined)[] = []
    while (ticks.length < most && (await this.#read())) {
      const { pts } = this.#packet
      // Packets that an edit list hides are decoded but never shown.
      if (!this.#packet.hasFlags(AV_PKT_FLAG_DISCARD)) ticks.push(pts === AV_NOPTS_VALUE ? undefined : Number(pts))
      this.#packet.unref()
    }
    return ticks
  }
}

/** True where the number of packets comes from an index rather than from a figure that somebody wrote. */
export function hasIndex(input: MediaInput): boolean {
  return input.context.iformat?.name?.includes('mov') === true
}
