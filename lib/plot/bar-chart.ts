import { ArgumentError } from '../native/errors'
import { checkLabel, checkSize } from './check'
import type { ChartFrame } from './line-chart'
import { Plot } from './plot'
import { PALETTE } from './theme'

export interface Bar {
  readonly label: string
  /** Not finite: no bar. */
  readonly value: number
  /** Bars of one label and different groups stand side by side, each group in its colour. */
  readonly group?: string | undefined
}

export interface BarChartOptions extends ChartFrame {
  /** Label of the axis of the bars' names. */
  readonly x: string
  /** Label of the axis of the values. */
  readonly y: string
  readonly bars: readonly Bar[]
}

/**
 * Bars from 0, in the order given: values of classes, of systems.
 *
 * @throws ArgumentError when a label is missing, a bar is there twice, or there are more groups than colours
 */
export function barChart(options: BarChartOptions): Plot {
  const { title, x, y, bars } = options
  checkLabel('barChart', 'x', x)
  checkLabel('barChart', 'y', y)
  const seen = new Set<string>()
  for (const { label, group = '' } of bars) {
    checkLabel('barChart', 'label of a bar', label)
    const key = JSON.stringify([label, group])
    if (seen.has(key)) throw new ArgumentError(`barChart: two bars are '${label}'${group && ` of '${group}'`}`)
    seen.add(key)
  }
  const labels = [...new Set(bars.map(({ label }) => label))]
  const groups = [...new Set(bars.map(({ group = '' }) => group))]
  if (groups.length > PALETTE.length) {
    throw new ArgumentError(`barChart: ${groups.length} groups; ${PALETTE.length} colours can be told apart`)
  }
  const values = bars.map(({ label, value, group = '' }) => {
    return { label, group, value: Number.isFinite(value) ? value : null }
  })
  const upright = labels.some((label) => label.length > 8)
  return new Plot({
    ...(title === undefined ? {} : { title }),
    ...checkSize('barChart', options),
    data: { values },
    mark: { type: 'bar' },
    encoding: {
      x: {
        field: 'label',
        type: 'nominal',
        title: x,
        sort: labels,
        axis: { labelAngle: upright ? -45 : 0, grid: false },
      },
      y: { field: 'value', type: 'quantitative', title: y },
      color: {
        field: 'group',
        type: 'nominal',
        title: null,
        scale: { domain: groups, range: PALETTE.slice(0, Math.max(groups.length, 1)) },
        ...(groups.length < 2 ? { legend: null } : {}),
      },
      ...(groups.length < 2 ? {} : { xOffset: { field: 'group', sort: groups } }),
    },
  })
}
