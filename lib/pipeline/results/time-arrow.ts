import { writeImage } from '../../io'
import { imageFormatOf } from '../../io/image-encode'
import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'
import { isJsonPath, writeJson } from './write-json'

/** What a group of flow maps of a clip says. */
export interface ArrowGroup {
  /** Where the group begins, in seconds. */
  readonly startS: number
  /** Probability that the clip plays forward, 0–1. */
  readonly forward: number
  /** Sure enough to vote. */
  readonly confident: boolean
}

/** Which way a clip plays. */
export class TimeArrow extends Result {
  /**
   * @param direction the vote of the confident groups
   * @param forward mean probability over the groups that voted; may disagree with the vote
   * @param overlay where the evidence is: `[3, H, W]` uint8, red for forward and blue for backward
   */
  constructor(
    readonly direction: 'forward' | 'backward',
    readonly forward: number,
    readonly groups: readonly ArrowGroup[],
    readonly overlay: Tensor<'uint8'>,
  ) {
    super()
  }

  /** Writes the scores as JSON, or the picture of the evidence as png, jpg, webp, avif or tiff. */
  async toFile(path: string): Promise<void> {
    if (isJsonPath(path)) return writeJson(path, this.toJSON())
    imageFormatOf(path, 'toFile')
    await writeImage(this.overlay, path)
  }

  describe(): string {
    const votes = this.groups.filter(({ confident }) => confident).length
    return `${this.direction}: probability of forward ${this.forward.toFixed(3)}, ${votes} of ${this.groups.length} groups sure`
  }

  toJSON(): Json {
    return { direction: this.direction, forward: this.forward, groups: this.groups.map((group) => ({ ...group })) }
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.overlay]
  }
}
