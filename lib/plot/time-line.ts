import { ArgumentError } from '../native/errors'
import { checkLabel, checkSize } from './check'
import type { ChartFrame } from './line-chart'
import { Plot } from './plot'
import { PALETTE } from './theme'

/** A stretch of time in a row. */
export interface TimeSpanMark {
  readonly start: number
  readonly end: number
  /** 0–1: how dark it is drawn; 1 unless stated. */
  readonly weight?: number | undefined
}

export interface TimeLineRow {
  /** Stands beside the row. */
  readonly name: string
  readonly spans: readonly TimeSpanMark[]
}

export interface TimeLineOptions extends ChartFrame {
  /** Label of the axis of time. */
  readonly x: string
  /** From top to bottom, each in a colour. */
  readonly rows: readonly TimeLineRow[]
  readonly xRange: readonly [number, number]
}

/**
 * Rows of bars over time: when things happen. Spans of a row that overlap grow darker.
 *
 * @throws ArgumentError when a label is missing, a row is there twice, or a span ends before it begins
 */
export function timeLine(options: TimeLineOptions): Plot {
  const { title, x, rows, xRange } = options
  checkLabel('timeLine', 'x', x)
  const names = rows.map(({ name }) => name)
  for (const [i, { name, spans }] of rows.entries()) {
    checkLabel('timeLine', 'name of a row', name)
    if (names.indexOf(name) !== i) throw new ArgumentError(`timeLine: two rows are named '${name}'`)
    const bad = spans.find(({ start, end }) => !(start <= end))
    if (bad)
      throw new ArgumentError(`timeLine: a span of '${name}' is [${bad.start}, ${bad.end}]; it ends before it begins`)
  }
  const values = rows.flatMap(({ name, spans }) =>
    spans.map(({ start, end, weight = 1 }) => ({ row: name, start, end, weight })),
  )
  return new Plot({
    ...(title === undefined ? {} : { title }),
    ...checkSize('timeLine', { ...options, height: options.height ?? Math.max(24, 26 * rows.length) }),
    data: { values },
    mark: { type: 'bar', height: { band: 0.7 }, clip: true },
    encoding: {
      x: { field: 'start', type: 'quantitative', title: x, scale: { domain: xRange, nice: false } },
      x2: { field: 'end' },
      y: { field: 'row', type: 'nominal', title: null, scale: { domain: names } },
      opacity: { field: 'weight', type: 'quantitative', legend: null, scale: { domain: [0, 1], range: [0, 1] } },
      color: {
        ...{ field: 'row', type: 'nominal', legend: null },
        scale: { domain: names, range: names.map((_, i) => PALETTE[i % PALETTE.length]) },
      },
    },
  })
}
