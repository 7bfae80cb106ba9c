import { ArgumentError } from '../native/errors'
import { describe } from '../tensor/call'
import type { BatchSource } from './options'

/** An iterator over the batches of one epoch. @throws ArgumentError when the source cannot be walked */
export function batchesOf<Batch>(name: string, source: BatchSource<Batch>): AsyncIterator<Batch> {
  if (typeof source?.[Symbol.asyncIterator] === 'function') return source[Symbol.asyncIterator]()
  if (typeof source?.[Symbol.iterator] === 'function') {
    const items = source[Symbol.iterator]()
    return {
      next: async () => items.next(),
      return: async () => {
        items.return?.()
        return { done: true, value: undefined }
      },
    }
  }
  throw new ArgumentError(
    `Trainer: ${name} is ${describe(source)}; it must be a DataLoader or another iterable of batches`,
  )
}
