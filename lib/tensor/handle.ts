import type { Scope } from './scope'

/** The number by which the bridge knows a tensor; 0 once it is disposed. Also the brand by which a tensor is known. */
export const HANDLE: unique symbol = Symbol.for('@lab/vision-native/handle') as never
/** The scope that frees the tensor, if any. */
export const OWNER: unique symbol = Symbol.for('@lab/vision-native/owner') as never
/** A method by which an object that holds tensors lists them, so that `tidy` may return it. */
export const TENSORS: unique symbol = Symbol.for('@lab/vision-native/tensors') as never

export interface TensorLike {
  [HANDLE]: number
  [OWNER]: Scope | undefined
}

/** True for a tensor of any copy of this package in the process. */
export function isTensor(value: unknown): value is TensorLike {
  return typeof value === 'object' && value !== null && typeof (value as Partial<TensorLike>)[HANDLE] === 'number'
}
