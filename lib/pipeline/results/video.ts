import { writeVideo } from '../../io'
import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'

/** A clip, with what the system measured on the way. */
export class VideoResult extends Result {
  /**
   * @param frames `[T, 3, H, W]` uint8, or float32 in 0–1
   * @param fps frames a second
   * @param measured numbers such as the frequency found
   */
  constructor(
    readonly frames: Tensor,
    readonly fps: number,
    readonly measured: Readonly<Record<string, number>> = {},
  ) {
    super()
  }

  /** Writes it as mp4, mov, mkv, webm or avi. */
  async toFile(path: string): Promise<void> {
    await writeVideo(this.frames, path, { fps: this.fps, layout: 'TCHW' })
  }

  describe(): string {
    const { frames, width, height, fps } = this.#facts()
    const numbers = Object.entries(this.measured).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    return [`${frames} frames, ${width} × ${height} pixels, ${fps} a second`, ...numbers].join(', ')
  }

  toJSON(): Json {
    return { ...this.#facts(), ...this.measured }
  }

  #facts() {
    const [frames = 0, , height = 0, width = 0] = this.frames.shape
    return { frames, width, height, fps: this.fps }
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.frames]
  }
}
