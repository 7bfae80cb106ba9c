// Several processes that train one model: LibTorch's c10d over Gloo.
export {
  type AllReduceOptions,
  allGatherAsync,
  allGatherObject,
  allReduce,
  allReduceAsync,
  barrier,
  broadcastAsync,
  broadcastTensors,
  type CollectiveOptions,
  type ReduceOp,
} from './collectives'
export { isLaunched, type Rendezvous, rendezvous } from './environment'
export { allGatherTensors } from './gather-tensors'
export { GradientReducer, type GradientReducerOptions } from './gradient-reducer'
export {
  type DistributedBackend,
  destroyProcessGroup,
  getRank,
  getWorldSize,
  groupOf,
  initProcessGroup,
  openGroup,
  type ProcessGroup,
  type ProcessGroupOptions,
} from './process-group'
