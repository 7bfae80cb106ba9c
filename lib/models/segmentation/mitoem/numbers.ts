import type { Tensor } from '../../../tensor'

/** The elements of a small tensor in their order, as numbers. */
export function numbersOf(values: Tensor): number[] {
  return [...(values.to('float64').flatten().dataSync() as Float64Array)]
}
