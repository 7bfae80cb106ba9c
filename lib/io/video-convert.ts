import type { Frame, SoftwareScaleContext } from 'node-av/lib'
import { FormatError } from '../native/errors'
import type { MediaInput } from './ffmpeg-input'
import type { Size } from './video-size'

/** What the samples of a frame are turned into. */
export type VideoPixelFormat = 'rgb24' | 'gray'

export const CHANNELS: Readonly<Record<VideoPixelFormat, 1 | 3>> = { rgb24: 3, gray: 1 }

/**
 * Turns decoded frames into packed bytes of one size with FFmpeg's swscale, bicubic. The colour matrix and range are
 * those that the stream states; a stream that states none is taken as Rec. 601 in studio range, as FFmpeg does.
 */
export class FrameConverter {
  /** Bytes of one converted frame. */
  readonly bytes: number
  readonly #scaler: SoftwareScaleContext
  readonly #packed: Frame
  readonly #rowBytes: number
  readonly #grey: boolean

  constructor(
    readonly input: MediaInput,
    readonly size: Size,
    format: VideoPixelFormat,
  ) {
    const { lib, constants } = input.av
    this.#grey = format === 'gray'
    this.#rowBytes = size.width * CHANNELS[format]
    this.bytes = this.#rowBytes * size.height
    this.#scaler = new lib.SoftwareScaleContext()
    this.#scaler.allocContext()
    input.own({ free: () => this.#scaler.freeContext() })
    const flags = constants.SWS_BICUBIC
    // As ffmpeg and PyAV convert, bit for bit. Interpolated colours and exact rounding take several times as long.
    input.check(this.#scaler.setOption('sws_flags', flags), 'its frames cannot be converted')
    this.#packed = input.own(new lib.Frame())
    this.#packed.alloc()
    this.#packed.width = size.width
    this.#packed.height = size.height
    // Asked for plain grey, swscale mixes a luma by Rec. 601 whatever the stream's matrix is; so only its plane is taken.
    this.#packed.format = this.#grey ? constants.AV_PIX_FMT_YUV420P : constants.AV_PIX_FMT_RGB24
    this.#packed.colorRange = constants.AVCOL_RANGE_JPEG
    input.check(this.#packed.allocBuffer(), `frames of ${size.width} × ${size.height} pixels find no memory`)
  }

  /** Writes the frame as packed rows to `target` from `offset` on. */
  async convert(frame: Frame, target: Uint8Array, offset: number): Promise<void> {
    if (this.#grey) {
      const { AVCOL_SPC_RGB, AVCOL_SPC_SMPTE170M } = this.input.av.constants
      this.#packed.colorSpace = frame.colorSpace === AVCOL_SPC_RGB ? AVCOL_SPC_SMPTE170M : frame.colorSpace
    }
    const code = await this.input.step(() => this.#scaler.scaleFrame(this.#packed, frame))
    this.input.check(code, 'a frame cannot be converted')
    const plane = this.#packed.data?.[0]
    const stride = this.#packed.linesize[0]
    if (!plane || stride === undefined) throw new FormatError(`${this.input.name}: a converted frame has no pixels`)
    copyRows(plane, stride, this.#rowBytes, this.size.height, target, offset)
  }
}

/** FFmpeg pads rows to the width of vector registers; tensors do not. */
function copyRows(
  plane: Uint8Array,
  stride: number,
  rowBytes: number,
  rows: number,
  target: Uint8Array,
  offset: number,
): void {
  if (stride === rowBytes) {
    target.set(plane.subarray(0, rows * rowBytes), offset)
    return
  }
  const { buffer, byteOffset } = plane
  for (let row = 0; row < rows; row++) {
    target.set(new Uint8Array(buffer, byteOffset + row * stride, rowBytes), offset + row * rowBytes)
  }
}
