import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'
import { isJsonPath, unknownExtension, writeJson } from './write-json'

/** A class and how probable it is. */
export interface ClassScore {
  readonly label: string
  /** Probability, 0–1. */
  readonly score: number
}

/** Classes of a clip or picture, the most probable first. */
export class Classification extends Result {
  constructor(readonly classes: readonly ClassScore[]) {
    super()
  }

  get best(): ClassScore | undefined {
    return this.classes[0]
  }

  /** Writes the classes as JSON. */
  async toFile(path: string): Promise<void> {
    if (!isJsonPath(path)) throw unknownExtension(path, '.json')
    await writeJson(path, this.toJSON())
  }

  describe(): string {
    return this.classes
      .slice(0, 5)
      .map(({ label, score }) => `${(100 * score).toFixed(1).padStart(5)} %  ${label}`)
      .join('\n')
  }

  toJSON(): Json {
    return { classes: this.classes.map((entry) => ({ ...entry })) }
  }

  protected override tensors(): Iterable<Tensor> {
    return []
  }
}
