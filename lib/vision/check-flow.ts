import { DTypeError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'

/** @throws ShapeError, DTypeError unless `flow` is `[2, H, W]` floating point and `valid` `[H, W]` bool */
export function checkFlow(caller: string, flow: Tensor, valid: Tensor | undefined): void {
  const { shape, dtype } = flow
  if (shape.length !== 3 || shape[0] !== 2) {
    const remedy = shape.length === 4 ? '; take one flow of a batch with at(0)' : ''
    throw new ShapeError(`${caller}: a flow is [2, H, W], got [${shape.join(', ')}]${remedy}`)
  }
  if (shape[1] === 0 || shape[2] === 0) {
    throw new ShapeError(`${caller}: a flow of [${shape.join(', ')}] has no pixels`)
  }
  if (!['float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError(`${caller}: a flow is floating point in pixels, got ${dtype}; convert it with to('float32')`)
  }
  if (valid === undefined) return
  if (valid.dtype !== 'bool') {
    throw new DTypeError(`${caller}: valid is a bool mask, got ${valid.dtype}; compare it, as in ne(0)`)
  }
  if (valid.ndim !== 2 || valid.size(0) !== shape[1] || valid.size(1) !== shape[2]) {
    const expected = shape.slice(1).join(', ')
    throw new ShapeError(`${caller}: valid is [H, W] = [${expected}] like the flow, got [${valid.shape.join(', ')}]`)
  }
}
