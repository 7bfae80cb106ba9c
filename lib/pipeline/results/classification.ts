import { extname } from 'node:path'
import { barChart, type Plot } from '../../plot'
import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'
import { isJsonPath, unknownExtension, writeJson } from './write-json'

/** A class and how probable it is. */
export interface ClassScore {
  readonly label: string
  /** Probability, 0–1. */
  readonly score: number
}

/** How many classes are shown. */
const SHOWN = 5

/** Classes of a clip or picture, the most probable first. */
export class Classification extends Result {
  constructor(readonly classes: readonly ClassScore[]) {
    super()
  }

  get best(): ClassScore | undefined {
    return this.classes[0]
  }

  /** Writes all classes as JSON, or the chart of the first five as svg or png. */
  async toFile(path: string): Promise<void> {
    if (isJsonPath(path)) return writeJson(path, this.toJSON())
    const extension = extname(path).toLowerCase()
    if (extension !== '.svg' && extension !== '.png') throw unknownExtension(path, '.json, .svg or .png')
    await this.chart().toFile(path)
  }

  /** Bars of the first five classes. */
  chart(): Plot {
    return barChart({
      ...(this.best && { title: this.best.label }),
      x: 'class',
      y: 'probability',
      bars: this.classes.slice(0, SHOWN).map(({ label, score }) => ({ label, value: score })),
    })
  }

  describe(): string {
    return this.classes
      .slice(0, SHOWN)
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
