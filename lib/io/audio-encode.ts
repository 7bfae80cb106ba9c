import type { Codec, Frame } from 'node-av/lib'
import { ArgumentError } from '../native/errors'
import { bytesOf, joined, plainLayout, Resampler } from './audio-resample'
import type { MediaOutput, Track } from './ffmpeg-output'

/** Encodes float32 channels piece by piece. */
export class AudioTrack {
  #written = 0

  private constructor(
    readonly output: MediaOutput,
    readonly track: Track,
    readonly channels: number,
    readonly rate: number,
  ) {}

  static async open(
    output: MediaOutput,
    codec: Codec,
    {
      channels,
      rate,
      bitrate,
    }: { readonly channels: number; readonly rate: number; readonly bitrate?: number | undefined },
  ): Promise<AudioTrack> {
    const { lib, constants } = output.av
    const formats = codec.sampleFormats ?? [constants.AV_SAMPLE_FMT_FLTP]
    const format = formats.find((each) => each === constants.AV_SAMPLE_FMT_FLTP) ?? formats[0]
    if (format === undefined) throw new ArgumentError(`${output.name}: the ${codec.name} encoder takes no samples`)
    const track = await output.track(
      codec,
      (encoder) => {
        encoder.sampleRate = rate
        encoder.sampleFormat = format
        encoder.channelLayout = plainLayout(output.av, channels)
        encoder.timeBase = new lib.Rational(1, rate)
        if (bitrate !== undefined) encoder.bitRate = BigInt(Math.round(bitrate))
      },
      {},
    )
    return new AudioTrack(output, track, channels, rate)
  }

  /** Seconds of what was written. */
  get seconds(): number {
    return this.#written / this.rate
  }

  /** Samples that the encoder takes at once. */
  get #frameSize(): number {
    return this.track.encoder.frameSize || 4096
  }

  /** Writes whole frames of `planes` from `from` on, and at `last` the rest too. @returns how far it came */
  async write(planes: readonly Float32Array[], from: number, to: number, last: boolean): Promise<number> {
    let at = from
    while (at < to) {
      const count = Math.min(this.#frameSize, to - at)
      if (count < this.#frameSize && !last) break
      await this.#encode(planes.map((plane) => plane.subarray(at, at + count)))
      at += count
    }
    return at
  }

  async #encode(planes: readonly Float32Array[]): Promise<void> {
    const frame = await this.#frame(planes)
    try {
      await this.output.encode(this.track, frame)
    } finally {
      frame.free()
    }
  }

  async #frame(planes: readonly Float32Array[]): Promise<Frame> {
    const { lib, constants } = this.output.av
    const { encoder } = this.track
    const count = planes[0]?.length ?? 0
    const layout = plainLayout(this.output.av, this.channels)
    const frame = new lib.Frame()
    frame.alloc()
    frame.nbSamples = count
    frame.format = encoder.sampleFormat
    frame.sampleRate = this.rate
    frame.channelLayout = layout
    this.output.check(frame.allocBuffer(), 'samples find no memory')
    frame.pts = BigInt(this.#written)
    frame.timeBase = encoder.timeBase
    const converter = new lib.SoftwareResampleContext()
    try {
      const float = constants.AV_SAMPLE_FMT_FLTP
      const code = converter.allocSetOpts2(layout, encoder.sampleFormat, this.rate, layout, float, this.rate)
      this.output.check(code, 'samples cannot be converted')
      this.output.check(converter.init(), 'samples cannot be converted')
      const target = frame.extendedData ?? frame.data ?? []
      this.output.check(
        await converter.convert(target, count, planes.map(bytesOf), count),
        'samples cannot be converted',
      )
    } finally {
      converter.free()
    }
    this.#written += count
    return frame
  }
}

/** The rate that an encoder takes for audio of `rate`: the same, or the next one it has. */
export function encoderRate(codec: Codec, rate: number): number {
  const rates = [...(codec.supportedSamplerates ?? [])].sort((a, b) => a - b)
  if (rates.length === 0 || rates.includes(rate)) return rate
  return rates.find((each) => each > rate) ?? rates.at(-1) ?? rate
}

/** Channels at the rate that the encoder takes. */
export async function atRate(
  output: MediaOutput,
  planes: readonly Float32Array[],
  from: number,
  to: number,
): Promise<readonly Float32Array[]> {
  if (from === to) return planes
  const resampler = new Resampler(output.av, planes.length, from, to)
  try {
    const [head, tail] = [await resampler.push(planes), await resampler.finish()]
    return joined([head, tail])
  } finally {
    resampler.free()
  }
}
