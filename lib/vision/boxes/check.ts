import { ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor/tensor'
import type { DType } from '../../tensor/types'

/** @throws ShapeError unless the last dimension is 4 */
export function checkFour(caller: string, name: string, boxes: Tensor): void {
  if (boxes.shape.at(-1) === 4) return
  throw new ShapeError(`${caller}: ${name} are [..., 4], got [${boxes.shape.join(', ')}]`)
}

/** @throws ShapeError unless the shape is `[N, 4]` */
export function checkBoxes(caller: string, name: string, boxes: Tensor): void {
  const { shape } = boxes
  if (shape.length === 2 && shape[1] === 4) return
  throw new ShapeError(`${caller}: ${name} are [N, 4], got [${shape.join(', ')}]`)
}

/** The four columns of boxes. @throws ShapeError unless the last dimension is 4 */
export function columns(caller: string, boxes: Tensor, name = 'boxes'): [Tensor, Tensor, Tensor, Tensor] {
  checkFour(caller, name, boxes)
  return boxes.unbind({ dim: -1 }) as [Tensor, Tensor, Tensor, Tensor]
}

/** In a type whose products do not overflow: float32 for the short floats, int64 for whole numbers. */
export function widened(boxes: Tensor): Tensor {
  const wide: DType = /^(float16|bfloat16)$/.test(boxes.dtype)
    ? 'float32'
    : boxes.dtype.startsWith('float')
      ? boxes.dtype
      : 'int64'
  return boxes.to(wide)
}
