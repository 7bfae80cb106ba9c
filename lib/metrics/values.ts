import { ArgumentError, DTypeError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { checkPair, checkSameShape, isFloating } from './labels'

/** Two tensors of one shape in one precision that holds both: float64 for float64 and whole numbers, else float32. */
export function valuePair(caller: string, predictions: Tensor, targets: Tensor): readonly [Tensor, Tensor] {
  checkPair(caller, predictions, targets)
  checkSameShape(caller, predictions, targets)
  const dtype = [predictions, targets].every((t) => isFloating(t) && t.dtype !== 'float64') ? 'float32' : 'float64'
  return [predictions.to(dtype), targets.to(dtype)]
}

/** Largest minus smallest value an image can have; 255 for uint8, and 1 for floating point unless stated. */
export function rangeOf(caller: string, predictions: Tensor, targets: Tensor, dataRange: number | undefined): number {
  if (dataRange !== undefined) {
    if (dataRange > 0 && Number.isFinite(dataRange)) return dataRange
    throw new ArgumentError(`${caller}: dataRange is ${dataRange}; it is a number above 0, such as 1 or 255`)
  }
  if (predictions.dtype === 'uint8' && targets.dtype === 'uint8') return 255
  if (isFloating(predictions) && isFloating(targets)) return 1
  throw new DTypeError(
    `${caller}: images of ${predictions.dtype} and ${targets.dtype} have no range of their own; set dataRange`,
  )
}
