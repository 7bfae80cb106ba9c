// The public names of lib/tensor. What is written by hand comes first: an explicit export wins over a generated one of
// the same name (`slice`, an index, over the operator, which stays as the method `t.slice()`).
export type { AsyncCallOptions, Progress } from './call'
export { call, callAsync } from './call'
export type { RandomOptions, TensorData, TensorOptions } from './creation'
export {
  arange,
  empty,
  eye,
  full,
  linspace,
  logspace,
  ones,
  rand,
  randint,
  randn,
  randperm,
  scalarTensor,
  tensor,
  zeros,
} from './creation'
export type { ElementsOf } from './elements'
export { isTensor } from './handle'
export type { Index } from './indexing'
export * from './ops.generated'
export { Generator, manualSeed } from './random'
export { dispose, keep, tidy, tidyAsync } from './scope'
export type { NestedArray } from './tensor'
export { Tensor } from './tensor'
export type { Device, DType, Layout, MemoryFormat, Scalar, TypedArray } from './types'
export { Complex } from './types'
