import { ArgumentError } from '../native/errors'
import { call } from './call'
import type { Tensor } from './tensor'

export type Index = number | null

export function indexTensor(tensor: Tensor, indices: readonly Index[]): Tensor {
  let view = tensor
  for (const index of indices) {
    if (index === null) throw new ArgumentError('at: not written yet')
    view = call('aten::select.int', [view, 0, index]) as Tensor
  }
  return view
}
