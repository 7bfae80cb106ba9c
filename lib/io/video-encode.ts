import type { Codec, CodecContext, Frame, SoftwareScaleContext } from 'node-av/lib'
import { ArgumentError } from '../native/errors'
import type { MediaOutput, Track } from './ffmpeg-output'
import type { PackedFrame } from './video-frames'
import type { Size } from './video-size'

export interface EncodeOptions {
  /** Frames per second. */
  readonly fps: number
  /**
   * Constant quality: 0 (best) to 51 for H.264 and H.265, to 63 for VP9. Unless stated, 18 for libx264, which the eye
   * hardly tells from the original, and the encoder's own choice for others.
   */
  readonly crf?: number | undefined
  /** Bits per second, instead of `crf`. */
  readonly bitrate?: number | undefined
  /** How long libx264 and libx265 search for a smaller file, `ultrafast` to `veryslow`; `medium` unless stated. */
  readonly preset?: string | undefined
  /** Stored format in FFmpeg's words; `yuv420p`, which every player shows, unless stated. */
  readonly pixelFormat?: string | undefined
  /** `true` repeats the last column or row where the codec needs even sizes; otherwise such a size is an error. */
  readonly padToEven?: boolean | undefined
}

const CRF_CODECS: readonly string[] = ['libx264', 'libx265', 'libvpx-vp9', 'libvpx', 'libsvtav1']
/** Codecs whose streams say their colour matrix, so that Rec. 709 need not be guessed. */
const TAGGED_CODECS: readonly string[] = [...CRF_CODECS, 'ffv1']

/** Encodes pictures of one size. */
export class VideoTrack {
  #track: Track | undefined
  #scaler: SoftwareScaleContext | undefined
  #packed: Frame | undefined
  #size: Size = { width: 0, height: 0 }
  #written = 0

  constructor(
    readonly output: MediaOutput,
    readonly codec: Codec,
    readonly options: EncodeOptions,
  ) {}

  get tracks(): readonly Track[] {
    return this.#track ? [this.#track] : []
  }

  /** Prepares the encoder for pictures like this one. */
  async open(picture: PackedFrame): Promise<void> {
    const { lib, constants } = this.output.av
    const { fps, crf, bitrate, pixelFormat } = this.options
    const format = this.#pixelFormat(pixelFormat)
    this.#size = this.#encodedSize(picture, format.name)
    const rate = fractionOf(fps)
    const set = (encoder: CodecContext) => {
      encoder.width = this.#size.width
      encoder.height = this.#size.height
      encoder.pixelFormat = format.id
      encoder.timeBase = new lib.Rational(rate.den, rate.num)
      encoder.framerate = new lib.Rational(rate.num, rate.den)
      encoder.gopSize = Math.max(1, Math.round(4 * fps))
      encoder.bitRate = bitrate === undefined ? 0n : BigInt(Math.round(bitrate))
      const high = this.#size.height >= 720 && TAGGED_CODECS.includes(this.codec.name ?? '')
      encoder.colorSpace = high ? constants.AVCOL_SPC_BT709 : constants.AVCOL_SPC_SMPTE170M
      encoder.colorPrimaries = high ? constants.AVCOL_PRI_BT709 : constants.AVCOL_PRI_SMPTE170M
      encoder.colorTrc = high ? constants.AVCOL_TRC_BT709 : constants.AVCOL_TRC_SMPTE170M
      const full = format.name.startsWith('yuvj') || this.codec.name === 'mjpeg'
      encoder.colorRange = full ? constants.AVCOL_RANGE_JPEG : constants.AVCOL_RANGE_MPEG
      if (/^(?:rgb|gbr|bgr)/.test(format.name)) {
        encoder.colorSpace = constants.AVCOL_SPC_RGB
        encoder.colorRange = constants.AVCOL_RANGE_JPEG
      }
      // MPEG-4 has no quality by number; this is its scale of quantisers, of which 3 is about as good as the default of x264.
      if (crf === undefined && bitrate === undefined && /^m(?:peg4|jpeg)$/.test(this.codec.name ?? '')) {
        encoder.setFlags(constants.AV_CODEC_FLAG_QSCALE)
        encoder.globalQuality = 3 * constants.FF_QP2LAMBDA
      }
    }
    this.#track = await this.output.track(this.codec, set, this.#settings())
    this.#scaler = new lib.SoftwareScaleContext()
    this.#scaler.allocContext()
    const scaler = this.#scaler
    this.output.own({ free: () => scaler.freeContext() })
    const flags = constants.SWS_BICUBIC | constants.SWS_ACCURATE_RND | constants.SWS_FULL_CHR_H_INP
    this.output.check(scaler.setOption('sws_flags', flags), 'frames cannot be converted')
    this.#packed = this.output.own(new lib.Frame())
    this.#packed.alloc()
    this.#packed.width = this.#size.width
    this.#packed.height = this.#size.height
    this.#packed.format = picture.channels === 1 ? constants.AV_PIX_FMT_GRAY8 : constants.AV_PIX_FMT_RGB24
    this.#packed.colorRange = constants.AVCOL_RANGE_JPEG
    this.output.check(this.#packed.allocBuffer(), 'frames find no memory')
  }

  #settings(): Record<string, string> {
    const { crf, bitrate, preset } = this.options
    const name = this.codec.name ?? ''
    if (crf !== undefined && !CRF_CODECS.includes(name)) {
      throw new ArgumentError(`${this.output.name}: the ${name} encoder has no crf; use bitrate`)
    }
    if (preset !== undefined && !/^libx26[45]/.test(name)) {
      throw new ArgumentError(`${this.output.name}: the ${name} encoder has no preset; leave it out`)
    }
    const quality = crf ?? (bitrate === undefined && name === 'libx264' ? 18 : undefined)
    return {
      ...(quality === undefined ? {} : { crf: String(quality) }),
      ...(preset === undefined ? {} : { preset }),
    }
  }

