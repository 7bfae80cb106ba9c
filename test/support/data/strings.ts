// A data set for workers with a collate function and a workerInit of its own.
import type { Dataset, WorkerInfo } from '../../../lib/data'

let info: WorkerInfo | undefined

export function workerInit(given: WorkerInfo): void {
  info = given
}

export function collate(samples: readonly string[]): string {
  return `${samples.join('+')} in ${info?.id ?? 'main'} of ${info?.workers ?? 0}, seed ${info?.seed ?? 'none'}`
}

export default async (words: readonly string[]): Promise<Dataset<string>> => ({
  length: words.length,
  get: (i) => words[i] as string,
})
