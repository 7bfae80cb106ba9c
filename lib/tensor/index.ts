// The public names of lib/tensor. What is written by hand comes first: an explicit export wins over a generated one of
// the same name (`slice`, an index, over the operator, which stays as the method `t.slice()`).
export { type AnomalyOptions, detectAnomaly, isAnomalyEnabled, setDetectAnomaly } from './anomaly'
export { type AutocastOptions, autocast, autocastDType, clearAutocastCache, isAutocastEnabled } from './autocast'
export {
  type BackwardOptions,
  backward,
  enableGrad,
  type GradOptions,
  grad,
  inferenceMode,
  isGradEnabled,
  isInferenceMode,
  noGrad,
} from './autograd'
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
export { type DeterministicOptions, deterministic, isDeterministic } from './deterministic'
export type { ResolvedDevice } from './device'
export {
  cpuCapability,
  cudaDeviceCount,
  cudaIsAvailable,
  cudaUnavailableReason,
  getNumThreads,
  libtorchVersion,
  resolveDevice,
  setNumThreads,
} from './device'
export type { ElementsOf } from './elements'
export {
  type DifferentiableFunction,
  GradcheckError,
  type GradcheckOptions,
  type GradgradcheckOptions,
  type GradientMismatch,
  gradcheck,
  gradgradcheck,
} from './gradcheck'
export type { GradientHook, HookHandle } from './gradient-hooks'
export type { CapturedFunction, CapturedRunOptions } from './graph'
export { capture } from './graph'
export { isTensor } from './handle'
export type { Index, Slice } from './indexing'
export { newAxis, slice } from './indexing'
export type { CreationSite, MemoryStats } from './memory'
export * as memory from './memory'
export * from './ops.generated'
export { Generator, manualSeed } from './random'
export { dispose, keep, tidy, tidyAsync } from './scope'
export type { NestedArray } from './tensor'
export { Tensor } from './tensor'
export type { TensorMessage } from './transfer'
export {
  discardTensors,
  receiveTensors,
  sendTensors,
  TensorChannel,
  tensorsOnTheirWay,
  useOneThread,
} from './transfer'
export type { Device, DType, Layout, MemoryFormat, Scalar, TypedArray } from './types'
export { Complex } from './types'
