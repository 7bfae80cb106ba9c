import { extname } from 'node:path'
import { writeImage } from '../../io'
import { imageFormatOf } from '../../io/image-encode'
import { lineChart, type Plot } from '../../plot'
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
    /** What was done with the clip, such as a black frame that was cut off. */
    readonly notes: readonly string[] = [],
  ) {
    super()
  }

  /**
   * Writes the scores as JSON, the time line of the groups as svg, or the picture of the evidence as png, jpg, webp,
   * avif or tiff.
   */
  async toFile(path: string): Promise<void> {
    if (isJsonPath(path)) return writeJson(path, this.toJSON())
    if (extname(path).toLowerCase() === '.svg') return this.timeLine().toFile(path)
    imageFormatOf(path, 'toFile')
    await writeImage(this.overlay, path)
  }

  /** Probabilities of the groups over time. */
  timeLine(): Plot {
    const [first, last] = [this.groups[0]?.startS ?? 0, this.groups.at(-1)?.startS ?? 0]
    return lineChart({
      title: `plays ${this.direction}`,
      x: 'start of the group in seconds',
      y: 'probability of forward',
      yRange: [0, 1],
      series: [
        { name: 'groups', points: this.groups.map(({ startS, forward }) => [startS, forward]) },
        {
          name: 'no evidence',
          points: [
            [first, 0.5],
            [last, 0.5],
          ],
        },
      ],
    })
  }

  describe(): string {
    const votes = this.groups.filter(({ confident }) => confident).length
    const line = `${this.direction}: probability of forward ${this.forward.toFixed(3)}, ${votes} of ${this.groups.length} groups sure`
    return [line, ...this.notes].join('\n')
  }

  toJSON(): Json {
    const groups = this.groups.map((group) => ({ ...group }))
    return { direction: this.direction, forward: this.forward, groups, notes: this.notes }
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.overlay]
  }
}
