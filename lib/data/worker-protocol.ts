import type { TensorMessage } from '../tensor/transfer'
import type { PlainError } from './fetch'
import type { WorkerRecipe } from './worker-recipe'

/** What a worker is started with. */
export interface WorkerStart {
  readonly recipe: WorkerRecipe
  readonly id: number
  readonly workers: number
  readonly seed: number
  /** False where each sample is a batch by itself. */
  readonly collates: boolean
  readonly pinMemory: boolean
  /** Of the tensors that it sends. */
  readonly channel: number
  /** One number: the sample that was begun last, for when the worker ends and can no longer say. */
  readonly begun: SharedArrayBuffer
}

/** What the loader asks a worker for. `run` tells the iterations apart: answers to an earlier one are thrown away. */
export type WorkerRequest =
  | {
      readonly type: 'samples'
      readonly run: number
      readonly batch: number
      readonly seed: number
      readonly epoch: number
      readonly indices: readonly number[]
    }
  | {
      /** Begins to walk a stream; the batches follow one by one. */
      readonly type: 'stream'
      readonly run: number
      readonly seed: number
      readonly epoch: number
      readonly batchSize: number
      readonly dropLast: boolean
    }
  | { readonly type: 'next'; readonly run: number; readonly batch: number }

export type WorkerAnswer =
  | {
      readonly type: 'ready'
      /** Of its data set; undefined for a stream. */
      readonly length: number | undefined
    }
  | { readonly type: 'unable'; readonly error: PlainError }
  | { readonly type: 'batch'; readonly run: number; readonly batch: number; readonly message: TensorMessage }
  | { readonly type: 'end'; readonly run: number; readonly batch: number }
  | { readonly type: 'error'; readonly run: number; readonly batch: number; readonly error: PlainError }
