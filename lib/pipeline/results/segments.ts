import { extname } from 'node:path'
import { lineChart, type Plot, stack, timeLine } from '../../plot'
import type { Tensor } from '../../tensor'
import { type Json, Result } from './result'
import { isJsonPath, unknownExtension, writeJson } from './write-json'

/** An action in a video. */
export interface Segment {
  readonly label: string
  /** The larger the surer; the scale is the system's. */
  readonly score: number
  /** Beginning and end in seconds. */
  readonly segment: readonly [startS: number, endS: number]
}

/** A value over time from which the actions follow, such as attention. */
export interface SegmentCurve {
  readonly name: string
  /** The first is at half a step, and so on. */
  readonly values: readonly number[]
  /** Seconds between two values. */
  readonly stepS: number
}

/** Bars of the time line for each class, and lines of the description, at most. */
const MOST_BARS = 20
const MOST_LINES = 20

/** Actions of a video, the surest first. */
export class Segments extends Result {
  /** @param video name of the video, the key in ActivityNet's result files */
  constructor(
    readonly video: string,
    readonly durationS: number,
    readonly segments: readonly Segment[],
    /** What the time line shows below the actions. */
    readonly curves: readonly SegmentCurve[] = [],
  ) {
    super()
  }

  /** Writes JSON in the layout of ActivityNet's results, or the time line as svg or png. */
  async toFile(path: string): Promise<void> {
    if (isJsonPath(path)) return writeJson(path, this.toJSON())
    const extension = extname(path).toLowerCase()
    if (extension !== '.svg' && extension !== '.png') throw unknownExtension(path, '.json, .svg or .png')
    await this.timeLine().toFile(path)
  }

  /** Bars of the actions over time, darker for surer ones, and the curves below them. */
  timeLine(): Plot {
    const xRange = [0, Math.max(this.durationS, 1e-3)] as const
    const labels = [...new Set(this.segments.map(({ label }) => label))]
    const most = Math.max(0, ...this.segments.map(({ score }) => score))
    const rows = labels.map((name) => {
      const own = this.segments.filter(({ label, score }) => label === name && score > 0).slice(0, MOST_BARS)
      return { name, spans: own.map(({ segment: [start, end], score }) => ({ start, end, weight: score / most })) }
    })
    const bars = timeLine({
      title: `${this.video}: actions`,
      x: 'seconds',
      rows: rows.length > 0 ? rows : [{ name: 'no actions', spans: [] }],
      xRange,
    })
    if (this.curves.length === 0) return bars
    const series = this.curves.map(({ name, values, stepS }) => ({
      name,
      points: values.map((value, i) => [(i + 0.5) * stepS, value] as const),
    }))
    return stack([bars, lineChart({ x: 'seconds', y: 'value', series, xRange, markers: false, height: 200 })])
  }

  describe(): string {
    if (this.segments.length === 0) return 'no actions'
    const seconds = (value: number) => value.toFixed(2).padStart(7)
    const lines = this.segments
      .slice(0, MOST_LINES)
      .map(({ label, score, segment: [a, b] }) => `${score.toFixed(2)}  ${seconds(a)} s –${seconds(b)} s  ${label}`)
    const more = this.segments.length - lines.length
    return [...lines, ...(more > 0 ? [`… and ${more} less sure`] : [])].join('\n')
  }

  toJSON(): Json {
    const segments = this.segments.map(({ label, score, segment }) => ({ label, score, segment }))
    return { version: 'VERSION 1.3', results: { [this.video]: segments }, external_data: { used: false } }
  }

  protected override tensors(): Iterable<Tensor> {
    return []
  }
}
