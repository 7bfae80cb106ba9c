import { ArgumentError } from '../native/errors'
import { describe } from '../tensor/call'
import type { BatchSource } from './options'

/** An iterator over the batches of one epoch. @throws ArgumentError when the source cannot be walked */
export function batchesOf<Batch>(name: string, source: BatchSource<Batch>): AsyncIterator<Batch> {
  const walk = source?.[Symbol.asyncIterator]
  if (typeof walk === 'function') return walk.call(source)
  const list = source?.[Symbol.iterator]
  if (typeof list === 'function') {
    const items = list.call(source)
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
