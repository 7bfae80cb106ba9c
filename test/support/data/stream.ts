// A stream for workers, which can read its parts where `shards` says so.
import { type IterableDataset, sampleGenerator } from '../../../lib/data'
import { rand, type Tensor } from '../../../lib/tensor'

export interface StreamOptions {
  readonly length: number
  readonly shards?: boolean
}

export interface StreamSample {
  readonly i: number
  readonly noise: Tensor
}

export default function stream({ length, shards = false }: StreamOptions): IterableDataset<StreamSample> {
  const part = (first: number, step: number): IterableDataset<StreamSample> => ({
    async *[Symbol.asyncIterator]() {
      for (let i = first; i < length; i += step) yield { i, noise: rand([1], { generator: sampleGenerator() }) }
    },
  })
  return { ...part(0, 1), ...(shards && { shard: part }) }
}
