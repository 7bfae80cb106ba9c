import type { Frame, SoftwareResampleContext } from 'node-av/lib'
import { FormatError } from '../native/errors'
import type { AudioInfo } from './audio-info'
import { bytesOf, plainLayout } from './audio-resample'
import type { FrameSource } from './ffmpeg-frames'

export interface SampleRange {
  readonly mono: boolean
  readonly startS: number
  readonly endS: number | undefined
}

/** Containers that find any sample exactly; in others the way is from the beginning. */
const EXACT_SEEK = ['wav', 'w64', 'flac', 'aiff', 'au', 'caf', 'mov']
/** A range that begins later is sought. */
const SEEK_FROM_S = 10
/** Codecs whose frames overlap need the ones before to give the right samples. */
const PREROLL_S = 1

/** Decoded samples of a range as float32 channels, at the rate of the file. */
export class AudioSamples {
  readonly #frame: Frame
  readonly #converter: SoftwareResampleContext
  readonly #first: number
  readonly #end: number
  /** Number of the next sample that will be decoded; unknown after a seek. */
  #position: number | undefined = 0
  #originTick: number | undefined
  #given = 0

  private constructor(
    readonly source: FrameSource,
    readonly info: AudioInfo,
    readonly range: SampleRange,
  ) {
    const { lib, constants } = source.input.av
    const { sampleRate, channels } = info
    if (sampleRate <= 0 || channels <= 0 || channels > 64) {
      throw new FormatError(`${source.input.name}: says that it has ${channels} channels at ${sampleRate} Hz`)
    }
    this.#frame = source.frame()
    this.#first = Math.round(range.startS * sampleRate)
    this.#end = range.endS === undefined ? Number.POSITIVE_INFINITY : Math.round(range.endS * sampleRate)
    const layout = plainLayout(source.input.av, channels)
    this.#converter = new lib.SoftwareResampleContext()
    const { codecpar } = source.stream
    const stored = source.decoder.sampleFormat
    const code = this.#converter.allocSetOpts2(
      layout,
      constants.AV_SAMPLE_FMT_FLTP,
      codecpar.sampleRate,
      layout,
      stored,
      codecpar.sampleRate,
    )
    source.input.check(code, 'its samples cannot be converted')
    source.input.own(this.#converter)
    source.input.check(this.#converter.init(), 'its samples cannot be converted')
  }

  static async open(source: FrameSource, info: AudioInfo, range: SampleRange): Promise<AudioSamples> {
    const samples = new AudioSamples(source, info, range)
    if (range.startS > SEEK_FROM_S && samples.#seeksExactly()) await samples.#seek()
    return samples
  }

  /** Seconds given so far. */
  get givenS(): number {
    return this.#given / this.info.sampleRate
  }

  #seeksExactly(): boolean {
    const { num, den } = this.source.stream.timeBase
    const names = this.source.input.context.iformat?.name?.split(',') ?? []
    return num * this.info.sampleRate <= den && names.some((name) => EXACT_SEEK.includes(name))
  }

  async #seek(): Promise<void> {
    // Where the first sample is on the clock of the file: players leave out what the encoder put before it.
    const origin = await this.source.next(this.#frame)
    this.#frame.unref()
    if (origin === undefined) return
    const { num, den } = this.source.stream.timeBase
    const tick = origin + ((this.range.startS - PREROLL_S) * den) / num
    if (!(await this.source.seek(tick))) return this.source.rewind()
    this.#originTick = origin
    this.#position = undefined
  }

  /** The next samples of the range, one array a channel; undefined at its end. */
  async next(): Promise<Float32Array[] | undefined> {
    for (;;) {
      if ((this.#position ?? 0) >= this.#end) return undefined
      const tick = await this.source.next(this.#frame)
      if (tick === undefined) return undefined
      const at = this.#position ?? this.#placeOf(tick)
      const count = this.#frame.nbSamples
      this.#position = at + count
      const [from, to] = [Math.max(0, this.#first - at), Math.min(count, this.#end - at)]
      if (from < to) {
        const planes = await this.#planes(count)
        this.#given += to - from
        const cut = planes.map((plane) => plane.subarray(from, to))
        return this.range.mono ? [mean(cut)] : cut
      }
      this.#frame.unref()
    }
  }

  #placeOf(tick: number): number {
    const { num, den } = this.source.stream.timeBase
    return Math.round(((tick - (this.#originTick ?? 0)) * num * this.info.sampleRate) / den)
  }

  async #planes(count: number): Promise<Float32Array[]> {
    const { input, decoder } = this.source
    const { channels, sampleRate } = this.info
    const frame = this.#frame
    if (frame.channels !== channels || frame.sampleRate !== sampleRate || frame.format !== decoder.sampleFormat) {
      throw new FormatError(
        `${input.name}: changes from ${channels} channels at ${sampleRate} Hz to ${frame.channels} at ${frame.sampleRate} Hz`,
      )
    }
    const planes = Array.from({ length: channels }, () => new Float32Array(count))
    const stored = frame.extendedData ?? frame.data ?? []
    const code = await input.step(() => this.#converter.convert(planes.map(bytesOf), count, stored, count))
    input.check(code, 'its samples cannot be converted')
    frame.unref()
    return planes
  }
}

/** The mean of the channels, summed in float64. */
function mean(planes: readonly Float32Array[]): Float32Array {
  const [first] = planes
  if (!first || planes.length === 1) return first ?? new Float32Array(0)
  return first.map((_, i) => planes.reduce((sum, plane) => sum + (plane[i] ?? 0), 0) / planes.length)
}
