import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { shown } from '../native/shown'
import type { Tensor } from '../tensor'
import { isTensor } from '../tensor/handle'

const FLOATING: readonly string[] = ['float16', 'bfloat16', 'float32', 'float64']

/**
 * @param last the sizes of the last dimensions; −1 stands for any
 * @throws ArgumentError, ShapeError, DTypeError unless the tensor is one of floating point that ends so
 */
export function checkEnds(caller: string, what: string, value: Tensor, last: readonly number[]): void {
  checkTensor(caller, what, value)
  const wanted = `[..., ${last.map((size) => (size < 0 ? 'N' : size)).join(', ')}]`
  const ends = value.shape.slice(-last.length)
  if (value.ndim < last.length || !last.every((size, i) => size < 0 || ends[i] === size)) {
    throw new ShapeError(`${caller}: ${what} is [${value.shape.join(', ')}]; it must be ${wanted}`)
  }
  if (!FLOATING.includes(value.dtype)) {
    throw new DTypeError(
      `${caller}: ${what} is ${value.dtype}; it must be floating point, convert it with to('float32')`,
    )
  }
}

/** @throws ArgumentError, ShapeError, DTypeError unless the tensor is one of floating point with these sizes; −1 stands for any */
export function checkSizes(caller: string, what: string, value: Tensor, sizes: readonly number[]): void {
  checkTensor(caller, what, value)
  if (value.ndim !== sizes.length) {
    const wanted = sizes.map((size) => (size < 0 ? 'N' : size)).join(', ')
    throw new ShapeError(`${caller}: ${what} is [${value.shape.join(', ')}]; it must be [${wanted}]`)
  }
  checkEnds(caller, what, value, sizes)
}

function checkTensor(caller: string, what: string, value: unknown): void {
  if (!isTensor(value)) throw new ArgumentError(`${caller}: ${what} is ${shown(value)}; it must be a tensor`)
}
