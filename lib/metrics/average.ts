import { ArgumentError } from '../native/errors'

/**
 * How the values of the classes become one: `'micro'` counts all samples together, `'macro'` is the mean of the classes,
 * `'weighted'` their mean by the number of samples, `'none'` leaves the list.
 */
export type Average = 'micro' | 'macro' | 'weighted' | 'none'

/** A number, or one for each class with `average: 'none'`. */
export type Averaged<A extends Average> = A extends 'none' ? readonly number[] : number

export function checkAverage(caller: string, average: Average, known: readonly Average[]): void {
  if (known.includes(average)) return
  throw new ArgumentError(`${caller}: average is '${average}'; use ${known.map((name) => `'${name}'`).join(', ')}`)
}

/**
 * The mean of the values that are not NaN; NaN when there are none, or none with a weight.
 *
 * @param weights of the same length; all equal unless stated
 */
export function meanOf(values: ArrayLike<number>, weights?: ArrayLike<number>): number {
  let [sum, total] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    const [value, weight] = [values[i] as number, weights === undefined ? 1 : (weights[i] as number)]
    if (Number.isNaN(value)) continue
    sum += value * weight
    total += weight
  }
  return sum / total
}