  #pixelFormat(asked: string | undefined) {
    const { lib } = this.output.av
    const offered = (this.codec.pixelFormats ?? []).map((id) => ({ id, name: lib.avGetPixFmtName(id) ?? '' }))
    const wanted = asked ?? 'yuv420p'
    const found = offered.find(({ name }) => name === wanted)
    if (found) return found
    const usual = asked === undefined ? (offered.find(({ name }) => name === 'yuvj420p') ?? offered[0]) : undefined
    if (usual) return usual
    const id = lib.avGetPixFmtFromName(wanted)
    if (offered.length === 0 && id >= 0) return { id, name: wanted }
    throw new ArgumentError(
      `${this.output.name}: the ${this.codec.name} encoder does not store ${wanted}; use ${offered.map(({ name }) => name).join(', ')}`,
    )
  }

  /** Formats with one colour sample for several pixels need whole groups of them. */
  #encodedSize({ width, height }: PackedFrame, format: string): Size {
    const [across, down] = /420|nv12|nv21/.test(format) ? [2, 2] : /422/.test(format) ? [2, 1] : [1, 1]
    if (width % across === 0 && height % down === 0) return { width, height }
    if (this.options.padToEven) {
      return { width: Math.ceil(width / across) * across, height: Math.ceil(height / down) * down }
    }
    throw new ArgumentError(
      `${this.output.name}: frames of ${width} × ${height} pixels cannot be stored as ${format}, which needs even sizes; ` +
        "crop or resize them, set padToEven, or use pixelFormat 'yuv444p'",
    )
  }

  async write(picture: PackedFrame): Promise<void> {
    if (!this.#track || !this.#scaler || !this.#packed) return
    const { lib } = this.output.av
    const { encoder } = this.#track
    this.#fill(this.#packed, picture)
    // The encoder holds on to frames, so each gets one of its own.
    const frame = new lib.Frame()
    frame.alloc()
    try {
      frame.width = this.#size.width
      frame.height = this.#size.height
      frame.format = encoder.pixelFormat
      frame.colorSpace = encoder.colorSpace
      frame.colorRange = encoder.colorRange
      this.output.check(frame.allocBuffer(), 'frames find no memory')
      this.output.check(await this.#scaler.scaleFrame(frame, this.#packed), 'a frame cannot be converted')
      frame.pts = BigInt(this.#written++)
      frame.timeBase = encoder.timeBase
      await this.output.encode(this.#track, frame)
    } finally {
      frame.free()
    }
  }

  #fill(packed: Frame, { width, height, channels, pixels }: PackedFrame): void {
    const plane = packed.data?.[0]
    const stride = packed.linesize[0] ?? 0
    if (!plane) return
    const rowBytes = width * channels
    for (let row = 0; row < this.#size.height; row++) {
      const from = Math.min(row, height - 1) * rowBytes
      const to = row * stride
      plane.set(pixels.subarray(from, from + rowBytes), to)
      for (let x = width; x < this.#size.width; x++) {
        plane.copyWithin(to + x * channels, to + (width - 1) * channels, to + width * channels)
      }
    }
  }
}

/** A rate as the fraction that is meant: 29.97 is 30000/1001, as television has it. */
export function fractionOf(fps: number): { num: number; den: number } {
  const television = Math.round(fps * 1.001)
  if (Math.abs((television * 1000) / 1001 - fps) < 0.005 && !Number.isInteger(fps)) {
    return { num: television * 1000, den: 1001 }
  }
  for (const den of [1, 2, 3, 4, 5, 10, 100, 1000]) {
    if (Math.abs(Math.round(fps * den) - fps * den) < 1e-9 * den) return { num: Math.round(fps * den), den }
  }
  return { num: Math.round(fps * 100_000), den: 100_000 }
}
