import type { SoftwareResampleContext } from 'node-av/lib'
import { ArgumentError, DTypeError, FormatError, ShapeError, throwIfCancelled } from '../native/errors'
import { tensor } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import { type Ffmpeg, ffmpeg, reasonOf } from './ffmpeg'

/** Zero crossings of the sinc on each side of its middle, as in torchaudio's and librosa's best filters. */
const ZERO_CROSSINGS = 64
/** Share of the lower of the two Nyquist frequencies that passes, and the window that goes with it. */
const ROLLOFF = 0.9475937167399596
const KAISER_BETA = 14.769656459379492
/** Phases of the filter bank where the ratio of the rates has no small whole numbers; between them it is interpolated. */
const PHASE_BITS = 12

const MAX_RATE = 1_536_000
const PIECE = 65_536

/** Samples that resampling gives for `count`: the ceiling of the exact product. */
export function resampledLength(count: number, from: number, to: number): number {
  const divisor = gcd(from, to)
  const [up, down] = [BigInt(to / divisor), BigInt(from / divisor)]
  return Number((BigInt(count) * up + down - 1n) / down)
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/**
 * What makes libswresample's filter come nearest to the one that is meant. It divides a whole number, the size, by the
 * cutoff (a share of the input's Nyquist frequency) and rounds up to an even number of taps. A window that is thereby
 * wider than meant gets a higher beta, which keeps its shape in the middle: there it is about exp(−beta · (t / width)² / 2).
 */
function filterShape(cutoff: number): { size: number; beta: number } {
  const meant = 2 * ZERO_CROSSINGS
  const shapes = [-3, -2, -1, 0, 1].map((change) => {
    const size = meant + change
    const width = (2 * Math.ceil(Math.ceil(size / cutoff) / 2) * cutoff) / meant
    return { size, width, beta: KAISER_BETA * width ** 2 }
  })
  return shapes.reduce((best, shape) => (Math.abs(shape.width - 1) < Math.abs(best.width - 1) ? shape : best))
}

/** @throws ArgumentError for rates that are no whole numbers of hertz */
export function checkRate(rate: number | undefined, name: string, caller: string): void {
  if (rate === undefined || (Number.isInteger(rate) && rate > 0 && rate <= MAX_RATE)) return
  throw new ArgumentError(`${caller}: ${name} is ${rate}; it must be a whole number of hertz from 1 to ${MAX_RATE}`)
}

/**
 * Resamples a signal piece by piece with FFmpeg's libswresample: a sinc of 64 zero crossings on each side under a Kaiser
 * window, computed in float64, with silence assumed before and after the signal.
 */
export class Resampler {
  readonly #context: SoftwareResampleContext
  /** Samples of the output that belong to the silence before the signal, still to be dropped. */
  #drop: number
  #taken = 0
  #given = 0
  readonly #padding: number

  constructor(
    readonly av: Ffmpeg,
    readonly channels: number,
    readonly from: number,
    readonly to: number,
  ) {
    const { lib, constants } = av
    this.#context = new lib.SoftwareResampleContext()
    const layout = plainLayout(av, channels)
    const float = constants.AV_SAMPLE_FMT_FLTP
    this.#check(this.#context.allocSetOpts2(layout, float, to, layout, float, from))
    const [up, down] = [to / gcd(from, to), from / gcd(from, to)]
    const shape = filterShape(ROLLOFF * Math.min(1, to / from))
    const options: readonly (readonly [string, string | number])[] = [
      ['filter_size', shape.size],
      ['filter_type', 'kaiser'],
      ['kaiser_beta', shape.beta],
      ['cutoff', ROLLOFF * Math.min(1, from / to)],
      ['phase_shift', PHASE_BITS],
      ['exact_rational', 1],
      ['linear_interp', up > 2 ** PHASE_BITS ? 1 : 0],
      ['internal_sample_fmt', 'dblp'],
    ]
    for (const [name, value] of options) this.#check(lib.Option.set(this.#context.getNative(), name, String(value)))
    this.#check(this.#context.init())
    // Whole periods of the ratio, so that the silence takes a whole number of samples on both sides.
    const reach = Math.ceil((ZERO_CROSSINGS + 8) / (ROLLOFF * Math.min(1, to / from)))
    const periods = Math.ceil(reach / down)
    this.#padding = periods * down
    this.#drop = periods * up
  }

  /** Takes samples of each channel. @returns those that can be told already */
  async push(planes: readonly Float32Array[]): Promise<Float32Array[]> {
    const before = this.#taken === 0 ? await this.#convert(silence(this.channels, this.#padding)) : undefined
    this.#taken += planes[0]?.length ?? 0
    const now = await this.#convert(planes)
    return this.#count(before ? joined([before, now]) : now)
  }

  /** The samples that were waiting for what comes after them. */
  async finish(): Promise<Float32Array[]> {
    const parts: Float32Array[][] = []
    const wanted = resampledLength(this.#taken, this.from, this.to)
    while (this.#given < wanted) {
      const part = this.#count(await this.#convert(silence(this.channels, this.#padding + PIECE)))
      const over = Math.max(0, this.#given - wanted)
      this.#given -= over
      parts.push(part.map((plane) => plane.subarray(0, plane.length - over)))
    }
    return parts.length > 0 ? joined(parts) : silence(this.channels, 0)
  }

  #count(planes: Float32Array[]): Float32Array[] {
    this.#given += planes[0]?.length ?? 0
    return planes
  }

  async #convert(planes: readonly Float32Array[]): Promise<Float32Array[]> {
    const count = planes[0]?.length ?? 0
    const room = Math.max(1, this.#context.getOutSamples(count))
    const out = Array.from({ length: this.channels }, () => new Float32Array(room))
    const made = this.#check(await this.#context.convert(out.map(bytesOf), room, planes.map(bytesOf), count))
    const dropped = Math.min(made, this.#drop)
    this.#drop -= dropped
    return out.map((plane) => plane.subarray(dropped, made))
  }

  #check(code: number): number {
    if (code >= 0) return code
    throw new FormatError(
      `resampling ${this.channels} channels from ${this.from} Hz to ${this.to} Hz: ${reasonOf(this.av, code)}`,
    )
  }

  free(): void {
    this.#context.free()
  }
}

/** Channels without places: every one is treated alike. */
export function plainLayout({ lib, constants }: Ffmpeg, channels: number) {
  const layout = lib.avChannelLayoutDefault(channels)
  return layout.nbChannels === channels
    ? layout
    : { nbChannels: channels, order: constants.AV_CHANNEL_ORDER_UNSPEC, mask: 0n }
}

export function bytesOf(plane: Float32Array): Buffer {
  return Buffer.from(plane.buffer, plane.byteOffset, plane.byteLength)
}

function silence(channels: number, count: number): Float32Array[] {
  return Array.from({ length: channels }, () => new Float32Array(count))
}

/** The parts of each channel one after the other. */
export function joined(parts: readonly (readonly Float32Array[])[]): Float32Array[] {
  const channels = parts[0]?.length ?? 0
  return Array.from({ length: channels }, (_, channel) => {
    const planes = parts.map((part) => part[channel] ?? new Float32Array(0))
    const all = new Float32Array(planes.reduce((sum, plane) => sum + plane.length, 0))
    let at = 0
    for (const plane of planes) {
      all.set(plane, at)
      at += plane.length
    }
    return all
  })
}

/**
 * Resamples audio by band-limited (windowed sinc) interpolation: 64 zero crossings, Kaiser window of beta 14.77,
 * roll-off 0.9476, the parameters of torchaudio's `kaiser_best`.
 *
 * @param samples floating point `[n]` or `[C, n]`
 * @param options sampling rates in hertz, and a signal that stops it
 * @returns float32 `[ceil(n · to / from)]` or `[C, ceil(n · to / from)]`
 * @throws ShapeError, DTypeError when the tensor is no audio
 * @throws ArgumentError when a rate is no whole number of hertz
 * @throws LoadError when the optional package node-av is not installed
 */
export async function resampleAudio(
  samples: Tensor,
  { from, to, signal }: { readonly from: number; readonly to: number; readonly signal?: AbortSignal | undefined },
): Promise<Tensor<'float32'>> {
  const caller = 'resampleAudio'
  checkRate(from, 'from', caller)
  checkRate(to, 'to', caller)
  const planes = await planesOf(samples, caller)
  const av = await ffmpeg(caller)
  const resampler = new Resampler(av, planes.length, from, to)
  try {
    const parts: Float32Array[][] = []
    const count = planes[0]?.length ?? 0
    for (let at = 0; at < count; at += PIECE) {
      throwIfCancelled(signal, caller)
      parts.push(await resampler.push(planes.map((plane) => plane.subarray(at, at + PIECE))))
    }
    parts.push(await resampler.finish())
    const result = stacked(joined(parts))
    return samples.ndim === 1 ? (result.squeeze_(0) as Tensor<'float32'>) : result
  } finally {
    resampler.free()
  }
}

/** Channels of a tensor `[n]` or `[C, n]` of audio. */
export async function planesOf(samples: Tensor, caller: string): Promise<Float32Array[]> {
  const { shape, dtype } = samples
  if (shape.length !== 1 && shape.length !== 2) {
    throw new ShapeError(`${caller}: audio is [n] or [channels, n], got [${shape.join(', ')}]`)
  }
  if (!samples.isFloatingPoint()) {
    throw new DTypeError(`${caller}: audio is floating point in −1 to 1, got ${dtype}; scale it and use to('float32')`)
  }
  const [channels, count] = shape.length === 1 ? [1, shape[0] ?? 0] : [shape[0] ?? 0, shape[1] ?? 0]
  if (channels === 0 || channels > 64) {
    throw new ShapeError(`${caller}: audio has 1 to 64 channels, got [${shape.join(', ')}]; the shape is [channels, n]`)
  }
  const values = Float32Array.from((await samples.data()) as ArrayLike<number>)
  return Array.from({ length: channels }, (_, channel) => values.subarray(channel * count, (channel + 1) * count))
}

/** `[C, n]` of channels. */
export function stacked(planes: readonly Float32Array[]): Tensor<'float32'> {
  const count = planes[0]?.length ?? 0
  const all = new Float32Array(planes.length * count)
  for (const [channel, plane] of planes.entries()) all.set(plane, channel * count)
  return tensor<'float32'>(all, { shape: [planes.length, count] })
}
