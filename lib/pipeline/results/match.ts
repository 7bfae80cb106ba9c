import { writeImage } from '../../io'
import { imageFormatOf } from '../../io/image-encode'
import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'
import { isJsonPath, writeJson } from './write-json'

/** How alike two pictures are, and whether that is enough. */
export class Match extends Result {
  /**
   * @param score the larger, the more alike
   * @param threshold the least score of the same identity
   * @param picture what was compared, `[3, H, W]` uint8
   */
  constructor(
    readonly score: number,
    readonly threshold: number,
    readonly picture: Tensor<'uint8'>,
  ) {
    super()
  }

  get same(): boolean {
    return this.score >= this.threshold
  }

  /** Writes score and decision as JSON, or the picture of what was compared as png, jpg, webp, avif or tiff. */
  async toFile(path: string): Promise<void> {
    if (isJsonPath(path)) return writeJson(path, this.toJSON())
    imageFormatOf(path, 'toFile')
    await writeImage(this.picture, path)
  }

  describe(): string {
    return `${this.same ? 'same' : 'different'}: score ${this.score.toFixed(4)}, threshold ${this.threshold.toFixed(4)}`
  }

  toJSON(): Json {
    return { same: this.same, score: this.score, threshold: this.threshold }
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.picture]
  }
}
