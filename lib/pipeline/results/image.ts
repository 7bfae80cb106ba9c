import { writeImage } from '../../io'
import { type EncodeOptions, encodeImage, type ImageFormat, imageFormatOf } from '../../io/image-encode'
import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'

/** A picture, with what the system measured on the way. */
export class ImageResult extends Result {
  /**
   * @param image `[3, H, W]` or `[1, H, W]` float32 in 0–1
   * @param measured numbers such as the estimated noise
   */
  constructor(
    readonly image: Tensor<'float32'>,
    readonly measured: Readonly<Record<string, number>> = {},
  ) {
    super()
  }

  get width(): number {
    return this.image.size(-1)
  }

  get height(): number {
    return this.image.size(-2)
  }

  /** Writes it as png, jpg, webp, avif or tiff. */
  async toFile(path: string, options: EncodeOptions = {}): Promise<void> {
    imageFormatOf(path, 'toFile')
    await writeImage(this.image, path, options)
  }

  /** The bytes of a file, as for the answer of a server. */
  async toBuffer(format: ImageFormat = 'png', options: EncodeOptions = {}): Promise<Uint8Array> {
    return encodeImage(this.image, format, options)
  }

  describe(): string {
    const numbers = Object.entries(this.measured).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    return [`${this.width} × ${this.height} pixels`, ...numbers].join(', ')
  }

  toJSON(): Json {
    return { width: this.width, height: this.height, ...this.measured }
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.image]
  }
}
