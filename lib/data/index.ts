export type { Collated } from './collate'
export { defaultCollate } from './collate'
export type { Dataset, IterableDataset, SampleContext } from './dataset'
export { isIterableDataset } from './dataset'
export { ConcatDataset, MapDataset, Subset, TensorDataset } from './datasets'
export type { DistributedSamplerOptions } from './distributed-sampler'
export { DistributedSampler } from './distributed-sampler'
export type { LoaderState } from './loader'
export { DataLoader } from './loader'
export type { DataLoaderOptions } from './loader-options'
export type { LoaderStats } from './loader-stats'
export { padCollate } from './pad-collate'
export { sampleContext, sampleGenerator } from './sample-context'
export type { RandomSamplerOptions, Sampler, Sized, WeightedRandomSamplerOptions } from './samplers'
export {
  BatchSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './samplers'
export type { Parts, SplitOptions } from './split'
export { randomSplit, stratifiedSplit } from './split'
export * from './transforms'
export type { DatasetModule, WorkerInfo } from './worker-dataset'
export { workerDataset } from './worker-dataset'
