import { ArgumentError } from '../native/errors'
import { checkLabel, checkSize } from './check'
import type { ChartFrame } from './line-chart'
import { Plot } from './plot'

export interface ConfusionMatrixPlotOptions extends ChartFrame {
  /** Row i, column j: how many samples of class i were predicted as class j; or shares. */
  readonly matrix: readonly (readonly number[])[]
  /** Names of the classes; their numbers unless stated. */
  readonly labels?: readonly string[] | undefined
}

/** Pixels of a cell in which a number of five digits can be read. */
const CELL = 46
/** Above it a cell is dark, and its number white. */
const DARK = 0.55

/**
 * A confusion matrix with its numbers. The shade is the share of the row, so that rare classes show their errors as
 * frequent ones do.
 *
 * @throws ArgumentError when the matrix is not square or the labels do not fit
 */
export function confusionMatrixPlot(options: ConfusionMatrixPlotOptions): Plot {
  const { matrix, title } = options
  const classes = matrix.length
  const labels = options.labels ?? Array.from(matrix.keys(), String)
  if (classes === 0 || matrix.some((row) => row.length !== classes)) {
    throw new ArgumentError(`confusionMatrixPlot: rows of ${matrix.map((row) => row.length)}; the matrix is square`)
  }
  if (labels.length !== classes || new Set(labels).size !== classes) {
    throw new ArgumentError(`confusionMatrixPlot: labels are [${labels.join(', ')}]; give ${classes} different ones`)
  }
  for (const label of labels) checkLabel('confusionMatrixPlot', 'label of a class', label)
  const values = matrix.flatMap((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    return row.map((count, j) => {
      return { actual: labels[i], predicted: labels[j], text: textOf(count), share: total === 0 ? 0 : count / total }
    })
  })
  const axis = { type: 'nominal', sort: labels, scale: { domain: labels, paddingInner: 0.04, paddingOuter: 0.02 } }
  const size = { width: options.width ?? classes * CELL, height: options.height ?? classes * CELL }
  return new Plot({
    ...(title === undefined ? {} : { title }),
    ...checkSize('confusionMatrixPlot', size),
    data: { values },
    encoding: {
      x: { field: 'predicted', title: 'predicted class', axis: { labelAngle: turned(labels), ticks: false }, ...axis },
      y: { field: 'actual', title: 'true class', axis: { ticks: false }, ...axis },
    },
    layer: [
      {
        mark: 'rect',
        encoding: {
          color: {
            field: 'share',
            type: 'quantitative',
            title: 'share of row',
            scale: { domain: [0, 1], range: ['#f7fbff', '#08306b'], interpolate: 'lab' },
            legend: { format: '.0%', gradientLength: Math.min(200, size.height) },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 12 },
        encoding: {
          text: { field: 'text' },
          color: { condition: { test: `datum.share > ${DARK}`, value: '#ffffff' }, value: '#222222' },
        },
      },
    ],
  })
}

function textOf(count: number): string {
  return Number.isInteger(count) ? String(count) : count.toFixed(2)
}

/** Names that are wider than a cell stand upright. */
function turned(labels: readonly string[]): number {
  return labels.some((label) => label.length > 6) ? -45 : 0
}
