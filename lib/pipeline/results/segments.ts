import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'
import { isJsonPath, unknownExtension, writeJson } from './write-json'

/** An action in a video. */
export interface Segment {
  readonly label: string
  /** 0–1. */
  readonly score: number
  /** Beginning and end in seconds. */
  readonly segment: readonly [startS: number, endS: number]
}

/** Actions of a video, the surest first. */
export class Segments extends Result {
  /** @param video name of the video, the key in ActivityNet's result files */
  constructor(
    readonly video: string,
    readonly durationS: number,
    readonly segments: readonly Segment[],
  ) {
    super()
  }

  /** Writes JSON in the layout of ActivityNet's results. */
  async toFile(path: string): Promise<void> {
    if (!isJsonPath(path)) throw unknownExtension(path, '.json')
    await writeJson(path, this.toJSON())
  }

  describe(): string {
    if (this.segments.length === 0) return 'no actions'
    const seconds = (value: number) => value.toFixed(2).padStart(7)
    return this.segments
      .map(
        ({ label, score, segment: [start, end] }) =>
          `${score.toFixed(2)}  ${seconds(start)} s –${seconds(end)} s  ${label}`,
      )
      .join('\n')
  }

  toJSON(): Json {
    const segments = this.segments.map(({ label, score, segment }) => ({ label, score, segment }))
    return { version: 'VERSION 1.3', results: { [this.video]: segments }, external_data: { used: false } }
  }

  protected override tensors(): Iterable<Tensor> {
    return []
  }
}
