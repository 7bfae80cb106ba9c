// A module whose data set cannot be made in a worker.
import { isMainThread } from 'node:worker_threads'

export default () => {
  if (!isMainThread) throw new RangeError('there is no such folder')
  return { length: 2, get: (i: number) => i }
}
