export type { Dataset, IterableDataset, SampleContext } from './dataset'
export { isIterableDataset } from './dataset'
export { sampleContext, sampleGenerator } from './sample-context'
