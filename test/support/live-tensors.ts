import { setImmediate, setTimeout } from 'node:timers/promises'
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
  let [quiet, now] = [0, memory.stats().tensors]
  // A busy machine may finalize what one collection found only after the next.
  while (quiet < 2) {
    const before = now
    gc()
    await setImmediate()
    await setImmediate()
    now = memory.stats().tensors
    quiet = now < before ? 0 : quiet + 1
  }
  return now
}

/**
 * How many tensors live once no more than `expected` do, or after as many collections as a busy machine may need: what
 * leaks is never collected.
 */
export async function liveTensorsDownTo(expected: number): Promise<number> {
  let now = await liveTensors()
  for (let round = 0; round < 20 && now > expected; round++) {
    await setTimeout(10)
    now = await liveTensors()
  }
  return now
}
