import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { memory } from '../../lib/tensor'

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

/**
 * How many tensors live, once those that earlier tests left to the garbage collector are gone: it would otherwise take
 * them at any `await` of the test that counts.
 */
export async function liveTensors(): Promise<number> {
  let [before, now] = [Number.POSITIVE_INFINITY, memory.stats().tensors]
  while (now < before) {
    gc()
    await setImmediate()
    await setImmediate()
    ;[before, now] = [now, memory.stats().tensors]
  }
  return now
}
