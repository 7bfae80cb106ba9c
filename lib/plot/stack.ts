import { ArgumentError } from '../native/errors'
import { Plot } from './plot'

export interface StackOptions {
  readonly title?: string | undefined
  /** Panels side by side in a row; 1 unless stated, which puts them below each other. */
  readonly columns?: number | undefined
}

/**
 * Several plots in one figure, row by row, each with its own axes and legend.
 *
 * @throws ArgumentError without plots, or when `columns` is not a whole number from 1
 */
export function stack(plots: readonly Plot[], { title, columns = 1 }: StackOptions = {}): Plot {
  if (plots.length === 0) throw new ArgumentError('stack: there are no plots; pass at least one')
  if (!(Number.isSafeInteger(columns) && columns >= 1)) {
    throw new ArgumentError(`stack: columns is ${columns}; it is a whole number from 1`)
  }
  return new Plot({
    ...(title === undefined ? {} : { title }),
    concat: plots.map(({ spec }) => spec),
    columns,
    spacing: 36,
    resolve: { scale: { color: 'independent', strokeDash: 'independent', xOffset: 'independent' } },
  })
}
