import { ArgumentError } from '../native/errors'
import { checkLabel, checkSize } from './check'
import { Plot } from './plot'
import { DASHES, PALETTE } from './theme'

/** A point as `[x, y]`. */
export type Point = readonly [x: number, y: number]

export interface LineSeries {
  /** Shown in the legend. */
  readonly name: string
  /** In the order in which the line joins them; where x or y is not finite the line is broken. */
  readonly points: readonly Point[]
}

export interface ChartFrame {
  readonly title?: string | undefined
  /** Width of the area in which data is drawn, in pixels; axes, title and legend come on top. 560 unless stated. */
  readonly width?: number | undefined
  /** Height of the area in which data is drawn, in pixels. 320 unless stated. */
  readonly height?: number | undefined
}

export interface LineChartOptions extends ChartFrame {
  /** Label of the horizontal axis. */
  readonly x: string
  /** Label of the vertical axis. */
  readonly y: string
  readonly series: readonly LineSeries[]
  /** Marks each point; true for series of at most 30 points unless stated. */
  readonly markers?: boolean | undefined
  /** A logarithmic vertical axis; values that are not above 0 have no place on it and break the line. */
  readonly logY?: boolean | undefined
  /** As `logY` for the horizontal axis. */
  readonly logX?: boolean | undefined
  /** Least and largest value of the axis; from the data unless stated. */
  readonly xRange?: readonly [number, number] | undefined
  readonly yRange?: readonly [number, number] | undefined
}

/**
 * Lines over a common axis, such as losses over epochs.
 *
 * Up to seven series differ in colour, further ones also in their dashes.
 *
 * @throws ArgumentError when a label is missing, two series have one name, or a size or range is not valid
 */
export function lineChart(options: LineChartOptions): Plot {
  return new Plot(lineSpec('lineChart', options))
}

/** How the line goes from one point to the next; `'step-before'` has the value of the next one on the way. */
type Interpolation = 'linear' | 'step-before'

/** `lineChart` with layers below it. */
export function lineSpec(
  caller: string,
  options: LineChartOptions,
  {
    below = [],
    interpolate = 'linear',
  }: { readonly below?: readonly object[]; readonly interpolate?: Interpolation } = {},
): object {
  const { title, x, y, series, logX = false, logY = false, xRange, yRange } = options
  checkLabel(caller, 'x', x)
  checkLabel(caller, 'y', y)
  checkSeries(caller, series)
  const names = series.map(({ name }) => name)
  const values = series.flatMap(({ name, points }, index) => {
    return points.map(([px, py], order) => ({ series: name, index, order, x: shown(px, logX), y: shown(py, logY) }))
  })
  // Without a stated range all points are inside, and those on the edge should be seen whole.
  const clip = xRange !== undefined || yRange !== undefined
  const markers = options.markers ?? series.every(({ points }) => points.length <= 30)
  const encoding = {
    x: { field: 'x', type: 'quantitative', title: x, ...axisOf(caller, 'xRange', xRange, logX) },
    y: { field: 'y', type: 'quantitative', title: y, ...axisOf(caller, 'yRange', yRange, logY) },
    order: { field: 'order' },
    color: {
      field: 'series',
      type: 'nominal',
      title: null,
      scale: { domain: names, range: names.map((_, i) => PALETTE[i % PALETTE.length]) },
      ...(series.length < 2 ? { legend: null } : {}),
    },
    ...(series.length > PALETTE.length ? { strokeDash: dashesOf(names) } : {}),
  }
  return {
    ...(title === undefined ? {} : { title }),
    ...checkSize(caller, options),
    data: { values },
    layer: [
      ...below,
      { mark: { type: 'line', strokeWidth: 2, interpolate, clip, invalid: 'break-paths-filter-domains' }, encoding },
      // A single point between two gaps is no line, so without a mark it would not be seen.
      ...(markers
        ? [{ mark: { type: 'point', filled: true, size: 30, opacity: 1, clip }, encoding: pointsOf(encoding) }]
        : []),
    ],
  }
}

function pointsOf<E extends { readonly order: unknown }>(encoding: E): Omit<E, 'order' | 'strokeDash'> {
  const { order: _, strokeDash: __, ...rest } = { strokeDash: undefined, ...encoding }
  return rest
}

function shown(value: number, log: boolean): number | null {
  return Number.isFinite(value) && (!log || value > 0) ? value : null
}

function dashesOf(names: readonly string[]): object {
  const range = names.map((_, i) => DASHES[Math.floor(i / PALETTE.length) % DASHES.length])
  return { field: 'series', type: 'nominal', title: null, scale: { domain: names, range } }
}

function axisOf(caller: string, name: string, range: readonly [number, number] | undefined, log: boolean): object {
  if (range !== undefined) {
    const [least, most] = range
    if (!(Number.isFinite(least) && Number.isFinite(most) && least < most && (!log || least > 0))) {
      const above = log ? ', both above 0 on a logarithmic axis' : ''
      throw new ArgumentError(`${caller}: ${name} is [${range}]; it is [least, most] with least < most${above}`)
    }
  }
  return {
    scale: {
      type: log ? 'log' : 'linear',
      zero: false,
      nice: range === undefined,
      ...(range ? { domain: range } : {}),
    },
    axis: log ? { labelOverlap: 'greedy', tickCount: 6 } : {},
  }
}

function checkSeries(caller: string, series: readonly LineSeries[]): void {
  const seen = new Set<string>()
  for (const { name, points } of series) {
    checkLabel(caller, 'name of a series', name)
    if (seen.has(name)) throw new ArgumentError(`${caller}: two series are named '${name}'; give each its own name`)
    seen.add(name)
    const bad = points.findIndex((point) => point.length !== 2 || point.some((value) => typeof value !== 'number'))
    if (bad >= 0) throw new ArgumentError(`${caller}: point ${bad} of '${name}' is ${points[bad]}; a point is [x, y]`)
  }
}
