import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'
import { isJsonPath, unknownExtension, writeJson } from './write-json'

/** How alike two pictures are, and whether that is enough. */
export class Match extends Result {
  /**
   * @param score the larger, the more alike
   * @param threshold the least score of the same identity
   */
  constructor(
    readonly score: number,
    readonly threshold: number,
  ) {
    super()
  }

  get same(): boolean {
    return this.score >= this.threshold
  }

  /** Writes score and decision as JSON. */
  async toFile(path: string): Promise<void> {
    if (!isJsonPath(path)) throw unknownExtension(path, '.json')
    await writeJson(path, this.toJSON())
  }

  describe(): string {
    return `${this.same ? 'same' : 'different'}: score ${this.score.toFixed(4)}, threshold ${this.threshold.toFixed(4)}`
  }

  toJSON(): Json {
    return { same: this.same, score: this.score, threshold: this.threshold }
  }

  protected override tensors(): Iterable<Tensor> {
    return []
  }
}
