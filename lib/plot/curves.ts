import { ArgumentError } from '../native/errors'
import { checkLabel } from './check'
import { type ChartFrame, lineSpec } from './line-chart'
import { Plot } from './plot'

/** Rates of one classifier, as `rocCurve` of `@lab/vision-native/metrics` gives them. */
export interface ROCSeries {
  /** Shown in the legend; a good place for the area. */
  readonly name: string
  readonly falsePositiveRate: readonly number[]
  readonly truePositiveRate: readonly number[]
}

/** Of one classifier, as `precisionRecallCurve` of `@lab/vision-native/metrics` gives them. */
export interface PrecisionRecallSeries {
  readonly name: string
  readonly precision: readonly number[]
  readonly recall: readonly number[]
}

const SIDE = 360

/** ROC curves over the diagonal of chance. @throws ArgumentError when the lists of a curve differ in length */
export function rocPlot({
  curves,
  width = SIDE,
  height = SIDE,
  title,
}: ChartFrame & { readonly curves: readonly ROCSeries[] }): Plot {
  const series = curves.map(({ name, falsePositiveRate, truePositiveRate }) => {
    return { name, points: zip('rocPlot', name, falsePositiveRate, truePositiveRate) }
  })
  const labels = { x: 'false positive rate', y: 'true positive rate' }
  return new Plot(lineSpec('rocPlot', { title, width, height, ...labels, ...UNIT, series }, { below: [CHANCE] }))
}

/**
 * Precision over recall, in steps: on the way to a recall, precision is what it is there, so the area below is the
 * average precision.
 *
 * @throws ArgumentError when the lists of a curve differ in length
 */
export function precisionRecallPlot({
  curves,
  width = SIDE,
  height = SIDE,
  title,
}: ChartFrame & { readonly curves: readonly PrecisionRecallSeries[] }): Plot {
  const series = curves.map(({ name, precision, recall }) => {
    return { name, points: zip('precisionRecallPlot', name, recall, precision) }
  })
  const options = { title, width, height, x: 'recall', y: 'precision', ...UNIT, series }
  return new Plot(lineSpec('precisionRecallPlot', options, { interpolate: 'step-before' }))
}

const UNIT = { xRange: [0, 1], yRange: [0, 1], markers: false } as const

const CHANCE = {
  data: {
    values: [
      { x: 0, y: 0 },
      { x: 1, y: 1 },
    ],
  },
  mark: { type: 'line', strokeDash: [4, 4], strokeWidth: 1, color: '#888888' },
  encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
} as const

function zip(caller: string, name: string, x: readonly number[], y: readonly number[]): [number, number][] {
  checkLabel(caller, 'name of a curve', name)
  if (x.length !== y.length) {
    throw new ArgumentError(`${caller}: '${name}' has ${x.length} values for one axis and ${y.length} for the other`)
  }
  return x.map((value, index) => [value, y[index] as number])
}
